//! CAST and TRY_CAST.

use crate::session::Session;
use crate::typed::{Typed, mismatch, quoted_type};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::Expr;
use vonk_plan::unresolved::TypeRef;
use vonk_types::cast::can_cast;
use vonk_types::{CastMode, DataType, StructField, StructType};

/// `CAST(x AS t)`, `TRY_CAST(x AS t)`.
pub(crate) fn cast(s: &Session<'_>, x: Typed, to: &TypeRef, try_cast: bool, span: Span) -> Result<Typed> {
    if to.default_timestamp && s.timestamp_is_ntz {
        return cast_to(s, x, &without_zone(&to.data_type), try_cast, span);
    }
    cast_to(s, x, &to.data_type, try_cast, span)
}

/// A cast that the user wrote, to a type that needs no looking at the session.
pub(crate) fn cast_to(s: &Session<'_>, x: Typed, to: &DataType, try_cast: bool, span: Span) -> Result<Typed> {
    // Spark has no text for a cast to a nested type.
    let sql = if to.is_nested() {
        x.sql.clone()
    } else {
        format!("{}({} AS {})", if try_cast { "TRY_CAST" } else { "CAST" }, x.sql, to.sql())
    };
    let mode = if try_cast { CastMode::Try } else { s.cast_mode() };
    if let Some(expected) = s.expected {
        expected.cast(&x.expr, x.span, to);
    }
    checked(x, to, mode, sql, false, span)
}

/// A cast by a function named as the type: `int(x)`. Its text is that of its argument.
pub(crate) fn cast_by_name(s: &Session<'_>, x: Typed, to: &DataType, span: Span) -> Result<Typed> {
    let sql = x.sql.clone();
    checked(x, to, s.cast_mode(), sql, true, span)
}

fn checked(
    x: Typed,
    to: &DataType,
    mode: CastMode,
    sql: String,
    implicit: bool,
    span: Span,
) -> Result<Typed> {
    let from = x.data_type();
    if !can_cast(&from, to, mode) {
        return Err(refused(&from, to, mode, &sql, span));
    }
    let expr = Expr::Cast { expr: Box::new(x.expr), to: to.clone(), mode, implicit, span };
    Ok(Typed::new(expr, sql, span))
}

/// Spark's error for a cast that is not allowed, with what helps.
fn refused(from: &DataType, to: &DataType, mode: CastMode, sql: &str, span: Span) -> Error {
    let error = |condition| {
        mismatch(condition, sql, span).with("srcType", quoted_type(from)).with("targetType", quoted_type(to))
    };
    if mode == CastMode::Legacy {
        return error("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION");
    }
    let functions = match (from, to) {
        (t, DataType::Timestamp) if t.is_numeric() => {
            "`TIMESTAMP_SECONDS`/`TIMESTAMP_MILLIS`/`TIMESTAMP_MICROS`"
        }
        (DataType::Timestamp, t) if t.is_numeric() => "`UNIX_SECONDS`/`UNIX_MILLIS`/`UNIX_MICROS`",
        (t, DataType::Date) if t.is_numeric() => "`DATE_FROM_UNIX_DATE`",
        (DataType::Date, t) if t.is_numeric() => "`UNIX_DATE`",
        _ if mode == CastMode::Ansi && can_cast(from, to, CastMode::Legacy) => {
            return error("DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION")
                .with("config", "\"spark.sql.ansi.enabled\"")
                .with("configVal", "'false'");
        }
        _ => return error("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"),
    };
    error("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION").with("functionNames", functions)
}

/// The type where plain `timestamp` means the one without zone.
fn without_zone(t: &DataType) -> DataType {
    match t {
        DataType::Timestamp => DataType::TimestampNtz,
        DataType::Array(e, null) => DataType::Array(Arc::new(without_zone(e)), *null),
        DataType::Map(k, v, null) => {
            DataType::Map(Arc::new(without_zone(k)), Arc::new(without_zone(v)), *null)
        }
        DataType::Struct(s) => {
            let fields: Vec<StructField> = s
                .fields
                .iter()
                .map(|f| StructField::new(f.name.clone(), without_zone(&f.data_type), f.nullable))
                .collect();
            DataType::Struct(StructType::new(fields))
        }
        other => other.clone(),
    }
}
