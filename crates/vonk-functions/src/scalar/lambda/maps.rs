//! `map_filter`, `transform_keys`, `transform_values`, `map_zip_with`.

use super::{Params, check_arity, docs, lambda_types, predicate};
use crate::coerce::tightest;
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::array::keys::{Keys, Seen};
use crate::scalar::array::lists::{Flat, Maps, Picks, Shape, gather, map_of};
use crate::scalar::array::resolved;
use crate::scalar::map::{MapParts, check_keys, key_type, strict_map_arg};
use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use vonk_error::{Error, Result};
use vonk_types::DataType;

const FILTER: Docs = docs(
    "map_filter(map, func)",
    "The entries for whose key and value the function is true.",
    "3.0.0",
    &[ex("SELECT map_filter(map(1, 0, 2, 2, 3, -1), (k, v) -> k > v)", "{1:0,3:-1}")],
);
const KEYS: Docs = docs(
    "transform_keys(map, func)",
    "The map with the keys that the function makes of keys and values.",
    "3.0.0",
    &[ex(
        "SELECT transform_keys(map_from_arrays(array(1, 2, 3), array(1, 2, 3)), (k, v) -> k + v)",
        "{2:1,4:2,6:3}",
    )],
);
const VALUES: Docs = docs(
    "transform_values(map, func)",
    "The map with the values that the function makes of keys and values.",
    "3.0.0",
    &[ex(
        "SELECT transform_values(map_from_arrays(array(1, 2, 3), array(1, 2, 3)), (k, v) -> v + 1)",
        "{1:2,2:3,3:4}",
    )],
);
const ZIP: Docs = docs(
    "map_zip_with(map1, map2, func)",
    "The keys of both maps with what the function makes of key and values; null is the value of a key that a map has not.",
    "3.0.0",
    &[
        ex(
            "SELECT map_zip_with(map(1, 'a', 2, 'b'), map(1, 'x', 2, 'y'), (k, v1, v2) -> concat(v1, v2))",
            "{1:\"ax\",2:\"by\"}",
        ),
        ex(
            "SELECT map_zip_with(map('a', 1, 'b', 2), map('b', 3, 'c', 4), (k, v1, v2) -> coalesce(v1, 0) + coalesce(v2, 0))",
            "{\"a\":1,\"b\":5,\"c\":4}",
        ),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let two = Arity::exactly(2);
    let entries = |f: ScalarFunction| ScalarFunction { lambda_params: Some(entry_params), ..f };
    vec![
        entries(ScalarFunction::new("map_filter", FILTER, two, resolve_filter, filter)),
        entries(ScalarFunction::new("transform_keys", KEYS, two, resolve_keys, transform_keys)),
        entries(ScalarFunction::new("transform_values", VALUES, two, resolve_values, transform_values)),
        ScalarFunction {
            lambda_params: Some(zip_params),
            ..ScalarFunction::new("map_zip_with", ZIP, Arity::exactly(3), resolve_zip, zip)
        },
    ]
}

fn entry_params(site: &CallSite<'_>) -> Result<Params> {
    let MapParts { key, value, value_null, .. } = strict_map_arg(site, 0)?;
    check_arity(site, 1, &[2])?;
    Ok(vec![vec![(key, false), (value, value_null)]])
}

/// Entries of all rows, and what the lambda makes of them.
struct Entries {
    flat: Flat,
    keys: ArrayRef,
    values: ArrayRef,
    made: ArrayRef,
}

fn entries(call: &KernelCall<'_>) -> Result<Entries> {
    let maps = Maps::of(&call.args[0]);
    let flat = Flat::new(call.rows, maps.keys.len(), |row| maps.range(row))?;
    let (keys, values) = (flat.elements(maps.keys)?, flat.elements(maps.values)?);
    let made = call.lambdas[0].call(&[keys.clone(), values.clone()], &flat.rows)?;
    Ok(Entries { flat, keys, values, made })
}

fn resolve_filter(site: &CallSite<'_>) -> Result<Resolution> {
    let map = strict_map_arg(site, 0)?.whole;
    predicate(site)?;
    resolved(lambda_types(site, vec![map.clone()]), map, site.args[0].nullable)
}

fn filter(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let e = entries(call)?;
    let keep = e.made.as_boolean_opt();
    let mut picked: Vec<u32> = Vec::new();
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        match e.flat.range(row) {
            None => shape.push_null(),
            Some(range) => {
                let kept = |i: &usize| keep.is_some_and(|k| k.is_valid(*i) && k.value(*i));
                picked.extend(range.filter(kept).map(|i| i as u32));
                shape.push_until(picked.len())?;
            }
        }
    }
    shape.map(gather(&e.keys, picked.clone())?, gather(&e.values, picked)?, call.return_type)
}

fn resolve_keys(site: &CallSite<'_>) -> Result<Resolution> {
    let MapParts { whole, value, value_null, .. } = strict_map_arg(site, 0)?;
    let key = site.arg_type(1).clone();
    key_type(site, &key)?;
    let return_type = DataType::map(key, value, value_null);
    resolved(lambda_types(site, vec![whole]), return_type, site.args[0].nullable)
}

fn transform_keys(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let e = entries(call)?;
    let DataType::Map(key, ..) = call.return_type else {
        return vonk_error::internal_err!("a map of type {}", call.return_type);
    };
    check_keys(&e.made, key, &e.flat.offsets, e.flat.nulls.as_ref(), call.ctx)?;
    map_of(e.flat.offsets, e.made, e.values, e.flat.nulls, call.return_type)
}

fn resolve_values(site: &CallSite<'_>) -> Result<Resolution> {
    let MapParts { whole, key, .. } = strict_map_arg(site, 0)?;
    let body = &site.args[1];
    let return_type = DataType::map(key, body.data_type.clone(), body.nullable);
    resolved(lambda_types(site, vec![whole]), return_type, site.args[0].nullable)
}

fn transform_values(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let e = entries(call)?;
    map_of(e.flat.offsets, e.keys, e.made, e.flat.nulls, call.return_type)
}

/// The types of both maps, with the key type they have in common.
fn two_maps(site: &CallSite<'_>) -> Result<(MapParts, MapParts, DataType)> {
    let (left, right) = (strict_map_arg(site, 0)?, strict_map_arg(site, 1)?);
    let Some(key) = tightest(&left.key, &right.key, site.ctx.ansi) else {
        return Err(Error::new("DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES")
            .with("functionName", format!("`{}`", site.called_as))
            .with("leftType", format!("\"{}\"", left.key.sql()))
            .with("rightType", format!("\"{}\"", right.key.sql()))
            .at(site.span));
    };
    Ok((left, right, key))
}

fn zip_params(site: &CallSite<'_>) -> Result<Params> {
    let (left, right, key) = two_maps(site)?;
    check_arity(site, 2, &[3])?;
    Ok(vec![vec![(key, false), (left.value, true), (right.value, true)]])
}

fn resolve_zip(site: &CallSite<'_>) -> Result<Resolution> {
    let (left, right, key) = two_maps(site)?;
    let with_key = |m: MapParts| DataType::map(key.clone(), m.value, m.value_null);
    let body = &site.args[2];
    let return_type = DataType::map(key.clone(), body.data_type.clone(), body.nullable);
    let nullable = site.args[0].nullable || site.args[1].nullable;
    resolved(lambda_types(site, vec![with_key(left), with_key(right)]), return_type, nullable)
}

fn zip(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (a, b) = (Maps::of(&call.args[0]), Maps::of(&call.args[1]));
    let (left, right) = Keys::of_both(a.keys, b.keys)?;
    let mut keys = Picks::of(a.keys.data_type(), &[a.keys, b.keys]);
    let mut first = Picks::of(a.values.data_type(), &[a.values]);
    let mut second = Picks::of(b.values.data_type(), &[b.values]);
    let mut owners: Vec<u32> = Vec::new();
    let mut shape = Shape::new(call.rows);
    let mut seen = Seen::new(&left, &right);
    for row in 0..call.rows {
        let (Some(x), Some(y)) = (a.range(row), b.range(row)) else {
            shape.push_null();
            continue;
        };
        seen.clear();
        for i in x {
            seen.insert(0, i);
            keys.push(1, i);
            first.push(1, i);
            match y.clone().find(|j| left.equal(i, &right, *j)) {
                Some(j) => second.push(1, j),
                None => second.push_null(),
            }
        }
        for j in y {
            if seen.insert(1, j) {
                keys.push(2, j);
                first.push_null();
                second.push(1, j);
            }
        }
        owners.resize(keys.len(), row as u32);
        shape.push_until(keys.len())?;
    }
    let (keys, owners) = (keys.finish()?, UInt32Array::from(owners));
    let made = call.lambdas[0].call(&[keys.clone(), first.finish()?, second.finish()?], &owners)?;
    shape.map(keys, made, call.return_type)
}
