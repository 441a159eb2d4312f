//! Values of up to 64 bits as words.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, new_null_array};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType as ArrowType, Date32Type, Decimal64Type, DurationMicrosecondType,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType,
    TimeUnit, TimestampMicrosecondType, UInt32Type,
};
use std::sync::Arc;
use vonk_error::Result;

/// Floats in normal form: one NaN, one zero.
#[inline(always)]
fn f64_word(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { (x + 0.0).to_bits() }
}

#[inline(always)]
fn f32_word(x: f32) -> u64 {
    u64::from(if x.is_nan() { f32::NAN.to_bits() } else { (x + 0.0).to_bits() })
}

/// Calls `f(row, word)` for every row: integers sign-extended, floats by their normalised bits. Words of null rows may be
/// anything. Types without words of 64 bits are not visited.
#[inline(always)]
pub(crate) fn each_word(array: &ArrayRef, f: &mut impl FnMut(usize, u64)) {
    match array.data_type() {
        ArrowType::Boolean => {
            let bits = array.as_boolean().values();
            (0..array.len()).for_each(|row| f(row, u64::from(bits.value(row))));
        }
        ArrowType::Int8 => primitive::<Int8Type>(array, |v| v as i64 as u64, f),
        ArrowType::Int16 => primitive::<Int16Type>(array, |v| v as i64 as u64, f),
        ArrowType::Int32 => primitive::<Int32Type>(array, |v| v as i64 as u64, f),
        ArrowType::UInt32 => primitive::<UInt32Type>(array, u64::from, f),
        ArrowType::Int64 => primitive::<Int64Type>(array, |v| v as u64, f),
        ArrowType::Float32 => primitive::<Float32Type>(array, f32_word, f),
        ArrowType::Float64 => primitive::<Float64Type>(array, f64_word, f),
        ArrowType::Decimal64(..) => primitive::<Decimal64Type>(array, |v| v as u64, f),
        ArrowType::Date32 => primitive::<Date32Type>(array, |v| v as i64 as u64, f),
        ArrowType::Timestamp(..) => primitive::<TimestampMicrosecondType>(array, |v| v as u64, f),
        ArrowType::Duration(_) => primitive::<DurationMicrosecondType>(array, |v| v as u64, f),
        ArrowType::Interval(_) => primitive::<IntervalYearMonthType>(array, |v| v as i64 as u64, f),
        _ => {}
    }
}

/// The words of a column whose values are words as they are.
pub(super) fn own_words(array: &ArrayRef) -> Option<&[u64]> {
    let buffer = match array.data_type() {
        ArrowType::Int64 => array.as_primitive::<Int64Type>().values().inner(),
        ArrowType::Decimal64(..) => array.as_primitive::<Decimal64Type>().values().inner(),
        ArrowType::Timestamp(..) => array.as_primitive::<TimestampMicrosecondType>().values().inner(),
        ArrowType::Duration(_) => array.as_primitive::<DurationMicrosecondType>().values().inner(),
        _ => return None,
    };
    Some(buffer.typed_data::<u64>())
}

#[inline(always)]
fn primitive<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    word: impl Fn(T::Native) -> u64,
    f: &mut impl FnMut(usize, u64),
) {
    for (row, value) in array.as_primitive::<T>().values().iter().enumerate() {
        f(row, word(*value));
    }
}

/// Words back as values.
pub(super) fn from_words(
    words: impl ExactSizeIterator<Item = u64>,
    nulls: Option<NullBuffer>,
    t: &ArrowType,
) -> Result<ArrayRef> {
    fn make<T: ArrowPrimitiveType>(
        words: impl Iterator<Item = u64>,
        nulls: Option<NullBuffer>,
        t: &ArrowType,
        value: impl Fn(u64) -> T::Native,
    ) -> ArrayRef {
        let values: Vec<T::Native> = words.map(value).collect();
        Arc::new(PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(t.clone()))
    }
    let n = words.len();
    Ok(match t {
        ArrowType::Null => new_null_array(t, n),
        ArrowType::Boolean => {
            let bits: BooleanBuffer = words.map(|w| w & 1 == 1).collect();
            Arc::new(BooleanArray::new(bits, nulls))
        }
        ArrowType::Int8 => make::<Int8Type>(words, nulls, t, |w| w as i8),
        ArrowType::Int16 => make::<Int16Type>(words, nulls, t, |w| w as i16),
        ArrowType::Int32 => make::<Int32Type>(words, nulls, t, |w| w as i32),
        ArrowType::UInt32 => make::<UInt32Type>(words, nulls, t, |w| w as u32),
        ArrowType::Int64 => make::<Int64Type>(words, nulls, t, |w| w as i64),
        ArrowType::Float32 => make::<Float32Type>(words, nulls, t, |w| f32::from_bits(w as u32)),
        ArrowType::Float64 => make::<Float64Type>(words, nulls, t, f64::from_bits),
        ArrowType::Decimal64(..) => make::<Decimal64Type>(words, nulls, t, |w| w as i64),
        ArrowType::Date32 => make::<Date32Type>(words, nulls, t, |w| w as i32),
        ArrowType::Timestamp(TimeUnit::Microsecond, _) => {
            make::<TimestampMicrosecondType>(words, nulls, t, |w| w as i64)
        }
        ArrowType::Duration(TimeUnit::Microsecond) => {
            make::<DurationMicrosecondType>(words, nulls, t, |w| w as i64)
        }
        ArrowType::Interval(IntervalUnit::YearMonth) => {
            make::<IntervalYearMonthType>(words, nulls, t, |w| w as i32)
        }
        other => return vonk_error::internal_err!("{other} is not a word"),
    })
}
