//! A connection to the master that is made anew whenever it breaks: of workers and of applications.
//!
//! Must not know: what is said on it.

use crate::standalone::client::MasterAddress;
use crate::standalone::machine::Inbox;
use crate::standalone::service::master_client::MasterClient;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status, Streaming};
use vonk_error::{Error, ErrorKind, Result};
use vonk_rpc::{Connection, Security};

/// Messages to the master that wait to be sent.
const OUTBOX: usize = 1024;
const MESSAGE_BYTES: usize = 32 << 20;
/// Pauses between two tries to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A client of a master.
pub(crate) type Service = MasterClient<Connection>;

/// The messages of a machine's thread that has a connection to a master.
pub(crate) trait Party: Send + Sized + 'static {
    /// What it says.
    type Says: Send + 'static;
    /// What the master says.
    type Hears: Send + 'static;
    /// Begins a conversation.
    fn open(
        service: Service,
        says: ReceiverStream<Self::Says>,
    ) -> impl Future<Output = std::result::Result<Response<Streaming<Self::Hears>>, Status>> + Send;
    /// There is a connection, on which is said what is sent here. Dropped, it ends the connection.
    fn connected(says: mpsc::Sender<Self::Says>) -> Self;
    /// The master says something.
    fn heard(message: Self::Hears) -> Self;
    /// The connection is gone.
    fn disconnected() -> Self;
    /// There never was a connection, and there will be none.
    fn hopeless(error: Error) -> Self;
}

/// How to connect.
pub(crate) struct Connecting<M> {
    pub master: MasterAddress,
    pub security: Security,
    /// How long the master may take to answer.
    pub timeout: Duration,
    /// For how long who was never heard goes on trying: a master that is just being started may listen a moment later.
    pub patience: Duration,
    pub inbox: Inbox<M>,
    /// Set when there is to be no other connection.
    pub over: Arc<AtomicBool>,
}

impl<M: Party> Connecting<M> {
    /// Connects again and again until it is over. The first time, what cannot pass by itself ends it.
    pub async fn run(self) {
        let begun = Instant::now();
        let (mut was_heard, mut pause) = (false, FIRST_PAUSE);
        while !self.over.load(Ordering::Relaxed) && !self.inbox.is_closed() {
            match self.converse().await {
                Ok(true) => (was_heard, pause) = (true, FIRST_PAUSE),
                Ok(false) => {}
                Err(error) => {
                    let for_good = !matches!(error.kind(), ErrorKind::Io);
                    if !was_heard && (for_good || begun.elapsed() > self.patience) {
                        let _ = self.inbox.send(M::hopeless(error)).await;
                        return;
                    }
                    tracing::warn!(master = %self.master, %error, "no connection to the master");
                }
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// One connection, from its beginning to its end; whether the master said anything.
    async fn converse(&self) -> Result<bool> {
        let master = &self.master;
        let connection = vonk_rpc::connect(&master.host_and_port(), &self.security, self.timeout).await?;
        let service = Service::new(connection)
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES);
        let (says, outgoing) = mpsc::channel(OUTBOX);
        let refused = |s: Status| vonk_rpc::from_status(&format!("the master at {master} refused"), &s);
        let opened = M::open(service, ReceiverStream::new(outgoing)).await;
        let mut incoming = opened.map_err(refused)?.into_inner();
        // A machine whose thread has ended hears nothing, and wants no other connection.
        if self.inbox.send(M::connected(says)).await.is_err() {
            return Ok(true);
        }
        let mut heard = false;
        let result = loop {
            match incoming.message().await {
                Ok(Some(message)) => {
                    if !std::mem::replace(&mut heard, true) {
                        tracing::info!(%master, "connected to the master");
                    }
                    if self.inbox.send(M::heard(message)).await.is_err() {
                        break Ok(true);
                    }
                }
                Ok(None) => break Ok(heard),
                Err(status) if heard => {
                    tracing::warn!(%master, %status, "the connection to the master broke");
                    break Ok(true);
                }
                Err(status) => break Err(refused(status)),
            }
        };
        let _ = self.inbox.send(M::disconnected()).await;
        result
    }
}
