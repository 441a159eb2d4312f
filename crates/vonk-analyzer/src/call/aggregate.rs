//! Aggregate functions.
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_functions::AggregateFunction;
use vonk_plan::logical::AggregateExpr;

/// A key of ORDER BY with its defaults filled in.
#[derive(Debug, Clone)]
pub(crate) struct OrderKey {
    /// Key.
    pub key: Typed,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST.
    pub nulls_first: bool,
}

/// What may stand around the arguments of an aggregate call.
#[derive(Debug, Clone, Default)]
pub(crate) struct AggregateExtras {
    /// DISTINCT.
    pub distinct: bool,
    /// FILTER (WHERE …).
    pub filter: Option<Typed>,
    /// WITHIN GROUP (ORDER BY …).
    pub order_by: Vec<OrderKey>,
    /// IGNORE NULLS or RESPECT NULLS.
    pub ignore_nulls: Option<bool>,
}

/// A resolved aggregate call.
#[derive(Debug, Clone)]
pub(crate) struct AggregateCall {
    /// The call.
    pub expr: AggregateExpr,
    /// Its text, FILTER and all.
    pub sql: String,
}

/// A call of an aggregate function. `count(*)` has no arguments here and the literal 1 in its text.
pub(crate) fn aggregate(
    _s: &Session<'_>,
    _f: &AggregateFunction,
    called_as: &str,
    _args: Vec<Typed>,
    _extras: AggregateExtras,
    _span: Span,
) -> Result<AggregateCall> {
    Err(Error::unsupported(called_as))
}
