//! The Flight service: an executor's own blocks, or the files of all executors of a worker.
//!
//! Reading and encoding happen on blocking threads, a bounded number at once, a group of messages at a time; a bounded channel and
//! HTTP/2's flow control stand between them and the reader.
//!
//! Must not know: sockets, TLS, who may ask (`vonk_rpc` checks that before).

use crate::cluster::ClusterBlocks;
use crate::flight::cursor::Cursor;
use crate::flight::protocol::{self, BlockTicket, MAX_TICKET_BYTES, RELEASE, Release, Tag};
use crate::message::Compression;
use crate::outputs::OutputSource;
use crate::service::ServiceFiles;
use arrow_flight::flight_service_server::{FlightService, FlightServiceServer};
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest,
    HandshakeResponse, PollInfo, PutResult, SchemaResult, Ticket,
};
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use vonk_error::Error;
use vonk_rpc::to_status;
use vonk_rpc::tonic::{Request, Response, Status, Streaming, async_trait};

/// Messages between the thread that reads and the connection.
const CHANNEL: usize = 16;
/// How often a reader is told that its blocks are still being read.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// A reader that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bounds of a block server.
#[derive(Debug, Clone, Copy)]
pub struct ServerOptions {
    /// Streams at once; one more is refused and comes again.
    pub streams: usize,
    /// Reads and encodings at once.
    pub reads: usize,
    /// How batches are compressed that are in memory, if they are large and their reader is on another machine.
    pub compression: Compression,
}

impl Default for ServerOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        ServerOptions { streams: 2048, reads: (2 * cores).max(4), compression: Compression::default() }
    }
}

/// Hands out map outputs.
#[derive(Clone)]
pub struct BlockServer {
    source: Arc<dyn OutputSource>,
    compression: Compression,
    streams: Arc<Semaphore>,
    reads: Arc<Semaphore>,
}

impl BlockServer {
    /// For the outputs of this process.
    pub fn of_executor(blocks: &ClusterBlocks, options: ServerOptions) -> Self {
        Self::new(blocks.source(), options)
    }

    /// For the files of all executors of a worker.
    pub fn of_worker(files: Arc<ServiceFiles>, options: ServerOptions) -> Self {
        Self::new(files, options)
    }

    fn new(source: Arc<dyn OutputSource>, options: ServerOptions) -> Self {
        BlockServer {
            source,
            compression: options.compression,
            streams: Arc::new(Semaphore::new(options.streams)),
            reads: Arc::new(Semaphore::new(options.reads)),
        }
    }

    /// As a service for `vonk_rpc::Listening::serve`.
    pub fn into_service(self) -> FlightServiceServer<BlockServer> {
        FlightServiceServer::new(self).max_decoding_message_size(MAX_TICKET_BYTES + 1024)
    }

    async fn send(self, mut cursor: Cursor, out: mpsc::Sender<Result<FlightData, Status>>) {
        loop {
            // Closed never, so an error cannot be; then the stream just ends, which its reader takes for a broken one.
            let Some(Ok(permit)) = patiently(self.reads.clone().acquire_owned(), &out).await else { return };
            let read = tokio::task::spawn_blocking(move || {
                let group = cursor.group();
                drop(permit);
                (cursor, group)
            });
            let Some(read) = patiently(read, &out).await else { return };
            let group = match read {
                Ok((at, group)) => {
                    cursor = at;
                    group
                }
                Err(e) => {
                    let error = Error::internal(format!("reading map outputs panicked: {e}"));
                    let _ = out.send(Err(to_status(&error))).await;
                    return;
                }
            };
            let failed = match &group.end {
                Some(Err(e)) => Some(Err(to_status(e))),
                _ => None,
            };
            for message in group.data.into_iter().map(Ok).chain(failed) {
                if !matches!(tokio::time::timeout(PATIENCE, out.send(message)).await, Ok(Ok(()))) {
                    return; // The reader is gone.
                }
            }
            if group.end.is_some() {
                return;
            }
        }
    }
}

/// Waits for a future and tells the reader now and then that this server is alive; `None` if the reader is gone.
async fn patiently<F: Future>(
    future: F,
    out: &mpsc::Sender<Result<FlightData, Status>>,
) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    loop {
        match tokio::time::timeout(SIGN_OF_LIFE, &mut future).await {
            Ok(done) => return Some(done),
            Err(_) => {
                let wait = protocol::flight_data(&Tag::Wait, Bytes::new(), Bytes::new()).ok()?;
                out.send(Ok(wait)).await.ok()?;
            }
        }
    }
}

type Answer<T> = Result<Response<T>, Status>;

fn unsupported<T>() -> Answer<T> {
    Err(Status::unimplemented("this server hands out shuffle blocks only"))
}

#[async_trait]
impl FlightService for BlockServer {
    type HandshakeStream = BoxStream<'static, Result<HandshakeResponse, Status>>;
    type ListFlightsStream = BoxStream<'static, Result<FlightInfo, Status>>;
    type DoGetStream = BoxStream<'static, Result<FlightData, Status>>;
    type DoPutStream = BoxStream<'static, Result<PutResult, Status>>;
    type DoExchangeStream = BoxStream<'static, Result<FlightData, Status>>;
    type DoActionStream = BoxStream<'static, Result<arrow_flight::Result, Status>>;
    type ListActionsStream = BoxStream<'static, Result<ActionType, Status>>;

    async fn do_get(&self, request: Request<Ticket>) -> Answer<Self::DoGetStream> {
        let near = request.remote_addr().is_some_and(|a| a.ip().is_loopback());
        let ticket: BlockTicket = protocol::decode("ticket", &request.into_inner().ticket)
            .map_err(|e| Status::invalid_argument(e.to_string()))?;
        if !protocol::is_application(&ticket.application) || ticket.reduces.0 >= ticket.reduces.1 {
            return Err(Status::invalid_argument("a ticket names no application or no partition"));
        }
        let Ok(permit) = self.streams.clone().try_acquire_owned() else {
            return Err(Status::resource_exhausted("too many streams"));
        };
        let (out, messages) = mpsc::channel(CHANNEL);
        let compression = (!near).then_some(self.compression);
        let cursor = Cursor::new(self.source.clone(), ticket, compression);
        tokio::spawn(self.clone().send(cursor, out));
        Ok(Response::new(Box::pin(stream_of(messages, permit))))
    }

    async fn do_action(&self, request: Request<Action>) -> Answer<Self::DoActionStream> {
        let action = request.into_inner();
        if action.r#type != RELEASE {
            return Err(Status::unimplemented("this server knows the action release only"));
        }
        let release: Release =
            protocol::decode("release", &action.body).map_err(|e| Status::invalid_argument(e.to_string()))?;
        if !protocol::is_application(&release.application) {
            return Err(Status::invalid_argument("a release names no application"));
        }
        let source = self.source.clone();
        let done = tokio::task::spawn_blocking(move || source.release(&release.application, release.shuffle));
        match done.await {
            Ok(Ok(())) => Ok(Response::new(Box::pin(stream::empty()))),
            Ok(Err(e)) => Err(to_status(&e)),
            Err(e) => Err(Status::internal(e.to_string())),
        }
    }

    async fn handshake(&self, _: Request<Streaming<HandshakeRequest>>) -> Answer<Self::HandshakeStream> {
        unsupported()
    }

    async fn list_flights(&self, _: Request<Criteria>) -> Answer<Self::ListFlightsStream> {
        unsupported()
    }

    async fn get_flight_info(&self, _: Request<FlightDescriptor>) -> Answer<FlightInfo> {
        unsupported()
    }

    async fn poll_flight_info(&self, _: Request<FlightDescriptor>) -> Answer<PollInfo> {
        unsupported()
    }

    async fn get_schema(&self, _: Request<FlightDescriptor>) -> Answer<SchemaResult> {
        unsupported()
    }

    async fn do_put(&self, _: Request<Streaming<FlightData>>) -> Answer<Self::DoPutStream> {
        unsupported()
    }

    async fn do_exchange(&self, _: Request<Streaming<FlightData>>) -> Answer<Self::DoExchangeStream> {
        unsupported()
    }

    async fn list_actions(&self, _: Request<Empty>) -> Answer<Self::ListActionsStream> {
        unsupported()
    }
}

/// What arrives at a channel; the permit goes with the stream.
fn stream_of<T: Send + 'static>(
    mut messages: mpsc::Receiver<T>,
    permit: OwnedSemaphorePermit,
) -> impl futures::Stream<Item = T> + Send {
    stream::poll_fn(move |cx| {
        let _ = &permit;
        messages.poll_recv(cx)
    })
}
