//! Arrays made of values: `array`, `array_repeat`.

use super::access::int_at;
use super::lists::{MAX_ELEMENTS, Picks, Shape, gather, too_long};
use super::{docs, resolved};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{ArrayRef, new_empty_array};
use vonk_error::{Error, Result};
use vonk_types::DataType;

const ARRAY: Docs = docs(
    "array(expr, ...)",
    "An array of the arguments.",
    "1.1.0",
    &[ex("SELECT array(1, 2, 3)", "[1,2,3]"), ex("SELECT array(1, 1.5, null)", "[1.0,1.5,null]")],
);
const REPEAT: Docs = docs(
    "array_repeat(element, count)",
    "An array of `count` times the element.",
    "2.4.0",
    &[
        ex("SELECT array_repeat('123', 2)", "[\"123\",\"123\"]"),
        ex("SELECT array_repeat(1, -1), array_repeat(1, NULL)", "[]\tNULL"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            null_propagating: false,
            ..ScalarFunction::new("array", ARRAY, Arity::at_least(0), resolve_array, array)
        },
        ScalarFunction {
            null_propagating: false,
            ..ScalarFunction::new("array_repeat", REPEAT, Arity::exactly(2), resolve_repeat, repeat)
        },
    ]
}

/// Spark's error for arguments without a common type.
pub(in crate::scalar) fn different_types(
    site: &CallSite<'_>,
    name: &str,
    first: usize,
    step: usize,
) -> Error {
    let types: Vec<String> =
        site.args.iter().skip(first).step_by(step).map(|a| format!("\"{}\"", a.data_type.sql())).collect();
    Error::new("DATATYPE_MISMATCH.DATA_DIFF_TYPES")
        .with("functionName", format!("`{name}`"))
        .with("dataType", format!("({})", types.join(" or ")))
        .at(site.span)
}

fn resolve_array(site: &CallSite<'_>) -> Result<Resolution> {
    let Some(element) = site.common_type(0, 1) else { return Err(different_types(site, "array", 0, 1)) };
    let null = site.any_nullable();
    resolved(vec![element.clone(); site.args.len()], DataType::array(element, null), false)
}

fn array(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let n = call.args.len();
    let mut shape = Shape::new(call.rows);
    for _ in 0..call.rows {
        shape.push(n)?;
    }
    let Some(first) = call.args.first() else {
        return shape.list(new_empty_array(&arrow::datatypes::DataType::Null), call.return_type);
    };
    if n == 1 {
        return shape.list(first.to_array(call.rows)?, call.return_type);
    }
    let columns: Vec<&ArrayRef> = call.args.iter().map(|a| a.values()).collect();
    let mut picks = Picks::of(first.values().data_type(), &columns);
    for row in 0..call.rows {
        for (i, arg) in call.args.iter().enumerate() {
            picks.push(i + 1, arg.index(row));
        }
    }
    shape.list(picks.finish()?, call.return_type)
}

fn resolve_repeat(site: &CallSite<'_>) -> Result<Resolution> {
    if !matches!(site.arg_type(1), DataType::Int | DataType::Null) {
        return Err(site.unexpected_type(1, "\"INT\""));
    }
    let element = site.arg_type(0).clone();
    let return_type = DataType::array(element.clone(), site.args[0].nullable);
    resolved(vec![element, DataType::Int], return_type, site.args[1].nullable)
}

fn repeat(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let mut picked: Vec<u32> = Vec::new();
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        match int_at(&call.args[1], row) {
            None => shape.push_null(),
            Some(n) if i64::from(n) > MAX_ELEMENTS => return Err(too_long("array_repeat", "count", n)),
            Some(n) => {
                let n = n.max(0) as usize;
                shape.push(n)?;
                picked.resize(picked.len() + n, call.args[0].index(row) as u32);
            }
        }
    }
    shape.list(gather(call.args[0].values(), picked)?, call.return_type)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    #[test]
    fn makes_arrays() {
        let a = || int_column(&[Some(1), None, Some(3)]);
        assert_eq!(
            run("array", &[a(), int_column(&[Some(7)]), a()]).unwrap(),
            ["[1, 7, 1]", "[null, 7, null]", "[3, 7, 3]"]
        );
        assert_eq!(run("array", &[]).unwrap(), ["[]"]);
        assert_eq!(run("array", &[a()]).unwrap(), ["[1]", "[null]", "[3]"]);
        let counts = int_column(&[Some(2), None, Some(-1)]);
        assert_eq!(run("array_repeat", &[a(), counts]).unwrap(), ["[1, 1]", "null", "[]"]);
    }
}
