//! AND, OR, NOT, IS.
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::IsTest;

/// `a AND b`; nested ones are merged into one chain.
pub(crate) fn and(_s: &Session<'_>, a: Typed, _b: Typed, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(a.sql))
}

/// `a OR b`; nested ones are merged into one chain.
pub(crate) fn or(_s: &Session<'_>, a: Typed, _b: Typed, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(a.sql))
}

/// `NOT x`.
pub(crate) fn not(_s: &Session<'_>, x: Typed, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(x.sql))
}

/// `x IS [NOT] NULL`, `TRUE`, `FALSE`, `UNKNOWN`.
pub(crate) fn is_test(_s: &Session<'_>, x: Typed, _test: IsTest, _negated: bool, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(x.sql))
}
