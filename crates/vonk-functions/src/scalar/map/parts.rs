//! Parts of maps: `map_keys`, `map_values`, `map_entries`, `map_contains_key`.

use super::{MapParts, docs, map_arg};
use crate::coerce::wider_without_strings;
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::array::lists::{Maps, list_of};
use crate::scalar::array::{find_keys, key_mismatch, null_type, ordered, resolved};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StructArray};
use arrow::datatypes::DataType as ArrowType;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::{DataType, StructField, StructType};

const KEYS: Docs = docs(
    "map_keys(map)",
    "The keys of a map as an array.",
    "2.0.0",
    &[ex("SELECT map_keys(map(1, 'a', 2, 'b'))", "[1,2]")],
);
const VALUES: Docs = docs(
    "map_values(map)",
    "The values of a map as an array.",
    "2.0.0",
    &[ex("SELECT map_values(map(1, 'a', 2, 'b'))", "[\"a\",\"b\"]")],
);
const ENTRIES: Docs = docs(
    "map_entries(map)",
    "The entries of a map as an array of structs.",
    "3.0.0",
    &[ex(
        "SELECT map_entries(map(1, 'a', 2, 'b'))",
        "[{\"key\":1,\"value\":\"a\"},{\"key\":2,\"value\":\"b\"}]",
    )],
);
const CONTAINS: Docs = docs(
    "map_contains_key(map, key)",
    "Whether the map has the key.",
    "3.3.0",
    &[
        ex("SELECT map_contains_key(map(1, 'a', 2, 'b'), 1)", "true"),
        ex("SELECT map_contains_key(map(1, 'a', 2, 'b'), 3)", "false"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let one = Arity::exactly(1);
    let rows = [
        ScalarFunction::new("map_keys", KEYS, one, resolve_keys, |c| column(c, |e| Ok(e.column(0).clone()))),
        ScalarFunction::new("map_values", VALUES, one, resolve_values, |c| {
            column(c, |e| Ok(e.column(1).clone()))
        }),
        ScalarFunction::new("map_entries", ENTRIES, one, resolve_entries, entries),
        ScalarFunction::new("map_contains_key", CONTAINS, Arity::exactly(2), resolve_contains, contains),
    ];
    rows.into_iter().map(|f| ScalarFunction { can_fail: false, ..f }).collect()
}

fn resolve_keys(site: &CallSite<'_>) -> Result<Resolution> {
    let MapParts { whole, key, .. } = map_arg(site, 0)?;
    resolved(vec![whole], DataType::array(key, false), site.args[0].nullable)
}

fn resolve_values(site: &CallSite<'_>) -> Result<Resolution> {
    let MapParts { whole, value, value_null, .. } = map_arg(site, 0)?;
    resolved(vec![whole], DataType::array(value, value_null), site.args[0].nullable)
}

fn resolve_entries(site: &CallSite<'_>) -> Result<Resolution> {
    let MapParts { whole, key, value, value_null } = map_arg(site, 0)?;
    let entry = StructType::new(vec![
        StructField::new("key", key, false),
        StructField::new("value", value, value_null),
    ]);
    resolved(vec![whole], DataType::array(DataType::Struct(entry), false), site.args[0].nullable)
}

/// A list column with the offsets of a map column.
fn column(call: &KernelCall<'_>, part: impl Fn(&StructArray) -> Result<ArrayRef>) -> Result<ArrayRef> {
    let map = call.args[0].values().as_map();
    list_of(map.offsets().clone(), part(map.entries())?, map.nulls().cloned(), call.return_type)
}

fn entries(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let DataType::Array(entry, _) = call.return_type else {
        return vonk_error::internal_err!("entries of type {}", call.return_type);
    };
    let ArrowType::Struct(fields) = entry.to_arrow() else {
        return vonk_error::internal_err!("entries of type {}", call.return_type);
    };
    column(call, |e| {
        let columns = e.columns().to_vec();
        Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, None, e.len())?))
    })
}

fn resolve_contains(site: &CallSite<'_>) -> Result<Resolution> {
    if site.arg_type(1) == &DataType::Null {
        return Err(null_type(site));
    }
    let DataType::Map(k, v, null) = site.arg_type(0) else { return Err(key_mismatch(site, 1)) };
    let Some(key) = wider_without_strings(k, site.arg_type(1), site.ctx.ansi) else {
        return Err(key_mismatch(site, 1));
    };
    ordered(site, &key)?;
    let map = DataType::map(key.clone(), v.as_ref().clone(), *null);
    resolved(vec![map, key], DataType::Boolean, site.any_nullable())
}

fn contains(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let maps = Maps::of(&call.args[0]);
    let found = find_keys(&maps, &call.args[1], call.rows)?;
    let answer = |(row, found): (usize, Option<u32>)| -> Option<bool> {
        maps.range(row)?;
        let key = &call.args[1];
        key.values().is_valid(key.index(row)).then_some(found.is_some())
    };
    Ok(Arc::new(found.into_iter().enumerate().map(answer).collect::<BooleanArray>()))
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;
    use arrow::array::{ArrayRef, Int32Builder, MapBuilder, MapFieldNames};
    use arrow::datatypes::{DataType as ArrowType, Field};
    use std::sync::Arc;
    use vonk_types::DataType;

    fn maps() -> Column {
        let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
        let mut b = MapBuilder::new(Some(names), Int32Builder::new(), Int32Builder::new())
            .with_keys_field(Field::new("key", ArrowType::Int32, false));
        for row in [Some(vec![(1, Some(10)), (2, None)]), None, Some(vec![]), Some(vec![(3, Some(30))])] {
            for (k, v) in row.iter().flatten() {
                b.keys().append_value(*k);
                b.values().append_option(*v);
            }
            b.append(row.is_some()).unwrap();
        }
        (Arc::new(b.finish()) as ArrayRef, DataType::map(DataType::Int, DataType::Int, true))
    }

    #[test]
    fn parts() {
        assert_eq!(run("map_keys", &[maps()]).unwrap(), ["[1, 2]", "null", "[]", "[3]"]);
        assert_eq!(run("map_values", &[maps()]).unwrap(), ["[10, null]", "null", "[]", "[30]"]);
        assert_eq!(run("map_entries", &[maps()]).unwrap()[0], "[{key: 1, value: 10}, {key: 2, value: null}]");
        assert_eq!(run("size", &[maps()]).unwrap(), ["2", "null", "0", "1"]);
        let key = || int_column(&[Some(2), Some(2), Some(2), None]);
        assert_eq!(run("map_contains_key", &[maps(), key()]).unwrap(), ["true", "null", "false", "null"]);
        assert_eq!(run("element_at", &[maps(), key()]).unwrap(), ["null"; 4]);
        assert_eq!(
            run("_element", &[maps(), int_column(&[Some(1)])]).unwrap(),
            ["10", "null", "null", "null"]
        );
        let e = run("map_concat", &[maps(), maps()]).unwrap_err();
        assert_eq!(e.condition(), "DUPLICATED_MAP_KEY");
    }
}
