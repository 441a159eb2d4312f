//! Comparisons: `=`, `<`, BETWEEN, IN, IS DISTINCT FROM.
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_types::CompareOp;

/// `a = b`, `a <=> b`, `a < b`, …; `a <> b` is `NOT (a = b)`.
pub(crate) fn compare(_s: &Session<'_>, _op: CompareOp, a: Typed, _b: Typed, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(a.sql))
}

/// `a IS [NOT] DISTINCT FROM b`; `negated` for the NOT.
pub(crate) fn distinct_from(_s: &Session<'_>, a: Typed, _b: Typed, _negated: bool, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(a.sql))
}

/// `x BETWEEN low AND high`.
pub(crate) fn between(_s: &Session<'_>, x: Typed, _low: Typed, _high: Typed, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(x.sql))
}

/// `x IN (a, b, …)`.
pub(crate) fn in_list(_s: &Session<'_>, x: Typed, _list: Vec<Typed>, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(x.sql))
}
