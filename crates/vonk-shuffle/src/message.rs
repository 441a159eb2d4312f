//! Batches as bytes: Arrow IPC messages, as they lie in files and travel over Flight, with a checksum each.
//!
//! One message is a header (metadata as a flatbuffer, padded) and a body (the buffers, perhaps compressed). In files it stands
//! encapsulated as the IPC format wants it: a marker, the header's length, the header, the body. The checksum covers header and
//! body and is kept apart from them, so that a block is known to be whole before any of it is decoded.
//!
//! Must not know: where blocks are kept, or how they travel.

use crate::compact::compact;
use crate::sizes::batch_bytes;
use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::RecordBatchDecoder;
use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions};
use arrow::ipc::{CompressionType, MessageHeader, MetadataVersion, root_as_message};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;
use vonk_error::{Error, Result};

/// Marker and header length before a message in a file.
pub(crate) const PREFIX: usize = 8;
/// Batches smaller than this are not compressed: a compressor's set-up costs more than their bytes.
const WORTH_COMPRESSING: u64 = 4 << 10;

/// How blocks are compressed (`spark.io.compression.codec`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// LZ4 frames: quick.
    #[default]
    Lz4,
    /// Zstandard: small.
    Zstd,
}

impl Compression {
    fn arrow(self) -> CompressionType {
        match self {
            Compression::Lz4 => CompressionType::LZ4_FRAME,
            Compression::Zstd => CompressionType::ZSTD,
        }
    }
}

impl std::str::FromStr for Compression {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "lz4" => Ok(Compression::Lz4),
            "zstd" => Ok(Compression::Zstd),
            other => Err(Error::unsupported(format!("the codec {other} for shuffle blocks"))),
        }
    }
}

/// A batch, encoded.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Metadata; its length is a multiple of eight.
    pub header: Bytes,
    /// Buffers.
    pub body: Bytes,
    /// Rows.
    pub rows: u32,
    /// Of header and body.
    pub crc: u32,
}

impl Message {
    /// Bytes in a file.
    pub fn stored_bytes(&self) -> u64 {
        (PREFIX + self.header.len() + self.body.len()) as u64
    }

    /// Whether it is as it was written.
    pub fn is_whole(&self) -> bool {
        checksum(&self.header, &self.body) == self.crc
    }
}

pub(crate) fn checksum(header: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(body);
    hasher.finalize()
}

/// What stands before a header of this length in a file.
pub(crate) fn prefix(header: usize) -> [u8; PREFIX] {
    let mut bytes = [0xff; PREFIX];
    bytes[4..].copy_from_slice(&(header as u32).to_le_bytes());
    bytes
}

/// Encodes the batches of a writer; keeps the compressor between them.
pub(crate) struct Encoder {
    compression: Option<Compression>,
    /// Smallest batch that is compressed, in bytes.
    from_bytes: u64,
    context: IpcWriteContext,
}

impl Encoder {
    /// Compresses all but tiny batches.
    pub fn new(compression: Compression) -> Self {
        Encoder {
            compression: Some(compression),
            from_bytes: WORTH_COMPRESSING,
            context: IpcWriteContext::default(),
        }
    }

    /// Compresses batches of at least `from_bytes` bytes; `None`: none.
    pub fn above(compression: Option<Compression>, from_bytes: u64) -> Self {
        Encoder { compression, from_bytes, context: IpcWriteContext::default() }
    }

    /// Encodes a batch.
    pub fn encode(&mut self, batch: &RecordBatch) -> Result<Message> {
        let batch = compact(batch)?;
        let worth_it = batch_bytes(&batch) >= self.from_bytes;
        let options =
            options()?.try_with_compression(self.compression.filter(|_| worth_it).map(Compression::arrow))?;
        let mut dictionaries = DictionaryTracker::new(true);
        let generator = IpcDataGenerator::default();
        let (extra, encoded) = generator.encode(&batch, &mut dictionaries, &options, &mut self.context)?;
        if !extra.is_empty() {
            return vonk_error::internal_err!("a shuffle block has dictionaries: {}", batch.schema());
        }
        if encoded.arrow_data.len() > u32::MAX as usize {
            return vonk_error::internal_err!(
                "a batch of {} bytes cannot be shuffled",
                encoded.arrow_data.len()
            );
        }
        let mut body = encoded.arrow_data;
        if body.capacity() > body.len() / 4 * 5 {
            body.shrink_to_fit(); // It is held as long as its length counts for, not its capacity.
        }
        let (header, body) = (padded(encoded.ipc_message), Bytes::from(body));
        let crc = checksum(&header, &body);
        let rows = u32::try_from(batch.num_rows()).map_err(|e| Error::internal(e.to_string()))?;
        Ok(Message { header, body, rows, crc })
    }
}

fn options() -> Result<IpcWriteOptions> {
    Ok(IpcWriteOptions::try_new(64, false, MetadataVersion::V5)?)
}

fn padded(mut header: Vec<u8>) -> Bytes {
    header.resize(header.len().next_multiple_of(8), 0);
    header.into()
}

/// The header of the message that tells the schema of those after it; it has no body.
pub(crate) fn encode_schema(schema: &Schema) -> Result<Bytes> {
    let mut dictionaries = DictionaryTracker::new(true);
    let generator = IpcDataGenerator::default();
    let encoded = generator.schema_to_bytes_with_dictionary_tracker(schema, &mut dictionaries, &options()?);
    Ok(padded(encoded.ipc_message))
}

/// The schema that [`encode_schema`] was given.
pub(crate) fn decode_schema(header: &[u8]) -> Result<SchemaRef> {
    let message = root_as_message(header).map_err(malformed)?;
    let schema = message.header_as_schema().ok_or_else(|| malformed("no schema"))?;
    Ok(Arc::new(fb_to_schema(schema)))
}

/// The batch that [`Encoder::encode`] was given. The caller has checked that the message is whole.
pub(crate) fn decode(schema: &SchemaRef, header: &[u8], body: Bytes) -> Result<RecordBatch> {
    let message = root_as_message(header).map_err(malformed)?;
    if message.header_type() != MessageHeader::RecordBatch || message.bodyLength() != body.len() as i64 {
        return Err(malformed("no batch"));
    }
    let batch = message.header_as_record_batch().ok_or_else(|| malformed("no batch"))?;
    let (body, none) = (Buffer::from(body), HashMap::new());
    let version = message.version();
    let decoder = RecordBatchDecoder::try_new(&body, batch, schema.clone(), &none, &version)?;
    Ok(decoder.read_record_batch()?)
}

fn malformed(cause: impl std::fmt::Display) -> Error {
    Error::internal(format!("a shuffle message is malformed: {cause}"))
}
