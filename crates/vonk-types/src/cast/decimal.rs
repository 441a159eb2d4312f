//! Casts from and to decimals.

use super::CastMode;
use super::kernel::Caster;
use crate::data_type::DataType;
use crate::decimal::{self, POW10};
use crate::text::unscaled;
use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{
    Decimal64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use std::sync::Arc;
use vonk_error::Result;

/// Unscaled values: 64 or 128 bits.
pub(super) trait Unscaled: ArrowNativeTypeOp {
    /// Most digits that surely fit.
    const DIGITS: u32;
    fn wide(self) -> i128;
    /// The low bits.
    fn cut(v: i128) -> Self;
}

impl Unscaled for i64 {
    const DIGITS: u32 = 18;
    fn wide(self) -> i128 {
        self as i128
    }
    fn cut(v: i128) -> Self {
        v as i64
    }
}

impl Unscaled for i128 {
    const DIGITS: u32 = 38;
    fn wide(self) -> i128 {
        self
    }
    fn cut(v: i128) -> Self {
        v
    }
}

/// Precision and scale.
pub(super) fn parts(t: &DataType) -> (u8, i8) {
    match t {
        DataType::Decimal(p, s) => (*p, *s),
        _ => (0, 0),
    }
}

/// Runs a generic method on the representation of a decimal type.
macro_rules! with_decimal {
    ($t:expr, $array:expr, $self:ident, |$a:ident| $body:expr) => {
        if parts($t).0 <= crate::arrow_types::MAX_DECIMAL64_PRECISION {
            let $a = $self.primitive::<Decimal64Type>($array)?;
            $body
        } else {
            let $a = $self.primitive::<Decimal128Type>($array)?;
            $body
        }
    };
}
pub(super) use with_decimal;

impl Caster<'_> {
    /// Whether the target is kept in 64 bits.
    fn is_narrow(&self) -> bool {
        parts(self.to).0 <= crate::arrow_types::MAX_DECIMAL64_PRECISION
    }

    /// From a decimal to a number.
    pub fn decimals(&self, array: &ArrayRef) -> Result<ArrayRef> {
        with_decimal!(self.from, array, self, |a| self.decimal_to_number(a))
    }

    fn decimal_to_number<S: ArrowPrimitiveType>(&self, array: &PrimitiveArray<S>) -> Result<ArrayRef>
    where
        S::Native: Unscaled,
    {
        let scale = parts(self.from).1;
        Ok(match self.to {
            DataType::Boolean => {
                let values = array.values();
                let bits = BooleanBuffer::collect_bool(values.len(), |i| values[i].wide() != 0);
                Arc::new(BooleanArray::new(bits, array.nulls().cloned()))
            }
            DataType::Byte => self.decimal_to_integer::<S, Int8Type>(array, |v| v as i8, |v| v as i64)?,
            DataType::Short => self.decimal_to_integer::<S, Int16Type>(array, |v| v as i16, |v| v as i64)?,
            DataType::Int => self.decimal_to_integer::<S, Int32Type>(array, |v| v as i32, |v| v as i64)?,
            DataType::Long => self.decimal_to_integer::<S, Int64Type>(array, |v| v as i64, |v| v)?,
            DataType::Float => self.map::<S, Float32Type>(array, |v| decimal::to_f32(v.wide(), scale)),
            DataType::Double => self.decimal_to_double(array, scale),
            DataType::Decimal(..) if self.is_narrow() => self.rescale::<S, Decimal64Type>(array)?,
            DataType::Decimal(..) => self.rescale::<S, Decimal128Type>(array)?,
            _ => return self.impossible(),
        })
    }

    fn decimal_to_double<S: ArrowPrimitiveType>(&self, array: &PrimitiveArray<S>, scale: i8) -> ArrayRef
    where
        S::Native: Unscaled,
    {
        // 15 digits are exact in a double, and so is their quotient by an exact power of ten, rounded once.
        if parts(self.from).0 <= 15 {
            let pow = POW10[scale.unsigned_abs() as usize] as f64;
            return self.map::<S, Float64Type>(array, |v| v.wide() as i64 as f64 / pow);
        }
        self.map::<S, Float64Type>(array, |v| decimal::to_f64(v.wide(), scale))
    }

    fn decimal_to_integer<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        array: &PrimitiveArray<S>,
        cut: impl Fn(i128) -> T::Native,
        back: impl Fn(T::Native) -> i64,
    ) -> Result<ArrayRef>
    where
        S::Native: Unscaled,
    {
        let pow = POW10[parts(self.from).1.unsigned_abs() as usize];
        let whole = |v: S::Native| match i64::try_from(v.wide()) {
            Ok(v) => match i64::try_from(pow) {
                Ok(pow) => (v / pow) as i128,
                Err(_) => 0,
            },
            Err(_) => v.wide() / pow,
        };
        if self.mode == CastMode::Legacy {
            return Ok(self.map::<S, T>(array, |v| cut(whole(v))));
        }
        let check = |v| {
            let whole = whole(v);
            let value = cut(whole);
            (value, back(value) as i128 == whole)
        };
        self.checked::<S, T>(array, self.strict(), check, |i| self.overflow(array, i))
    }

    /// Between decimal types.
    fn rescale<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        array: &PrimitiveArray<S>,
    ) -> Result<ArrayRef>
    where
        S::Native: Unscaled,
        T::Native: Unscaled,
    {
        let ((p, s), (q, t)) = (parts(self.from), parts(self.to));
        let shift = t as i32 - s as i32;
        let whole_fits = q as i32 - t as i32 >= p as i32 - s as i32;
        let cut = <T::Native as Unscaled>::cut;
        let steps = shift.unsigned_abs() as usize;
        if shift >= 0 {
            let pow = POW10[steps];
            if whole_fits {
                let factor = cut(pow);
                return Ok(self.map::<S, T>(array, |v| cut(v.wide()).mul_wrapping(factor)));
            }
            let bound = POW10[(q as i32 - shift).max(0) as usize];
            if p <= 18 {
                // The same in 64 bits.
                let bound = i64::try_from(bound).unwrap_or(i64::MAX);
                let check = |v: S::Native| {
                    let v = v.wide() as i64;
                    (cut((v as i128).wrapping_mul(pow)), v < bound && v > -bound)
                };
                return self.checked::<S, T>(array, self.strict(), check, |i| self.decimal_misfit(array, i));
            }
            let check = |v: S::Native| {
                let v = v.wide();
                (cut(v.wrapping_mul(pow)), v < bound && v > -bound)
            };
            return self.checked::<S, T>(array, self.strict(), check, |i| self.decimal_misfit(array, i));
        }
        if p <= 18 {
            // Both the dividend and the divisor fit 64 bits, or all rounds to zero.
            let pow = POW10[steps.min(18)] as i64;
            let half = pow / 2;
            let round = |v: S::Native| {
                let v = v.wide() as i64;
                let (quotient, rest) = (v / pow, v % pow);
                quotient + i64::from(rest >= half) - i64::from(rest <= -half)
            };
            let bound = POW10[(q as usize).min(18)] as i64;
            let check = |v| {
                let value = round(v);
                (cut(value as i128), value < bound && value > -bound)
            };
            return self.checked::<S, T>(array, self.strict(), check, |i| self.decimal_misfit(array, i));
        }
        let bound = POW10[q as usize];
        let check = |v: S::Native| {
            let value = decimal::div_half_up(v.wide(), steps as u32);
            (cut(value), value < bound && value > -bound)
        };
        self.checked::<S, T>(array, self.strict(), check, |i| self.decimal_misfit(array, i))
    }

    fn decimal_misfit(&self, array: &dyn Array, row: usize) -> vonk_error::Error {
        let text = unscaled(array, row).map(|v| decimal::format(v, parts(self.from).1));
        text.map_or_else(|e| e, |t| self.beyond_decimal(t))
    }

    /// To a decimal from a boolean, an integer, a float or a double.
    pub fn numbers_to_decimal(&self, array: &ArrayRef) -> Result<ArrayRef> {
        if self.is_narrow() {
            self.number_to_decimal::<Decimal64Type>(array)
        } else {
            self.number_to_decimal::<Decimal128Type>(array)
        }
    }

    fn number_to_decimal<T: ArrowPrimitiveType>(&self, array: &ArrayRef) -> Result<ArrayRef>
    where
        T::Native: Unscaled,
    {
        match self.from {
            DataType::Boolean => {
                let bytes = Caster { to: &DataType::Long, ..*self }.numbers(array)?;
                Caster { from: &DataType::Long, ..*self }.number_to_decimal::<T>(&bytes)
            }
            DataType::Byte => self.integer_to_decimal::<Int8Type, T>(self.primitive(array)?, |v| v as i64),
            DataType::Short => self.integer_to_decimal::<Int16Type, T>(self.primitive(array)?, |v| v as i64),
            DataType::Int => self.integer_to_decimal::<Int32Type, T>(self.primitive(array)?, |v| v as i64),
            DataType::Long => self.integer_to_decimal::<Int64Type, T>(self.primitive(array)?, |v| v),
            DataType::Float => self.float_to_decimal::<Float32Type, T>(self.primitive(array)?, |v| v as f64),
            DataType::Double => self.float_to_decimal::<Float64Type, T>(self.primitive(array)?, |v| v),
            _ => self.impossible(),
        }
    }

    fn integer_to_decimal<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        array: &PrimitiveArray<S>,
        wide: impl Fn(S::Native) -> i64,
    ) -> Result<ArrayRef>
    where
        T::Native: Unscaled,
    {
        let (p, s) = parts(self.to);
        let pow = POW10[s.unsigned_abs() as usize];
        let bound = POW10[(p as i32 - s as i32).max(0) as usize];
        let bound64 = i64::try_from(bound).unwrap_or(i64::MAX);
        let unbounded = bound > i64::MAX as i128 + 1;
        let check = |v: S::Native| {
            let v = wide(v);
            let value = if T::Native::DIGITS == 18 {
                (v.wrapping_mul(pow as i64)) as i128
            } else {
                (v as i128).wrapping_mul(pow)
            };
            (T::Native::cut(value), unbounded || (v < bound64 && v > -bound64))
        };
        let error = |i: usize| self.beyond_decimal(wide(array.value(i)).to_string());
        self.checked::<S, T>(array, self.strict(), check, error)
    }

    fn float_to_decimal<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        array: &PrimitiveArray<S>,
        wide: impl Fn(S::Native) -> f64,
    ) -> Result<ArrayRef>
    where
        T::Native: Unscaled,
    {
        let (p, s) = parts(self.to);
        let check = |v: S::Native| match decimal::from_f64(wide(v), p, s) {
            Some(v) => (T::Native::cut(v), true),
            None => (T::Native::default(), false),
        };
        // NaN and infinities are null even with ANSI.
        if self.strict() {
            let bad = (0..array.len()).find(|i| {
                let v = wide(array.value(*i));
                array.is_valid(*i) && v.is_finite() && decimal::from_f64(v, p, s).is_none()
            });
            if let Some(i) = bad {
                return Err(self.beyond_decimal(decimal::plain_f64(wide(array.value(i)))));
            }
        }
        self.checked::<S, T>(array, false, check, |i| self.overflow(array, i))
    }
}
