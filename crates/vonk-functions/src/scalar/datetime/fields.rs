//! Parts of dates and times: `year` to `second`, and names.

use super::{docs, zone_of};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, Int32Type, TimestampMicrosecondType};
use vonk_error::Result;
use vonk_types::DataType;
use vonk_types::datetime::{civil_from_days, days_from_civil};

const YEAR: Docs = docs("year(date)", "The year.", "1.5.0", &[ex("SELECT year('2016-07-30')", "2016")]);
const QUARTER: Docs = docs(
    "quarter(date)",
    "The quarter of the year, 1 to 4.",
    "1.5.0",
    &[ex("SELECT quarter('2016-08-31')", "3")],
);
const MONTH: Docs =
    docs("month(date)", "The month, 1 to 12.", "1.5.0", &[ex("SELECT month('2016-07-30')", "7")]);
const DAY: Docs =
    docs("day(date)", "The day of the month.", "1.5.0", &[ex("SELECT day('2009-07-30')", "30")]);
const DAYOFWEEK: Docs = docs(
    "dayofweek(date)",
    "The day of the week: 1 for Sunday to 7 for Saturday.",
    "2.3.0",
    &[ex("SELECT dayofweek('2009-07-30')", "5")],
);
const WEEKDAY: Docs = docs(
    "weekday(date)",
    "The day of the week: 0 for Monday to 6 for Sunday.",
    "2.4.0",
    &[ex("SELECT weekday('2009-07-30')", "3")],
);
const DAYOFYEAR: Docs = docs(
    "dayofyear(date)",
    "The day of the year, from 1.",
    "1.5.0",
    &[ex("SELECT dayofyear('2016-04-09')", "100")],
);
const WEEKOFYEAR: Docs = docs(
    "weekofyear(date)",
    "The week of the year by ISO 8601: weeks begin on Monday, and week 1 has the year's first Thursday.",
    "1.5.0",
    &[ex("SELECT weekofyear('2008-02-20')", "8"), ex("SELECT weekofyear('2021-01-03')", "53")],
);
const HOUR: Docs =
    docs("hour(timestamp)", "The hour, 0 to 23.", "1.5.0", &[ex("SELECT hour('2009-07-30 12:58:59')", "12")]);
const MINUTE: Docs =
    docs("minute(timestamp)", "The minute.", "1.5.0", &[ex("SELECT minute('2009-07-30 12:58:59')", "58")]);
const SECOND: Docs = docs(
    "second(timestamp)",
    "The second, without its fraction.",
    "1.5.0",
    &[ex("SELECT second('2009-07-30 12:58:59')", "59")],
);
const DAYNAME: Docs = docs(
    "dayname(date)",
    "The day of the week in three letters.",
    "4.0.0",
    &[ex("SELECT dayname(DATE'2008-02-20')", "Wed")],
);
const MONTHNAME: Docs = docs(
    "monthname(date)",
    "The month in three letters.",
    "4.0.0",
    &[ex("SELECT monthname(DATE'2008-02-20')", "Feb")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let one = Arity::exactly(1);
    let date = |name, docs, kernel| ScalarFunction::new(name, docs, one, resolve_date, kernel);
    let time = |name, docs, kernel| ScalarFunction::new(name, docs, one, resolve_time, kernel);
    let rows = vec![
        date("year", YEAR, |c| of_date(c, 0, Part::Year)),
        date("quarter", QUARTER, |c| of_date(c, 0, Part::Quarter)),
        date("month", MONTH, |c| of_date(c, 0, Part::Month)),
        ScalarFunction { aliases: &["dayofmonth"], ..date("day", DAY, |c| of_date(c, 0, Part::Day)) },
        date("dayofweek", DAYOFWEEK, |c| of_date(c, 0, Part::DayOfWeek)),
        date("weekday", WEEKDAY, |c| of_date(c, 0, Part::Weekday)),
        date("dayofyear", DAYOFYEAR, |c| of_date(c, 0, Part::DayOfYear)),
        date("weekofyear", WEEKOFYEAR, |c| of_date(c, 0, Part::Week)),
        time("hour", HOUR, |c| of_time(c, 0, Part::Hour)),
        time("minute", MINUTE, |c| of_time(c, 0, Part::Minute)),
        time("second", SECOND, |c| of_time(c, 0, Part::Second)),
        ScalarFunction::new("dayname", DAYNAME, one, resolve_name, |c| name(c, &DAYS, Part::Weekday)),
        ScalarFunction::new("monthname", MONTHNAME, one, resolve_name, |c| name(c, &MONTHS, Part::Month)),
    ];
    rows.into_iter().map(|f| ScalarFunction { can_fail: false, ..f }).collect()
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 13] =
    ["", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn resolve_date(site: &CallSite<'_>) -> Result<Resolution> {
    let date = site.implicit(0, &DataType::Date)?;
    site.returns(vec![date], DataType::Int)
}

fn resolve_time(site: &CallSite<'_>) -> Result<Resolution> {
    let time = site.any_timestamp(0)?;
    site.returns(vec![time], DataType::Int)
}

fn resolve_name(site: &CallSite<'_>) -> Result<Resolution> {
    let date = site.implicit(0, &DataType::Date)?;
    site.returns(vec![date], DataType::String)
}

/// A number that a date or a time of day has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Year,
    YearOfWeek,
    Quarter,
    Month,
    Week,
    Day,
    DayOfWeek,
    /// From Monday, 0.
    Weekday,
    /// From Monday, 1.
    IsoDayOfWeek,
    DayOfYear,
    Hour,
    Minute,
    Second,
}

/// Monday is 0.
fn weekday(days: i32) -> i32 {
    (i64::from(days) + 3).rem_euclid(7) as i32
}

/// The year and week by ISO 8601.
fn iso_week(days: i32) -> (i32, i32) {
    // A week is of the year that its Thursday is of.
    let thursday = days.saturating_sub(weekday(days)).saturating_add(3);
    let (year, ..) = civil_from_days(thursday);
    (year, (i64::from(thursday) - i64::from(days_from_civil(year, 1, 1))) as i32 / 7 + 1)
}

fn part_of_day(days: i32, part: Part) -> i32 {
    match part {
        Part::Year => civil_from_days(days).0,
        Part::YearOfWeek => iso_week(days).0,
        Part::Quarter => (civil_from_days(days).1 as i32 + 2) / 3,
        Part::Month => civil_from_days(days).1 as i32,
        Part::Week => iso_week(days).1,
        Part::Day => civil_from_days(days).2 as i32,
        Part::DayOfWeek => (weekday(days) + 1) % 7 + 1,
        Part::Weekday => weekday(days),
        Part::IsoDayOfWeek => weekday(days) + 1,
        Part::DayOfYear => {
            let (year, ..) = civil_from_days(days);
            (i64::from(days) - i64::from(days_from_civil(year, 1, 1))) as i32 + 1
        }
        Part::Hour | Part::Minute | Part::Second => 0,
    }
}

/// A part of the date that argument `arg` is.
pub(super) fn of_date(call: &KernelCall<'_>, arg: usize, part: Part) -> Result<ArrayRef> {
    let days = call.values::<Date32Type>(arg);
    // One loop for each part, so that the choice is made once.
    macro_rules! each {
        ($($part:ident),*) => {
            match part {
                $(Part::$part => call.every::<Int32Type>(|row| part_of_day(days.get(row), Part::$part)),)*
            }
        };
    }
    each!(
        Year,
        YearOfWeek,
        Quarter,
        Month,
        Week,
        Day,
        DayOfWeek,
        Weekday,
        IsoDayOfWeek,
        DayOfYear,
        Hour,
        Minute,
        Second
    )
}

/// A part of the time of day of the timestamp that argument `arg` is.
pub(super) fn of_time(call: &KernelCall<'_>, arg: usize, part: Part) -> Result<ArrayRef> {
    let (unit, of) = match part {
        Part::Hour => (3_600_000_000, 24),
        Part::Minute => (60_000_000, 60),
        _ => (1_000_000, 60),
    };
    let micros = call.values::<TimestampMicrosecondType>(arg);
    let zone = zone_of(call, &call.arg_types[arg]);
    call.every::<Int32Type>(|row| zone.utc_to_local(micros.get(row)).div_euclid(unit).rem_euclid(of) as i32)
}

fn name(call: &KernelCall<'_>, names: &'static [&'static str], part: Part) -> Result<ArrayRef> {
    let days = call.values::<Date32Type>(0);
    call.each_str(|row, out| {
        out.push_str(names[part_of_day(days.get(row), part) as usize]);
        Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use super::{Part, part_of_day};
    use crate::scalar::array::testing::*;
    use arrow::array::{Date32Array, TimestampMicrosecondArray};
    use std::sync::Arc;
    use vonk_types::DataType;
    use vonk_types::datetime::{days_from_civil, parse_timestamp};

    fn dates(days: &[Option<i32>]) -> Column {
        (Arc::new(Date32Array::from(days.to_vec())), DataType::Date)
    }

    // Asked of Spark.
    #[test]
    fn parts_of_dates() {
        let all = [
            Part::Year,
            Part::Quarter,
            Part::Month,
            Part::Day,
            Part::DayOfWeek,
            Part::Weekday,
            Part::DayOfYear,
            Part::Week,
        ];
        let of = |y, m, d| all.map(|p| part_of_day(days_from_civil(y, m, d), p));
        assert_eq!(of(2024, 2, 29), [2024, 1, 2, 29, 5, 3, 60, 9]);
        assert_eq!(of(2021, 1, 3), [2021, 1, 1, 3, 1, 6, 3, 53]);
        assert_eq!(of(1969, 12, 31), [1969, 4, 12, 31, 4, 2, 365, 1]);
        assert_eq!(of(1, 1, 1), [1, 1, 1, 1, 2, 0, 1, 1]);
        assert_eq!(of(9999, 12, 31), [9999, 4, 12, 31, 6, 4, 365, 52]);
        assert_eq!(of(-1, 3, 4), [-1, 1, 3, 4, 5, 3, 63, 9]);
    }

    #[test]
    fn nulls_and_extremes() {
        let days = || dates(&[Some(0), None, Some(i32::MAX), Some(i32::MIN)]);
        for name in ["year", "quarter", "month", "day", "dayofweek", "weekday", "dayofyear", "weekofyear"] {
            let got = run(name, &[days()]).unwrap();
            assert_eq!(got[1], "null", "{name}");
        }
        assert_eq!(run("dayname", &[dates(&[Some(13929), None])]).unwrap(), ["Wed", "null"]);
        assert_eq!(run("monthname", &[dates(&[Some(13929), None])]).unwrap(), ["Feb", "null"]);
    }

    #[test]
    fn times_in_the_zone() {
        let la = context().time_zone;
        let ts = |s: &str| parse_timestamp(s, &la);
        let values = vec![
            ts("2024-02-29 23:59:58.999999"),
            ts("1969-12-31 23:59:59.5"),
            None,
            ts("1883-11-17 01:02:03"),
        ];
        let column = || {
            let array = TimestampMicrosecondArray::from(values.clone()).with_timezone("UTC");
            (Arc::new(array) as _, DataType::Timestamp)
        };
        assert_eq!(run("hour", &[column()]).unwrap(), ["23", "23", "null", "1"]);
        assert_eq!(run("minute", &[column()]).unwrap(), ["59", "59", "null", "2"]);
        assert_eq!(run("second", &[column()]).unwrap(), ["58", "59", "null", "3"]);
    }
}
