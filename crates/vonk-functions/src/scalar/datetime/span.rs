//! Timestamps by units: `timestampadd`, `timestampdiff`.
//!
//! The unit is a word without quotes in SQL; it comes here as a constant string.

use super::{MOST_DAYS, docs, literal_text, zone_of};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use vonk_error::{Error, Result};
use vonk_types::context::SessionZone;
use vonk_types::datetime::{
    MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, civil_from_days,
    timestamp_add_days, timestamp_add_months,
};
use vonk_types::{DataType, ScalarValue};

const ADD: Docs = docs(
    "timestampadd(unit, quantity, timestamp)",
    "The timestamp so many units later; days and longer units keep the time of day.",
    "3.3.0",
    &[
        ex("SELECT timestampadd(HOUR, 8, timestamp_ntz'2022-02-11 20:30:00')", "2022-02-12 04:30:00"),
        ex("SELECT timestampadd(MONTH, -1, timestamp'2022-03-31 00:00:00')", "2022-02-28 00:00:00"),
    ],
);
const DIFF: Docs = docs(
    "timestampdiff(unit, start, end)",
    "Whole units from one timestamp to another.",
    "3.3.0",
    &[
        ex(
            "SELECT timestampdiff(HOUR, timestamp_ntz'2022-02-11 20:30:00', timestamp_ntz'2022-02-12 04:30:00')",
            "8",
        ),
        ex(
            "SELECT timestampdiff(MONTH, timestamp'2022-01-01 00:00:00', timestamp'2022-02-28 00:00:00')",
            "1",
        ),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let three = Arity::exactly(3);
    vec![
        ScalarFunction::new("timestampadd", ADD, three, resolve_add, add),
        ScalarFunction::new("timestampdiff", DIFF, three, resolve_diff, diff),
    ]
}

/// Units: microseconds, days or months.
#[derive(Clone, Copy)]
enum Unit {
    Micros(i64),
    Days(i64),
    Months(i64),
}

fn unit(name: &str) -> Option<Unit> {
    Some(match name.to_ascii_uppercase().as_str() {
        "MICROSECOND" => Unit::Micros(1),
        "MILLISECOND" => Unit::Micros(1000),
        "SECOND" => Unit::Micros(MICROS_PER_SECOND),
        "MINUTE" => Unit::Micros(MICROS_PER_MINUTE),
        "HOUR" => Unit::Micros(MICROS_PER_HOUR),
        "DAY" | "DAYOFYEAR" => Unit::Days(1),
        "WEEK" => Unit::Days(7),
        "MONTH" => Unit::Months(1),
        "QUARTER" => Unit::Months(3),
        "YEAR" => Unit::Months(12),
        _ => return None,
    })
}

fn check_unit(site: &CallSite<'_>, function: &str) -> Result<()> {
    let name = match site.args[0].literal.as_ref().map(|l| &l.value) {
        Some(ScalarValue::Utf8View(Some(name))) => name.as_str(),
        _ => "",
    };
    if unit(name).is_some() {
        return Ok(());
    }
    Err(Error::new("INVALID_PARAMETER_VALUE.DATETIME_UNIT")
        .with("functionName", format!("`{function}`"))
        .with("parameter", "`unit`")
        .with("invalidValue", format!("'{name}'"))
        .at(site.span))
}

/// Spark's error for an argument of the wrong type; the unit is no argument to it.
fn wrong(site: &CallSite<'_>, i: usize, required: &str) -> Error {
    let arg = &site.args[i];
    Error::new("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
        .with("paramIndex", if i == 1 { "first" } else { "second" })
        .with("requiredType", required)
        .with("inputSql", format!("\"{}\"", arg.sql))
        .with("inputType", format!("\"{}\"", arg.data_type.sql()))
        .at(site.span)
}

pub(super) fn resolve_add(site: &CallSite<'_>) -> Result<Resolution> {
    check_unit(site, site.called_as)?;
    let quantity = site.implicit(1, &DataType::Long).map_err(|_| wrong(site, 1, "\"BIGINT\""))?;
    let timestamp = site
        .any_timestamp(2)
        .map_err(|_| wrong(site, 2, "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\""))?;
    site.returns(vec![DataType::String, quantity, timestamp.clone()], timestamp)
}

pub(super) fn resolve_diff(site: &CallSite<'_>) -> Result<Resolution> {
    check_unit(site, site.called_as)?;
    let timestamp = |i: usize| match site.arg_type(i) {
        DataType::TimestampNtz => Ok(DataType::TimestampNtz),
        _ => site.implicit(i, &DataType::Timestamp).map_err(|_| wrong(site, i, "\"TIMESTAMP\"")),
    };
    let (start, end) = (timestamp(1)?, timestamp(2)?);
    // Timestamps without zone are compared as they stand only with each other.
    let both = if start == end { start } else { DataType::Timestamp };
    site.returns(vec![DataType::String, both.clone(), both], DataType::Long)
}

/// The unit of a call; checked when it was resolved.
fn unit_of<'a>(call: &'a KernelCall<'_>) -> Option<(&'a str, Unit)> {
    let names = call.args[0].values().as_string_view_opt().filter(|n| n.is_valid(0))?;
    Some((names.value(0), unit(names.value(0))?))
}

pub(super) fn add(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let Some((name, unit)) = unit_of(call) else { return Ok(call.all_null()) };
    let (quantities, timestamps) = (call.values::<Int64Type>(1), call.values::<TimestampMicrosecondType>(2));
    let utc = SessionZone::utc();
    let zone = if call.arg_types[2] == DataType::TimestampNtz { &utc } else { &call.ctx.time_zone };
    call.each::<TimestampMicrosecondType>(|row| {
        let (n, micros) = (quantities.get(row), timestamps.get(row));
        let small = |of: i64| n.checked_mul(of).and_then(|n| i32::try_from(n).ok());
        let sum = match unit {
            Unit::Micros(of) => n.checked_mul(of).and_then(|n| micros.checked_add(n)),
            Unit::Days(of) => small(of)
                .filter(|days| days.unsigned_abs() <= MOST_DAYS.unsigned_abs())
                .and_then(|days| timestamp_add_days(micros, days, zone)),
            Unit::Months(of) => small(of).and_then(|months| timestamp_add_months(micros, months, zone)),
        };
        match sum {
            Some(sum) => Ok(Some(sum)),
            None => {
                let (n, to) = (literal_text(call, 1, row), literal_text(call, 2, row));
                Err(Error::new("DATETIME_OVERFLOW").with("operation", format!("add {n} {name} to {to}")))
            }
        }
    })
}

pub(super) fn diff(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let Some((_, unit)) = unit_of(call) else { return Ok(call.all_null()) };
    let (starts, ends) =
        (call.values::<TimestampMicrosecondType>(1), call.values::<TimestampMicrosecondType>(2));
    let zone = zone_of(call, &call.arg_types[1]);
    call.every::<Int64Type>(|row| {
        let (start, end) = (zone.utc_to_local(starts.get(row)), zone.utc_to_local(ends.get(row)));
        let micros = end.wrapping_sub(start);
        match unit {
            Unit::Micros(of) => micros / of,
            Unit::Days(of) => micros / (of * MICROS_PER_DAY),
            Unit::Months(of) => whole_months(start, end) / of,
        }
    })
}

/// Months from one local time to another; an incomplete one does not count.
fn whole_months(start: i64, end: i64) -> i64 {
    let split = |micros: i64| {
        let (y, m, d) = civil_from_days(micros.div_euclid(MICROS_PER_DAY) as i32);
        (i64::from(y) * 12 + i64::from(m), (i64::from(d), micros.rem_euclid(MICROS_PER_DAY)))
    };
    let ((months1, rest1), (months2, rest2)) = (split(start), split(end));
    let months = months2 - months1;
    match months {
        1.. if rest2 < rest1 => months - 1,
        ..=-1 if rest2 > rest1 => months + 1,
        _ => months,
    }
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;
    use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};
    use std::sync::Arc;
    use vonk_types::DataType;
    use vonk_types::datetime::parse_timestamp;

    fn ts(text: &str) -> Column {
        let micros = parse_timestamp(text, &context().time_zone);
        (Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC")), DataType::Timestamp)
    }

    fn add(unit: &str, n: i64, text: &str) -> vonk_error::Result<String> {
        let n = (Arc::new(Int64Array::from(vec![n])) as ArrayRef, DataType::Long);
        Ok(run("timestampadd", &[string_column(&[Some(unit)]), n, ts(text)])?.remove(0))
    }

    fn diff(unit: &str, start: &str, end: &str) -> String {
        run("timestampdiff", &[string_column(&[Some(unit)]), ts(start), ts(end)]).unwrap().remove(0)
    }

    // Asked of Spark, and written here in UTC.
    #[test]
    fn adds() {
        assert_eq!(add("hour", 24, "2020-03-07 10:00:00").unwrap(), "2020-03-08T18:00:00Z");
        assert_eq!(add("DAY", 1, "2020-03-07 10:00:00").unwrap(), "2020-03-08T17:00:00Z");
        assert_eq!(add("day", 1, "2020-03-07 02:30:00").unwrap(), "2020-03-08T10:30:00Z");
        assert_eq!(add("quarter", 1, "2020-01-31").unwrap(), "2020-04-30T07:00:00Z");
        let e = add("month", 3_000_000_000, "2020-01-31 10:00:00").unwrap_err();
        let operation = "add 3000000000L month to TIMESTAMP '2020-01-31 10:00:00'";
        assert_eq!(e.params().next(), Some(("operation", operation)));
        assert_eq!(
            add("eon", 1, "2020-01-31").unwrap_err().condition(),
            "INVALID_PARAMETER_VALUE.DATETIME_UNIT"
        );
    }

    #[test]
    fn differences() {
        let (a, b) = ("2020-01-31 10:00:00", "2019-01-31 10:00:01");
        assert_eq!((diff("quarter", a, b), diff("week", a, b)), ("-3".into(), "-52".into()));
        let (a, b) = ("2020-03-07 10:00:00", "2020-03-08 09:00:00.999");
        assert_eq!(diff("day", a, b), "0");
        assert_eq!(diff("second", a, b), "82800");
        assert_eq!(diff("microsecond", a, b), "82800999000");
        assert_eq!(diff("year", "2020-02-29", "2021-02-28"), "0");
        assert_eq!(diff("month", "2020-01-31", "2020-03-30"), "1");
    }
}
