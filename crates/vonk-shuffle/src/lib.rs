//! Partitioners over Arrow arrays, map outputs and block stores.
//!
//! A map task splits its rows by a partitioner and hands them to a [`MapWriter`]; a reduce task reads its partition of every
//! map output from the [`ShuffleBlocks`]. In one process that is a hand-over of batches ([`LocalBlocks`]).
//!
//! Must not know: plans, operators, schedulers.

pub mod blocks;
mod file;
mod local;
pub mod partition;
mod partition_hash;
mod places;
mod sizes;

pub use blocks::{BlockMemory, BlockReader, MapOutputSizes, MapWriter, ShuffleBlocks, SpillableBlocks};
pub use file::{BlockFile, compact};
pub use local::LocalBlocks;
pub use places::{MapPlaces, Place, ShuffleInputs, Source};
pub use sizes::{array_bytes, batch_bytes};
