//! How an executor reads a partition of a scan.

use crate::progress::ReadProgress;
use crate::writer::FileWriterFactory;
use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use vonk_error::{Error, Result};
use vonk_eval::{BoundExpr, EvalEnv};
use vonk_types::{Literal, StructField};

/// A filter that becomes known while the query runs: the keys of a hash join's build side.
pub trait ScanFilter: Send + Sync {
    /// Smallest and greatest value, to leave out row groups and pages. `None` if unknown; an empty build side says so in
    /// [`is_empty`](Self::is_empty).
    fn bounds(&self) -> Option<(Literal, Literal)>;
    /// Nothing can match.
    fn is_empty(&self) -> bool;
    /// The share of values that it is expected to let through, if it can say.
    fn expected_share(&self) -> Option<f64> {
        None
    }
    /// True for rows that may match (nulls never do); without nulls, of the array's length.
    fn test(&self, values: &ArrayRef) -> Result<BooleanArray>;
}

/// What a scan counted, for EXPLAIN ANALYZE.
#[derive(Debug, Default)]
pub struct ScanMetrics {
    /// Bytes read from storage.
    pub bytes_read: AtomicU64,
    /// Row groups that exist.
    pub row_groups: AtomicU64,
    /// Row groups left out by statistics, Bloom filters or runtime filters.
    pub row_groups_pruned: AtomicU64,
    /// Rows left out by pages' statistics, predicates and runtime filters before other columns were decoded.
    pub rows_pruned: AtomicU64,
    /// How far it is.
    pub progress: Arc<ReadProgress>,
}

/// A partition to be read.
pub struct OpenScan<'a> {
    /// What all partitions share (from the [`vonk_plan::ScanPlan`]).
    pub shared: &'a [u8],
    /// The partition's payload.
    pub partition: &'a [u8],
    /// Columns to read: position in the source's schema, name and type. Batches that come out have the columns of
    /// `projection`, in order, in the engine's Arrow types.
    pub read: &'a [(usize, StructField)],
    /// Positions in `read` that are put out.
    pub projection: &'a [usize],
    /// Bound to positions in `read`. The reader must apply it fully: rows that are put out satisfy it.
    pub predicate: Option<&'a BoundExpr>,
    /// Position in `read` and filter. May be applied in part or not at all.
    pub runtime_filters: Vec<(usize, Arc<dyn ScanFilter>)>,
    /// For the predicate.
    pub env: &'a EvalEnv,
    /// Rows per batch wished for.
    pub batch_rows: usize,
    /// Rows that are enough.
    pub limit: Option<u64>,
    /// Where to count.
    pub metrics: Arc<ScanMetrics>,
}

/// Batches of a partition. Blocking; called on CPU threads.
pub trait ScanStream: Send {
    /// The next batch; never empty; `None` at the end.
    fn next(&mut self) -> Result<Option<RecordBatch>>;
}

/// Opens the partitions of one kind of source.
pub trait ScanReader: Send + Sync {
    /// The name that [`vonk_plan::ScanPlan::reader`] gives.
    fn name(&self) -> &'static str;
    /// Opens a partition.
    fn open(&self, scan: OpenScan<'_>) -> Result<Box<dyn ScanStream>>;
}

/// Readers and writers by name; one per process.
#[derive(Default, Clone)]
pub struct Formats {
    readers: HashMap<&'static str, Arc<dyn ScanReader>>,
    writers: HashMap<&'static str, Arc<dyn FileWriterFactory>>,
}

impl Formats {
    /// Adds a reader.
    pub fn add_reader(&mut self, reader: Arc<dyn ScanReader>) {
        self.readers.insert(reader.name(), reader);
    }

    /// Adds a writer.
    pub fn add_writer(&mut self, writer: Arc<dyn FileWriterFactory>) {
        self.writers.insert(writer.name(), writer);
    }

    /// The reader of this name.
    pub fn reader(&self, name: &str) -> Result<&Arc<dyn ScanReader>> {
        self.readers.get(name).ok_or_else(|| Error::internal(format!("no reader {name}")))
    }

    /// The writer of this name.
    pub fn writer(&self, name: &str) -> Result<&Arc<dyn FileWriterFactory>> {
        self.writers.get(name).ok_or_else(|| Error::internal(format!("no writer {name}")))
    }
}
