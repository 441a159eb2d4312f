//! `trunc`, `date_trunc`: the beginning of a unit.

use super::{docs, long_overflow};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::params::{STR, Takes};
use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, TimestampMicrosecondType};
use vonk_error::Result;
use vonk_types::DataType;
use vonk_types::datetime::{
    MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, Zone, civil_from_days,
    days_from_civil,
};

const TRUNC: Docs = docs(
    "trunc(date, fmt)",
    "The first day of the year, quarter, month or week; null for another unit.",
    "1.5.0",
    &[
        ex("SELECT trunc('2019-08-04', 'week')", "2019-07-29"),
        ex("SELECT trunc('2019-08-04', 'quarter')", "2019-07-01"),
        ex("SELECT trunc('2009-02-12', 'MM')", "2009-02-01"),
        ex("SELECT trunc('2015-10-27', 'YEAR')", "2015-01-01"),
    ],
);
const DATE_TRUNC: Docs = docs(
    "date_trunc(fmt, timestamp)",
    "The first moment of the unit, from year to microsecond; null for another unit.",
    "2.3.0",
    &[
        ex("SELECT date_trunc('YEAR', '2015-03-05T09:32:05.359')", "2015-01-01 00:00:00"),
        ex("SELECT date_trunc('DD', '2015-03-05T09:32:05.359')", "2015-03-05 00:00:00"),
        ex("SELECT date_trunc('HOUR', '2015-03-05T09:32:05.359')", "2015-03-05 09:00:00"),
        ex("SELECT date_trunc('MILLISECOND', '2015-03-05T09:32:05.123456')", "2015-03-05 09:32:05.123"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let two = Arity::exactly(2);
    let rows = [
        ScalarFunction::new("trunc", TRUNC, two, resolve_trunc, trunc),
        ScalarFunction::new("date_trunc", DATE_TRUNC, two, resolve_date_trunc, date_trunc),
    ];
    rows.into_iter().map(|f| ScalarFunction { can_fail: false, ..f }).collect()
}

/// What is truncated to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    /// Parts of a day, by their microseconds.
    Time(i64),
}

fn level(name: &str) -> Option<Level> {
    const NAMES: [(&str, Level); 15] = [
        ("YEAR", Level::Year),
        ("YYYY", Level::Year),
        ("YY", Level::Year),
        ("QUARTER", Level::Quarter),
        ("MONTH", Level::Month),
        ("MON", Level::Month),
        ("MM", Level::Month),
        ("WEEK", Level::Week),
        ("DAY", Level::Day),
        ("DD", Level::Day),
        ("HOUR", Level::Time(MICROS_PER_HOUR)),
        ("MINUTE", Level::Time(MICROS_PER_MINUTE)),
        ("SECOND", Level::Time(MICROS_PER_SECOND)),
        ("MILLISECOND", Level::Time(1000)),
        ("MICROSECOND", Level::Time(1)),
    ];
    NAMES.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, level)| *level)
}

fn resolve_trunc(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[Takes::To(DataType::Date), STR])?;
    site.returns_null(types, DataType::Date)
}

fn resolve_date_trunc(site: &CallSite<'_>) -> Result<Resolution> {
    let unit = site.implicit(0, &DataType::String)?;
    let required = "(\"TIMESTAMP\" or \"(TIMESTAMP_LTZ(P) OR TIMESTAMP_NTZ(P) WITH P IN [7, 9])\")";
    let timestamp = site.implicit_or(1, &DataType::Timestamp, required)?;
    site.returns_null(vec![unit, timestamp], DataType::Timestamp)
}

/// The first day of the unit that a day lies in.
fn first_day(days: i32, level: Level) -> i32 {
    let (y, m, _) = civil_from_days(days);
    match level {
        Level::Year => days_from_civil(y, 1, 1),
        Level::Quarter => days_from_civil(y, (m - 1) / 3 * 3 + 1, 1),
        Level::Month => days_from_civil(y, m, 1),
        Level::Week => {
            (i64::from(days) - (i64::from(days) + 3).rem_euclid(7)).max(i64::from(i32::MIN)) as i32
        }
        Level::Day | Level::Time(_) => days,
    }
}

/// The level of each row, looked up once where it is constant.
fn levels<'a>(call: &'a KernelCall<'_>, arg: usize) -> impl Fn(usize) -> Option<Level> + 'a {
    let names = call.strings(arg);
    let constant = names.constant().map(level);
    move |row| constant.unwrap_or_else(|| level(names.get(row)))
}

fn trunc(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let Some(_) = call.strict_nulls() else { return Ok(call.all_null()) };
    let (dates, level) = (call.values::<Date32Type>(0), levels(call, 1));
    call.each::<Date32Type>(|row| {
        let level = level(row).filter(|l| !matches!(l, Level::Day | Level::Time(_)));
        Ok(level.map(|level| first_day(dates.get(row), level)))
    })
}

fn date_trunc(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let Some(_) = call.strict_nulls() else { return Ok(call.all_null()) };
    let (timestamps, level) = (call.values::<TimestampMicrosecondType>(1), levels(call, 0));
    let zone = Zone::of(&call.ctx.time_zone);
    call.each::<TimestampMicrosecondType>(|row| {
        let micros = timestamps.get(row);
        match level(row) {
            None => Ok(None),
            Some(level) => first_moment(micros, level, &zone).map(Some).ok_or_else(long_overflow),
        }
    })
}

/// `None` before the first timestamp.
fn first_moment(micros: i64, level: Level, zone: &Zone) -> Option<i64> {
    let unit = match level {
        Level::Time(unit) if unit <= MICROS_PER_SECOND => {
            return micros.checked_sub(micros.rem_euclid(unit));
        }
        Level::Time(unit) => unit,
        Level::Day => MICROS_PER_DAY,
        _ => {
            let first = first_day(zone.day_of(micros), level);
            return i64::from(first).checked_mul(MICROS_PER_DAY).map(|midnight| zone.local_to_utc(midnight));
        }
    };
    // An hour that comes twice stays the one it is.
    let local = zone.utc_to_local(micros);
    let start = local.checked_sub(local.rem_euclid(unit))?;
    zone.checked_local_to_utc(start, zone.offset_at_utc(micros))
}

#[cfg(test)]
mod tests {
    use super::{first_moment, level};
    use crate::scalar::array::testing::*;
    use arrow::array::{ArrayRef, Date32Array};
    use std::sync::Arc;
    use vonk_types::DataType;
    use vonk_types::context::SessionZone;
    use vonk_types::datetime::{Zone, format_timestamp, parse_date, parse_timestamp};

    // Asked of Spark.
    #[test]
    fn moments() {
        let la = SessionZone::parse("America/Los_Angeles").unwrap();
        let zone = Zone::of(&la);
        let cut = |unit: &str, text: &str| {
            let micros = parse_timestamp(text, &la).unwrap();
            format_timestamp(first_moment(micros, level(unit).unwrap(), &zone).unwrap(), &la)
        };
        let t = "2021-08-19 12:34:56.789123";
        for (unit, expected) in [
            ("year", "2021-01-01 00:00:00"),
            ("YYYY", "2021-01-01 00:00:00"),
            ("quarter", "2021-07-01 00:00:00"),
            ("mon", "2021-08-01 00:00:00"),
            ("week", "2021-08-16 00:00:00"),
            ("dd", "2021-08-19 00:00:00"),
            ("hour", "2021-08-19 12:00:00"),
            ("minute", "2021-08-19 12:34:00"),
            ("second", "2021-08-19 12:34:56"),
            ("millisecond", "2021-08-19 12:34:56.789"),
            ("microsecond", t),
        ] {
            assert_eq!(cut(unit, t), expected, "{unit}");
        }
        assert_eq!(cut("day", "2021-03-14 05:00:00"), "2021-03-14 00:00:00");
        assert_eq!(cut("hour", "1883-11-17 01:02:03"), "1883-11-17 01:00:00");
        // The second half past one of a night on which the clocks are put back.
        let second = 1_604_223_000_000_000;
        assert_eq!(first_moment(second, level("hour").unwrap(), &zone), Some(1_604_221_200_000_000));
        assert_eq!(first_moment(second, level("day").unwrap(), &zone), Some(1_604_214_000_000_000));
    }

    #[test]
    fn units_that_are_none() {
        let d = || {
            (Arc::new(Date32Array::from(vec![parse_date("2021-08-19"), None])) as ArrayRef, DataType::Date)
        };
        let unit = |u: Option<&str>| string_column(&[u]);
        assert_eq!(run("trunc", &[d(), unit(Some("week"))]).unwrap(), ["2021-08-16", "null"]);
        assert_eq!(run("trunc", &[d(), unit(Some("day"))]).unwrap(), ["null", "null"]);
        assert_eq!(run("trunc", &[d(), unit(None)]).unwrap(), ["null", "null"]);
    }
}
