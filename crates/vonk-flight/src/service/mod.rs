//! The calls of the protocol.
//!
//! `FlightService` is implemented here directly, and not through `arrow_flight`'s `FlightSqlService`: that one answers GetSchema and PollFlightInfo
//! for everybody (with "not yet implemented").
//!
//! A call first says who makes it ([`Service::call`]); then its command goes to the file of its family.
//!
//! Must not know: how queries run, sockets.

mod actions;
mod calls;
mod ingest;
mod metadata;
mod prepared;
mod statements;
mod streams;

pub(crate) use metadata::failed;
pub use prepared::PreparedStatement;

use crate::auth::Users;
use crate::gate::Gate;
use crate::options::Options;
use crate::sessions::{Call, Sessions};
use crate::status::{garbage, to_status, unsupported};
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::{Any, Command, ProstMessageExt};
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightEndpoint, FlightInfo,
    HandshakeRequest, HandshakeResponse, IpcMessage, PollInfo, PutResult, SchemaAsIpc, SchemaResult, Ticket,
};
use futures::stream::{self, BoxStream, StreamExt};
use prost::Message;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tonic::{Request, Response, Status, Streaming};
use vonk_error::{Error, Result};

type Answered<T> = std::result::Result<T, Status>;

/// The service. Clones are the same.
#[derive(Clone)]
pub struct Service(Arc<Shared>);

pub(crate) struct Shared {
    pub options: Options,
    pub sessions: Arc<Sessions>,
    pub gate: Gate,
    pub users: Option<Users>,
    pub stopping: AtomicBool,
}

impl Service {
    /// Over these sessions.
    pub fn new(options: Options, sessions: Arc<Sessions>) -> Service {
        let gate = Gate::new(options.queries, options.queued, options.queue_patience);
        let users = options.users.clone();
        Service(Arc::new(Shared { options, sessions, gate, users, stopping: AtomicBool::new(false) }))
    }

    /// Takes on nothing new from now on.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
    }

    /// Whether no statement runs.
    pub fn is_idle(&self) -> bool {
        self.0.gate.is_idle()
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }
}

/// What a caller gets back beside the answer: a cookie, if it is to have one.
pub(crate) struct Caller {
    pub call: Call,
    pub cookie: Option<String>,
}

impl Caller {
    fn answer<T>(&self, message: T) -> Response<T> {
        let mut response = Response::new(message);
        if let Some(cookie) = self.cookie.as_ref().and_then(|c| c.parse().ok()) {
            response.metadata_mut().insert("set-cookie", cookie);
        }
        response
    }
}

/// Runs what blocks or computes where it keeps no other call waiting.
pub(crate) async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T> + Send + 'static,
) -> Answered<T> {
    apart(f).await.map_err(|e| to_status(&e))
}

/// As [`blocking`], for those who want to know the error.
pub(crate) async fn apart<T: Send + 'static>(f: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    // What comes in place of a result is a panic, which the panic hook has told of.
    tokio::task::spawn_blocking(f).await.unwrap_or_else(|_| Err(Error::internal("a statement broke down")))
}

/// The command in a descriptor or ticket.
fn command(bytes: &[u8]) -> Answered<Command> {
    let any = Any::decode(bytes).map_err(garbage)?;
    Command::try_from(any).map_err(garbage)
}

/// A schema as messages carry it.
pub(crate) fn schema_bytes(schema: &SchemaRef) -> Answered<prost::bytes::Bytes> {
    let options = IpcWriteOptions::default();
    let IpcMessage(bytes) = SchemaAsIpc::new(schema, &options)
        .try_into()
        .map_err(|e: arrow::error::ArrowError| to_status(&Error::from(e)))?;
    Ok(bytes)
}

/// Tells of rows that are fetched with these tickets.
pub(crate) fn flight_info(
    descriptor: FlightDescriptor,
    schema: &SchemaRef,
    tickets: Vec<prost::bytes::Bytes>,
) -> Answered<FlightInfo> {
    let one = tickets.len() == 1;
    let endpoint = |ticket| FlightEndpoint { ticket: Some(Ticket { ticket }), ..FlightEndpoint::default() };
    Ok(FlightInfo {
        schema: schema_bytes(schema)?,
        flight_descriptor: Some(descriptor),
        endpoint: tickets.into_iter().map(endpoint).collect(),
        total_records: -1,
        total_bytes: -1,
        ordered: one,
        app_metadata: prost::bytes::Bytes::new(),
    })
}

#[tonic::async_trait]
impl FlightService for Service {
    type HandshakeStream = BoxStream<'static, Answered<HandshakeResponse>>;
    type ListFlightsStream = BoxStream<'static, Answered<FlightInfo>>;
    type DoGetStream = BoxStream<'static, Answered<FlightData>>;
    type DoPutStream = BoxStream<'static, Answered<PutResult>>;
    type DoActionStream = BoxStream<'static, Answered<arrow_flight::Result>>;
    type ListActionsStream = BoxStream<'static, Answered<ActionType>>;
    type DoExchangeStream = BoxStream<'static, Answered<FlightData>>;

    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Answered<Response<Self::HandshakeStream>> {
        self.shake_hands(request).await
    }

    async fn list_flights(&self, request: Request<Criteria>) -> Answered<Response<Self::ListFlightsStream>> {
        let caller = self.call(request.metadata(), request.extensions()).await?;
        Ok(caller.answer(stream::empty().boxed()))
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Answered<Response<FlightInfo>> {
        let caller = self.call(request.metadata(), request.extensions()).await?;
        let info = self.info(&caller.call, request.into_inner()).await?;
        Ok(caller.answer(info))
    }

    async fn poll_flight_info(&self, request: Request<FlightDescriptor>) -> Answered<Response<PollInfo>> {
        // The first rows can be fetched as soon as the statement runs, so there is nothing to poll for.
        let caller = self.call(request.metadata(), request.extensions()).await?;
        let info = self.info(&caller.call, request.into_inner()).await?;
        Ok(caller.answer(PollInfo { info: Some(info), ..PollInfo::default() }))
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Answered<Response<SchemaResult>> {
        let caller = self.call(request.metadata(), request.extensions()).await?;
        let schema = match command(&request.get_ref().cmd)? {
            Command::CommandStatementQuery(query) => self.statement_schema(&caller.call, query.query).await?,
            Command::CommandPreparedStatementQuery(query) => {
                self.prepared_schema(&caller.call, &query.prepared_statement_handle)?
            }
            other => metadata::schema(&other).ok_or_else(|| unsupported(other.type_url()))?,
        };
        Ok(caller.answer(SchemaResult { schema: schema_bytes(&schema)? }))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Answered<Response<Self::DoGetStream>> {
        let caller = self.call(request.metadata(), request.extensions()).await?;
        let stream = match command(&request.get_ref().ticket)? {
            Command::TicketStatementQuery(ticket) => self.fetch(&caller.call, &ticket.statement_handle)?,
            other => self.metadata(&caller.call, other).await?,
        };
        Ok(caller.answer(stream))
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Answered<Response<Self::DoPutStream>> {
        let caller = self.call(request.metadata(), request.extensions()).await?;
        let result = self.put(&caller.call, request.into_inner()).await?;
        Ok(caller.answer(stream::iter([Ok(PutResult { app_metadata: result })]).boxed()))
    }

    async fn do_action(&self, request: Request<Action>) -> Answered<Response<Self::DoActionStream>> {
        let caller = self.call(request.metadata(), request.extensions()).await?;
        let results = self.act(&caller.call, request.into_inner()).await?;
        let results = results.into_iter().map(|body| Ok(arrow_flight::Result { body }));
        Ok(caller.answer(stream::iter(results).boxed()))
    }

    async fn list_actions(&self, request: Request<Empty>) -> Answered<Response<Self::ListActionsStream>> {
        let caller = self.call(request.metadata(), request.extensions()).await?;
        Ok(caller.answer(stream::iter(actions::list().into_iter().map(Ok)).boxed()))
    }

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Answered<Response<Self::DoExchangeStream>> {
        self.call(request.metadata(), request.extensions()).await?;
        Err(unsupported("DoExchange"))
    }
}

impl Service {
    /// GetFlightInfo.
    async fn info(&self, call: &Call, descriptor: FlightDescriptor) -> Answered<FlightInfo> {
        match command(&descriptor.cmd)? {
            Command::CommandStatementQuery(query) => {
                no_transaction(query.transaction_id.as_deref())?;
                self.query(call, descriptor, query.query).await
            }
            Command::CommandPreparedStatementQuery(query) => {
                self.query_prepared(call, descriptor, &query.prepared_statement_handle).await
            }
            Command::CommandStatementSubstraitPlan(_) => Err(unsupported("Substrait plans")),
            other => match metadata::schema(&other) {
                // What it asks for is computed when it is fetched: the ticket is the question.
                Some(schema) => {
                    let ticket = other.into_any().encode_to_vec().into();
                    flight_info(descriptor, &schema, vec![ticket])
                }
                None => Err(unsupported(other.type_url())),
            },
        }
    }
}

/// There are no transactions, so nobody can be in one.
pub(crate) fn no_transaction(id: Option<&[u8]>) -> Answered<()> {
    match id {
        Some(id) if !id.is_empty() => Err(unsupported("transactions")),
        _ => Ok(()),
    }
}

/// A message within an `Any`.
pub(crate) fn packed<M: ProstMessageExt>(message: &M) -> prost::bytes::Bytes {
    message.as_any().encode_to_vec().into()
}
