//! The block store of one process: blocks are batches in memory, handed over without a copy.
//!
//! When the memory manager needs the memory back ([`SpillableBlocks`]), or refuses it from the start, blocks go to files of
//! LZ4-compressed Arrow IPC and are read from there, batch by batch.
//!
//! Invariants: a map output is visible whole or not at all; of the commits of a map partition the latest attempt's counts; every byte reserved is
//! given back and every file removed when a shuffle is released or the store dropped.

use crate::blocks::{BlockMemory, BlockReader, MapOutputSizes, MapWriter, ShuffleBlocks, SpillableBlocks};
use crate::file::{BlockFile, Frame};
use crate::map_file::Damage;
use crate::message::{Compression, Encoder, Message, decode};
use crate::places::MapPlaces;
use crate::sizes::batch_bytes;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use vonk_error::{Error, FetchFailure, Result};

/// A spill file larger than this gets no more blocks.
const SPILL_FILE_BYTES: u64 = 64 << 20;

/// Blocks of all shuffles that run in this process. Cheap to clone: clones share the blocks.
#[derive(Clone)]
pub struct LocalBlocks(Arc<Store>);

struct Store {
    memory: Arc<dyn BlockMemory>,
    dir: PathBuf,
    compression: Compression,
    shuffles: Mutex<HashMap<u64, Arc<Shuffle>>>,
    next_file: AtomicU64,
    /// The spill file that has room: outputs share files, since a process may have only so many open.
    spill: Mutex<Weak<BlockFile>>,
    /// Reported as the owner of a block that is missing.
    executor: u64,
}

/// The committed outputs of a shuffle by map partition.
#[derive(Default)]
pub(crate) struct Shuffle {
    maps: Mutex<BTreeMap<u32, Arc<MapOutput>>>,
    /// Outputs of attempts before this one are not taken. Changed with the lock of `maps`.
    from_attempt: AtomicU32,
}

/// Blocks by reduce partition.
pub(crate) struct MapOutput {
    memory: Arc<dyn BlockMemory>,
    /// The attempt that made it: another may have cut its batches elsewhere.
    pub attempt: u32,
    reduces: Vec<Mutex<Vec<Block>>>,
    /// All blocks are on disk. Of many outputs most are: a spill must not look through them again.
    spilled: AtomicBool,
}

/// One batch. Its number within the partition stays, wherever it is.
enum Block {
    Memory { batch: RecordBatch, bytes: u64 },
    Disk(DiskBlock),
}

#[derive(Clone)]
struct DiskBlock {
    file: Arc<BlockFile>,
    frame: Frame,
    schema: SchemaRef,
    rows: usize,
}

impl Block {
    fn rows(&self) -> u64 {
        match self {
            Block::Memory { batch, .. } => batch.num_rows() as u64,
            Block::Disk(block) => block.rows as u64,
        }
    }
}

impl DiskBlock {
    fn append(file: &Arc<BlockFile>, batch: &RecordBatch, encoder: &mut Encoder) -> Result<DiskBlock> {
        let frame = file.append(&encoder.encode(batch)?)?;
        Ok(DiskBlock { file: file.clone(), frame, schema: batch.schema(), rows: batch.num_rows() })
    }
}

/// A batch as it is kept.
pub(crate) enum Stored {
    Batch(RecordBatch),
    Message(SchemaRef, Message),
}

impl MapOutput {
    fn new(memory: Arc<dyn BlockMemory>, attempt: u32, partitions: u32) -> Self {
        let reduces = (0..partitions).map(|_| Mutex::default()).collect();
        MapOutput { memory, attempt, reduces, spilled: AtomicBool::new(false) }
    }

    /// Reduce partitions.
    pub fn partitions(&self) -> u32 {
        self.reduces.len() as u32
    }

    /// A batch of a partition; `None` after the last.
    pub fn get(&self, reduce: u32, batch: usize) -> Result<Option<Stored>, Damage> {
        let Some(blocks) = self.reduces.get(reduce as usize) else { return Ok(None) };
        let disk = match blocks.lock().get(batch) {
            None => return Ok(None),
            Some(Block::Memory { batch, .. }) => return Ok(Some(Stored::Batch(batch.clone()))),
            Some(Block::Disk(disk)) => disk.clone(), // Read without the lock.
        };
        let message = disk.file.read(&disk.frame).map_err(|e| Damage::Unreadable(e.to_string()))?;
        let message = message.ok_or_else(|| Damage::Corrupt("a spilled block".into()))?;
        Ok(Some(Stored::Message(disk.schema, message)))
    }

    /// As [`get`](Self::get), decoded.
    pub fn batch(&self, reduce: u32, batch: usize) -> Result<Option<RecordBatch>, Damage> {
        Ok(match self.get(reduce, batch)? {
            None => None,
            Some(Stored::Batch(batch)) => Some(batch),
            Some(Stored::Message(schema, m)) => {
                Some(decode(&schema, &m.header, m.body).map_err(|e| Damage::Unreadable(e.to_string()))?)
            }
        })
    }

    /// Moves every block in memory to a file; tells how many bytes that freed.
    fn spill(&self, store: &Store) -> Result<u64> {
        if self.spilled.load(Ordering::Relaxed) {
            return Ok(0);
        }
        let mut encoder = Encoder::new(store.compression);
        let mut freed = 0;
        for reduce in &self.reduces {
            for block in reduce.lock().iter_mut() {
                let Block::Memory { batch, bytes } = block else { continue };
                let bytes = *bytes;
                *block = Block::Disk(DiskBlock::append(&store.spill_file()?, batch, &mut encoder)?);
                self.memory.shrink(bytes);
                freed += bytes;
            }
        }
        // None is added to an output that can be spilled: it was committed.
        self.spilled.store(true, Ordering::Relaxed);
        Ok(freed)
    }
}

impl Drop for MapOutput {
    fn drop(&mut self) {
        for block in self.reduces.iter_mut().flat_map(|r| r.get_mut().drain(..)) {
            if let Block::Memory { bytes, .. } = block {
                self.memory.shrink(bytes);
            }
        }
    }
}

impl LocalBlocks {
    /// A store that reserves from `memory` and spills into `dir`, which is made when first needed. `executor` names this
    /// process in fetch failures.
    pub fn new(memory: Arc<dyn BlockMemory>, dir: PathBuf, executor: u64) -> Self {
        Self::with_compression(memory, dir, executor, Compression::default())
    }

    /// As [`new`](Self::new), with spilled blocks compressed otherwise.
    pub fn with_compression(
        memory: Arc<dyn BlockMemory>,
        dir: PathBuf,
        executor: u64,
        compression: Compression,
    ) -> Self {
        let (shuffles, next_file) = (Mutex::default(), AtomicU64::new(0));
        let spill = Mutex::default();
        LocalBlocks(Arc::new(Store { memory, dir, compression, shuffles, next_file, spill, executor }))
    }

    /// Shuffles that hold blocks; for tests that nothing is left behind.
    pub fn shuffles(&self) -> usize {
        self.0.shuffles.lock().len()
    }

    /// Forgets the output of one map partition, as if its executor had lost it.
    pub fn lose(&self, shuffle: u64, map: u32) -> bool {
        self.0.lose(shuffle, map)
    }

    /// Forgets the outputs of attempts before `attempt`, and takes none of them from now on.
    pub(crate) fn roll_back(&self, shuffle: u64, attempt: u32) {
        let shuffle = self.0.shuffle(shuffle);
        let mut maps = shuffle.maps.lock();
        shuffle.from_attempt.fetch_max(attempt, Ordering::Relaxed);
        maps.retain(|_, output| output.attempt >= attempt);
    }

    /// Forgets a shuffle; its memory and files are given back when what this gives is dropped, which may take a while.
    pub(crate) fn take(&self, shuffle: u64) -> Option<Arc<Shuffle>> {
        self.0.shuffles.lock().remove(&shuffle)
    }

    /// A committed output.
    pub(crate) fn output(&self, shuffle: u64, map: u32) -> Option<Arc<MapOutput>> {
        self.0.shuffles.lock().get(&shuffle).cloned()?.maps.lock().get(&map).cloned()
    }

    /// The committed outputs: shuffle and map.
    pub(crate) fn outputs(&self) -> Vec<(u64, u32)> {
        let shuffles: Vec<_> = self.0.shuffles.lock().iter().map(|(s, maps)| (*s, maps.clone())).collect();
        let maps =
            |(s, maps): (u64, Arc<Shuffle>)| maps.maps.lock().keys().map(|m| (s, *m)).collect::<Vec<_>>();
        shuffles.into_iter().flat_map(maps).collect()
    }
}

impl Store {
    /// A file that has room. It is removed with the last of the blocks in it.
    fn spill_file(&self) -> Result<Arc<BlockFile>> {
        let mut current = self.spill.lock();
        if let Some(file) = current.upgrade().filter(|f| f.bytes() < SPILL_FILE_BYTES) {
            return Ok(file);
        }
        let n = self.next_file.fetch_add(1, Ordering::Relaxed);
        let file = BlockFile::create(&self.dir, &format!("blocks-{}-{n}.arrow", std::process::id()))?;
        let file = Arc::new(file);
        *current = Arc::downgrade(&file);
        Ok(file)
    }

    fn lose(&self, shuffle: u64, map: u32) -> bool {
        let found = self.shuffles.lock().get(&shuffle).cloned();
        found.is_some_and(|s| s.maps.lock().remove(&map).is_some())
    }

    fn shuffle(&self, shuffle: u64) -> Arc<Shuffle> {
        self.shuffles.lock().entry(shuffle).or_default().clone()
    }
}

impl SpillableBlocks for LocalBlocks {
    fn spill(&self, bytes: u64) -> Result<u64> {
        let shuffles: Vec<Arc<Shuffle>> = self.0.shuffles.lock().values().cloned().collect();
        let mut freed = 0;
        for shuffle in shuffles {
            let maps: Vec<Arc<MapOutput>> = shuffle.maps.lock().values().cloned().collect();
            for map in maps {
                freed += map.spill(&self.0)?;
                if freed >= bytes {
                    return Ok(freed);
                }
            }
        }
        Ok(freed)
    }
}

impl ShuffleBlocks for LocalBlocks {
    fn writer(&self, shuffle: u64, map: u32, attempt: u32, partitions: u32) -> Result<Box<dyn MapWriter>> {
        let output = MapOutput::new(self.0.memory.clone(), attempt, partitions);
        let encoder = Encoder::new(self.0.compression);
        let sizes =
            MapOutputSizes { bytes: vec![0; partitions as usize], rows: vec![0; partitions as usize] };
        Ok(Box::new(Writer { store: self.0.clone(), shuffle, map, output, sizes, encoder }))
    }

    fn reader(
        &self,
        shuffle: u64,
        maps: u32,
        reduce: u32,
        _places: Option<&Arc<MapPlaces>>,
    ) -> Result<Box<dyn BlockReader>> {
        let (store, source) = (self.0.clone(), self.0.shuffles.lock().get(&shuffle).cloned());
        Ok(Box::new(Reader { store, shuffle, source, maps, reduce, map: 0, block: 0 }))
    }

    fn release(&self, shuffle: u64) {
        drop(self.take(shuffle)); // Outside of the lock: files are removed here.
    }
}

struct Writer {
    store: Arc<Store>,
    shuffle: u64,
    map: u32,
    output: MapOutput,
    sizes: MapOutputSizes,
    encoder: Encoder,
}

impl Writer {
    fn block(&mut self, batch: RecordBatch, bytes: u64) -> Result<Block> {
        if self.store.memory.try_grow(bytes) {
            return Ok(Block::Memory { batch, bytes });
        }
        let file = self.store.spill_file()?;
        Ok(Block::Disk(DiskBlock::append(&file, &batch, &mut self.encoder)?))
    }
}

impl MapWriter for Writer {
    fn push(&mut self, reduce: u32, batch: RecordBatch) -> Result<()> {
        let (i, bytes) = (reduce as usize, batch_bytes(&batch));
        if i >= self.output.reduces.len() {
            return vonk_error::internal_err!("reduce partition {i} of {}", self.output.reduces.len());
        }
        self.sizes.bytes[i] += bytes;
        self.sizes.rows[i] += batch.num_rows() as u64;
        let block = self.block(batch, bytes)?;
        self.output.reduces[i].get_mut().push(block);
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<MapOutputSizes> {
        let Writer { store, shuffle, map, output, sizes, .. } = *self;
        let shuffle = store.shuffle(shuffle);
        let mut maps = shuffle.maps.lock();
        if output.attempt < shuffle.from_attempt.load(Ordering::Relaxed) {
            return Err(Error::cancelled());
        }
        // The latest attempt counts: where an earlier one is still here, the driver has given it up, and one that is handed over from
        // another executor may differ from it.
        if maps.get(&map).is_none_or(|known| known.attempt < output.attempt) {
            maps.insert(map, Arc::new(output));
        }
        Ok(sizes)
    }
}

struct Reader {
    store: Arc<Store>,
    shuffle: u64,
    source: Option<Arc<Shuffle>>,
    maps: u32,
    reduce: u32,
    map: u32,
    block: usize,
}

impl Reader {
    fn missing(&self, damage: Damage) -> Error {
        // Never to be found again, so that the map task that runs once more can put its output here. What was not there may be by
        // now.
        if !matches!(damage, Damage::Gone) {
            self.store.lose(self.shuffle, self.map);
        }
        let (shuffle, map, reduce) = (self.shuffle, self.map, self.reduce);
        let failure =
            FetchFailure { shuffle, map, reduce, executor: self.store.executor, unreachable: false };
        Error::fetch_failed(failure, damage)
    }
}

impl BlockReader for Reader {
    fn rows(&self) -> Option<u64> {
        let source = self.source.as_ref()?;
        let outputs: Vec<Arc<MapOutput>> =
            source.maps.lock().range(..self.maps).map(|(_, o)| o.clone()).collect();
        let rows = |output: &Arc<MapOutput>| -> u64 {
            let blocks = output.reduces.get(self.reduce as usize);
            blocks.map_or(0, |blocks| blocks.lock().iter().map(Block::rows).sum())
        };
        Some(outputs.iter().map(rows).sum())
    }

    fn next(&mut self, _check: &dyn Fn() -> Result<()>) -> Result<Option<RecordBatch>> {
        while self.map < self.maps {
            let output = self.source.as_ref().and_then(|s| s.maps.lock().get(&self.map).cloned());
            let output = output.ok_or_else(|| self.missing(Damage::Gone))?;
            if self.reduce >= output.partitions() {
                return vonk_error::internal_err!("reduce partition {} is not there", self.reduce);
            }
            if let Some(batch) = output.batch(self.reduce, self.block).map_err(|d| self.missing(d))? {
                self.block += 1;
                return Ok(Some(batch));
            }
            self.map += 1;
            self.block = 0;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, AsArray, Int32Array};
    use arrow::datatypes::Int32Type;

    /// Memory with a limit.
    struct Limited(Mutex<(u64, u64)>);

    impl BlockMemory for Limited {
        fn try_grow(&self, bytes: u64) -> bool {
            let mut m = self.0.lock();
            let fits = m.0 + bytes <= m.1;
            m.0 += if fits { bytes } else { 0 };
            fits
        }
        fn grow(&self, bytes: u64) {
            self.0.lock().0 += bytes;
        }
        fn shrink(&self, bytes: u64) {
            self.0.lock().0 -= bytes;
        }
    }

    fn batch(values: std::ops::Range<i32>) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int32Array::from_iter_values(values));
        RecordBatch::try_from_iter([("a", column)]).unwrap()
    }

    fn read(blocks: &LocalBlocks, maps: u32, reduce: u32) -> Result<Vec<i32>> {
        let mut reader = blocks.reader(1, maps, reduce, None)?;
        let mut out = vec![];
        while let Some(b) = reader.next(&|| Ok(()))? {
            out.extend(b.column(0).as_primitive::<Int32Type>().values());
        }
        Ok(out)
    }

    fn store(limit: u64, dir: &std::path::Path) -> (LocalBlocks, Arc<Limited>) {
        let memory = Arc::new(Limited(Mutex::new((0, limit))));
        (LocalBlocks::new(memory.clone(), dir.join("spill"), 0), memory)
    }

    #[test]
    fn blocks_survive_spilling_and_leave_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for limit in [0, 10_000, 40_000, u64::MAX / 2] {
            let (blocks, memory) = store(limit, dir.path());
            for map in 0..2 {
                let mut w = blocks.writer(1, map, 0, 2).unwrap();
                for i in 0..5 {
                    w.push(0, batch(i * 1000..(i + 1) * 1000)).unwrap();
                }
                w.push(1, batch(7..8)).unwrap();
                assert_eq!(w.commit().unwrap().rows, [5000, 1]);
            }
            let expected: Vec<i32> = (0..5000).chain(0..5000).collect();
            assert_eq!(read(&blocks, 2, 0).unwrap(), expected);
            blocks.spill(1).unwrap();
            assert_eq!(read(&blocks, 2, 0).unwrap(), expected);
            blocks.spill(u64::MAX).unwrap();
            assert_eq!(blocks.reader(1, 2, 0, None).unwrap().rows(), Some(10_000));
            assert_eq!(read(&blocks, 2, 1).unwrap(), [7, 7]);
            assert_eq!(memory.0.lock().0, 0);
            blocks.release(1);
            assert_eq!(std::fs::read_dir(dir.path().join("spill")).unwrap().count(), 0);
        }
    }

    #[test]
    fn the_first_commit_wins_and_a_lost_output_is_a_fetch_failure() {
        let dir = tempfile::tempdir().unwrap();
        let (blocks, memory) = store(1000, dir.path());
        let (mut a, mut b) = (blocks.writer(1, 0, 0, 1).unwrap(), blocks.writer(1, 0, 1, 1).unwrap());
        a.push(0, batch(0..1)).unwrap();
        b.push(0, batch(1..2)).unwrap();
        b.commit().unwrap();
        a.commit().unwrap();
        assert_eq!(read(&blocks, 1, 0).unwrap(), [1]);
        assert!(blocks.lose(1, 0));
        let error = read(&blocks, 1, 0).unwrap_err();
        assert!(matches!(error.kind(), vonk_error::ErrorKind::FetchFailed(f) if f.map == 0));
        assert_eq!(memory.0.lock().0, 0);
    }
}
