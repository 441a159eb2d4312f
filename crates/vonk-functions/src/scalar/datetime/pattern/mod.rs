//! Patterns such as `yyyy-MM-dd HH:mm:ss`: Spark's letters with the exact behaviour of Java's formatter.
//!
//! A pattern is compiled once to [`Item`]s; [`format`] writes a moment by them and [`parse`] reads one, strictly, as Spark
//! asks Java to.

mod compile;
mod format;
mod names;
mod parse;
mod resolve;

pub(crate) use compile::Purpose;
pub(crate) use format::Moment;
pub(crate) use resolve::Parsed;

use vonk_error::{Error, Result};

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    items: Vec<Item>,
}

impl Pattern {
    /// Compiles a pattern, or gives Spark's error.
    pub fn new(text: &str, purpose: Purpose) -> Result<Pattern> {
        Ok(Pattern { items: compile::compile(text, purpose)? })
    }
}

/// A number that a pattern shows or reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Year,
    YearOfEra,
    Era,
    Month,
    Day,
    DayOfYear,
    Quarter,
    /// `F`: which of the seven days that the days of the month fall into.
    AlignedDayOfWeek,
    ModifiedJulianDay,
    AmPm,
    HourOfDay,
    ClockHourOfDay,
    HourOfAmPm,
    ClockHourOfAmPm,
    Minute,
    Second,
    Nano,
    DayOfWeek,
}

/// How many [`Field`]s there are.
const FIELDS: usize = 18;

impl Field {
    /// Java's name and range, as its messages say them.
    fn range(self) -> (&'static str, i64, i64, &'static str) {
        match self {
            Field::Year => ("Year", -999_999_999, 999_999_999, "-999999999 - 999999999"),
            Field::YearOfEra => ("YearOfEra", 1, 999_999_999, "1 - 999999999/1000000000"),
            Field::Era => ("Era", 0, 1, "0 - 1"),
            Field::Month => ("MonthOfYear", 1, 12, "1 - 12"),
            Field::Day => ("DayOfMonth", 1, 31, "1 - 28/31"),
            Field::DayOfYear => ("DayOfYear", 1, 366, "1 - 365/366"),
            Field::Quarter => ("QuarterOfYear", 1, 4, "1 - 4"),
            Field::AlignedDayOfWeek => ("AlignedDayOfWeekInMonth", 1, 7, "1 - 7"),
            Field::ModifiedJulianDay => ("ModifiedJulianDay", i64::MIN, i64::MAX, ""),
            Field::AmPm => ("AmPmOfDay", 0, 1, "0 - 1"),
            Field::HourOfDay => ("HourOfDay", 0, 23, "0 - 23"),
            Field::ClockHourOfDay => ("ClockHourOfDay", 1, 24, "1 - 24"),
            Field::HourOfAmPm => ("HourOfAmPm", 0, 11, "0 - 11"),
            Field::ClockHourOfAmPm => ("ClockHourOfAmPm", 1, 12, "1 - 12"),
            Field::Minute => ("MinuteOfHour", 0, 59, "0 - 59"),
            Field::Second => ("SecondOfMinute", 0, 59, "0 - 59"),
            Field::Nano => ("NanoOfSecond", 0, 999_999_999, "0 - 999999999"),
            Field::DayOfWeek => ("DayOfWeek", 1, 7, "1 - 7"),
        }
    }

    /// Java's message unless the value is in range.
    pub fn check(self, value: i64) -> Result<i64, String> {
        let (name, low, high, range) = self.range();
        if (low..=high).contains(&value) {
            Ok(value)
        } else {
            Err(format!("Invalid value for {name} (valid values {range}): {value}"))
        }
    }
}

/// Which signs a number may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// A minus where negative.
    Normal,
    /// None.
    Never,
    /// A plus where there are more digits than asked for.
    Exceeds,
}

/// A number's form.
#[derive(Debug, Clone, Copy)]
struct Number {
    field: Field,
    min: usize,
    max: usize,
    sign: Sign,
    /// The last two digits of a year from 2000 on.
    reduced: bool,
    /// Digits of the numbers that follow without anything between: they are left to them.
    subsequent: usize,
    /// Neighbours leave it no choice.
    fixed: bool,
}

/// A part of a pattern.
#[derive(Debug, Clone)]
enum Item {
    Literal(String),
    Number(Number),
    /// A name, in full or short.
    Text(Field, bool),
    /// The digits of the fraction of a second.
    Fraction(usize, usize),
    ZoneId,
    /// A zone's name, in full or short.
    ZoneName(bool),
    /// `GMT+8`, in full `GMT+08:00`.
    LocalizedOffset(bool),
    Offset(Offset),
    Optional(Vec<Item>),
}

/// Form of an offset from UTC.
#[derive(Debug, Clone, Copy)]
struct Offset {
    colon: bool,
    /// Minutes are left out where 0.
    minutes_optional: bool,
    /// Seconds are shown where not 0.
    seconds: bool,
    /// What stands for no offset.
    zero: &'static str,
}

/// A day number, or Java's message why there is none.
pub(crate) fn day_of(year: i64, month: i64, day: i64) -> Result<i32, String> {
    use vonk_types::datetime::{days_from_civil, days_in_month};
    let year = Field::Year.check(year)?;
    let month = Field::Month.check(month)?;
    let day = Field::Day.check(day)?;
    let (y, m, d) = (year as i32, month as u32, day as u32);
    if d > days_in_month(y.rem_euclid(400), m) {
        return Err(match (m, d) {
            (2, 29) => format!("Invalid date 'February 29' as '{y}' is not a leap year"),
            _ => format!("Invalid date '{} {d}'", names::MONTHS[m as usize - 1].to_uppercase()),
        });
    }
    if !(-5_800_000..=5_800_000).contains(&y) {
        return Err("integer overflow".into());
    }
    Ok(days_from_civil(y, m, d))
}

/// Spark's error for a text that does not fit its pattern.
pub(crate) fn cannot_parse(message: String, suggestion: &str) -> Error {
    Error::new("CANNOT_PARSE_TIMESTAMP").with("message", message).with("func", format!("`{suggestion}`"))
}

#[cfg(test)]
mod tests;
