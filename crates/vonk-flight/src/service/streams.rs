//! Rows on their way to a client.
//!
//! A stream asks the engine for a batch when the client has taken the one before; while it waits it holds no thread. Dropped before its
//! end (the client went away, or has had enough), it gives up its part of the rows and those that nobody has come for, and the statement
//! when no part is left.

use super::Answered;
use crate::options::Compression;
use crate::results::Part;
use crate::sessions::ClientSession;
use crate::status::to_status;
use crate::wire;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use futures::stream::{self, BoxStream, StreamExt};
use std::sync::{Arc, Weak};
use vonk_error::{Error, Result};

/// How batches are written.
fn ipc_options(compression: Compression) -> Answered<IpcWriteOptions> {
    let compression = match compression {
        Compression::None => None,
        Compression::Lz4 => Some(CompressionType::LZ4_FRAME),
        Compression::Zstd => Some(CompressionType::ZSTD),
    };
    IpcWriteOptions::default().try_with_compression(compression).map_err(|e| to_status(&Error::from(e)))
}

/// Encodes batches.
fn encoded(
    schema: SchemaRef,
    options: IpcWriteOptions,
    batches: BoxStream<'static, std::result::Result<RecordBatch, FlightError>>,
) -> BoxStream<'static, Answered<FlightData>> {
    let encoder = FlightDataEncoderBuilder::new().with_schema(schema).with_options(options).build(batches);
    encoder.map(|data| data.map_err(tonic::Status::from)).boxed()
}

/// Rows that are there.
pub(super) fn of_batch(batch: RecordBatch) -> Answered<BoxStream<'static, Answered<FlightData>>> {
    let schema = batch.schema();
    Ok(encoded(schema, ipc_options(Compression::None)?, stream::iter([Ok(batch)]).boxed()))
}

/// A part that is read. Who drops it before its end has no use for the parts either that nobody has come for yet.
struct Reading {
    part: Part,
    session: Weak<ClientSession>,
    ended: bool,
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let (false, Some(session)) = (self.ended, self.session.upgrade()) {
            session.results.give_up(&self.part.query);
        }
    }
}

/// The rows of a part, as they are made.
pub(super) fn of_part(
    part: Part,
    session: &Arc<ClientSession>,
    compression: Compression,
) -> Answered<BoxStream<'static, Answered<FlightData>>> {
    let options = ipc_options(compression)?;
    let schema = part.schema.clone();
    let reading = Reading { part, session: Arc::downgrade(session), ended: false };
    let batches = stream::unfold(Some(reading), |reading| async move {
        let mut reading = reading?;
        match next(&mut reading.part).await {
            Ok(None) => {
                reading.ended = true;
                reading.part.query.end_of_part();
                None
            }
            Ok(Some(batch)) => Some((Ok(batch), Some(reading))),
            Err(error) => {
                reading.part.query.fail(&error);
                Some((Err(FlightError::from(to_status(&error))), None))
            }
        }
    });
    Ok(encoded(schema, options, batches.boxed()))
}

/// The next batch, as clients read it.
async fn next(part: &mut Part) -> Result<Option<RecordBatch>> {
    let Some(batch) = part.rows.next(&part.query.control).await? else { return Ok(None) };
    part.query.count(batch.num_rows());
    Ok(Some(wire::batch(&batch, &part.schema)?))
}
