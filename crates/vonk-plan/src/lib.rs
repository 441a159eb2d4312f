//! Logical plans and expressions, unresolved and resolved; tree walking; the traits [`Catalog`] and [`TableSource`].
//!
//! Two trees: [`unresolved`] is what the SQL front end and the DataFrame API build (names as written), [`logical`] is what
//! the analyzer makes of it (columns with identity and type). The optimizer rewrites the latter; the planner turns it into a
//! physical plan.
//!
//! Must not know: SQL text, how functions compute, how plans run.

pub mod catalog;
pub mod logical;
pub mod source;
pub mod unresolved;

pub use catalog::{Catalog, Relation, TableName, UserFunction};
pub use logical::{Column, ColumnId, Expr, LogicalPlan};
pub use source::{ColumnStatistics, ScanPartition, ScanPlan, ScanRequest, TableSource, TableStatistics};
