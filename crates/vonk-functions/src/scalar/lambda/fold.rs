//! `aggregate`, `reduce`.

use super::{Params, check_arity, docs, lambda_types};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::array::lists::{Flat, Lists};
use crate::scalar::array::{resolved, strict_array_arg};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow::compute::{concat, take};
use vonk_error::Result;

const AGGREGATE: Docs = docs(
    "aggregate(array, start, merge[, finish])",
    "Merges the elements one after the other into a state; `finish` makes the result of the last state.",
    "2.4.0",
    &[
        ex("SELECT aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x)", "6"),
        ex("SELECT aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x, acc -> acc * 10)", "60"),
    ],
);
const REDUCE: Docs = docs(
    "reduce(array, start, merge[, finish])",
    "Merges the elements one after the other into a state; `finish` makes the result of the last state.",
    "3.4.0",
    &[ex("SELECT reduce(array(1, 2, 3), 0, (acc, x) -> acc + x)", "6")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let row = |name, docs| ScalarFunction {
        null_propagating: false,
        lambda_params: Some(params),
        display: Display::Custom(display),
        ..ScalarFunction::new(name, docs, Arity::between(3, 4), resolve, fold)
    };
    vec![row("aggregate", AGGREGATE), row("reduce", REDUCE)]
}

fn display(called_as: &str, args: &[String]) -> String {
    let identity = "lambdafunction(namedlambdavariable(), namedlambdavariable())";
    match args.len() {
        3 => format!("{called_as}({}, {identity})", args.join(", ")),
        _ => format!("{called_as}({})", args.join(", ")),
    }
}

fn params(site: &CallSite<'_>) -> Result<Params> {
    let (_, element, null) = strict_array_arg(site, 0)?;
    check_arity(site, 2, &[2])?;
    check_arity(site, 3, &[1])?;
    let state = (site.arg_type(1).clone(), true);
    let mut params = vec![vec![state.clone(), (element, null)]];
    if site.args.len() > 3 {
        params.push(vec![state]);
    }
    Ok(params)
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let (array, ..) = strict_array_arg(site, 0)?;
    let (state, merged) = (site.arg_type(1), site.arg_type(2));
    if !state.same_type(merged, true) {
        return Err(site.unexpected_type(2, &format!("\"{}\"", state.sql())));
    }
    // The state takes the finer nullability of neither: it is what merge returns.
    let result = site.args.get(3).map_or(merged, |finish| &finish.data_type).clone();
    let nullable = site.args[0].nullable || site.args.last().is_some_and(|a| a.nullable);
    resolved(lambda_types(site, vec![array, state.clone()]), result, nullable)
}

/// Element by element, but all rows at once: the rows are taken in descending order of length, so that those that still have
/// an n-th element are a prefix, and their states an ever shorter array.
fn fold(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let flat = Flat::new(call.rows, lists.elements().len(), |row| lists.range(row))?;
    let elements = flat.elements(lists.elements())?;
    let length = |row: &u32| flat.range(*row as usize).map_or(0, |r| r.len());
    let mut order: Vec<u32> = (0..call.rows as u32).filter(|r| flat.range(*r as usize).is_some()).collect();
    order.sort_by_key(|row| std::cmp::Reverse(length(row)));

    let zero = &call.args[1];
    let zeros: UInt32Array = order.iter().map(|row| zero.index(*row as usize) as u32).collect();
    let mut states = take(zero.values(), &zeros, None)?;
    let mut active = order.len();
    // States of rows that have ended, those of the longest last.
    let mut ended: Vec<ArrayRef> = Vec::new();
    for n in 0.. {
        let still = order[..active].partition_point(|row| length(row) > n);
        if still < active {
            ended.push(states.slice(still, active - still));
            states = states.slice(0, still);
            active = still;
        }
        if active == 0 {
            break;
        }
        let rows = UInt32Array::from(order[..active].to_vec());
        let nth: UInt32Array =
            order[..active].iter().map(|row| flat.offsets[*row as usize] as u32 + n as u32).collect();
        states = call.lambdas[0].call(&[states, take(&elements, &nth, None)?], &rows)?;
    }
    ended.reverse();
    let parts: Vec<&dyn Array> = ended.iter().map(AsRef::as_ref).collect();
    let mut result = match parts.as_slice() {
        [] => return Ok(new_null_array(&call.return_type.to_arrow(), call.rows)),
        parts => concat(parts)?,
    };
    if let Some(finish) = call.lambdas.get(1) {
        result = finish.call(&[result], &UInt32Array::from(order.clone()))?;
    }
    let mut places: Vec<Option<u32>> = vec![None; call.rows];
    for (place, row) in order.iter().enumerate() {
        places[*row as usize] = Some(place as u32);
    }
    Ok(take(&result, &UInt32Array::from(places), None)?)
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;
    use arrow::array::{ArrayRef, AsArray, Int32Array, UInt32Array};
    use arrow::datatypes::Int32Type;
    use std::sync::Arc;
    use vonk_types::DataType;

    #[test]
    fn folds_rows_of_different_lengths_in_order() {
        // acc * 10 + x shows the order of the elements.
        let lambda = IntLambda {
            arity: 2,
            return_type: DataType::Int,
            body: |p: &[ArrayRef], _: &UInt32Array| {
                let (acc, x) = (p[0].as_primitive::<Int32Type>(), p[1].as_primitive::<Int32Type>());
                Arc::new(Int32Array::from_iter(acc.iter().zip(x).map(|(a, x)| Some(a? * 10 + x?))))
                    as ArrayRef
            },
        };
        let negate = IntLambda {
            arity: 1,
            return_type: DataType::Int,
            body: |p: &[ArrayRef], _: &UInt32Array| {
                Arc::new(p[0].as_primitive::<Int32Type>().unary::<_, Int32Type>(|x| -x)) as ArrayRef
            },
        };
        let a = int_lists(&[
            Some(&[Some(1)]),
            None,
            Some(&[Some(1), Some(2), Some(3)]),
            Some(&[]),
            Some(&[Some(4), None]),
            Some(&[Some(5), Some(6)]),
        ]);
        let zero = int_column(&[Some(9), Some(9), Some(0), Some(7), Some(0), Some(0)]);
        assert_eq!(
            run_in(&context(), "aggregate", &[a.clone(), zero.clone()], &[&lambda]).unwrap(),
            ["91", "null", "123", "7", "null", "56"]
        );
        assert_eq!(
            run_in(&context(), "reduce", &[a, zero], &[&lambda, &negate]).unwrap(),
            ["-91", "null", "-123", "-7", "null", "-56"]
        );
    }
}
