//! `array_join`.

use super::lists::Lists;
use super::{array_arg, docs, resolved};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

const JOIN: Docs = docs(
    "array_join(array, delimiter[, nullReplacement])",
    "The elements as one string with a delimiter between them; nulls are left out or replaced.",
    "2.4.0",
    &[
        ex("SELECT array_join(array('hello', 'world'), ' ')", "hello world"),
        ex("SELECT array_join(array('hello', null, 'world'), ' ')", "hello world"),
        ex("SELECT array_join(array('hello', null, 'world'), ' ', ',')", "hello , world"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction::new("array_join", JOIN, Arity::between(2, 3), resolve, join)]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let wrong = |i| site.unexpected_type(i, if i == 0 { "\"ARRAY<STRING>\"" } else { "\"STRING\"" });
    let (_, element, null) = array_arg(site, 0).map_err(|_| wrong(0))?;
    if !element.is_atomic() && element != DataType::Null {
        return Err(wrong(0));
    }
    let mut types = vec![DataType::array(DataType::String, null)];
    for i in 1..site.args.len() {
        if !matches!(site.arg_type(i), DataType::String | DataType::Null) {
            return Err(wrong(i));
        }
        types.push(DataType::String);
    }
    resolved(types, DataType::String, site.any_nullable())
}

fn join(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let elements = lists.elements().as_string_view();
    let delimiters = call.args[1].values().as_string_view();
    let replacements = call.args.get(2).map(|r| r.values().as_string_view());
    let mut out = StringViewBuilder::with_capacity(call.rows);
    let mut text = String::new();
    for row in 0..call.rows {
        let delimiter = call.args[1].index(row);
        let replacement = call.args.get(2).map(|r| r.index(row));
        let given = delimiters.is_valid(delimiter)
            && replacements.zip(replacement).is_none_or(|(r, i)| r.is_valid(i));
        let Some(range) = lists.range(row).filter(|_| given) else {
            out.append_null();
            continue;
        };
        let replacement = replacements.zip(replacement).map(|(r, i)| r.value(i));
        text.clear();
        let mut first = true;
        for i in range {
            let part = if elements.is_valid(i) { Some(elements.value(i)) } else { replacement };
            if let Some(part) = part {
                if !std::mem::replace(&mut first, false) {
                    text.push_str(delimiters.value(delimiter));
                }
                text.push_str(part);
            }
        }
        out.append_value(&text);
    }
    Ok(Arc::new(out.finish()))
}
