//! The one table between Spark's types and Arrow's.
//!
//! | Spark | Arrow |
//! | --- | --- |
//! | void | Null |
//! | boolean, tinyint … bigint, float, double | Boolean, Int8 … Int64, Float32, Float64 |
//! | decimal(p,s), p ≤ 18 | Decimal64(p,s) |
//! | decimal(p,s), p > 18 | Decimal128(p,s) |
//! | string, binary | Utf8View, BinaryView |
//! | date | Date32 |
//! | timestamp, timestamp_ntz | Timestamp(µs, "UTC"), Timestamp(µs) |
//! | interval year to month | Interval(YearMonth) |
//! | interval day to second | Duration(µs) |
//! | interval | Interval(MonthDayNano) |
//! | array, map, struct | List, Map, Struct |
//!
//! The mapping is a function: inside the engine a Spark type has exactly one Arrow type. Foreign Arrow data (Parquet files,
//! users' batches) is brought into it at the edge.

use crate::data_type::{DataType, DayTimeField, StructField, StructType, YearMonthField};
use arrow_schema::{DataType as ArrowType, Field, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit};
use std::sync::Arc;

/// Most digits of a decimal that is kept in 64 bits.
pub const MAX_DECIMAL64_PRECISION: u8 = 18;
/// Name of the element field of every list.
pub const LIST_FIELD: &str = "element";

impl DataType {
    /// The Arrow type of this type's arrays inside the engine.
    pub fn to_arrow(&self) -> ArrowType {
        match self {
            DataType::Null => ArrowType::Null,
            DataType::Boolean => ArrowType::Boolean,
            DataType::Byte => ArrowType::Int8,
            DataType::Short => ArrowType::Int16,
            DataType::Int => ArrowType::Int32,
            DataType::Long => ArrowType::Int64,
            DataType::Float => ArrowType::Float32,
            DataType::Double => ArrowType::Float64,
            DataType::Decimal(p, s) if *p <= MAX_DECIMAL64_PRECISION => ArrowType::Decimal64(*p, *s),
            DataType::Decimal(p, s) => ArrowType::Decimal128(*p, *s),
            DataType::String => ArrowType::Utf8View,
            DataType::Binary => ArrowType::BinaryView,
            DataType::Date => ArrowType::Date32,
            DataType::Timestamp => ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            DataType::TimestampNtz => ArrowType::Timestamp(TimeUnit::Microsecond, None),
            DataType::YearMonthInterval(..) => ArrowType::Interval(IntervalUnit::YearMonth),
            DataType::DayTimeInterval(..) => ArrowType::Duration(TimeUnit::Microsecond),
            DataType::CalendarInterval => ArrowType::Interval(IntervalUnit::MonthDayNano),
            DataType::Array(e, null) => ArrowType::List(list_field(e, *null)),
            DataType::Map(k, v, null) => ArrowType::Map(map_entries_field(k, v, *null), false),
            DataType::Struct(s) => ArrowType::Struct(s.to_arrow_fields()),
        }
    }
}

/// The element field of `array<element>`. Parts are always nullable in Arrow: Spark's finer nullability lives in [`DataType`],
/// so that arrays of types that differ only in it can be concatenated.
pub fn list_field(element: &DataType, _contains_null: bool) -> Arc<Field> {
    Arc::new(Field::new(LIST_FIELD, element.to_arrow(), true))
}

/// The entries field of `map<key,value>`.
pub fn map_entries_field(key: &DataType, value: &DataType, _value_contains_null: bool) -> Arc<Field> {
    let fields = Fields::from(vec![
        Field::new("key", key.to_arrow(), false),
        Field::new("value", value.to_arrow(), true),
    ]);
    Arc::new(Field::new("entries", ArrowType::Struct(fields), false))
}

impl StructType {
    /// As Arrow fields, all nullable (see [`list_field`]).
    pub fn to_arrow_fields(&self) -> Fields {
        self.fields.iter().map(|f| Field::new(f.name.as_ref(), f.data_type.to_arrow(), true)).collect()
    }

    /// As an Arrow schema.
    pub fn to_arrow_schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.to_arrow_fields()))
    }

    /// Reads an Arrow schema. `None` for a column names a type without a Spark equivalent.
    pub fn from_arrow_fields(fields: &Fields) -> Result<StructType, ArrowType> {
        let fields: Result<Vec<_>, ArrowType> = fields
            .iter()
            .map(|f| {
                DataType::from_arrow(f.data_type())
                    .map(|t| StructField::new(f.name().as_str(), t, f.is_nullable()))
                    .ok_or_else(|| f.data_type().clone())
            })
            .collect();
        Ok(StructType::new(fields?))
    }
}

impl DataType {
    /// The Spark type of foreign Arrow data, as Spark reads Arrow and Parquet; `None` where there is none.
    pub fn from_arrow(t: &ArrowType) -> Option<DataType> {
        Some(match t {
            ArrowType::Null => DataType::Null,
            ArrowType::Boolean => DataType::Boolean,
            ArrowType::Int8 => DataType::Byte,
            ArrowType::Int16 | ArrowType::UInt8 => DataType::Short,
            ArrowType::Int32 | ArrowType::UInt16 => DataType::Int,
            ArrowType::Int64 | ArrowType::UInt32 => DataType::Long,
            ArrowType::UInt64 => DataType::Decimal(20, 0),
            ArrowType::Float16 | ArrowType::Float32 => DataType::Float,
            ArrowType::Float64 => DataType::Double,
            ArrowType::Decimal32(p, s) | ArrowType::Decimal64(p, s) | ArrowType::Decimal128(p, s) => {
                if *s < 0 {
                    DataType::Decimal(p.saturating_add(s.unsigned_abs()).min(DataType::MAX_PRECISION), 0)
                } else {
                    DataType::Decimal((*p).max(*s as u8), *s)
                }
            }
            ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => DataType::String,
            ArrowType::Binary
            | ArrowType::LargeBinary
            | ArrowType::BinaryView
            | ArrowType::FixedSizeBinary(_) => DataType::Binary,
            ArrowType::Date32 | ArrowType::Date64 => DataType::Date,
            ArrowType::Timestamp(_, Some(_)) => DataType::Timestamp,
            ArrowType::Timestamp(_, None) => DataType::TimestampNtz,
            ArrowType::Interval(IntervalUnit::YearMonth) => {
                DataType::YearMonthInterval(YearMonthField::Year, YearMonthField::Month)
            }
            ArrowType::Duration(_) => DataType::DayTimeInterval(DayTimeField::Day, DayTimeField::Second),
            ArrowType::Interval(_) => DataType::CalendarInterval,
            ArrowType::List(f) | ArrowType::LargeList(f) | ArrowType::FixedSizeList(f, _) => {
                DataType::array(DataType::from_arrow(f.data_type())?, f.is_nullable())
            }
            ArrowType::Map(entries, _) => match entries.data_type() {
                ArrowType::Struct(kv) if kv.len() == 2 => DataType::map(
                    DataType::from_arrow(kv[0].data_type())?,
                    DataType::from_arrow(kv[1].data_type())?,
                    kv[1].is_nullable(),
                ),
                _ => return None,
            },
            ArrowType::Struct(fields) => DataType::Struct(StructType::from_arrow_fields(fields).ok()?),
            ArrowType::Dictionary(_, v) => DataType::from_arrow(v)?,
            ArrowType::RunEndEncoded(_, v) => DataType::from_arrow(v.data_type())?,
            _ => return None,
        })
    }
}
