//! Literals.
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::Expr;
use vonk_types::Literal;

/// A literal whose value does not depend on the session.
pub(crate) fn literal(s: &Session<'_>, value: &Literal, span: Span) -> Result<Typed> {
    Ok(Typed::new(Expr::Literal(value.clone()), crate::naming::literal(s, value), span))
}

/// `DATE '…'`, `TIMESTAMP '…'` and friends.
pub(crate) fn typed_literal(_s: &Session<'_>, type_name: &str, _text: &str, _span: Span) -> Result<Typed> {
    Err(Error::unsupported(type_name))
}
