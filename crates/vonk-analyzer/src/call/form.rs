//! Forms: functions that are expressed by other expressions.
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_functions::FormFunction;

/// A call of a form. Each argument comes with the name it has of its own (a column's, a field's or an alias), if any, which
/// `struct` takes. Not for `grouping`, `grouping_id`, `current_catalog` and `current_database`: those need the query.
pub(crate) fn form(
    _s: &Session<'_>,
    _f: &FormFunction,
    called_as: &str,
    _args: Vec<(Typed, Option<String>)>,
    _span: Span,
) -> Result<Typed> {
    Err(Error::unsupported(called_as))
}
