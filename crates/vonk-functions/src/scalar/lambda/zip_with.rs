//! `zip_with`.

use super::{Params, check_arity, docs, lambda_types};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::array::lists::{Lists, Picks, Shape};
use crate::scalar::array::{resolved, strict_array_arg};
use arrow::array::{ArrayRef, UInt32Array};
use vonk_error::Result;
use vonk_types::DataType;

const ZIP_WITH: Docs = docs(
    "zip_with(left, right, func)",
    "The array of what the function makes of the n-th elements of both; the shorter one is filled up with nulls.",
    "2.4.0",
    &[
        ex("SELECT zip_with(array(1, 2), array(3, 4), (x, y) -> x + y)", "[4,6]"),
        ex(
            "SELECT zip_with(array('a', 'b', 'c'), array('d', 'e'), (x, y) -> concat(x, y))",
            "[\"ad\",\"be\",null]",
        ),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        lambda_params: Some(params),
        ..ScalarFunction::new("zip_with", ZIP_WITH, Arity::exactly(3), resolve, zip_with)
    }]
}

fn params(site: &CallSite<'_>) -> Result<Params> {
    let ((_, left, _), (_, right, _)) = (strict_array_arg(site, 0)?, strict_array_arg(site, 1)?);
    check_arity(site, 2, &[2])?;
    Ok(vec![vec![(left, true), (right, true)]])
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let ((left, ..), (right, ..)) = (strict_array_arg(site, 0)?, strict_array_arg(site, 1)?);
    let body = &site.args[2];
    let return_type = DataType::array(body.data_type.clone(), body.nullable);
    let nullable = site.args[0].nullable || site.args[1].nullable;
    resolved(lambda_types(site, vec![left, right]), return_type, nullable)
}

fn zip_with(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists = [Lists::of(&call.args[0]), Lists::of(&call.args[1])];
    let mut columns = lists.each_ref().map(|l| Picks::of(l.elements().data_type(), &[l.elements()]));
    let mut owners: Vec<u32> = Vec::new();
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        let (Some(left), Some(right)) = (lists[0].range(row), lists[1].range(row)) else {
            shape.push_null();
            continue;
        };
        let longest = left.len().max(right.len());
        for (column, range) in columns.iter_mut().zip([left, right]) {
            let missing = longest - range.len();
            column.extend(1, range);
            (0..missing).for_each(|_| column.push_null());
        }
        owners.resize(owners.len() + longest, row as u32);
        shape.push(longest)?;
    }
    let [left, right] = columns;
    let made = call.lambdas[0].call(&[left.finish()?, right.finish()?], &UInt32Array::from(owners))?;
    shape.list(made, call.return_type)
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;
    use arrow::array::{ArrayRef, AsArray, Int32Array, UInt32Array};
    use arrow::datatypes::Int32Type;
    use std::sync::Arc;
    use vonk_types::DataType;

    #[test]
    fn pads_the_shorter() {
        let sum = IntLambda {
            arity: 2,
            return_type: DataType::Int,
            body: |p: &[ArrayRef], _: &UInt32Array| {
                let (x, y) = (p[0].as_primitive::<Int32Type>(), p[1].as_primitive::<Int32Type>());
                Arc::new(Int32Array::from_iter(
                    x.iter().zip(y).map(|(x, y)| Some(x.unwrap_or(100) + y.unwrap_or(1000))),
                )) as ArrayRef
            },
        };
        let a = int_lists(&[Some(&[Some(1), Some(2)]), None, Some(&[])]);
        let b = int_lists(&[Some(&[Some(5)]), Some(&[]), Some(&[Some(6), None])]);
        assert_eq!(
            run_in(&context(), "zip_with", &[a, b], &[&sum]).unwrap(),
            ["[6, 1002]", "null", "[106, 1100]"]
        );
    }
}
