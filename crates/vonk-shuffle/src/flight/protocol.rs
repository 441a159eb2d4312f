//! Tickets, and the tags of messages. Everything that comes from the network is checked here.

use arrow_flight::FlightData;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vonk_error::{Error, Result};

/// Longest ticket or action: a million map partitions.
pub(crate) const MAX_TICKET_BYTES: usize = 8 << 20;
/// Bodies are cut into parts of at most this size.
pub(crate) const PART_BYTES: usize = 4 << 20;
/// Longest message of a stream: a part, and what is said about it.
pub(crate) const MAX_MESSAGE_BYTES: usize = PART_BYTES + (8 << 20);
/// The action that deletes map outputs.
pub(crate) const RELEASE: &str = "release";

/// What a reader asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockTicket {
    pub application: String,
    /// Whose outputs.
    pub executor: u64,
    pub shuffle: u64,
    /// Reduce partitions: from, and one past the last. A whole output is asked for with [`u32::MAX`].
    pub reduces: (u32, u32),
    /// In this order.
    pub maps: Vec<u32>,
    /// Where to begin in the first of them.
    pub resume: Option<Resume>,
    /// The stream ends when it has had about this many bytes.
    pub max_bytes: u64,
}

/// A place within a map output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Resume {
    pub reduce: u32,
    /// Messages of that partition which have arrived.
    pub message: u32,
    /// Of the attempt that they are from: another may have cut its batches elsewhere.
    pub attempt: u32,
}

/// What a message of a stream is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Tag {
    /// The schema of the batches from here on.
    Schema { crc: u32 },
    /// A batch of the map output at this position of the ticket; those before it are complete.
    Batch { position: u32, at: Resume, rows: u32, crc: u32, body: u64 },
    /// More of the body of the batch before.
    Part,
    /// The server has nothing yet, and is alive.
    Wait,
    /// The stream ends: outputs before `position` are complete. If that is not all, go on there; `partitions` are those of the last,
    /// and `attempt` is the one that made it.
    End { position: u32, resume: Option<Resume>, partitions: u32, attempt: u32 },
}

/// Deletes an application's map outputs, or those of one shuffle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    pub application: String,
    pub shuffle: Option<u64>,
}

/// Encodes one of these.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Bytes> {
    Ok(postcard::to_stdvec(value).map_err(|e| Error::internal(e.to_string()))?.into())
}

/// Decodes one of these, with nothing left over.
pub(crate) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T> {
    let malformed = |why: String| Error::io(format!("a {what} cannot be understood"), why);
    if bytes.len() > MAX_TICKET_BYTES {
        return Err(malformed(format!("{} bytes", bytes.len())));
    }
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(malformed(format!("{} bytes too many", rest.len()))),
        Err(e) => Err(malformed(e.to_string())),
    }
}

/// Whether an application's name may be that of a folder.
pub(crate) fn is_application(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A message of a stream.
pub(crate) fn flight_data(tag: &Tag, header: Bytes, body: Bytes) -> Result<FlightData> {
    let app_metadata = encode(tag)?;
    Ok(FlightData { flight_descriptor: None, data_header: header, app_metadata, data_body: body })
}
