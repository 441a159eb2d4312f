//! Intervals made of their parts: `make_interval`, `make_dt_interval`, `make_ym_interval`.

use super::ScalarFunction;
use super::params::{INT, Takes};
use crate::describe::{Docs, Example, Group, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::Display;
use arrow::array::ArrayRef;
use arrow::datatypes::*;
use vonk_error::{Error, Result};
use vonk_types::DataType as SparkType;

const fn docs(
    usage: &'static str,
    summary: &'static str,
    since: &'static str,
    examples: &'static [Example],
) -> Docs {
    Docs::new(Group::Datetime, usage, summary, since, examples)
}

const MAKE: Docs = docs(
    "make_interval([years[, months[, weeks[, days[, hours[, mins[, secs]]]]]]])",
    "An interval of its parts.",
    "3.0.0",
    &[
        ex(
            "SELECT make_interval(100, 11, 1, 1, 12, 30, 01.001001)",
            "100 years 11 months 8 days 12 hours 30 minutes 1.001001 seconds",
        ),
        ex("SELECT make_interval(100, null, 3)", "NULL"),
        ex(
            "SELECT make_interval(0, 1, 0, 1, 0, 0, 100.000001)",
            "1 months 1 days 1 minutes 40.000001 seconds",
        ),
    ],
);
const TRY_MAKE: Docs = docs(
    "try_make_interval([years[, months[, weeks[, days[, hours[, mins[, secs]]]]]]])",
    "As make_interval, null on overflow.",
    "4.0.0",
    &[ex("SELECT try_make_interval(2147483647, 12)", "NULL")],
);
const DAY_TIME: Docs = docs(
    "make_dt_interval([days[, hours[, mins[, secs]]]])",
    "A day-time interval of its parts.",
    "3.2.0",
    &[
        ex("SELECT make_dt_interval(1, 12, 30, 01.001001)", "1 12:30:01.001001000"),
        ex("SELECT make_dt_interval(100, null, 3)", "NULL"),
    ],
);
const YEAR_MONTH: Docs = docs(
    "make_ym_interval([years[, months]])",
    "A year-month interval of its parts.",
    "3.2.0",
    &[ex("SELECT make_ym_interval(1, 2)", "1-2"), ex("SELECT make_ym_interval(-1, 1)", "-0-11")],
);

/// All of them.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let row = |name, docs, most, resolve, kernel| {
        ScalarFunction::new(name, docs, Arity::between(0, most), resolve, kernel)
    };
    vec![
        ScalarFunction {
            display: Display::Custom(|n, args| filled(n, args, 7)),
            ..row("make_interval", MAKE, 7, resolve_calendar, |c| calendar(c, !c.ctx.ansi))
        },
        ScalarFunction {
            display: Display::Custom(|n, args| filled(n, args, 7)),
            ..row("try_make_interval", TRY_MAKE, 7, resolve_try_calendar, |c| calendar(c, true))
        },
        ScalarFunction {
            display: Display::Custom(|n, args| filled(n, args, 4)),
            ..row("make_dt_interval", DAY_TIME, 4, resolve_day_time, day_time)
        },
        ScalarFunction {
            display: Display::Custom(|n, args| {
                let mut all = args.to_vec();
                all.resize(2, "0".into());
                format!("{n}({})", all.join(", "))
            }),
            ..row("make_ym_interval", YEAR_MONTH, 2, resolve_year_month, year_month)
        },
    ]
}

/// A call with the parts it leaves out, the last of which are seconds.
fn filled(name: &str, args: &[String], n: usize) -> String {
    let mut all = args.to_vec();
    while all.len() < n {
        all.push(if all.len() + 1 == n { "0.000000".into() } else { "0".into() });
    }
    format!("{name}({})", all.join(", "))
}

const SECONDS: Takes<'static> = Takes::To(SparkType::Decimal(18, 6));

fn resolve_calendar(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[INT, INT, INT, INT, INT, INT, SECONDS])?;
    match site.ctx.ansi {
        true => site.returns(types, SparkType::CalendarInterval),
        false => site.returns_null(types, SparkType::CalendarInterval),
    }
}

fn resolve_try_calendar(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[INT, INT, INT, INT, INT, INT, SECONDS])?;
    site.returns_null(types, SparkType::CalendarInterval)
}

fn resolve_day_time(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[INT, INT, INT, SECONDS])?;
    site.returns(types, SparkType::DAY_TIME)
}

fn resolve_year_month(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[INT, INT])?;
    site.returns(types, SparkType::YEAR_MONTH)
}

/// Part `i` of a row, 0 if it is left out.
fn part(call: &KernelCall<'_>, i: usize) -> impl Fn(usize) -> i64 {
    let values = (i < call.args.len()).then(|| call.values::<Int32Type>(i));
    move |row| values.map_or(0, |v| i64::from(v.get(row)))
}

/// Seconds of a row in millionths.
fn seconds(call: &KernelCall<'_>, i: usize) -> impl Fn(usize) -> i64 {
    let values = (i < call.args.len()).then(|| call.values::<Decimal64Type>(i));
    move |row| values.map_or(0, |v| v.get(row))
}

/// Microseconds of hours, minutes and seconds.
fn micros(hours: i64, minutes: i64, seconds: i64) -> Option<i64> {
    let time = hours.checked_mul(3_600_000_000)?.checked_add(minutes.checked_mul(60_000_000)?)?;
    time.checked_add(seconds)
}

fn calendar(call: &KernelCall<'_>, lenient: bool) -> Result<ArrayRef> {
    if call.strict_nulls().is_none() {
        return Ok(call.all_null());
    }
    let [years, months, weeks, days, hours, minutes] = [0, 1, 2, 3, 4, 5].map(|i| part(call, i));
    let seconds = seconds(call, 6);
    call.each::<IntervalMonthDayNanoType>(|row| {
        let make = || -> Option<IntervalMonthDayNano> {
            let months = i32::try_from(years(row) * 12 + months(row)).ok()?;
            let days = i32::try_from(weeks(row) * 7 + days(row)).ok()?;
            let micros = micros(hours(row), minutes(row), seconds(row))?;
            Some(IntervalMonthDayNano::new(months, days, micros.checked_mul(1000)?))
        };
        match make() {
            None if !lenient => Err(super::datetime::arithmetic_overflow()),
            made => Ok(made),
        }
    })
}

fn without_suggestion() -> Error {
    Error::new("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION")
}

fn day_time(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if call.strict_nulls().is_none() {
        return Ok(call.all_null());
    }
    let [days, hours, minutes] = [0, 1, 2].map(|i| part(call, i));
    let seconds = seconds(call, 3);
    call.each::<DurationMicrosecondType>(|row| {
        let days = days(row).checked_mul(86_400_000_000);
        let time = micros(hours(row), minutes(row), seconds(row));
        match days.zip(time).and_then(|(d, t)| d.checked_add(t)) {
            Some(micros) => Ok(Some(micros)),
            None => Err(without_suggestion()),
        }
    })
}

fn year_month(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if call.strict_nulls().is_none() {
        return Ok(call.all_null());
    }
    let [years, months] = [0, 1].map(|i| part(call, i));
    call.each::<IntervalYearMonthType>(|row| match i32::try_from(years(row) * 12 + months(row)) {
        Ok(months) => Ok(Some(months)),
        Err(_) => Err(without_suggestion()),
    })
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;
    use vonk_types::EvalContext;

    #[test]
    fn overflows() {
        let most = || int_column(&[Some(i32::MAX)]);
        let twelve = || int_column(&[Some(12)]);
        let e = run("make_interval", &[most(), twelve()]).unwrap_err();
        assert_eq!(e.condition(), "ARITHMETIC_OVERFLOW");
        assert_eq!(run("try_make_interval", &[most(), twelve()]).unwrap(), ["null"]);
        let before = EvalContext { ansi: false, ..context() };
        assert_eq!(run_in(&before, "make_interval", &[most(), twelve()], &[]).unwrap(), ["null"]);
        for (name, args) in [("make_ym_interval", vec![most(), twelve()]), ("make_dt_interval", vec![most()])]
        {
            let e = run(name, &args).unwrap_err();
            assert_eq!(e.condition(), "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "{name}");
        }
        assert_eq!(
            run("make_ym_interval", &[int_column(&[Some(1), None]), int_column(&[Some(2)])]).unwrap(),
            ["1 years 2 mons", "null"]
        );
    }
}
