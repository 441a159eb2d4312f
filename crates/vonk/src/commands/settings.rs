//! SET, RESET, SET TIME ZONE.

use crate::answer::Answer;
use crate::pipeline::Pipeline;
use vonk_conf as conf;
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{SetCommand, TimeZoneValue};
use vonk_types::{DataType, ScalarValue};

/// Rows of keys and values.
fn pairs(cx: &Pipeline<'_>, rows: Vec<(String, String)>) -> Result<Answer> {
    let rows: Vec<_> = rows.into_iter().map(|(k, v)| vec![Some(k), Some(v)]).collect();
    Answer::text_rows(&["key", "value"], &rows, cx.env.ctx.clone())
}

/// A value as it may be shown; Spark's text for one that may not.
fn shown(key: &str, value: String) -> String {
    if conf::is_secret(key) { "*********(redacted)".to_string() } else { value }
}

/// `SET` in its forms.
pub(super) fn set(cx: &Pipeline<'_>, command: &SetCommand) -> Result<Answer> {
    match command {
        SetCommand::All => {
            pairs(cx, cx.conf.iter().map(|(k, v)| (k.to_string(), shown(k, v.to_string()))).collect())
        }
        SetCommand::Verbose => {
            let mut rows: Vec<Vec<Option<String>>> = conf::KEYS
                .iter()
                .map(|e| {
                    let value = shown(e.name, cx.conf.text(e.name).unwrap_or_default());
                    vec![Some(e.name.to_string()), Some(value), Some(e.doc.trim().to_string())]
                })
                .collect();
            rows.sort();
            Answer::text_rows(&["key", "value", "meaning"], &rows, cx.env.ctx.clone())
        }
        SetCommand::Get(key) => {
            let value = cx.conf.text(key).map_or_else(|| "<undefined>".to_string(), |v| shown(key, v));
            pairs(cx, vec![(key.clone(), value)])
        }
        SetCommand::Put(key, value) => {
            // As Spark has it: `hivevar:` is no part of the name, all other prefixes are.
            cx.session.set(key.strip_prefix("hivevar:").unwrap_or(key), value)?;
            pairs(cx, vec![(key.clone(), shown(key, value.clone()))])
        }
    }
}

/// `RESET`, `RESET key`.
pub(super) fn reset(cx: &Pipeline<'_>, key: Option<&str>) -> Result<Answer> {
    cx.session.reset(key);
    Ok(Answer::empty(cx.env.ctx.clone()))
}

/// `SET TIME ZONE`.
pub(super) fn set_time_zone(cx: &Pipeline<'_>, value: &TimeZoneValue) -> Result<Answer> {
    let key = conf::SESSION_TIME_ZONE.name;
    let zone = match value {
        TimeZoneValue::Local => local_zone(),
        TimeZoneValue::Text(text) => text.clone(),
        TimeZoneValue::Interval(e) => {
            let literal = cx.with_analyzer(|a| a.analyze_constant(e))?;
            let micros = match (&literal.data_type, &literal.value) {
                (DataType::DayTimeInterval(..), ScalarValue::DurationMicrosecond(Some(m))) => *m,
                _ => {
                    return Err(Error::new("INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE")
                        .with("input", "")
                        .at(e.span));
                }
            };
            let seconds = micros / 1_000_000;
            if seconds.abs() > 18 * 3600 || micros % 1_000_000 != 0 {
                return Err(Error::new("INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE")
                    .with("input", "")
                    .at(e.span));
            }
            let (sign, s) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
            let base = format!("{sign}{:02}:{:02}", s / 3600, s / 60 % 60);
            if s % 60 == 0 { base } else { format!("{base}:{:02}", s % 60) }
        }
    };
    cx.session.set(key, &zone)?;
    pairs(cx, vec![(key.to_string(), zone)])
}

/// The machine's zone: `TZ`, or where `/etc/localtime` points; else UTC.
fn local_zone() -> String {
    let linked = std::fs::read_link("/etc/localtime").ok();
    let linked = linked.and_then(|p| p.to_str()?.split_once("zoneinfo/").map(|(_, zone)| zone.to_string()));
    let zone = std::env::var("TZ").ok().filter(|z| !z.is_empty()).or(linked);
    zone.unwrap_or_else(|| "UTC".to_string())
}
