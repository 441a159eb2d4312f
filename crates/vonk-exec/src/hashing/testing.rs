//! Columns of any key type from small numbers, for tests of aggregates and joins.

use arrow::array::*;
use arrow::datatypes::Int32Type;
use std::sync::Arc;
use vonk_types::DataType;

/// Types of keys, so that all forms of tables are met.
pub(crate) fn key_types() -> Vec<Vec<DataType>> {
    use DataType as T;
    vec![
        vec![T::Int],
        vec![T::Long],
        vec![T::Double],
        vec![T::Float],
        vec![T::Boolean],
        vec![T::String],
        vec![T::Decimal(12, 2)],
        vec![T::Decimal(30, 2)],
        vec![T::Null],
        vec![T::array(T::Int, true)],
        vec![T::Int, T::Short],
        vec![T::Long, T::Date],
        vec![T::String, T::String],
        vec![T::Double, T::String, T::Int, T::Boolean],
        vec![T::Decimal(30, 2), T::Long, T::Timestamp],
        vec![T::String, T::array(T::Int, true)],
        vec![T::String, T::String, T::String, T::String, T::Double],
    ]
}

/// Of values that are equal to Spark, the one that stands for them.
pub(crate) fn canonical(t: &DataType, v: Option<u8>) -> Option<u8> {
    match (t, v) {
        (DataType::Double | DataType::Float, Some(1)) => Some(0),
        (DataType::Double | DataType::Float, Some(3)) => Some(2),
        (DataType::Boolean, Some(v)) => Some(v % 2),
        (DataType::Null, _) => None,
        (_, v) => v,
    }
}

fn double(v: u8) -> f64 {
    match v {
        0 => 0.0,
        1 => -0.0,
        2 => f64::NAN,
        3 => -f64::NAN,
        v => f64::from(v) / 4.0,
    }
}

/// A column of these values.
pub(crate) fn column(t: &DataType, values: &[Option<u8>]) -> ArrayRef {
    let arrow = t.to_arrow();
    let n = values.iter().map(|v| v.map(|v| i64::from(v) - 2));
    match t {
        DataType::Null => Arc::new(NullArray::new(values.len())),
        DataType::Boolean => Arc::new(BooleanArray::from_iter(values.iter().map(|v| v.map(|v| v % 2 == 1)))),
        DataType::Short => Arc::new(Int16Array::from_iter(n.map(|v| v.map(|v| v as i16)))),
        DataType::Int => Arc::new(Int32Array::from_iter(n.map(|v| v.map(|v| v as i32)))),
        // Far apart, so that ranges are not small.
        DataType::Long => Arc::new(Int64Array::from_iter(n.map(|v| v.map(|v| v << 40)))),
        DataType::Date => Arc::new(Date32Array::from_iter(n.map(|v| v.map(|v| v as i32)))),
        DataType::Timestamp => Arc::new(TimestampMicrosecondArray::from_iter(n).with_data_type(arrow)),
        DataType::Double => Arc::new(Float64Array::from_iter(values.iter().map(|v| v.map(double)))),
        DataType::Float => {
            Arc::new(Float32Array::from_iter(values.iter().map(|v| v.map(|v| double(v) as f32))))
        }
        DataType::Decimal(p, _) if *p <= 18 => Arc::new(Decimal64Array::from_iter(n).with_data_type(arrow)),
        DataType::Decimal(..) => {
            Arc::new(Decimal128Array::from_iter(n.map(|v| v.map(i128::from))).with_data_type(arrow))
        }
        DataType::String => Arc::new(StringViewArray::from_iter(values.iter().map(|v| v.map(text)))),
        DataType::Array(..) => {
            let items = values.iter().map(|v| {
                v.map(|v| (0..=v % 4).map(move |i| (i != 1).then_some(i32::from(v))).collect::<Vec<_>>())
            });
            let list = ListArray::from_iter_primitive::<Int32Type, _, _>(items);
            arrow::compute::cast(&list, &arrow).unwrap()
        }
        other => panic!("no values of {other}"),
    }
}

/// Strings short and long, some with the same beginning.
fn text(v: u8) -> String {
    match v % 4 {
        0 => format!("{v}"),
        1 => format!("just twelve{}", v % 10),
        2 => format!("a string that is long {v}"),
        _ => format!("{v} another long string, longer"),
    }
}
