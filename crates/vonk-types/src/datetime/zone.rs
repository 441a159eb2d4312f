//! Offsets of time zones, by Java's rules.
//!
//! Offsets come from chrono-tz. Asking it for every row would search its tables every time, so the changes of a region are
//! collected once per stretch of about thirteen months, in a table per region that lives as long as the process: a pure
//! function remembered. chrono-tz knows the changes up to 2099; later years follow the rules of a year with the same
//! calendar, as Java extrapolates them.

use super::calendar::{
    MICROS_PER_DAY, MICROS_PER_SECOND, civil_from_days, days_from_civil_wide, is_leap_year,
};
use crate::context::{SessionZone, ZoneRule};
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use std::sync::{LazyLock, OnceLock};

/// A stretch is 2^25 seconds, about 388 days.
const STRETCH_BITS: u32 = 25;
/// Stretches from 1793 (all regions are at their local mean time) …
const FIRST: i64 = -166;
/// … to 2100.
const COUNT: usize = 290;
const DAY: i64 = 86_400;
/// First second of 2100, from where years are mapped to earlier ones.
const RULES_END: i64 = 4_102_444_800;

/// The offset at the start of a stretch, and its changes: from when, to what (seconds).
struct Stretch {
    first: i32,
    changes: Box<[(i64, i32)]>,
}

impl Stretch {
    fn offset(&self, at: i64) -> i32 {
        let mut offset = self.first;
        for (from, to) in &self.changes {
            if at < *from {
                break;
            }
            offset = *to;
        }
        offset
    }
}

/// Known stretches of a region, by instant and by local time.
struct Table {
    tz: Tz,
    utc: Box<[OnceLock<Stretch>]>,
    local: Box<[OnceLock<Stretch>]>,
}

static TABLES: LazyLock<Vec<OnceLock<Table>>> =
    LazyLock::new(|| TZ_VARIANTS.iter().map(|_| OnceLock::new()).collect());

fn table(tz: Tz) -> Option<&'static Table> {
    let slot = TABLES.get(tz as usize)?;
    let empty = || (0..COUNT).map(|_| OnceLock::new()).collect();
    Some(slot.get_or_init(|| Table { tz, utc: empty(), local: empty() }))
}

/// What chrono-tz says.
fn raw_offset(tz: Tz, at: i64) -> i32 {
    match DateTime::from_timestamp(at, 0) {
        Some(t) => tz.offset_from_utc_datetime(&t.naive_utc()).fix().local_minus_utc(),
        None => 0,
    }
}

/// Changes of the offset in `(from, to]`: when, before, after.
fn changes(tz: Tz, from: i64, to: i64) -> Vec<(i64, i32, i32)> {
    let mut out = Vec::new();
    let (mut at, mut before) = (from, raw_offset(tz, from));
    while at < to {
        let next = (at + DAY).min(to);
        let after = raw_offset(tz, next);
        if after != before {
            let (mut low, mut high) = (at, next); // the change is in (low, high]
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if raw_offset(tz, middle) == before { low = middle } else { high = middle }
            }
            // Should there be a third offset within the day, it begins where the search ends.
            let changed = raw_offset(tz, high);
            out.push((high, before, changed));
            (at, before) = (high, changed);
        } else {
            at = next;
        }
    }
    out
}

impl Table {
    fn utc(&self, at: i64) -> i32 {
        let number = at >> STRETCH_BITS;
        let index = number.saturating_sub(FIRST);
        let Some(slot) = usize::try_from(index).ok().and_then(|i| self.utc.get(i)) else {
            return raw_offset(self.tz, at.max(FIRST << STRETCH_BITS));
        };
        let stretch = slot.get_or_init(|| {
            let start = number << STRETCH_BITS;
            let found = changes(self.tz, start, start + (1 << STRETCH_BITS));
            let changes = found.iter().map(|(at, _, after)| (*at, *after)).collect();
            Stretch { first: raw_offset(self.tz, start), changes }
        });
        stretch.offset(at)
    }

    /// The offset of a local time. In a gap it is the one before, which moves the time forward by the gap; in an overlap it
    /// is the earlier one too.
    fn local(&self, at: i64) -> i32 {
        let number = at >> STRETCH_BITS;
        let index = number.saturating_sub(FIRST);
        let Some(slot) = usize::try_from(index).ok().and_then(|i| self.local.get(i)) else {
            return raw_offset(self.tz, at.max(FIRST << STRETCH_BITS));
        };
        let stretch = slot.get_or_init(|| {
            let start = number << STRETCH_BITS;
            let from = start - 2 * DAY;
            let mut first = raw_offset(self.tz, from);
            let mut inside = Vec::new();
            for (at, before, after) in changes(self.tz, from, start + (1 << STRETCH_BITS) + 2 * DAY) {
                let from = at + before.max(after) as i64;
                if from <= start { first = after } else { inside.push((from, after)) }
            }
            Stretch { first, changes: inside.into() }
        });
        stretch.offset(at)
    }
}

/// The same second of a year before 2100 with the same calendar.
fn mapped(seconds: i64) -> i64 {
    if seconds < RULES_END {
        return seconds;
    }
    // The calendar repeats after 400 years, which brings any instant into the range of a day number.
    let cycle = 146_097 * DAY;
    let seconds = RULES_END + (seconds - RULES_END) % cycle;
    let (year, ..) = civil_from_days((seconds / DAY) as i32);
    let first = days_from_civil_wide(year as i64, 1, 1);
    let same = (2060..2088)
        .map(|y| (y, days_from_civil_wide(y as i64, 1, 1)))
        .find(|(y, day)| is_leap_year(*y) == is_leap_year(year) && (first - day) % 7 == 0);
    match same {
        Some((_, day)) => seconds - (first - day) * DAY,
        None => seconds,
    }
}

/// A zone made ready for many conversions.
#[derive(Clone, Copy)]
pub struct Zone(Inner);

#[derive(Clone, Copy)]
enum Inner {
    Fixed(i32),
    Region(&'static Table),
}

impl Zone {
    /// The session's zone.
    pub fn of(zone: &SessionZone) -> Self {
        Self::of_rule(zone.rule())
    }

    /// By its rule.
    pub fn of_rule(rule: ZoneRule) -> Self {
        Zone(match rule {
            ZoneRule::Fixed(seconds) => Inner::Fixed(seconds),
            // Every variant is in the list of variants.
            ZoneRule::Region(tz) => table(tz).map_or(Inner::Fixed(0), Inner::Region),
        })
    }

    /// The offset in seconds if it never changes.
    pub fn fixed(&self) -> Option<i32> {
        match self.0 {
            Inner::Fixed(seconds) => Some(seconds),
            Inner::Region(_) => None,
        }
    }

    /// Seconds east of UTC at an instant (microseconds).
    pub fn offset_at_utc(&self, micros: i64) -> i32 {
        match self.0 {
            Inner::Fixed(seconds) => seconds,
            Inner::Region(table) => table.utc(mapped(micros.div_euclid(MICROS_PER_SECOND))),
        }
    }

    /// Seconds east of UTC for a local time (microseconds); before the change in gaps and overlaps.
    pub fn offset_at_local(&self, micros: i64) -> i32 {
        match self.0 {
            Inner::Fixed(seconds) => seconds,
            Inner::Region(table) => table.local(mapped(micros.div_euclid(MICROS_PER_SECOND))),
        }
    }

    /// The offset without daylight saving, as of today's rules.
    pub fn standard_offset(&self) -> i32 {
        const YEAR_2024: i64 = 1_704_067_200;
        match self.0 {
            Inner::Fixed(seconds) => seconds,
            Inner::Region(table) => {
                (0..12).map(|month| table.utc(YEAR_2024 + month * 30 * DAY)).min().unwrap_or(0)
            }
        }
    }

    /// What the clocks show at an instant.
    pub fn utc_to_local(&self, micros: i64) -> i64 {
        micros.saturating_add(self.offset_at_utc(micros) as i64 * MICROS_PER_SECOND)
    }

    /// The instant of a local time: in a gap, as much later as the gap is long; in an overlap, the earlier one.
    pub fn local_to_utc(&self, micros: i64) -> i64 {
        micros.saturating_sub(self.offset_at_local(micros) as i64 * MICROS_PER_SECOND)
    }

    /// As [`Zone::local_to_utc`], with a preferred offset (seconds) where the local time has two; `None` beyond 64 bits.
    pub fn checked_local_to_utc(&self, micros: i64, preferred: i32) -> Option<i64> {
        let wanted = micros.checked_sub(preferred as i64 * MICROS_PER_SECOND)?;
        if self.offset_at_utc(wanted) == preferred {
            return Some(wanted);
        }
        micros.checked_sub(self.offset_at_local(micros) as i64 * MICROS_PER_SECOND)
    }

    /// The instant of the first moment of a day. In a gap at midnight that is when the clocks have moved.
    pub fn start_of_day(&self, days: i32) -> i64 {
        self.local_to_utc(days as i64 * MICROS_PER_DAY)
    }

    /// The local day of an instant.
    pub fn day_of(&self, micros: i64) -> i32 {
        self.utc_to_local(micros).div_euclid(MICROS_PER_DAY) as i32
    }
}

/// The instant of a local time in a zone, by Java's rules for gaps (later by the gap) and overlaps (the earlier instant).
pub fn local_to_utc(local_micros: i64, zone: &SessionZone) -> i64 {
    Zone::of(zone).local_to_utc(local_micros)
}

/// What the clocks of a zone show at an instant.
pub fn utc_to_local(micros: i64, zone: &SessionZone) -> i64 {
    Zone::of(zone).utc_to_local(micros)
}

/// Seconds east of UTC at an instant.
pub fn offset_seconds_at(micros: i64, zone: &SessionZone) -> i32 {
    Zone::of(zone).offset_at_utc(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datetime::{format_timestamp, parse_timestamp_ntz};

    fn zone(id: &str) -> SessionZone {
        SessionZone::parse(id).unwrap()
    }

    fn local(text: &str) -> i64 {
        parse_timestamp_ntz(text).unwrap()
    }

    #[test]
    fn gaps_and_overlaps() {
        let la = zone("America/Los_Angeles");
        let show = |t: &str| format_timestamp(local_to_utc(local(t), &la), &zone("UTC"));
        assert_eq!(show("2020-03-08 01:59:59"), "2020-03-08 09:59:59");
        assert_eq!(show("2020-03-08 02:30:00"), "2020-03-08 10:30:00");
        assert_eq!(show("2020-03-08 03:00:00"), "2020-03-08 10:00:00");
        assert_eq!(show("2020-11-01 01:30:00"), "2020-11-01 08:30:00");
        assert_eq!(show("2020-11-01 02:00:00"), "2020-11-01 10:00:00");
        // Local mean time before 1883, and the rules of today for ever after.
        assert_eq!(offset_seconds_at(local("1800-01-01"), &la), -28_378);
        assert_eq!(offset_seconds_at(local("2098-07-01"), &la), -25_200);
        assert_eq!(offset_seconds_at(local("2500-07-01"), &la), -25_200);
        assert_eq!(offset_seconds_at(local("2500-01-01"), &la), -28_800);
    }

    #[test]
    fn tables_say_what_chrono_says() {
        for id in
            ["America/Los_Angeles", "Europe/Amsterdam", "Africa/Casablanca", "Pacific/Apia", "Asia/Kathmandu"]
        {
            let z = zone(id);
            let ZoneRule::Region(tz) = z.rule() else { panic!() };
            let mut at = -5_364_662_400; // 1800
            while at < 4_070_908_800 {
                assert_eq!(offset_seconds_at(at * 1_000_000, &z), raw_offset(tz, at), "{id} {at}");
                let utc = at * 1_000_000;
                let l = utc_to_local(utc, &z);
                let back = local_to_utc(l, &z);
                assert!(back == utc || utc_to_local(back, &z) == l, "{id} {at}");
                at += 86_400 * 5 + 12_345;
            }
        }
    }
}
