//! Dates so many days or months on, and differences: `date_add`, `date_sub`, `datediff`, `add_months`, `months_between`,
//! `last_day`, `next_day`.

use super::docs;
use super::span;
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::{BOOL, INT, STR, Takes};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::ArrayRef;
use arrow::datatypes::*;
use vonk_error::{Error, Result};
use vonk_types::DataType as SparkType;
use vonk_types::datetime::{MICROS_PER_DAY, Zone, add_months, civil_from_days, days_in_month};

const DATE_ADD: Docs = docs(
    "date_add(date, days)",
    "The date so many days later. With a unit before, the timestamp so many units later.",
    "1.5.0",
    &[
        ex("SELECT date_add('2016-07-30', 1)", "2016-07-31"),
        ex("SELECT dateadd(MONTH, 1, DATE'2020-01-31')", "2020-02-29 00:00:00"),
    ],
);
const DATE_SUB: Docs = docs(
    "date_sub(date, days)",
    "The date so many days earlier.",
    "1.5.0",
    &[ex("SELECT date_sub('2016-07-30', 1)", "2016-07-29")],
);
const DATEDIFF: Docs = docs(
    "datediff(end, start)",
    "Days from one date to another. With a unit before, the units from `start` to `end`, which then come in that order.",
    "1.5.0",
    &[
        ex("SELECT datediff('2009-07-31', '2009-07-30')", "1"),
        ex("SELECT datediff(MONTH, DATE'2020-01-31', DATE'2020-03-30')", "1"),
    ],
);
const DATE_DIFF: Docs = docs(
    "date_diff(end, start)",
    "Days from one date to another. With a unit before, the units from `start` to `end`, which then come in that order.",
    "3.4.0",
    &[ex("SELECT date_diff('2009-07-31', '2009-07-30')", "1")],
);
const ADD_MONTHS: Docs = docs(
    "add_months(date, months)",
    "The date so many months later: the same day, or the last of a shorter month.",
    "1.5.0",
    &[
        ex("SELECT add_months('2016-08-31', 1)", "2016-09-30"),
        ex("SELECT add_months(DATE'2024-02-29', 12)", "2025-02-28"),
    ],
);
const MONTHS_BETWEEN: Docs = docs(
    "months_between(timestamp1, timestamp2[, roundOff])",
    "Months between two timestamps, months having 31 days; whole if both have the same day or are last days.",
    "1.5.0",
    &[
        ex("SELECT months_between('1997-02-28 10:30:00', '1996-10-30')", "3.94959677"),
        ex("SELECT months_between('1997-02-28 10:30:00', '1996-10-30', false)", "3.9495967741935485"),
    ],
);
const LAST_DAY: Docs = docs(
    "last_day(date)",
    "The last day of the month.",
    "1.5.0",
    &[ex("SELECT last_day('2009-01-12')", "2009-01-31")],
);
const NEXT_DAY: Docs = docs(
    "next_day(date, dayOfWeek)",
    "The first date after this one that is such a day of the week.",
    "1.5.0",
    &[ex("SELECT next_day('2015-01-14', 'TU')", "2015-01-20")],
);

/// A date.
const DATE: Takes<'static> = Takes::To(SparkType::Date);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let two_or_three = Arity::between(2, 3);
    vec![
        ScalarFunction {
            aliases: &["dateadd"],
            display: Display::Custom(|_, args| {
                let name = if args.len() == 3 { "timestampadd" } else { "date_add" };
                format!("{name}({})", args.join(", "))
            }),
            ..ScalarFunction::new("date_add", DATE_ADD, two_or_three, resolve_date_add, date_add)
        },
        ScalarFunction::new("date_sub", DATE_SUB, Arity::exactly(2), resolve_days, |c| add_days(c, -1)),
        ScalarFunction {
            display: Display::Custom(diff_text),
            ..ScalarFunction::new("datediff", DATEDIFF, two_or_three, resolve_diff, diff)
        },
        ScalarFunction {
            display: Display::Custom(diff_text),
            ..ScalarFunction::new("date_diff", DATE_DIFF, two_or_three, resolve_diff, diff)
        },
        ScalarFunction::new("add_months", ADD_MONTHS, Arity::exactly(2), resolve_months, months_later),
        ScalarFunction {
            can_fail: false,
            display: Display::Custom(|_, args| match args.len() {
                2 => format!("months_between({}, true)", args.join(", ")),
                _ => format!("months_between({})", args.join(", ")),
            }),
            ..ScalarFunction::new("months_between", MONTHS_BETWEEN, two_or_three, resolve_between, between)
        },
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new("last_day", LAST_DAY, Arity::exactly(1), resolve_last_day, last_day)
        },
        ScalarFunction::new("next_day", NEXT_DAY, Arity::exactly(2), resolve_next_day, next_day),
    ]
}

fn diff_text(called_as: &str, args: &[String]) -> String {
    let name = if args.len() == 3 { "timestampdiff" } else { called_as };
    format!("{name}({})", args.join(", "))
}

fn resolve_date_add(site: &CallSite<'_>) -> Result<Resolution> {
    if site.args.len() == 3 { span::resolve_add(site) } else { resolve_days(site) }
}

fn resolve_days(site: &CallSite<'_>) -> Result<Resolution> {
    let date = site.implicit(0, &SparkType::Date)?;
    // Wider numbers are not narrowed here, but a string is an int.
    let days = match site.arg_type(1) {
        SparkType::Byte | SparkType::Short | SparkType::Int | SparkType::Null | SparkType::String => {
            SparkType::Int
        }
        _ => return Err(site.unexpected_type(1, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")")),
    };
    site.returns(vec![date, days], SparkType::Date)
}

fn date_add(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if call.args.len() == 3 { span::add(call) } else { add_days(call, 1) }
}

fn add_days(call: &KernelCall<'_>, sign: i64) -> Result<ArrayRef> {
    let (dates, days) = (call.values::<Date32Type>(0), call.values::<Int32Type>(1));
    call.each::<Date32Type>(|row| {
        let sum = i64::from(dates.get(row)) + sign * i64::from(days.get(row));
        match i32::try_from(sum) {
            Ok(sum) => Ok(Some(sum)),
            Err(_) => Err(Error::new("_INTEGER_OVERFLOW").with("message", "integer overflow")),
        }
    })
}

fn resolve_diff(site: &CallSite<'_>) -> Result<Resolution> {
    if site.args.len() == 3 {
        return span::resolve_diff(site);
    }
    let types = site.take(&[DATE, DATE])?;
    site.returns(types, SparkType::Int)
}

fn diff(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if call.args.len() == 3 {
        return span::diff(call);
    }
    let (end, start) = (call.values::<Date32Type>(0), call.values::<Date32Type>(1));
    call.every::<Int32Type>(|row| end.get(row).wrapping_sub(start.get(row)))
}

fn resolve_months(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[DATE, INT])?;
    site.returns(types, SparkType::Date)
}

fn months_later(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (dates, months) = (call.values::<Date32Type>(0), call.values::<Int32Type>(1));
    call.each::<Date32Type>(|row| match add_months(dates.get(row), months.get(row)) {
        Some(date) => Ok(Some(date)),
        None => Err(arithmetic_overflow()),
    })
}

/// Spark's error for a number beyond its type.
pub(in crate::scalar) fn arithmetic_overflow() -> Error {
    Error::new("ARITHMETIC_OVERFLOW")
        .with("message", "overflow")
        .with("alternative", "")
        .with("config", "\"spark.sql.ansi.enabled\"")
}

fn resolve_between(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[Takes::To(SparkType::Timestamp), Takes::To(SparkType::Timestamp), BOOL])?;
    site.returns(types, SparkType::Double)
}

fn between(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (first, second) =
        (call.values::<TimestampMicrosecondType>(0), call.values::<TimestampMicrosecondType>(1));
    let round = (call.args.len() > 2).then(|| call.booleans(2));
    let zone = Zone::of(&call.ctx.time_zone);
    call.each::<Float64Type>(|row| {
        let months = months_between(first.get(row), second.get(row), &zone);
        let round = round.is_none_or(|r| r.get(row));
        Ok(Some(if round { (months * 1e8 + 0.5).floor() / 1e8 } else { months }))
    })
}

/// Months from the second to the first. Whole numbers are not rounded again: they come out the same.
fn months_between(first: i64, second: i64, zone: &Zone) -> f64 {
    let split = |micros: i64| {
        // The very ends of time are not worth an overflow.
        let micros = micros.clamp(i64::MIN + 2 * MICROS_PER_DAY, i64::MAX - 2 * MICROS_PER_DAY);
        let days = zone.day_of(micros);
        let (y, m, d) = civil_from_days(days);
        let last = d == days_in_month(y, m);
        let seconds = (micros - zone.start_of_day(days)) / 1_000_000;
        (i64::from(y) * 12 + i64::from(m), i64::from(d), last, seconds)
    };
    let ((months1, day1, last1, seconds1), (months2, day2, last2, seconds2)) = (split(first), split(second));
    let months = (months1 - months2) as f64;
    if day1 == day2 || (last1 && last2) {
        return months;
    }
    let seconds = (day1 - day2) * 86_400 + seconds1 - seconds2;
    months + seconds as f64 / (31.0 * 86_400.0)
}

fn resolve_last_day(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[DATE])?;
    site.returns(types, SparkType::Date)
}

fn last_day(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let dates = call.values::<Date32Type>(0);
    call.every::<Date32Type>(|row| {
        let (y, m, d) = civil_from_days(dates.get(row));
        dates.get(row).wrapping_add((days_in_month(y, m) - d) as i32)
    })
}

fn resolve_next_day(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[DATE, STR])?;
    if site.ctx.ansi {
        site.returns(types, SparkType::Date)
    } else {
        site.returns_null(types, SparkType::Date)
    }
}

/// A day of the week by its name, from Monday.
fn weekday_by_name(name: &str) -> Option<i64> {
    const NAMES: [[&str; 3]; 7] = [
        ["MO", "MON", "MONDAY"],
        ["TU", "TUE", "TUESDAY"],
        ["WE", "WED", "WEDNESDAY"],
        ["TH", "THU", "THURSDAY"],
        ["FR", "FRI", "FRIDAY"],
        ["SA", "SAT", "SATURDAY"],
        ["SU", "SUN", "SUNDAY"],
    ];
    let name = name.trim();
    NAMES.iter().position(|n| n.iter().any(|n| n.eq_ignore_ascii_case(name))).map(|i| i as i64)
}

fn next_day(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (dates, names) = (call.values::<Date32Type>(0), call.strings(1));
    call.each::<Date32Type>(|row| {
        let Some(wanted) = weekday_by_name(names.get(row)) else {
            if call.ctx.ansi {
                return Err(Error::new("ILLEGAL_DAY_OF_WEEK").with("string", names.get(row)));
            }
            return Ok(None);
        };
        let days = i64::from(dates.get(row));
        let ahead = (wanted - (days + 3).rem_euclid(7) - 1).rem_euclid(7) + 1;
        Ok(i32::try_from(days + ahead).ok())
    })
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;
    use arrow::array::{ArrayRef, BooleanArray, Date32Array, TimestampMicrosecondArray};
    use std::sync::Arc;
    use vonk_types::datetime::{parse_date, parse_timestamp};
    use vonk_types::{DataType, EvalContext};

    fn dates(texts: &[Option<&str>]) -> Column {
        let days: Vec<Option<i32>> = texts.iter().map(|t| t.and_then(parse_date)).collect();
        (Arc::new(Date32Array::from(days)), DataType::Date)
    }

    #[test]
    fn shifts() {
        let d = || dates(&[Some("2024-02-29"), None, Some("2024-01-31")]);
        let n = || int_column(&[Some(366), Some(1), None]);
        assert_eq!(run("date_add", &[d(), n()]).unwrap(), ["2025-03-01", "null", "null"]);
        assert_eq!(run("date_sub", &[d(), n()]).unwrap(), ["2023-02-28", "null", "null"]);
        let far = run("date_add", &[d(), int_column(&[Some(i32::MAX)])]).unwrap_err();
        assert_eq!(far.condition(), "_INTEGER_OVERFLOW");
        let months = int_column(&[Some(12), Some(1), Some(1)]);
        assert_eq!(run("add_months", &[d(), months]).unwrap(), ["2025-02-28", "null", "2024-02-29"]);
        let far = run("add_months", &[d(), int_column(&[Some(i32::MAX)])]).unwrap_err();
        assert_eq!(far.condition(), "ARITHMETIC_OVERFLOW");
        assert_eq!(run("last_day", &[d()]).unwrap(), ["2024-02-29", "null", "2024-01-31"]);
        let day = || string_column(&[Some("Monday"), Some("x"), Some("we")]);
        assert_eq!(run("next_day", &[d(), day()]).unwrap(), ["2024-03-04", "null", "2024-02-07"]);
        let bad = || string_column(&[Some("xx")]);
        assert_eq!(run("next_day", &[d(), bad()]).unwrap_err().condition(), "ILLEGAL_DAY_OF_WEEK");
        let before = EvalContext { ansi: false, ..context() };
        assert_eq!(run_in(&before, "next_day", &[d(), bad()], &[]).unwrap(), ["null"; 3]);
    }

    // Asked of Spark.
    #[test]
    fn months() {
        let la = context().time_zone;
        let ts = |texts: &[&str]| {
            let micros: Vec<Option<i64>> = texts.iter().map(|t| parse_timestamp(t, &la)).collect();
            (
                Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC")) as ArrayRef,
                DataType::Timestamp,
            )
        };
        let first = || ts(&["1997-02-28 10:30:00", "2020-02-29", "2020-03-15", "2020-01-15"]);
        let second =
            || ts(&["1996-10-30", "2020-01-31 12:00:00", "2020-01-15 12:00:00", "2020-03-16 12:00:00"]);
        assert_eq!(
            run("months_between", &[first(), second()]).unwrap(),
            ["3.94959677", "1.0", "2.0", "-2.0483871"]
        );
        let exact = (Arc::new(BooleanArray::from(vec![false])) as ArrayRef, DataType::Boolean);
        assert_eq!(
            run("months_between", &[first(), second(), exact]).unwrap(),
            ["3.9495967741935485", "1.0", "2.0", "-2.0483870967741935"]
        );
    }
}
