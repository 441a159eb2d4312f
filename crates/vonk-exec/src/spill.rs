//! Spill files: batches on disk, written once and read as often as needed.
//!
//! A file is an Arrow IPC stream compressed with LZ4, in the executor's spill folder. It is deleted with its [`SpillFile`].
//! Views are compacted on the way, so that a slice of a batch does not carry the whole batch's strings with it.

use crate::batch::compact;
use crate::context::TaskContext;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use vonk_error::{Error, Result};
use vonk_shuffle::private;

/// Bytes of a file's buffer. Small: an operator may have hundreds of files open.
const BUFFER: usize = 16 << 10;

/// The name of the next file, unique in the process; the process's number makes it unique among processes.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A path that is deleted when nobody needs it any more.
struct TempPath(PathBuf);

impl Drop for TempPath {
    fn drop(&mut self) {
        // What cannot be deleted now goes with the spill folder.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Counts the bytes that reach the disk.
struct Counted {
    file: BufWriter<File>,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        let n = self.file.write(buf)?;
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Writes a spill file.
pub struct SpillWriter {
    path: TempPath,
    writer: StreamWriter<Counted>,
    rows: u64,
}

impl SpillWriter {
    /// Begins a file of batches of this schema.
    pub fn create(cx: &TaskContext, schema: &SchemaRef) -> Result<SpillWriter> {
        Self::create_in(&cx.exec.spill_dir, schema)
    }

    fn create_in(folder: &Path, schema: &SchemaRef) -> Result<SpillWriter> {
        private::make_folder(folder).map_err(|e| failed("make the spill folder", folder, e))?;
        let name = format!("spill-{}-{}.arrow", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = folder.join(name);
        let file = private::new_file(&path).map_err(|e| failed("create the spill file", &path, e))?;
        let path = TempPath(path);
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        let file = Counted { file: BufWriter::with_capacity(BUFFER, file), bytes: 0 };
        let writer = StreamWriter::try_new_with_options(file, schema, options);
        let writer = writer.map_err(|e| failed("write the spill file", &path.0, e))?;
        Ok(SpillWriter { path, writer, rows: 0 })
    }

    /// Appends rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = compact(batch)?;
        self.writer.write(&batch).map_err(|e| failed("write the spill file", &self.path.0, e))?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Completes the file.
    pub fn finish(mut self) -> Result<SpillFile> {
        self.writer.finish().map_err(|e| failed("write the spill file", &self.path.0, e))?;
        self.writer.flush().map_err(|e| failed("write the spill file", &self.path.0, e))?;
        let bytes = self.writer.get_ref().bytes;
        Ok(SpillFile { path: Arc::new(self.path), rows: self.rows, bytes })
    }
}

/// A complete spill file. Clones share it; the last one deletes it.
#[derive(Clone)]
pub struct SpillFile {
    path: Arc<TempPath>,
    rows: u64,
    bytes: u64,
}

impl SpillFile {
    /// Rows in it.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Its size on disk.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reads it from the beginning.
    pub fn reader(&self) -> Result<SpillReader> {
        let path = &self.path.0;
        let file = File::open(path).map_err(|e| failed("open the spill file", path, e))?;
        let stream = StreamReader::try_new(BufReader::with_capacity(BUFFER, file), None);
        let stream = stream.map_err(|e| failed("read the spill file", path, e))?;
        Ok(SpillReader { stream, path: self.path.clone() })
    }
}

/// Reads a spill file. Keeps the file alive.
pub struct SpillReader {
    stream: StreamReader<BufReader<File>>,
    path: Arc<TempPath>,
}

impl SpillReader {
    /// The next batch as it was written; `None` at the end.
    pub fn next(&mut self) -> Result<Option<RecordBatch>> {
        let batch = self.stream.next().transpose();
        batch.map_err(|e| failed("read the spill file", &self.path.0, e))
    }
}

/// Batches on disk on their way from one who writes to one who reads, in order, at any pace. The file goes with it.
pub struct SpillQueue {
    writer: SpillWriter,
    reader: Option<StreamReader<BufReader<File>>>,
    waiting: usize,
}

impl SpillQueue {
    /// An empty one, in a folder that is made if it is not there.
    pub fn create(folder: &Path, schema: &SchemaRef) -> Result<SpillQueue> {
        Ok(SpillQueue { writer: SpillWriter::create_in(folder, schema)?, reader: None, waiting: 0 })
    }

    /// Appends rows.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch)?;
        // The reader sees only what has left the buffer.
        self.writer.writer.flush().map_err(|e| failed("write the spill file", &self.writer.path.0, e))?;
        self.waiting += 1;
        Ok(())
    }

    /// The oldest batch that was not taken; `None` if there is none now.
    pub fn pop(&mut self) -> Result<Option<RecordBatch>> {
        if self.waiting == 0 {
            return Ok(None);
        }
        let path = &self.writer.path.0;
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None => {
                let file = File::open(path).map_err(|e| failed("open the spill file", path, e))?;
                let stream = StreamReader::try_new(BufReader::with_capacity(BUFFER, file), None);
                self.reader.insert(stream.map_err(|e| failed("read the spill file", path, e))?)
            }
        };
        let batch = reader.next().transpose().map_err(|e| failed("read the spill file", path, e))?;
        self.waiting -= 1;
        // A whole batch was written and none is there.
        batch
            .map(Some)
            .ok_or_else(|| failed("read the spill file", path, "it is shorter than what was written"))
    }
}

fn failed(what: &str, path: &Path, cause: impl std::fmt::Display) -> Error {
    Error::io(format!("cannot {what} {}", path.display()), cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{batch_of, test_context};
    use arrow::array::{Array, AsArray, StringViewArray};

    #[test]
    fn what_is_written_is_read_and_the_file_goes() {
        let cx = test_context(None);
        let strings = StringViewArray::from_iter_values((0..10_000).map(|i| format!("a string of row {i}")));
        let batch = batch_of(vec![Arc::new(strings)]);
        let mut w = SpillWriter::create(&cx, &batch.schema()).unwrap();
        w.write(&batch.slice(17, 3)).unwrap();
        w.write(&batch.slice(9_999, 1)).unwrap();
        let file = w.finish().unwrap();
        assert_eq!(file.rows(), 4);
        assert!(file.bytes() < 4_000, "slices drag no buffers: {}", file.bytes());
        for _ in 0..2 {
            let mut r = file.reader().unwrap();
            assert_eq!(r.next().unwrap().unwrap(), batch.slice(17, 3));
            let last = r.next().unwrap().unwrap();
            assert_eq!(last.column(0).as_string_view().value(0), "a string of row 9999");
            assert_eq!(last.column(0).len(), 1);
            assert!(r.next().unwrap().is_none());
        }
        let path = file.path.0.clone();
        assert!(path.exists());
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_queue_is_read_while_it_is_written() {
        let folder = std::env::temp_dir().join(format!("vonk-exec-queue-{}", std::process::id()));
        let strings = StringViewArray::from_iter_values((0..9_000).map(|i| format!("a string of row {i}")));
        let batch = batch_of(vec![Arc::new(strings)]);
        let mut queue = SpillQueue::create(&folder, &batch.schema()).unwrap();
        let (mut pushed, mut popped) = (0, 0);
        for round in 0..30 {
            for _ in 0..(round * 7) % 5 {
                queue.push(&batch.slice(pushed, 100)).unwrap();
                pushed += 100;
            }
            for _ in 0..(round * 5) % 4 {
                let Some(read) = queue.pop().unwrap() else { break };
                assert_eq!(read, batch.slice(popped, 100));
                popped += 100;
            }
        }
        while queue.pop().unwrap().is_some() {
            popped += 100;
        }
        assert_eq!(popped, pushed);
        assert!(pushed > 3_000);
        drop(queue);
        // An empty folder: the file is gone.
        std::fs::remove_dir(&folder).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_io_error() {
        let mut cx = test_context(None);
        let exec = Arc::get_mut(&mut cx.exec).unwrap();
        exec.spill_dir = PathBuf::from("/proc/no/such/folder");
        let batch = batch_of(vec![Arc::new(StringViewArray::from(vec!["a"]))]);
        let e = SpillWriter::create(&cx, &batch.schema()).err().unwrap();
        assert!(matches!(e.kind(), vonk_error::ErrorKind::Io), "{e}");
    }
}
