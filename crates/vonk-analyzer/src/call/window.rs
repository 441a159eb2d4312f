//! Calls over windows.
use super::{AggregateCall, OrderKey};
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_functions::WindowFunction;
use vonk_plan::logical::WindowExpr;

/// A resolved window specification.
#[derive(Debug, Clone, Default)]
pub(crate) struct WindowSpec {
    /// PARTITION BY.
    pub partition_by: Vec<Typed>,
    /// ORDER BY.
    pub order_by: Vec<OrderKey>,
    /// The frame, where written.
    pub frame: Option<Frame>,
    /// The place.
    pub span: Span,
}

/// A frame as written.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// ROWS; else RANGE.
    pub rows: bool,
    /// First bound.
    pub start: Bound,
    /// Last bound.
    pub end: Bound,
}

/// A bound as written.
#[derive(Debug, Clone)]
pub(crate) enum Bound {
    /// UNBOUNDED PRECEDING.
    UnboundedPreceding,
    /// `n PRECEDING`.
    Preceding(Typed),
    /// CURRENT ROW.
    CurrentRow,
    /// `n FOLLOWING`.
    Following(Typed),
    /// UNBOUNDED FOLLOWING.
    UnboundedFollowing,
}

/// A resolved call over a window. Partitioning and order stay with the specification.
#[derive(Debug, Clone)]
pub(crate) struct WindowCall {
    /// The call with its frame.
    pub expr: WindowExpr,
    /// Its text, OVER and all.
    pub sql: String,
}

/// An aggregate call over a window.
pub(crate) fn over_aggregate(_s: &Session<'_>, call: AggregateCall, _spec: &WindowSpec, _span: Span) -> Result<WindowCall> {
    Err(Error::unsupported(call.sql))
}

/// A call of a window function.
pub(crate) fn over_function(
    _s: &Session<'_>,
    _f: &WindowFunction,
    called_as: &str,
    _args: Vec<Typed>,
    _ignore_nulls: Option<bool>,
    _spec: &WindowSpec,
    _span: Span,
) -> Result<WindowCall> {
    Err(Error::unsupported(called_as))
}
