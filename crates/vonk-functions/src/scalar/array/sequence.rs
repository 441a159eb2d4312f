//! `sequence`: arrays of integers, dates and timestamps in steps.

use super::lists::{MAX_ELEMENTS, Shape, too_long};
use super::{docs, resolved};
use crate::coerce::common_type;
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::datetime::{MOST_DAYS, long_overflow};
use arrow::array::{Array, ArrayRef, AsArray, Date32Array, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::*;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::context::SessionZone;
use vonk_types::datetime::{MICROS_PER_DAY, timestamp_add_days, timestamp_add_months};
use vonk_types::{DataType, DayTimeField, YearMonthField};

const SEQUENCE: Docs = docs(
    "sequence(start, stop[, step])",
    "An array from start to stop, both included, in steps of one or one day, or of `step`.",
    "2.4.0",
    &[
        ex("SELECT sequence(1, 5)", "[1,2,3,4,5]"),
        ex("SELECT sequence(5, 1)", "[5,4,3,2,1]"),
        ex(
            "SELECT sequence(to_date('2018-01-01'), to_date('2018-03-01'), interval 1 month)",
            "[2018-01-01,2018-02-01,2018-03-01]",
        ),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction::new("sequence", SEQUENCE, Arity::between(2, 3), resolve, sequence)]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let is_interval = |t: &DataType| t.is_ansi_interval() || *t == DataType::CalendarInterval;
    let plain: Vec<DataType> =
        site.args.iter().map(|a| a.data_type.clone()).filter(|t| !is_interval(t)).collect();
    let element = common_type(&plain, site.ctx.ansi);
    let step = site.args.get(2).map(|a| &a.data_type);
    let fits = !is_interval(site.arg_type(0)) && !is_interval(site.arg_type(1));
    let element = element.filter(|e| {
        fits && match step {
            Some(step) if is_interval(step) => e.is_datetime(),
            Some(_) => e.is_integral(),
            None => e.is_integral() || e.is_datetime(),
        }
    });
    let Some(element) = element else {
        return Err(Error::new("DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES")
            .with("functionName", format!("`{}`", site.called_as))
            .with("startType", "(\"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"DATE\")")
            .with("stepType", "(\"INTERVAL\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")")
            .with("otherStartType", "\"INTEGRAL\"")
            .at(site.span));
    };
    let mut types = vec![element.clone(), element.clone()];
    if let Some(step) = step {
        types.push(match step {
            DataType::YearMonthInterval(..) => {
                DataType::YearMonthInterval(YearMonthField::Year, YearMonthField::Month)
            }
            DataType::DayTimeInterval(..) => {
                DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Second)
            }
            DataType::CalendarInterval => DataType::CalendarInterval,
            _ => element.clone(),
        });
    }
    resolved(types, DataType::array(element, false), site.any_nullable())
}

fn sequence(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (elements, shape) = match &call.arg_types[0] {
        t if t.is_integral() => integers(call)?,
        t => moments(call, t)?,
    };
    shape.list(elements, call.return_type)
}

/// How many elements there are from start to stop.
fn length<T: std::fmt::Display>(
    start: i64,
    stop: i64,
    step: i64,
    shown: &dyn Fn() -> (T, T, String),
) -> Result<usize> {
    let valid = (step > 0 && start <= stop) || (step < 0 && start >= stop) || start == stop;
    if !valid {
        let (start, stop, step) = shown();
        return Err(Error::new("_ILLEGAL_SEQUENCE_BOUNDARIES")
            .with("start", start.to_string())
            .with("stop", stop.to_string())
            .with("step", step));
    }
    if start == stop {
        return Ok(1);
    }
    let n = (i128::from(stop) - i128::from(start)) / i128::from(step) + 1;
    if n > i128::from(MAX_ELEMENTS) {
        return Err(too_long("sequence", "count", n));
    }
    Ok(n as usize)
}

fn integers(call: &KernelCall<'_>) -> Result<(ArrayRef, Shape)> {
    let wide: Vec<ArrayRef> = call
        .args
        .iter()
        .map(|a| Ok(cast(a.values(), &arrow::datatypes::DataType::Int64)?))
        .collect::<Result<_>>()?;
    let at = |arg: usize, row: usize| -> Option<i64> {
        let (values, i) = (wide[arg].as_primitive::<Int64Type>(), call.args[arg].index(row));
        values.is_valid(i).then(|| values.value(i))
    };
    let mut out: Vec<i64> = Vec::new();
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        let (Some(start), Some(stop)) = (at(0, row), at(1, row)) else {
            shape.push_null();
            continue;
        };
        let step = if call.args.len() > 2 { at(2, row) } else { Some(if start <= stop { 1 } else { -1 }) };
        let Some(step) = step else {
            shape.push_null();
            continue;
        };
        let n = length(start, stop, step, &|| (start, stop, step.to_string()))?;
        shape.push(n)?;
        out.extend((0..n as i64).map(|i| start.wrapping_add(step.wrapping_mul(i))));
    }
    let out: ArrayRef = Arc::new(PrimitiveArray::<Int64Type>::from(out));
    Ok((cast(&out, &call.arg_types[0].to_arrow())?, shape))
}

/// A step of months, days and microseconds.
#[derive(Clone, Copy)]
struct Step {
    months: i32,
    days: i32,
    micros: i64,
}

impl Step {
    fn at(call: &KernelCall<'_>, row: usize) -> Option<Step> {
        let datum = &call.args[2];
        let (array, i) = (datum.values(), datum.index(row));
        if array.is_null(i) {
            return None;
        }
        Some(match call.arg_types[2] {
            DataType::YearMonthInterval(..) => {
                Step { months: array.as_primitive::<IntervalYearMonthType>().value(i), days: 0, micros: 0 }
            }
            DataType::DayTimeInterval(..) => {
                let micros = array.as_primitive::<DurationMicrosecondType>().value(i);
                let days = micros / MICROS_PER_DAY;
                Step { months: 0, days: days as i32, micros: micros - days * MICROS_PER_DAY }
            }
            _ => {
                let v = array.as_primitive::<IntervalMonthDayNanoType>().value(i);
                Step { months: v.months, days: v.days, micros: v.nanoseconds / 1000 }
            }
        })
    }

    /// Its length if months had 28 days.
    fn estimate(&self) -> i64 {
        let days = i64::from(self.months) * 28 + i64::from(self.days);
        days.saturating_mul(MICROS_PER_DAY).saturating_add(self.micros)
    }

    /// `n` steps from an instant; `None` beyond the range of timestamps.
    fn from(&self, start: i64, n: i64, zone: &SessionZone) -> Option<i64> {
        let months = i32::try_from(i64::from(self.months) * n).ok()?;
        let days = i32::try_from(i64::from(self.days) * n).ok()?;
        let start = if months == 0 { start } else { timestamp_add_months(start, months, zone)? };
        let start = match days {
            0 => start,
            _ if days.unsigned_abs() > MOST_DAYS.unsigned_abs() => return None,
            _ => timestamp_add_days(start, days, zone)?,
        };
        start.checked_add(self.micros.checked_mul(n)?)
    }
}

/// Dates and timestamps. Dates count in days, where timestamps of the session's zone count in the zone's days.
fn moments(call: &KernelCall<'_>, t: &DataType) -> Result<(ArrayRef, Shape)> {
    let utc = SessionZone::utc();
    let dates = *t == DataType::Date;
    let zone = if *t == DataType::Timestamp { &call.ctx.time_zone } else { &utc };
    let at = |arg: usize, row: usize| -> Option<i64> {
        let (array, i) = (call.args[arg].values(), call.args[arg].index(row));
        if array.is_null(i) {
            return None;
        }
        Some(match dates {
            true => i64::from(array.as_primitive::<Date32Type>().value(i)),
            false => array.as_primitive::<TimestampMicrosecondType>().value(i),
        })
    };
    let mut out: Vec<i64> = Vec::new();
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        let (Some(start), Some(stop)) = (at(0, row), at(1, row)) else {
            shape.push_null();
            continue;
        };
        let one_day = Step { months: 0, days: if start <= stop { 1 } else { -1 }, micros: 0 };
        let step = if call.args.len() > 2 { Step::at(call, row) } else { Some(one_day) };
        let Some(step) = step else {
            shape.push_null();
            continue;
        };
        if dates && step.months == 0 && step.days == 0 {
            let interval = match call.arg_types[2] {
                DataType::CalendarInterval => "interval",
                DataType::YearMonthInterval(..) => "interval year to month",
                _ => "interval day to second",
            };
            return Err(Error::new("_LEGACY_ERROR_TEMP_3242").with("intervalType", interval));
        }
        if !dates {
            push_moments(start, stop, step, zone, &mut out)?;
        } else if step.months == 0 && step.micros == 0 {
            let days = i64::from(step.days);
            let n = length(start, stop, days, &|| (start, stop, days.to_string()))?;
            out.extend((0..n as i64).map(|i| start + days * i));
        } else {
            // In microseconds, and back to days.
            let micros = |days: i64| days.checked_mul(MICROS_PER_DAY).ok_or_else(long_overflow);
            let from = out.len();
            push_moments(micros(start)?, micros(stop)?, step, zone, &mut out)?;
            out[from..].iter_mut().for_each(|t| *t = t.div_euclid(MICROS_PER_DAY));
        }
        shape.push_until(out.len())?;
    }
    let elements: ArrayRef = if dates {
        // They lie between two days.
        Arc::new(Date32Array::from_iter_values(out.into_iter().map(|days| days as i32)))
    } else {
        Arc::new(PrimitiveArray::<TimestampMicrosecondType>::from(out).with_data_type(t.to_arrow()))
    };
    Ok((elements, shape))
}

fn push_moments(start: i64, stop: i64, step: Step, zone: &SessionZone, out: &mut Vec<i64>) -> Result<()> {
    let estimate = step.estimate();
    let shown = || (start, stop, format!("{} months {} days {} micros", step.months, step.days, step.micros));
    // Days of 23 hours make room for one more; the bound is for steps that never arrive (a month back, 29 days on).
    let most = length(start, stop, estimate, &shown)? + 2;
    for n in 0..most as i64 {
        let Some(t) = step.from(start, n, zone) else { break };
        if (estimate > 0 && t > stop) || (estimate < 0 && t < stop) {
            break;
        }
        out.push(t);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use arrow::array::{ArrayRef, Date32Array, IntervalYearMonthArray, TimestampMicrosecondArray};
    use std::sync::Arc;
    use vonk_types::datetime::parse_timestamp;
    use vonk_types::{DataType, YearMonthField};

    #[test]
    fn integers() {
        let of = |start, stop, step: Option<i32>| {
            let mut args = vec![int_column(&[Some(start)]), int_column(&[Some(stop)])];
            args.extend(step.map(|s| int_column(&[Some(s)])));
            run("sequence", &args)
        };
        assert_eq!(of(1, 5, None).unwrap(), ["[1, 2, 3, 4, 5]"]);
        assert_eq!(of(5, 1, None).unwrap(), ["[5, 4, 3, 2, 1]"]);
        assert_eq!(of(1, 10, Some(3)).unwrap(), ["[1, 4, 7, 10]"]);
        assert_eq!(of(1, 1, Some(0)).unwrap(), ["[1]"]);
        assert_eq!(of(1, 5, Some(0)).unwrap_err().condition(), "_ILLEGAL_SEQUENCE_BOUNDARIES");
        assert_eq!(of(1, 5, Some(-1)).unwrap_err().condition(), "_ILLEGAL_SEQUENCE_BOUNDARIES");
        let e = of(i32::MIN, i32::MAX, None).unwrap_err();
        assert_eq!(e.condition(), "COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER");
    }

    // sequence(date'2018-01-31', date'2018-05-01', interval 1 month), and across the change of clocks by days
    #[test]
    fn dates_and_timestamps() {
        let date = |d| (Arc::new(Date32Array::from(vec![d])) as ArrayRef, DataType::Date);
        let months = DataType::YearMonthInterval(YearMonthField::Year, YearMonthField::Month);
        let step = (Arc::new(IntervalYearMonthArray::from(vec![1])) as ArrayRef, months);
        assert_eq!(
            run("sequence", &[date(17562), date(17652), step]).unwrap(),
            ["[2018-01-31, 2018-02-28, 2018-03-31, 2018-04-30]"]
        );
        let la = context().time_zone;
        let ts = |s: &str| {
            let array = TimestampMicrosecondArray::from(vec![parse_timestamp(s, &la).unwrap()]);
            (Arc::new(array.with_timezone("UTC")) as ArrayRef, DataType::Timestamp)
        };
        assert_eq!(
            run("sequence", &[ts("2020-03-07 00:00:00"), ts("2020-03-10 00:00:00")]).unwrap(),
            ["[2020-03-07T08:00:00Z, 2020-03-08T08:00:00Z, 2020-03-09T07:00:00Z, 2020-03-10T07:00:00Z]"]
        );
    }
}
