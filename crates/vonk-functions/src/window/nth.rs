//! Values of a frame: `nth_value`. (`first_value` and `last_value` are aggregates.)

use super::{WindowCall, WindowFunction, docs};
use crate::describe::{Docs, ex};
use crate::resolve::{Arity, CallSite, Resolution};
use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::Int32Type;
use std::ops::Range;
use vonk_error::{Error, Result};
use vonk_types::{DataType, ScalarValue};

const NTH_VALUE: Docs = docs(
    "nth_value(input, offset)",
    "The value of the frame's `offset`th row from 1; null if the frame has fewer.",
    "3.1.0",
    &[ex(
        "SELECT a, b, nth_value(b, 2) OVER (PARTITION BY a ORDER BY b) FROM VALUES ('A1', 2), ('A1', 1), ('A2', 3), ('A1', 1) t(a, b)",
        "A1\t1\t1\nA1\t1\t1\nA1\t2\t1\nA2\t3\tNULL",
    )],
);

pub(super) fn rows() -> Vec<WindowFunction> {
    vec![WindowFunction {
        uses_frame: true,
        ..WindowFunction::new("nth_value", NTH_VALUE, Arity::exactly(2), resolve, nth_value)
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let offset = &site.args[1];
    let Some(literal) = &offset.literal else {
        return Err(Error::new("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
            .with("inputName", "`offset`")
            .with("inputType", "\"INT\"")
            .with("inputExpr", format!("\"{}\"", offset.sql))
            .at(site.span));
    };
    let n = match literal.value {
        ScalarValue::Int8(n) => n.map(i64::from),
        ScalarValue::Int16(n) => n.map(i64::from),
        ScalarValue::Int32(n) => n.map(i64::from),
        ScalarValue::Int64(n) => n,
        ref other if other.is_null() => None,
        _ => Some(1), // Its cast to an int will tell.
    }
    .unwrap_or(0);
    site.implicit(1, &DataType::Int)?;
    if n <= 0 {
        return Err(Error::new("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
            .with("exprName", "offset")
            .with("valueRange", "(0, 9223372036854775807]")
            .with("currentValue", format!("{n}L"))
            .at(site.span));
    }
    let input = site.arg_type(0).clone();
    Ok(Resolution { arg_types: vec![input.clone(), DataType::Int], return_type: input, nullable: true })
}

fn nth_value(call: &WindowCall<'_>) -> Result<ArrayRef> {
    let (input, offsets) = (&call.args[0], call.args[1].as_primitive::<Int32Type>());
    let Some(frames) = call.frames else { return vonk_error::internal_err!("nth_value without frames") };
    let n = if offsets.is_empty() { 1 } else { offsets.value(0).max(1) as usize };
    let nulls = input.logical_nulls().filter(|_| call.ignore_nulls);
    let valid: Option<Vec<usize>> = nulls.map(|nulls| nulls.valid_indices().collect());
    let nth = |frame: &Range<usize>| -> Option<u32> {
        let row = match &valid {
            None => Some(frame.start + n - 1),
            Some(valid) => valid.get(valid.partition_point(|v| *v < frame.start) + n - 1).copied(),
        };
        row.filter(|r| *r < frame.end).map(|r| r as u32)
    };
    Ok(take(input, &frames.iter().map(nth).collect::<UInt32Array>(), None)?)
}
