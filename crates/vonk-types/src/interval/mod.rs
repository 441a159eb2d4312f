//! Intervals: their text and reading it.

mod calendar;
mod format;
mod parse;

pub use calendar::parse_calendar;
pub use format::{
    format_calendar, format_day_time, format_year_month, write_calendar, write_day_time, write_day_time_hive,
    write_year_month, write_year_month_hive,
};
pub use parse::{parse_day_time, parse_year_month};

use crate::data_type::{DayTimeField, YearMonthField};
use crate::datetime::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};

/// Microseconds of a field's unit.
pub fn micros_per(field: DayTimeField) -> i64 {
    match field {
        DayTimeField::Day => MICROS_PER_DAY,
        DayTimeField::Hour => MICROS_PER_HOUR,
        DayTimeField::Minute => MICROS_PER_MINUTE,
        DayTimeField::Second => MICROS_PER_SECOND,
    }
}

/// Months of a field's unit.
pub fn months_per(field: YearMonthField) -> i32 {
    match field {
        YearMonthField::Year => 12,
        YearMonthField::Month => 1,
    }
}
