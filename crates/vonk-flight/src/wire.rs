//! Types and batches as clients read them.
//!
//! | Spark | Arrow on the wire |
//! | --- | --- |
//! | string, binary | Utf8, Binary |
//! | decimal(p,s) | Decimal128(p,s) |
//! | interval year to month | Interval(MonthDayNano) |
//! | all others | as inside the engine ([`vonk_types`]'s table) |
//!
//! Views of strings and 64-bit decimals are known to few drivers yet (the JDBC driver reads neither), and a batch of views would travel with
//! buffers of which it shows a part. Intervals of months alone have no value in Python (pyarrow's `to_pylist`, pandas and polars all fail on
//! them); those of months, days and nanoseconds have one everywhere. Fields carry Spark's type in the metadata that JDBC reads (`ARROW:FLIGHT:SQL:TYPE_NAME`), so that types
//! that share an Arrow type (`INTERVAL YEAR`, `INTERVAL YEAR TO MONTH`) can be told apart.
//!
//! Must not know: the protocol.

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, ListArray, MapArray, RecordBatch, RecordBatchOptions,
    StructArray,
};
use arrow::datatypes::{
    DataType as ArrowType, Decimal64Type, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef,
};
use std::collections::HashMap;
use std::sync::Arc;
use vonk::{DataType, StructField, StructType};
use vonk_error::Result;

/// Column metadata of Flight SQL.
pub const TYPE_NAME: &str = "ARROW:FLIGHT:SQL:TYPE_NAME";
const PRECISION: &str = "ARROW:FLIGHT:SQL:PRECISION";
const SCALE: &str = "ARROW:FLIGHT:SQL:SCALE";
const CASE_SENSITIVE: &str = "ARROW:FLIGHT:SQL:IS_CASE_SENSITIVE";
const SEARCHABLE: &str = "ARROW:FLIGHT:SQL:IS_SEARCHABLE";
const READ_ONLY: &str = "ARROW:FLIGHT:SQL:IS_READ_ONLY";
const AUTO_INCREMENT: &str = "ARROW:FLIGHT:SQL:IS_AUTO_INCREMENT";

/// An Arrow type of the engine as clients read it.
pub fn arrow_type(t: &ArrowType) -> ArrowType {
    match t {
        ArrowType::Utf8View => ArrowType::Utf8,
        ArrowType::BinaryView => ArrowType::Binary,
        ArrowType::Decimal64(p, s) => ArrowType::Decimal128(*p, *s),
        ArrowType::Interval(IntervalUnit::YearMonth) => ArrowType::Interval(IntervalUnit::MonthDayNano),
        ArrowType::List(f) => ArrowType::List(field(f)),
        ArrowType::Map(f, sorted) => ArrowType::Map(field(f), *sorted),
        ArrowType::Struct(fields) => ArrowType::Struct(fields.iter().map(field).collect()),
        other => other.clone(),
    }
}

fn field(f: &FieldRef) -> FieldRef {
    Arc::new(f.as_ref().clone().with_data_type(arrow_type(f.data_type())))
}

/// The field of a column.
pub fn column_field(f: &StructField) -> Field {
    let mut metadata = HashMap::from([(TYPE_NAME.to_string(), type_name(&f.data_type))]);
    let mut put = |key: &str, value: String| metadata.insert(key.to_string(), value);
    if let Some((precision, scale)) = precision_and_scale(&f.data_type) {
        put(PRECISION, precision.to_string());
        put(SCALE, scale.to_string());
    }
    put(CASE_SENSITIVE, if f.data_type == DataType::String { "1" } else { "0" }.to_string());
    put(SEARCHABLE, "1".to_string());
    put(READ_ONLY, "1".to_string());
    put(AUTO_INCREMENT, "0".to_string());
    Field::new(f.name.as_ref(), arrow_type(&f.data_type.to_arrow()), true).with_metadata(metadata)
}

/// A type's name towards drivers: Spark's text of it.
fn type_name(t: &DataType) -> String {
    t.sql()
}

/// Digits and digits after the point of numbers, and the like of other types, as JDBC counts them.
fn precision_and_scale(t: &DataType) -> Option<(i32, i32)> {
    Some(match t {
        DataType::Byte => (3, 0),
        DataType::Short => (5, 0),
        DataType::Int => (10, 0),
        DataType::Long => (19, 0),
        DataType::Float => (7, 7),
        DataType::Double => (15, 15),
        DataType::Decimal(p, s) => (i32::from(*p), i32::from(*s)),
        DataType::Boolean => (1, 0),
        DataType::Date => (10, 0),
        DataType::Timestamp | DataType::TimestampNtz => (29, 6),
        _ => return None,
    })
}

/// The schema of an answer as clients read it.
pub fn schema(columns: &StructType) -> SchemaRef {
    Arc::new(Schema::new(columns.fields.iter().map(column_field).collect::<Fields>()))
}

/// A batch of the engine with the columns of `schema`, which is [`schema`] of its type.
pub fn batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(c, f)| array(c, f.data_type())).collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

fn array(a: &ArrayRef, to: &ArrowType) -> Result<ArrayRef> {
    if a.data_type() == to {
        return Ok(a.clone());
    }
    match (a.data_type(), to) {
        (ArrowType::Decimal64(..), ArrowType::Decimal128(p, s)) => {
            let wide: Decimal128Array = a.as_primitive::<Decimal64Type>().unary(i128::from);
            Ok(Arc::new(wide.with_precision_and_scale(*p, *s)?))
        }
        (ArrowType::List(_), ArrowType::List(f)) => {
            let list = a.as_list::<i32>();
            let values = array(list.values(), f.data_type())?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            Ok(Arc::new(ListArray::try_new(f.clone(), offsets, values, nulls)?))
        }
        (ArrowType::Map(..), ArrowType::Map(f, sorted)) => {
            let map = a.as_map();
            let entries: ArrayRef = Arc::new(map.entries().clone());
            let entries = array(&entries, f.data_type())?.as_struct().clone();
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Ok(Arc::new(MapArray::try_new(f.clone(), offsets, entries, nulls, *sorted)?))
        }
        (ArrowType::Struct(_), ArrowType::Struct(fields)) => {
            let row = a.as_struct();
            let columns = row.columns().iter().zip(fields).map(|(c, f)| array(c, f.data_type()));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            let nulls = row.nulls().cloned();
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, row.len())?))
        }
        _ => Ok(arrow::compute::cast(a, to)?),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;
    use arrow::datatypes::IntervalMonthDayNanoType;
    use vonk::Session;

    #[test]
    fn every_type_goes_out() {
        let session = Session::builder().config("spark.master", "local[1]").build().unwrap();
        let sql = "SELECT null v, true b, 1Y i8, 2S i16, 3 i32, 4L i64, 1.5F f, 2.5D d, 1.25 dec, cast(1 as decimal(30,2)) wide, \
                   'x' s, X'01' bin, DATE'2024-01-02' dt, TIMESTAMP'2024-01-02 03:04:05' ts, TIMESTAMP_NTZ'2024-01-02 03:04:05' tn, \
                   INTERVAL '1-2' YEAR TO MONTH ym, INTERVAL '1 02:03:04' DAY TO SECOND dts, make_interval(1, 2, 3, 4) ci, \
                   array('a', null) xs, map('k', 1.5) m, struct('y' AS s, array(struct(X'02' AS b)) AS n) st";
        let mut answer = session.run(sql).unwrap();
        let schema = schema(answer.schema());
        let rows = answer.next_batch().unwrap().unwrap();
        let out = batch(&rows, &schema).unwrap();
        assert_eq!(out.num_rows(), 1);
        let flat: String = format!("{:?}", out.schema());
        assert!(["View", "Decimal64", "YearMonth"].iter().all(|t| !flat.contains(t)), "{flat}");
        let months = out.column_by_name("ym").unwrap().as_primitive::<IntervalMonthDayNanoType>().value(0);
        assert_eq!((months.months, months.days, months.nanoseconds), (14, 0, 0));
        assert_eq!(schema.field(15).metadata()[TYPE_NAME], "INTERVAL YEAR TO MONTH");
        assert_eq!(out.column_by_name("s").unwrap().as_string::<i32>().value(0), "x");
        // No columns, but rows.
        let none = StructType::new(vec![]);
        let empty = RecordBatch::try_new_with_options(
            none.to_arrow_schema(),
            vec![],
            &RecordBatchOptions::new().with_row_count(Some(3)),
        );
        assert_eq!(batch(&empty.unwrap(), &super::schema(&none)).unwrap().num_rows(), 3);
    }
}
