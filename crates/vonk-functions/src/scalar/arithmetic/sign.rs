//! `-a`, `+a` and `abs`.

use super::operands::SUMMABLE;
use super::overflow;
use crate::kernel::KernelCall;
use crate::resolve::{CallSite, Resolution};
use arrow::array::{ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType};
use arrow::datatypes::{
    Decimal64Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalYearMonthType,
};
use vonk_error::{Error, Result};
use vonk_types::DataType;
use vonk_types::arrow_types::MAX_DECIMAL64_PRECISION;

/// Numbers and intervals; strings and nulls are doubles.
pub(super) fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    one(site, SUMMABLE, true)
}

/// As [`resolve`], without legacy intervals.
pub(super) fn resolve_abs(site: &CallSite<'_>) -> Result<Resolution> {
    one(site, "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\")", false)
}

fn one(site: &CallSite<'_>, required: &str, calendar: bool) -> Result<Resolution> {
    let t = match site.arg_type(0) {
        DataType::String | DataType::Null => DataType::Double,
        t if t.is_numeric() || t.is_ansi_interval() => t.clone(),
        DataType::CalendarInterval if calendar => DataType::CalendarInterval,
        _ => return Err(site.unexpected_type(0, required)),
    };
    site.returns(vec![t.clone()], t)
}

/// `+a`.
pub(super) fn positive(call: &KernelCall<'_>) -> Result<ArrayRef> {
    call.args[0].to_array(call.rows)
}

/// `-a`.
pub(super) fn negative(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if call.arg_types[0] == DataType::CalendarInterval {
        let ansi = call.ctx.ansi;
        let a = call.values::<IntervalMonthDayNanoType>(0);
        return call.each::<IntervalMonthDayNanoType>(|row| {
            let v = a.get(row);
            let checked = || {
                let (months, days) = (v.months.checked_neg()?, v.days.checked_neg()?);
                Some(IntervalMonthDayNano::new(months, days, v.nanoseconds.checked_neg()?))
            };
            let wrapped = || {
                let (months, days) = (v.months.wrapping_neg(), v.days.wrapping_neg());
                IntervalMonthDayNano::new(months, days, v.nanoseconds.wrapping_neg())
            };
            match checked() {
                Some(v) => Ok(Some(v)),
                None if ansi => Err(overflow("overflow", None)),
                None => Ok(Some(wrapped())),
            }
        });
    }
    by_type(call, false)
}

/// `abs(a)`.
pub(super) fn abs(call: &KernelCall<'_>) -> Result<ArrayRef> {
    by_type(call, true)
}

fn by_type(call: &KernelCall<'_>, abs: bool) -> Result<ArrayRef> {
    match &call.arg_types[0] {
        DataType::Byte => integer::<Int8Type>(call, abs),
        DataType::Short => integer::<Int16Type>(call, abs),
        DataType::Int => integer::<Int32Type>(call, abs),
        DataType::Long => integer::<Int64Type>(call, abs),
        DataType::YearMonthInterval(..) => integer::<IntervalYearMonthType>(call, abs),
        DataType::DayTimeInterval(..) => integer::<DurationMicrosecondType>(call, abs),
        DataType::Float if abs => call.map::<Float32Type, Float32Type>(f32::abs),
        DataType::Float => call.map::<Float32Type, Float32Type>(|x| -x),
        DataType::Double if abs => call.map::<Float64Type, Float64Type>(f64::abs),
        DataType::Double => call.map::<Float64Type, Float64Type>(|x| -x),
        DataType::Decimal(p, _) if *p <= MAX_DECIMAL64_PRECISION => {
            type D = Decimal64Type;
            if abs { call.map::<D, D>(i64::wrapping_abs) } else { call.map::<D, D>(i64::wrapping_neg) }
        }
        DataType::Decimal(..) => {
            type D = Decimal128Type;
            if abs { call.map::<D, D>(i128::wrapping_abs) } else { call.map::<D, D>(i128::wrapping_neg) }
        }
        other => vonk_error::internal_err!("sign of {other}"),
    }
}

/// Integers and the intervals that are integers underneath: the least value has no opposite.
fn integer<T: ArrowPrimitiveType>(call: &KernelCall<'_>, abs: bool) -> Result<ArrayRef>
where
    T::Native: ArrowNativeTypeOp,
{
    let Some(nulls) = call.strict_nulls() else { return Ok(call.all_null()) };
    let zero = T::Native::ZERO;
    let flip = |v: T::Native| if !abs || v < zero { zero.sub_wrapping(v) } else { v };
    let array = call.map::<T, T>(flip)?;
    let interval = call.arg_types[0].is_ansi_interval();
    if interval || call.ctx.ansi {
        let a = call.values::<T>(0);
        let valid = |row: &usize| nulls.as_ref().is_none_or(|n| n.is_valid(*row));
        // The least value is seldom there at all: look for it first, without regard to nulls.
        if (0..call.rows).any(|row| a.get(row) == T::Native::MIN_TOTAL_ORDER)
            && (0..call.rows).filter(valid).any(|row| a.get(row) == T::Native::MIN_TOTAL_ORDER)
        {
            return Err(if interval && !abs {
                Error::new("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION")
            } else {
                overflow("overflow", None)
            });
        }
    }
    Ok(array)
}
