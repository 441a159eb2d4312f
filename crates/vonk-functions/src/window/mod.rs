//! Window functions that are not aggregates: ranks, offsets, values of a frame.

mod nth;
mod offsets;
mod ranks;
#[cfg(test)]
mod tests;

use crate::describe::{Docs, Example, Group};
use crate::resolve::{Arg, Arity, CallSite, Resolution};
use crate::scalar::Display;
use arrow::array::ArrayRef;
use std::ops::Range;
use vonk_error::{Result, Span};
use vonk_types::{DataType, EvalContext};

/// One window partition, sorted, as a window function sees it.
pub struct WindowCall<'a> {
    /// Arguments over all rows of the partition.
    pub args: &'a [ArrayRef],
    /// Types of the arguments.
    pub arg_types: &'a [DataType],
    /// The resolved return type.
    pub return_type: &'a DataType,
    /// Rows in the partition.
    pub rows: usize,
    /// First row of each peer group (rows equal in all ORDER BY keys), ascending, beginning with 0.
    pub peers: &'a [usize],
    /// Frame of each row; `None` for functions that ignore frames.
    pub frames: Option<&'a [Range<usize>]>,
    /// `IGNORE NULLS`.
    pub ignore_nulls: bool,
    /// Session settings.
    pub ctx: &'a EvalContext,
    /// Where the call was written.
    pub span: Span,
}

/// One row of the window function table.
#[derive(Clone)]
pub struct WindowFunction {
    /// Canonical name, lower case.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Documentation.
    pub docs: Docs,
    /// Number of arguments.
    pub arity: Arity,
    /// Types.
    pub resolve: fn(&CallSite<'_>) -> Result<Resolution>,
    /// Computes the values of one partition, `rows` of them.
    pub kernel: fn(&WindowCall<'_>) -> Result<ArrayRef>,
    /// Whether it looks at the frame (`first_value`, `nth_value`) or has its own (`rank`, `lag`).
    pub uses_frame: bool,
    /// Whether it needs an ORDER BY.
    pub needs_order: bool,
    /// Whether the prefix of a partition suffices to compute it (`row_number`, `rank`): lets a limit per partition stop early.
    pub rank_like: bool,
    /// The result depends on the order of rows that are equal in all ORDER BY keys (`row_number`, `lag`; not `rank`).
    pub order_sensitive: bool,
    /// How a call looks in generated column names.
    pub display: Display,
    /// The text of the frame that a function has of its own ([`uses_frame`](Self::uses_frame) is false), from its
    /// arguments: `ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW` for ranks.
    pub own_frame: fn(args: &[Arg]) -> String,
    /// Moves by rows (`lag`): a frame is refused altogether, where others may repeat the one they have.
    pub is_offset: bool,
}

impl WindowFunction {
    /// A row with the usual: no other names, a rank (needs an order, looks from the partition's first row to the current
    /// one, tells equal rows apart), written `name(a, b)`.
    pub fn new(
        name: &'static str,
        docs: Docs,
        arity: Arity,
        resolve: fn(&CallSite<'_>) -> Result<Resolution>,
        kernel: fn(&WindowCall<'_>) -> Result<ArrayRef>,
    ) -> Self {
        WindowFunction {
            name,
            aliases: &[],
            docs,
            arity,
            resolve,
            kernel,
            uses_frame: false,
            needs_order: true,
            rank_like: false,
            order_sensitive: true,
            display: Display::Call,
            own_frame: |_| "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_string(),
            is_offset: false,
        }
    }
}

/// All window functions.
pub fn rows() -> Vec<WindowFunction> {
    let mut rows = ranks::rows();
    rows.extend(offsets::rows());
    rows.extend(nth::rows());
    rows
}

/// Documentation of a window function.
const fn docs(
    usage: &'static str,
    summary: &'static str,
    since: &'static str,
    examples: &'static [Example],
) -> Docs {
    Docs::new(Group::Window, usage, summary, since, examples)
}
