//! Partitioners over Arrow arrays, map outputs and block stores.
//!
//! A map task splits its rows by a partitioner and hands them to a [`MapWriter`]; a reduce task reads its partition of every
//! map output from the [`ShuffleBlocks`]. In one process that is a hand-over of batches.
//!
//! Must not know: plans, operators, schedulers.

pub mod blocks;

pub use blocks::{BlockMemory, BlockReader, MapOutputSizes, MapWriter, ShuffleBlocks, SpillableBlocks};
