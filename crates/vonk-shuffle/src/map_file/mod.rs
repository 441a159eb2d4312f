//! Map outputs as files: `shuffle-<S>-<map>.data`, sorted by reduce partition, and `shuffle-<S>-<map>.index`.
//!
//! The data file is an Arrow IPC stream without its end mark: the schema once, then the batches of partition 0, of partition 1 and
//! so on. The index tells for every partition which messages are its own, and for every message where it ends, its rows and its
//! checksum. Both are written under other names and renamed, the index last: what has an index is whole.
//!
//! The files outlive the executor that wrote them; a worker's shuffle service reads them without knowing it.
//!
//! Must not know: who asks for blocks, or how they get there.

mod index;
mod writer;

pub(crate) use index::MapIndex;
pub(crate) use writer::{Finished, Held, PartsWriter};

use crate::file::read_exact_at;
use crate::message::{Message, PREFIX, decode_schema};
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parking_lot::Mutex;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use vonk_error::{Error, Result};

/// What went wrong with a stored output.
#[derive(Debug)]
pub(crate) enum Damage {
    /// A file is not there.
    Gone,
    /// Bytes are not what was written.
    Corrupt(String),
    /// It cannot be read now; later, perhaps.
    Unreadable(String),
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Damage::Gone => f.write_str("the map output is not here"),
            Damage::Corrupt(what) => write!(f, "the map output is corrupt: {what}"),
            Damage::Unreadable(e) => write!(f, "the map output cannot be read: {e}"),
        }
    }
}

impl From<std::io::Error> for Damage {
    fn from(e: std::io::Error) -> Self {
        match e.kind() {
            std::io::ErrorKind::NotFound => Damage::Gone,
            std::io::ErrorKind::UnexpectedEof => Damage::Corrupt("the file is shorter than it was".into()),
            // What this process lacks right now (open files, memory) is no damage.
            _ if matches!(
                e.raw_os_error(),
                Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::EINTR)
            ) =>
            {
                Damage::Unreadable(e.to_string())
            }
            _ => Damage::Corrupt(e.to_string()),
        }
    }
}

/// Names of the files of a map output.
pub(crate) fn file_names(shuffle: u64, map: u32) -> (String, String) {
    (format!("shuffle-{shuffle}-{map}.data"), format!("shuffle-{shuffle}-{map}.index"))
}

/// The shuffle that a file belongs to, by its name.
pub(crate) fn shuffle_of(file: &str) -> Option<u64> {
    file.strip_prefix("shuffle-")?.split_once('-')?.0.parse().ok()
}

/// A committed map output.
pub(crate) struct MapFile {
    data: PathBuf,
    index_path: PathBuf,
    pub index: MapIndex,
    /// When the index was written, if that was asked for.
    written: Option<SystemTime>,
    /// Header of the schema's message and the schema, once read.
    schema: Mutex<Option<(Bytes, SchemaRef)>>,
}

impl MapFile {
    /// An output whose files are at these places.
    pub fn new(data: PathBuf, index_path: PathBuf, index: MapIndex) -> Self {
        MapFile { data, index_path, index, written: None, schema: Mutex::new(None) }
    }

    /// An output that some process committed to this folder.
    pub fn open(dir: &Path, shuffle: u64, map: u32) -> Result<MapFile, Damage> {
        let (data, index) = file_names(shuffle, map);
        let (data, index_path) = (dir.join(data), dir.join(index));
        // Before it is read: a later one is then noticed.
        let written = std::fs::metadata(&index_path)?.modified().ok();
        let index = MapIndex::decode(&std::fs::read(&index_path)?)?;
        let length = std::fs::metadata(&data)?.len();
        if length != index.data_bytes() {
            return Err(Damage::Corrupt(format!("{length} bytes instead of {}", index.data_bytes())));
        }
        Ok(MapFile { written, ..MapFile::new(data, index_path, index) })
    }

    /// Whether the index that was opened is still the one in the folder.
    pub fn is_latest(&self) -> bool {
        std::fs::metadata(&self.index_path).is_ok_and(|m| m.modified().ok() == self.written)
    }

    /// Whether the files are there and as long as they were: not whether each byte is right.
    pub fn is_there(&self) -> bool {
        self.index_path.exists()
            && std::fs::metadata(&self.data).is_ok_and(|m| m.len() == self.index.data_bytes())
    }

    /// Removes the files.
    pub fn remove(&self) {
        // The index first: what has an index is whole. What is gone already is as good as removed.
        let _ = std::fs::remove_file(&self.index_path);
        let _ = std::fs::remove_file(&self.data);
    }

    /// The schema's message and the schema.
    pub fn schema(&self) -> Result<(Bytes, SchemaRef), Damage> {
        if let Some(known) = &*self.schema.lock() {
            return Ok(known.clone());
        }
        let bytes = read_exact_at(&File::open(&self.data)?, 0, u64::from(self.index.schema_bytes))?;
        let known = schema_of(&bytes, self.index.schema_crc)?;
        Ok(self.schema.lock().insert(known).clone())
    }

    /// Messages of a reduce partition from the `from`th on: at least one, and more while they take no more than `max_bytes`
    /// together. Each is checked.
    pub fn read(&self, reduce: u32, from: u32, max_bytes: u64) -> Result<Vec<Message>, Damage> {
        let frames = self.index.frames(reduce, from, max_bytes);
        let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return Ok(vec![]) };
        let end = last.offset + last.bytes();
        let bytes = read_exact_at(&File::open(&self.data)?, first.offset, end - first.offset)?;
        self.index.messages(&frames, &bytes)
    }
}

/// The schema from its stored message.
pub(crate) fn schema_of(bytes: &Bytes, crc: u32) -> Result<(Bytes, SchemaRef), Damage> {
    let corrupt = || Damage::Corrupt("its schema".into());
    if bytes.len() < PREFIX || crc32fast::hash(&bytes[PREFIX..]) != crc {
        return Err(corrupt());
    }
    let header = bytes.slice(PREFIX..);
    let schema = decode_schema(&header).map_err(|_| corrupt())?;
    Ok((header, schema))
}

/// The error of a file that cannot be written.
pub(crate) fn cannot_write(path: &Path, e: std::io::Error) -> Error {
    Error::io(format!("cannot write the shuffle file {}", path.display()), e)
}
