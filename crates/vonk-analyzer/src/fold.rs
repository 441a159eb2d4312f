//! Values of constant expressions, as analysis needs them (percentages, LIMIT, field names).
use crate::session::Session;
use vonk_error::{Error, Result};
use vonk_plan::logical::Expr;
use vonk_types::Literal;

/// Whether an expression depends on nothing but literals and deterministic functions.
pub(crate) fn is_foldable(s: &Session<'_>, e: &Expr) -> bool {
    let _ = s;
    matches!(e, Expr::Literal(_))
}

/// The value of a foldable expression.
pub(crate) fn fold(_s: &Session<'_>, e: &Expr) -> Result<Literal> {
    match e {
        Expr::Literal(l) => Ok(l.clone()),
        _ => Err(Error::unsupported("folding")),
    }
}
