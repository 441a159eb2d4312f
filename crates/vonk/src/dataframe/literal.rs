//! Constants: from values of Rust to literals of Spark's types.

use super::column::Column;
use crate::dates;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone};
use datafusion_common::ScalarValue;
use vonk_plan::unresolved::ExprKind;
use vonk_types::{DataType, Literal};

/// A constant as a column.
///
/// ```
/// use vonk::functions::lit;
/// let columns = [lit(1), lit(2.5), lit("text"), lit(true), lit(None::<i32>)];
/// # let _ = columns;
/// ```
#[track_caller]
pub fn lit(value: impl ToLiteral) -> Column {
    Column::built("lit", ExprKind::Literal(value.to_literal()))
}

/// A value that has a literal.
pub trait ToLiteral {
    /// Spark's type of such values.
    fn literal_type() -> DataType;
    /// The value.
    fn to_literal(self) -> Literal;
}

macro_rules! literals {
    ($($type:ty: $data_type:expr, $scalar:ident;)*) => {$(
        impl ToLiteral for $type {
            fn literal_type() -> DataType {
                $data_type
            }

            fn to_literal(self) -> Literal {
                Literal::new(ScalarValue::$scalar(Some(self.into())), $data_type)
            }
        }
    )*};
}

literals! {
    bool: DataType::Boolean, Boolean;
    i8: DataType::Byte, Int8;
    i16: DataType::Short, Int16;
    i32: DataType::Int, Int32;
    i64: DataType::Long, Int64;
    f32: DataType::Float, Float32;
    f64: DataType::Double, Float64;
    &str: DataType::String, Utf8View;
    String: DataType::String, Utf8View;
    &[u8]: DataType::Binary, BinaryView;
    Vec<u8>: DataType::Binary, BinaryView;
}

impl<T: ToLiteral> ToLiteral for Option<T> {
    fn literal_type() -> DataType {
        T::literal_type()
    }

    fn to_literal(self) -> Literal {
        match self {
            Some(value) => value.to_literal(),
            None => Literal::null(T::literal_type()),
        }
    }
}

impl ToLiteral for NaiveDate {
    fn literal_type() -> DataType {
        DataType::Date
    }

    fn to_literal(self) -> Literal {
        Literal::new(ScalarValue::Date32(Some(dates::days(self))), DataType::Date)
    }
}

impl ToLiteral for NaiveDateTime {
    fn literal_type() -> DataType {
        DataType::TimestampNtz
    }

    fn to_literal(self) -> Literal {
        let micros = dates::micros(&self.and_utc());
        Literal::new(ScalarValue::TimestampMicrosecond(Some(micros), None), DataType::TimestampNtz)
    }
}

impl<Z: TimeZone> ToLiteral for DateTime<Z> {
    fn literal_type() -> DataType {
        DataType::Timestamp
    }

    fn to_literal(self) -> Literal {
        let value = ScalarValue::TimestampMicrosecond(Some(dates::micros(&self)), dates::zone());
        Literal::new(value, DataType::Timestamp)
    }
}
