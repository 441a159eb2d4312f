//! What evaluation needs to know about the session.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The session's settings that change the value of an expression. Serialisable: it travels with a plan to the executors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvalContext {
    /// `spark.sql.ansi.enabled`: errors instead of nulls and wrap-around.
    pub ansi: bool,
    /// `spark.sql.session.timeZone`.
    pub time_zone: SessionZone,
    /// The instant that `current_timestamp` and its kin stand for in this query, microseconds UTC.
    pub query_start_micros: i64,
    /// `current_user()`.
    pub user: Arc<str>,
    /// `spark.sql.mapKeyDedupPolicy` is `LAST_WIN`: of equal keys of a map the last one's value is taken.
    pub map_last_wins: bool,
    /// Added to the seeds of random functions, so that the rounds of a recursive query differ (Spark: `withShiftedSeed`).
    pub seed_shift: i64,
}

impl Default for EvalContext {
    fn default() -> Self {
        EvalContext {
            ansi: true,
            time_zone: SessionZone::utc(),
            query_start_micros: 0,
            user: Arc::from("vonk"),
            map_last_wins: false,
            seed_shift: 0,
        }
    }
}

/// A time zone as the session names it: a region of the IANA database or a fixed offset, as Java's `ZoneId` reads them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionZone {
    /// The text it was set by, as `current_timezone()` shows it.
    pub id: Arc<str>,
    rule: ZoneRule,
}

/// How the zone finds its offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneRule {
    /// A region with daylight-saving rules.
    Region(Tz),
    /// A fixed offset in seconds east of UTC.
    Fixed(i32),
}

impl SessionZone {
    /// UTC.
    pub fn utc() -> Self {
        SessionZone { id: Arc::from("UTC"), rule: ZoneRule::Fixed(0) }
    }

    /// The rule.
    pub fn rule(&self) -> ZoneRule {
        self.rule
    }

    /// Reads a zone id: a region (`Europe/Amsterdam`), `Z`, `UTC`/`GMT`/`UT` with or without an offset, or an offset
    /// (`+1`, `+01:00`, `-08:30:15`, `+0130`). `None` if it is none of these.
    pub fn parse(id: &str) -> Option<Self> {
        let id = id.trim();
        let make = |rule| Some(SessionZone { id: Arc::from(id), rule });
        let rest = ["UTC", "GMT", "UT"].iter().find_map(|p| id.strip_prefix(p)).unwrap_or(id);
        if rest.is_empty() || id == "Z" {
            return if id.is_empty() { None } else { make(ZoneRule::Fixed(0)) };
        }
        if rest.starts_with(['+', '-']) {
            return make(ZoneRule::Fixed(parse_offset(rest)?));
        }
        match short_id(id) {
            Some(rule) => make(rule),
            None => make(ZoneRule::Region(id.parse::<Tz>().ok()?)),
        }
    }

    /// As [`SessionZone::parse`], after completing offsets of one digit (`+1:30`, `+01:3`) as Spark does.
    pub fn parse_lenient(id: &str) -> Option<Self> {
        let Some(at) = id.find(['+', '-']) else { return Self::parse(id) };
        let (head, offset) = id.split_at(at);
        let (sign, body) = offset.split_at(1);
        let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
        let mut body = body.to_string();
        if body.split_once(':').is_some_and(|(hour, _)| digits(hour, 1)) {
            body.insert(0, '0');
        }
        if body.split_once(':').is_some_and(|(hour, minute)| digits(hour, 2) && digits(minute, 1)) {
            body.insert(3, '0');
        }
        Self::parse(&format!("{head}{sign}{body}"))
    }
}

/// Java's `ZoneId.SHORT_IDS`.
fn short_id(id: &str) -> Option<ZoneRule> {
    Some(ZoneRule::Region(match id {
        "ACT" => Tz::Australia__Darwin,
        "AET" => Tz::Australia__Sydney,
        "AGT" => Tz::America__Argentina__Buenos_Aires,
        "ART" => Tz::Africa__Cairo,
        "AST" => Tz::America__Anchorage,
        "BET" => Tz::America__Sao_Paulo,
        "BST" => Tz::Asia__Dhaka,
        "CAT" => Tz::Africa__Harare,
        "CNT" => Tz::America__St_Johns,
        "CST" => Tz::America__Chicago,
        "CTT" => Tz::Asia__Shanghai,
        "EAT" => Tz::Africa__Addis_Ababa,
        "ECT" => Tz::Europe__Paris,
        "IET" => Tz::America__Indiana__Indianapolis,
        "IST" => Tz::Asia__Kolkata,
        "JST" => Tz::Asia__Tokyo,
        "MIT" => Tz::Pacific__Apia,
        "NET" => Tz::Asia__Yerevan,
        "NST" => Tz::Pacific__Auckland,
        "PLT" => Tz::Asia__Karachi,
        "PNT" => Tz::America__Phoenix,
        "PRT" => Tz::America__Puerto_Rico,
        "PST" => Tz::America__Los_Angeles,
        "SST" => Tz::Pacific__Guadalcanal,
        "VST" => Tz::Asia__Ho_Chi_Minh,
        "EST" => return Some(ZoneRule::Fixed(-5 * 3600)),
        "MST" => return Some(ZoneRule::Fixed(-7 * 3600)),
        "HST" => return Some(ZoneRule::Fixed(-10 * 3600)),
        _ => return None,
    }))
}

/// `±h`, `±hh`, `±hh:mm`, `±hhmm`, `±hh:mm:ss`, `±hhmmss`, at most 18 hours; seconds east of UTC.
fn parse_offset(text: &str) -> Option<i32> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let body = &text[1..];
    let parts: Vec<&str> = if body.contains(':') {
        body.split(':').collect()
    } else {
        match body.len() {
            1 | 2 => vec![body],
            4 => vec![body.get(..2)?, body.get(2..)?],
            6 => vec![body.get(..2)?, body.get(2..4)?, body.get(4..)?],
            _ => return None,
        }
    };
    let mut seconds = 0;
    if parts.len() > 3 {
        return None;
    }
    for (i, part) in parts.iter().enumerate() {
        if part.is_empty() || part.len() > 2 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let n: i32 = part.parse().ok()?;
        if i > 0 && n > 59 {
            return None;
        }
        seconds += n * [3600, 60, 1][i];
    }
    (seconds <= 18 * 3600).then_some(sign * seconds)
}

impl Serialize for ZoneRule {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            ZoneRule::Region(tz) => (Some(tz.name()), 0i32).serialize(s),
            ZoneRule::Fixed(seconds) => (None::<&str>, *seconds).serialize(s),
        }
    }
}

impl<'de> Deserialize<'de> for ZoneRule {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let (name, seconds) = <(Option<String>, i32)>::deserialize(d)?;
        match name {
            Some(n) => n.parse().map(ZoneRule::Region).map_err(serde::de::Error::custom),
            None => Ok(ZoneRule::Fixed(seconds)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_ids() {
        let fixed = |s: &str| SessionZone::parse(s).map(|z| z.rule());
        assert_eq!(fixed("+01:30"), Some(ZoneRule::Fixed(5400)));
        assert_eq!(fixed("GMT-8"), Some(ZoneRule::Fixed(-28800)));
        assert_eq!(fixed("Z"), Some(ZoneRule::Fixed(0)));
        assert_eq!(fixed("+19"), None);
        assert_eq!(fixed("Mars/Olympus"), None);
        assert_eq!(fixed(""), None);
        assert!(matches!(fixed("America/Los_Angeles"), Some(ZoneRule::Region(_))));
    }
}
