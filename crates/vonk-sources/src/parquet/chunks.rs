//! Positioned reads of a local file for the Parquet decoder.
//!
//! Not a memory map: a file that is truncated while it is mapped kills the process.

use bytes::Bytes;
use parquet::errors::Result as ParquetResult;
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A file read by position, without a shared cursor; counts the bytes it reads.
#[derive(Clone)]
pub(crate) struct FileChunks {
    file: Arc<File>,
    size: u64,
    read: Arc<AtomicU64>,
}

impl FileChunks {
    pub fn new(file: File, size: u64) -> Self {
        FileChunks { file: Arc::new(file), size, read: Arc::new(AtomicU64::new(0)) }
    }

    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

/// Sequential reads ahead of the decoder.
const READ_AHEAD: usize = 1 << 20;

/// A cursor with its own buffer.
pub(crate) struct Cursor {
    chunks: FileChunks,
    position: u64,
    buffer: Vec<u8>,
    consumed: usize,
}

impl Read for Cursor {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.consumed == self.buffer.len() {
            let left = self.chunks.size.saturating_sub(self.position);
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(READ_AHEAD);
            self.buffer.resize(take, 0);
            self.chunks.file.read_exact_at(&mut self.buffer, self.position)?;
            self.chunks.read.fetch_add(take as u64, Ordering::Relaxed);
            self.position += take as u64;
            self.consumed = 0;
        }
        let n = out.len().min(self.buffer.len() - self.consumed);
        out[..n].copy_from_slice(&self.buffer[self.consumed..self.consumed + n]);
        self.consumed += n;
        Ok(n)
    }
}

impl Length for FileChunks {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for FileChunks {
    type T = Cursor;

    fn get_read(&self, start: u64) -> ParquetResult<Cursor> {
        Ok(Cursor { chunks: self.clone(), position: start, buffer: Vec::new(), consumed: 0 })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        // A corrupt footer may ask for more than there is: refused before memory is.
        if start.checked_add(length as u64).is_none_or(|end| end > self.size) {
            return Err(parquet::errors::ParquetError::EOF(format!(
                "{length} bytes at {start} of a file of {} bytes",
                self.size
            )));
        }
        let mut buffer = vec![0; length];
        self.file.read_exact_at(&mut buffer, start)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(buffer.into())
    }
}
