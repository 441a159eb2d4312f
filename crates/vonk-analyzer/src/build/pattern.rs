//! LIKE and its kin.
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::LikeKind;

/// `x LIKE p`, `ILIKE`, `RLIKE`.
pub(crate) fn like(
    _s: &Session<'_>,
    _kind: LikeKind,
    x: Typed,
    _pattern: Typed,
    _escape: Option<char>,
    _span: Span,
) -> Result<Typed> {
    Err(Error::unsupported(x.sql))
}

/// `x [NOT] LIKE ANY|ALL (p, …)`.
pub(crate) fn like_quantified(
    _s: &Session<'_>,
    _kind: LikeKind,
    _all: bool,
    _negated: bool,
    x: Typed,
    _patterns: Vec<Typed>,
    _span: Span,
) -> Result<Typed> {
    Err(Error::unsupported(x.sql))
}
