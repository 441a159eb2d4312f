//! Arrays as sets (sets hold no -0.0, as everywhere in Spark where values are hashed): `array_contains`, `array_position`, `array_distinct`, `array_union`, `array_intersect`, `array_except`,
//! `arrays_overlap`.

use super::keys::{Keys, Seen};
use super::lists::{Lists, Picks, Shape, gather};
use super::{array_arg, docs, element_mismatch, null_type, ordered, resolved, strict_array_arg};
use crate::coerce::{tightest, wider_without_strings};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::normalize::normalize_floats;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{ArrayRef, BooleanArray, Int64Array};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::DataType;

const CONTAINS: Docs = docs(
    "array_contains(array, value)",
    "Whether the array has an element equal to the value; null if it has not but has a null.",
    "1.5.0",
    &[
        ex("SELECT array_contains(array(1, 2, 3), 2)", "true"),
        ex("SELECT array_contains(array(1, NULL), 2)", "NULL"),
    ],
);
const POSITION: Docs = docs(
    "array_position(array, element)",
    "The position from 1 of the first element equal to this one, 0 if there is none.",
    "2.4.0",
    &[
        ex("SELECT array_position(array(312, 773, 708, 708), 708)", "3"),
        ex("SELECT array_position(array(312, 773, 708, 708), 414)", "0"),
    ],
);
const DISTINCT: Docs = docs(
    "array_distinct(array)",
    "The array with each value once.",
    "2.4.0",
    &[ex("SELECT array_distinct(array(1, 2, 3, null, 3, null))", "[1,2,3,null]")],
);
const UNION: Docs = docs(
    "array_union(array1, array2)",
    "The elements of both arrays, each value once.",
    "2.4.0",
    &[ex("SELECT array_union(array(1, 2, 3), array(1, 3, 5))", "[1,2,3,5]")],
);
const INTERSECT: Docs = docs(
    "array_intersect(array1, array2)",
    "The elements that are in both arrays, each value once.",
    "2.4.0",
    &[ex("SELECT array_intersect(array(1, 2, 3), array(1, 3, 5))", "[1,3]")],
);
const EXCEPT: Docs = docs(
    "array_except(array1, array2)",
    "The elements of the first array that are not in the second, each value once.",
    "2.4.0",
    &[ex("SELECT array_except(array(1, 2, 2, 3), array(1, 3, 5))", "[2]")],
);
const OVERLAP: Docs = docs(
    "arrays_overlap(array1, array2)",
    "Whether both arrays have an element in common that is not null; null if not, neither is empty and one has a null.",
    "2.4.0",
    &[
        ex("SELECT arrays_overlap(array(1, 2, 3), array(3, 4, 5))", "true"),
        ex("SELECT arrays_overlap(array(1, null), array(2))", "NULL"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let two = Arity::exactly(2);
    let rows = [
        ScalarFunction::new("array_contains", CONTAINS, two, resolve_contains, contains),
        ScalarFunction::new("array_position", POSITION, two, resolve_position, position),
        ScalarFunction::new("array_distinct", DISTINCT, Arity::exactly(1), resolve_distinct, distinct),
        ScalarFunction::new("array_union", UNION, two, |s| resolve_two(s, |a, b| a || b), union),
        ScalarFunction::new("array_intersect", INTERSECT, two, |s| resolve_two(s, |a, b| a && b), intersect),
        ScalarFunction::new("array_except", EXCEPT, two, |s| resolve_two(s, |a, _| a), except),
        ScalarFunction::new("arrays_overlap", OVERLAP, two, resolve_overlap, overlap),
    ];
    rows.into_iter().map(|f| ScalarFunction { can_fail: false, ..f }).collect()
}

fn resolve_contains(site: &CallSite<'_>) -> Result<Resolution> {
    if site.arg_type(0) == &DataType::Null || site.arg_type(1) == &DataType::Null {
        return Err(null_type(site));
    }
    let (_, element, null) = strict_array_arg(site, 0)?;
    let Some(t) = wider_without_strings(&element, site.arg_type(1), site.ctx.ansi) else {
        return Err(element_mismatch(site, 1));
    };
    ordered(site, &t)?;
    resolved(vec![DataType::array(t.clone(), null), t], DataType::Boolean, site.any_nullable() || null)
}

fn contains(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (lists, value) = (Lists::of(&call.args[0]), &call.args[1]);
    let (keys, wanted) = Keys::of_both(lists.elements(), value.values())?;
    let search = |row: usize| -> Option<bool> {
        let (range, at) = (lists.range(row)?, value.index(row));
        if wanted.is_null(at) {
            return None;
        }
        let mut nulls = false;
        for i in range {
            if keys.is_null(i) {
                nulls = true;
            } else if keys.equal(i, &wanted, at) {
                return Some(true);
            }
        }
        (!nulls).then_some(false)
    };
    Ok(Arc::new((0..call.rows).map(search).collect::<BooleanArray>()))
}

fn resolve_position(site: &CallSite<'_>) -> Result<Resolution> {
    if site.arg_type(0) == &DataType::Null {
        return Err(null_type(site));
    }
    let (_, element, null) = strict_array_arg(site, 0)?;
    let Some(t) = tightest(&element, site.arg_type(1), site.ctx.ansi) else {
        return Err(element_mismatch(site, 1));
    };
    ordered(site, &t)?;
    resolved(vec![DataType::array(t.clone(), null), t], DataType::Long, site.any_nullable())
}

fn position(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (lists, value) = (Lists::of(&call.args[0]), &call.args[1]);
    let (keys, wanted) = Keys::of_both(lists.elements(), value.values())?;
    let search = |row: usize| -> Option<i64> {
        let (mut range, at) = (lists.range(row)?, value.index(row));
        if wanted.is_null(at) {
            return None;
        }
        let found = range.position(|i| !keys.is_null(i) && keys.equal(i, &wanted, at));
        Some(found.map_or(0, |p| p as i64 + 1))
    };
    Ok(Arc::new((0..call.rows).map(search).collect::<Int64Array>()))
}

fn resolve_distinct(site: &CallSite<'_>) -> Result<Resolution> {
    let (array, element, _) = array_arg(site, 0)?;
    ordered(site, &element)?;
    resolved(vec![array.clone()], array, site.args[0].nullable)
}

fn distinct(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let keys = Keys::of(lists.elements())?;
    let mut seen = Seen::new(&keys, &keys);
    let mut picked: Vec<u32> = Vec::new();
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        match lists.range(row) {
            None => shape.push_null(),
            Some(range) => {
                seen.clear();
                picked.extend(range.filter(|i| seen.insert(0, *i)).map(|i| i as u32));
                shape.push_until(picked.len())?;
            }
        }
    }
    shape.list(normalize_floats(&gather(lists.elements(), picked)?)?, call.return_type)
}

/// Types of two arrays, which must have a common element type.
fn two_arrays(site: &CallSite<'_>) -> Result<(DataType, bool, bool)> {
    let types = match (site.arg_type(0), site.arg_type(1)) {
        (DataType::Array(a, n), DataType::Array(b, m)) => tightest(a, b, site.ctx.ansi).map(|t| (t, *n, *m)),
        _ => None,
    };
    let Some(types) = types else {
        return Err(Error::new("DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES")
            .with("functionName", format!("`{}`", site.called_as))
            .with("arrayType", "\"ARRAY\"")
            .with("leftType", format!("\"{}\"", site.arg_type(0).sql()))
            .with("rightType", format!("\"{}\"", site.arg_type(1).sql()))
            .at(site.span));
    };
    ordered(site, &types.0)?;
    Ok(types)
}

fn resolve_two(site: &CallSite<'_>, contains_null: fn(bool, bool) -> bool) -> Result<Resolution> {
    let (t, n, m) = two_arrays(site)?;
    let args = vec![DataType::array(t.clone(), n), DataType::array(t.clone(), m)];
    resolved(args, DataType::array(t, contains_null(n, m)), site.any_nullable())
}

fn resolve_overlap(site: &CallSite<'_>) -> Result<Resolution> {
    let (t, n, m) = two_arrays(site)?;
    let args = vec![DataType::array(t.clone(), n), DataType::array(t, m)];
    resolved(args, DataType::Boolean, site.any_nullable() || n || m)
}

fn union(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (a, b) = (Lists::of(&call.args[0]), Lists::of(&call.args[1]));
    let (left, right) = Keys::of_both(a.elements(), b.elements())?;
    let mut seen = Seen::new(&left, &right);
    let mut picks = Picks::of(a.elements().data_type(), &[a.elements(), b.elements()]);
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        let (Some(x), Some(y)) = (a.range(row), b.range(row)) else {
            shape.push_null();
            continue;
        };
        seen.clear();
        for i in x {
            if seen.insert(0, i) {
                picks.push(1, i);
            }
        }
        for i in y {
            if seen.insert(1, i) {
                picks.push(2, i);
            }
        }
        shape.push_until(picks.len())?;
    }
    shape.list(normalize_floats(&picks.finish()?)?, call.return_type)
}

fn intersect(call: &KernelCall<'_>) -> Result<ArrayRef> {
    filter_by_second(call, true)
}

fn except(call: &KernelCall<'_>) -> Result<ArrayRef> {
    filter_by_second(call, false)
}

/// Distinct elements of the first array that are, or are not, in the second.
fn filter_by_second(call: &KernelCall<'_>, present: bool) -> Result<ArrayRef> {
    let (a, b) = (Lists::of(&call.args[0]), Lists::of(&call.args[1]));
    let (left, right) = Keys::of_both(a.elements(), b.elements())?;
    let (mut second, mut taken) = (Seen::new(&left, &right), Seen::new(&left, &right));
    let mut picked: Vec<u32> = Vec::new();
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        let (Some(x), Some(y)) = (a.range(row), b.range(row)) else {
            shape.push_null();
            continue;
        };
        taken.clear();
        if row == 0 || !call.args[1].is_scalar() {
            second.clear();
            for i in y {
                second.insert(1, i);
            }
        }
        for i in x {
            if second.contains(0, i) == present && taken.insert(0, i) {
                picked.push(i as u32);
            }
        }
        shape.push_until(picked.len())?;
    }
    shape.list(normalize_floats(&gather(a.elements(), picked)?)?, call.return_type)
}

fn overlap(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (a, b) = (Lists::of(&call.args[0]), Lists::of(&call.args[1]));
    let (left, right) = Keys::of_both(a.elements(), b.elements())?;
    let mut seen = Seen::new(&left, &right);
    let mut overlap = |row: usize| -> Option<bool> {
        let (x, y) = (a.range(row)?, b.range(row)?);
        if x.is_empty() || y.is_empty() {
            return Some(false);
        }
        seen.clear();
        for i in y {
            seen.insert(1, i);
        }
        let mut nulls = seen.has_null();
        for i in x {
            if left.is_null(i) {
                nulls = true;
            } else if seen.contains(0, i) {
                return Some(true);
            }
        }
        (!nulls).then_some(false)
    };
    Ok(Arc::new((0..call.rows).map(&mut overlap).collect::<BooleanArray>()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    const N: Option<i32> = None;

    fn a() -> Column {
        int_lists(&[Some(&[Some(1), Some(2), Some(1), N, N]), None, Some(&[]), Some(&[Some(5)])])
    }

    fn b() -> Column {
        int_lists(&[Some(&[Some(2), N, Some(3)]), Some(&[]), Some(&[N]), Some(&[Some(6)])])
    }

    #[test]
    fn membership() {
        let v = || int_column(&[Some(2), Some(2), Some(2), Some(5)]);
        assert_eq!(run("array_contains", &[a(), v()]).unwrap(), ["true", "null", "false", "true"]);
        let seven = || int_column(&[Some(7)]);
        assert_eq!(run("array_contains", &[a(), seven()]).unwrap(), ["null", "null", "false", "false"]);
        assert_eq!(run("array_position", &[a(), v()]).unwrap(), ["2", "null", "0", "1"]);
        assert_eq!(run("array_position", &[a(), int_column(&[N])]).unwrap(), ["null"; 4]);
    }

    #[test]
    fn set_operations() {
        assert_eq!(run("array_distinct", &[a()]).unwrap(), ["[1, 2, null]", "null", "[]", "[5]"]);
        assert_eq!(run("array_union", &[a(), b()]).unwrap(), ["[1, 2, null, 3]", "null", "[null]", "[5, 6]"]);
        assert_eq!(run("array_intersect", &[a(), b()]).unwrap(), ["[2, null]", "null", "[]", "[]"]);
        assert_eq!(run("array_except", &[a(), b()]).unwrap(), ["[1]", "null", "[]", "[5]"]);
        assert_eq!(run("arrays_overlap", &[a(), b()]).unwrap(), ["true", "null", "false", "false"]);
        let constant = int_lists(&[Some(&[Some(1), N])]);
        assert_eq!(run("array_except", &[a(), constant.clone()]).unwrap(), ["[2]", "null", "[]", "[5]"]);
        assert_eq!(run("arrays_overlap", &[a(), constant]).unwrap(), ["true", "null", "false", "null"]);
    }
}
