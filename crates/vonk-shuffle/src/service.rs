//! A worker's shuffle service: serves the files that executors have left in `<root>/<application>/<executor>/`, whether they still run
//! or not.
//!
//! Must not know: executor processes. Everything is found by the names of files.

use crate::map_file::{Damage, MapFile, file_names, shuffle_of};
use crate::outputs::{Output, OutputKey, OutputSource};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vonk_error::{Error, Result};

/// Bytes of indexes kept; beyond this, all are forgotten and read again as needed.
const INDEX_BYTES: u64 = 64 << 20;

/// The files of all executors of a worker.
pub struct ServiceFiles {
    root: PathBuf,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    files: HashMap<OutputKey, Arc<MapFile>>,
    bytes: u64,
}

impl ServiceFiles {
    /// With the executors' folders below `root`.
    pub fn new(root: PathBuf) -> Arc<Self> {
        Arc::new(ServiceFiles { root, known: Mutex::default() })
    }

    /// The folder in which an executor keeps its map outputs.
    pub fn folder(root: &Path, application: &str, executor: u64) -> PathBuf {
        root.join(application).join(executor.to_string())
    }

    /// Removes all that an application has left here.
    pub fn release_application(&self, application: &str) -> Result<()> {
        self.release(application, None)
    }

    fn open(&self, key: &OutputKey) -> Result<MapFile, Damage> {
        MapFile::open(&Self::folder(&self.root, &key.application, key.executor), key.shuffle, key.map)
    }

    fn forget(&self, which: impl Fn(&OutputKey) -> bool) {
        let mut known = self.known.lock();
        known.files.retain(|key, _| !which(key));
        known.bytes = known.files.values().map(|f| f.index.memory_bytes()).sum();
    }
}

impl OutputSource for ServiceFiles {
    fn find(&self, key: &OutputKey) -> Result<Output, Damage> {
        let known = self.known.lock().files.get(key).cloned();
        // Its executor may have committed another in its place.
        if let Some(file) = known.filter(|f| f.is_latest()) {
            return Ok(Output::File(file));
        }
        let file = Arc::new(self.open(key)?);
        let mut known = self.known.lock();
        if known.bytes > INDEX_BYTES {
            *known = Known::default();
        }
        known.bytes += file.index.memory_bytes();
        if let Some(old) = known.files.insert(key.clone(), file.clone()) {
            known.bytes -= old.index.memory_bytes();
        }
        Ok(Output::File(file))
    }

    fn discard(&self, key: &OutputKey, found: Option<&Output>) {
        let found = match found {
            Some(Output::File(file)) => Some(file),
            _ => None,
        };
        self.forget(|known| known == key);
        match (found, self.open(key)) {
            // The executor has committed another since: that one may be good.
            (Some(old), Ok(new)) if old.index != new.index => {}
            (Some(old), _) => old.remove(),
            (None, Ok(_)) => {}
            (None, Err(Damage::Corrupt(_))) => {
                let folder = Self::folder(&self.root, &key.application, key.executor);
                let (data, index) = file_names(key.shuffle, key.map);
                // What cannot be removed stays damaged, and is found so again.
                let _ = std::fs::remove_file(folder.join(index));
                let _ = std::fs::remove_file(folder.join(data));
            }
            (None, Err(_)) => {}
        }
    }

    fn release(&self, application: &str, shuffle: Option<u64>) -> Result<()> {
        let folder = self.root.join(application);
        let failed =
            |e: std::io::Error| Error::io(format!("cannot remove map outputs in {}", folder.display()), e);
        let Some(shuffle) = shuffle else {
            self.forget(|key| &*key.application == application);
            return match std::fs::remove_dir_all(&folder) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed(e)),
                _ => Ok(()),
            };
        };
        self.forget(|key| &*key.application == application && key.shuffle == shuffle);
        let Ok(executors) = std::fs::read_dir(&folder) else { return Ok(()) };
        for executor in executors {
            let Ok(files) = std::fs::read_dir(executor.map_err(failed)?.path()) else { continue };
            for file in files {
                let file = file.map_err(failed)?;
                if file.file_name().to_str().and_then(shuffle_of) == Some(shuffle) {
                    match std::fs::remove_file(file.path()) {
                        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(e)),
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }
}
