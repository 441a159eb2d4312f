//! CASE.
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};

/// `CASE [operand] WHEN … THEN … [ELSE …] END`.
pub(crate) fn case(
    _s: &Session<'_>,
    _operand: Option<Typed>,
    _branches: Vec<(Typed, Typed)>,
    _otherwise: Option<Typed>,
    _span: Span,
) -> Result<Typed> {
    Err(Error::unsupported("case"))
}
