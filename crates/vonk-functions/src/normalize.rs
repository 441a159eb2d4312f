//! Floats in the one form that makes bytewise and total-order comparison Spark's.

use arrow::array::{Array, ArrayRef, AsArray, make_array};
use arrow::datatypes::{DataType as ArrowType, Float32Type, Float64Type};
use std::sync::Arc;
use vonk_error::Result;

/// The array with every NaN the same and every -0.0 as 0.0, at any depth, so that Arrow's total order is Spark's.
pub fn normalize_floats(array: &ArrayRef) -> Result<ArrayRef> {
    if !has_floats(array.data_type()) {
        return Ok(array.clone());
    }
    Ok(match array.data_type() {
        ArrowType::Float32 => {
            let f = |x: f32| if x.is_nan() { f32::NAN } else { x + 0.0 };
            Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(f))
        }
        ArrowType::Float64 => {
            let f = |x: f64| if x.is_nan() { f64::NAN } else { x + 0.0 };
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(f))
        }
        _ => {
            let data = array.to_data();
            let children = data
                .child_data()
                .iter()
                .map(|c| Ok(normalize_floats(&make_array(c.clone()))?.to_data()))
                .collect::<Result<Vec<_>>>()?;
            make_array(data.into_builder().child_data(children).build()?)
        }
    })
}

fn has_floats(t: &ArrowType) -> bool {
    match t {
        ArrowType::Float32 | ArrowType::Float64 => true,
        ArrowType::List(f) | ArrowType::Map(f, _) => has_floats(f.data_type()),
        ArrowType::Struct(fields) => fields.iter().any(|f| has_floats(f.data_type())),
        _ => false,
    }
}
