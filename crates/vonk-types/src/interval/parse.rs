//! Reading intervals of the ANSI families: bare (`1-2`, `1 02:03:04.5`) or as literals (`INTERVAL '1-2' YEAR TO MONTH`).

use super::{micros_per, months_per};
use crate::data_type::{DataType, DayTimeField, YearMonthField};
use crate::number::trim;
use vonk_error::{Error, Result};

/// What stands in an interval's text: sign, the value's body, and the unit's words if it is a literal.
struct Text<'a> {
    negative: bool,
    body: &'a str,
    unit: Option<String>,
}

fn sign(s: &str) -> (bool, &str) {
    match s.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, s.strip_prefix('+').unwrap_or(s)),
    }
}

/// Takes `INTERVAL ±'±body' UNIT` or `±body` apart.
fn take_apart(s: &str) -> Option<Text<'_>> {
    let s = trim(s);
    if !s.get(..8).is_some_and(|p| p.eq_ignore_ascii_case("interval")) {
        let (negative, body) = sign(s);
        return Some(Text { negative, body, unit: None });
    }
    let rest = &s[8..];
    let quoted = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
    if quoted.len() == rest.len() {
        return None;
    }
    let (first, quoted) = sign(quoted);
    let (inner, unit) = quoted.strip_prefix('\'')?.split_once('\'')?;
    let (second, body) = sign(inner);
    if !unit.starts_with(|c: char| c.is_ascii_whitespace()) {
        return None;
    }
    let unit: Vec<String> = unit.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
    Some(Text { negative: first != second, body, unit: Some(unit.join(" ")) })
}

/// Digits as a number; `None` if there is anything else or more than `width` of them.
fn digits(s: &str, width: usize) -> Option<i64> {
    let ok = !s.is_empty() && s.len() <= width && s.bytes().all(|b| b.is_ascii_digit());
    if ok { s.parse().ok() } else { None }
}

fn is_digits(s: &str) -> bool {
    !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit())
}

fn year_month_formats(from: YearMonthField, to: YearMonthField) -> &'static str {
    match (from, to) {
        (YearMonthField::Year, YearMonthField::Year) => "`[+|-]y`, `INTERVAL [+|-]'[+|-]y' YEAR`",
        (YearMonthField::Month, _) => "`[+|-]m`, `INTERVAL [+|-]'[+|-]m' MONTH`",
        _ => "`[+|-]y-m`, `INTERVAL [+|-]'[+|-]y-m' YEAR TO MONTH`",
    }
}

fn unmatched(kind: &str, input: &str, formats: &str, target: &DataType) -> Error {
    let condition = match kind {
        "day-time" => "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE",
        _ => "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING",
    };
    Error::new(condition)
        .with("intervalStr", kind)
        .with("supportedFormat", formats)
        .with("typeName", target.catalog_string())
        .with("input", input)
}

fn beyond(kind: &str, input: &str) -> Error {
    Error::new("INVALID_INTERVAL_FORMAT.INTERVAL_PARSING").with("input", input).with("interval", kind)
}

/// Reads a year-month interval of these fields. `sign` (1 or -1) is what stood before the text.
pub fn parse_year_month(s: &str, from: YearMonthField, to: YearMonthField, sign: i32) -> Result<i32> {
    let target = DataType::YearMonthInterval(from, to);
    let misfit = || unmatched("year-month", s, year_month_formats(from, to), &target);
    let overflow = || beyond("year-month", s);
    let text = take_apart(s).ok_or_else(misfit)?;
    let expected = target.catalog_string();
    if text.unit.as_ref().is_some_and(|u| format!("interval {u}") != expected) {
        return Err(misfit());
    }
    let negative = text.negative != (sign < 0);
    let months = match text.body.split_once('-') {
        Some((years, months)) if is_digits(years) && is_digits(months) && from != to => {
            let years = digits(years, 18).filter(|y| *y <= 178_956_970);
            let months = digits(months, 18).filter(|m| *m <= 11);
            let (Some(years), Some(months)) = (years, months) else { return Err(overflow()) };
            years * 12 + months
        }
        None if is_digits(text.body) && from == to => {
            let value = digits(text.body, 17).ok_or_else(overflow)?;
            value * months_per(from) as i64
        }
        _ => return Err(misfit()),
    };
    i32::try_from(if negative { -months } else { months }).map_err(|_| overflow())
}

fn day_time_formats(from: DayTimeField, to: DayTimeField) -> String {
    let letter = |f: DayTimeField| match f {
        DayTimeField::Day => "d",
        DayTimeField::Hour => " h",
        DayTimeField::Minute => ":m",
        DayTimeField::Second => ":s.n",
    };
    let all = [DayTimeField::Day, DayTimeField::Hour, DayTimeField::Minute, DayTimeField::Second];
    let body: String = all.into_iter().filter(|f| from <= *f && *f <= to).map(letter).collect();
    let body = body.trim_start_matches([' ', ':']);
    let unit = DataType::DayTimeInterval(from, to).sql();
    let unit = unit.trim_start_matches("INTERVAL ");
    format!("`[+|-]{body}`, `INTERVAL [+|-]'[+|-]{body}' {unit}`")
}

/// `ss[.fffffffff]` as microseconds.
fn seconds(s: &str, width: usize) -> Option<i64> {
    let (whole, fraction) = match s.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (s, None),
    };
    let whole = digits(whole, width)?;
    let fraction = match fraction {
        Some(f) => digits(f, 9)? * 10i64.pow(9 - f.len() as u32) / 1000,
        None => 0,
    };
    whole.checked_mul(1_000_000)?.checked_add(fraction)
}

/// Most digits of the first field.
fn leading_width(from: DayTimeField, single: bool) -> usize {
    match from {
        DayTimeField::Day => 9,
        DayTimeField::Hour => 10,
        DayTimeField::Minute if single => 12,
        DayTimeField::Minute | DayTimeField::Second => 13,
    }
}

/// Splits the body into the texts of its fields; `None` if it has not their form.
fn fields(body: &str, from: DayTimeField, to: DayTimeField) -> Option<Vec<(DayTimeField, &str)>> {
    let all = [DayTimeField::Day, DayTimeField::Hour, DayTimeField::Minute, DayTimeField::Second];
    let mut out = Vec::new();
    let mut rest = body;
    for field in all.into_iter().filter(|f| from <= *f && *f <= to) {
        let part = if field == to {
            std::mem::take(&mut rest)
        } else {
            let (part, tail) = rest.split_once(if field == DayTimeField::Day { ' ' } else { ':' })?;
            rest = tail;
            part
        };
        let plain = match part.split_once('.') {
            Some((whole, fraction)) if field == DayTimeField::Second => {
                is_digits(whole) && is_digits(fraction) && fraction.len() <= 9
            }
            _ => is_digits(part),
        };
        let width = part.split('.').next().map_or(0, str::len);
        if !plain || (field != from && width > 2) {
            return None;
        }
        out.push((field, part));
    }
    Some(out)
}

/// Reads a day-time interval of these fields.
pub fn parse_day_time(s: &str, from: DayTimeField, to: DayTimeField) -> Result<i64> {
    let target = DataType::DayTimeInterval(from, to);
    let misfit = || unmatched("day-time", s, &day_time_formats(from, to), &target);
    let overflow = || beyond("day-time", s);
    let text = take_apart(s).ok_or_else(misfit)?;
    let expected = target.catalog_string();
    if text.unit.as_ref().is_some_and(|u| format!("interval {u}") != expected) {
        return Err(misfit());
    }
    let parts = fields(text.body, from, to).ok_or_else(misfit)?;
    let mut total: i128 = 0;
    for (field, part) in parts {
        let width = if field == from { leading_width(from, from == to) } else { 2 };
        let micros = match field {
            DayTimeField::Second => seconds(part, width).ok_or_else(misfit)? as i128,
            _ => digits(part, width).ok_or_else(misfit)? as i128 * micros_per(field) as i128,
        };
        // Fields after the first stay below the next coarser unit.
        let limit = match field {
            DayTimeField::Hour => 24,
            _ => 60,
        };
        if field != from && micros >= limit * micros_per(field) as i128 {
            return Err(overflow());
        }
        total += micros;
    }
    i64::try_from(if text.negative { -total } else { total }).map_err(|_| overflow())
}

#[cfg(test)]
mod tests {
    use super::*;
    use DayTimeField::{Day, Hour, Minute, Second};
    use YearMonthField::{Month, Year};

    #[test]
    fn year_month() {
        let ym = |s: &str, from, to| parse_year_month(s, from, to, 1).ok();
        assert_eq!(ym("1-2", Year, Month), Some(14));
        assert_eq!(ym(" interval -'1-2' year to month ", Year, Month), Some(-14));
        assert_eq!(ym("-5", Month, Month), Some(-5));
        assert_eq!(ym("5", Year, Year), Some(60));
        assert_eq!(ym("5", Year, Month), None);
        assert_eq!(ym("1-12", Year, Month), None);
        assert_eq!(ym("178956970-7", Year, Month), Some(i32::MAX));
        assert_eq!(ym("178956970-8", Year, Month), None);
        assert_eq!(ym("-178956970-8", Year, Month), Some(i32::MIN));
        let e = parse_year_month("1000000000", Year, Year, 1).unwrap_err();
        assert_eq!(e.condition(), "INVALID_INTERVAL_FORMAT.INTERVAL_PARSING");
    }

    #[test]
    fn day_time() {
        let dt = |s: &str, from, to| parse_day_time(s, from, to).ok();
        assert_eq!(dt("1 02:03:04.5", Day, Second), Some(93_784_500_000));
        assert_eq!(dt("INTERVAL '-1 2' DAY TO HOUR", Day, Hour), Some(-93_600_000_000));
        assert_eq!(dt("10", Second, Second), Some(10_000_000));
        assert_eq!(dt("10.123456789", Second, Second), Some(10_123_456));
        assert_eq!(dt("100:30", Minute, Second), Some(6_030_000_000));
        assert_eq!(dt("1 24:00:00", Day, Second), None);
        assert_eq!(dt("1", Day, Second), None);
        assert_eq!(dt("106751991 04:00:54.775807", Day, Second), Some(i64::MAX));
        assert_eq!(dt("-106751991 04:00:54.775808", Day, Second), Some(i64::MIN));
    }
}
