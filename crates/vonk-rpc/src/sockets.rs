//! Accepting sockets: so many at once, and those of strangers not for long.
//!
//! Whoever connects has a socket before anything is known of him. He loses it unless he shows soon that he may be here: a peer that opens
//! sockets and is silent, or talks without the secret, holds each of them for [`PATIENCE`] at most, and never more than [`Sockets`] allows.
//!
//! Must not know: services, how the secret is shown.

use crate::security::Security;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Sleep;
use tonic::transport::server::Connected;
use vonk_error::Result;

/// How long a peer may take to show that he may be here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long after an error that comes from this process's state (no file descriptors left) the next socket is accepted.
const PAUSE: Duration = Duration::from_millis(200);

/// Whether the peer of a socket has shown that he may be here. Clones speak of the same socket.
#[derive(Clone, Debug, Default)]
pub struct Admission(Arc<AtomicBool>);

impl Admission {
    /// He has: the socket is his for as long as he wants.
    pub fn admit(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_given(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A bound port whose sockets are counted.
pub struct Sockets {
    listener: TcpListener,
    places: Arc<Semaphore>,
    patience: Duration,
}

impl Sockets {
    /// At most so many at once; who comes then waits until another has gone.
    pub fn new(listener: TcpListener, most: usize) -> Sockets {
        let places = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
        Sockets { listener, places, patience: PATIENCE }
    }

    /// With another patience than usual.
    pub fn with_patience(self, patience: Duration) -> Sockets {
        Sockets { patience, ..self }
    }

    /// The next socket. What goes wrong with one of them does not keep others out.
    pub async fn accept(&self) -> Socket {
        loop {
            // A semaphore that is never closed gives a place.
            let Ok(place) = self.places.clone().acquire_owned().await else {
                std::future::pending::<()>().await;
                continue;
            };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "a socket cannot be told not to wait");
                    }
                    let stranger = Some(Box::pin(tokio::time::sleep(self.patience)));
                    return Socket { stream, admission: Admission::default(), stranger, _place: place };
                }
                // The peer's.
                Err(e)
                    if matches!(
                        e.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                    ) => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// For protocols without a server of their own that encrypts: sockets, encrypted where the security says so. It ends with the
    /// receiver.
    pub fn streams(self, security: &Security) -> Result<mpsc::Receiver<(Box<dyn Stream>, Admission)>> {
        let acceptor = security.acceptor()?;
        let (sender, receiver) = mpsc::channel(16);
        tokio::spawn(async move {
            loop {
                let socket = tokio::select! {
                    socket = self.accept() => socket,
                    () = sender.closed() => return,
                };
                let (sender, acceptor) = (sender.clone(), acceptor.clone());
                let admission = socket.admission.clone();
                // Each on its own: the handshake of one does not keep the next one waiting, and its time is that of strangers.
                tokio::spawn(async move {
                    let stream: Box<dyn Stream> = match acceptor {
                        None => Box::new(socket),
                        Some(acceptor) => match acceptor.accept(socket).await {
                            Ok(stream) => Box::new(stream),
                            Err(error) => return tracing::debug!(%error, "a peer does not encrypt as wanted"),
                        },
                    };
                    // Whose receiver is gone serves nobody any more.
                    let _ = sender.send((stream, admission)).await;
                });
            }
        });
        Ok(receiver)
    }
}

/// What can be read and written.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}

/// One socket of [`Sockets`].
pub struct Socket {
    stream: TcpStream,
    admission: Admission,
    /// When a peer that has not been admitted loses it; `None` when he has been.
    stranger: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Socket {
    /// Where the other end is.
    pub fn peer(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl Connected for Socket {
    type ConnectInfo = Admission;

    fn connect_info(&self) -> Admission {
        self.admission.clone()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.admission.is_given() {
            self.stranger = None;
        }
        if let Some(end) = &mut self.stranger
            && end.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the peer did not say who it is",
            )));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn strangers_lose_their_sockets_and_never_have_many() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sockets = Sockets::new(listener, 2).with_patience(Duration::from_millis(200));
        let mut streams = sockets.streams(&Security::none()).unwrap();
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        let (mut first, admission) = streams.recv().await.unwrap();
        let (mut second, _) = streams.recv().await.unwrap();
        let waits = tokio::time::timeout(Duration::from_millis(50), streams.recv()).await;
        assert!(waits.is_err(), "the third waits for a place");
        admission.admit();
        let mut byte = [0];
        let stranger = second.read(&mut byte).await.unwrap_err();
        assert_eq!(stranger.kind(), io::ErrorKind::TimedOut);
        drop(second);
        assert!(streams.recv().await.is_some(), "now there is one");
        tokio::time::sleep(Duration::from_millis(300)).await;
        for client in &mut clients {
            // The one whose socket is gone may hear of it.
            let _ = client.write_all(b"x").await;
        }
        assert_eq!(first.read(&mut byte).await.unwrap(), 1, "who was admitted stays");
    }
}
