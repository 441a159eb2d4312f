//! How an executor writes files.
//!
//! A task writes its files under names unique to the attempt; the driver's commit makes them part of the table.

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};
use vonk_error::Result;
use vonk_types::StructType;

/// A file to be written.
pub struct OpenWrite<'a> {
    /// Full path or URL of the file.
    pub path: &'a str,
    /// Columns, in the engine's types.
    pub schema: &'a StructType,
    /// Options of the format.
    pub options: &'a [(String, String)],
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenFile {
    /// Where.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
}

/// Writes one file.
pub trait FileWriter: Send {
    /// Appends rows.
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;
    /// Completes the file.
    fn finish(self: Box<Self>) -> Result<WrittenFile>;
}

/// Opens writers of one format.
pub trait FileWriterFactory: Send + Sync {
    /// Name of the format.
    fn name(&self) -> &'static str;
    /// Extension of its files, as `parquet`.
    fn extension(&self) -> &'static str;
    /// Opens a file; its folder exists.
    fn open(&self, write: OpenWrite<'_>) -> Result<Box<dyn FileWriter>>;
}
