//! `exists`, `forall`.

use super::{docs, element_params, lambda_types, predicate};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::array::lists::{Flat, Lists};
use crate::scalar::array::{resolved, strict_array_arg};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

const EXISTS: Docs = docs(
    "exists(array, pred)",
    "Whether the predicate is true for an element; null if not and it is null for one.",
    "2.4.0",
    &[
        ex("SELECT exists(array(1, 2, 3), x -> x % 2 == 0)", "true"),
        ex("SELECT exists(array(1, null, 3), x -> x % 2 == 0)", "NULL"),
        ex("SELECT exists(array(0, null, 2, 3, null), x -> x IS NULL)", "true"),
    ],
);
const FORALL: Docs = docs(
    "forall(array, pred)",
    "Whether the predicate is true for all elements; null if not and it is false for none.",
    "3.0.0",
    &[
        ex("SELECT forall(array(1, 2, 3), x -> x % 2 == 0)", "false"),
        ex("SELECT forall(array(2, null, 8), x -> x % 2 == 0)", "NULL"),
        ex("SELECT forall(array(1, null, 3), x -> x % 2 == 0)", "false"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let two = Arity::exactly(2);
    let params =
        |f: ScalarFunction| ScalarFunction { lambda_params: Some(|site| element_params(site, 1, &[1])), ..f };
    vec![
        params(ScalarFunction::new("exists", EXISTS, two, resolve, |c| search(c, true))),
        params(ScalarFunction::new("forall", FORALL, two, resolve, |c| search(c, false))),
    ]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let (array, ..) = strict_array_arg(site, 0)?;
    predicate(site)?;
    let nullable = site.any_nullable();
    resolved(lambda_types(site, vec![array]), DataType::Boolean, nullable)
}

/// Looks for an element of this truth: found it decides, else a null does.
fn search(call: &KernelCall<'_>, truth: bool) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let flat = Flat::new(call.rows, lists.elements().len(), |row| lists.range(row))?;
    let answers = call.lambdas[0].call(&[flat.elements(lists.elements())?], &flat.rows)?;
    let answers = answers.as_boolean_opt().cloned().unwrap_or_else(|| BooleanArray::new_null(answers.len()));
    let decide = |row: usize| -> Option<bool> {
        let mut nulls = false;
        for i in flat.range(row)? {
            if answers.is_null(i) {
                nulls = true;
            } else if answers.value(i) == truth {
                return Some(truth);
            }
        }
        (!nulls).then_some(!truth)
    };
    Ok(Arc::new((0..call.rows).map(decide).collect::<BooleanArray>()))
}
