//! The map outputs of one executor as files in its folder.
//!
//! Invariants: of the commits of a map output the latest attempt's counts; dropping the store leaves the
//! files, which a worker's shuffle service goes on to serve; releasing a shuffle removes them.

use crate::blocks::{BlockMemory, MapOutputSizes, MapWriter, SpillableBlocks};
use crate::map_file::{Finished, Held, MapFile, PartsWriter};
use crate::message::Compression;
use arrow::array::RecordBatch;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use vonk_error::{Error, Result};

/// Files removed before others may change those of the shuffle.
const REMOVED_AT_ONCE: usize = 32;

/// The store.
pub(crate) struct FileBlocks {
    memory: Arc<dyn BlockMemory>,
    dir: PathBuf,
    compression: Compression,
    shuffles: Mutex<HashMap<u64, Arc<Shuffle>>>,
    /// Outputs that are being written: they give their memory back when others need it.
    writing: Mutex<Vec<Weak<Mutex<Held>>>>,
}

/// One shuffle's outputs. Who holds `work` may take `maps` or the store's lock, not the other way round; these are held
/// for a moment only: who serves blocks does not wait for files to be renamed or removed.
#[derive(Default)]
struct Shuffle {
    /// What is served.
    maps: Mutex<BTreeMap<u32, Arc<MapFile>>>,
    /// Held by who changes files.
    work: Mutex<Work>,
}

#[derive(Default)]
struct Work {
    /// Outputs of attempts before this one are not taken.
    from_attempt: u32,
    /// Forgotten outputs whose files are there.
    doomed: BTreeMap<u32, Arc<MapFile>>,
    /// It is not the store's any more: whoever comes late looks it up again.
    over: bool,
}

impl FileBlocks {
    /// In a folder, which is made when first needed.
    pub fn new(memory: Arc<dyn BlockMemory>, dir: PathBuf, compression: Compression) -> Self {
        FileBlocks { memory, dir, compression, shuffles: Mutex::default(), writing: Mutex::default() }
    }

    /// A writer of encoded batches, spilled by this store.
    pub fn parts(&self, partitions: u32) -> PartsWriter {
        let parts = PartsWriter::new(self.memory.clone(), self.dir.clone(), partitions, self.compression);
        let mut writing = self.writing.lock();
        writing.retain(|w| w.strong_count() > 0);
        writing.push(Arc::downgrade(parts.held()));
        parts
    }

    /// A writer that commits to this store.
    pub fn writer(
        self: &Arc<Self>,
        shuffle: u64,
        map: u32,
        attempt: u32,
        partitions: u32,
    ) -> Box<dyn MapWriter> {
        Box::new(FileWriter { parts: self.parts(partitions), blocks: self.clone(), shuffle, map, attempt })
    }

    /// Makes an output visible, if it is the first of its map partition.
    pub fn commit(&self, shuffle: u64, map: u32, finished: Finished) -> Result<MapOutputSizes> {
        self.work(shuffle, |shuffle_of, work| {
            if finished.index.attempt < work.from_attempt {
                return Err(Error::cancelled());
            }
            let known = shuffle_of.maps.lock().get(&map).cloned();
            // The latest attempt counts: where an earlier one is still here, the driver has given it up.
            if known.is_some_and(|known| known.index.attempt >= finished.index.attempt && known.is_there()) {
                return Ok(finished.sizes.clone());
            }
            // Files of the same names that were about to be removed.
            if let Some(doomed) = work.doomed.remove(&map) {
                doomed.remove();
            }
            let (file, sizes) = finished.publish(&self.dir, shuffle, map)?;
            shuffle_of.maps.lock().insert(map, Arc::new(file));
            Ok(sizes)
        })
    }

    /// Removes the outputs of attempts before `attempt`, and takes none of them from now on.
    pub fn roll_back(&self, shuffle: u64, attempt: u32) {
        self.work(shuffle, |shuffle, work| {
            work.from_attempt = attempt.max(work.from_attempt);
            let old = |_: &u32, file: &mut Arc<MapFile>| file.index.attempt < attempt;
            let gone: Vec<_> = shuffle.maps.lock().extract_if(.., old).collect();
            gone.iter().for_each(|(_, file)| file.remove());
        });
    }

    /// The first attempt of a shuffle whose outputs are taken.
    pub fn from_attempt(&self, shuffle: u64) -> u32 {
        self.known(shuffle).map_or(0, |s| s.work.lock().from_attempt)
    }

    /// A committed output.
    pub fn find(&self, shuffle: u64, map: u32) -> Option<Arc<MapFile>> {
        self.known(shuffle)?.maps.lock().get(&map).cloned()
    }

    /// The committed outputs: shuffle and map.
    pub fn outputs(&self) -> Vec<(u64, u32)> {
        let shuffles: Vec<_> =
            self.shuffles.lock().iter().map(|(s, shuffle)| (*s, shuffle.clone())).collect();
        let maps = |(s, shuffle): (u64, Arc<Shuffle>)| {
            shuffle.maps.lock().keys().map(|m| (s, *m)).collect::<Vec<_>>()
        };
        shuffles.into_iter().flat_map(maps).collect()
    }

    /// Forgets an output and removes its files; whether it was there.
    pub fn lose(&self, shuffle: u64, map: u32) -> bool {
        let Some(shuffle) = self.known(shuffle) else { return false };
        // Another attempt may be about to put its files at the same names.
        let _work = shuffle.work.lock();
        let found = shuffle.maps.lock().remove(&map);
        found.inspect(|f| f.remove()).is_some()
    }

    /// Forgets a shuffle. Its files are still there: [`remove_files`](Self::remove_files) takes a while.
    pub fn forget(&self, shuffle: u64) {
        let Some(shuffle) = self.known(shuffle) else { return };
        let mut work = shuffle.work.lock();
        work.from_attempt = 0;
        work.doomed.append(&mut shuffle.maps.lock());
    }

    /// Removes the files of a shuffle that was forgotten.
    pub fn remove_files(&self, shuffle: u64) {
        let Some(forgotten) = self.known(shuffle) else { return };
        loop {
            // A few at a time: who commits an output of the shuffle that is made again waits here.
            let mut work = forgotten.work.lock();
            for _ in 0..REMOVED_AT_ONCE {
                if let Some((_, file)) = work.doomed.pop_first() {
                    file.remove();
                    continue;
                }
                if !work.over && work.from_attempt == 0 && forgotten.maps.lock().is_empty() {
                    work.over = true;
                    self.shuffles.lock().remove(&shuffle);
                }
                return;
            }
        }
    }

    fn known(&self, shuffle: u64) -> Option<Arc<Shuffle>> {
        self.shuffles.lock().get(&shuffle).cloned()
    }

    /// Changes the files of a shuffle, alone.
    fn work<T>(&self, shuffle: u64, change: impl FnOnce(&Shuffle, &mut Work) -> T) -> T {
        loop {
            let known = self.shuffles.lock().entry(shuffle).or_default().clone();
            let mut work = known.work.lock();
            if !work.over {
                return change(&known, &mut work);
            }
        }
    }
}

impl SpillableBlocks for FileBlocks {
    fn spill(&self, bytes: u64) -> Result<u64> {
        let writing: Vec<_> = self.writing.lock().iter().filter_map(Weak::upgrade).collect();
        let mut freed = 0;
        for held in writing {
            if freed >= bytes {
                break;
            }
            // One that is being added to or committed right now is passed over: its own thread may be asking for memory here.
            if let Some(mut held) = held.try_lock() {
                freed += held.spill()?;
            }
        }
        Ok(freed)
    }
}

struct FileWriter {
    parts: PartsWriter,
    blocks: Arc<FileBlocks>,
    shuffle: u64,
    map: u32,
    attempt: u32,
}

impl MapWriter for FileWriter {
    fn push(&mut self, reduce: u32, batch: RecordBatch) -> Result<()> {
        self.parts.push(reduce, &batch)
    }

    fn commit(self: Box<Self>) -> Result<MapOutputSizes> {
        let finished = self.parts.finish(self.attempt)?;
        self.blocks.commit(self.shuffle, self.map, finished)
    }
}
