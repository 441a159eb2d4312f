//! Partitioners over Arrow arrays, map outputs and block stores.
//!
//! A map task splits its rows by a partitioner and hands them to a [`MapWriter`]; a reduce task reads its partition of every
//! map output from the [`ShuffleBlocks`]. In one process that is a hand-over of batches ([`LocalBlocks`]); in a cluster blocks
//! are kept in memory, files or an object store and fetched from there ([`ClusterBlocks`], [`BlockServer`], [`ServiceFiles`]).
//!
//! Must not know: plans, operators, schedulers.

pub mod blocks;
mod cluster;
mod compact;
mod fetch;
mod file;
mod file_blocks;
mod flight;
mod local;
mod map_file;
mod message;
mod object;
mod outputs;
pub mod partition;
mod partition_hash;
mod places;
pub mod private;
mod release;
mod service;
mod sizes;

pub use blocks::{BlockMemory, BlockReader, MapOutputSizes, MapWriter, ShuffleBlocks, SpillableBlocks};
pub use cluster::{ClusterBlocks, ClusterOptions, Keep};
pub use compact::compact;
pub use fetch::{Connections, FetchOptions};
pub use flight::{BlockServer, ServerOptions};
pub use local::LocalBlocks;
pub use message::Compression;
pub use object::Stores;
pub use places::{MapPlaces, Place, ShuffleInputs, Source};
pub use release::release_remote;
pub use service::ServiceFiles;
pub use sizes::{array_bytes, batch_bytes};
