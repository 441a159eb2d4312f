//! Windows of time: the one of a row of windows that a moment is in, and the time of a window.

use super::docs;
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StructArray};
use arrow::datatypes::{DataType as ArrowType, Int64Type, TimestampMicrosecondType};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::{DataType, StructField, StructType};

const WINDOW_TIME: Docs = docs(
    "window_time(window_column)",
    "The last moment of a window of time.",
    "3.4.0",
    &[ex(
        "SELECT window_time(window) FROM (SELECT window(ts, '10 minutes') FROM VALUES (TIMESTAMP'2021-01-01 00:00:00') t(ts))",
        "2021-01-01 00:09:59.999999",
    )],
);
const WINDOW_AT: Docs = docs(
    "__window_at(time, duration, slide, offset, n)",
    "The window of a moment, `n` windows before the last one that begins at or before it. Made by `window(…)`.",
    "2.0.0",
    &[],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new("window_time", WINDOW_TIME, Arity::exactly(1), resolve_time, window_time)
        },
        ScalarFunction::new(crate::WINDOW_AT, WINDOW_AT, Arity::exactly(5), resolve_at, window_at),
    ]
}

/// The type of a window over times of a type.
pub fn window_type(time: &DataType) -> DataType {
    let field = |name| StructField::new(name, time.clone(), true);
    DataType::Struct(StructType::new(vec![field("start"), field("end")]))
}

fn resolve_time(site: &CallSite<'_>) -> Result<Resolution> {
    match site.arg_type(0) {
        DataType::Struct(s)
            if s.fields.len() == 2
                && s.fields
                    .iter()
                    .all(|f| matches!(f.data_type, DataType::Timestamp | DataType::TimestampNtz)) =>
        {
            let end = s.fields[1].data_type.clone();
            site.returns(vec![site.arg_type(0).clone()], end)
        }
        _ => Err(site.unexpected_type(0, "\"STRUCT<start: TIMESTAMP, end: TIMESTAMP>\"")),
    }
}

fn window_time(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let windows = call.args[0].to_array(call.rows)?;
    let windows = windows.as_struct();
    let ends = windows.column(1).as_primitive::<TimestampMicrosecondType>();
    let times: Int64Array = (0..ends.len())
        .map(|i| (windows.is_valid(i) && ends.is_valid(i)).then(|| ends.value(i) - 1))
        .collect();
    Ok(Arc::new(
        times.reinterpret_cast::<TimestampMicrosecondType>().with_data_type(ends.data_type().clone()),
    ))
}

fn resolve_at(site: &CallSite<'_>) -> Result<Resolution> {
    let time = site.arg_type(0).clone();
    let long = || DataType::Long;
    site.returns(vec![time.clone(), long(), long(), long(), long()], window_type(&time))
}

fn window_at(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let number = |i: usize| call.args[i].values().as_primitive::<Int64Type>().value(0);
    let (duration, slide, offset, n) = (number(1), number(2), number(3), number(4));
    let times = call.args[0].to_array(call.rows)?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let overflow = || Error::new("DATETIME_OVERFLOW").with("operation", "window of a time");
    let mut starts = Vec::with_capacity(times.len());
    let mut ends = Vec::with_capacity(times.len());
    for i in 0..times.len() {
        if times.is_null(i) {
            starts.push(0);
            ends.push(0);
            continue;
        }
        let time = times.value(i);
        let within = time.checked_sub(offset).ok_or_else(overflow)?.rem_euclid(slide);
        let start = time
            .checked_sub(within)
            .and_then(|s| s.checked_sub(n.checked_mul(slide)?))
            .ok_or_else(overflow)?;
        starts.push(start);
        ends.push(start.checked_add(duration).ok_or_else(overflow)?);
    }
    let ArrowType::Struct(fields) = call.return_type.to_arrow() else {
        return vonk_error::internal_err!("a window of type {}", call.return_type);
    };
    let column = |values: Vec<i64>| -> ArrayRef {
        let array = Int64Array::new(values.into(), times.nulls().cloned());
        Arc::new(
            array.reinterpret_cast::<TimestampMicrosecondType>().with_data_type(times.data_type().clone()),
        )
    };
    Ok(Arc::new(StructArray::try_new(fields, vec![column(starts), column(ends)], times.nulls().cloned())?))
}
