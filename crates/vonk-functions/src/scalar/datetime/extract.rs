//! `extract`, `date_part`, `datepart`: a part of a date, a timestamp or an interval by its name.

use super::fields::{Part, of_date, of_time};
use super::{docs, zone_of};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::*;
use vonk_error::{Error, Result};
use vonk_types::DataType as SparkType;
use vonk_types::datetime::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE};
use vonk_types::{DayTimeField, ScalarValue, YearMonthField};

const EXTRACT: Docs = docs(
    "extract(field FROM source)",
    "A part of a date, timestamp or interval.",
    "3.0.0",
    &[
        ex("SELECT extract(YEAR FROM TIMESTAMP '2019-08-12 01:00:00.123456')", "2019"),
        ex("SELECT extract(week FROM timestamp'2019-08-12 01:00:00.123456')", "33"),
        ex("SELECT extract(SECONDS FROM timestamp'2019-10-01 00:00:01.000001')", "1.000001"),
        ex("SELECT extract(days FROM interval 5 days 3 hours 7 minutes)", "5"),
        ex("SELECT extract(MONTH FROM INTERVAL '2021-11' YEAR TO MONTH)", "11"),
    ],
);
const DATE_PART: Docs = docs(
    "date_part(field, source)",
    "A part of a date, timestamp or interval; the field is a constant string.",
    "3.0.0",
    &[
        ex("SELECT date_part('YEAR', TIMESTAMP '2019-08-12 01:00:00.123456')", "2019"),
        ex("SELECT date_part('doy', DATE'2019-08-12')", "224"),
        ex("SELECT date_part('SECONDS', timestamp'2019-10-01 00:00:01.000001')", "1.000001"),
    ],
);
const DATEPART: Docs = docs(
    "datepart(field, source)",
    "A part of a date, timestamp or interval; the field is a constant string.",
    "3.4.0",
    &[ex("SELECT datepart('month', DATE'2020-01-02')", "1")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let from: fn(&str, &[String]) -> String = |called_as, args| match args {
        [field, source] => format!("{called_as}({field} FROM {source})"),
        _ => format!("{called_as}({})", args.join(", ")),
    };
    let row = |name, docs| ScalarFunction {
        can_fail: false,
        ..ScalarFunction::new(name, docs, Arity::exactly(2), resolve, extract)
    };
    vec![
        ScalarFunction { display: Display::Custom(from), ..row("extract", EXTRACT) },
        row("date_part", DATE_PART),
        ScalarFunction { display: Display::Custom(from), ..row("datepart", DATEPART) },
    ]
}

/// A part as `extract` knows it: seconds have their fraction.
#[derive(Clone, Copy, PartialEq)]
enum Extracted {
    Date(Part),
    Time(Part),
    Seconds,
    Interval(Unit),
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// The part that a name means for a type of source.
fn part(name: &str, source: &SparkType) -> Option<Extracted> {
    let name = name.to_ascii_uppercase();
    let unit = match name.as_str() {
        "YEAR" | "Y" | "YEARS" | "YR" | "YRS" => Some(Unit::Year),
        "MONTH" | "MON" | "MONS" | "MONTHS" => Some(Unit::Month),
        "DAY" | "D" | "DAYS" => Some(Unit::Day),
        "HOUR" | "H" | "HOURS" | "HR" | "HRS" => Some(Unit::Hour),
        "MINUTE" | "M" | "MIN" | "MINS" | "MINUTES" => Some(Unit::Minute),
        "SECOND" | "S" | "SEC" | "SECONDS" | "SECS" => Some(Unit::Second),
        _ => None,
    };
    match source {
        SparkType::CalendarInterval => return unit.map(Extracted::Interval),
        SparkType::YearMonthInterval(from, to) => {
            let field = match unit? {
                Unit::Year => YearMonthField::Year,
                Unit::Month => YearMonthField::Month,
                _ => return None,
            };
            return (from..=to).contains(&&field).then_some(Extracted::Interval(unit?));
        }
        SparkType::DayTimeInterval(from, to) => {
            let field = match unit? {
                Unit::Day => DayTimeField::Day,
                Unit::Hour => DayTimeField::Hour,
                Unit::Minute => DayTimeField::Minute,
                Unit::Second => DayTimeField::Second,
                _ => return None,
            };
            return (from..=to).contains(&&field).then_some(Extracted::Interval(unit?));
        }
        _ => {}
    }
    Some(match unit {
        Some(Unit::Year) => Extracted::Date(Part::Year),
        Some(Unit::Month) => Extracted::Date(Part::Month),
        Some(Unit::Day) => Extracted::Date(Part::Day),
        Some(Unit::Hour) => Extracted::Time(Part::Hour),
        Some(Unit::Minute) => Extracted::Time(Part::Minute),
        Some(Unit::Second) => Extracted::Seconds,
        None => Extracted::Date(match name.as_str() {
            "YEAROFWEEK" => Part::YearOfWeek,
            "QUARTER" | "QTR" => Part::Quarter,
            "WEEK" | "W" | "WEEKS" => Part::Week,
            "DAYOFWEEK" | "DOW" => Part::DayOfWeek,
            "DAYOFWEEK_ISO" | "DOW_ISO" => Part::IsoDayOfWeek,
            "DOY" => Part::DayOfYear,
            _ => return None,
        }),
    })
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let field = &site.args[0];
    let Some(literal) = &field.literal else {
        return Err(Error::new("NON_FOLDABLE_ARGUMENT")
            .with("funcName", format!("`{}`", site.called_as))
            .with("paramName", "`field`")
            .with("paramType", "\"STRING\"")
            .at(site.span));
    };
    let source = site.arg_type(1).clone();
    let ScalarValue::Utf8View(Some(name)) = &literal.value else {
        if literal.is_null() {
            return site.returns_null(vec![SparkType::String, source], SparkType::Double);
        }
        return Err(site.unexpected_type(0, "\"STRING\""));
    };
    let Some(part) = part(name, &source) else {
        return Err(Error::new("INVALID_EXTRACT_FIELD")
            .with("field", format!("`{name}`"))
            .with("expr", format!("\"{}\"", site.args[1].sql))
            .at(site.span));
    };
    let source = match part {
        Extracted::Interval(_) => source,
        Extracted::Date(p) => {
            site.implicit(1, &SparkType::Date).map_err(|_| wrong_source(site, date_name(p), "\"DATE\""))?
        }
        Extracted::Time(_) | Extracted::Seconds => site.any_timestamp(1)?,
    };
    let return_type = match part {
        Extracted::Seconds | Extracted::Interval(Unit::Second) => SparkType::Decimal(8, 6),
        Extracted::Interval(Unit::Month | Unit::Hour | Unit::Minute) => SparkType::Byte,
        _ => SparkType::Int,
    };
    site.returns(vec![SparkType::String, source], return_type)
}

fn date_name(part: Part) -> &'static str {
    match part {
        Part::Year => "year",
        Part::YearOfWeek => "yearofweek",
        Part::Quarter => "quarter",
        Part::Month => "month",
        Part::Week => "weekofyear",
        Part::Day => "dayofmonth",
        Part::DayOfYear => "dayofyear",
        Part::Weekday | Part::IsoDayOfWeek => "weekday",
        _ => "dayofweek",
    }
}

/// Spark extracts by the function of the part, and that is what its error is about.
fn wrong_source(site: &CallSite<'_>, function: &str, required: &str) -> Error {
    let source = &site.args[1];
    Error::new("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
        .with("sqlExpr", format!("\"{function}({})\"", source.sql))
        .with("paramIndex", "first")
        .with("requiredType", required)
        .with("inputSql", format!("\"{}\"", source.sql))
        .with("inputType", format!("\"{}\"", source.data_type.sql()))
        .at(site.span)
}

fn extract(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let names = call.args[0].values();
    let name = names.as_string_view_opt().filter(|n| n.is_valid(0)).map(|n| n.value(0));
    let Some(name) = name else { return Ok(call.all_null()) };
    let Some(part) = part(name, &call.arg_types[1]) else {
        return vonk_error::internal_err!("no part {name} of {}", call.arg_types[1]);
    };
    match part {
        Extracted::Date(part) => of_date(call, 1, part),
        Extracted::Time(part) => of_time(call, 1, part),
        Extracted::Seconds => {
            let micros = call.values::<TimestampMicrosecondType>(1);
            let zone = zone_of(call, &call.arg_types[1]);
            call.every::<Decimal64Type>(|row| {
                zone.utc_to_local(micros.get(row)).rem_euclid(MICROS_PER_MINUTE)
            })
        }
        Extracted::Interval(unit) => of_interval(call, unit),
    }
}

fn of_interval(call: &KernelCall<'_>, unit: Unit) -> Result<ArrayRef> {
    // Months, days and microseconds of the interval.
    let parts: Box<dyn Fn(usize) -> (i32, i32, i64) + '_> = match call.arg_types[1] {
        SparkType::YearMonthInterval(..) => {
            let months = call.values::<IntervalYearMonthType>(1);
            Box::new(move |row| (months.get(row), 0, 0))
        }
        SparkType::DayTimeInterval(..) => {
            let micros = call.values::<DurationMicrosecondType>(1);
            Box::new(move |row| (0, 0, micros.get(row)))
        }
        _ => {
            let intervals = call.values::<IntervalMonthDayNanoType>(1);
            Box::new(move |row| {
                let i = intervals.get(row);
                (i.months, i.days, i.nanoseconds / 1000)
            })
        }
    };
    match unit {
        Unit::Year => call.every::<Int32Type>(|row| parts(row).0 / 12),
        Unit::Month => call.every::<Int8Type>(|row| (parts(row).0 % 12) as i8),
        Unit::Day => call.every::<Int32Type>(|row| {
            let (_, days, micros) = parts(row);
            days.wrapping_add((micros / MICROS_PER_DAY) as i32)
        }),
        Unit::Hour => call.every::<Int8Type>(|row| (parts(row).2 % MICROS_PER_DAY / MICROS_PER_HOUR) as i8),
        Unit::Minute => {
            call.every::<Int8Type>(|row| (parts(row).2 % MICROS_PER_HOUR / MICROS_PER_MINUTE) as i8)
        }
        Unit::Second => call.every::<Decimal64Type>(|row| parts(row).2 % MICROS_PER_MINUTE),
    }
}
