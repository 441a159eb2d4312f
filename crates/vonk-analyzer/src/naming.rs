//! Spark's pretty texts: generated column names and what messages quote.

use crate::call::OrderKey;
use crate::session::Session;
use crate::typed::Typed;
use vonk_types::Literal;
use vonk_types::sql_literal::pretty_text;

/// A literal: strings without quotes, numbers without suffixes.
pub(crate) fn literal(s: &Session<'_>, l: &Literal) -> String {
    pretty_text(l, s.ctx())
}

/// A value that was computed elsewhere (a variable, a parameter): a null with its type.
pub(crate) fn value(s: &Session<'_>, l: &Literal) -> String {
    if l.is_null() && l.data_type != vonk_types::DataType::Null {
        return format!("CAST(NULL AS {})", l.data_type.sql());
    }
    literal(s, l)
}

/// Texts joined by commas.
pub(crate) fn list(parts: &[Typed]) -> String {
    parts.iter().map(|p| p.sql.as_str()).collect::<Vec<_>>().join(", ")
}

/// `a ASC NULLS FIRST`.
pub(crate) fn order_key(k: &OrderKey) -> String {
    let direction = if k.descending { "DESC" } else { "ASC" };
    let nulls = if k.nulls_first { "FIRST" } else { "LAST" };
    format!("{} {direction} NULLS {nulls}", k.key.sql)
}

/// Keys joined by commas.
pub(crate) fn order_keys(keys: &[OrderKey]) -> String {
    keys.iter().map(order_key).collect::<Vec<_>>().join(", ")
}

/// `first`, `second`, …: how messages count parameters.
pub(crate) fn ordinal(index: usize) -> String {
    const ORDINALS: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "sixth"];
    ORDINALS.get(index).map_or_else(|| format!("{}th", index + 1), |s| (*s).to_string())
}
