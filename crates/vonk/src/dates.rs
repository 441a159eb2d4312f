//! Dates and times of chrono as numbers of the engine, and back.

use arrow::datatypes::DataType as ArrowType;
use chrono::{DateTime, Days, NaiveDate, TimeZone, Utc};
use std::sync::Arc;
use vonk_types::DataType;

/// Days since 1970.
pub(crate) fn days(date: NaiveDate) -> i32 {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    // Chrono's years are within ±262,143: 96 million days.
    i32::try_from(days).unwrap_or(i32::MAX)
}

/// The date so many days after 1970. Dates beyond what chrono holds are its last.
pub(crate) fn date(days: i32) -> NaiveDate {
    let distance = Days::new(u64::from(days.unsigned_abs()));
    let epoch = NaiveDate::default();
    match days < 0 {
        true => epoch.checked_sub_days(distance).unwrap_or(NaiveDate::MIN),
        false => epoch.checked_add_days(distance).unwrap_or(NaiveDate::MAX),
    }
}

/// Microseconds since 1970.
pub(crate) fn micros<Z: TimeZone>(time: &DateTime<Z>) -> i64 {
    time.timestamp_micros()
}

/// The time so many microseconds after 1970. Times beyond what chrono holds are its last.
pub(crate) fn time(micros: i64) -> DateTime<Utc> {
    let last = if micros < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp_micros(micros).unwrap_or(last)
}

/// The zone that Arrow's timestamps have here.
pub(crate) fn zone() -> Option<Arc<str>> {
    match DataType::Timestamp.to_arrow() {
        ArrowType::Timestamp(_, zone) => zone,
        _ => None,
    }
}
