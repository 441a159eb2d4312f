//! What writing into `char(n)` and `varchar(n)` checks. Called by INSERT alone.

use crate::describe::{Docs, Group};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use arrow::datatypes::Int32Type;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::DataType;

const CHECK: Docs = Docs::new(
    Group::String,
    "__length_check(str, n)",
    "The string, without spaces behind the n-th character; an error if more than spaces stand there.",
    "3.1.0",
    &[],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction::new(crate::LENGTH_CHECK, CHECK, Arity::exactly(2), resolve, check)]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    site.returns(vec![DataType::String, DataType::Int], DataType::String)
}

fn check(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let limit = usize::try_from(call.args[1].values().as_primitive::<Int32Type>().value(0)).unwrap_or(0);
    let texts = call.args[0].to_array(call.rows)?;
    let strings = texts.as_string_view();
    // A string has no more characters than bytes.
    if (0..strings.len()).all(|i| strings.is_null(i) || strings.value(i).len() <= limit) {
        return Ok(texts);
    }
    let mut out = StringViewBuilder::with_capacity(strings.len());
    for text in strings {
        let Some(text) = text else {
            out.append_null();
            continue;
        };
        let end = text.char_indices().nth(limit).map_or(text.len(), |(at, _)| at);
        if text[end..].chars().any(|c| c != ' ') {
            return Err(Error::new("EXCEED_LIMIT_LENGTH").with("limit", limit.to_string()));
        }
        out.append_value(&text[..end]);
    }
    Ok(Arc::new(out.finish()))
}
