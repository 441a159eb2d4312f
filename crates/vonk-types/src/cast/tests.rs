//! Casts of whole arrays: nulls, slices, nested types. Single values are checked against Spark's in `tests/casts.rs`.

use super::*;
use crate::text::hive_text;
use crate::{StructField, StructType};
use arrow::array::{
    AsArray, Decimal64Array, Float64Array, Int32Array, Int64Array, ListArray, MapArray, StringViewArray,
    StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{Decimal64Type, Int8Type, Int32Type, Int64Type};
use std::sync::Arc;

fn ctx() -> EvalContext {
    EvalContext::default()
}

fn cast(array: &ArrayRef, from: &DataType, to: &DataType, mode: CastMode) -> Result<ArrayRef> {
    let out = cast_array(array, from, to, mode, &ctx())?;
    assert_eq!(out.data_type(), &to.to_arrow());
    Ok(out)
}

fn show(array: &ArrayRef, t: &DataType) -> Vec<String> {
    (0..array.len()).map(|i| hive_text(array.as_ref(), i, t, &ctx()).unwrap()).collect()
}

fn strings(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringViewArray::from_iter(values.iter().copied()))
}

fn list(values: ArrayRef, element: &DataType, lengths: &[usize], nulls: Option<Vec<bool>>) -> ArrayRef {
    let field = crate::arrow_types::list_field(element, true);
    let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
    Arc::new(ListArray::new(field, offsets, values, nulls.map(NullBuffer::from)))
}

#[test]
fn narrowing_keeps_nulls_and_ignores_what_is_under_them() {
    // 300 lies under the null.
    let values: ArrayRef =
        Arc::new(Int32Array::new(vec![1, 300, -128].into(), Some(vec![true, false, true].into())));
    let out = cast(&values, &DataType::Int, &DataType::Byte, CastMode::Ansi).unwrap();
    assert_eq!(out.as_primitive::<Int8Type>().iter().collect::<Vec<_>>(), [Some(1), None, Some(-128)]);
    let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(7), Some(300), None]).slice(1, 2));
    let e = cast(&values, &DataType::Int, &DataType::Byte, CastMode::Ansi).unwrap_err();
    assert_eq!(e.condition(), "CAST_OVERFLOW");
    let out = cast(&values, &DataType::Int, &DataType::Byte, CastMode::Try).unwrap();
    assert_eq!(out.null_count(), 2);
    let out = cast(&values, &DataType::Int, &DataType::Byte, CastMode::Legacy).unwrap();
    assert_eq!(out.as_primitive::<Int8Type>().iter().collect::<Vec<_>>(), [Some(44), None]);
}

#[test]
fn decimals_rescale_in_both_widths() {
    let cents: ArrayRef = Arc::new(
        Decimal64Array::from(vec![Some(150), None, Some(-155), Some(99_999)])
            .with_precision_and_scale(10, 2)
            .unwrap(),
    );
    let from = DataType::Decimal(10, 2);
    let text = |to: DataType, mode| cast(&cents, &from, &to, mode).map(|a| show(&a, &to));
    assert_eq!(
        text(DataType::Decimal(38, 10), CastMode::Ansi).unwrap(),
        ["1.5000000000", "NULL", "-1.5500000000", "999.9900000000"]
    );
    assert_eq!(text(DataType::Decimal(10, 1), CastMode::Ansi).unwrap(), ["1.5", "NULL", "-1.6", "1000.0"]);
    assert_eq!(text(DataType::Decimal(4, 1), CastMode::Try).unwrap(), ["1.5", "NULL", "-1.6", "NULL"]);
    let e = text(DataType::Decimal(4, 1), CastMode::Ansi).unwrap_err();
    assert_eq!(e.condition(), "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION");
    assert_eq!(text(DataType::Double, CastMode::Ansi).unwrap(), ["1.5", "NULL", "-1.55", "999.99"]);
    assert_eq!(text(DataType::Long, CastMode::Ansi).unwrap(), ["1", "NULL", "-1", "999"]);
    let doubles: ArrayRef =
        Arc::new(Float64Array::from(vec![Some(2.675), Some(f64::NAN), None, Some(-0.005)]));
    let out = cast(&doubles, &DataType::Double, &DataType::Decimal(10, 2), CastMode::Ansi).unwrap();
    assert_eq!(
        out.as_primitive::<Decimal64Type>().iter().collect::<Vec<_>>(),
        [Some(268), None, None, Some(-1)]
    );
}

#[test]
fn arrays_cast_their_elements() {
    let (from, to) = (DataType::array(DataType::String, true), DataType::array(DataType::Int, true));
    let array = list(strings(&[Some("1"), Some("x"), None, Some("4")]), &DataType::String, &[2, 0, 2], None);
    let e = cast(&array, &from, &to, CastMode::Ansi).unwrap_err();
    assert_eq!(e.condition(), "CAST_INVALID_INPUT");
    let out = cast(&array, &from, &to, CastMode::Try).unwrap();
    assert_eq!(show(&out, &to), ["[1,null]", "[]", "[null,4]"]);
    let out = cast(&array.slice(1, 2), &from, &to, CastMode::Ansi).unwrap();
    assert_eq!(show(&out, &to), ["[]", "[null,4]"]);
    // What a null list hides is not cast.
    let hidden = list(strings(&[Some("x"), Some("2")]), &DataType::String, &[1, 1], Some(vec![false, true]));
    let out = cast(&hidden, &from, &to, CastMode::Ansi).unwrap();
    assert_eq!(show(&out, &to), ["NULL", "[2]"]);
    let out = cast(&array, &from, &DataType::String, CastMode::Ansi).unwrap();
    assert_eq!(show(&out, &DataType::String), ["[1, x]", "[]", "[null, 4]"]);
}

fn structs() -> (ArrayRef, DataType) {
    let t = StructType::new(vec![
        StructField::new("a", DataType::Long, true),
        StructField::new("b", DataType::String, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(1), Some(5_000_000_000), None])),
        strings(&[None, Some("x"), Some("7")]),
    ];
    let nulls = Some(NullBuffer::from(vec![true, false, true]));
    (Arc::new(StructArray::new(t.to_arrow_fields(), columns, nulls)), DataType::Struct(t))
}

#[test]
fn structs_cast_by_position() {
    let (array, from) = structs();
    let to = DataType::Struct(StructType::new(vec![
        StructField::new("x", DataType::Int, true),
        StructField::new("y", DataType::Int, true),
    ]));
    let out = cast(&array, &from, &to, CastMode::Ansi).unwrap();
    assert_eq!(show(&out, &to), [r#"{"x":1,"y":null}"#, "NULL", r#"{"x":null,"y":7}"#]);
    let out = cast(&array, &from, &DataType::String, CastMode::Ansi).unwrap();
    assert_eq!(show(&out, &DataType::String), ["{1, null}", "NULL", "{null, 7}"]);
}

#[test]
fn maps_cast_keys_and_values() {
    let (from, to) = (
        DataType::map(DataType::String, DataType::Int, true),
        DataType::map(DataType::Int, DataType::String, true),
    );
    let entries = crate::arrow_types::map_entries_field(&DataType::String, &DataType::Int, true);
    let arrow::datatypes::DataType::Struct(fields) = entries.data_type() else { panic!() };
    let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(2), None]));
    let parts = StructArray::new(fields.clone(), vec![strings(&[Some("1"), Some("0")]), values], None);
    let offsets = OffsetBuffer::from_lengths([2]);
    let array: ArrayRef = Arc::new(MapArray::new(entries, offsets, parts, None, false));
    let out = cast(&array, &from, &to, CastMode::Ansi).unwrap();
    assert_eq!(show(&out, &to), [r#"{0:null,1:"2"}"#]);
    let out = cast(&array, &from, &DataType::String, CastMode::Ansi).unwrap();
    assert_eq!(show(&out, &DataType::String), ["{1 -> 2, 0 -> null}"]);
}

#[test]
fn which_casts_exist() {
    use CastMode::{Ansi, Legacy, Try};
    let array = |t: DataType, null| DataType::array(t, null);
    assert!(can_cast(&DataType::Int, &DataType::Long, Ansi));
    assert!(!can_cast(&DataType::Int, &DataType::Binary, Ansi));
    assert!(can_cast(&DataType::Int, &DataType::Binary, Legacy));
    // A cast that can make nulls needs a place for them.
    let (strings, ints) = (array(DataType::String, false), array(DataType::Int, false));
    assert!(can_cast(&strings, &ints, Ansi));
    assert!(!can_cast(&strings, &ints, Legacy));
    assert!(!can_cast(&strings, &ints, Try));
    assert!(can_up_cast(&DataType::Int, &DataType::Decimal(10, 0)));
    assert!(!can_up_cast(&DataType::Long, &DataType::Int));
    assert!(can_store_assign(&DataType::Long, &DataType::Int));
    assert!(!can_store_assign(&DataType::String, &DataType::Int));
    let hours = DataType::DayTimeInterval(crate::DayTimeField::Hour, crate::DayTimeField::Hour);
    assert!(!can_store_assign(&hours, &DataType::DAY_TIME));
}

#[test]
fn same_representation_is_the_same_array() {
    let array: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let out = cast(&array, &DataType::Int, &DataType::Int, CastMode::Ansi).unwrap();
    assert!(Arc::ptr_eq(&array, &out));
    let out = cast(&array, &DataType::Int, &DataType::Long, CastMode::Ansi).unwrap();
    assert_eq!(out.as_primitive::<Int64Type>().value(0), 1);
    assert_eq!(array.as_primitive::<Int32Type>().value(0), 1);
}
