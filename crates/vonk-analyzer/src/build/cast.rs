//! CAST and TRY_CAST.
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::TypeRef;
use vonk_types::DataType;

/// `CAST(x AS t)`, `TRY_CAST(x AS t)`.
pub(crate) fn cast(s: &Session<'_>, x: Typed, to: &TypeRef, try_cast: bool, span: Span) -> Result<Typed> {
    cast_to(s, x, &to.data_type, try_cast, span)
}

/// A cast that the user wrote, to a type that needs no looking at the session.
pub(crate) fn cast_to(_s: &Session<'_>, x: Typed, _to: &DataType, _try_cast: bool, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(x.sql))
}
