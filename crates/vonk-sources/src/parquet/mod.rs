//! Parquet: scans that read only what they must, and writes.
//!
//! `metadata` caches footers, `source` plans scans over row groups, `prune` leaves row groups out by statistics, `reader`
//! decodes with filters applied before the other columns are, `writer` writes.

mod chunks;
mod metadata;
mod prune;
mod reader;
mod source;
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
