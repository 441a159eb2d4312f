//! From zone to zone: `from_utc_timestamp`, `to_utc_timestamp`, `convert_timezone`.

use super::{Cached, docs, zone_by_id};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::{STR, Takes};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::ArrayRef;
use arrow::datatypes::TimestampMicrosecondType;
use vonk_error::Result;
use vonk_types::DataType;
use vonk_types::datetime::Zone;

const FROM_UTC: Docs = docs(
    "from_utc_timestamp(timestamp, timezone)",
    "Takes a timestamp for one of UTC and gives what the clocks of the zone show then.",
    "1.5.0",
    &[ex("SELECT from_utc_timestamp('2016-08-31', 'Asia/Seoul')", "2016-08-31 09:00:00")],
);
const TO_UTC: Docs = docs(
    "to_utc_timestamp(timestamp, timezone)",
    "Takes a timestamp for one of the zone and gives what the clocks of UTC show then.",
    "1.5.0",
    &[ex("SELECT to_utc_timestamp('2016-08-31', 'Asia/Seoul')", "2016-08-30 15:00:00")],
);
const CONVERT: Docs = docs(
    "convert_timezone([sourceTz, ]targetTz, sourceTs)",
    "What the clocks of one zone show when those of another, or of the session's, show a time.",
    "3.4.0",
    &[
        ex(
            "SELECT convert_timezone('Europe/Brussels', 'America/Los_Angeles', timestamp_ntz'2021-12-06 00:00:00')",
            "2021-12-05 15:00:00",
        ),
        ex(
            "SELECT convert_timezone('Europe/Brussels', timestamp_ntz'2021-12-05 15:00:00')",
            "2021-12-06 00:00:00",
        ),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let two = Arity::exactly(2);
    vec![
        ScalarFunction::new("from_utc_timestamp", FROM_UTC, two, resolve_utc, |c| {
            shift(c, 0, 1, |micros, zone| zone.utc_to_local(micros))
        }),
        ScalarFunction::new("to_utc_timestamp", TO_UTC, two, resolve_utc, |c| {
            shift(c, 0, 1, |micros, zone| zone.local_to_utc(micros))
        }),
        ScalarFunction {
            display: Display::Custom(|_, args| match args.len() {
                2 => format!("convert_timezone(current_timezone(), {})", args.join(", ")),
                _ => format!("convert_timezone({})", args.join(", ")),
            }),
            ..ScalarFunction::new("convert_timezone", CONVERT, Arity::between(2, 3), resolve_convert, convert)
        },
    ]
}

fn resolve_utc(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[Takes::To(DataType::Timestamp), STR])?;
    site.returns(types, DataType::Timestamp)
}

/// Moves timestamps by the zones that an argument names.
fn shift(
    call: &KernelCall<'_>,
    timestamp: usize,
    zone: usize,
    by: impl Fn(i64, &Zone) -> i64,
) -> Result<ArrayRef> {
    if call.strict_nulls().is_none() {
        return Ok(call.all_null());
    }
    let (micros, zones) = (call.values::<TimestampMicrosecondType>(timestamp), call.strings(zone));
    let mut cached = Cached::new();
    call.each::<TimestampMicrosecondType>(|row| {
        let zone = cached.get(zones.get(row), |id| Ok(Zone::of(&zone_by_id(id)?)))?;
        Ok(Some(by(micros.get(row), zone)))
    })
}

fn resolve_convert(site: &CallSite<'_>) -> Result<Resolution> {
    let timestamp = Takes::To(DataType::TimestampNtz);
    let types = match site.args.len() {
        2 => site.take(&[STR, timestamp])?,
        _ => site.take(&[STR, STR, timestamp])?,
    };
    site.returns(types, DataType::TimestampNtz)
}

fn convert(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if call.args.len() == 2 {
        let session = Zone::of(&call.ctx.time_zone);
        return shift(call, 1, 0, |micros, target| target.utc_to_local(session.local_to_utc(micros)));
    }
    if call.strict_nulls().is_none() {
        return Ok(call.all_null());
    }
    let micros = call.values::<TimestampMicrosecondType>(2);
    let (sources, targets) = (call.strings(0), call.strings(1));
    let (mut source, mut target) = (Cached::new(), Cached::new());
    call.each::<TimestampMicrosecondType>(|row| {
        let zone = |id: &str| Ok(Zone::of(&zone_by_id(id)?));
        let utc = source.get(sources.get(row), zone)?.local_to_utc(micros.get(row));
        Ok(Some(target.get(targets.get(row), zone)?.utc_to_local(utc)))
    })
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;
    use arrow::array::{ArrayRef, TimestampMicrosecondArray};
    use std::sync::Arc;
    use vonk_types::DataType;
    use vonk_types::datetime::parse_timestamp_ntz;

    #[test]
    fn converts() {
        let ts = || {
            let micros = vec![parse_timestamp_ntz("2021-12-06 00:00:00"), None];
            (Arc::new(TimestampMicrosecondArray::from(micros)) as ArrayRef, DataType::TimestampNtz)
        };
        let zone = |id| string_column(&[Some(id)]);
        let (brussels, la) = (|| zone("Europe/Brussels"), || zone("America/Los_Angeles"));
        assert_eq!(
            run("convert_timezone", &[brussels(), la(), ts()]).unwrap(),
            ["2021-12-05T15:00:00", "null"]
        );
        assert_eq!(run("convert_timezone", &[brussels(), ts()]).unwrap(), ["2021-12-06T09:00:00", "null"]);
        let e = run("convert_timezone", &[zone("nowhere"), ts()]).unwrap_err();
        assert_eq!((e.condition(), e.params().next()), ("INVALID_TIMEZONE", Some(("timeZone", "nowhere"))));
    }
}
