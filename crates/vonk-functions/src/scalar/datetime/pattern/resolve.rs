//! From the numbers that were read to a moment. What is missing is that of 1970-01-01 00:00:00.

use super::parse::Found;
use super::{Field, day_of};
use vonk_types::context::SessionZone;
use vonk_types::datetime::{MICROS_PER_DAY, Zone, days_from_civil, is_leap_year};

/// What a text says.
pub(crate) struct Parsed {
    date: Option<i32>,
    found: Found,
    /// Year by the era, where there is one.
    year: Option<i64>,
    /// Nanoseconds of the day where hours were read.
    time: Option<i64>,
}

impl Parsed {
    /// Checks what was read, and puts together what belongs together.
    pub(super) fn resolve(found: Found) -> Result<Parsed, String> {
        let get = |f: Field| found.fields[f as usize];
        let mut date = None;
        let year = match (get(Field::Year), get(Field::YearOfEra)) {
            (None, Some(y)) => {
                let y = Field::YearOfEra.check(y)?;
                Some(if get(Field::Era) == Some(0) { 1 - y } else { y })
            }
            (y, _) => y,
        };
        if let Some(y) = year {
            if let (Some(m), Some(d)) = (get(Field::Month), get(Field::Day)) {
                date = Some(day_of(y, m, d)?);
            } else if let Some(d) = get(Field::DayOfYear) {
                date = Some(year_day(y, d)?);
            }
        }
        if let Some(d) = get(Field::ModifiedJulianDay) {
            date = Some(i32::try_from(d - 40_587).map_err(|_| "integer overflow".to_string())?);
        }
        let time = resolve_time(&get)?;
        Ok(Parsed { date, found, year, time })
    }

    /// Day number; what was not read is that of 1970-01-01.
    fn days(&self) -> Result<i32, String> {
        if let Some(date) = self.date {
            return Ok(date);
        }
        let get = |f: Field| self.found.fields[f as usize];
        let year = self.year.unwrap_or(1970);
        match get(Field::DayOfYear) {
            Some(d) => year_day(year, d),
            None => day_of(year, get(Field::Month).unwrap_or(1), get(Field::Day).unwrap_or(1)),
        }
    }

    fn micros_of_day(&self) -> Result<i64, String> {
        if let Some(nanos) = self.time {
            return Ok(nanos / 1000);
        }
        let get = |f: Field| self.found.fields[f as usize];
        let checked = |f: Field| f.check(get(f).unwrap_or(0));
        // Hours of a half day without the half are of the morning.
        let hour = match (get(Field::HourOfAmPm), get(Field::ClockHourOfAmPm), get(Field::AmPm)) {
            (Some(h), ..) => Field::HourOfAmPm.check(h)?,
            (_, Some(h), _) => Field::ClockHourOfAmPm.check(h)? % 12,
            (_, _, Some(1)) => 12,
            _ => checked(Field::HourOfDay)?,
        };
        let seconds = hour * 3600 + checked(Field::Minute)? * 60 + checked(Field::Second)?;
        Ok(seconds * 1_000_000 + get(Field::Nano).unwrap_or(0) / 1000)
    }

    /// On a clock without a zone, microseconds.
    pub fn local(&self) -> Result<i64, String> {
        let midnight = i64::from(self.days()?).checked_mul(MICROS_PER_DAY);
        let time = self.micros_of_day()?;
        midnight.and_then(|m| m.checked_add(time)).ok_or_else(|| "long overflow".to_string())
    }

    /// As an instant; a text without a zone is of this one.
    pub fn instant(&self, zone: &Zone) -> Result<i64, String> {
        let local = self.local()?;
        let overflow = || "long overflow".to_string();
        if let Some(offset) = self.found.offset {
            return local.checked_sub(i64::from(offset) * 1_000_000).ok_or_else(overflow);
        }
        Ok(match &self.found.zone {
            Some(own) => own_zone(own).local_to_utc(local),
            None => zone.local_to_utc(local),
        })
    }
}

fn own_zone(zone: &SessionZone) -> Zone {
    Zone::of(zone)
}

fn year_day(year: i64, day: i64) -> Result<i32, String> {
    let year = Field::Year.check(year)?;
    let day = Field::DayOfYear.check(day)?;
    let first = day_of(year, 1, 1)?;
    if day == 366 && !is_leap_year(year as i32) {
        return Err(format!("Invalid date 'DayOfYear 366' as '{year}' is not a leap year"));
    }
    debug_assert_eq!(first, days_from_civil(year as i32, 1, 1));
    Ok(first + day as i32 - 1)
}

/// Nanoseconds of the day if an hour of the day is known; Java's message for what is out of range.
fn resolve_time(get: &impl Fn(Field) -> Option<i64>) -> Result<Option<i64>, String> {
    let clock = |f: Field, of: i64| get(f).map(|v| f.check(v).map(|v| v % of)).transpose();
    let half_hour = match clock(Field::ClockHourOfAmPm, 12)? {
        Some(h) => Some(h),
        None => get(Field::HourOfAmPm),
    };
    let mut hour = match clock(Field::ClockHourOfDay, 24)? {
        Some(h) => Some(h),
        None => get(Field::HourOfDay),
    };
    if let (Some(half), Some(h)) = (get(Field::AmPm), half_hour) {
        hour = Some(half * 12 + Field::HourOfAmPm.check(h)?);
    }
    let (minute, second, nano) = (get(Field::Minute), get(Field::Second), get(Field::Nano));
    // Minutes must be there where there are seconds or a fraction, seconds where there is a fraction.
    let gaps = (minute.is_none() && (second.is_some() || nano.is_some()))
        || (second.is_none() && minute.is_some() && nano.is_some());
    let checked = |f: Field, v: Option<i64>| v.map_or(Ok(0), |v| f.check(v));
    let m = checked(Field::Minute, minute)?;
    let h = checked(Field::HourOfDay, hour)?;
    let s = checked(Field::Second, second)?;
    if hour.is_none() || gaps {
        return Ok(None);
    }
    Ok(Some(((h * 60 + m) * 60 + s) * 1_000_000_000 + nano.unwrap_or(0)))
}
