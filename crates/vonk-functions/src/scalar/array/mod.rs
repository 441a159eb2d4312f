//! Functions over arrays, and the access to elements of arrays and maps.

mod access;
mod edit;
pub(crate) mod keys;
pub(crate) mod lists;
mod make;
mod minmax;
mod sequence;
mod sets;
mod shuffle;
mod size;
mod sort;
#[cfg(test)]
pub(crate) mod testing;
mod text;
mod zip;

use super::ScalarFunction;
use crate::describe::{Docs, Example, Group};
use crate::resolve::{CallSite, Resolution};
use vonk_error::{Error, Result};
use vonk_types::DataType;

/// All of them.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = Vec::new();
    rows.extend(access::rows());
    rows.extend(edit::rows());
    rows.extend(make::rows());
    rows.extend(minmax::rows());
    rows.extend(sequence::rows());
    rows.extend(sets::rows());
    rows.extend(shuffle::rows());
    rows.extend(size::rows());
    rows.extend(sort::rows());
    rows.extend(text::rows());
    rows.extend(zip::rows());
    rows
}

/// Documentation of an array function.
const fn docs(
    usage: &'static str,
    summary: &'static str,
    since: &'static str,
    examples: &'static [Example],
) -> Docs {
    Docs::new(Group::Array, usage, summary, since, examples)
}

/// A resolution.
pub(super) fn resolved(
    arg_types: Vec<DataType>,
    return_type: DataType,
    nullable: bool,
) -> Result<Resolution> {
    Ok(Resolution { arg_types, return_type, nullable })
}

/// An array argument: its type, its element's type and whether elements can be null. An untyped null is an array of nulls.
pub(super) fn array_arg(site: &CallSite<'_>, i: usize) -> Result<(DataType, DataType, bool)> {
    match site.arg_type(i) {
        DataType::Null => Ok((DataType::array(DataType::Null, true), DataType::Null, true)),
        _ => strict_array_arg(site, i),
    }
}

/// An array argument that cannot be an untyped null.
pub(super) fn strict_array_arg(site: &CallSite<'_>, i: usize) -> Result<(DataType, DataType, bool)> {
    match site.arg_type(i) {
        t @ DataType::Array(e, null) => Ok((t.clone(), e.as_ref().clone(), *null)),
        _ => Err(site.unexpected_type(i, "\"ARRAY\"")),
    }
}

/// Spark's error unless the type has an order.
pub(super) fn ordered(site: &CallSite<'_>, t: &DataType) -> Result<()> {
    if t.is_orderable() {
        return Ok(());
    }
    Err(Error::new("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE")
        .with("functionName", format!("`{}`", site.called_as))
        .with("dataType", format!("\"{}\"", t.sql()))
        .at(site.span))
}

/// Spark's error for an untyped null where its type would decide.
pub(super) fn null_type(site: &CallSite<'_>) -> Error {
    Error::new("DATATYPE_MISMATCH.NULL_TYPE")
        .with("functionName", format!("`{}`", site.called_as))
        .at(site.span)
}

/// Spark's error for an array and a value of another type than its elements.
pub(super) fn element_mismatch(site: &CallSite<'_>, value: usize) -> Error {
    Error::new("DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES")
        .with("functionName", format!("`{}`", site.called_as))
        .with("dataType", "\"ARRAY\"")
        .with("leftType", format!("\"{}\"", site.arg_type(0).sql()))
        .with("rightType", format!("\"{}\"", site.arg_type(value).sql()))
        .at(site.span)
}

/// The index 0 where the first element has index 1.
pub(super) fn index_of_zero() -> Error {
    Error::new("INVALID_INDEX_OF_ZERO")
}

pub(crate) use access::with_nulls;
pub(super) use access::{find_keys, key_mismatch};
pub(super) use make::different_types;
