//! Values of Rust that functions take and give, and the arrays they come from and go to.

use crate::dates;
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, Date32Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::DataType;

/// A type of Rust that has a type of Spark's.
pub trait UdfValue: Sized {
    /// Spark's type.
    const TYPE: DataType;
    /// The values of an array in the engine's type for it.
    type Values: Send;
    /// The values, if the array is one of the type.
    fn values(array: &ArrayRef) -> Option<Self::Values>;
    /// One that is not null.
    fn value(values: &Self::Values, row: usize) -> Self;
    /// An array of these.
    fn array(values: Vec<Option<Self>>) -> ArrayRef;
}

macro_rules! primitives {
    ($($rust:ty: $spark:ident, $arrow:ident, $array:ident;)*) => {$(
        impl UdfValue for $rust {
            const TYPE: DataType = DataType::$spark;
            type Values = $array;

            fn values(array: &ArrayRef) -> Option<$array> {
                array.as_primitive_opt::<$arrow>().cloned()
            }

            fn value(values: &$array, row: usize) -> Self {
                values.value(row)
            }

            fn array(values: Vec<Option<Self>>) -> ArrayRef {
                Arc::new($array::from(values))
            }
        }
    )*};
}

primitives! {
    i8: Byte, Int8Type, Int8Array;
    i16: Short, Int16Type, Int16Array;
    i32: Int, Int32Type, Int32Array;
    i64: Long, Int64Type, Int64Array;
    f32: Float, Float32Type, Float32Array;
    f64: Double, Float64Type, Float64Array;
}

impl UdfValue for bool {
    const TYPE: DataType = DataType::Boolean;
    type Values = BooleanArray;

    fn values(array: &ArrayRef) -> Option<BooleanArray> {
        array.as_boolean_opt().cloned()
    }

    fn value(values: &BooleanArray, row: usize) -> bool {
        values.value(row)
    }

    fn array(values: Vec<Option<bool>>) -> ArrayRef {
        Arc::new(BooleanArray::from(values))
    }
}

impl UdfValue for String {
    const TYPE: DataType = DataType::String;
    type Values = StringViewArray;

    fn values(array: &ArrayRef) -> Option<StringViewArray> {
        array.as_string_view_opt().cloned()
    }

    fn value(values: &StringViewArray, row: usize) -> String {
        values.value(row).to_string()
    }

    fn array(values: Vec<Option<String>>) -> ArrayRef {
        Arc::new(values.into_iter().collect::<StringViewArray>())
    }
}

impl UdfValue for Vec<u8> {
    const TYPE: DataType = DataType::Binary;
    type Values = BinaryViewArray;

    fn values(array: &ArrayRef) -> Option<BinaryViewArray> {
        array.as_binary_view_opt().cloned()
    }

    fn value(values: &BinaryViewArray, row: usize) -> Vec<u8> {
        values.value(row).to_vec()
    }

    fn array(values: Vec<Option<Vec<u8>>>) -> ArrayRef {
        Arc::new(values.into_iter().collect::<BinaryViewArray>())
    }
}

impl UdfValue for NaiveDate {
    const TYPE: DataType = DataType::Date;
    type Values = Date32Array;

    fn values(array: &ArrayRef) -> Option<Date32Array> {
        array.as_primitive_opt::<Date32Type>().cloned()
    }

    /// Dates beyond what chrono holds are its last.
    fn value(values: &Date32Array, row: usize) -> NaiveDate {
        dates::date(values.value(row))
    }

    fn array(values: Vec<Option<NaiveDate>>) -> ArrayRef {
        let days = values.into_iter().map(|d| d.map(dates::days));
        Arc::new(days.collect::<Date32Array>())
    }
}

impl UdfValue for NaiveDateTime {
    const TYPE: DataType = DataType::TimestampNtz;
    type Values = TimestampMicrosecondArray;

    fn values(array: &ArrayRef) -> Option<TimestampMicrosecondArray> {
        array.as_primitive_opt::<TimestampMicrosecondType>().cloned()
    }

    /// Times beyond what chrono holds are its last.
    fn value(values: &TimestampMicrosecondArray, row: usize) -> NaiveDateTime {
        dates::time(values.value(row)).naive_utc()
    }

    fn array(values: Vec<Option<NaiveDateTime>>) -> ArrayRef {
        let micros = values.into_iter().map(|t| t.map(|t| dates::micros(&t.and_utc())));
        Arc::new(micros.collect::<TimestampMicrosecondArray>())
    }
}

impl UdfValue for DateTime<Utc> {
    const TYPE: DataType = DataType::Timestamp;
    type Values = TimestampMicrosecondArray;

    fn values(array: &ArrayRef) -> Option<TimestampMicrosecondArray> {
        array.as_primitive_opt::<TimestampMicrosecondType>().cloned()
    }

    /// Times beyond what chrono holds are its last.
    fn value(values: &TimestampMicrosecondArray, row: usize) -> DateTime<Utc> {
        dates::time(values.value(row))
    }

    fn array(values: Vec<Option<DateTime<Utc>>>) -> ArrayRef {
        let micros: TimestampMicrosecondArray =
            values.into_iter().map(|t| t.map(|t| dates::micros(&t))).collect();
        match dates::zone() {
            Some(zone) => Arc::new(micros.with_timezone(zone)),
            None => Arc::new(micros),
        }
    }
}

/// A parameter: a [`UdfValue`], for which a null makes the whole result null, or an `Option` of one, which sees nulls.
pub trait UdfArgument {
    /// Its value without the `Option`.
    type Value: UdfValue;
    /// The value of a row; `None` if the function is not to be called for it.
    fn of(values: &<Self::Value as UdfValue>::Values, is_null: bool, row: usize) -> Option<Self>
    where
        Self: Sized;
}

impl<T: UdfValue> UdfArgument for T {
    type Value = T;

    fn of(values: &T::Values, is_null: bool, row: usize) -> Option<T> {
        (!is_null).then(|| T::value(values, row))
    }
}

impl<T: UdfValue> UdfArgument for Option<T> {
    type Value = T;

    fn of(values: &T::Values, is_null: bool, row: usize) -> Option<Option<T>> {
        Some((!is_null).then(|| T::value(values, row)))
    }
}

/// A result: a [`UdfValue`], an `Option` of one, or a `Result` of one of these.
pub trait UdfResult {
    /// Its value without the `Option` or `Result`.
    type Value: UdfValue;
    /// Whether it may be null.
    const NULLABLE: bool;
    /// The value; why the function failed, as text.
    fn result(self) -> std::result::Result<Option<Self::Value>, String>;
}

impl<T: UdfValue> UdfResult for T {
    type Value = T;
    const NULLABLE: bool = false;

    fn result(self) -> std::result::Result<Option<T>, String> {
        Ok(Some(self))
    }
}

impl<T: UdfValue> UdfResult for Option<T> {
    type Value = T;
    const NULLABLE: bool = true;

    fn result(self) -> std::result::Result<Option<T>, String> {
        Ok(self)
    }
}

impl<T: UdfResult, E: std::fmt::Display> UdfResult for std::result::Result<T, E> {
    type Value = T::Value;
    const NULLABLE: bool = T::NULLABLE;

    fn result(self) -> std::result::Result<Option<T::Value>, String> {
        match self {
            Ok(value) => value.result(),
            Err(e) => Err(e.to_string()),
        }
    }
}

/// One column of arguments.
pub struct ArgumentColumn<A: UdfArgument> {
    array: ArrayRef,
    values: <A::Value as UdfValue>::Values,
}

impl<A: UdfArgument> ArgumentColumn<A> {
    /// Of an array in the engine's type.
    pub fn of(array: &ArrayRef) -> Result<Self> {
        match A::Value::values(array) {
            Some(values) => Ok(ArgumentColumn { array: array.clone(), values }),
            None => Err(Error::internal(format!(
                "{} for a parameter of type {}",
                array.data_type(),
                A::Value::TYPE.catalog_string()
            ))),
        }
    }

    /// The value of a row; `None` if the function is not to be called for it.
    pub fn get(&self, row: usize) -> Option<A> {
        A::of(&self.values, self.array.is_null(row), row)
    }
}

/// All arguments of a call: one parameter, or a tuple of several.
pub trait UdfArguments: Sized + 'static {
    /// The columns that they come from.
    type Columns;
    /// Spark's types.
    fn types() -> Vec<DataType>;
    /// The columns, of arrays in these types.
    fn columns(arrays: &[ArrayRef]) -> Result<Self::Columns>;
    /// The arguments of a row; `None` if the function is not to be called for it.
    fn row(columns: &Self::Columns, row: usize) -> Option<Self>;
}

fn array_at(arrays: &[ArrayRef], i: usize) -> Result<&ArrayRef> {
    arrays.get(i).ok_or_else(|| Error::internal("fewer arguments than parameters"))
}

impl<A: UdfArgument + 'static> UdfArguments for A {
    type Columns = ArgumentColumn<A>;

    fn types() -> Vec<DataType> {
        vec![A::Value::TYPE]
    }

    fn columns(arrays: &[ArrayRef]) -> Result<ArgumentColumn<A>> {
        ArgumentColumn::of(array_at(arrays, 0)?)
    }

    fn row(columns: &ArgumentColumn<A>, row: usize) -> Option<A> {
        columns.get(row)
    }
}

macro_rules! tuples {
    ($(($($t:ident $i:tt)+))+) => {$(
        impl<$($t: UdfArgument + 'static),+> UdfArguments for ($($t,)+) {
            type Columns = ($(ArgumentColumn<$t>,)+);

            fn types() -> Vec<DataType> {
                vec![$(<$t::Value as UdfValue>::TYPE),+]
            }

            fn columns(arrays: &[ArrayRef]) -> Result<Self::Columns> {
                Ok(($(ArgumentColumn::of(array_at(arrays, $i)?)?,)+))
            }

            fn row(columns: &Self::Columns, row: usize) -> Option<Self> {
                Some(($(columns.$i.get(row)?,)+))
            }
        }
    )+};
}

tuples! {
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
}
