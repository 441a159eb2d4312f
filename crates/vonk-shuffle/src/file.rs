//! Files of blocks: frames of LZ4-compressed Arrow IPC, each readable on its own.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::DataType as ArrowType;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use parking_lot::Mutex;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vonk_error::{Error, Result};

/// A file that is removed when it is dropped.
pub struct BlockFile {
    path: PathBuf,
    file: File,
    end: Mutex<u64>,
}

impl BlockFile {
    /// A new file in a folder, which is made if it is not there.
    pub fn create(dir: &Path, name: &str) -> Result<BlockFile> {
        let path = dir.join(name);
        let failed = |e| Error::io(format!("cannot create the spill file {}", path.display()), e);
        std::fs::create_dir_all(dir).map_err(failed)?;
        let file = File::options().create_new(true).read(true).write(true).open(&path).map_err(failed)?;
        Ok(BlockFile { path, file, end: Mutex::new(0) })
    }

    /// Appends a batch; its place as offset and length.
    pub fn append(&self, batch: &RecordBatch) -> Result<(u64, u64)> {
        let bytes = encode(batch)?;
        let mut end = self.end.lock();
        let start = *end;
        (&self.file)
            .write_all(&bytes)
            .map_err(|e| Error::io(format!("cannot write the spill file {}", self.path.display()), e))?;
        *end += bytes.len() as u64;
        Ok((start, bytes.len() as u64))
    }

    /// Reads the batch at a place given by [`append`](Self::append).
    pub fn read(&self, (start, length): (u64, u64)) -> Result<RecordBatch> {
        let failed =
            |e: std::io::Error| Error::io(format!("cannot read the spill file {}", self.path.display()), e);
        let length = usize::try_from(length).map_err(|e| Error::internal(e.to_string()))?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start).map_err(failed)?;
        let mut reader = StreamReader::try_new(bytes.as_slice(), None)?;
        Ok(reader.next().ok_or_else(|| Error::internal("a block without a batch"))??)
    }
}

impl Drop for BlockFile {
    fn drop(&mut self) {
        // Nothing to be done about a file that cannot be removed: its folder goes with the process.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn encode(batch: &RecordBatch) -> Result<Vec<u8>> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    let batch = compact(batch)?;
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new_with_options(&mut bytes, &batch.schema(), options)?;
    writer.write(&batch)?;
    writer.finish()?;
    drop(writer);
    Ok(bytes)
}

/// The batch with views that point into buffers of their own: a view of one row may otherwise drag a whole page along.
pub fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(compact_array).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns, &options)?)
}

fn compact_array(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        ArrowType::Utf8View => Arc::new(array.as_string_view().gc()),
        ArrowType::BinaryView => Arc::new(array.as_binary_view().gc()),
        _ => array.clone(),
    }
}
