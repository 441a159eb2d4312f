//! Parts of nested values: `x[i]`, `x.f`; and rows made of values.
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};

/// `x[i]`: an array's element or a map's value.
pub(crate) fn subscript(_s: &Session<'_>, x: Typed, _index: Typed, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(x.sql))
}

/// `x.f`: a field of a struct, of an array of structs, or a map's value.
pub(crate) fn field(_s: &Session<'_>, x: Typed, _name: &str, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(x.sql))
}

/// `(a, b)`: a struct of the parts, each with the name it has of its own (a column's, a field's or an alias), if any.
pub(crate) fn row(_s: &Session<'_>, _parts: Vec<(Typed, Option<String>)>, _span: Span) -> Result<Typed> {
    Err(Error::unsupported("row"))
}
