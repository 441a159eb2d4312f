//! Batches of results as bytes: an Arrow IPC stream of one batch each.

use crate::remote::protocol::Frame;
use arrow::array::RecordBatch;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use vonk_error::{Error, Result};
use vonk_shuffle::{batch_bytes, compact};

/// Batches below this many bytes are not worth compressing.
const COMPRESS_FROM: u64 = 16 << 10;

/// A batch as frames of at most so many bytes.
pub(crate) fn encode_within(batch: &RecordBatch, limit: usize, out: &mut Vec<Frame>) -> Result<()> {
    let (rows, frame) = (batch.num_rows(), encode(batch)?);
    if frame.0.len() <= limit {
        out.push(frame);
        return Ok(());
    }
    if rows < 2 {
        let (bytes, limit) = (frame.0.len().to_string(), limit.to_string());
        return Err(Error::new("_ROW_TOO_LARGE").with("bytes", bytes).with("limit", limit));
    }
    drop(frame);
    encode_within(&batch.slice(0, rows / 2), limit, out)?;
    encode_within(&batch.slice(rows / 2, rows - rows / 2), limit, out)
}

/// A batch as a frame.
fn encode(batch: &RecordBatch) -> Result<Frame> {
    // A view of one row may drag a whole page along.
    let batch = compact(batch)?;
    let compression = (batch_bytes(&batch) >= COMPRESS_FROM).then_some(CompressionType::LZ4_FRAME);
    let options = IpcWriteOptions::default().try_with_compression(compression)?;
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new_with_options(&mut bytes, &batch.schema(), options)?;
    writer.write(&batch)?;
    writer.finish()?;
    drop(writer);
    Ok(Frame(bytes))
}

/// The batch of a frame.
pub(crate) fn decode(frame: &Frame) -> Result<RecordBatch> {
    let mut reader = StreamReader::try_new(frame.0.as_slice(), None)?;
    Ok(reader.next().ok_or_else(|| Error::internal("a frame without a batch"))??)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, RecordBatchOptions, StringViewArray};
    use arrow::datatypes::Schema;
    use std::sync::Arc;

    #[test]
    fn batches_survive_and_garbage_is_an_error() {
        let text: ArrayRef =
            Arc::new(StringViewArray::from_iter_values((0..5000).map(|i| format!("row number {i}"))));
        let batch = RecordBatch::try_from_iter([("a", text)]).unwrap();
        assert_eq!(decode(&encode(&batch).unwrap()).unwrap(), batch);
        let slice = batch.slice(17, 3);
        let frame = encode(&slice).unwrap();
        assert!(frame.0.len() < 1024);
        assert_eq!(decode(&frame).unwrap(), slice);
        let options = RecordBatchOptions::new().with_row_count(Some(7));
        let bare = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
        assert_eq!(decode(&encode(&bare).unwrap()).unwrap().num_rows(), 7);
        let mut frames = vec![];
        encode_within(&batch, 20_000, &mut frames).unwrap();
        assert!(frames.len() > 1 && frames.iter().all(|f| f.0.len() <= 20_000));
        let parts: Vec<RecordBatch> = frames.iter().map(|f| decode(f).unwrap()).collect();
        assert_eq!(arrow::compute::concat_batches(&batch.schema(), &parts).unwrap(), batch);
        let error = encode_within(&batch.slice(0, 1), 10, &mut frames).unwrap_err();
        assert_eq!(error.condition(), "_ROW_TOO_LARGE");
        assert!(decode(&Frame(vec![1, 2, 3])).is_err());
        assert!(decode(&Frame(vec![])).is_err());
    }
}
