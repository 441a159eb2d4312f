//! Unary and binary operators.
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::{BinaryOp, UnaryOp};

/// `-x`, `+x`, `~x`.
pub(crate) fn unary(_s: &Session<'_>, _op: UnaryOp, x: Typed, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(x.sql))
}

/// `a op b`, for every operator, comparisons and AND and OR included.
pub(crate) fn binary(_s: &Session<'_>, _op: BinaryOp, a: Typed, _b: Typed, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(a.sql))
}
