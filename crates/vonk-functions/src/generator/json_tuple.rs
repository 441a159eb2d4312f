//! `json_tuple`: fields of a JSON object as columns.

use super::{Generated, GeneratorFunction, docs};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite};
use crate::scalar::json::tree::{Json, Leniency, parse};
use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder, UInt32Array};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::{DataType, StructField, StructType};

const JSON_TUPLE: Docs = docs(
    "json_tuple(jsonStr, p1, p2, ..., pn)",
    "One row of the values of these fields of a JSON object, as strings.",
    "1.6.0",
    &[ex("SELECT json_tuple('{\"a\":1, \"b\":{\"c\":[2]}}', 'a', 'b', 'd')", "1\t{\"c\":[2]}\tNULL")],
);

pub(super) fn rows() -> Vec<GeneratorFunction> {
    vec![GeneratorFunction {
        name: "json_tuple",
        aliases: &[],
        docs: JSON_TUPLE,
        arity: Arity::at_least(2),
        resolve,
        kernel: json_tuple,
        outer: false,
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<(Vec<DataType>, StructType)> {
    if site.args.iter().any(|a| a.data_type != DataType::String) {
        return Err(Error::new("DATATYPE_MISMATCH.NON_STRING_TYPE")
            .with("funcName", format!("`{}`", site.called_as))
            .at(site.span));
    }
    let fields: Vec<StructField> =
        (0..site.args.len() - 1).map(|i| StructField::new(format!("c{i}"), DataType::String, true)).collect();
    Ok((vec![DataType::String; site.args.len()], StructType::new(fields)))
}

fn json_tuple(call: &KernelCall<'_>) -> Result<Generated> {
    let string = |arg: usize, row: usize| -> Option<&str> {
        let (texts, i) = (call.args[arg].values().as_string_view(), call.args[arg].index(row));
        texts.is_valid(i).then(|| texts.value(i))
    };
    let wanted = call.args.len() - 1;
    let mut columns: Vec<StringViewBuilder> =
        (0..wanted).map(|_| StringViewBuilder::with_capacity(call.rows)).collect();
    for row in 0..call.rows {
        let json = string(0, row).and_then(|t| parse(t, Leniency::LOOKING));
        for (i, column) in columns.iter_mut().enumerate() {
            // Of fields of one name the last counts.
            let value = match (&json, string(i + 1, row)) {
                (Some(Json::Object(fields)), Some(name)) => fields.iter().rev().find(|(n, _)| n == name),
                _ => None,
            };
            match value {
                Some((_, value)) if *value != Json::Null => column.append_value(value.text()),
                _ => column.append_null(),
            }
        }
    }
    let columns = columns.into_iter().map(|mut c| Arc::new(c.finish()) as ArrayRef).collect();
    Ok(Generated { rows: UInt32Array::from_iter_values(0..call.rows as u32), columns })
}
