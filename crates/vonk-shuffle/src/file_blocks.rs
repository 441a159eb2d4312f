//! The map outputs of one executor as files in its folder.
//!
//! Invariants: the first commit of a map output wins, unless its files are gone or damaged since; dropping the store leaves the
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

/// The store.
pub(crate) struct FileBlocks {
    memory: Arc<dyn BlockMemory>,
    dir: PathBuf,
    compression: Compression,
    outputs: Mutex<HashMap<u64, Shuffle>>,
    /// Outputs that are being written: they give their memory back when others need it.
    writing: Mutex<Vec<Weak<Mutex<Held>>>>,
}

#[derive(Default)]
struct Shuffle {
    maps: BTreeMap<u32, Arc<MapFile>>,
    /// Outputs of attempts before this one are not taken.
    from_attempt: u32,
}

impl FileBlocks {
    /// In a folder, which is made when first needed.
    pub fn new(memory: Arc<dyn BlockMemory>, dir: PathBuf, compression: Compression) -> Self {
        FileBlocks { memory, dir, compression, outputs: Mutex::default(), writing: Mutex::default() }
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
        let mut outputs = self.outputs.lock();
        let Shuffle { maps, from_attempt } = outputs.entry(shuffle).or_default();
        if finished.index.attempt < *from_attempt {
            return Err(Error::cancelled());
        }
        if maps.get(&map).is_some_and(|known| known.is_there()) {
            return Ok(finished.sizes.clone());
        }
        let (file, sizes) = finished.publish(&self.dir, shuffle, map)?;
        maps.insert(map, Arc::new(file));
        Ok(sizes)
    }

    /// Removes the outputs of attempts before `attempt`, and takes none of them from now on.
    pub fn roll_back(&self, shuffle: u64, attempt: u32) {
        let mut outputs = self.outputs.lock();
        let Shuffle { maps, from_attempt } = outputs.entry(shuffle).or_default();
        *from_attempt = attempt.max(*from_attempt);
        maps.retain(|_, file| {
            let stays = file.index.attempt >= attempt;
            if !stays {
                file.remove();
            }
            stays
        });
    }

    /// The first attempt of a shuffle whose outputs are taken.
    pub fn from_attempt(&self, shuffle: u64) -> u32 {
        self.outputs.lock().get(&shuffle).map_or(0, |s| s.from_attempt)
    }

    /// A committed output.
    pub fn find(&self, shuffle: u64, map: u32) -> Option<Arc<MapFile>> {
        self.outputs.lock().get(&shuffle)?.maps.get(&map).cloned()
    }

    /// The committed outputs: shuffle and map.
    pub fn outputs(&self) -> Vec<(u64, u32)> {
        let outputs = self.outputs.lock();
        outputs.iter().flat_map(|(s, shuffle)| shuffle.maps.keys().map(|m| (*s, *m))).collect()
    }

    /// Forgets an output and removes its files; whether it was there.
    pub fn lose(&self, shuffle: u64, map: u32) -> bool {
        let mut outputs = self.outputs.lock();
        let found = outputs.get_mut(&shuffle).and_then(|s| s.maps.remove(&map));
        // With the lock: another attempt may be about to put its files at the same names.
        found.inspect(|f| f.remove()).is_some()
    }

    /// Forgets a shuffle and removes its files.
    pub fn release(&self, shuffle: u64) {
        let mut outputs = self.outputs.lock();
        for file in outputs.remove(&shuffle).unwrap_or_default().maps.values() {
            file.remove();
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
