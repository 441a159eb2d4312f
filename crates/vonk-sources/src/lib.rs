//! Scans and writers of files: Parquet first; object stores; partition discovery; sample tables.
//!
//! Planning side: [`vonk_plan::TableSource`]s. Executor side: a [`ScanReader`] opens the partitions of the scans it is named
//! in, and a [`FileWriter`] writes; both are found in [`Formats`] by name.
//!
//! Must not know: SQL text, operators other than scans and writes.

pub mod reader;
pub mod writer;

pub use reader::{Formats, OpenScan, ScanFilter, ScanMetrics, ScanReader, ScanStream};
pub use writer::{FileWriter, FileWriterFactory, OpenWrite, WrittenFile};
