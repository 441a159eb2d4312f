//! Functions that take lambdas: `transform`, `filter`, `exists`, `forall`, `aggregate`, `zip_with`, and those over maps.
//!
//! A lambda is called once per batch with the elements of all rows, not once per element or row. (`array_sort` is with the
//! functions of arrays.)

mod fold;
mod maps;
mod predicates;
mod transform;
mod zip_with;

use super::ScalarFunction;
use super::array::strict_array_arg;
use crate::describe::{Docs, Example, Group};
use crate::resolve::CallSite;
use vonk_error::{Error, Result};
use vonk_types::DataType;

/// All of them.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = Vec::new();
    rows.extend(fold::rows());
    rows.extend(maps::rows());
    rows.extend(predicates::rows());
    rows.extend(transform::rows());
    rows.extend(zip_with::rows());
    rows
}

/// Documentation of a function with lambdas.
const fn docs(
    usage: &'static str,
    summary: &'static str,
    since: &'static str,
    examples: &'static [Example],
) -> Docs {
    Docs::new(Group::Lambda, usage, summary, since, examples)
}

/// Types of parameters, and whether they can be null.
pub(super) type Params = Vec<Vec<(DataType, bool)>>;

/// Types of arguments: those of the values as given here, those of the lambdas as they are.
pub(super) fn lambda_types(site: &CallSite<'_>, mut values: Vec<DataType>) -> Vec<DataType> {
    values.extend(site.args.iter().skip(values.len()).map(|a| a.data_type.clone()));
    values
}

/// Spark's error unless the lambda at `i` declares one of these numbers of parameters.
pub(super) fn check_arity(site: &CallSite<'_>, i: usize, allowed: &[usize]) -> Result<()> {
    match site.args.get(i).and_then(|a| a.lambda) {
        Some(n) if !allowed.contains(&n) => Err(Error::new("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH")
            .with("expectedNumArgs", n.to_string())
            .with("actualNumArgs", allowed.first().map_or(0, |n| *n).to_string())
            .at(site.span)),
        _ => Ok(()),
    }
}

/// Parameters of a lambda at `lambda` over the elements of the array at 0: with `[2]` two elements, else the element and perhaps
/// its position.
pub(super) fn element_params(site: &CallSite<'_>, lambda: usize, arities: &[usize]) -> Result<Params> {
    let (_, element, null) = strict_array_arg(site, 0)?;
    if site.args.get(lambda).is_none() {
        return Ok(Vec::new());
    }
    check_arity(site, lambda, arities)?;
    let second = if arities == [2] { (element.clone(), null) } else { (DataType::Int, false) };
    let mut params = vec![(element, null), second];
    params.truncate(site.args[lambda].lambda.unwrap_or(arities[0]));
    Ok(vec![params])
}

/// Spark's error unless the lambda at 1 is a predicate.
pub(super) fn predicate(site: &CallSite<'_>) -> Result<()> {
    match site.arg_type(1) {
        DataType::Boolean | DataType::Null => Ok(()),
        _ => Err(site.unexpected_type(1, "\"BOOLEAN\"")),
    }
}
