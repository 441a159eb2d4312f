//! Logical rewrite rules, unnesting, join order and statistics.
//!
//! [`Optimizer::optimize`] runs the rules in order; each rule is one file under `rules/`. [`statistics`] estimates rows and
//! sizes of plans from what sources know; join order and the physical planner use it. [`bind`] turns logical expressions
//! into bound ones.
//!
//! Must not know: SQL text, physical operators.

pub mod bind;
mod optimizer;
pub mod rules;
pub mod statistics;

pub use optimizer::{Optimizer, Rule, RuleContext};
