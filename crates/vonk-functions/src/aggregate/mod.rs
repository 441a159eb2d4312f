//! Aggregate functions: one value per group.
//!
//! Accumulators are vectorised over groups, as in DuckDB and DataFusion: one object holds the state of all groups, and an
//! update names the group of each row. Every accumulator can hand out its state as columns (for partial aggregation,
//! spilling and the wire) and merge such columns.

pub(crate) mod accumulate;
mod bits;
mod booleans;
mod by_key;
mod cells;
mod collect;
mod count;
mod covariance;
mod distinct_estimate;
mod extremes;
mod groups;
mod inputs;
mod listagg;
mod mode;
mod moments;
mod percentiles;
mod picks;
mod sum;
#[cfg(test)]
mod tests;
pub(crate) mod xxhash;

use crate::describe::Docs;
use crate::resolve::{Arity, CallSite, Resolution, Resolve};
use crate::scalar::Display;
use arrow::array::{ArrayRef, BooleanArray};
use std::sync::Arc;
use vonk_error::{Result, Span};
use vonk_types::{DataType, EvalContext, Literal};

/// What an accumulator is made for.
#[derive(Debug, Clone)]
pub struct AggregateCall<'a> {
    /// Types of the arguments after coercion.
    pub arg_types: &'a [DataType],
    /// Values of the arguments that are constants (percentages, separators, sizes).
    pub constants: &'a [Option<Literal>],
    /// The resolved return type.
    pub return_type: &'a DataType,
    /// Session settings.
    pub ctx: &'a EvalContext,
    /// Where the call was written, for errors in `evaluate`.
    pub span: Span,
}

/// Which groups to hand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmitTo {
    /// All, leaving the accumulator empty.
    All,
    /// The first `n`; the others move down by `n`.
    First(usize),
}

/// The state of all groups of one aggregate call.
pub trait GroupsAccumulator: Send {
    /// Adds rows. `groups[i]` is the group of row `i`, below `num_groups`; groups may be new. Rows where `filter` is not true
    /// are ignored (but their groups exist).
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()>;

    /// Merges states made by [`state`](Self::state), one row each.
    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()>;

    /// Hands the states out, one array per state column, one row per group.
    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>>;

    /// Hands the results out, one row per group.
    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef>;

    /// Takes rows out of group 0 again (sliding window frames). Only called where
    /// [`supports_retract`](Self::supports_retract).
    fn retract(&mut self, _args: &[ArrayRef], _groups: &[u32]) -> Result<()> {
        vonk_error::internal_err!("this aggregate cannot take rows back")
    }

    /// Whether [`retract`](Self::retract) works.
    fn supports_retract(&self) -> bool {
        false
    }

    /// Bytes held, for the memory manager. Must be cheap: called once per batch.
    fn size(&self) -> usize;
}

/// One row of the aggregate function table.
#[derive(Clone)]
pub struct AggregateFunction {
    /// Canonical name, lower case.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Documentation.
    pub docs: Docs,
    /// Number of arguments.
    pub arity: Arity,
    /// Types.
    pub resolve: Resolve,
    /// Types of the state columns.
    pub state_types: fn(&AggregateCall<'_>) -> Vec<DataType>,
    /// Makes an accumulator.
    pub accumulator: MakeAccumulator,
    /// DISTINCT changes nothing (`min`, `max`, `bool_and`).
    pub duplicate_insensitive: bool,
    /// The result depends on the order of rows (`first`, `collect_list`), more than by the rounding of floats.
    pub order_sensitive: bool,
    /// Whether groups may be computed from those that they are made of.
    pub regrouping: Regrouping,
    /// The value over no rows at all; `None` means null (`count` gives 0).
    pub on_empty: Option<fn() -> Literal>,
    /// How a call looks in generated column names.
    pub display: Display,
    /// What `WITHIN GROUP (ORDER BY …)` means.
    pub within_group: WithinGroup,
    /// Takes `IGNORE NULLS`, which adds a last argument `true`.
    pub ignore_nulls: bool,
}

/// Makes the state of all groups of a call.
pub type MakeAccumulator =
    Arc<dyn Fn(&AggregateCall<'_>) -> Result<Box<dyn GroupsAccumulator>> + Send + Sync>;

/// What comes of merging the states of finer groups, beside adding the rows of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Regrouping {
    /// Perhaps another last digit, or another choice of rows.
    Rounds,
    /// The same.
    Exact,
    /// The same, unless the arguments are floating-point numbers.
    ExactUnlessFloating,
}

/// What `WITHIN GROUP (ORDER BY …)` means to an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithinGroup {
    /// Nothing: refused.
    Refused,
    /// The order in which the values are taken (`listagg`).
    Order,
    /// The key is the first argument, before those written; a descending key adds a last argument `true`
    /// (`percentile_cont`). It cannot be left out.
    Input,
    /// Where no argument is written, the key is the argument; a descending key adds two arguments `true` (`mode`).
    InputInstead,
}

impl AggregateFunction {
    /// A row with the usual: no other names, duplicates matter, order does not, null over no rows, written `name(a, b)`.
    pub fn new(
        name: &'static str,
        docs: Docs,
        arity: Arity,
        resolve: fn(&CallSite<'_>) -> Result<Resolution>,
        state_types: fn(&AggregateCall<'_>) -> Vec<DataType>,
        accumulator: fn(&AggregateCall<'_>) -> Result<Box<dyn GroupsAccumulator>>,
    ) -> Self {
        AggregateFunction {
            name,
            aliases: &[],
            docs,
            arity,
            resolve: Arc::new(resolve),
            state_types,
            accumulator: Arc::new(accumulator),
            duplicate_insensitive: false,
            order_sensitive: false,
            regrouping: Regrouping::Rounds,
            on_empty: None,
            display: Display::Call,
            within_group: WithinGroup::Refused,
            ignore_nulls: false,
        }
    }
}

/// All aggregate functions: one line per family.
pub fn rows() -> Vec<AggregateFunction> {
    let mut rows = Vec::new();
    rows.extend(bits::rows());
    rows.extend(booleans::rows());
    rows.extend(by_key::rows());
    rows.extend(collect::rows());
    rows.extend(count::rows());
    rows.extend(covariance::rows());
    rows.extend(distinct_estimate::rows());
    rows.extend(extremes::rows());
    rows.extend(listagg::rows());
    rows.extend(mode::rows());
    rows.extend(moments::rows());
    rows.extend(percentiles::rows());
    rows.extend(picks::rows());
    rows.extend(sum::rows());
    rows
}
