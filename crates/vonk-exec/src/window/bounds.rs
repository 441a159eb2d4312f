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
        ($t:ty) => {{
            let by = sign * i128::from(array.as_primitive_opt::<$t>().ok_or_else(unsupported)?.value(0));
            shift::<$t>(
                keys,
                |k| {
                    let sum = i128::from(k) + by;
                    <$t as ArrowPrimitiveType>::Native::try_from(sum).ok()
                },
                |k| (i128::from(k) + by) as <$t as ArrowPrimitiveType>::Native,
                ctx.ansi,
            )
        }};
    }
    macro_rules! floats {
        ($t:ty) => {{
            let by = array.as_primitive_opt::<$t>().ok_or_else(unsupported)?.value(0);
            let by = if negative { -by } else { by };
            shift::<$t>(keys, |k| Some(k + by), |k| k + by, ctx.ansi)
        }};
    }
    match (key_type, &offset.data_type) {
        (SparkType::Byte, _) => integers!(Int8Type),
        (SparkType::Short, _) => integers!(Int16Type),
        (SparkType::Int, _) => integers!(Int32Type),
        (SparkType::Long, _) => integers!(Int64Type),
        (SparkType::Float, _) => floats!(Float32Type),
        (SparkType::Double, _) => floats!(Float64Type),
        (SparkType::YearMonthInterval(..), _) => integers!(IntervalYearMonthType),
        (SparkType::DayTimeInterval(..), _) => integers!(DurationMicrosecondType),
        (SparkType::Decimal(..), SparkType::Decimal(..)) => decimals(keys, &array, sign),
        (SparkType::Date, SparkType::YearMonthInterval(..)) => {
            let by = months(&array, negative)?;
            shift::<Date32Type>(keys, |k| add_months(k, by), |k| k, true)
        }
        (SparkType::Date, _) => {
            let days = match array.as_primitive_opt::<DurationMicrosecondType>() {
                Some(d) => d.value(0) / MICROS_PER_DAY,
                None => i64::from(array.as_primitive_opt::<Int32Type>().ok_or_else(unsupported)?.value(0)),
            };
            let days = if negative { -days } else { days };
            // Days wrap around, as Spark's date_add does.
            shift::<Date32Type>(keys, |k| Some(k.wrapping_add(days as i32)), |k| k, true)
        }
        (SparkType::Timestamp | SparkType::TimestampNtz, t) => {
            timestamps(keys, key_type, &array, t, negative, ctx)
        }
        _ => Err(unsupported()),
    }
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Applies `checked` to all values; where it fails, Spark's overflow error, or `wrapped` without ANSI.
fn shift<T: ArrowPrimitiveType>(
    keys: &ArrayRef,
    checked: impl Fn(T::Native) -> Option<T::Native>,
    wrapped: impl Fn(T::Native) -> T::Native,
    ansi: bool,
) -> Result<ArrayRef> {
    let keys = keys.as_primitive::<T>();
    let moved: PrimitiveArray<T> = keys.try_unary(|k| match checked(k) {
        Some(moved) => Ok(moved),
        None if ansi => Err(overflow()),
        None => Ok(wrapped(k)),
    })?;
    Ok(Arc::new(moved.with_data_type(keys.data_type().clone())))
}

fn overflow() -> Error {
    Error::new("ARITHMETIC_OVERFLOW")
        .with("message", "overflow")
        .with("alternative", " Use 'try_add' to tolerate overflow and return NULL instead.")
        .with("config", "\"spark.sql.ansi.enabled\"")
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
            shift::<Decimal64Type>(keys, |k| i64::try_from(i128::from(k) + by).ok(), |k| k, true)
        }
        DataType::Decimal128(_, s) if *s == offset_scale => {
            shift::<Decimal128Type>(keys, |k| k.checked_add(by), |k| k, true)
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
    shift::<TimestampMicrosecondType>(keys, moved, |k| k, true)
}
