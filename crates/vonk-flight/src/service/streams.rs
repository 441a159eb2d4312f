//! Rows on their way to a client.
//!
//! A stream holds a batch or two that the client has not taken yet; then it waits, and with it the engine. Dropped before its end (the
//! client went away, or has had enough), it cancels.

use super::Answered;
use crate::options::Compression;
use crate::results::Part;
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
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use vonk::CancelFlag;
use vonk_error::Error;

/// Batches between the engine and the encoder.
const AHEAD: usize = 2;

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
    batches: BoxStream<'static, Result<RecordBatch, FlightError>>,
) -> BoxStream<'static, Answered<FlightData>> {
    let encoder = FlightDataEncoderBuilder::new().with_schema(schema).with_options(options).build(batches);
    encoder.map(|data| data.map_err(tonic::Status::from)).boxed()
}

/// Rows that are there.
pub(super) fn of_batch(batch: RecordBatch) -> Answered<BoxStream<'static, Answered<FlightData>>> {
    let schema = batch.schema();
    Ok(encoded(schema, ipc_options(Compression::None)?, stream::iter([Ok(batch)]).boxed()))
}

/// The rows of a part, as they are made.
pub(super) fn of_part(
    part: Part,
    compression: Compression,
) -> Answered<BoxStream<'static, Answered<FlightData>>> {
    let options = ipc_options(compression)?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    let schema = part.schema.clone();
    let guard = Guard { cancel: part.query.control.cancel.clone(), ended: false };
    tokio::task::spawn_blocking(move || read(part, &sender));
    let batches = encoded(schema, options, ReceiverStream::new(receiver).boxed());
    Ok(Guarded { batches, guard }.boxed())
}

/// Reads a part to its end, or until nobody wants more.
fn read(part: Part, sender: &mpsc::Sender<Result<RecordBatch, FlightError>>) {
    let Part { query, schema, mut rows, .. } = part;
    loop {
        let next = rows.next_batch(&query.control);
        let next = next.and_then(|batch| batch.map(|b| wire::batch(&b, &schema)).transpose());
        match next {
            Ok(None) => return query.end_of_part(),
            Ok(Some(batch)) => {
                query.count(batch.num_rows());
                if sender.blocking_send(Ok(batch)).is_err() {
                    return;
                }
            }
            Err(error) => {
                query.fail(&error);
                let _ = sender.blocking_send(Err(FlightError::from(to_status(&error))));
                return;
            }
        }
    }
}

/// Cancels a statement whose rows are not read to the end.
struct Guard {
    cancel: CancelFlag,
    ended: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.ended {
            self.cancel.cancel();
        }
    }
}

struct Guarded {
    batches: BoxStream<'static, Answered<FlightData>>,
    guard: Guard,
}

impl stream::Stream for Guarded {
    type Item = Answered<FlightData>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.batches.poll_next_unpin(cx);
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            self.guard.ended = true;
        }
        next
    }
}
