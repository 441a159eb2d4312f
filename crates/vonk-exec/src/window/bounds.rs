//! The values that bound RANGE frames: each row's key moved by the offset, in the arithmetic of the key's type.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::*;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::datetime::{add_months, timestamp_add_days, timestamp_add_months};
use vonk_types::{DataType as SparkType, EvalContext, Literal};

/// Keys plus the offset, or minus it if `negative`. Null stays null.
pub(super) fn offset_keys(
    keys: &ArrayRef,
    key_type: &SparkType,
    offset: &Literal,
    negative: bool,
    ctx: &EvalContext,
) -> Result<ArrayRef> {
    let array = offset.to_array(1)?;
    let unsupported = || Error::internal(format!("a RANGE offset of {} for {key_type}", offset.data_type));
    if array.null_count() > 0 {
        return Err(unsupported());
    }
    let sign = if negative { -1i128 } else { 1 };
    macro_rules! integers {
        ($t:ty, $error:expr) => {{
            let by = sign * i128::from(array.as_primitive_opt::<$t>().ok_or_else(unsupported)?.value(0));
            let error: fn(i128, i128) -> Error = $error;
            shift::<$t>(keys, |k| {
                let sum = i128::from(k) + by;
                <$t as ArrowPrimitiveType>::Native::try_from(sum).map_err(|_| error(i128::from(k), by))
            })
        }};
    }
    macro_rules! floats {
        ($t:ty) => {{
            let by = array.as_primitive_opt::<$t>().ok_or_else(unsupported)?.value(0);
            let by = if negative { -by } else { by };
            shift::<$t>(keys, |k| Ok(k + by))
        }};
    }
    match (key_type, &offset.data_type) {
        (SparkType::Byte, _) => integers!(Int8Type, small_overflow),
        (SparkType::Short, _) => integers!(Int16Type, small_overflow),
        (SparkType::Int, _) => integers!(Int32Type, |_, _| overflow()),
        (SparkType::Long, _) => integers!(Int64Type, |_, _| overflow()),
        (SparkType::Float, _) => floats!(Float32Type),
        (SparkType::Double, _) => floats!(Float64Type),
        (SparkType::YearMonthInterval(..), _) => integers!(IntervalYearMonthType, |_, _| overflow()),
        (SparkType::DayTimeInterval(..), _) => integers!(DurationMicrosecondType, |_, _| overflow()),
        (SparkType::Decimal(..), SparkType::Decimal(..)) => decimals(keys, &array, sign),
        (SparkType::Date, SparkType::YearMonthInterval(..)) => {
            let by = months(&array, negative)?;
            shift::<Date32Type>(keys, |k| add_months(k, by).ok_or_else(overflow))
        }
        (SparkType::Date, _) => {
            let days = match array.as_primitive_opt::<DurationMicrosecondType>() {
                Some(d) => d.value(0) / MICROS_PER_DAY,
                None => i64::from(array.as_primitive_opt::<Int32Type>().ok_or_else(unsupported)?.value(0)),
            };
            let days = if negative { -days } else { days };
            // Days wrap around, as Spark's date_add does.
            shift::<Date32Type>(keys, |k| Ok(k.wrapping_add(days as i32)))
        }
        (SparkType::Timestamp | SparkType::TimestampNtz, t) => {
            timestamps(keys, key_type, &array, t, negative, ctx)
        }
        _ => Err(unsupported()),
    }
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Moves all values that are not null.
fn shift<T: ArrowPrimitiveType>(
    keys: &ArrayRef,
    moved: impl Fn(T::Native) -> Result<T::Native>,
) -> Result<ArrayRef> {
    let keys = keys.as_primitive::<T>();
    let out: PrimitiveArray<T> = keys.try_unary(moved)?;
    Ok(Arc::new(out.with_data_type(keys.data_type().clone())))
}

/// Spark's error, with and without ANSI.
fn overflow() -> Error {
    Error::new("ARITHMETIC_OVERFLOW")
        .with("message", "overflow")
        .with("alternative", " Use 'try_add' to tolerate overflow and return NULL instead.")
        .with("config", "\"spark.sql.ansi.enabled\"")
}

/// Spark's error for bytes and shorts.
fn small_overflow(key: i128, offset: i128) -> Error {
    Error::new("BINARY_ARITHMETIC_OVERFLOW")
        .with("value1", format!("{key}S"))
        .with("symbol", "+")
        .with("value2", format!("{offset}S"))
        .with("functionName", "`try_add`")
}

fn months(offset: &ArrayRef, negative: bool) -> Result<i32> {
    let months = offset.as_primitive_opt::<IntervalYearMonthType>();
    let months = months.ok_or_else(|| Error::internal("not a year-month interval"))?.value(0);
    if negative { months.checked_neg().ok_or_else(overflow) } else { Ok(months) }
}

/// Sums of decimals are compared only, so they may have more digits than the type says.
fn decimals(keys: &ArrayRef, offset: &ArrayRef, sign: i128) -> Result<ArrayRef> {
    let value = |a: &ArrayRef| -> Result<(i128, i8)> {
        match a.data_type() {
            DataType::Decimal64(_, s) => Ok((i128::from(a.as_primitive::<Decimal64Type>().value(0)), *s)),
            DataType::Decimal128(_, s) => Ok((a.as_primitive::<Decimal128Type>().value(0), *s)),
            other => vonk_error::internal_err!("an offset of {other}"),
        }
    };
    let (by, offset_scale) = value(offset)?;
    let by = sign * by;
    match keys.data_type() {
        DataType::Decimal64(_, s) if *s == offset_scale => {
            shift::<Decimal64Type>(keys, |k| i64::try_from(i128::from(k) + by).map_err(|_| overflow()))
        }
        DataType::Decimal128(_, s) if *s == offset_scale => {
            shift::<Decimal128Type>(keys, |k| k.checked_add(by).ok_or_else(overflow))
        }
        other => vonk_error::internal_err!("a RANGE offset of scale {offset_scale} for {other}"),
    }
}

fn timestamps(
    keys: &ArrayRef,
    key_type: &SparkType,
    offset: &ArrayRef,
    offset_type: &SparkType,
    negative: bool,
    ctx: &EvalContext,
) -> Result<ArrayRef> {
    let utc = vonk_types::context::SessionZone::utc();
    let zone = if *key_type == SparkType::Timestamp { &ctx.time_zone } else { &utc };
    let (months, days, micros) = match offset_type {
        SparkType::YearMonthInterval(..) => (months(offset, negative)?, 0, 0),
        SparkType::DayTimeInterval(..) => {
            let micros = offset.as_primitive::<DurationMicrosecondType>().value(0);
            (0, 0, if negative { micros.checked_neg().ok_or_else(overflow)? } else { micros })
        }
        SparkType::CalendarInterval => {
            let i = offset.as_primitive::<IntervalMonthDayNanoType>().value(0);
            let micros = i.nanoseconds / 1000;
            let flip = if negative { -1 } else { 1 };
            (i.months.wrapping_mul(flip), i.days.wrapping_mul(flip), micros.wrapping_mul(i64::from(flip)))
        }
        other => return vonk_error::internal_err!("a RANGE offset of {other} for {key_type}"),
    };
    let moved = |k: i64| {
        let k = if months == 0 { k } else { timestamp_add_months(k, months, zone)? };
        let k = if days == 0 { k } else { timestamp_add_days(k, days, zone)? };
        k.checked_add(micros)
    };
    shift::<TimestampMicrosecondType>(keys, |k| moved(k).ok_or_else(overflow))
}
