//! Where rows come from: the trait between plans and data sources.
//!
//! A source is asked for its schema and statistics while planning, and for a [`ScanPlan`] when the physical plan is made. A
//! scan plan is data: which reader opens it on the executor (by name) and payloads that only this reader understands, so
//! that a new source needs no new plan node.
//!
//! Must not know: file formats, operators.

use crate::logical::{Expr, LogicalPlan};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::{Literal, StructType};

/// A table's data.
pub trait TableSource: fmt::Debug + Send + Sync {
    /// Columns.
    fn schema(&self) -> &StructType;

    /// What is known without reading the data; sources cache it.
    fn statistics(&self) -> TableStatistics;

    /// Plans a scan. Called once per query, after all pushdown.
    fn scan(&self, request: &ScanRequest<'_>) -> Result<ScanPlan>;

    /// The query whose rows this is, if it is one whose rows are to be kept between queries. Its output has the columns of the schema, in
    /// order. Such a source is not scanned.
    fn kept(&self) -> Option<KeptQuery> {
        None
    }

    /// One line for EXPLAIN, as `parquet /data/lineitem (4 files)`.
    fn describe(&self) -> String;

    /// For sources that other code must recognise (writers, `DESCRIBE`).
    fn as_any(&self) -> &dyn std::any::Any;
}

/// A query whose rows are kept: computed once, then read.
#[derive(Debug, Clone)]
pub struct KeptQuery {
    /// Which one, unique among those of a cluster.
    pub relation: u64,
    /// Its optimized plan.
    pub plan: Arc<LogicalPlan>,
    /// Whether its rows are to be kept still; else it is run like any other.
    pub keep: bool,
}

/// What a query needs of a table.
#[derive(Debug)]
pub struct ScanRequest<'a> {
    /// Positions in the source's schema, in output order.
    pub columns: &'a [usize],
    /// Conjuncts over columns named by position in the source's schema (as [`crate::ColumnId`] = position): the source may use them to
    /// leave out partitions, files and row groups. The reader gets the predicate again, bound, to filter rows.
    pub filters: &'a [Expr],
    /// How many partitions would be welcome (the slots of the cluster times a small factor).
    pub target_partitions: usize,
    /// No more rows than this are needed, if known.
    pub limit: Option<u64>,
}

/// A planned scan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ScanPlan {
    /// Name of the reader on the executor: `parquet`, `tpch`, `memory`.
    pub reader: Arc<str>,
    /// What all partitions share, for that reader.
    pub shared: Arc<[u8]>,
    /// The partitions, in the order of the table.
    pub partitions: Vec<ScanPartition>,
    /// One line for EXPLAIN.
    pub description: String,
}

/// One partition of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ScanPartition {
    /// For the reader.
    pub payload: Arc<[u8]>,
    /// Estimated rows.
    pub rows: u64,
    /// Hosts that have the data.
    pub locations: Vec<String>,
}

/// What is known about a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableStatistics {
    /// Number of rows.
    pub rows: Option<u64>,
    /// Bytes in memory, roughly.
    pub bytes: Option<u64>,
    /// One per column of the schema, or empty.
    pub columns: Vec<ColumnStatistics>,
}

/// What is known about a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnStatistics {
    /// Nulls.
    pub nulls: Option<u64>,
    /// Lower bound.
    pub min: Option<Literal>,
    /// Upper bound.
    pub max: Option<Literal>,
    /// Estimated number of distinct values.
    pub distinct: Option<u64>,
    /// Average bytes per value in memory.
    pub width: Option<f64>,
}
