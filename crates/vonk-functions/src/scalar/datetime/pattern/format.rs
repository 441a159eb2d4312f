//! Writing by a pattern.

use super::names::*;
use super::{Field, Item, Number, Offset, Pattern, Sign};
use std::fmt::Write;
use vonk_types::context::SessionZone;
use vonk_types::datetime::{MICROS_PER_DAY, Zone, civil_from_days, days_from_civil};

/// A moment with everything that a pattern may show.
pub(crate) struct Moment<'a> {
    year: i32,
    month: u32,
    day: u32,
    /// Days since 1970.
    days: i64,
    /// Microseconds of the day.
    time: i64,
    /// Seconds east of UTC.
    offset: i32,
    micros: i64,
    zone: &'a SessionZone,
}

impl<'a> Moment<'a> {
    /// An instant as the clocks of a zone show it; `rules` are the zone's.
    pub fn new(micros: i64, zone: &'a SessionZone, rules: &Zone) -> Moment<'a> {
        let offset = rules.offset_at_utc(micros);
        let local = i128::from(micros) + i128::from(offset) * 1_000_000;
        let days = local.div_euclid(i128::from(MICROS_PER_DAY)) as i64;
        let time = local.rem_euclid(i128::from(MICROS_PER_DAY)) as i64;
        let (year, month, day) = civil_from_days(days as i32);
        Moment { year, month, day, days, time, offset, micros, zone }
    }

    /// The beginning of a day on a clock without a zone.
    pub fn of_date(days: i32, zone: &'a SessionZone) -> Moment<'a> {
        let (year, month, day) = civil_from_days(days);
        let micros = i64::from(days).saturating_mul(MICROS_PER_DAY);
        Moment { year, month, day, days: i64::from(days), time: 0, offset: 0, micros, zone }
    }

    fn get(&self, field: Field) -> i64 {
        let hour = self.time / 3_600_000_000;
        match field {
            Field::Year => i64::from(self.year),
            Field::YearOfEra if self.year < 1 => 1 - i64::from(self.year),
            Field::YearOfEra => i64::from(self.year),
            Field::Era => i64::from(self.year >= 1),
            Field::Month => i64::from(self.month),
            Field::Day => i64::from(self.day),
            Field::DayOfYear => self.days - i64::from(days_from_civil(self.year, 1, 1)) + 1,
            Field::Quarter => i64::from(self.month.div_ceil(3)),
            Field::AlignedDayOfWeek => i64::from((self.day - 1) % 7 + 1),
            Field::ModifiedJulianDay => self.days + 40_587,
            Field::AmPm => hour / 12,
            Field::HourOfDay => hour,
            Field::ClockHourOfDay => {
                if hour == 0 {
                    24
                } else {
                    hour
                }
            }
            Field::HourOfAmPm => hour % 12,
            Field::ClockHourOfAmPm => (hour + 11) % 12 + 1,
            Field::Minute => self.time / 60_000_000 % 60,
            Field::Second => self.time / 1_000_000 % 60,
            Field::Nano => self.time % 1_000_000 * 1000,
            Field::DayOfWeek => (self.days + 3).rem_euclid(7) + 1,
        }
    }

    /// Whether clocks are put forward.
    fn summer(&self) -> bool {
        let rules = Zone::of(self.zone);
        let at =
            |month| rules.offset_at_utc(i64::from(days_from_civil(self.year, month, 1)) * MICROS_PER_DAY);
        rules.offset_at_utc(self.micros) > at(1).min(at(7))
    }
}

impl Pattern {
    /// Appends a moment; `false` if a number has too many digits for its place.
    pub fn format(&self, moment: &Moment<'_>, out: &mut String) -> bool {
        self.items.iter().all(|item| write_item(item, moment, out))
    }
}

fn write_item(item: &Item, moment: &Moment<'_>, out: &mut String) -> bool {
    match item {
        Item::Literal(text) => out.push_str(text),
        Item::Number(number) => return write_number(number, moment.get(number.field), out),
        Item::Text(field, full) => {
            let names = names(*field, *full);
            let first = matches!(field, Field::Era | Field::AmPm);
            let index = moment.get(*field) as usize - usize::from(!first);
            out.push_str(names.get(index).copied().unwrap_or(""));
        }
        Item::Fraction(_, digits) => {
            let nanos = moment.get(Field::Nano);
            let shown = nanos / 10i64.pow(9 - *digits as u32);
            let _ = write!(out, "{shown:0digits$}");
        }
        Item::ZoneId => out.push_str(&moment.zone.id),
        Item::ZoneName(full) => {
            let names = zone_names(&moment.zone.id);
            match names {
                None => out.push_str(&moment.zone.id),
                Some(names) => out.push_str(match (full, moment.summer()) {
                    (false, false) => names.0,
                    (true, false) => names.1,
                    (false, true) => names.2,
                    (true, true) => names.3,
                }),
            }
        }
        Item::LocalizedOffset(full) => write_localized(moment.offset, *full, out),
        Item::Offset(form) => write_offset(form, moment.offset, out),
        Item::Optional(items) => return items.iter().all(|i| write_item(i, moment, out)),
    }
    true
}

/// Names of a field's values.
pub(super) fn names(field: Field, full: bool) -> &'static [&'static str] {
    match (field, full) {
        (Field::Month, true) => &MONTHS,
        (Field::Month, false) => &MONTHS_SHORT,
        (Field::DayOfWeek, true) => &DAYS,
        (Field::DayOfWeek, false) => &DAYS_SHORT,
        (Field::Era, true) => &ERAS,
        (Field::Era, false) => &ERAS_SHORT,
        (Field::Quarter, true) => &QUARTERS,
        (Field::Quarter, false) => &QUARTERS_SHORT,
        (Field::AmPm, _) => &AM_PM,
        _ => &[],
    }
}

fn write_number(number: &Number, value: i64, out: &mut String) -> bool {
    let min = number.min;
    if number.reduced {
        let _ = write!(out, "{:02}", value.unsigned_abs() % 100);
        return true;
    }
    let magnitude = value.unsigned_abs();
    let digits = magnitude.checked_ilog10().map_or(1, |d| d as usize + 1);
    if digits > number.max || (value < 0 && number.sign == Sign::Never) {
        return false;
    }
    if value < 0 {
        out.push('-');
    } else if number.sign == Sign::Exceeds && min < 19 && digits > min {
        out.push('+');
    }
    let _ = write!(out, "{magnitude:0min$}");
    true
}

fn write_localized(offset: i32, full: bool, out: &mut String) {
    out.push_str("GMT");
    if offset == 0 {
        return;
    }
    let (h, m, s) = hms(offset);
    out.push(if offset < 0 { '-' } else { '+' });
    let _ = if full { write!(out, "{h:02}:{m:02}") } else { write!(out, "{h}") };
    if !full && (m > 0 || s > 0) {
        let _ = write!(out, ":{m:02}");
    }
    if s > 0 {
        let _ = write!(out, ":{s:02}");
    }
}

fn write_offset(form: &Offset, offset: i32, out: &mut String) {
    if offset == 0 {
        return out.push_str(form.zero);
    }
    let (h, m, s) = hms(offset);
    let start = out.len();
    let colon = if form.colon { ":" } else { "" };
    out.push(if offset < 0 { '-' } else { '+' });
    let _ = write!(out, "{h:02}");
    if m > 0 || !form.minutes_optional {
        let _ = write!(out, "{colon}{m:02}");
    }
    if s > 0 && form.seconds {
        let _ = write!(out, "{colon}{s:02}");
    }
    // Nothing but zeros is shown: there is no offset.
    if !out[start..].bytes().any(|b| b.is_ascii_digit() && b != b'0') {
        out.truncate(start);
        out.push_str(form.zero);
    }
}

fn hms(offset: i32) -> (u32, u32, u32) {
    let seconds = offset.unsigned_abs();
    (seconds / 3600, seconds / 60 % 60, seconds % 60)
}
