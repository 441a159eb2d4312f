//! The master's log: records on disk, one after the other, flushed before anybody hears of what they say.
//!
//! A record is its length and its checksum (CRC-32), four bytes each, little-endian, and its bytes. A file begins with eight bytes that
//! say what it is. What a power cut leaves at the end (a part of a record, or bytes of no record) is cut off when the log is opened: nobody
//! has acted on it. When the log has grown to several times the state that it stands for, that state is written to a new file, which
//! takes its place by a rename.
//!
//! Must not know: what records say.

use crate::files::{failed, lock_by_file, make_folder, private};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use vonk_error::{Error, Result};
use vonk_scheduler::master::Record;

const MAGIC: &[u8; 8] = b"VONKLOG1";
const NAME: &str = "master.log";
/// A log of fewer bytes is not worth being made smaller.
const SMALL: u64 = 1 << 20;
/// No record is larger; a length that is, is none.
const LARGEST: usize = 256 << 20;

/// An open log. Its folder is locked as long as it is.
pub(crate) struct Log {
    folder: PathBuf,
    file: File,
    /// Bytes of the file, and of the state when it was last written whole.
    length: u64,
    compact: u64,
    _lock: File,
}

impl Log {
    /// Opens the log in a folder, which is made if it is not there, and reads it.
    pub fn open(folder: &Path) -> Result<(Log, Vec<Record>)> {
        make_folder(folder)?;
        let lock = lock_by_file(folder)?;
        let path = folder.join(NAME);
        let options = private().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = options.map_err(|e| failed("open", &path, e))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|e| failed("read", &path, e))?;
        let (records, good) = parse(&bytes).map_err(|cause| failed("read", &path, cause))?;
        if good < bytes.len() {
            let lost = bytes.len() - good;
            tracing::warn!(path = %path.display(), lost, "the log ends in bytes that are no record: they are cut off");
        }
        let mut log =
            Log { folder: folder.to_path_buf(), file, length: good as u64, compact: 0, _lock: lock };
        log.repair().map_err(|e| failed("write", &path, e))?;
        Ok((log, records))
    }

    /// Makes the file end after its last good record.
    fn repair(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::Start(0))?;
        if self.length == 0 {
            self.file.write_all(MAGIC)?;
            self.length = MAGIC.len() as u64;
        }
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.sync_all()
    }

    /// Appends records. When this returns they are on the disk. An error leaves the log unusable: the master must not go on.
    pub fn append(&mut self, records: &[Record]) -> Result<()> {
        let path = self.folder.join(NAME);
        let mut bytes = Vec::new();
        for record in records {
            frame(record, &mut bytes)?;
        }
        let written = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
        written.map_err(|e| failed("write", &path, e))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Whether the log is worth being replaced by a snapshot.
    pub fn is_long(&self) -> bool {
        self.length > SMALL.max(self.compact.saturating_mul(4))
    }

    /// Replaces all records by those of the present state.
    pub fn replace(&mut self, snapshot: &[Record]) -> Result<()> {
        let (path, new) = (self.folder.join(NAME), self.folder.join(format!("{NAME}.new")));
        let mut bytes = MAGIC.to_vec();
        for record in snapshot {
            frame(record, &mut bytes)?;
        }
        let write = || -> std::io::Result<File> {
            let mut file = private().write(true).create(true).truncate(true).open(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&new, &path)?;
            // The rename is on the disk once the folder is.
            File::open(&self.folder)?.sync_all()?;
            Ok(file)
        };
        self.file = write().map_err(|e| failed("write", &new, e))?;
        (self.length, self.compact) = (bytes.len() as u64, bytes.len() as u64);
        Ok(())
    }
}

fn frame(record: &Record, out: &mut Vec<u8>) -> Result<()> {
    let bytes = postcard::to_stdvec(record).map_err(|e| Error::internal(e.to_string()))?;
    let length = u32::try_from(bytes.len()).map_err(|e| Error::internal(e.to_string()))?;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    out.extend_from_slice(&bytes);
    Ok(())
}

/// The records of a file, and where the last good one ends.
fn parse(bytes: &[u8]) -> std::result::Result<(Vec<Record>, usize), String> {
    let mut records = Vec::new();
    if bytes.len() < MAGIC.len() {
        // A file that was being made.
        return if MAGIC.starts_with(bytes) {
            Ok((records, 0))
        } else {
            Err("it is not a master's log".into())
        };
    }
    if !bytes.starts_with(MAGIC) {
        return Err("it is not a master's log".to_string());
    }
    let mut at = MAGIC.len();
    while let Some((bytes, next)) = good_frame(bytes, at) {
        // Whole, and yet not understood: written by another version. Going on without it would be going on without its facts.
        let record = postcard::from_bytes(bytes);
        records.push(record.map_err(|e| format!("a record at byte {at} is of another version: {e}"))?);
        at = next;
    }
    Ok((records, at))
}

/// The bytes of the record at `at` and where the next one begins, if there is a whole one.
fn good_frame(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (length, sum) = (word(at)? as usize, word(at + 4)?);
    if length > LARGEST {
        return None;
    }
    let record = bytes.get(at + 8..at + 8 + length)?;
    (crc32fast::hash(record) == sum).then_some((record, at + 8 + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vonk_scheduler::master::WorkerId;

    fn record(n: usize) -> Record {
        Record::WorkerGone { worker: WorkerId::from(format!("worker-{n}").as_str()) }
    }

    fn read(folder: &Path) -> Vec<Record> {
        Log::open(folder).unwrap().1
    }

    #[test]
    fn what_was_appended_is_read_again_wherever_the_file_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, none) = Log::open(folder.path()).unwrap();
        assert!(none.is_empty());
        let all: Vec<Record> = (0..3).map(record).collect();
        log.append(&all[..2]).unwrap();
        log.append(&all[2..]).unwrap();
        drop(log);
        let whole = std::fs::read(folder.path().join(NAME)).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(folder.path().join(NAME), &whole[..cut]).unwrap();
            let records = read(folder.path());
            assert_eq!(records, all[..records.len()], "cut at {cut}");
            assert_eq!(records.len() == 3, cut == whole.len());
            // What is appended then follows the last good record.
            let (mut log, _) = Log::open(folder.path()).unwrap();
            log.append(&[record(9)]).unwrap();
            drop(log);
            assert_eq!(read(folder.path()).last(), Some(&record(9)));
        }
    }

    #[test]
    fn a_flipped_bit_ends_the_log_there_and_another_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, _) = Log::open(folder.path()).unwrap();
        log.append(&[record(0), record(1)]).unwrap();
        drop(log);
        let path = folder.path().join(NAME);
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(read(folder.path()), [record(0)]);
        std::fs::write(&path, b"something else entirely").unwrap();
        assert_eq!(Log::open(folder.path()).err().unwrap().condition(), "_IO_ERROR");
    }

    #[test]
    fn a_snapshot_takes_the_place_of_all_and_the_folder_has_one_user() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, _) = Log::open(folder.path()).unwrap();
        log.append(&(0..100).map(record).collect::<Vec<_>>()).unwrap();
        log.replace(&[record(7)]).unwrap();
        log.append(&[record(8)]).unwrap();
        assert!(Log::open(folder.path()).err().unwrap().to_string().contains("another process uses it"));
        drop(log);
        assert_eq!(read(folder.path()), [record(7), record(8)]);
    }
}
