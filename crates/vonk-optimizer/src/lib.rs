//! Logical rewrite rules, unnesting, join order and statistics.
//!
//! [`Optimizer::optimize`] runs the rules in batches; each rule is one file under `rules/` with its before/after snapshots.
//! [`statistics`] estimates rows and sizes of plans from what sources know; join order and the physical planner use it.
//!
//! Must not know: SQL text, physical operators.

pub mod bind;
pub mod statistics;
