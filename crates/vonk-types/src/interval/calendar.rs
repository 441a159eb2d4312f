//! Reading legacy intervals: `interval 1 year 2 days -3.5 seconds`.

use crate::datetime::{MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};
use crate::number::trim;

/// Reads months, days and microseconds. Units may repeat and come in any order; only seconds have a fraction.
pub fn parse_calendar(s: &str) -> Option<(i32, i32, i64)> {
    let text = trim(s).to_ascii_lowercase();
    let mut rest = text.as_str();
    if let Some(tail) = rest.strip_prefix("interval") {
        if !tail.starts_with(|c: char| c.is_ascii_whitespace()) {
            return None;
        }
        rest = tail;
    }
    let (mut months, mut days, mut micros) = (0i32, 0i32, 0i64);
    let space = |c: char| c.is_ascii_whitespace();
    rest = rest.trim_start_matches(space);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (negative, tail) = match rest.strip_prefix('-') {
            Some(tail) => (true, tail),
            None => (false, rest.strip_prefix('+').unwrap_or(rest)),
        };
        let tail = tail.trim_start_matches(space);
        let end = tail.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = tail.split_at(end);
        let unit_text = tail.trim_start_matches(space);
        if unit_text.len() == tail.len() {
            return None;
        }
        let end = unit_text.find(space).unwrap_or(unit_text.len());
        let (unit, tail) = unit_text.split_at(end);
        rest = tail.trim_start_matches(space);
        let (whole, nanos) = number_parts(number)?;
        let unit = unit.strip_suffix('s').unwrap_or(unit);
        if nanos.is_some() && unit != "second" {
            return None;
        }
        let whole = if negative { whole.checked_neg()? } else { whole };
        let int = |per: i64| whole.checked_mul(per).and_then(|v| i32::try_from(v).ok());
        match unit {
            "year" => months = months.checked_add(int(12)?)?,
            "month" => months = months.checked_add(int(1)?)?,
            "week" => days = days.checked_add(int(7)?)?,
            "day" => days = days.checked_add(int(1)?)?,
            _ => {
                let per = match unit {
                    "hour" => MICROS_PER_HOUR,
                    "minute" => MICROS_PER_MINUTE,
                    "second" => MICROS_PER_SECOND,
                    "millisecond" => 1000,
                    "microsecond" => 1,
                    _ => return None,
                };
                let fraction = nanos.unwrap_or(0) / 1000;
                let fraction = if negative { -fraction } else { fraction };
                micros = micros.checked_add(whole.checked_mul(per)?)?.checked_add(fraction)?;
            }
        }
    }
    Some((months, days, micros))
}

/// Whole part and nanoseconds of `1`, `1.5`, `.5`, `5.`.
fn number_parts(s: &str) -> Option<(i64, Option<i64>)> {
    let (whole, fraction) = match s.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (s, None),
    };
    let whole = match (whole, fraction) {
        ("", None) => return None,
        ("", Some(_)) => 0,
        (w, _) => w.parse().ok()?,
    };
    let nanos = match fraction {
        None => None,
        Some(f) => {
            if f.len() > 9
                || (f.is_empty() && !s.starts_with(|c: char| c.is_ascii_digit()))
                || !f.bytes().all(|b| b.is_ascii_digit())
            {
                return None;
            }
            Some(if f.is_empty() { 0 } else { f.parse::<i64>().ok()? * 10i64.pow(9 - f.len() as u32) })
        }
    };
    Some((whole, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(parse_calendar("1 year 2 months"), Some((14, 0, 0)));
        assert_eq!(parse_calendar("interval 1 year -2 days 3.5 seconds"), Some((12, -2, 3_500_000)));
        assert_eq!(parse_calendar("2 WEEKS 1 hour"), Some((0, 14, 3_600_000_000)));
        for bad in ["", "1", "abc", "1 foo", "1.5 days", "interval", "interval1 day", "1day"] {
            assert_eq!(parse_calendar(bad), None, "{bad}");
        }
    }
}
