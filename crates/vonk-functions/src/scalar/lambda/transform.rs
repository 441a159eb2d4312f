//! `transform`, `filter`.

use super::{docs, element_params, lambda_types, predicate};
use crate::describe::{Docs, ex};
use crate::kernel::{KernelCall, LambdaKernel};
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::array::lists::{Flat, Lists, Shape, gather, list_of};
use crate::scalar::array::{resolved, strict_array_arg};
use arrow::array::{Array, ArrayRef, AsArray};
use vonk_error::Result;
use vonk_types::DataType;

const TRANSFORM: Docs = docs(
    "transform(array, func)",
    "The array of what the function makes of each element, or of each element and its position from 0.",
    "2.4.0",
    &[
        ex("SELECT transform(array(1, 2, 3), x -> x + 1)", "[2,3,4]"),
        ex("SELECT transform(array(1, 2, 3), (x, i) -> x + i)", "[1,3,5]"),
    ],
);
const FILTER: Docs = docs(
    "filter(array, func)",
    "The elements for which the function is true.",
    "2.4.0",
    &[
        ex("SELECT filter(array(1, 2, 3), x -> x % 2 == 1)", "[1,3]"),
        ex("SELECT filter(array(0, 2, 3), (x, i) -> x > i)", "[2,3]"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let two = Arity::exactly(2);
    let params = |f: ScalarFunction| ScalarFunction {
        lambda_params: Some(|site| element_params(site, 1, &[1, 2])),
        ..f
    };
    vec![
        params(ScalarFunction::new("transform", TRANSFORM, two, resolve_transform, transform)),
        params(ScalarFunction::new("filter", FILTER, two, resolve_filter, filter)),
    ]
}

fn resolve_transform(site: &CallSite<'_>) -> Result<Resolution> {
    let (array, ..) = strict_array_arg(site, 0)?;
    let body = &site.args[1];
    let return_type = DataType::array(body.data_type.clone(), body.nullable);
    resolved(lambda_types(site, vec![array]), return_type, site.args[0].nullable)
}

/// Calls a lambda with the elements, and with their positions if it wants them.
fn call_elements(lambda: &dyn LambdaKernel, flat: &Flat, elements: &ArrayRef) -> Result<ArrayRef> {
    match lambda.arity() {
        1 => lambda.call(std::slice::from_ref(elements), &flat.rows),
        _ => lambda.call(&[elements.clone(), flat.positions()], &flat.rows),
    }
}

fn transform(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let flat = Flat::new(call.rows, lists.elements().len(), |row| lists.range(row))?;
    let made = call_elements(call.lambdas[0], &flat, &flat.elements(lists.elements())?)?;
    list_of(flat.offsets, made, flat.nulls, call.return_type)
}

fn resolve_filter(site: &CallSite<'_>) -> Result<Resolution> {
    let (array, ..) = strict_array_arg(site, 0)?;
    predicate(site)?;
    resolved(lambda_types(site, vec![array.clone()]), array, site.args[0].nullable)
}

fn filter(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let flat = Flat::new(call.rows, lists.elements().len(), |row| lists.range(row))?;
    let elements = flat.elements(lists.elements())?;
    let keep = call_elements(call.lambdas[0], &flat, &elements)?;
    let keep = keep.as_boolean_opt();
    let kept = |i: usize| keep.is_some_and(|k| k.is_valid(i) && k.value(i));
    let mut picked: Vec<u32> = Vec::new();
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        match flat.range(row) {
            None => shape.push_null(),
            Some(range) => {
                picked.extend(range.filter(|i| kept(*i)).map(|i| i as u32));
                shape.push_until(picked.len())?;
            }
        }
    }
    shape.list(gather(&elements, picked)?, call.return_type)
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;
    use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, UInt32Array};
    use arrow::datatypes::Int32Type;
    use std::sync::Arc;
    use vonk_types::DataType;

    #[test]
    fn element_by_element() {
        let a = || int_lists(&[Some(&[Some(1), None, Some(3)]), None, Some(&[]), Some(&[Some(4)])]);
        let add_row = IntLambda {
            arity: 2,
            return_type: DataType::Int,
            body: |p: &[ArrayRef], rows: &UInt32Array| {
                let (x, i) = (p[0].as_primitive::<Int32Type>(), p[1].as_primitive::<Int32Type>());
                Arc::new(Int32Array::from_iter((0..x.len()).map(|n| {
                    x.is_valid(n).then(|| x.value(n) + 10 * i.value(n) + 100 * rows.value(n) as i32)
                }))) as ArrayRef
            },
        };
        assert_eq!(
            run_in(&context(), "transform", &[a()], &[&add_row]).unwrap(),
            ["[1, null, 23]", "null", "[]", "[304]"]
        );
        let above_two = IntLambda {
            arity: 1,
            return_type: DataType::Boolean,
            body: |p: &[ArrayRef], _: &UInt32Array| {
                let x = p[0].as_primitive::<Int32Type>();
                Arc::new(BooleanArray::from_iter(x.iter().map(|x| x.map(|x| x > 2)))) as ArrayRef
            },
        };
        assert_eq!(
            run_in(&context(), "filter", &[a()], &[&above_two]).unwrap(),
            ["[3]", "null", "[]", "[4]"]
        );
        assert_eq!(
            run_in(&context(), "exists", &[a()], &[&above_two]).unwrap(),
            ["true", "null", "false", "true"]
        );
        assert_eq!(
            run_in(&context(), "forall", &[a()], &[&above_two]).unwrap(),
            ["false", "null", "true", "true"]
        );
        let nulls = int_lists(&[Some(&[None, Some(1)]), Some(&[None, Some(5)])]);
        assert_eq!(
            run_in(&context(), "exists", std::slice::from_ref(&nulls), &[&above_two]).unwrap(),
            ["null", "true"]
        );
        assert_eq!(run_in(&context(), "forall", &[nulls], &[&above_two]).unwrap(), ["false", "null"]);
    }
}
