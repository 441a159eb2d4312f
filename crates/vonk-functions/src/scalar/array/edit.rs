//! Arrays with elements added or left out: `array_append`, `array_prepend`, `array_insert`, `array_compact`,
//! `array_remove`, `slice`, `flatten`.

use super::access::int_at;
use super::keys::Keys;
use super::lists::{Lists, MAX_ELEMENTS, Picks, Shape, gather, list_of, too_many_elements};
use super::{array_arg, docs, element_mismatch, index_of_zero, ordered, resolved, strict_array_arg};
use crate::coerce::tightest;
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use vonk_error::{Error, Result};
use vonk_types::DataType;

const APPEND: Docs = docs(
    "array_append(array, element)",
    "The array with an element added at its end.",
    "3.4.0",
    &[
        ex("SELECT array_append(array('b', 'd', 'c', 'a'), 'd')", "[\"b\",\"d\",\"c\",\"a\",\"d\"]"),
        ex("SELECT array_append(array(1, 2), NULL)", "[1,2,null]"),
    ],
);
const PREPEND: Docs = docs(
    "array_prepend(array, element)",
    "The array with an element added before its first.",
    "3.5.0",
    &[ex("SELECT array_prepend(array(1, 2), 3)", "[3,1,2]")],
);
const INSERT: Docs = docs(
    "array_insert(array, pos, element)",
    "The array with an element at a position from 1, from the end if negative; nulls fill the space between.",
    "3.4.0",
    &[
        ex("SELECT array_insert(array(1, 2, 3, 4), 5, 5)", "[1,2,3,4,5]"),
        ex("SELECT array_insert(array(5, 4, 3, 2), -1, 1)", "[5,4,3,2,1]"),
        ex("SELECT array_insert(array(1, 2, 3), -6, 9)", "[9,null,null,1,2,3]"),
    ],
);
const COMPACT: Docs = docs(
    "array_compact(array)",
    "The array without its nulls.",
    "3.4.0",
    &[ex("SELECT array_compact(array(1, 2, 3, null))", "[1,2,3]")],
);
const REMOVE: Docs = docs(
    "array_remove(array, element)",
    "The array without the elements equal to `element`.",
    "2.4.0",
    &[ex("SELECT array_remove(array(1, 2, 3, null, 3), 3)", "[1,2,null]")],
);
const SLICE: Docs = docs(
    "slice(array, start, length)",
    "At most `length` elements from a position from 1, from the end if negative.",
    "2.4.0",
    &[
        ex("SELECT slice(array(1, 2, 3, 4), 2, 2)", "[2,3]"),
        ex("SELECT slice(array(1, 2, 3, 4), -2, 2)", "[3,4]"),
    ],
);
const FLATTEN: Docs = docs(
    "flatten(arrayOfArrays)",
    "The elements of all inner arrays in one; null if an inner array is null.",
    "2.4.0",
    &[
        ex("SELECT flatten(array(array(1, 2), array(3, 4)))", "[1,2,3,4]"),
        ex("SELECT flatten(array(array(1), null))", "NULL"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let (one, two, three) = (Arity::exactly(1), Arity::exactly(2), Arity::exactly(3));
    let sure = |f: ScalarFunction| ScalarFunction { can_fail: false, ..f };
    let lenient = |f: ScalarFunction| ScalarFunction { null_propagating: false, ..f };
    vec![
        lenient(sure(ScalarFunction::new("array_append", APPEND, two, resolve_append, |c| add(c, true)))),
        lenient(sure(ScalarFunction::new("array_prepend", PREPEND, two, resolve_append, |c| add(c, false)))),
        lenient(ScalarFunction::new("array_insert", INSERT, three, resolve_insert, insert)),
        sure(ScalarFunction::new("array_compact", COMPACT, one, resolve_compact, compact)),
        sure(ScalarFunction::new("array_remove", REMOVE, two, resolve_remove, remove)),
        ScalarFunction::new("slice", SLICE, three, resolve_slice, slice),
        sure(ScalarFunction::new("flatten", FLATTEN, one, resolve_flatten, flatten)),
    ]
}

/// Types of an array and of a value to be one of its elements.
fn array_and_element(site: &CallSite<'_>, value: usize) -> Result<(DataType, bool)> {
    let (_, element, null) = strict_array_arg(site, 0)?;
    match tightest(&element, site.arg_type(value), site.ctx.ansi) {
        Some(t) => Ok((t, null)),
        None => Err(element_mismatch(site, value)),
    }
}

fn resolve_append(site: &CallSite<'_>) -> Result<Resolution> {
    let (element, null) = array_and_element(site, 1)?;
    let array = DataType::array(element.clone(), null);
    let return_type = DataType::array(element.clone(), null || site.args[1].nullable);
    resolved(vec![array, element], return_type, site.args[0].nullable)
}

fn add(call: &KernelCall<'_>, at_end: bool) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let value = &call.args[1];
    let mut picks = Picks::of(value.values().data_type(), &[lists.elements(), value.values()]);
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        let Some(range) = lists.range(row) else {
            shape.push_null();
            continue;
        };
        if !at_end {
            picks.push(2, value.index(row));
        }
        picks.extend(1, range.clone());
        if at_end {
            picks.push(2, value.index(row));
        }
        shape.push(range.len() + 1)?;
    }
    shape.list(picks.finish()?, call.return_type)
}

fn resolve_insert(site: &CallSite<'_>) -> Result<Resolution> {
    let DataType::Array(e, null) = site.arg_type(0) else { return Err(element_mismatch(site, 2)) };
    let Some(element) = tightest(e, site.arg_type(2), site.ctx.ansi) else {
        return Err(element_mismatch(site, 2));
    };
    if !matches!(site.arg_type(1), DataType::Byte | DataType::Short | DataType::Int) {
        return Err(site.unexpected_type(1, "\"INT\""));
    }
    // A position beyond the ends makes nulls, so elements always can be null.
    let array = DataType::array(element.clone(), *null);
    let return_type = DataType::array(element.clone(), true);
    let nullable = site.args[0].nullable || site.args[1].nullable;
    resolved(vec![array, DataType::Int, element], return_type, nullable)
}

fn insert(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let value = &call.args[2];
    let mut picks = Picks::of(value.values().data_type(), &[lists.elements(), value.values()]);
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        let (Some(range), Some(pos)) = (lists.range(row), int_at(&call.args[1], row)) else {
            shape.push_null();
            continue;
        };
        let n = range.len();
        let distance = pos.unsigned_abs() as usize;
        if n.max(distance) as i64 >= MAX_ELEMENTS {
            return Err(too_many_elements("array_insert", n.max(distance)));
        }
        let item = (2, value.index(row));
        match pos {
            0 => return Err(index_of_zero()),
            1.. => {
                let before = (distance - 1).min(n);
                picks.extend(1, range.start..range.start + before);
                for _ in n..distance - 1 {
                    picks.push_null();
                }
                picks.push(item.0, item.1);
                picks.extend(1, range.start + before..range.end);
            }
            _ => {
                let after = (distance - 1).min(n);
                picks.extend(1, range.start..range.end - after);
                picks.push(item.0, item.1);
                for _ in n..distance - 1 {
                    picks.push_null();
                }
                picks.extend(1, range.end - after..range.end);
            }
        }
        shape.push_until(picks.len())?;
    }
    shape.list(picks.finish()?, call.return_type)
}

fn resolve_compact(site: &CallSite<'_>) -> Result<Resolution> {
    let (array, element, _) = array_arg(site, 0)?;
    resolved(vec![array], DataType::array(element, false), site.args[0].nullable)
}

fn compact(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let nulls = lists.elements().logical_nulls();
    keep(call, &lists, |i| nulls.as_ref().is_none_or(|n| n.is_valid(i)))
}

/// The arrays with the elements that are wanted.
fn keep(call: &KernelCall<'_>, lists: &Lists<'_>, wanted: impl Fn(usize) -> bool) -> Result<ArrayRef> {
    let mut picked: Vec<u32> = Vec::with_capacity(lists.elements().len());
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        match lists.range(row) {
            None => shape.push_null(),
            Some(range) => {
                picked.extend(range.filter(|i| wanted(*i)).map(|i| i as u32));
                shape.push_until(picked.len())?;
            }
        }
    }
    shape.list(gather(lists.elements(), picked)?, call.return_type)
}

fn resolve_remove(site: &CallSite<'_>) -> Result<Resolution> {
    let DataType::Array(..) = site.arg_type(0) else { return Err(element_mismatch(site, 1)) };
    let (element, null) = array_and_element(site, 1)?;
    ordered(site, &element)?;
    let array = DataType::array(element.clone(), null);
    resolved(vec![array.clone(), element], array, site.any_nullable())
}

fn remove(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let value = &call.args[1];
    let (keys, unwanted) = Keys::of_both(lists.elements(), value.values())?;
    let mut picked: Vec<u32> = Vec::new();
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        let at = value.index(row);
        match lists.range(row) {
            Some(range) if !unwanted.is_null(at) => {
                let keep = |i: &usize| keys.is_null(*i) || !keys.equal(*i, &unwanted, at);
                picked.extend(range.filter(keep).map(|i| i as u32));
                shape.push_until(picked.len())?;
            }
            _ => shape.push_null(),
        }
    }
    shape.list(gather(lists.elements(), picked)?, call.return_type)
}

fn resolve_slice(site: &CallSite<'_>) -> Result<Resolution> {
    let (array, ..) = array_arg(site, 0)?;
    let (start, length) = (site.implicit(1, &DataType::Int)?, site.implicit(2, &DataType::Int)?);
    resolved(vec![array.clone(), start, length], array, site.any_nullable())
}

fn slice(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let mut picked: Vec<u32> = Vec::new();
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        let (Some(range), Some(start), Some(length)) =
            (lists.range(row), int_at(&call.args[1], row), int_at(&call.args[2], row))
        else {
            shape.push_null();
            continue;
        };
        let n = range.len() as i64;
        let first = match i64::from(start) {
            0 => {
                return Err(Error::new("INVALID_PARAMETER_VALUE.START")
                    .with("parameter", "`start`")
                    .with("functionName", "`slice`"));
            }
            s if s < 0 => s + n,
            s => s - 1,
        };
        if length < 0 {
            return Err(Error::new("INVALID_PARAMETER_VALUE.LENGTH")
                .with("parameter", "`length`")
                .with("length", length.to_string())
                .with("functionName", "`slice`"));
        }
        if (0..n).contains(&first) {
            let from = range.start + first as usize;
            let to = (from + length as usize).min(range.end);
            picked.extend((from..to).map(|i| i as u32));
        }
        shape.push_until(picked.len())?;
    }
    shape.list(gather(lists.elements(), picked)?, call.return_type)
}

fn resolve_flatten(site: &CallSite<'_>) -> Result<Resolution> {
    match site.arg_type(0) {
        t @ DataType::Array(inner, null) if matches!(inner.as_ref(), DataType::Array(..)) => {
            let nullable = site.args[0].nullable || *null;
            resolved(vec![t.clone()], inner.as_ref().clone(), nullable)
        }
        _ => Err(site.unexpected_type(0, "\"ARRAY\" of \"ARRAY\"")),
    }
}

/// The elements stay where they are: only the outer offsets are looked up in the inner ones.
fn flatten(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let outer = call.args[0].values().as_list::<i32>();
    let inner = outer.values().as_list::<i32>();
    let offsets: Vec<i32> = outer.offsets().iter().map(|o| inner.offsets()[*o as usize]).collect();
    let whole = inner.nulls().filter(|n| n.null_count() > 0).map(|inner_nulls| {
        let whole = |row: usize| {
            let (from, to) = (outer.offsets()[row] as usize, outer.offsets()[row + 1] as usize);
            (from..to).all(|i| inner_nulls.is_valid(i))
        };
        NullBuffer::new(BooleanBuffer::collect_bool(outer.len(), whole))
    });
    let nulls = NullBuffer::union(outer.nulls(), whole.as_ref());
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    list_of(offsets, inner.values().clone(), nulls, call.return_type)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    fn arrays() -> Column {
        int_lists(&[Some(&[Some(1), None, Some(2)]), None, Some(&[]), Some(&[Some(2), Some(2)])])
    }

    #[test]
    fn adding() {
        let value = || int_column(&[Some(9), Some(9), None, Some(9)]);
        assert_eq!(
            run("array_append", &[arrays(), value()]).unwrap(),
            ["[1, null, 2, 9]", "null", "[null]", "[2, 2, 9]"]
        );
        assert_eq!(
            run("array_prepend", &[arrays(), value()]).unwrap(),
            ["[9, 1, null, 2]", "null", "[null]", "[9, 2, 2]"]
        );
    }

    // Asked of Spark.
    #[test]
    fn inserting() {
        let a = || int_lists(&[Some(&[Some(1), Some(2), Some(3)])]);
        let nine = || int_column(&[Some(9)]);
        for (pos, expected) in [
            (2, "[1, 9, 2, 3]"),
            (4, "[1, 2, 3, 9]"),
            (6, "[1, 2, 3, null, null, 9]"),
            (-1, "[1, 2, 3, 9]"),
            (-3, "[1, 9, 2, 3]"),
            (-4, "[9, 1, 2, 3]"),
            (-5, "[9, null, 1, 2, 3]"),
            (-6, "[9, null, null, 1, 2, 3]"),
        ] {
            assert_eq!(run("array_insert", &[a(), int_column(&[Some(pos)]), nine()]).unwrap(), [expected]);
        }
        let zero = run("array_insert", &[a(), int_column(&[Some(0)]), nine()]).unwrap_err();
        assert_eq!(zero.condition(), "INVALID_INDEX_OF_ZERO");
        let far = run("array_insert", &[a(), int_column(&[Some(i32::MIN)]), nine()]).unwrap_err();
        assert_eq!(far.condition(), "COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION");
    }

    #[test]
    fn leaving_out() {
        assert_eq!(run("array_compact", &[arrays()]).unwrap(), ["[1, 2]", "null", "[]", "[2, 2]"]);
        let two = int_column(&[Some(2), Some(2), Some(2), Some(2)]);
        assert_eq!(run("array_remove", &[arrays(), two]).unwrap(), ["[1, null]", "null", "[]", "[]"]);
        let null = int_column(&[None]);
        assert_eq!(run("array_remove", &[arrays(), null]).unwrap(), ["null"; 4]);
    }

    #[test]
    fn slices() {
        let at = |start, length| {
            run("slice", &[arrays(), int_column(&[Some(start)]), int_column(&[Some(length)])])
        };
        assert_eq!(at(2, 2).unwrap(), ["[null, 2]", "null", "[]", "[2]"]);
        assert_eq!(at(-2, 1).unwrap(), ["[null]", "null", "[]", "[2]"]);
        assert_eq!(at(-3, 9).unwrap(), ["[1, null, 2]", "null", "[]", "[]"]);
        assert_eq!(at(1, i32::MAX).unwrap(), ["[1, null, 2]", "null", "[]", "[2, 2]"]);
        assert_eq!(at(0, 1).unwrap_err().condition(), "INVALID_PARAMETER_VALUE.START");
        assert_eq!(at(1, -1).unwrap_err().condition(), "INVALID_PARAMETER_VALUE.LENGTH");
    }
}
