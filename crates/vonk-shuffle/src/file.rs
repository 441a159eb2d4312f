//! Files of spilled blocks: encoded batches, each readable on its own. A file is removed when it is dropped.

use crate::message::{Message, PREFIX, prefix};
use crate::private::{make_folder, new_file};
use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use std::fs::File;
use std::io::{IoSlice, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use vonk_error::{Error, Result};

/// A file that is removed when it is dropped.
pub(crate) struct BlockFile {
    path: PathBuf,
    file: File,
    end: Mutex<u64>,
}

/// Where a message is in a file, and what it must be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub offset: u64,
    pub header: u32,
    pub body: u32,
    pub rows: u32,
    pub crc: u32,
}

impl Frame {
    /// Bytes in the file.
    pub fn bytes(&self) -> u64 {
        PREFIX as u64 + u64::from(self.header) + u64::from(self.body)
    }

    /// The frame's message among bytes that were read from `start` on; `None` if they do not hold it.
    pub fn message_in(&self, bytes: &Bytes, start: u64) -> Option<Message> {
        let from = usize::try_from(self.offset.checked_sub(start)?).ok()?.checked_add(PREFIX)?;
        let middle = from.checked_add(self.header as usize)?;
        let to = middle.checked_add(self.body as usize)?;
        if to > bytes.len() {
            return None;
        }
        let (header, body) = (bytes.slice(from..middle), bytes.slice(middle..to));
        Some(Message { header, body, rows: self.rows, crc: self.crc })
    }
}

impl BlockFile {
    /// A new file in a folder, which is made if it is not there.
    pub fn create(dir: &Path, name: &str) -> Result<BlockFile> {
        let path = dir.join(name);
        let failed = |e| Error::io(format!("cannot create the spill file {}", path.display()), e);
        make_folder(dir).map_err(failed)?;
        let file = new_file(&path).map_err(failed)?;
        Ok(BlockFile { path, file, end: Mutex::new(0) })
    }

    /// How long it is.
    pub fn bytes(&self) -> u64 {
        *self.end.lock()
    }

    /// Appends a message.
    pub fn append(&self, message: &Message) -> Result<Frame> {
        let mut end = self.end.lock();
        let frame = Frame {
            offset: *end,
            header: message.header.len() as u32,
            body: message.body.len() as u32,
            rows: message.rows,
            crc: message.crc,
        };
        if let Err(e) = write_message(&mut (&self.file), message) {
            // What was written in part is written over: a disk that is full may have room later.
            let _ = (&self.file).seek(SeekFrom::Start(*end));
            return Err(Error::io(format!("cannot write the spill file {}", self.path.display()), e));
        }
        *end += frame.bytes();
        Ok(frame)
    }

    /// Reads `length` bytes.
    pub fn read_range(&self, offset: u64, length: u64) -> Result<Bytes> {
        let failed = |e| Error::io(format!("cannot read the spill file {}", self.path.display()), e);
        read_exact_at(&self.file, offset, length).map_err(failed)
    }

    /// Reads a message; `None` if it is not what was written.
    pub fn read(&self, frame: &Frame) -> Result<Option<Message>> {
        let bytes = self.read_range(frame.offset, frame.bytes())?;
        Ok(frame.message_in(&bytes, frame.offset).filter(Message::is_whole))
    }
}

impl Drop for BlockFile {
    fn drop(&mut self) {
        // Nothing to be done about a file that cannot be removed: its folder goes with the process.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Writes a message as it stands in files.
pub(crate) fn write_message(out: &mut impl Write, message: &Message) -> std::io::Result<()> {
    let prefix = prefix(message.header.len());
    let mut slices = [IoSlice::new(&prefix), IoSlice::new(&message.header), IoSlice::new(&message.body)];
    let mut slices = slices.as_mut_slice();
    while !slices.is_empty() {
        match out.write_vectored(slices) {
            Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
            Ok(n) => IoSlice::advance_slices(&mut slices, n),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Reads bytes from a place in a file.
pub(crate) fn read_exact_at(file: &File, offset: u64, length: u64) -> std::io::Result<Bytes> {
    let length = usize::try_from(length).map_err(std::io::Error::other)?;
    let mut bytes = BytesMut::zeroed(length);
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes.freeze())
}
