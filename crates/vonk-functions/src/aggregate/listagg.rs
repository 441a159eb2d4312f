//! `listagg`: strings of a group, joined.

use super::cells::{as_bytes, from_bytes};
use super::collect::{Collect, state_types};
use super::inputs;
use super::{AggregateCall, AggregateFunction, GroupsAccumulator, WithinGroup};
use crate::describe::{Docs, ex};
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::Display;
use arrow::array::{ArrayRef, BinaryViewBuilder};
use vonk_error::Result;
use vonk_types::{DataType, ScalarValue};

const LISTAGG: Docs = Docs::aggregate(
    "listagg(expr[, delimiter])",
    "The values that are not null, joined with the delimiter.",
    "4.0.0",
    &[
        ex("SELECT listagg(col) FROM VALUES ('a'), ('b'), (NULL), ('c') AS tab(col)", "abc"),
        ex("SELECT string_agg(col, ', ') FROM VALUES ('a'), ('b') AS tab(col)", "a, b"),
        ex("SELECT listagg(col) FROM VALUES (NULL), (NULL) AS tab(col)", "NULL"),
    ],
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    vec![AggregateFunction {
        aliases: &["string_agg"],
        order_sensitive: true,
        within_group: WithinGroup::Order,
        display: Display::Custom(display),
        ..AggregateFunction::new("listagg", LISTAGG, Arity::between(1, 2), resolve, state_types, make)
    }]
}

fn display(called_as: &str, args: &[String]) -> String {
    let delimiter = args.get(1).map_or("NULL", String::as_str);
    format!("{called_as}({}, {delimiter})", args.first().map_or("", String::as_str))
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let t = match site.arg_type(0) {
        DataType::Binary => DataType::Binary,
        DataType::Array(..) | DataType::Map(..) | DataType::Struct(_) => {
            return Err(site.unexpected_type(0, "(\"STRING\" or \"BINARY\")"));
        }
        _ => DataType::String,
    };
    if site.args.get(1).is_some_and(|a| a.literal.is_none()) {
        return Err(inputs::not_foldable(site, 1, "delimiter", &t.sql()));
    }
    inputs::nullable(vec![t.clone(); site.args.len()], t)
}

fn make(call: &AggregateCall<'_>) -> Result<Box<dyn GroupsAccumulator>> {
    let delimiter = match call.constants.get(1).and_then(|l| l.as_ref()).map(|l| &l.value) {
        Some(ScalarValue::Utf8View(Some(s)) | ScalarValue::Utf8(Some(s))) => s.clone().into_bytes(),
        Some(ScalarValue::BinaryView(Some(b)) | ScalarValue::Binary(Some(b))) => b.clone(),
        _ => Vec::new(),
    };
    let join = move |offsets: &[i32], values: ArrayRef| {
        let bytes = as_bytes(&values);
        let mut out = BinaryViewBuilder::with_capacity(offsets.len().saturating_sub(1));
        let mut text = Vec::new();
        for pair in offsets.windows(2) {
            if pair[0] == pair[1] {
                out.append_null();
                continue;
            }
            text.clear();
            for row in pair[0]..pair[1] {
                if row > pair[0] {
                    text.extend_from_slice(&delimiter);
                }
                text.extend_from_slice(bytes.value(row as usize));
            }
            out.append_value(&text);
        }
        from_bytes(out.finish(), values.data_type())
    };
    Collect::boxed(&call.arg_types[0], None, Box::new(join))
}
