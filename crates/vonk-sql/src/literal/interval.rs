//! Interval literals: `INTERVAL 1 DAY 2 HOURS`, `INTERVAL '1-2' YEAR TO MONTH`, `INTERVAL '1 day 2 hours'`.

use vonk_error::{Error, Result};
use vonk_types::{DataType, DayTimeField, Literal, ScalarValue, YearMonthField};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Months, days and microseconds of `value unit value unit …`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Amount {
    months: i32,
    days: i32,
    micros: i64,
}

/// A unit with its plural `s` taken off, in lower case.
pub(crate) fn singular(unit: &str) -> String {
    let lower = unit.to_ascii_lowercase();
    lower.strip_suffix('s').map_or(lower.clone(), str::to_string)
}

/// Whether a word is a unit of an interval.
pub(crate) fn is_unit(word: &str) -> bool {
    matches!(
        singular(word).as_str(),
        "year"
            | "month"
            | "week"
            | "day"
            | "hour"
            | "minute"
            | "second"
            | "millisecond"
            | "microsecond"
            | "nanosecond"
    )
}

/// Pairs of a value and a unit as written; `literal` is the whole text for messages.
pub(crate) fn multi_unit(pairs: &[(String, String)], literal: &str) -> Result<Literal> {
    let input: String = pairs.iter().map(|(v, u)| format!(" {v} {u}")).collect();
    let mut amount = Amount::default();
    for (value, unit) in pairs {
        add(&mut amount, value, &singular(unit), &input)?;
    }
    let units: Vec<String> = pairs.iter().map(|(_, u)| singular(u)).collect();
    typed(amount, &units, literal)
}

/// `INTERVAL 'text'` where the text holds values and units. `None` where the text is no interval.
pub(crate) fn from_text(text: &str, literal: &str) -> Option<Result<Literal>> {
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split_ascii_whitespace().peekable();
    words.next_if_eq(&"interval");
    let mut amount = Amount::default();
    let mut units = Vec::new();
    while let Some(value) = words.next() {
        // A sign may stand apart from its number.
        let value =
            if matches!(value, "-" | "+") { format!("{value}{}", words.next()?) } else { value.to_string() };
        let unit = words.next()?;
        if !is_unit(unit) {
            return None;
        }
        let unit = singular(unit);
        if add(&mut amount, &value, &unit, text).is_err() {
            return None;
        }
        units.push(unit);
    }
    if units.is_empty() { None } else { Some(typed(amount, &units, literal)) }
}

fn add(amount: &mut Amount, value: &str, unit: &str, input: &str) -> Result<()> {
    let overflow = || Error::new("INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION").with("input", input);
    let months = |n: i64, amount: &mut Amount| {
        let n = i32::try_from(n).ok()?;
        amount.months = amount.months.checked_add(n)?;
        Some(())
    };
    let days = |n: i64, amount: &mut Amount| {
        let n = i32::try_from(n).ok()?;
        amount.days = amount.days.checked_add(n)?;
        Some(())
    };
    let micros = |n: i64, size: i64, amount: &mut Amount| {
        amount.micros = amount.micros.checked_add(n.checked_mul(size)?)?;
        Some(())
    };
    if unit == "nanosecond" {
        return Err(Error::new("INVALID_INTERVAL_FORMAT.INVALID_UNIT")
            .with("input", input)
            .with("unit", unit));
    }
    let (whole, fraction) = value.split_once('.').map_or((value, None), |(w, f)| (w, Some(f)));
    let negative = whole.starts_with('-');
    let magnitude = whole.trim_start_matches(['-', '+']);
    let n: i64 = if magnitude.is_empty() && fraction.is_some() {
        0
    } else {
        if magnitude.is_empty() || !magnitude.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::new("INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER")
                .with("input", input)
                .with("number", value));
        }
        let n: i64 = magnitude.parse().map_err(|_| overflow())?;
        if negative { -n } else { n }
    };
    if let Some(fraction) = fraction {
        if unit != "second" {
            return Err(Error::new("INVALID_INTERVAL_FORMAT.INVALID_FRACTION")
                .with("input", input)
                .with("unit", unit));
        }
        if fraction.len() > 9 {
            return Err(Error::new("INVALID_INTERVAL_FORMAT.INVALID_PRECISION")
                .with("input", input)
                .with("value", value));
        }
        let nanos: i64 = format!("{fraction:0<9}").parse().map_err(|_| overflow())?;
        let part = if negative { -(nanos / 1000) } else { nanos / 1000 };
        micros(part, 1, amount).ok_or_else(overflow)?;
    }
    let done = match unit {
        "year" => n.checked_mul(12).and_then(|n| months(n, amount)),
        "month" => months(n, amount),
        "week" => n.checked_mul(7).and_then(|n| days(n, amount)),
        "day" => days(n, amount),
        "hour" => micros(n, HOUR, amount),
        "minute" => micros(n, MINUTE, amount),
        "second" => micros(n, SECOND, amount),
        "millisecond" => micros(n, 1000, amount),
        _ => micros(n, 1, amount),
    };
    done.ok_or_else(overflow)
}

/// The literal of the family its units belong to.
fn typed(amount: Amount, units: &[String], literal: &str) -> Result<Literal> {
    let mut year_month: Option<(YearMonthField, YearMonthField)> = None;
    let mut day_time: Option<(DayTimeField, DayTimeField)> = None;
    for unit in units {
        match unit.as_str() {
            "year" => widen(&mut year_month, YearMonthField::Year),
            "month" => widen(&mut year_month, YearMonthField::Month),
            "week" | "day" => widen(&mut day_time, DayTimeField::Day),
            "hour" => widen(&mut day_time, DayTimeField::Hour),
            "minute" => widen(&mut day_time, DayTimeField::Minute),
            _ => widen(&mut day_time, DayTimeField::Second),
        }
    }
    match (year_month, day_time) {
        (Some((from, to)), None) => Ok(year_month_literal(amount.months, from, to)),
        (None, Some((from, to))) => {
            let micros = i64::from(amount.days)
                .checked_mul(DAY)
                .and_then(|d| d.checked_add(amount.micros))
                .ok_or_else(|| Error::new("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION"))?;
            Ok(day_time_literal(micros, from, to))
        }
        _ => Err(Error::new("_LEGACY_ERROR_TEMP_0029").with("literal", literal)),
    }
}

fn widen<F: Copy + Ord>(range: &mut Option<(F, F)>, field: F) {
    *range = Some(range.map_or((field, field), |(from, to)| (from.min(field), to.max(field))));
}

fn year_month_literal(months: i32, from: YearMonthField, to: YearMonthField) -> Literal {
    Literal::new(ScalarValue::IntervalYearMonth(Some(months)), DataType::YearMonthInterval(from, to))
}

fn day_time_literal(micros: i64, from: DayTimeField, to: DayTimeField) -> Literal {
    Literal::new(ScalarValue::DurationMicrosecond(Some(micros)), DataType::DayTimeInterval(from, to))
}

/// A field of `DAY TO SECOND` by name.
fn day_time_field(name: &str) -> Option<DayTimeField> {
    [DayTimeField::Day, DayTimeField::Hour, DayTimeField::Minute, DayTimeField::Second]
        .into_iter()
        .find(|f| f.name() == name)
}

/// `INTERVAL [sign] 'text' from TO to`, `from` and `to` in lower case.
pub(crate) fn unit_to_unit(text: &str, negate: bool, from: &str, to: &str) -> Result<Literal> {
    let unsupported = || {
        Error::new("INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION")
            .with("input", text)
            .with("from", from)
            .with("to", to)
    };
    if (from, to) == ("year", "month") {
        let months = year_to_month(text.trim(), negate)?;
        return Ok(year_month_literal(months, YearMonthField::Year, YearMonthField::Month));
    }
    let (Some(from), Some(to)) = (day_time_field(from), day_time_field(to)) else {
        return Err(unsupported());
    };
    if from >= to {
        return Err(unsupported());
    }
    let micros = day_to_second(text, negate, from, to)?;
    Ok(day_time_literal(micros, from, to))
}

/// `[+|-]y-m`
fn year_to_month(text: &str, negate: bool) -> Result<i32> {
    let (minus, rest) = sign(text);
    let parts = rest.split_once('-').filter(|(y, m)| is_number(y, 9) && is_number(m, 2));
    let Some((years, months)) = parts else {
        return Err(Error::new("INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING")
            .with("intervalStr", "year-month")
            .with("supportedFormat", "`[+|-]y-m`, `INTERVAL [+|-]'[+|-]y-m' YEAR TO MONTH`")
            .with("typeName", "interval year to month")
            .with("input", text));
    };
    let invalid = || {
        Error::new("INVALID_INTERVAL_FORMAT.INTERVAL_PARSING")
            .with("input", text)
            .with("interval", "year-month")
    };
    let years: i64 = years.parse().map_err(|_| invalid())?;
    let months: i64 = months.parse().map_err(|_| invalid())?;
    if months > 11 {
        return Err(invalid());
    }
    let total = years * 12 + months;
    let total = if minus != negate { -total } else { total };
    i32::try_from(total).map_err(|_| invalid())
}

/// Takes a sign off; true for minus.
fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

fn is_number(s: &str, longest: usize) -> bool {
    !s.is_empty() && s.len() <= longest && s.bytes().all(|b| b.is_ascii_digit())
}

/// `[+|-]d h:m:s.n` and its shorter forms.
fn day_to_second(text: &str, negate: bool, from: DayTimeField, to: DayTimeField) -> Result<i64> {
    let trimmed = text.trim();
    let unmatched = || {
        let form = shape(from, to);
        let (f, t) = (from.name(), to.name());
        let upper = format!("{} TO {}", f.to_uppercase(), t.to_uppercase());
        Error::new("INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE")
            .with("intervalStr", "day-time")
            .with("supportedFormat", format!("`[+|-]{form}`, `INTERVAL [+|-]'[+|-]{form}' {upper}`"))
            .with("typeName", format!("interval {f} to {t}"))
            .with("input", text)
    };
    let (minus, rest) = sign(trimmed);
    let (days, clock) = if from == DayTimeField::Day {
        let (d, c) = rest.split_once(' ').ok_or_else(unmatched)?;
        (Some(d), c)
    } else {
        (None, rest)
    };
    let first = if from == DayTimeField::Day { DayTimeField::Hour } else { from };
    let fields: Vec<DayTimeField> = [DayTimeField::Hour, DayTimeField::Minute, DayTimeField::Second]
        .into_iter()
        .filter(|f| (first..=to).contains(f))
        .collect();
    let parts: Vec<&str> = clock.split(':').collect();
    if parts.len() != fields.len() || days.is_some_and(|d| !is_number(d, 9)) {
        return Err(unmatched());
    }
    let negative = minus != negate;
    let mut total: i128 = match days {
        Some(d) => i128::from(d.parse::<i64>().map_err(|_| unmatched())?) * i128::from(DAY),
        None => 0,
    };
    for (field, part) in fields.iter().zip(&parts) {
        let leading = *field == from;
        total += clock_field(*field, part, leading).ok_or_else(unmatched)??;
    }
    i64::try_from(if negative { -total } else { total })
        .map_err(|_| Error::new("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION"))
}

/// One field between colons, in microseconds. `None` where it does not look like one. Only the leading field may exceed its range.
fn clock_field(field: DayTimeField, part: &str, leading: bool) -> Option<Result<i128>> {
    let (whole, fraction) = match (field, part.split_once('.')) {
        (DayTimeField::Second, Some((w, f))) => (w, Some(f)),
        _ => (part, None),
    };
    let longest = match (leading, field) {
        (true, DayTimeField::Hour) => 10,
        (true, DayTimeField::Minute) => 12,
        (true, _) => 13,
        _ => 2,
    };
    if !is_number(whole, longest)
        || fraction.is_some_and(|f| f.len() > 9 || !f.bytes().all(|b| b.is_ascii_digit()))
    {
        return None;
    }
    let n: i128 = whole.parse().ok()?;
    let (size, limit) = match field {
        DayTimeField::Hour => (HOUR, 23),
        DayTimeField::Minute => (MINUTE, 59),
        _ => (SECOND, 59),
    };
    if !leading && n > limit {
        let message = format!("requirement failed: {} {n} outside range [0, {limit}]", field.name());
        return Some(Err(Error::new("_LEGACY_ERROR_TEMP_0063").with("msg", message)));
    }
    let nanos: i128 = fraction.map_or(Some(0), |f| format!("{f:0<9}").parse().ok())?;
    Some(Ok(n * i128::from(size) + nanos / 1000))
}

/// The form of the text as Spark's messages spell it.
fn shape(from: DayTimeField, to: DayTimeField) -> String {
    let mut out = String::new();
    for (field, text) in [
        (DayTimeField::Day, "d"),
        (DayTimeField::Hour, "h"),
        (DayTimeField::Minute, "m"),
        (DayTimeField::Second, "s.n"),
    ] {
        if (from..=to).contains(&field) {
            if !out.is_empty() {
                out.push(if out.ends_with('d') { ' ' } else { ':' });
            }
            out.push_str(text);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn multi(pairs: &[(&str, &str)]) -> Literal {
        let pairs: Vec<_> = pairs.iter().map(|(v, u)| (v.to_string(), u.to_string())).collect();
        multi_unit(&pairs, "").unwrap()
    }

    #[test]
    fn units() {
        assert_eq!(
            multi(&[("1", "YEAR"), ("2", "months")]),
            year_month_literal(14, YearMonthField::Year, YearMonthField::Month)
        );
        assert_eq!(multi(&[("1", "week")]), day_time_literal(7 * DAY, DayTimeField::Day, DayTimeField::Day));
        assert_eq!(
            multi(&[("-1.5", "SECONDS")]),
            day_time_literal(-1_500_000, DayTimeField::Second, DayTimeField::Second)
        );
        assert_eq!(
            from_text("1  day  -2 hours", "").unwrap().unwrap(),
            day_time_literal(22 * HOUR, DayTimeField::Day, DayTimeField::Hour)
        );
        assert!(from_text("1 day 3 foo", "").is_none());
        assert!(from_text("", "").is_none());
    }

    #[test]
    fn ranges() {
        let of = |s: &str, n, f, t| unit_to_unit(s, n, f, t);
        assert_eq!(
            of("-1-2", false, "year", "month").unwrap(),
            year_month_literal(-14, YearMonthField::Year, YearMonthField::Month)
        );
        assert_eq!(
            of("1 02:03:04.5", true, "day", "second").unwrap(),
            day_time_literal(
                -(DAY + 2 * HOUR + 3 * MINUTE + 4_500_000),
                DayTimeField::Day,
                DayTimeField::Second
            )
        );
        assert_eq!(
            of("25:00", false, "hour", "minute").unwrap(),
            day_time_literal(25 * HOUR, DayTimeField::Hour, DayTimeField::Minute)
        );
        let e = of("1 2", false, "day", "second").unwrap_err();
        assert_eq!(
            e.params().find(|p| p.0 == "supportedFormat").unwrap().1,
            "`[+|-]d h:m:s.n`, `INTERVAL [+|-]'[+|-]d h:m:s.n' DAY TO SECOND`"
        );
        assert!(of("1", false, "day", "day").is_err());
    }
}
