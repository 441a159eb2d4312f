//! Reading by a pattern.

use super::format::names;
use super::names::zone_of_name;
use super::{FIELDS, Field, Item, Number, Offset, Parsed, Pattern, Sign};
use vonk_types::context::SessionZone;

/// What a pattern has read so far.
#[derive(Clone, Default)]
pub(super) struct Found {
    pub fields: [Option<i64>; FIELDS],
    pub offset: Option<i32>,
    pub zone: Option<SessionZone>,
}

impl Found {
    /// Notes a value; false if another was noted before.
    fn set(&mut self, field: Field, value: i64) -> bool {
        let slot = &mut self.fields[field as usize];
        slot.replace(value).is_none_or(|before| before == value)
    }
}

impl Pattern {
    /// Reads a text, or says what Java says about it.
    pub fn parse(&self, text: &str) -> Result<Parsed, String> {
        let mut found = Found::default();
        let index = |at: usize| text.get(..at).map_or(at, |t| t.encode_utf16().count());
        let quoted = || {
            let mut shown: String = text.chars().take(64).collect();
            if text.encode_utf16().count() > 64 {
                shown.push_str("...");
            }
            shown
        };
        match read_items(&self.items, text, 0, &mut found) {
            Err(at) => Err(format!("Text '{}' could not be parsed at index {}", quoted(), index(at))),
            Ok(at) if at < text.len() => Err(format!(
                "Text '{}' could not be parsed, unparsed text found at index {}",
                quoted(),
                index(at)
            )),
            Ok(_) => {
                Parsed::resolve(found).map_err(|e| format!("Text '{}' could not be parsed: {e}", quoted()))
            }
        }
    }
}

/// Reads items one after the other from a place; the place behind them, or where it failed.
fn read_items(items: &[Item], text: &str, mut at: usize, found: &mut Found) -> Result<usize, usize> {
    for item in items {
        at = match item {
            Item::Optional(inner) => {
                let mut attempt = found.clone();
                match read_items(inner, text, at, &mut attempt) {
                    Ok(end) => {
                        *found = attempt;
                        end
                    }
                    Err(_) => at,
                }
            }
            _ => read_item(item, text, at, found)?,
        };
    }
    Ok(at)
}

fn read_item(item: &Item, text: &str, at: usize, found: &mut Found) -> Result<usize, usize> {
    let rest = text.get(at..).ok_or(at)?;
    match item {
        Item::Literal(literal) => match starts_with(rest, literal) {
            Some(n) => Ok(at + n),
            None => Err(literal_mismatch(literal, rest, at)),
        },
        Item::Number(number) => read_number(number, text, at, found),
        Item::Text(field, full) => {
            let all = names(*field, *full);
            let mut order: Vec<usize> = (0..all.len()).collect();
            order.sort_by_key(|i| std::cmp::Reverse(all[*i].len()));
            let hit = order.into_iter().find_map(|i| Some((i, starts_with(rest, all[i])?))).ok_or(at)?;
            let first = i64::from(!matches!(field, Field::Era | Field::AmPm));
            if found.set(*field, hit.0 as i64 + first) { Ok(at + hit.1) } else { Err(at) }
        }
        Item::Fraction(min, max) => {
            let digits = rest.bytes().take(*max).take_while(u8::is_ascii_digit).count();
            if digits < *min {
                return Err(at);
            }
            let value: i64 = rest[..digits].parse().map_err(|_| at)?;
            let nanos = value * 10i64.pow(9 - digits as u32);
            if found.set(Field::Nano, nanos) { Ok(at + digits) } else { Err(at) }
        }
        Item::ZoneId => {
            let (zone, n) = zone_id(rest).ok_or(at)?;
            found.zone = Some(zone);
            Ok(at + n)
        }
        Item::ZoneName(_) => {
            let by_name = zone_of_name(rest).and_then(|(id, n)| Some((SessionZone::parse(id)?, n)));
            let by_id = zone_id(rest);
            let longest = match (by_name, by_id) {
                (Some(a), Some(b)) => Some(if b.1 > a.1 { b } else { a }),
                (a, b) => a.or(b),
            };
            let (zone, n) = longest.ok_or(at)?;
            found.zone = Some(zone);
            Ok(at + n)
        }
        Item::LocalizedOffset(full) => {
            let (seconds, n) = localized(rest, *full).ok_or(at)?;
            found.offset = Some(seconds);
            Ok(at + n)
        }
        Item::Offset(form) => {
            let (seconds, n) = offset(rest, form).ok_or(at)?;
            found.offset = Some(seconds);
            Ok(at + n)
        }
        Item::Optional(_) => Ok(at),
    }
}

/// Bytes that a text has in common with a beginning, whatever their case.
fn starts_with(text: &str, beginning: &str) -> Option<usize> {
    let mut chars = text.char_indices();
    for wanted in beginning.chars() {
        let (_, c) = chars.next()?;
        let same = c == wanted
            || c.to_lowercase().eq(wanted.to_lowercase())
            || c.to_uppercase().eq(wanted.to_uppercase());
        if !same {
            return None;
        }
    }
    Some(chars.next().map_or(text.len(), |(i, _)| i))
}

/// Java's unquoted literals are read character by character, so the place is that of the first difference.
fn literal_mismatch(literal: &str, rest: &str, at: usize) -> usize {
    let same = literal
        .chars()
        .zip(rest.chars())
        .take_while(|(a, b)| a == b)
        .map(|(_, b)| b.len_utf8())
        .sum::<usize>();
    at + same
}

fn read_number(number: &Number, text: &str, start: usize, found: &mut Found) -> Result<usize, usize> {
    let bytes = text.as_bytes();
    let mut at = start;
    let sign = bytes.get(at).copied().filter(|b| matches!(b, b'+' | b'-'));
    if at == bytes.len() {
        return Err(at);
    }
    match sign {
        Some(b'+') if number.sign != Sign::Exceeds => return Err(start),
        Some(b'-') if number.sign == Sign::Never => return Err(start),
        Some(_) => at += 1,
        None => {}
    }
    let subsequent = if number.fixed { 0 } else { number.subsequent };
    if at + number.min > bytes.len() {
        return Err(at);
    }
    let run = |most: usize| bytes[at..].iter().take(most).take_while(|b| b.is_ascii_digit()).count();
    let mut digits = run(number.max + subsequent);
    if digits < number.min {
        return Err(at);
    }
    if subsequent > 0 {
        digits = run(number.min.max(digits.saturating_sub(subsequent)));
    }
    let value: i64 = text[at..at + digits].parse().map_err(|_| at)?;
    let end = at + digits;
    let value = match sign {
        Some(b'-') if value == 0 => return Err(at - 1),
        Some(b'-') => -value,
        Some(_) if digits <= number.min => return Err(at - 1),
        None if number.sign == Sign::Exceeds && digits > number.min => return Err(at),
        _ if number.reduced => 2000 + value,
        _ => value,
    };
    if found.set(number.field, value) { Ok(end) } else { Err(start) }
}

/// A zone's id at the beginning of a text, and its length.
fn zone_id(text: &str) -> Option<(SessionZone, usize)> {
    let id_byte = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'+' | b'-' | b'~' | b':');
    let longest = text.bytes().take_while(|b| id_byte(b)).count();
    (1..=longest).rev().find_map(|n| Some((SessionZone::parse(&text[..n])?, n)))
}

/// Two digits below a limit at a place.
fn two(text: &str, at: usize, limit: i32) -> Option<i32> {
    let part = text.get(at..at + 2).filter(|p| p.bytes().all(|b| b.is_ascii_digit()))?;
    part.parse().ok().filter(|n| *n < limit)
}

fn offset(text: &str, form: &Offset) -> Option<(i32, usize)> {
    if let Some(n) = starts_with(text, form.zero) {
        return Some((0, n));
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = two(text, 1, 24)?;
    let mut at = 3;
    let part = |at: usize| -> Option<(i32, usize)> {
        let colon = usize::from(form.colon);
        if form.colon && text.as_bytes().get(at) != Some(&b':') {
            return None;
        }
        Some((two(text, at + colon, 60)?, at + colon + 2))
    };
    let mut seconds = hours * 3600;
    match part(at) {
        Some((minutes, end)) => (seconds, at) = (seconds + minutes * 60, end),
        None if form.minutes_optional => return Some((sign * seconds, at)),
        None => return None,
    }
    if form.seconds
        && let Some((s, end)) = part(at)
    {
        (seconds, at) = (seconds + s, end);
    }
    Some((sign * seconds, at))
}

fn localized(text: &str, full: bool) -> Option<(i32, usize)> {
    let mut at = starts_with(text, "GMT")?;
    let sign = match text.as_bytes().get(at) {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Some((0, at)),
    };
    at += 1;
    let hours = match two(text, at, 24) {
        Some(h) => {
            at += 2;
            h
        }
        None if full => return None,
        None => {
            let digit = text.as_bytes().get(at).filter(|b| b.is_ascii_digit())?;
            at += 1;
            i32::from(digit - b'0')
        }
    };
    let mut seconds = hours * 3600;
    let mut part = |at: &mut usize, unit: i32| -> Option<()> {
        let n = text.as_bytes().get(*at).filter(|b| **b == b':').and_then(|_| two(text, *at + 1, 60))?;
        seconds += n * unit;
        *at += 3;
        Some(())
    };
    match part(&mut at, 60) {
        Some(()) => {
            part(&mut at, 1);
        }
        None if full => return None,
        None => {}
    }
    Some((sign * seconds, at))
}
