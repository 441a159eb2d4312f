//! `json_array_length`, `json_object_keys`.

use super::docs;
use super::tree::{Json, Leniency, parse};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::array::lists::Shape;
use crate::scalar::params::STR;
use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use arrow::datatypes::Int32Type;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

const LENGTH: Docs = docs(
    "json_array_length(jsonArray)",
    "The number of elements of the outermost array; null for what is none.",
    "3.1.0",
    &[
        ex("SELECT json_array_length('[1,2,3,{\"f1\":1,\"f2\":[5,6]},4]')", "5"),
        ex("SELECT json_array_length('[1,2')", "NULL"),
    ],
);
const KEYS: Docs = docs(
    "json_object_keys(json_object)",
    "The keys of the outermost object; null for what is none.",
    "3.1.0",
    &[
        ex(
            "SELECT json_object_keys('{\"f1\":\"abc\",\"f2\":{\"f3\":\"a\", \"f4\":\"b\"}}')",
            "[\"f1\",\"f2\"]",
        ),
        ex("SELECT json_object_keys('{}')", "[]"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let one = Arity::exactly(1);
    vec![
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new("json_array_length", LENGTH, one, resolve_length, length)
        },
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new("json_object_keys", KEYS, one, resolve_keys, keys)
        },
    ]
}

fn resolve_length(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[STR])?;
    site.returns_null(types, DataType::Int)
}

fn resolve_keys(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[STR])?;
    site.returns_null(types, DataType::array(DataType::String, true))
}

fn length(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let texts = call.strings(0);
    call.each::<Int32Type>(|row| {
        Ok(match parse(texts.get(row), Leniency::LOOKING) {
            Some(Json::Array(items)) => i32::try_from(items.len()).ok(),
            _ => None,
        })
    })
}

fn keys(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let texts = call.args[0].values().as_string_view();
    let mut out = StringViewBuilder::new();
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        let i = call.args[0].index(row);
        let text = texts.is_valid(i).then(|| texts.value(i));
        match text.and_then(|t| parse(t, Leniency::LOOKING)) {
            Some(Json::Object(fields)) => {
                fields.iter().for_each(|(name, _)| out.append_value(name));
                shape.push(fields.len())?;
            }
            _ => shape.push_null(),
        }
    }
    shape.list(Arc::new(out.finish()), call.return_type)
}
