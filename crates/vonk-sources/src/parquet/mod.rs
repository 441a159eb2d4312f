//! Parquet: scans that read only what they must, and writes.
//!
//! `metadata` caches footers, `source` plans scans over row groups, `reader` opens partitions, leaving row groups out by
//! statistics (`prune`) and Bloom filters (`bloom`), `stream` decodes files, and where there are filters (`stage`) `group` decodes
//! row groups, leaving out pages by their index (`pages`) and other columns until rows are known; `writer` writes.

mod bloom;
mod chunks;
mod group;
mod metadata;
mod pages;
mod partitions;
mod prune;
mod reader;
mod source;
mod split;
mod stage;
mod stream;
mod writer;

pub use reader::ParquetReader;
pub use source::ParquetSource;
pub use writer::ParquetWriterFactory;

use vonk_error::Error;

/// An error of the parquet crate: the file is not what it says.
pub(crate) fn corrupt(path: &str, e: impl std::fmt::Display) -> Error {
    Error::new("_CORRUPT_FILE").with("path", path).with("format", "Parquet").with("cause", e.to_string())
}
