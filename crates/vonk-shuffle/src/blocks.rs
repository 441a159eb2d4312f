//! Where shuffle blocks live: the trait that local mode and cluster mode implement differently.

use crate::places::MapPlaces;
use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vonk_error::Result;

/// What a map task made, per reduce partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapOutputSizes {
    /// Bytes.
    pub bytes: Vec<u64>,
    /// Rows.
    pub rows: Vec<u64>,
}

/// Takes the output of one attempt of a map task. Dropped without commit, it leaves nothing.
pub trait MapWriter: Send {
    /// Adds rows of a reduce partition. The store owns the memory from here on and spills it when asked to.
    fn push(&mut self, reduce: u32, batch: RecordBatch) -> Result<()>;
    /// Makes the output visible. Of several the one of the latest attempt counts; others are dropped without an error.
    fn commit(self: Box<Self>) -> Result<MapOutputSizes>;
}

/// Batches of one reduce partition, map output by map output.
pub trait BlockReader: Send {
    /// The rows that it will give, if it can tell before it gives them.
    fn rows(&self) -> Option<u64> {
        None
    }
    /// The next batch; `None` at the end. A missing block is a `FetchFailed` error.
    ///
    /// `check` is asked again and again while the reader waits for another process: its error (the task was cancelled) ends the
    /// wait.
    fn next(&mut self, check: &dyn Fn() -> Result<()>) -> Result<Option<RecordBatch>>;
}

/// The blocks that an executor can reach.
pub trait ShuffleBlocks: Send + Sync {
    /// Begins a map output of `partitions` reduce partitions.
    fn writer(&self, shuffle: u64, map: u32, attempt: u32, partitions: u32) -> Result<Box<dyn MapWriter>>;
    /// Reads reduce partition `reduce` of map outputs `0..maps`. Reading does not consume: a task may be tried again, and
    /// several readers may share a broadcast. Batches come in the order of the map partitions, wherever they are.
    ///
    /// `places` tells where the map outputs are; without it they are all in this process (local mode).
    fn reader(
        &self,
        shuffle: u64,
        maps: u32,
        reduce: u32,
        places: Option<&Arc<MapPlaces>>,
    ) -> Result<Box<dyn BlockReader>>;
    /// Forgets a shuffle and gives its memory and files back.
    fn release(&self, shuffle: u64);
}

/// Memory that a block store reserves its blocks from.
pub trait BlockMemory: Send + Sync {
    /// Reserves; `false` if there is not that much: the store writes blocks to disk instead.
    fn try_grow(&self, bytes: u64) -> bool;
    /// Reserves what is there already and cannot be refused: blocks that arrive from the network.
    fn grow(&self, bytes: u64);
    /// Gives back.
    fn shrink(&self, bytes: u64);
}

/// A store that can move blocks from memory to disk when others need the memory.
pub trait SpillableBlocks: Send + Sync {
    /// Frees at least `bytes`, or all there is; tells how much.
    fn spill(&self, bytes: u64) -> Result<u64>;
}
