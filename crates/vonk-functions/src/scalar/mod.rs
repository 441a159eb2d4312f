//! Scalar functions: a value per row.

use crate::describe::Docs;
use crate::kernel::{KernelCall, ScalarInstance};
use crate::resolve::{Arity, CallSite, Resolution};
use arrow::array::ArrayRef;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vonk_error::Result;

/// Whether equal arguments give equal results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Volatility {
    /// Always: may be folded, shared and moved.
    Immutable,
    /// Within one query (`current_date`): folded when the query starts.
    Stable,
    /// Never (`rand`, `uuid`, `monotonically_increasing_id`): evaluated once per row, where written.
    Volatile,
}

/// How a call looks in generated column names and EXPLAIN.
#[derive(Debug, Clone, Copy)]
pub enum Display {
    /// `name(a, b)`.
    Call,
    /// `(a + b)`.
    Infix(&'static str),
    /// `(- a)`, `~a`: the prefix is written as it is, parentheses and all handled by the function.
    Prefix(&'static str),
    /// Anything else, from the texts of the arguments.
    Custom(fn(called_as: &str, args: &[String]) -> String),
}

/// How a function computes.
#[derive(Clone)]
pub enum ScalarKernel {
    /// A pure function over arrays.
    Plain(fn(&KernelCall<'_>) -> Result<ArrayRef>),
    /// Needs state per task and expression.
    Instance(fn(&KernelCall<'_>) -> Result<Box<dyn ScalarInstance>>),
    /// A closure (user-defined functions).
    Closure(Arc<dyn Fn(&KernelCall<'_>) -> Result<ArrayRef> + Send + Sync>),
}

/// One row of the scalar function table.
#[derive(Clone)]
pub struct ScalarFunction {
    /// Canonical name, lower case: what plans carry.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Documentation.
    pub docs: Docs,
    /// Number of arguments.
    pub arity: Arity,
    /// Types.
    pub resolve: fn(&CallSite<'_>) -> Result<Resolution>,
    /// Computation.
    pub kernel: ScalarKernel,
    /// Foldability.
    pub volatility: Volatility,
    /// Whether a null argument makes the result null without looking at the others; lets the optimizer derive `IS NOT NULL`
    /// and turn outer joins into inner ones.
    pub null_propagating: bool,
    /// Whether evaluating it on rows that the query would not have asked for could raise an error. Filters are not moved
    /// below such calls' guards.
    pub can_fail: bool,
    /// Text form.
    pub display: Display,
}

/// All scalar functions: one line per family.
pub fn rows() -> Vec<ScalarFunction> {
    Vec::new()
}
