//! Spark's pretty texts: generated column names and what messages quote.
use crate::session::Session;
use vonk_types::Literal;

/// A literal: strings without quotes.
pub(crate) fn literal(_s: &Session<'_>, l: &Literal) -> String {
    l.value.to_string()
}
