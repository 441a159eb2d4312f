//! Days, months and years, arithmetic on them, and how dates and timestamps print.

use super::zone::Zone;
use crate::context::SessionZone;

/// Microseconds of a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds of a minute.
pub const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
/// Microseconds of an hour.
pub const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
/// Microseconds of a day of 24 hours.
pub const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// Whether the year has a February 29.
pub fn is_leap_year(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month (1 to 12).
pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Parts must be a date; years within ±5.8 million.
pub fn days_from_civil(y: i32, m: u32, d: u32) -> i32 {
    days_from_civil_wide(y as i64, m, d) as i32
}

/// As [`days_from_civil`], for any year.
pub(crate) fn days_from_civil_wide(y: i64, m: u32, d: u32) -> i64 {
    // Years begin in March here, so that the leap day is the last one.
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let month = (m as i64 + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + d as i64 - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day number.
pub fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let z = days as i64 + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097) as u32;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era as i64 + era * 400 + i64::from(month <= 2);
    (year as i32, month, day)
}

/// The same day so many months later, or the month's last; `None` where the day number overflows.
pub fn add_months(days: i32, months: i32) -> Option<i32> {
    let (y, m, d) = civil_from_days(days);
    let total = y as i64 * 12 + (m as i64 - 1) + months as i64;
    let (y, m) = (total.div_euclid(12), total.rem_euclid(12) as u32 + 1);
    let last = days_in_month((y.rem_euclid(400)) as i32, m);
    i32::try_from(days_from_civil_wide(y, m, d.min(last))).ok()
}

/// The same time of day so many months later in the zone.
pub fn timestamp_add_months(micros: i64, months: i32, zone: &SessionZone) -> Option<i64> {
    let zone = Zone::of(zone);
    let local = zone.utc_to_local(micros);
    let (days, time) = (local.div_euclid(MICROS_PER_DAY), local.rem_euclid(MICROS_PER_DAY));
    let days = add_months(i32::try_from(days).ok()?, months)?;
    let local = (days as i64).checked_mul(MICROS_PER_DAY)?.checked_add(time)?;
    zone.checked_local_to_utc(local, zone.offset_at_utc(micros))
}

/// The same time of day so many days later in the zone.
pub fn timestamp_add_days(micros: i64, days: i32, zone: &SessionZone) -> Option<i64> {
    let zone = Zone::of(zone);
    let local = zone.utc_to_local(micros).checked_add(days as i64 * MICROS_PER_DAY)?;
    zone.checked_local_to_utc(local, zone.offset_at_utc(micros))
}

/// The current date in a zone, from the system's clock.
pub fn today(zone: &SessionZone) -> i32 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let micros = now.map_or(0, |d| d.as_micros() as i64);
    Zone::of(zone).utc_to_local(micros).div_euclid(MICROS_PER_DAY) as i32
}

fn push2(n: u32, out: &mut String) {
    out.push((b'0' + (n / 10) as u8) as char);
    out.push((b'0' + (n % 10) as u8) as char);
}

/// Appends `2020-01-31`; years beyond four digits with a sign, as Java prints them.
pub fn write_date(days: i32, out: &mut String) {
    use std::fmt::Write;
    let (y, m, d) = civil_from_days(days);
    // Writing to a String does not fail.
    match y {
        0..=9999 => {
            push2(y as u32 / 100, out);
            push2(y as u32 % 100, out);
        }
        10_000.. => drop(write!(out, "+{y}")),
        _ => drop(write!(out, "-{:04}", -(y as i64))),
    }
    out.push('-');
    push2(m, out);
    out.push('-');
    push2(d, out);
}

/// Appends a date as results show it, which Spark makes with Java's old classes: years of the era, without a sign.
pub fn write_date_hive(days: i32, out: &mut String) {
    use std::fmt::Write;
    let (y, m, d) = civil_from_days(days);
    if (1..=9999).contains(&y) {
        return write_date(days, out);
    }
    let year = if y <= 0 { 1 - y as i64 } else { y as i64 };
    let _ = write!(out, "{year:04}-{m:02}-{d:02}"); // writing to a String does not fail
}

/// Appends a timestamp as results show it: see [`write_date_hive`]; those classes also know no changes of the clocks
/// before 1900.
pub fn write_timestamp_hive(micros: i64, zone: &Zone, out: &mut String) {
    const YEAR_1900: i64 = -2_208_988_800 * MICROS_PER_SECOND;
    let local = match micros < YEAR_1900 {
        true => micros.saturating_add(zone.standard_offset() as i64 * MICROS_PER_SECOND),
        false => zone.utc_to_local(micros),
    };
    write_date_hive(local.div_euclid(MICROS_PER_DAY) as i32, out);
    write_time(local.rem_euclid(MICROS_PER_DAY), out);
}

/// Appends `2020-01-31 12:30:00.5`: no trailing zeros in the fraction.
pub fn write_timestamp_ntz(micros: i64, out: &mut String) {
    write_date(micros.div_euclid(MICROS_PER_DAY) as i32, out); // 2^63 microseconds are 107 million days
    write_time(micros.rem_euclid(MICROS_PER_DAY), out);
}

/// Appends ` 12:30:00.5`.
fn write_time(time: i64, out: &mut String) {
    let (seconds, mut fraction) = ((time / MICROS_PER_SECOND) as u32, (time % MICROS_PER_SECOND) as u32);
    for (mark, part) in [(' ', seconds / 3600), (':', seconds / 60 % 60), (':', seconds % 60)] {
        out.push(mark);
        push2(part, out);
    }
    if fraction != 0 {
        out.push('.');
        let mut unit = 100_000;
        while fraction != 0 {
            out.push((b'0' + (fraction / unit) as u8) as char);
            fraction %= unit;
            unit /= 10;
        }
    }
}

/// Appends a timestamp as the clocks of a zone show it.
pub fn write_timestamp(micros: i64, zone: &Zone, out: &mut String) {
    write_timestamp_ntz(zone.utc_to_local(micros), out);
}

/// A date's text.
pub fn format_date(days: i32) -> String {
    let mut out = String::with_capacity(10);
    write_date(days, &mut out);
    out
}

/// A zoneless timestamp's text.
pub fn format_timestamp_ntz(micros: i64) -> String {
    let mut out = String::with_capacity(26);
    write_timestamp_ntz(micros, &mut out);
    out
}

/// A timestamp's text in the session's zone.
pub fn format_timestamp(micros: i64, zone: &SessionZone) -> String {
    format_timestamp_ntz(Zone::of(zone).utc_to_local(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_round_trips() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2000, 3, 1), 11_017);
        assert_eq!(civil_from_days(-719_528), (0, 1, 1));
        for days in (-3_000_000..3_000_000).step_by(17) {
            let (y, m, d) = civil_from_days(days);
            assert_eq!(days_from_civil(y, m, d), days);
            assert!((1..=days_in_month(y, m)).contains(&d));
        }
        for extreme in [i32::MIN, i32::MAX] {
            let (y, m, d) = civil_from_days(extreme);
            assert_eq!(days_from_civil(y, m, d), extreme);
        }
    }

    #[test]
    fn month_arithmetic_keeps_to_the_month() {
        let day = days_from_civil;
        assert_eq!(add_months(day(2020, 1, 31), 1), Some(day(2020, 2, 29)));
        assert_eq!(add_months(day(2020, 2, 29), 12), Some(day(2021, 2, 28)));
        assert_eq!(add_months(day(2020, 1, 31), -2), Some(day(2019, 11, 30)));
        assert_eq!(add_months(i32::MAX, 12), None);
        assert_eq!(add_months(0, i32::MAX), None);
    }

    #[test]
    fn text() {
        assert_eq!(format_date(days_from_civil(10_000, 1, 1)), "+10000-01-01");
        assert_eq!(format_date(days_from_civil(-44, 3, 15)), "-0044-03-15");
        assert_eq!(format_timestamp_ntz(500_000), "1970-01-01 00:00:00.5");
        assert_eq!(format_timestamp_ntz(-1), "1969-12-31 23:59:59.999999");
    }
}
