//! The number types that sums are kept in.

use arrow::array::{
    ArrayRef, AsArray, Decimal64Array, Decimal128Array, DurationMicrosecondArray, Float64Array, Int64Array,
    IntervalYearMonthArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    Decimal64Type, Decimal128Type, DurationMicrosecondType, Float64Type, Int64Type, IntervalYearMonthType,
    i256,
};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::{DataType, decimal};

/// A number that sums are kept in. Additions report overflow beside the wrapped result.
pub(crate) trait Accumulate: Copy + Default + Send + Sync + 'static {
    fn plus(self, other: Self) -> (Self, bool);
    fn minus(self, other: Self) -> (Self, bool);
    /// Whether a sum fits its type; decimals have fewer digits than their bits could hold.
    fn fits(self, data_type: &DataType) -> bool;
    /// Sums as an array of a type whose values are kept in this number.
    fn array(values: Vec<Self>, nulls: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef>;
    /// Reads such an array.
    fn read(array: &ArrayRef) -> Result<Vec<Self>>;
    /// Spark's error for a sum that overflowed when `b` was added to `a`.
    fn overflow(a: Self, b: Self, data_type: &DataType) -> Error;
    /// The mean as Spark rounds it, of a sum with scale `scale` to the type of the mean; `None` if it does not fit.
    fn mean(self, count: i64, scale: i8, mean_type: &DataType) -> Option<Self>;
}

impl Accumulate for f64 {
    #[inline(always)]
    fn plus(self, other: Self) -> (Self, bool) {
        (self + other, false)
    }
    #[inline(always)]
    fn minus(self, other: Self) -> (Self, bool) {
        (self - other, false)
    }
    fn fits(self, _: &DataType) -> bool {
        true
    }
    fn array(values: Vec<Self>, nulls: Option<NullBuffer>, _: &DataType) -> Result<ArrayRef> {
        Ok(Arc::new(Float64Array::new(values.into(), nulls)))
    }
    fn read(array: &ArrayRef) -> Result<Vec<Self>> {
        Ok(array.as_primitive::<Float64Type>().values().to_vec())
    }
    fn overflow(_: Self, _: Self, _: &DataType) -> Error {
        Error::internal("doubles do not overflow")
    }
    fn mean(self, count: i64, _: i8, _: &DataType) -> Option<Self> {
        Some(self / count as f64)
    }
}

impl Accumulate for i64 {
    #[inline(always)]
    fn plus(self, other: Self) -> (Self, bool) {
        self.overflowing_add(other)
    }
    #[inline(always)]
    fn minus(self, other: Self) -> (Self, bool) {
        self.overflowing_sub(other)
    }
    fn fits(self, _: &DataType) -> bool {
        true
    }
    fn array(values: Vec<Self>, nulls: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef> {
        Ok(match data_type {
            DataType::DayTimeInterval(..) => Arc::new(DurationMicrosecondArray::new(values.into(), nulls)),
            _ => Arc::new(Int64Array::new(values.into(), nulls)),
        })
    }
    fn read(array: &ArrayRef) -> Result<Vec<Self>> {
        Ok(match array.as_primitive_opt::<DurationMicrosecondType>() {
            Some(a) => a.values().to_vec(),
            None => array.as_primitive::<Int64Type>().values().to_vec(),
        })
    }
    fn overflow(_: Self, _: Self, data_type: &DataType) -> Error {
        if data_type.is_ansi_interval() {
            return interval_overflow();
        }
        Error::new("ARITHMETIC_OVERFLOW")
            .with("message", "overflow")
            .with("alternative", " Use 'try_add' to tolerate overflow and return NULL instead.")
            .with("config", "\"spark.sql.ansi.enabled\"")
    }
    fn mean(self, count: i64, _: i8, _: &DataType) -> Option<Self> {
        i64::try_from(divide_half_up(i128::from(self), i128::from(count))).ok()
    }
}

impl Accumulate for i32 {
    #[inline(always)]
    fn plus(self, other: Self) -> (Self, bool) {
        self.overflowing_add(other)
    }
    #[inline(always)]
    fn minus(self, other: Self) -> (Self, bool) {
        self.overflowing_sub(other)
    }
    fn fits(self, _: &DataType) -> bool {
        true
    }
    fn array(values: Vec<Self>, nulls: Option<NullBuffer>, _: &DataType) -> Result<ArrayRef> {
        Ok(Arc::new(IntervalYearMonthArray::new(values.into(), nulls)))
    }
    fn read(array: &ArrayRef) -> Result<Vec<Self>> {
        Ok(array.as_primitive::<IntervalYearMonthType>().values().to_vec())
    }
    fn overflow(_: Self, _: Self, _: &DataType) -> Error {
        interval_overflow()
    }
    fn mean(self, count: i64, _: i8, _: &DataType) -> Option<Self> {
        i32::try_from(divide_half_up(i128::from(self), i128::from(count))).ok()
    }
}

impl Accumulate for i128 {
    #[inline(always)]
    fn plus(self, other: Self) -> (Self, bool) {
        self.overflowing_add(other)
    }
    #[inline(always)]
    fn minus(self, other: Self) -> (Self, bool) {
        self.overflowing_sub(other)
    }
    fn fits(self, data_type: &DataType) -> bool {
        match data_type {
            DataType::Decimal(p, _) => decimal::fits(self, *p),
            _ => true,
        }
    }
    fn array(values: Vec<Self>, nulls: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef> {
        decimals(values, nulls, data_type)
    }
    fn read(array: &ArrayRef) -> Result<Vec<Self>> {
        Ok(match array.as_primitive_opt::<Decimal64Type>() {
            Some(a) => a.values().iter().map(|v| i128::from(*v)).collect(),
            None => array.as_primitive::<Decimal128Type>().values().to_vec(),
        })
    }
    fn overflow(a: Self, b: Self, data_type: &DataType) -> Error {
        let DataType::Decimal(p, s) = data_type else { return Error::internal("a sum that is not decimal") };
        let exact = i256::from_i128(a).wrapping_add(i256::from_i128(b));
        decimal_overflow(exact, *s, (*p, *s))
    }
    fn mean(self, count: i64, scale: i8, mean_type: &DataType) -> Option<Self> {
        let DataType::Decimal(_, to) = mean_type else { return None };
        let factor = 10i128.checked_pow(u32::from((to - scale).max(0).unsigned_abs()))?;
        let count = i128::from(count);
        let mean = match self.checked_mul(factor) {
            Some(scaled) => divide_half_up(scaled, count),
            None => {
                // Whole part and remainder apart, so that only the result must fit.
                let (whole, rest) = (self / count, self % count);
                whole.checked_mul(factor)?.checked_add(divide_half_up(rest.checked_mul(factor)?, count))?
            }
        };
        mean.fits(mean_type).then_some(mean)
    }
}

/// Quotient rounded to the nearest, halves away from zero.
fn divide_half_up(a: i128, b: i128) -> i128 {
    let (quotient, rest) = (a / b, a % b);
    if rest.unsigned_abs() * 2 >= b.unsigned_abs() { quotient + a.signum() * b.signum() } else { quotient }
}

/// Decimals in the representation of their precision.
pub(crate) fn decimals(
    values: Vec<i128>,
    nulls: Option<NullBuffer>,
    data_type: &DataType,
) -> Result<ArrayRef> {
    match data_type {
        DataType::Decimal(p, s) if *p <= vonk_types::arrow_types::MAX_DECIMAL64_PRECISION => {
            // Values under a null may be anything.
            let values: Vec<i64> = values.into_iter().map(|v| v as i64).collect();
            Ok(Arc::new(Decimal64Array::new(values.into(), nulls).with_precision_and_scale(*p, *s)?))
        }
        DataType::Decimal(p, s) => {
            Ok(Arc::new(Decimal128Array::new(values.into(), nulls).with_precision_and_scale(*p, *s)?))
        }
        other => vonk_error::internal_err!("decimals of type {other}"),
    }
}

/// Spark's error for an ANSI interval that overflowed.
pub(crate) fn interval_overflow() -> Error {
    Error::new("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION").with("functionName", "`try_add`")
}

/// Spark's error for a decimal (unscaled, with its scale) that does not fit a precision and scale.
pub(crate) fn decimal_overflow(unscaled: i256, scale: i8, target: (u8, i8)) -> Error {
    let digits = unscaled.to_string();
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |d| ("-", d));
    let value = match usize::from(scale.max(0).unsigned_abs()) {
        0 => format!("{sign}{digits}"),
        scale => {
            let padded = format!("{digits:0>width$}", width = scale + 1);
            let (whole, fraction) = padded.split_at(padded.len() - scale);
            format!("{sign}{whole}.{fraction}")
        }
    };
    Error::new("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION")
        .with("value", value)
        .with("precision", target.0.to_string())
        .with("scale", target.1.to_string())
        .with("config", "\"spark.sql.ansi.enabled\"")
}
