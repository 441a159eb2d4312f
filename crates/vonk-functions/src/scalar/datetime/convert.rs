//! Dates and timestamps from text and to text: `to_date`, `to_timestamp`, `unix_timestamp`, `from_unixtime`, `date_format` and
//! their kin.

use super::pattern::cannot_parse;
use super::{Cached, Moment, Parsed, Pattern, Purpose, docs};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::{LONG, STR, Takes};
use crate::scalar::{Display, ScalarFunction, Volatility};
use arrow::array::ArrayRef;
use arrow::datatypes::*;
use vonk_error::Result;
use vonk_types::CastMode;
use vonk_types::DataType as SparkType;
use vonk_types::cast::cast_array;
use vonk_types::datetime::{MICROS_PER_SECOND, Zone};

const TO_DATE: Docs = docs(
    "to_date(expr[, fmt])",
    "The date that a text says, as a cast reads it or by a pattern.",
    "1.5.0",
    &[
        ex("SELECT to_date('2009-07-30 04:17:52')", "2009-07-30"),
        ex("SELECT to_date('2016-12-31', 'yyyy-MM-dd')", "2016-12-31"),
    ],
);
const TRY_TO_DATE: Docs = docs(
    "try_to_date(expr[, fmt])",
    "As to_date, null for a text that is no date.",
    "4.0.0",
    &[
        ex("SELECT try_to_date('2016-12-31', 'yyyy-MM-dd')", "2016-12-31"),
        ex("SELECT try_to_date('foo', 'yyyy-MM-dd')", "NULL"),
    ],
);
const TO_TIMESTAMP: Docs = docs(
    "to_timestamp(expr[, fmt])",
    "The timestamp that a text says, as a cast reads it or by a pattern.",
    "2.2.0",
    &[
        ex("SELECT to_timestamp('2016-12-31 00:12:00')", "2016-12-31 00:12:00"),
        ex("SELECT to_timestamp('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00"),
    ],
);
const TO_TIMESTAMP_LTZ: Docs = docs(
    "to_timestamp_ltz(expr[, fmt])",
    "The timestamp that a text says in the session's zone.",
    "3.4.0",
    &[ex("SELECT to_timestamp_ltz('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00")],
);
const TO_TIMESTAMP_NTZ: Docs = docs(
    "to_timestamp_ntz(expr[, fmt])",
    "The timestamp without zone that a text says.",
    "3.4.0",
    &[ex("SELECT to_timestamp_ntz('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00")],
);
const TRY_TO_TIMESTAMP: Docs = docs(
    "try_to_timestamp(expr[, fmt])",
    "As to_timestamp, null for a text that is no timestamp.",
    "3.5.0",
    &[
        ex("SELECT try_to_timestamp('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00"),
        ex("SELECT try_to_timestamp('foo', 'yyyy-MM-dd')", "NULL"),
    ],
);
const UNIX_TIMESTAMP: Docs = docs(
    "unix_timestamp([expr[, fmt]])",
    "Seconds since 1970-01-01 00:00:00 UTC of a timestamp or of a text by a pattern; of now without arguments.",
    "1.5.0",
    &[ex("SELECT unix_timestamp('2016-04-08', 'yyyy-MM-dd')", "1460098800")],
);
const TO_UNIX_TIMESTAMP: Docs = docs(
    "to_unix_timestamp(expr[, fmt])",
    "Seconds since 1970-01-01 00:00:00 UTC of a timestamp or of a text by a pattern.",
    "1.6.0",
    &[ex("SELECT to_unix_timestamp('2016-04-08', 'yyyy-MM-dd')", "1460098800")],
);
const FROM_UNIXTIME: Docs = docs(
    "from_unixtime(seconds[, fmt])",
    "The text of the timestamp so many seconds after 1970-01-01 00:00:00 UTC.",
    "1.5.0",
    &[ex("SELECT from_unixtime(0, 'yyyy-MM-dd HH:mm:ss')", "1969-12-31 16:00:00")],
);
const DATE_FORMAT: Docs = docs(
    "date_format(timestamp, fmt)",
    "The text of a timestamp by a pattern.",
    "1.5.0",
    &[
        ex("SELECT date_format('2016-04-08', 'y')", "2016"),
        ex(
            "SELECT date_format(TIMESTAMP'2020-01-02 03:04:05', 'EEE, d MMM yyyy HH:mm')",
            "Thu, 2 Jan 2020 03:04",
        ),
    ],
);

/// The pattern where none is given.
const DEFAULT: &str = "yyyy-MM-dd HH:mm:ss";

pub(super) fn rows() -> Vec<ScalarFunction> {
    let one_or_two = Arity::between(1, 2);
    let to = |name, docs, resolve, kernel| ScalarFunction::new(name, docs, one_or_two, resolve, kernel);
    vec![
        to("to_date", TO_DATE, |s| resolve(s, SparkType::Date, false), |c| convert(c, false)),
        to("try_to_date", TRY_TO_DATE, |s| resolve(s, SparkType::Date, true), |c| convert(c, true)),
        to("to_timestamp", TO_TIMESTAMP, |s| resolve(s, SparkType::Timestamp, false), |c| convert(c, false)),
        to(
            "to_timestamp_ltz",
            TO_TIMESTAMP_LTZ,
            |s| resolve(s, SparkType::Timestamp, false),
            |c| convert(c, false),
        ),
        to(
            "to_timestamp_ntz",
            TO_TIMESTAMP_NTZ,
            |s| resolve(s, SparkType::TimestampNtz, false),
            |c| convert(c, false),
        ),
        to(
            "try_to_timestamp",
            TRY_TO_TIMESTAMP,
            |s| resolve(s, SparkType::Timestamp, true),
            |c| convert(c, true),
        ),
        ScalarFunction {
            volatility: Volatility::Stable,
            display: Display::Custom(unix_text),
            ..ScalarFunction::new("unix_timestamp", UNIX_TIMESTAMP, Arity::between(0, 2), resolve_unix, unix)
        },
        ScalarFunction {
            display: Display::Custom(unix_text),
            ..to("to_unix_timestamp", TO_UNIX_TIMESTAMP, resolve_unix, unix)
        },
        ScalarFunction {
            display: Display::Custom(with_default),
            ..to("from_unixtime", FROM_UNIXTIME, resolve_from_unix, from_unix)
        },
        ScalarFunction::new("date_format", DATE_FORMAT, Arity::exactly(2), resolve_format, |c| {
            let micros = c.values::<TimestampMicrosecondType>(0);
            format(c, |row| micros.get(row))
        }),
    ]
}

/// Calls show the pattern that they do without.
fn with_default(called_as: &str, args: &[String]) -> String {
    match args {
        [only] => format!("{called_as}({only}, {DEFAULT})"),
        _ => format!("{called_as}({})", args.join(", ")),
    }
}

fn unix_text(called_as: &str, args: &[String]) -> String {
    match args {
        [] => format!("{called_as}(current_timestamp(), {DEFAULT})"),
        _ => with_default(called_as, args),
    }
}

/// Text stays text if a pattern or care is called for; all else is cast.
fn resolve(site: &CallSite<'_>, to: SparkType, lenient: bool) -> Result<Resolution> {
    let from = site.arg_type(0);
    let castable = from.is_datetime() || matches!(from, SparkType::Null);
    let first = match from {
        SparkType::String if lenient || site.args.len() > 1 => SparkType::String,
        SparkType::String => to.clone(),
        _ if castable => to.clone(),
        t if t.is_numeric() && to == SparkType::Timestamp && site.args.len() == 1 => to.clone(),
        _ => site.implicit_or(
            0,
            &SparkType::String,
            "(\"STRING\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\")",
        )?,
    };
    let mut types = vec![first];
    if site.args.len() > 1 {
        types.push(site.implicit(1, &SparkType::String)?);
    }
    if lenient || !site.ctx.ansi { site.returns_null(types, to) } else { site.returns(types, to) }
}

fn convert(call: &KernelCall<'_>, lenient: bool) -> Result<ArrayRef> {
    let to = call.return_type;
    if call.arg_types[0] == *to {
        // Nothing to do, but a null pattern makes nulls.
        return match to {
            SparkType::Date => {
                let days = call.values::<Date32Type>(0);
                call.every::<Date32Type>(|row| days.get(row))
            }
            _ => {
                let micros = call.values::<TimestampMicrosecondType>(0);
                call.every::<TimestampMicrosecondType>(|row| micros.get(row))
            }
        };
    }
    if call.args.len() == 1 {
        let mode = match (lenient, call.ctx.ansi) {
            (true, _) => CastMode::Try,
            (false, true) => CastMode::Ansi,
            (false, false) => CastMode::Legacy,
        };
        return cast_array(&call.args[0].to_array(call.rows)?, &call.arg_types[0], to, mode, call.ctx);
    }
    let zone = Zone::of(&call.ctx.time_zone);
    let suggestion = if *to == SparkType::Date { "try_to_date" } else { "try_to_timestamp" };
    let failure = Failure { lenient: lenient || !call.ctx.ansi, suggestion };
    match to {
        SparkType::Date => {
            read::<Date32Type>(call, failure, |parsed| Ok(zone.day_of(parsed.instant(&zone)?)))
        }
        SparkType::TimestampNtz => read::<TimestampMicrosecondType>(call, failure, Parsed::local),
        _ => read::<TimestampMicrosecondType>(call, failure, |parsed| parsed.instant(&zone)),
    }
}

/// What becomes of a text that does not fit.
#[derive(Clone, Copy)]
struct Failure {
    /// Null.
    lenient: bool,
    /// The function that is lenient.
    suggestion: &'static str,
}

/// Reads texts (argument 0) by patterns (argument 1, or the default).
fn read<T: ArrowPrimitiveType>(
    call: &KernelCall<'_>,
    failure: Failure,
    make: impl Fn(&Parsed) -> Result<T::Native, String>,
) -> Result<ArrayRef> {
    let texts = call.strings(0);
    let patterns = (call.args.len() > 1).then(|| call.strings(1));
    let mut cached = Cached::new();
    call.each::<T>(|row| {
        let pattern = patterns.map_or(DEFAULT, |p| p.get(row));
        let pattern = cached.get(pattern, |p| Pattern::new(p, Purpose::Parse))?;
        match pattern.parse(texts.get(row)).and_then(|parsed| make(&parsed)) {
            Ok(value) => Ok(Some(value)),
            Err(_) if failure.lenient => Ok(None),
            Err(message) => Err(cannot_parse(message, failure.suggestion)),
        }
    })
}

fn resolve_unix(site: &CallSite<'_>) -> Result<Resolution> {
    let mut types = Vec::new();
    if let Some(first) = site.args.first() {
        types.push(match &first.data_type {
            SparkType::Date | SparkType::Timestamp => SparkType::Timestamp,
            t @ (SparkType::String | SparkType::TimestampNtz) => t.clone(),
            SparkType::Null => SparkType::String,
            _ => {
                let required = "(\"STRING\" or \"DATE\" or \"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \
                                \"(TIMESTAMP_LTZ(P) OR TIMESTAMP_NTZ(P) WITH P IN [7, 9])\")";
                return Err(site.unexpected_type(0, required));
            }
        });
    }
    if site.args.len() > 1 {
        types.push(site.implicit(1, &SparkType::String)?);
    }
    if site.ctx.ansi {
        site.returns(types, SparkType::Long)
    } else {
        site.returns_null(types, SparkType::Long)
    }
}

fn unix(call: &KernelCall<'_>) -> Result<ArrayRef> {
    match call.arg_types.first() {
        None => call.every::<Int64Type>(|_| call.ctx.query_start_micros.div_euclid(MICROS_PER_SECOND)),
        Some(SparkType::String) => {
            let zone = Zone::of(&call.ctx.time_zone);
            let failure = Failure { lenient: !call.ctx.ansi, suggestion: "try_to_timestamp" };
            read::<Int64Type>(call, failure, |parsed| {
                Ok(parsed.instant(&zone)?.div_euclid(MICROS_PER_SECOND))
            })
        }
        Some(_) => {
            let micros = call.values::<TimestampMicrosecondType>(0);
            call.every::<Int64Type>(|row| micros.get(row).div_euclid(MICROS_PER_SECOND))
        }
    }
}

fn resolve_from_unix(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[LONG, STR])?;
    site.returns(types, SparkType::String)
}

fn from_unix(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let seconds = call.values::<Int64Type>(0);
    format(call, |row| seconds.get(row).wrapping_mul(MICROS_PER_SECOND))
}

fn resolve_format(site: &CallSite<'_>) -> Result<Resolution> {
    let required =
        "(\"TIMESTAMP\" or \"TIME\" or \"(TIMESTAMP_LTZ(P) OR TIMESTAMP_NTZ(P) WITH P IN [7, 9])\")";
    let timestamp = site.implicit_or(0, &SparkType::Timestamp, required)?;
    let pattern = site.take_one(1, &Takes::To(SparkType::String))?;
    site.returns(vec![timestamp, pattern], SparkType::String)
}

/// Writes instants by the pattern of argument 1, or the default.
fn format(call: &KernelCall<'_>, micros: impl Fn(usize) -> i64) -> Result<ArrayRef> {
    if call.strict_nulls().is_none() {
        return Ok(call.all_null());
    }
    let patterns = (call.args.len() > 1).then(|| call.strings(1));
    let mut cached = Cached::new();
    let zone = Zone::of(&call.ctx.time_zone);
    call.each_str(|row, out| {
        let pattern = patterns.map_or(DEFAULT, |p| p.get(row));
        let pattern = cached.get(pattern, |p| Pattern::new(p, Purpose::Format))?;
        Ok(pattern.format(&Moment::new(micros(row), &call.ctx.time_zone, &zone), out))
    })
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;
    use arrow::array::{ArrayRef, Int64Array};
    use std::sync::Arc;
    use vonk_types::{DataType, EvalContext};

    #[test]
    fn by_patterns() {
        let texts = || string_column(&[Some("31/12/2016"), None, Some("x")]);
        let fmt = || string_column(&[Some("dd/MM/yyyy")]);
        let e = run("to_date", &[texts(), fmt()]).unwrap_err();
        let params: Vec<_> = e.params().collect();
        assert_eq!(params[0], ("message", "Text 'x' could not be parsed at index 0"));
        assert_eq!(params[1], ("func", "`try_to_date`"));
        assert_eq!(run("try_to_date", &[texts(), fmt()]).unwrap(), ["2016-12-31", "null", "null"]);
        let before = EvalContext { ansi: false, ..context() };
        assert_eq!(
            run_in(&before, "to_timestamp", &[texts(), fmt()], &[]).unwrap(),
            ["2016-12-31T08:00:00Z", "null", "null"]
        );
        assert_eq!(
            run_in(&before, "to_unix_timestamp", &[texts(), fmt()], &[]).unwrap(),
            ["1483171200", "null", "null"]
        );
        let bad = string_column(&[Some("bad")]);
        let e = run_in(&before, "try_to_timestamp", &[texts(), bad], &[]).unwrap_err();
        assert_eq!(e.condition(), "INVALID_DATETIME_PATTERN.WITH_SUGGESTION");
    }

    #[test]
    fn texts_of_seconds() {
        let seconds = || (Arc::new(Int64Array::from(vec![Some(0), None])) as ArrayRef, DataType::Long);
        assert_eq!(run("from_unixtime", &[seconds()]).unwrap(), ["1969-12-31 16:00:00", "null"]);
        let hours = string_column(&[Some("HH")]);
        assert_eq!(run("from_unixtime", &[seconds(), hours]).unwrap(), ["16", "null"]);
        let null = string_column(&[None]);
        assert_eq!(run("from_unixtime", &[seconds(), null]).unwrap(), ["null", "null"]);
    }
}
