//! Elements by position or key: `a[i]`, `m[k]`, `element_at`, `get`, fields of arrays of structs.

use super::keys::Keys;
use super::lists::{Lists, Maps, list_of};
use super::{docs, index_of_zero, resolved};
use crate::coerce::{implicit, tightest};
use crate::describe::{Docs, ex};
use crate::kernel::{Datum, KernelCall};
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{Array, ArrayRef, AsArray, Int32Array, UInt32Array};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType as ArrowType, Int64Type};
use vonk_error::{Error, Result};
use vonk_types::{DataType, Literal, ScalarValue};

const SUBSCRIPT: Docs = docs(
    "expr[index]",
    "The element of an array at an index from 0, or the value of a map at a key.",
    "1.0.0",
    &[
        ex("SELECT array(1, 2, 3)[1]", "2"),
        ex("SELECT map('a', 1)['b']", "NULL"),
        ex("SELECT map(array(1), 2)[array(1)]", "2"),
    ],
);
const ELEMENT_AT: Docs = docs(
    "element_at(array, index)",
    "The element of an array at an index from 1, from the end if negative, or the value of a map at a key.",
    "2.4.0",
    &[
        ex("SELECT element_at(array(1, 2, 3), 2)", "2"),
        ex("SELECT element_at(array(1, 2, 3), -1)", "3"),
        ex("SELECT element_at(map(1, 'a', 2, 'b'), 2)", "b"),
    ],
);
const TRY_ELEMENT_AT: Docs = docs(
    "try_element_at(array, index)",
    "As element_at, null for an index beyond the array.",
    "3.5.0",
    &[
        ex("SELECT try_element_at(array(1, 2, 3), 5)", "NULL"),
        ex("SELECT try_element_at(map(1, 'a', 2, 'b'), 2)", "b"),
    ],
);
const GET: Docs = docs(
    "get(array, index)",
    "The element of an array at an index from 0, null for an index beyond the array.",
    "3.4.0",
    &[ex("SELECT get(array(1, 2, 3), 0), get(array(1, 2, 3), 3), get(array(1), -1)", "1\tNULL\tNULL")],
);
const FIELDS: Docs = docs(
    "expr.name",
    "The array of a field of the structs of an array.",
    "1.0.0",
    &[ex("SELECT array(named_struct('a', 1), null).a", "[1,null]")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let two = Arity::exactly(2);
    vec![
        ScalarFunction {
            display: Display::Custom(|_, args| {
                format!(
                    "{}[{}]",
                    args.first().map_or("", String::as_str),
                    args.get(1).map_or("", String::as_str)
                )
            }),
            ..ScalarFunction::new("_element", SUBSCRIPT, two, resolve_subscript, subscript)
        },
        ScalarFunction::new("element_at", ELEMENT_AT, two, resolve_element_at, element_at),
        ScalarFunction::new("try_element_at", TRY_ELEMENT_AT, two, resolve_element_at, try_element_at),
        ScalarFunction { can_fail: false, ..ScalarFunction::new("get", GET, two, resolve_get, get) },
        ScalarFunction {
            can_fail: false,
            display: Display::Custom(|_, args| {
                format!(
                    "{}.{}",
                    args.first().map_or("", String::as_str),
                    args.get(1).map_or("", String::as_str)
                )
            }),
            ..ScalarFunction::new(
                "_array_struct_fields",
                FIELDS,
                Arity::between(2, 3),
                resolve_fields,
                fields,
            )
        },
    ]
}

fn resolve_subscript(site: &CallSite<'_>) -> Result<Resolution> {
    let (base, index) = (site.arg_type(0), site.arg_type(1));
    match base {
        DataType::Array(e, _) => {
            let index = match index {
                t if t.is_integral() => t.clone(),
                DataType::Null => DataType::Int,
                _ => return Err(site.unexpected_type(1, "\"INTEGRAL\"")),
            };
            resolved(vec![base.clone(), index], e.as_ref().clone(), true)
        }
        DataType::Map(k, v, _) => {
            if !implicit(index, k) {
                return Err(site.unexpected_type(1, &format!("\"{}\"", k.sql())));
            }
            resolved(vec![base.clone(), k.as_ref().clone()], v.as_ref().clone(), true)
        }
        _ => Err(Error::new("INVALID_EXTRACT_BASE_FIELD_TYPE")
            .with("base", format!("\"{}\"", site.args[0].sql))
            .with("other", format!("\"{}\"", base.sql()))
            .at(site.span)),
    }
}

fn resolve_element_at(site: &CallSite<'_>) -> Result<Resolution> {
    let (base, index) = (site.arg_type(0), site.arg_type(1));
    match base {
        DataType::Array(e, _) => {
            if !matches!(index, DataType::Byte | DataType::Short | DataType::Int) {
                return Err(site.unexpected_type(1, "\"INT\""));
            }
            resolved(vec![base.clone(), DataType::Int], e.as_ref().clone(), true)
        }
        DataType::Map(k, v, null) => {
            let Some(key) = tightest(k, index, site.ctx.ansi) else { return Err(key_mismatch(site, 1)) };
            let map = DataType::map(key.clone(), v.as_ref().clone(), *null);
            resolved(vec![map, key], v.as_ref().clone(), true)
        }
        _ => Err(site.unexpected_type(0, "(\"ARRAY\" or \"MAP\")")),
    }
}

/// Spark's error for a map and a value of another type than its keys.
pub(crate) fn key_mismatch(site: &CallSite<'_>, key: usize) -> Error {
    Error::new("DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES")
        .with("functionName", format!("`{}`", site.called_as))
        .with("dataType", "\"MAP\"")
        .with("leftType", format!("\"{}\"", site.arg_type(0).sql()))
        .with("rightType", format!("\"{}\"", site.arg_type(key).sql()))
        .at(site.span)
}

fn resolve_get(site: &CallSite<'_>) -> Result<Resolution> {
    let (array, element, _) = super::strict_array_arg(site, 0)?;
    let index = site.implicit(1, &DataType::Int)?;
    resolved(vec![array, index], element, true)
}

/// What an index beyond the array means.
#[derive(Clone, Copy, PartialEq)]
enum Beyond {
    Null,
    Error(&'static str),
}

fn subscript(call: &KernelCall<'_>) -> Result<ArrayRef> {
    match call.arg_types[0] {
        DataType::Map(..) => map_value(call),
        _ => {
            let beyond = if call.ctx.ansi { Beyond::Error("INVALID_ARRAY_INDEX") } else { Beyond::Null };
            array_element(call, beyond, false)
        }
    }
}

fn get(call: &KernelCall<'_>) -> Result<ArrayRef> {
    array_element(call, Beyond::Null, false)
}

fn element_at(call: &KernelCall<'_>) -> Result<ArrayRef> {
    match call.arg_types[0] {
        DataType::Map(..) => map_value(call),
        _ => {
            let condition = "INVALID_ARRAY_INDEX_IN_ELEMENT_AT";
            let beyond = if call.ctx.ansi { Beyond::Error(condition) } else { Beyond::Null };
            array_element(call, beyond, true)
        }
    }
}

fn try_element_at(call: &KernelCall<'_>) -> Result<ArrayRef> {
    match call.arg_types[0] {
        DataType::Map(..) => map_value(call),
        _ => array_element(call, Beyond::Null, true),
    }
}

/// Picks one element of each row; `from_one` counts from 1, and from the end if negative.
fn array_element(call: &KernelCall<'_>, beyond: Beyond, from_one: bool) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let indices = cast(call.args[1].values(), &ArrowType::Int64)?;
    let indices = indices.as_primitive::<Int64Type>();
    let mut picked: Vec<Option<u32>> = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let at = call.args[1].index(row);
        let (Some(range), true) = (lists.range(row), indices.is_valid(at)) else {
            picked.push(None);
            continue;
        };
        let (index, n) = (indices.value(at), range.len() as i64);
        let position = match (from_one, index) {
            (false, i) => i,
            (true, 0) => return Err(index_of_zero()),
            (true, i) if i < 0 => i + n,
            (true, i) => i - 1,
        };
        if (0..n).contains(&position) {
            picked.push(Some((range.start as i64 + position) as u32));
        } else if let Beyond::Error(condition) = beyond {
            return Err(Error::new(condition)
                .with("indexValue", index.to_string())
                .with("arraySize", n.to_string()));
        } else {
            picked.push(None);
        }
    }
    Ok(take(lists.elements(), &UInt32Array::from(picked), None)?)
}

/// The value at a key of each row's map.
fn map_value(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let maps = Maps::of(&call.args[0]);
    let found = find_keys(&maps, &call.args[1], call.rows)?;
    Ok(take(maps.values, &UInt32Array::from(found), None)?)
}

/// For each row the position of the entry with the key, if there is one.
pub(crate) fn find_keys(maps: &Maps<'_>, wanted: &Datum, rows: usize) -> Result<Vec<Option<u32>>> {
    let (keys, wanted_keys) = Keys::of_both(maps.keys, wanted.values())?;
    Ok((0..rows)
        .map(|row| {
            let at = wanted.index(row);
            if wanted_keys.is_null(at) {
                return None;
            }
            // The last of equal keys: there are none in maps that we have made, but files may hold them.
            maps.range(row)?.rev().find(|i| keys.equal(*i, &wanted_keys, at)).map(|i| i as u32)
        })
        .collect())
}

/// The field that the literals at 1 (name) and 2 (position) mean.
fn field_ordinal(
    base: &DataType,
    name: Option<&ScalarValue>,
    ordinal: Option<&ScalarValue>,
) -> Option<usize> {
    let DataType::Array(e, _) = base else { return None };
    let DataType::Struct(s) = e.as_ref() else { return None };
    if let Some(ScalarValue::Int32(Some(i))) = ordinal {
        return usize::try_from(*i).ok().filter(|i| *i < s.fields.len());
    }
    match name {
        Some(ScalarValue::Utf8View(Some(name))) => s
            .fields
            .iter()
            .position(|f| f.name.as_ref() == name)
            .or_else(|| s.fields.iter().position(|f| f.name.eq_ignore_ascii_case(name))),
        _ => None,
    }
}

fn resolve_fields(site: &CallSite<'_>) -> Result<Resolution> {
    let value = |i: usize| site.args.get(i).and_then(|a| a.literal.as_ref()).map(|l: &Literal| &l.value);
    let base = site.arg_type(0);
    let (DataType::Array(element, null), Some(ordinal)) = (base, field_ordinal(base, value(1), value(2)))
    else {
        return vonk_error::internal_err!("no such field of {base}");
    };
    let DataType::Struct(s) = element.as_ref() else {
        return vonk_error::internal_err!("fields of {base}");
    };
    let field = &s.fields[ordinal];
    let return_type = DataType::array(field.data_type.clone(), *null || field.nullable);
    let arg_types = site.args.iter().map(|a| a.data_type.clone()).collect();
    resolved(arg_types, return_type, site.args[0].nullable)
}

fn fields(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let value = |i: usize| -> Result<Option<ScalarValue>> {
        call.args
            .get(i)
            .map(|d| Ok(Literal::from_array(d.values(), 0, call.arg_types[i].clone())?.value))
            .transpose()
    };
    let (name, ordinal) = (value(1)?, value(2)?);
    let Some(ordinal) = field_ordinal(&call.arg_types[0], name.as_ref(), ordinal.as_ref()) else {
        return vonk_error::internal_err!("no such field of {}", call.arg_types[0]);
    };
    let list = call.args[0].to_array(call.rows)?;
    let list = list.as_list::<i32>();
    let structs = list.values().as_struct();
    let column = with_nulls(structs.column(ordinal), structs.nulls())?;
    list_of(list.offsets().clone(), column, list.nulls().cloned(), call.return_type)
}

/// The column, null also where `nulls` says so.
pub(crate) fn with_nulls(column: &ArrayRef, nulls: Option<&NullBuffer>) -> Result<ArrayRef> {
    let Some(nulls) = nulls.filter(|n| n.null_count() > 0) else { return Ok(column.clone()) };
    if column.data_type() == &ArrowType::Null {
        return Ok(column.clone());
    }
    let nulls = NullBuffer::union(Some(nulls), column.nulls());
    Ok(arrow::array::make_array(column.to_data().into_builder().nulls(nulls).build()?))
}

/// An int argument; its value in a row, if it is not null.
pub(crate) fn int_at(datum: &Datum, row: usize) -> Option<i32> {
    let values: &Int32Array = datum.values().as_primitive();
    let i = datum.index(row);
    values.is_valid(i).then(|| values.value(i))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    #[test]
    fn elements() {
        let a = ints(&[Some(&[Some(1), Some(2)]), None, Some(&[]), Some(&[None])]);
        let array = || (a.clone(), array_of_int());
        let i = || int_column(&[Some(2), Some(1), None, Some(1)]);
        assert_eq!(run("element_at", &[array(), i()]).unwrap(), ["2", "null", "null", "null"]);
        let e = run("element_at", &[array(), int_column(&[Some(3), None, None, None])]).unwrap_err();
        assert_eq!(e.condition(), "INVALID_ARRAY_INDEX_IN_ELEMENT_AT");
        assert_eq!(
            run("try_element_at", &[array(), int_column(&[Some(-2), None, Some(1), Some(-3)])]).unwrap(),
            ["1", "null", "null", "null"]
        );
        let e = run("_element", &[array(), int_column(&[Some(-1), None, None, None])]).unwrap_err();
        assert_eq!(e.condition(), "INVALID_ARRAY_INDEX");
        assert_eq!(
            run("get", &[array(), int_column(&[Some(-1), Some(0), Some(0), Some(0)])]).unwrap(),
            ["null", "null", "null", "null"]
        );
    }
}
