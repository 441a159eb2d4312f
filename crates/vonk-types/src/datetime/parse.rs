//! Reading dates and timestamps as Spark's casts do.

use super::calendar::{MICROS_PER_SECOND, days_from_civil_wide, days_in_month, today};
use super::zone::Zone;
use crate::context::SessionZone;
use crate::number::is_space;

fn trim(mut s: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = s {
        if !is_space(*first) {
            break;
        }
        s = rest;
    }
    while let [rest @ .., last] = s {
        if !is_space(*last) {
            break;
        }
        s = rest;
    }
    s
}

fn day_number(year: i64, month: u32, day: u32) -> Option<i64> {
    let ok =
        (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year.rem_euclid(400) as i32, month);
    ok.then(|| days_from_civil_wide(year, month, day))
}

/// Two digits as a number.
fn two(a: u8, b: u8) -> Option<u32> {
    let (a, b) = (a.wrapping_sub(b'0'), b.wrapping_sub(b'0'));
    (a <= 9 && b <= 9).then_some(a as u32 * 10 + b as u32)
}

/// Reads `[+-]yyyy[-m[m][-d[d]]]`, years of four to seven digits; after the day, anything may follow a blank or a `T`.
pub fn parse_date(s: &str) -> Option<i32> {
    let bytes = trim(s.as_bytes());
    if let [a, b, c, d, b'-', m1, m2, b'-', d1, d2] = bytes {
        let year = two(*a, *b)? as i64 * 100 + two(*c, *d)? as i64;
        return day_number(year, two(*m1, *m2)?, two(*d1, *d2)?).map(|d| d as i32);
    }
    let (negative, rest) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut parts = [1i64; 3];
    let (mut part, mut value, mut digits) = (0, 0i64, 0);
    let mut ends = false;
    for c in rest {
        match c {
            b'-' if part < 2 => {
                if !date_digits(part, digits) {
                    return None;
                }
                parts[part] = value;
                (part, value, digits) = (part + 1, 0, 0);
            }
            b' ' | b'T' if part == 2 => {
                ends = true;
                break;
            }
            b'0'..=b'9' if digits < 8 => {
                value = value * 10 + (c - b'0') as i64;
                digits += 1;
            }
            _ => return None,
        }
    }
    if !date_digits(part, digits) || (ends && part != 2) {
        return None;
    }
    parts[part] = value;
    let year = if negative { -parts[0] } else { parts[0] };
    i32::try_from(day_number(year, parts[1] as u32, parts[2] as u32)?).ok()
}

fn date_digits(part: usize, digits: u32) -> bool {
    if part == 0 { (4..=7).contains(&digits) } else { (1..=2).contains(&digits) }
}

/// What a timestamp's text says.
struct Parts<'a> {
    /// Year, month, day, hour, minute, second, microsecond.
    values: [i64; 7],
    zone: Option<&'a str>,
    /// Only a time of day was given.
    just_time: bool,
}

fn segment_digits(segment: usize, digits: u32) -> bool {
    match segment {
        0 => (4..=6).contains(&digits),
        6 => true,
        7 => digits <= 2,
        _ => (1..=2).contains(&digits),
    }
}

/// Splits `[+-]yyyy[-m[m][-d[d]]][ T][h[h]:[m]m[:[s]s[.f*]]][zone]` and `[T]h[h]:m[m]…`.
fn split(s: &str) -> Option<Parts<'_>> {
    let bytes = trim(s.as_bytes());
    let start = bytes.as_ptr() as usize - s.as_ptr() as usize;
    let text = s.get(start..start + bytes.len())?;
    let mut out = Parts { values: [1, 1, 1, 0, 0, 0, 0], zone: None, just_time: false };
    let (sign, mut at) = match bytes.first()? {
        b'-' => (Some(-1), 1),
        b'+' => (Some(1), 1),
        _ => (None, 0),
    };
    let (mut segment, mut value, mut digits) = (0usize, 0i64, 0u32);
    let mut fraction_digits = 0;
    let mut first = true;
    while at < bytes.len() {
        let c = bytes[at];
        if c.is_ascii_digit() {
            if segment == 6 {
                fraction_digits += 1;
            }
            // Digits beyond microseconds are dropped.
            if segment != 6 || digits < 6 {
                value = value.checked_mul(10)?.checked_add((c - b'0') as i64)?;
            }
            digits += 1;
            at += 1;
            first = false;
            continue;
        }
        if first && sign.is_none() && c == b'T' {
            out.just_time = true;
            segment = 3;
            first = false;
            at += 1;
            continue;
        }
        first = false;
        let next = match segment {
            0 if c == b':' && sign.is_none() => {
                out.just_time = true;
                segment = 3;
                4
            }
            0 | 1 if c == b'-' => segment + 1,
            2 if c == b' ' || c == b'T' => 3,
            3 | 4 if c == b':' => segment + 1,
            5 if c == b'.' => 6,
            5 | 6 => 7,
            _ => return None,
        };
        if !segment_digits(segment, digits) {
            return None;
        }
        out.values[segment] = value;
        (segment, value, digits) = (next, 0, 0);
        if next == 7 {
            out.zone = Some(text.get(at..)?);
            at = bytes.len();
        } else {
            at += 1;
        }
    }
    if !segment_digits(segment, digits) {
        return None;
    }
    if segment < 7 {
        out.values[segment] = value;
    }
    while fraction_digits < 6 {
        out.values[6] *= 10;
        fraction_digits += 1;
    }
    out.values[0] *= sign.unwrap_or(1);
    Some(out)
}

impl Parts<'_> {
    fn time_of_day(&self) -> Option<i64> {
        let [.., h, m, s, us] = self.values;
        let ok = (0..24).contains(&h) && (0..60).contains(&m) && (0..60).contains(&s);
        ok.then_some((h * 3600 + m * 60 + s) * MICROS_PER_SECOND + us)
    }

    fn day(&self) -> Option<i64> {
        day_number(self.values[0], self.values[1] as u32, self.values[2] as u32)
    }
}

fn local_micros(days: i64, time: i64) -> Option<i64> {
    i64::try_from(days as i128 * super::MICROS_PER_DAY as i128 + time as i128).ok()
}

/// The zone behind a time: an offset, `Z`, or a region, with the short forms that Spark completes (`+1:2` is `+01:02`).
fn zone_of(text: &str) -> Option<Zone> {
    SessionZone::parse_lenient(text.trim()).map(|z| Zone::of(&z))
}

/// Reads a timestamp; a time without a date is of the given day.
pub fn parse_timestamp_at(s: &str, zone: &Zone, today: impl FnOnce(&Zone) -> i32) -> Option<i64> {
    if let Some(local) = plain(s.as_bytes()) {
        return Some(zone.local_to_utc(local));
    }
    let parts = split(s)?;
    let zone = match parts.zone {
        Some(text) => zone_of(text)?,
        None => *zone,
    };
    let time = parts.time_of_day()?;
    let days = if parts.just_time { today(&zone) as i64 } else { parts.day()? };
    let local = days as i128 * super::MICROS_PER_DAY as i128 + time as i128;
    let near = i64::try_from(local.clamp(i64::MIN as i128, i64::MAX as i128)).ok()?;
    i64::try_from(local - zone.offset_at_local(near) as i128 * MICROS_PER_SECOND as i128).ok()
}

/// The usual `yyyy-mm-dd hh:mm:ss`, quickly.
fn plain(b: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b' ' | b'T', h1, h2, b':', n1, n2, b':', s1, s2] = b
    else {
        return None;
    };
    let year = two(*y1, *y2)? as i64 * 100 + two(*y3, *y4)? as i64;
    let days = day_number(year, two(*m1, *m2)?, two(*d1, *d2)?)?;
    let (h, m, s) = (two(*h1, *h2)?, two(*n1, *n2)?, two(*s1, *s2)?);
    if h > 23 || m > 59 || s > 59 {
        return None;
    }
    local_micros(days, (h * 3600 + m * 60 + s) as i64 * MICROS_PER_SECOND)
}

/// Reads a timestamp in the session's zone; a time without a date is of the current day.
pub fn parse_timestamp(s: &str, zone: &SessionZone) -> Option<i64> {
    parse_timestamp_at(s, &Zone::of(zone), |_| today(zone))
}

/// Reads a zoneless timestamp. A zone in the text must be one, and is dropped; a time without a date is refused.
pub fn parse_timestamp_ntz(s: &str) -> Option<i64> {
    if let Some(local) = plain(s.as_bytes()) {
        return Some(local);
    }
    let parts = split(s)?;
    if parts.just_time {
        return None;
    }
    if let Some(text) = parts.zone {
        zone_of(text)?;
    }
    local_micros(parts.day()?, parts.time_of_day()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datetime::{format_date, format_timestamp_ntz};

    #[test]
    fn dates() {
        let show = |s: &str| parse_date(s).map(format_date);
        for (text, date) in [
            ("2020", "2020-01-01"),
            (" 2020-1 ", "2020-01-01"),
            ("2020-1-2", "2020-01-02"),
            ("2020-01-02T", "2020-01-02"),
            ("2020-01-02 whatever", "2020-01-02"),
            ("-0044-03-15", "-0044-03-15"),
            ("+10000-01-01", "+10000-01-01"),
        ] {
            assert_eq!(show(text).as_deref(), Some(date), "{text}");
        }
        for bad in
            ["", "20", "2020-", "2020-13-01", "2021-02-29", "2020-01-02x", "20200102x", "2020 ", "2020-1-1-1"]
        {
            assert_eq!(show(bad.trim_end_matches('_')).filter(|_| bad != "2020 "), None, "{bad}");
        }
    }

    #[test]
    fn timestamps() {
        let la = SessionZone::parse("America/Los_Angeles").unwrap();
        let utc = |s: &str| parse_timestamp(s, &la).map(format_timestamp_ntz);
        for (text, instant) in [
            ("2020-01-01 12:00:00", "2020-01-01 20:00:00"),
            ("2020-07-01T12:00", "2020-07-01 19:00:00"),
            ("2020-07-01 1:2:3.4567891", "2020-07-01 08:02:03.456789"),
            ("2020-07-01 12:00:00Z", "2020-07-01 12:00:00"),
            ("2020-07-01 12:00:00 +01:00", "2020-07-01 11:00:00"),
            ("2020-07-01 12:00:00.5+1:30", "2020-07-01 10:30:00.5"),
            ("2020-07-01 12:00:00 Europe/Amsterdam", "2020-07-01 10:00:00"),
            ("2020", "2020-01-01 08:00:00"),
        ] {
            assert_eq!(utc(text).as_deref(), Some(instant), "{text}");
        }
        for bad in
            ["", "x", "2020-01-01 25:00:00", "2020-01-01 12:00:60", "2020-01-01 12:00:00 Mars/Base", "12"]
        {
            assert_eq!(utc(bad), None, "{bad}");
        }
        assert!(parse_timestamp("12:30", &la).is_some());
        assert_eq!(parse_timestamp_ntz("12:30"), None);
    }
}
