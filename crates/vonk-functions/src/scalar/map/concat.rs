//! `map_concat`.

use super::{docs, unique_entries};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::array::lists::{Maps, Picks, Shape, map_of};
use crate::scalar::array::{different_types, resolved};
use arrow::array::{ArrayRef, new_empty_array};
use vonk_error::{Error, Result};
use vonk_types::DataType;

const CONCAT: Docs = docs(
    "map_concat(map, ...)",
    "The entries of all maps in one.",
    "2.4.0",
    &[ex("SELECT map_concat(map(1, 'a', 2, 'b'), map(3, 'c'))", "{1:\"a\",2:\"b\",3:\"c\"}")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction::new("map_concat", CONCAT, Arity::at_least(0), resolve, concat)]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    if site.args.is_empty() {
        return resolved(vec![], DataType::map(DataType::String, DataType::String, true), false);
    }
    if site.args.iter().any(|a| !matches!(a.data_type, DataType::Map(..))) {
        let types: Vec<String> = site.args.iter().map(|a| format!("\"{}\"", a.data_type.sql())).collect();
        return Err(Error::new("DATATYPE_MISMATCH.MAP_CONCAT_DIFF_TYPES")
            .with("functionName", format!("`{}`", site.called_as))
            .with("dataType", format!("[{}]", types.join(", ")))
            .at(site.span));
    }
    let Some(t) = site.common_type(0, 1) else { return Err(different_types(site, "map_concat", 0, 1)) };
    resolved(vec![t.clone(); site.args.len()], t, site.any_nullable())
}

fn concat(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let DataType::Map(key, value, _) = call.return_type else {
        return vonk_error::internal_err!("a map of type {}", call.return_type);
    };
    let maps: Vec<Maps<'_>> = call.args.iter().map(Maps::of).collect();
    let all_keys: Vec<&ArrayRef> = maps.iter().map(|m| m.keys).collect();
    let all_values: Vec<&ArrayRef> = maps.iter().map(|m| m.values).collect();
    let mut keys = Picks::of(&key.to_arrow(), &all_keys);
    let mut values = Picks::of(&value.to_arrow(), &all_values);
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        if maps.iter().any(|m| m.range(row).is_none()) {
            shape.push_null();
            continue;
        }
        for (i, map) in maps.iter().enumerate() {
            let range = map.range(row).unwrap_or(0..0);
            keys.extend(i + 1, range.clone());
            values.extend(i + 1, range);
        }
        shape.push_until(keys.len())?;
    }
    let (offsets, nulls) = shape.parts();
    if maps.is_empty() {
        let empty = |t: &DataType| new_empty_array(&t.to_arrow());
        return map_of(offsets, empty(key), empty(value), nulls, call.return_type);
    }
    let entries = (offsets, keys.finish()?, values.finish()?);
    let (offsets, keys, values) = unique_entries(entries, key, nulls.as_ref(), call.ctx)?;
    map_of(offsets, keys, values, nulls, call.return_type)
}
