//! Scans and writers of files: Parquet first; object stores; partition discovery; sample tables.
//!
//! Planning side: [`vonk_plan::TableSource`]s. Executor side: a [`ScanReader`] opens the partitions of the scans it is named
//! in, and a [`FileWriter`] writes; both are found in [`Formats`] by name.
//!
//! Must not know: SQL text, operators other than scans and writes.

pub mod commit;
pub mod conform;
pub mod files;
pub mod parquet;
mod progress;
pub mod reader;
pub mod rows;
pub mod tpch;
pub mod writer;

pub use progress::ReadProgress;
pub use reader::{Formats, OpenScan, ScanFilter, ScanMetrics, ScanReader, ScanStream};
pub use writer::{FileWriter, FileWriterFactory, OpenWrite, WrittenFile};

use std::sync::Arc;

impl Formats {
    /// Everything this crate can read and write.
    pub fn builtin() -> Formats {
        let mut f = Formats::default();
        f.add_reader(Arc::new(parquet::ParquetReader));
        f.add_reader(Arc::new(tpch::TpchReader));
        f.add_writer(Arc::new(parquet::ParquetWriterFactory));
        f
    }
}
