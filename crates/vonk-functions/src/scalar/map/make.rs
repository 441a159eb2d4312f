//! Maps made of keys and values: `map`, `map_from_arrays`, `map_from_entries`.

use super::{docs, key_type, unique_entries};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::normalize::normalize_floats;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::array::lists::{Flat, Lists, Picks, Shape, map_of};
use crate::scalar::array::{array_arg, resolved};
use arrow::array::{Array, ArrayRef, AsArray, new_empty_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use vonk_error::{Error, Result};
use vonk_types::DataType;

const MAP: Docs = docs(
    "map(key0, value0, key1, value1, ...)",
    "A map of these keys and values.",
    "2.0.0",
    &[ex("SELECT map(1.0, '2', 3.0, '4')", "{1.0:\"2\",3.0:\"4\"}")],
);
const FROM_ARRAYS: Docs = docs(
    "map_from_arrays(keys, values)",
    "A map of an array of keys and one of values.",
    "2.4.0",
    &[ex("SELECT map_from_arrays(array(1.0, 3.0), array('2', '4'))", "{1.0:\"2\",3.0:\"4\"}")],
);
const FROM_ENTRIES: Docs = docs(
    "map_from_entries(arrayOfEntries)",
    "A map of an array of pairs; null if a pair is null.",
    "2.4.0",
    &[ex("SELECT map_from_entries(array(struct(1, 'a'), struct(2, 'b')))", "{1:\"a\",2:\"b\"}")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            null_propagating: false,
            ..ScalarFunction::new("map", MAP, Arity::at_least(0), resolve_map, map)
        },
        ScalarFunction::new("map_from_arrays", FROM_ARRAYS, Arity::exactly(2), resolve_arrays, from_arrays),
        ScalarFunction::new(
            "map_from_entries",
            FROM_ENTRIES,
            Arity::exactly(1),
            resolve_entries,
            from_entries,
        ),
    ]
}

fn resolve_map(site: &CallSite<'_>) -> Result<Resolution> {
    if site.args.len() % 2 == 1 {
        return Err(Error::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
            .with("functionName", "`map`")
            .with("expectedNum", "2n (n > 0)")
            .with("actualNum", site.args.len().to_string())
            .with("docroot", "https://spark.apache.org/docs/latest")
            .at(site.span));
    }
    let common = |first: usize, condition| {
        site.common_type(first, 2).ok_or_else(|| {
            let types: Vec<String> = site
                .args
                .iter()
                .skip(first)
                .step_by(2)
                .map(|a| format!("\"{}\"", a.data_type.sql()))
                .collect();
            Error::new(condition)
                .with("functionName", "`map`")
                .with("dataType", format!("[{}]", types.join(", ")))
                .at(site.span)
        })
    };
    let key = common(0, "DATATYPE_MISMATCH.CREATE_MAP_KEY_DIFF_TYPES")?;
    let value = common(1, "DATATYPE_MISMATCH.CREATE_MAP_VALUE_DIFF_TYPES")?;
    key_type(site, &key)?;
    let value_null = site.args.iter().skip(1).step_by(2).any(|a| a.nullable);
    let types = (0..site.args.len()).map(|i| if i % 2 == 0 { key.clone() } else { value.clone() }).collect();
    resolved(types, DataType::map(key, value, value_null), false)
}

fn map(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let pairs = call.args.len() / 2;
    let mut shape = Shape::new(call.rows);
    for _ in 0..call.rows {
        shape.push(pairs)?;
    }
    let (offsets, nulls) = shape.parts();
    let column = |first: usize| -> Result<ArrayRef> {
        let args: Vec<_> = call.args.iter().skip(first).step_by(2).collect();
        let Some(any) = args.first() else {
            return Ok(new_empty_array(&arrow::datatypes::DataType::Null));
        };
        let columns: Vec<&ArrayRef> = args.iter().map(|a| a.values()).collect();
        let mut picks = Picks::of(any.values().data_type(), &columns);
        for row in 0..call.rows {
            for (i, arg) in args.iter().enumerate() {
                picks.push(i + 1, arg.index(row));
            }
        }
        picks.finish()
    };
    finish(call, offsets, normalize_floats(&column(0)?)?, column(1)?, nulls)
}

/// The map column, its keys checked.
fn finish(
    call: &KernelCall<'_>,
    offsets: OffsetBuffer<i32>,
    keys: ArrayRef,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let DataType::Map(key, ..) = call.return_type else {
        return vonk_error::internal_err!("a map of type {}", call.return_type);
    };
    let (offsets, keys, values) = unique_entries((offsets, keys, values), key, nulls.as_ref(), call.ctx)?;
    map_of(offsets, keys, values, nulls, call.return_type)
}

fn resolve_arrays(site: &CallSite<'_>) -> Result<Resolution> {
    let ((keys, key, _), (values, value, null)) = (array_arg(site, 0)?, array_arg(site, 1)?);
    key_type(site, &key)?;
    resolved(vec![keys, values], DataType::map(key, value, null), site.any_nullable())
}

fn from_arrays(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (a, b) = (Lists::of(&call.args[0]), Lists::of(&call.args[1]));
    for row in 0..call.rows {
        if let (Some(x), Some(y)) = (a.range(row), b.range(row))
            && x.len() != y.len()
        {
            return Err(Error::new("_LEGACY_ERROR_TEMP_2128"));
        }
    }
    let both = |row: usize| a.range(row).zip(b.range(row));
    let keys = Flat::new(call.rows, a.elements().len(), |row| both(row).map(|(x, _)| x))?;
    let values = Flat::new(call.rows, b.elements().len(), |row| both(row).map(|(_, y)| y))?;
    let (k, v) = (keys.elements(a.elements())?, values.elements(b.elements())?);
    finish(call, keys.offsets, k, v, keys.nulls)
}

fn resolve_entries(site: &CallSite<'_>) -> Result<Resolution> {
    let pair = match site.arg_type(0) {
        DataType::Array(e, null) => match e.as_ref() {
            DataType::Struct(s) if s.fields.len() == 2 => Some((s, *null)),
            _ => None,
        },
        _ => None,
    };
    let Some((s, null)) = pair else {
        return Err(site.unexpected_type(0, "\"ARRAY\" of pair \"STRUCT\""));
    };
    let (key, value) = (&s.fields[0].data_type, &s.fields[1]);
    key_type(site, key)?;
    let return_type = DataType::map(key.clone(), value.data_type.clone(), value.nullable);
    resolved(vec![site.arg_type(0).clone()], return_type, site.args[0].nullable || null)
}

fn from_entries(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let entries = lists.elements().as_struct();
    // A null entry makes its row null.
    let whole = |row: usize| {
        lists.range(row).filter(|r| entries.nulls().is_none_or(|n| r.clone().all(|i| n.is_valid(i))))
    };
    let flat = Flat::new(call.rows, entries.len(), whole)?;
    let (keys, values) = (flat.elements(entries.column(0))?, flat.elements(entries.column(1))?);
    finish(call, flat.offsets, normalize_floats(&keys)?, values, flat.nulls)
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;

    #[test]
    fn keys_are_checked() {
        let keys = || int_column(&[Some(1), Some(2)]);
        let values = || int_column(&[Some(10), None]);
        let more = || int_column(&[Some(7)]);
        assert_eq!(
            run("map", &[keys(), values(), more(), values()]).unwrap(),
            ["{1: 10, 7: 10}", "{2: null, 7: null}"]
        );
        let e = run("map", &[keys(), values(), int_column(&[Some(2)]), values()]).unwrap_err();
        assert_eq!((e.condition(), e.params().next()), ("DUPLICATED_MAP_KEY", Some(("key", "2"))));
        let e = run("map", &[int_column(&[None, Some(1)]), values()]).unwrap_err();
        assert_eq!(e.condition(), "NULL_MAP_KEY");
        let a = int_lists(&[Some(&[Some(1), Some(2)]), None, Some(&[])]);
        let b = int_lists(&[Some(&[None, Some(9)]), Some(&[Some(1)]), Some(&[])]);
        assert_eq!(run("map_from_arrays", &[a.clone(), b]).unwrap(), ["{1: null, 2: 9}", "null", "{}"]);
        let short = int_lists(&[Some(&[None])]);
        assert_eq!(run("map_from_arrays", &[a, short]).unwrap_err().condition(), "_LEGACY_ERROR_TEMP_2128");
    }
}
