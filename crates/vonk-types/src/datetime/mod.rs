//! Dates and timestamps: the proleptic Gregorian calendar, time zones by Java's rules, and their text.

mod calendar;
mod parse;
mod zone;

pub use calendar::{
    MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, add_months, civil_from_days,
    days_from_civil, days_in_month, format_date, format_timestamp, format_timestamp_ntz, is_leap_year,
    timestamp_add_days, timestamp_add_months, today, write_date, write_date_hive, write_timestamp,
    write_timestamp_hive, write_timestamp_ntz,
};
pub use parse::{parse_date, parse_timestamp, parse_timestamp_at, parse_timestamp_ntz};
pub use zone::{Zone, local_to_utc, offset_seconds_at, utc_to_local};
