//! Listening, and stopping in good order.
//!
//! Must not know: what calls do.

use crate::options::{Options, TlsFiles};
use crate::service::Service;
use crate::sessions::{Lifetimes, Sessions};
use arrow_flight::flight_service_server::FlightServiceServer;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};
use vonk::Session;
use vonk_error::{Error, Result};
use vonk_rpc::{Admission, Socket, Sockets};

/// How often what is over is looked for.
const SWEEP: Duration = Duration::from_secs(1);
/// How long clients have for the end of their calls once no statement runs.
const LAST_CALLS: Duration = Duration::from_secs(2);
/// How long a peer may take to agree on encryption.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The connection that a call comes by.
#[derive(Clone, Default)]
pub(crate) struct Peer {
    /// Its number.
    pub id: u64,
    address: Option<SocketAddr>,
    admission: Option<Admission>,
}

impl Peer {
    /// It has shown that it may be here.
    pub fn admit(&self) {
        if let Some(admission) = &self.admission {
            admission.admit();
        }
    }

    /// Where it comes from, for logs.
    pub fn address(&self) -> String {
        self.address.map_or_else(|| "unknown".to_string(), |a| a.to_string())
    }
}

/// A socket with its number. Sessions hear of its end.
struct Connection {
    socket: Socket,
    peer: Peer,
    sessions: Arc<Sessions>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.sessions.connection_gone(self.peer.id);
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

/// A server that listens, and serves when told to.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    options: Options,
    sessions: Arc<Sessions>,
    service: Service,
    /// How connections are kept, encryption included.
    transport: tonic::transport::Server,
}

impl Server {
    /// Binds the address of the options. Refused on other interfaces than the loopback where nobody must say who he is.
    pub async fn bind(session: Session, options: Options) -> Result<Server> {
        let (host, port) = (options.host.as_str(), options.port);
        let failed = |e| Error::io(format!("cannot listen on {host}:{port}"), e);
        let address = tokio::net::lookup_host((host, port)).await.map_err(failed)?.next();
        let address = address.ok_or_else(|| failed(io::Error::other("the name has no address")))?;
        let certified = options.tls.as_ref().is_some_and(|t| t.client_authority.is_some());
        if options.users.is_none() && !certified && !address.ip().is_loopback() {
            return Err(Error::new("_OPEN_SERVER").with("address", address.ip().to_string()));
        }
        let transport = transport(&options)?;
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let lifetimes = Lifetimes {
            idle: options.session_idle,
            life: options.session_life,
            result: options.result_patience,
        };
        let sessions = Arc::new(Sessions::new(session, options.sessions, lifetimes));
        let service = Service::new(options.clone(), sessions.clone());
        Ok(Server { listener, address, options, sessions, service, transport })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready; then takes on nothing new, and ends when what runs has ended, or after the time of grace.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send) -> Result<()> {
        let failed = |e: tonic::transport::Error| Error::io("the server failed", e);
        let mut server = self.transport;
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_serving::<FlightServiceServer<Service>>().await;
        let reflects = || {
            tonic_reflection::server::Builder::configure()
                .register_file_descriptor_set(crate::reflection::descriptors())
        };
        let undescribed = |e| Error::internal(format!("the protocol is not described: {e}"));
        let reflection = reflects().build_v1().map_err(undescribed)?;
        // Tools still ask for the older one.
        let reflection_alpha = reflects().build_v1alpha().map_err(undescribed)?;
        let flight = FlightServiceServer::new(self.service.clone())
            .max_decoding_message_size(self.options.message_bytes)
            .max_encoding_message_size(usize::MAX);
        let (end, ended) = oneshot::channel::<()>();
        let (accepting, incoming) = accept(self.listener, &self.options, self.sessions.clone());
        let serving = server
            .add_service(health)
            .add_service(reflection)
            .add_service(reflection_alpha)
            .add_service(flight)
            .serve_with_incoming_shutdown(incoming, async {
                let _ = ended.await;
            });
        let sweeping = async {
            loop {
                tokio::time::sleep(SWEEP).await;
                self.sessions.sweep();
            }
        };
        let service = self.service.clone();
        let (sessions, grace) = (self.sessions.clone(), self.options.grace);
        let stopping = async move {
            stop.await;
            tracing::info!("stopping: nothing new from now on");
            service.stop();
            reporter.set_not_serving::<FlightServiceServer<Service>>().await;
            let idle = async {
                while !service.is_idle() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            if tokio::time::timeout(grace, idle).await.is_err() {
                tracing::warn!("statements that still run are cancelled");
            }
            sessions.end_all("the server stops");
            let _ = end.send(());
            tokio::time::sleep(LAST_CALLS).await;
        };
        tokio::select! {
            served = serving => served.map_err(failed),
            () = accepting => Ok(()),
            () = sweeping => Ok(()),
            () = stopping => Ok(()),
        }
    }
}

/// The sockets that come in, numbered.
fn accept(
    listener: TcpListener,
    options: &Options,
    sessions: Arc<Sessions>,
) -> (impl Future<Output = ()>, ReceiverStream<io::Result<Connection>>) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let sockets = Sockets::new(listener, options.connections).with_patience(options.patience);
    let (sender, incoming) = mpsc::channel(1);
    let accepting = async move {
        loop {
            let socket = sockets.accept().await;
            let peer = Peer {
                id: NEXT.fetch_add(1, Ordering::Relaxed),
                address: socket.peer().ok(),
                admission: Some(socket.connect_info()),
            };
            let connection = Connection { socket, peer, sessions: sessions.clone() };
            if sender.send(Ok(connection)).await.is_err() {
                // The server takes no more.
                return std::future::pending().await;
            }
        }
    };
    (accepting, ReceiverStream::new(incoming))
}

fn transport(options: &Options) -> Result<tonic::transport::Server> {
    let plain = tonic::transport::Server::builder()
        .max_concurrent_streams(1024)
        .http2_keepalive_interval(Some(Duration::from_secs(10)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(16 << 20)
        .max_frame_size(1 << 20);
    let Some(files) = &options.tls else { return Ok(plain) };
    plain.tls_config(tls_config(files)?).map_err(|e| {
        // What is wrong is said by the last of the causes.
        let mut cause: &dyn std::error::Error = &e;
        while let Some(next) = cause.source() {
            cause = next;
        }
        let (certificate, key) = (files.certificate.display(), files.key.display());
        Error::new("_INVALID_ARGUMENT")
            .with("argument", format!("the certificate {certificate} with the key {key}: {cause}"))
            .with("expected", "PEM files that belong together")
    })
}

fn tls_config(files: &TlsFiles) -> Result<ServerTlsConfig> {
    let read = |path: &Path| {
        std::fs::read(path)
            .map_err(|e| Error::io(format!("cannot read the certificate or key in {}", path.display()), e))
    };
    let identity = Identity::from_pem(read(&files.certificate)?, read(&files.key)?);
    let config = ServerTlsConfig::new().identity(identity).timeout(HANDSHAKE);
    Ok(match &files.client_authority {
        Some(authority) => config.client_ca_root(Certificate::from_pem(read(authority)?)),
        None => config,
    })
}
