//! Literals.

use crate::naming;
use crate::session::Session;
use crate::typed::{Typed, quoted};
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::Expr;
use vonk_types::context::SessionZone;
use vonk_types::datetime::{parse_date, parse_timestamp, parse_timestamp_ntz, utc_to_local};
use vonk_types::{DataType, Literal, ScalarValue};

const DAY: i64 = 86_400_000_000;

/// A literal whose value does not depend on the session.
pub(crate) fn literal(s: &Session<'_>, value: &Literal, span: Span) -> Result<Typed> {
    Ok(Typed::new(Expr::Literal(value.clone()), naming::literal(s, value), span))
}

/// `DATE '…'`, `TIMESTAMP '…'` and friends; `type_name` in lower case.
pub(crate) fn typed_literal(s: &Session<'_>, type_name: &str, text: &str, span: Span) -> Result<Typed> {
    let zone = &s.ctx().time_zone;
    let value = match type_name {
        "date" => date(s, text),
        "timestamp_ntz" => ntz(s, text),
        "timestamp" if s.timestamp_is_ntz && !names_zone(text) => ntz(s, text),
        "timestamp" | "timestamp_ltz" => special(s, text)
            .map(|t| t.instant(zone))
            .or_else(|| parse_timestamp(text, zone))
            .map(|v| timestamp(v, DataType::Timestamp)),
        _ => return vonk_error::internal_err!("a literal of type {type_name}"),
    };
    let Some(value) = value else {
        return Err(Error::new("INVALID_TYPED_LITERAL")
            .with("valueType", quoted(&type_name.to_uppercase()))
            .with("value", vonk_types::sql_literal::quote_string(text))
            .at(span));
    };
    literal(s, &value, span)
}

fn date(s: &Session<'_>, text: &str) -> Option<Literal> {
    let days = match special(s, text) {
        Some(t) => i32::try_from(t.local(&s.ctx().time_zone).div_euclid(DAY)).ok()?,
        None => parse_date(text)?,
    };
    Some(Literal::new(ScalarValue::Date32(Some(days)), DataType::Date))
}

fn ntz(s: &Session<'_>, text: &str) -> Option<Literal> {
    let micros = match special(s, text) {
        Some(t) => t.local(&s.ctx().time_zone),
        None => parse_timestamp_ntz(text)?,
    };
    Some(timestamp(micros, DataType::TimestampNtz))
}

fn timestamp(micros: i64, t: DataType) -> Literal {
    let zone = match t.to_arrow() {
        arrow::datatypes::DataType::Timestamp(_, zone) => zone,
        _ => None,
    };
    Literal::new(ScalarValue::TimestampMicrosecond(Some(micros), zone), t)
}

/// A value that has a name.
enum Special {
    /// An instant, microseconds UTC.
    Instant(i64),
    /// A midnight of the session's clock, microseconds.
    Midnight(i64),
}

impl Special {
    fn instant(&self, zone: &SessionZone) -> i64 {
        match self {
            Special::Instant(t) => *t,
            Special::Midnight(t) => vonk_types::datetime::local_to_utc(*t, zone),
        }
    }

    fn local(&self, zone: &SessionZone) -> i64 {
        match self {
            Special::Instant(0) => 0,
            Special::Instant(t) => utc_to_local(*t, zone),
            Special::Midnight(t) => *t,
        }
    }
}

/// `now`, `today`, `tomorrow`, `yesterday`, `epoch`.
fn special(s: &Session<'_>, text: &str) -> Option<Special> {
    let now = s.ctx().query_start_micros;
    let midnight = |days: i64| {
        let today = utc_to_local(now, &s.ctx().time_zone).div_euclid(DAY);
        Some(Special::Midnight((today + days) * DAY))
    };
    match text.trim().to_ascii_lowercase().as_str() {
        "epoch" => Some(Special::Instant(0)),
        "now" => Some(Special::Instant(now)),
        "today" => midnight(0),
        "tomorrow" => midnight(1),
        "yesterday" => midnight(-1),
        _ => None,
    }
}

/// Whether the text of a timestamp says its zone: then the session's zone does not matter.
fn names_zone(text: &str) -> bool {
    let at = |id: &str| SessionZone::parse(id).and_then(|z| parse_timestamp(text, &z));
    match (at("+00:00"), at("+01:00")) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}
