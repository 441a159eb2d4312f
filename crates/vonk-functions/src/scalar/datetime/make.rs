//! Dates and timestamps made of their parts: `make_date`, `make_timestamp` and its kin.

use super::pattern::day_of;
use super::{Cached, docs, long_overflow, out_of_bounds, zone_by_id, zone_of};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::params::{INT, STR, Takes};
use arrow::array::ArrayRef;
use arrow::datatypes::*;
use vonk_error::{Error, Result};
use vonk_types::DataType as SparkType;
use vonk_types::datetime::{MICROS_PER_DAY, MICROS_PER_SECOND, Zone};

const DATE: Docs = docs(
    "make_date(year, month, day)",
    "The date of its parts.",
    "3.0.0",
    &[ex("SELECT make_date(2013, 7, 15)", "2013-07-15"), ex("SELECT make_date(2019, 7, NULL)", "NULL")],
);
const TIMESTAMP: Docs = docs(
    "make_timestamp(year, month, day, hour, min, sec[, timezone])",
    "The timestamp of its parts, in the session's zone or another; seconds may have a fraction.",
    "3.0.0",
    &[
        ex("SELECT make_timestamp(2014, 12, 28, 6, 30, 45.887)", "2014-12-28 06:30:45.887"),
        ex("SELECT make_timestamp(2014, 12, 28, 6, 30, 45.887, 'CET')", "2014-12-27 21:30:45.887"),
        ex("SELECT make_timestamp(2019, 6, 30, 23, 59, 60)", "2019-07-01 00:00:00"),
    ],
);
const LTZ: Docs = docs(
    "make_timestamp_ltz(year, month, day, hour, min, sec[, timezone])",
    "The timestamp of its parts, in the session's zone or another.",
    "3.4.0",
    &[ex("SELECT make_timestamp_ltz(2014, 12, 28, 6, 30, 45.887)", "2014-12-28 06:30:45.887")],
);
const NTZ: Docs = docs(
    "make_timestamp_ntz(year, month, day, hour, min, sec)",
    "The timestamp without zone of its parts.",
    "3.4.0",
    &[ex("SELECT make_timestamp_ntz(2014, 12, 28, 6, 30, 45.887)", "2014-12-28 06:30:45.887")],
);
const TRY: Docs = docs(
    "try_make_timestamp(year, month, day, hour, min, sec[, timezone])",
    "As make_timestamp, null for parts that make none.",
    "4.0.0",
    &[
        ex("SELECT try_make_timestamp(2019, 1, 1, 10, 11, 12)", "2019-01-01 10:11:12"),
        ex("SELECT try_make_timestamp(2019, 13, 1, 10, 11, 12)", "NULL"),
    ],
);
const TRY_LTZ: Docs = docs(
    "try_make_timestamp_ltz(year, month, day, hour, min, sec[, timezone])",
    "As make_timestamp_ltz, null for parts that make none.",
    "4.0.0",
    &[ex("SELECT try_make_timestamp_ltz(2019, 13, 1, 10, 11, 12)", "NULL")],
);
const TRY_NTZ: Docs = docs(
    "try_make_timestamp_ntz(year, month, day, hour, min, sec)",
    "As make_timestamp_ntz, null for parts that make none.",
    "4.0.0",
    &[ex("SELECT try_make_timestamp_ntz(2019, 13, 1, 10, 11, 12)", "NULL")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let (zoned, plain) = (Arity::between(6, 7), Arity::exactly(6));
    let ltz: fn(&CallSite<'_>) -> Result<Resolution> = |s| resolve(s, SparkType::Timestamp, false);
    let try_ltz: fn(&CallSite<'_>) -> Result<Resolution> = |s| resolve(s, SparkType::Timestamp, true);
    vec![
        ScalarFunction::new("make_date", DATE, Arity::exactly(3), resolve_date, make_date),
        ScalarFunction::new("make_timestamp", TIMESTAMP, zoned, ltz, |c| make(c, false)),
        ScalarFunction::new("make_timestamp_ltz", LTZ, zoned, ltz, |c| make(c, false)),
        ScalarFunction::new(
            "make_timestamp_ntz",
            NTZ,
            plain,
            |s| resolve(s, SparkType::TimestampNtz, false),
            |c| make(c, false),
        ),
        ScalarFunction::new("try_make_timestamp", TRY, zoned, try_ltz, |c| make(c, true)),
        ScalarFunction::new("try_make_timestamp_ltz", TRY_LTZ, zoned, try_ltz, |c| make(c, true)),
        ScalarFunction::new(
            "try_make_timestamp_ntz",
            TRY_NTZ,
            plain,
            |s| resolve(s, SparkType::TimestampNtz, true),
            |c| make(c, true),
        ),
    ]
}

fn resolve_date(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[INT, INT, INT])?;
    if site.ctx.ansi {
        site.returns(types, SparkType::Date)
    } else {
        site.returns_null(types, SparkType::Date)
    }
}

fn make_date(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let [year, month, day] = [0, 1, 2].map(|i| call.values::<Int32Type>(i));
    call.each::<Date32Type>(|row| {
        match day_of(i64::from(year.get(row)), i64::from(month.get(row)), i64::from(day.get(row))) {
            Ok(days) => Ok(Some(days)),
            Err(message) if call.ctx.ansi => Err(out_of_bounds(message)),
            Err(_) => Ok(None),
        }
    })
}

fn resolve(site: &CallSite<'_>, to: SparkType, lenient: bool) -> Result<Resolution> {
    let seconds = Takes::To(SparkType::Decimal(16, 6));
    let types = site.take(&[INT, INT, INT, INT, INT, seconds, STR])?;
    if lenient || !site.ctx.ansi { site.returns_null(types, to) } else { site.returns(types, to) }
}

fn make(call: &KernelCall<'_>, lenient: bool) -> Result<ArrayRef> {
    if call.strict_nulls().is_none() {
        return Ok(call.all_null());
    }
    let parts = [0, 1, 2, 3, 4].map(|i| call.values::<Int32Type>(i));
    let seconds = call.values::<Decimal64Type>(5);
    let zones = (call.args.len() > 6).then(|| call.strings(6));
    let session = zone_of(call, call.return_type);
    let mut cached = Cached::new();
    call.each::<TimestampMicrosecondType>(|row| {
        let zone = match zones {
            None => session,
            Some(zones) => *cached.get(zones.get(row), |id| Ok(Zone::of(&zone_by_id(id)?)))?,
        };
        match local(parts.map(|p| i64::from(p.get(row))), seconds.get(row)) {
            Ok(local) => Ok(Some(zone.local_to_utc(local))),
            // Only parts out of range are forgiven.
            Err(e) if (lenient || !call.ctx.ansi) && e.condition() != "_INTEGER_OVERFLOW" => Ok(None),
            Err(e) => Err(e),
        }
    })
}

/// A local time of its parts; seconds in millionths.
fn local([year, month, day, hour, minute]: [i64; 5], micros: i64) -> Result<i64> {
    let days = day_of(year, month, day).map_err(out_of_bounds)?;
    // Spark keeps the lower 32 bits of what eight digits could not overflow.
    let micros = i64::from(micros as i32);
    let (second, fraction) = (micros.div_euclid(MICROS_PER_SECOND), micros.rem_euclid(MICROS_PER_SECOND));
    if second == 60 && fraction != 0 {
        let shown = format!("{second}.{fraction:06}");
        return Err(
            Error::new("INVALID_FRACTION_OF_SECOND").with("secAndMicros", shown.trim_end_matches('0'))
        );
    }
    let check = |name: &str, value: i64, most: i64| {
        if (0..=most).contains(&value) {
            return Ok(value);
        }
        Err(out_of_bounds(format!("Invalid value for {name} (valid values 0 - {most}): {value}")))
    };
    let hour = check("HourOfDay", hour, 23)?;
    let minute = check("MinuteOfHour", minute, 59)?;
    let second = if second == 60 { 60 } else { check("SecondOfMinute", second, 59)? };
    let time = ((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + fraction;
    let midnight = i64::from(days).checked_mul(MICROS_PER_DAY);
    midnight.and_then(|m| m.checked_add(time)).ok_or_else(long_overflow)
}

#[cfg(test)]
mod tests {
    use super::local;
    use crate::scalar::array::testing::*;
    use vonk_types::EvalContext;
    use vonk_types::datetime::format_timestamp_ntz;

    #[test]
    fn dates() {
        let parts =
            || [int_column(&[Some(2024), Some(2023), None]), int_column(&[Some(2)]), int_column(&[Some(29)])];
        let e = run("make_date", &parts()).unwrap_err();
        let message = "Invalid date 'February 29' as '2023' is not a leap year";
        assert_eq!(e.params().next(), Some(("rangeMessage", message)));
        let before = EvalContext { ansi: false, ..context() };
        assert_eq!(run_in(&before, "make_date", &parts(), &[]).unwrap(), ["2024-02-29", "null", "null"]);
        let far = run(
            "make_date",
            &[int_column(&[Some(i32::MAX)]), int_column(&[Some(1)]), int_column(&[Some(1)])],
        );
        assert_eq!(far.unwrap_err().condition(), "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION");
    }

    // Asked of Spark.
    #[test]
    fn times() {
        let of = |parts, micros| match local(parts, micros) {
            Ok(micros) => format_timestamp_ntz(micros),
            Err(e) => e.params().next().map(|p| p.1.to_string()).unwrap(),
        };
        assert_eq!(of([2014, 12, 28, 6, 30], 45_887_000), "2014-12-28 06:30:45.887");
        assert_eq!(of([2019, 6, 30, 23, 59], 60_000_000), "2019-07-01 00:00:00");
        assert_eq!(of([2019, 6, 30, 23, 59], 60_007_000), "60.007");
        assert_eq!(of([2019, 13, 1, 10, 11], 0), "Invalid value for MonthOfYear (valid values 1 - 12): 13");
        assert_eq!(of([2019, 1, 1, 24, 11], 0), "Invalid value for HourOfDay (valid values 0 - 23): 24");
        assert_eq!(
            of([2020, 1, 1, 1, 1], -1_000_000),
            "Invalid value for SecondOfMinute (valid values 0 - 59): -1"
        );
        assert_eq!(
            of([2014, 12, 28, 6, 30], 1_234_567_500_000),
            "Invalid value for SecondOfMinute (valid values 0 - 59): 1911"
        );
    }
}
