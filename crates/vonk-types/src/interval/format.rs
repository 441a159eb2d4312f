//! How intervals print: as ANSI literals (casts to string, SQL text), and as Hive shows them (results).

use super::micros_per;
use crate::data_type::{DayTimeField, YearMonthField};
use std::fmt::Write;

// Writing to a String does not fail, so results of write! are dropped in this file.

/// Appends `INTERVAL '1-2' YEAR TO MONTH`.
pub fn write_year_month(months: i32, from: YearMonthField, to: YearMonthField, out: &mut String) {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    let (years, rest) = (months / 12, months % 12);
    let _ = match (from, to) {
        (YearMonthField::Year, YearMonthField::Year) => write!(out, "INTERVAL '{sign}{years}' YEAR"),
        (YearMonthField::Month, _) => write!(out, "INTERVAL '{sign}{months}' MONTH"),
        _ => write!(out, "INTERVAL '{sign}{years}-{rest}' YEAR TO MONTH"),
    };
}

/// Appends `1-2`.
pub fn write_year_month_hive(months: i32, out: &mut String) {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    let _ = write!(out, "{sign}{}-{}", months / 12, months % 12);
}

/// Appends seconds with two digits before the point and no trailing zeros after it.
fn write_seconds(micros: u64, out: &mut String) {
    let _ = write!(out, "{:02}", micros / 1_000_000);
    write_fraction(micros % 1_000_000, out);
}

fn write_fraction(mut fraction: u64, out: &mut String) {
    if fraction == 0 {
        return;
    }
    out.push('.');
    let mut unit = 100_000;
    while fraction != 0 {
        out.push((b'0' + (fraction / unit) as u8) as char);
        fraction %= unit;
        unit /= 10;
    }
}

/// Appends `INTERVAL '1 02:03:04.5' DAY TO SECOND`.
pub fn write_day_time(micros: i64, from: DayTimeField, to: DayTimeField, out: &mut String) {
    out.push_str("INTERVAL '");
    if micros < 0 {
        out.push('-');
    }
    let mut rest = micros.unsigned_abs();
    let all = [DayTimeField::Day, DayTimeField::Hour, DayTimeField::Minute, DayTimeField::Second];
    for field in all.into_iter().filter(|f| from <= *f && *f <= to) {
        if field != from {
            out.push(if field == DayTimeField::Hour { ' ' } else { ':' });
        }
        let unit = micros_per(field) as u64;
        let _ = match field {
            DayTimeField::Second => {
                write_seconds(rest, out);
                Ok(())
            }
            DayTimeField::Day => write!(out, "{}", rest / unit),
            _ => write!(out, "{:02}", rest / unit),
        };
        rest %= unit;
    }
    let upper = |f: DayTimeField| f.name().to_ascii_uppercase();
    let _ = match from == to {
        true => write!(out, "' {}", upper(from)),
        false => write!(out, "' {} TO {}", upper(from), upper(to)),
    };
}

/// Appends `1 02:03:04.500000000`.
pub fn write_day_time_hive(micros: i64, out: &mut String) {
    let sign = if micros < 0 { "-" } else { "" };
    let rest = micros.unsigned_abs();
    let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let _ = write!(out, "{sign}{days} {hours:02}:{minutes:02}:{:02}.{fraction:06}000", seconds % 60);
}

/// Appends `1 years 2 months 3 days 4 hours 5 minutes 6.5 seconds`.
pub fn write_calendar(months: i32, days: i32, micros: i64, out: &mut String) {
    if months == 0 && days == 0 && micros == 0 {
        out.push_str("0 seconds");
        return;
    }
    let start = out.len();
    let mut unit = |n: i64, name: &str| {
        if n != 0 {
            let _ = write!(out, "{n} {name} ");
        }
    };
    unit((months / 12) as i64, "years");
    unit((months % 12) as i64, "months");
    unit(days as i64, "days");
    unit(micros / 3_600_000_000, "hours");
    unit(micros / 60_000_000 % 60, "minutes");
    let rest = micros % 60_000_000;
    if rest != 0 {
        let sign = if rest < 0 { "-" } else { "" };
        let rest = rest.unsigned_abs();
        let _ = write!(out, "{sign}{}", rest / 1_000_000);
        write_fraction(rest % 1_000_000, out);
        out.push_str(" seconds ");
    }
    if out.len() > start {
        out.pop();
    }
}

/// `INTERVAL '1-2' YEAR TO MONTH`.
pub fn format_year_month(months: i32, from: YearMonthField, to: YearMonthField) -> String {
    let mut out = String::new();
    write_year_month(months, from, to, &mut out);
    out
}

/// `INTERVAL '1 02:03:04.5' DAY TO SECOND`.
pub fn format_day_time(micros: i64, from: DayTimeField, to: DayTimeField) -> String {
    let mut out = String::new();
    write_day_time(micros, from, to, &mut out);
    out
}

/// `1 years 2 months 3 days`.
pub fn format_calendar(months: i32, days: i32, micros: i64) -> String {
    let mut out = String::new();
    write_calendar(months, days, micros, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use DayTimeField::{Day, Hour, Minute, Second};
    use YearMonthField::{Month, Year};

    #[test]
    fn text() {
        assert_eq!(format_year_month(14, Year, Month), "INTERVAL '1-2' YEAR TO MONTH");
        assert_eq!(format_year_month(-5, Month, Month), "INTERVAL '-5' MONTH");
        let t = 93_784_500_000;
        assert_eq!(format_day_time(t, Day, Second), "INTERVAL '1 02:03:04.5' DAY TO SECOND");
        assert_eq!(format_day_time(-5_123_456, Second, Second), "INTERVAL '-05.123456' SECOND");
        assert_eq!(format_day_time(t, Hour, Minute), "INTERVAL '26:03' HOUR TO MINUTE");
        assert_eq!(
            format_day_time(i64::MIN, Day, Second),
            "INTERVAL '-106751991 04:00:54.775808' DAY TO SECOND"
        );
        let mut hive = String::new();
        write_day_time_hive(t, &mut hive);
        assert_eq!(hive, "1 02:03:04.500000000");
        assert_eq!(
            format_calendar(14, 25, 18_367_890_000),
            "1 years 2 months 25 days 5 hours 6 minutes 7.89 seconds"
        );
        assert_eq!(format_calendar(-14, 0, -500_000), "-1 years -2 months -0.5 seconds");
        assert_eq!(format_calendar(0, 0, 0), "0 seconds");
    }
}
