//! Dates and timestamps as numbers since 1970-01-01, and back.

use super::{docs, literal_text};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::*;
use vonk_error::{Error, Result};
use vonk_types::DataType as SparkType;

const UNIX_DATE: Docs = docs(
    "unix_date(date)",
    "Days since 1970-01-01.",
    "3.1.0",
    &[ex("SELECT unix_date(DATE('1970-01-02'))", "1")],
);
const DATE_FROM: Docs = docs(
    "date_from_unix_date(days)",
    "The date so many days after 1970-01-01.",
    "3.1.0",
    &[ex("SELECT date_from_unix_date(1)", "1970-01-02")],
);
const UNIX_SECONDS: Docs = docs(
    "unix_seconds(timestamp)",
    "Seconds since 1970-01-01 00:00:00 UTC, rounded down.",
    "3.1.0",
    &[ex("SELECT unix_seconds(TIMESTAMP('1970-01-01 00:00:01Z'))", "1")],
);
const UNIX_MILLIS: Docs = docs(
    "unix_millis(timestamp)",
    "Milliseconds since 1970-01-01 00:00:00 UTC, rounded down.",
    "3.1.0",
    &[ex("SELECT unix_millis(TIMESTAMP('1970-01-01 00:00:01Z'))", "1000")],
);
const UNIX_MICROS: Docs = docs(
    "unix_micros(timestamp)",
    "Microseconds since 1970-01-01 00:00:00 UTC.",
    "3.1.0",
    &[ex("SELECT unix_micros(TIMESTAMP('1970-01-01 00:00:01Z'))", "1000000")],
);
const SECONDS: Docs = docs(
    "timestamp_seconds(seconds)",
    "The timestamp so many seconds after 1970-01-01 00:00:00 UTC; the number may have a fraction.",
    "3.1.0",
    &[
        ex("SELECT timestamp_seconds(1230219000)", "2008-12-25 07:30:00"),
        ex("SELECT timestamp_seconds(1230219000.123)", "2008-12-25 07:30:00.123"),
    ],
);
const MILLIS: Docs = docs(
    "timestamp_millis(milliseconds)",
    "The timestamp so many milliseconds after 1970-01-01 00:00:00 UTC.",
    "3.1.0",
    &[ex("SELECT timestamp_millis(1230219000123)", "2008-12-25 07:30:00.123")],
);
const MICROS: Docs = docs(
    "timestamp_micros(microseconds)",
    "The timestamp so many microseconds after 1970-01-01 00:00:00 UTC.",
    "3.1.0",
    &[ex("SELECT timestamp_micros(1230219000123123)", "2008-12-25 07:30:00.123123")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let one = Arity::exactly(1);
    let sure = |f: ScalarFunction| ScalarFunction { can_fail: false, ..f };
    let of_timestamp =
        |name, docs, kernel| sure(ScalarFunction::new(name, docs, one, resolve_timestamp, kernel));
    vec![
        sure(ScalarFunction::new("unix_date", UNIX_DATE, one, resolve_date, |c| {
            let days = c.values::<Date32Type>(0);
            c.every::<Int32Type>(|row| days.get(row))
        })),
        sure(ScalarFunction::new("date_from_unix_date", DATE_FROM, one, resolve_days, |c| {
            let days = c.values::<Int32Type>(0);
            c.every::<Date32Type>(|row| days.get(row))
        })),
        of_timestamp("unix_seconds", UNIX_SECONDS, |c| since(c, 1_000_000)),
        of_timestamp("unix_millis", UNIX_MILLIS, |c| since(c, 1000)),
        of_timestamp("unix_micros", UNIX_MICROS, |c| since(c, 1)),
        ScalarFunction::new("timestamp_seconds", SECONDS, one, resolve_seconds, seconds),
        ScalarFunction::new("timestamp_millis", MILLIS, one, resolve_integral, |c| {
            after(c, 1000, "milliseconds")
        }),
        ScalarFunction::new("timestamp_micros", MICROS, one, resolve_integral, |c| {
            after(c, 1, "microseconds")
        }),
    ]
}

fn resolve_date(site: &CallSite<'_>) -> Result<Resolution> {
    match site.arg_type(0) {
        SparkType::Date | SparkType::Null => site.returns(vec![SparkType::Date], SparkType::Int),
        _ => Err(site.unexpected_type(0, "\"DATE\"")),
    }
}

fn resolve_days(site: &CallSite<'_>) -> Result<Resolution> {
    let days = site.implicit(0, &SparkType::Int)?;
    site.returns(vec![days], SparkType::Date)
}

fn resolve_timestamp(site: &CallSite<'_>) -> Result<Resolution> {
    let t = match site.arg_type(0) {
        SparkType::Null => SparkType::Timestamp,
        t @ (SparkType::Timestamp | SparkType::TimestampNtz) => t.clone(),
        _ => {
            let required = "(\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\" or \
                            \"(TIMESTAMP_LTZ(P) OR TIMESTAMP_NTZ(P) WITH P IN [7, 9])\")";
            return Err(site.unexpected_type(0, required));
        }
    };
    site.returns(vec![t], SparkType::Long)
}

fn since(call: &KernelCall<'_>, unit: i64) -> Result<ArrayRef> {
    let micros = call.values::<TimestampMicrosecondType>(0);
    call.every::<Int64Type>(|row| micros.get(row).div_euclid(unit))
}

fn resolve_integral(site: &CallSite<'_>) -> Result<Resolution> {
    match site.arg_type(0) {
        t if t.is_integral() => site.returns(vec![t.clone()], SparkType::Timestamp),
        SparkType::Null => site.returns(vec![SparkType::Long], SparkType::Timestamp),
        _ => Err(site.unexpected_type(0, "\"INTEGRAL\"")),
    }
}

fn resolve_seconds(site: &CallSite<'_>) -> Result<Resolution> {
    match site.arg_type(0) {
        t if t.is_numeric() => site.returns_null(vec![t.clone()], SparkType::Timestamp),
        SparkType::Null => site.returns(vec![SparkType::Long], SparkType::Timestamp),
        _ => Err(site.unexpected_type(0, "\"NUMERIC\"")),
    }
}

/// Whole units after the epoch.
fn after(call: &KernelCall<'_>, unit: i64, name: &str) -> Result<ArrayRef> {
    let datum = &call.args[0];
    let wide = cast(datum.values(), &DataType::Int64)?;
    let wide = wide.as_primitive::<Int64Type>();
    call.each::<TimestampMicrosecondType>(|row| match wide.value(datum.index(row)).checked_mul(unit) {
        Some(micros) => Ok(Some(micros)),
        None => Err(overflow(call, row, name)),
    })
}

fn overflow(call: &KernelCall<'_>, row: usize, name: &str) -> Error {
    let text = literal_text(call, 0, row);
    Error::new("DATETIME_OVERFLOW")
        .with("operation", format!("create a TIMESTAMP from {text} {name} since the epoch"))
}

fn seconds(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let datum = &call.args[0];
    match &call.arg_types[0] {
        SparkType::Float | SparkType::Double => {
            let wide = cast(datum.values(), &DataType::Float64)?;
            let wide = wide.as_primitive::<Float64Type>();
            call.each::<TimestampMicrosecondType>(|row| {
                let x = wide.value(datum.index(row));
                // `as` saturates, as Java's conversion does.
                Ok(x.is_finite().then_some((x * 1e6) as i64))
            })
        }
        SparkType::Decimal(_, scale) => {
            let wide = cast(datum.values(), &DataType::Decimal128(38, *scale))?;
            let wide = wide.as_primitive::<Decimal128Type>();
            let scale = u32::from(scale.unsigned_abs());
            call.each::<TimestampMicrosecondType>(|row| {
                let x = wide.value(datum.index(row));
                let micros = if scale <= 6 {
                    x.checked_mul(10i128.pow(6 - scale))
                } else {
                    let unit = 10i128.pow(scale - 6);
                    if x % unit != 0 {
                        return Err(Error::new("_ROUNDING_NECESSARY"));
                    }
                    Some(x / unit)
                };
                match micros.and_then(|m| i64::try_from(m).ok()) {
                    Some(micros) => Ok(Some(micros)),
                    None => Err(overflow(call, row, "seconds")),
                }
            })
        }
        _ => after(call, 1_000_000, "seconds"),
    }
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;
    use arrow::array::{ArrayRef, Decimal64Array, Float64Array, Int64Array, TimestampMicrosecondArray};
    use std::sync::Arc;
    use vonk_types::DataType;

    #[test]
    fn back_and_forth() {
        let ts = |v: Vec<Option<i64>>| {
            (
                Arc::new(TimestampMicrosecondArray::from(v).with_timezone("UTC")) as ArrayRef,
                DataType::Timestamp,
            )
        };
        let before = || ts(vec![Some(-500_000), None, Some(-1)]);
        assert_eq!(run("unix_seconds", &[before()]).unwrap(), ["-1", "null", "-1"]);
        assert_eq!(run("unix_millis", &[before()]).unwrap(), ["-500", "null", "-1"]);
        let of = |a: ArrayRef, t| run("timestamp_seconds", &[(a, t)]);
        let doubles = Float64Array::from(vec![Some(1.1234567), Some(f64::NAN), None]);
        assert_eq!(
            of(Arc::new(doubles), DataType::Double).unwrap(),
            ["1970-01-01T00:00:01.123456Z", "null", "null"]
        );
        let longs = Int64Array::from(vec![i64::MAX]);
        let e = of(Arc::new(longs), DataType::Long).unwrap_err();
        let operation = "create a TIMESTAMP from 9223372036854775807L seconds since the epoch";
        assert_eq!(e.params().next(), Some(("operation", operation)));
        let fine = Decimal64Array::from(vec![11_234_567]).with_precision_and_scale(8, 7).unwrap();
        let e = of(Arc::new(fine), DataType::Decimal(8, 7)).unwrap_err();
        assert_eq!(e.condition(), "_ROUNDING_NECESSARY");
    }
}
