//! One stream of a block server, from the ticket to its end.
//!
//! Every message is checked before anyone sees it. What went wrong is told as what is to be done about it.

use crate::fetch::connections::{Connections, Pooled};
use crate::flight::protocol::{self, BlockTicket, MAX_MESSAGE_BYTES, Resume, Tag};
use crate::message::{Message, checksum, decode_schema};
use arrow::datatypes::SchemaRef;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::{FlightData, Ticket};
use bytes::{Bytes, BytesMut};
use std::time::Duration;
use vonk_error::{Error, ErrorKind};
use vonk_rpc::from_status;
use vonk_rpc::tonic::{Code, Status, Streaming};

/// A batch that has arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// Of its map output in the ticket.
    pub position: u32,
    /// Where to go on after it.
    pub at: Resume,
    pub schema: SchemaRef,
    pub message: Message,
}

/// Why a stream failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// May pass: nobody answers there, or the connection broke.
    Transient(Error),
    /// May pass: who answers cannot read it now.
    Unreadable(Error),
    /// The server has as many streams as it takes.
    Busy(Error),
    /// The peer says nothing.
    Silent(Error),
    /// Bytes changed on the way.
    Corrupt(String),
    /// Will not pass.
    Final(Error),
}

/// How a stream ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StreamEnd {
    /// Outputs before this one are complete.
    pub position: u32,
    /// Where to go on in it.
    pub resume: Option<Resume>,
    /// Reduce partitions of the last output.
    pub partitions: u32,
    /// The attempt that made it.
    pub attempt: u32,
}

/// Asks for a ticket's blocks and gives them to `take`, in their order.
pub(crate) async fn fetch_stream(
    connections: &Connections,
    address: &str,
    ticket: &BlockTicket,
    idle: Duration,
    mut take: impl FnMut(Arrived) -> vonk_error::Result<()>,
) -> Result<StreamEnd, Failure> {
    let pooled = connections.get(address).await.map_err(of_error)?;
    let result = stream(&pooled, address, ticket, idle, &mut take).await;
    if let Err(Failure::Transient(_) | Failure::Silent(_)) = &result {
        connections.broken(&pooled).await;
    }
    result
}

async fn stream(
    pooled: &Pooled,
    address: &str,
    ticket: &BlockTicket,
    idle: Duration,
    take: &mut impl FnMut(Arrived) -> vonk_error::Result<()>,
) -> Result<StreamEnd, Failure> {
    let silent = || {
        let what = format!("cannot fetch blocks from {address}");
        Failure::Silent(Error::io(what, format!("it has said nothing for {} ms", idle.as_millis())))
    };
    let failed = |status: &Status| of_status(address, status);
    let mut client = FlightServiceClient::new(pooled.connection.clone())
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(usize::MAX);
    let ticket = Ticket { ticket: protocol::encode(ticket).map_err(Failure::Final)? };
    let call = tokio::time::timeout(idle, client.do_get(ticket)).await.map_err(|_| silent())?;
    let mut messages: Streaming<FlightData> = call.map_err(|s| failed(&s))?.into_inner();
    let mut assembly = Assembly::default();
    loop {
        let next = tokio::time::timeout(idle, messages.message()).await.map_err(|_| silent())?;
        let Some(data) = next.map_err(|s| failed(&s))? else {
            return Err(Failure::Transient(Error::io(
                format!("cannot fetch blocks from {address}"),
                "the stream ended too early",
            )));
        };
        match assembly.add(data)? {
            Some(Event::Batch(arrived)) => take(arrived).map_err(Failure::Final)?,
            Some(Event::End(end)) => return Ok(end),
            None => {}
        }
    }
}

fn of_error(error: Error) -> Failure {
    match error.kind() {
        ErrorKind::Io => Failure::Transient(error),
        _ => Failure::Final(error),
    }
}

fn of_status(address: &str, status: &Status) -> Failure {
    let error = from_status(&format!("cannot fetch blocks from {address}"), status);
    match status.code() {
        // Said by servers of ours only: asking again will not help.
        Code::InvalidArgument | Code::Unimplemented => Failure::Final(error),
        Code::ResourceExhausted => Failure::Busy(error),
        // An error of ours was said by a server of ours, which is there.
        _ if !status.details().is_empty() && *error.kind() == ErrorKind::Io => Failure::Unreadable(error),
        _ => of_error(error),
    }
}

enum Event {
    Batch(Arrived),
    End(StreamEnd),
}

/// Puts batches together from messages.
#[derive(Default)]
struct Assembly {
    schema: Option<SchemaRef>,
    /// A batch whose body is not complete: its length is the capacity that was asked for.
    open: Option<Open>,
}

struct Open {
    position: u32,
    at: Resume,
    rows: u32,
    crc: u32,
    header: Bytes,
    body: BytesMut,
    missing: u64,
}

impl Assembly {
    fn add(&mut self, data: FlightData) -> Result<Option<Event>, Failure> {
        let corrupt = |what: &str| Failure::Corrupt(what.to_string());
        let tag: Tag = protocol::decode("tag", &data.app_metadata).map_err(|_| corrupt("a tag"))?;
        match (tag, self.open.take()) {
            (Tag::Wait, open) => {
                self.open = open;
                Ok(None)
            }
            (Tag::Schema { crc }, None) => {
                if crc32fast::hash(&data.data_header) != crc {
                    return Err(corrupt("a schema"));
                }
                self.schema = Some(decode_schema(&data.data_header).map_err(Failure::Final)?);
                Ok(None)
            }
            (Tag::Batch { position, at, rows, crc, body }, None) => {
                let (header, part) = (data.data_header, data.data_body);
                if part.len() as u64 == body {
                    return self.batch(position, at, Message { header, body: part, rows, crc });
                }
                let missing = body.checked_sub(part.len() as u64).ok_or_else(|| corrupt("a length"))?;
                let body = BytesMut::from(part);
                self.open = Some(Open { position, at, rows, crc, header, body, missing });
                Ok(None)
            }
            (Tag::Part, Some(mut open)) => {
                let part = data.data_body.len() as u64;
                if part == 0 || part > open.missing {
                    return Err(corrupt("a length"));
                }
                open.body.extend_from_slice(&data.data_body);
                open.missing -= part;
                if open.missing > 0 {
                    self.open = Some(open);
                    return Ok(None);
                }
                let Open { position, at, rows, crc, header, body, .. } = open;
                self.batch(position, at, Message { header, body: body.freeze(), rows, crc })
            }
            (Tag::End { position, resume, partitions, attempt }, None) => {
                Ok(Some(Event::End(StreamEnd { position, resume, partitions, attempt })))
            }
            _ => Err(corrupt("the order of messages")),
        }
    }

    fn batch(&self, position: u32, at: Resume, message: Message) -> Result<Option<Event>, Failure> {
        if checksum(&message.header, &message.body) != message.crc {
            return Err(Failure::Corrupt("a batch".into()));
        }
        let schema =
            self.schema.clone().ok_or_else(|| Failure::Corrupt("a batch before its schema".into()))?;
        Ok(Some(Event::Batch(Arrived { position, at, schema, message })))
    }
}
