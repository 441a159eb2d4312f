//! boolean, integers, float and double among each other; integers to binary.

use super::CastMode;
use super::kernel::Caster;
use crate::data_type::DataType;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, BinaryViewBuilder, BooleanArray, PrimitiveArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use std::sync::Arc;
use vonk_error::Result;

/// Numbers in memory, and how one becomes another as Java converts it.
pub(super) trait Number: Copy {
    /// Wrapping or saturating, as a Java cast does.
    fn to_i64(self) -> i64;
    /// Through `int` for floating point numbers, as Java narrows them.
    fn to_i32(self) -> i32;
    fn to_f64(self) -> f64;
    fn to_f32(self) -> f32;
    fn is_zero(self) -> bool;
}

macro_rules! number {
    ($($t:ty),*) => { $(impl Number for $t {
        fn to_i64(self) -> i64 { self as i64 }
        fn to_i32(self) -> i32 { self as i32 }
        fn to_f64(self) -> f64 { self as f64 }
        fn to_f32(self) -> f32 { self as f32 }
        fn is_zero(self) -> bool { self == 0 as $t }
    })* };
}
number!(i8, i16, i32, i64, f32, f64);

/// Whether a double is within the range of `int`, fractions dropped.
fn fits_i32(x: f64) -> bool {
    x.floor() <= i32::MAX as f64 && x.ceil() >= i32::MIN as f64
}

/// As [`fits_i32`] for `bigint`; 2^63 passes, and saturates, as in Spark.
pub(super) fn fits_i64(x: f64) -> bool {
    x.floor() <= i64::MAX as f64 && x.ceil() >= i64::MIN as f64
}

impl Caster<'_> {
    /// A pair of booleans, integers, floats and doubles.
    pub fn numbers(&self, array: &ArrayRef) -> Result<ArrayRef> {
        match self.from {
            DataType::Boolean => self.boolean_to_number(array),
            DataType::Byte => self.integer::<Int8Type>(self.primitive(array)?),
            DataType::Short => self.integer::<Int16Type>(self.primitive(array)?),
            DataType::Int => self.integer::<Int32Type>(self.primitive(array)?),
            DataType::Long => self.integer::<Int64Type>(self.primitive(array)?),
            DataType::Float => self.floating::<Float32Type>(self.primitive(array)?),
            DataType::Double => self.floating::<Float64Type>(self.primitive(array)?),
            _ => self.impossible(),
        }
    }

    fn boolean_to_number(&self, array: &ArrayRef) -> Result<ArrayRef> {
        let array = self.boolean(array)?;
        macro_rules! ones {
            ($t:ty) => {
                self.finish::<$t>(
                    array
                        .values()
                        .iter()
                        .map(|b| u8::from(b) as <$t as ArrowPrimitiveType>::Native)
                        .collect(),
                    array.nulls().cloned(),
                )
            };
        }
        Ok(match self.to {
            DataType::Byte => ones!(Int8Type),
            DataType::Short => ones!(Int16Type),
            DataType::Int => ones!(Int32Type),
            DataType::Long => ones!(Int64Type),
            DataType::Float => ones!(Float32Type),
            DataType::Double => ones!(Float64Type),
            _ => return self.impossible(),
        })
    }

    pub(super) fn nonzero<S: ArrowPrimitiveType>(&self, array: &PrimitiveArray<S>) -> ArrayRef
    where
        S::Native: Number,
    {
        let values = array.values();
        let bits = BooleanBuffer::collect_bool(values.len(), |i| !values[i].is_zero());
        Arc::new(BooleanArray::new(bits, array.nulls().cloned()))
    }

    fn integer<S: ArrowPrimitiveType>(&self, array: &PrimitiveArray<S>) -> Result<ArrayRef>
    where
        S::Native: Number,
    {
        Ok(match self.to {
            DataType::Boolean => self.nonzero(array),
            DataType::Byte => self.narrow::<S, Int8Type>(array, |v| v.to_i64() as i8)?,
            DataType::Short => self.narrow::<S, Int16Type>(array, |v| v.to_i64() as i16)?,
            DataType::Int => self.narrow::<S, Int32Type>(array, |v| v.to_i64() as i32)?,
            DataType::Long => self.map::<S, Int64Type>(array, Number::to_i64),
            DataType::Float => self.map::<S, Float32Type>(array, Number::to_f32),
            DataType::Double => self.map::<S, Float64Type>(array, Number::to_f64),
            _ => return self.impossible(),
        })
    }

    fn narrow<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        array: &PrimitiveArray<S>,
        f: impl Fn(S::Native) -> T::Native,
    ) -> Result<ArrayRef>
    where
        S::Native: Number,
        T::Native: Number,
    {
        if self.mode == CastMode::Legacy || size_of::<T::Native>() >= size_of::<S::Native>() {
            return Ok(self.map::<S, T>(array, f));
        }
        let check = |v: S::Native| {
            let narrow = f(v);
            (narrow, narrow.to_i64() == v.to_i64())
        };
        self.checked::<S, T>(array, self.strict(), check, |i| self.overflow(array, i))
    }

    fn floating<S: ArrowPrimitiveType>(&self, array: &PrimitiveArray<S>) -> Result<ArrayRef>
    where
        S::Native: Number,
    {
        Ok(match self.to {
            DataType::Boolean => self.nonzero(array),
            DataType::Byte => self.truncate::<S, Int8Type>(array, |v| {
                let int = v.to_i32();
                (int as i8, fits_i32(v.to_f64()) && int as i8 as i32 == int)
            })?,
            DataType::Short => self.truncate::<S, Int16Type>(array, |v| {
                let int = v.to_i32();
                (int as i16, fits_i32(v.to_f64()) && int as i16 as i32 == int)
            })?,
            DataType::Int => self.truncate::<S, Int32Type>(array, |v| (v.to_i32(), fits_i32(v.to_f64())))?,
            DataType::Long => self.truncate::<S, Int64Type>(array, |v| (v.to_i64(), fits_i64(v.to_f64())))?,
            DataType::Float => self.map::<S, Float32Type>(array, Number::to_f32),
            DataType::Double => self.map::<S, Float64Type>(array, Number::to_f64),
            _ => return self.impossible(),
        })
    }

    fn truncate<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        array: &PrimitiveArray<S>,
        f: impl Fn(S::Native) -> (T::Native, bool),
    ) -> Result<ArrayRef> {
        if self.mode == CastMode::Legacy {
            return Ok(self.map::<S, T>(array, |v| f(v).0));
        }
        self.checked::<S, T>(array, self.strict(), f, |i| self.overflow(array, i))
    }

    /// Big-endian bytes (non-ANSI only).
    pub fn integral_to_binary(&self, array: &ArrayRef) -> Result<ArrayRef> {
        macro_rules! bytes {
            ($t:ty) => {{
                let array = self.primitive::<$t>(array)?;
                let mut out = BinaryViewBuilder::with_capacity(array.len());
                for i in 0..array.len() {
                    if array.is_null(i) {
                        out.append_null()
                    } else {
                        out.append_value(array.value(i).to_be_bytes())
                    }
                }
                Ok(Arc::new(out.finish()))
            }};
        }
        match self.from {
            DataType::Byte => bytes!(Int8Type),
            DataType::Short => bytes!(Int16Type),
            DataType::Int => bytes!(Int32Type),
            DataType::Long => bytes!(Int64Type),
            _ => self.impossible(),
        }
    }
}
