//! `sort_array`, `array_sort`.

use super::keys::Keys;
use super::lists::{Flat, Lists, Shape, gather, list_of};
use super::{array_arg, docs, ordered, resolved, strict_array_arg};
use crate::describe::{Docs, ex};
use crate::kernel::{KernelCall, LambdaKernel};
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::lambda::{element_params, lambda_types};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::Int32Type;
use std::cmp::Ordering;
use std::ops::Range;
use vonk_error::{Error, Result};
use vonk_types::DataType;

const SORT_ARRAY: Docs = docs(
    "sort_array(array[, ascendingOrder])",
    "The array sorted: nulls first if ascending, last if not.",
    "1.5.0",
    &[
        ex("SELECT sort_array(array('b', 'd', null, 'c', 'a'), true)", "[null,\"a\",\"b\",\"c\",\"d\"]"),
        ex("SELECT sort_array(array(1, null, 2), false)", "[2,1,null]"),
    ],
);
const ARRAY_SORT: Docs = docs(
    "array_sort(array[, comparator])",
    "The array in ascending order with nulls last, or as the comparator says: negative, 0 or positive.",
    "2.4.0",
    &[
        ex("SELECT array_sort(array(3, null, 1))", "[1,3,null]"),
        ex("SELECT array_sort(array(5, 6, 1), (left, right) -> right - left)", "[6,5,1]"),
    ],
);

/// How Spark writes the comparator that is not there.
const DEFAULT_COMPARATOR: &str = "lambdafunction((IF(((namedlambdavariable() IS NULL) AND \
    (namedlambdavariable() IS NULL)), 0, (IF((namedlambdavariable() IS NULL), 1, \
    (IF((namedlambdavariable() IS NULL), -1, (IF((namedlambdavariable() < namedlambdavariable()), -1, \
    (IF((namedlambdavariable() > namedlambdavariable()), 1, 0)))))))))), \
    namedlambdavariable(), namedlambdavariable())";

pub(super) fn rows() -> Vec<ScalarFunction> {
    let arity = Arity::between(1, 2);
    vec![
        ScalarFunction {
            can_fail: false,
            display: Display::Custom(|_, args| match args {
                [array] => format!("sort_array({array}, true)"),
                _ => format!("sort_array({})", args.join(", ")),
            }),
            ..ScalarFunction::new("sort_array", SORT_ARRAY, arity, resolve_sort_array, sort_array)
        },
        ScalarFunction {
            lambda_params: Some(|site| element_params(site, 1, &[2])),
            display: Display::Custom(|_, args| match args {
                [array] => format!("array_sort({array}, {DEFAULT_COMPARATOR})"),
                _ => format!("array_sort({})", args.join(", ")),
            }),
            ..ScalarFunction::new("array_sort", ARRAY_SORT, arity, resolve_array_sort, array_sort)
        },
    ]
}

fn resolve_sort_array(site: &CallSite<'_>) -> Result<Resolution> {
    let (array, ..) = array_arg(site, 0)?;
    ordered(site, &array)?;
    let mut types = vec![array.clone()];
    let mut nullable = site.args[0].nullable;
    if let Some(order) = site.args.get(1) {
        if !matches!(order.data_type, DataType::Boolean | DataType::Null) {
            return Err(site.unexpected_type(1, "\"BOOLEAN\""));
        }
        if order.literal.is_none() {
            return Err(Error::new("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
                .with("inputName", "`ascendingOrder`")
                .with("inputType", "\"BOOLEAN\"")
                .with("inputExpr", format!("\"{}\"", order.sql))
                .at(site.span));
        }
        nullable |= order.nullable;
        types.push(DataType::Boolean);
    }
    resolved(types, array, nullable)
}

fn sort_array(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let ascending = match call.args.get(1) {
        None => true,
        Some(order) if order.values().is_null(0) => {
            return Ok(new_null_array(&call.return_type.to_arrow(), call.rows));
        }
        Some(order) => order.values().as_boolean().value(0),
    };
    let nulls = if ascending { Ordering::Less } else { Ordering::Greater };
    sort(call, nulls, !ascending)
}

/// Sorts each row; `nulls` is how a null compares with everything else.
fn sort(call: &KernelCall<'_>, nulls: Ordering, descending: bool) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let keys = Keys::of(lists.elements())?;
    let compare = |a: &u32, b: &u32| {
        let (a, b) = (*a as usize, *b as usize);
        match (keys.is_null(a), keys.is_null(b)) {
            (true, true) => Ordering::Equal,
            (true, false) => nulls,
            (false, true) => nulls.reverse(),
            _ if descending => keys.compare(b, &keys, a),
            _ => keys.compare(a, &keys, b),
        }
    };
    let mut picked: Vec<u32> = Vec::with_capacity(lists.elements().len());
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        match lists.range(row) {
            None => shape.push_null(),
            Some(range) => {
                let from = picked.len();
                picked.extend(range.map(|i| i as u32));
                picked[from..].sort_by(compare);
                shape.push_until(picked.len())?;
            }
        }
    }
    shape.list(gather(lists.elements(), picked)?, call.return_type)
}

fn resolve_array_sort(site: &CallSite<'_>) -> Result<Resolution> {
    let (array, element, _) = strict_array_arg(site, 0)?;
    match site.args.get(1) {
        None => ordered(site, &element)?,
        Some(comparator) if comparator.data_type != DataType::Int => {
            return Err(Error::new("DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE")
                .with("functionName", "`lambdafunction`")
                .with("expectedType", "\"INT\"")
                .with("actualType", format!("\"{}\"", comparator.data_type.sql()))
                .at(site.span));
        }
        Some(_) => {}
    }
    resolved(lambda_types(site, vec![array.clone()]), array, site.args[0].nullable)
}

fn array_sort(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let Some(comparator) = call.lambdas.first() else { return sort(call, Ordering::Greater, false) };
    let lists = Lists::of(&call.args[0]);
    let flat = Flat::new(call.rows, lists.elements().len(), |row| lists.range(row))?;
    let elements = flat.elements(lists.elements())?;
    let mut sorter = Sorter {
        comparator: *comparator,
        elements: &elements,
        rows: &flat.rows,
        order: (0..elements.len() as u32).collect(),
    };
    let ranges: Vec<Range<usize>> = (0..call.rows).filter_map(|row| flat.range(row)).collect();
    sorter.sort(&ranges)?;
    let sorted = gather(&elements, sorter.order)?;
    list_of(flat.offsets, sorted, flat.nulls, call.return_type)
}

/// A stable merge sort of many ranges at once by a comparator that likes to be asked about many pairs at once.
///
/// Runs of one element are merged to runs of two, four, …. To merge two runs is to find for each element how many of the
/// other run come before it: a binary search, made for all elements of all runs of all rows in step, so that the comparator is
/// called log²(n)/2 times for the whole batch.
struct Sorter<'a> {
    comparator: &'a dyn LambdaKernel,
    elements: &'a ArrayRef,
    /// Row of each element.
    rows: &'a UInt32Array,
    /// Elements in the order found so far.
    order: Vec<u32>,
}

/// An element looking for its place in the other run.
struct Search {
    /// Its position in `order`.
    item: usize,
    /// Whether it stems from the left run.
    left: bool,
    /// The other run.
    other: usize,
    /// Bounds of the search, relative to the other run.
    low: usize,
    high: usize,
    /// Where its run and the other begin together, and its place within its own run.
    start: usize,
    own: usize,
}

impl Sorter<'_> {
    fn sort(&mut self, ranges: &[Range<usize>]) -> Result<()> {
        let longest = ranges.iter().map(|r| r.len()).max().unwrap_or(0);
        let mut width = 1;
        while width < longest {
            let mut searches = Vec::new();
            for range in ranges {
                let mut start = range.start;
                while start + width < range.end {
                    let (middle, end) = (start + width, (start + 2 * width).min(range.end));
                    searches.extend((start..end).map(|item| {
                        let left = item < middle;
                        let other = if left { middle } else { start };
                        let high = if left { end - middle } else { width };
                        let own = item - if left { start } else { middle };
                        Search { item, left, other, low: 0, high, start, own }
                    }));
                    start = end;
                }
            }
            self.search(&mut searches)?;
            let before = self.order.clone();
            for s in &searches {
                self.order[s.start + s.own + s.low] = before[s.item];
            }
            width *= 2;
        }
        Ok(())
    }

    /// Brings all searches to their ends.
    fn search(&self, searches: &mut [Search]) -> Result<()> {
        loop {
            let open: Vec<usize> =
                (0..searches.len()).filter(|s| searches[*s].low < searches[*s].high).collect();
            if open.is_empty() {
                return Ok(());
            }
            let pivots: Vec<u32> = open
                .iter()
                .map(|s| self.order[searches[*s].other + (searches[*s].low + searches[*s].high) / 2])
                .collect();
            let items: Vec<u32> = open.iter().map(|s| self.order[searches[*s].item]).collect();
            let answers = self.compare(pivots, items)?;
            for (s, answer) in open.into_iter().zip(answers) {
                let s = &mut searches[s];
                let middle = (s.low + s.high) / 2;
                // Equal elements keep their order: left ones go before right ones.
                let pivot_first = if s.left { answer < 0 } else { answer <= 0 };
                if pivot_first {
                    s.low = middle + 1;
                } else {
                    s.high = middle;
                }
            }
        }
    }

    fn compare(&self, left: Vec<u32>, right: Vec<u32>) -> Result<Vec<i32>> {
        let (left, right) = (UInt32Array::from(left), UInt32Array::from(right));
        let rows = take(self.rows, &left, None)?;
        let params = [take(self.elements, &left, None)?, take(self.elements, &right, None)?];
        let answers = self.comparator.call(&params, rows.as_primitive())?;
        let answers = answers.as_primitive::<Int32Type>();
        if answers.null_count() > 0 {
            return Err(Error::new("COMPARATOR_RETURNS_NULL"));
        }
        Ok(answers.values().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use arrow::array::{ArrayRef, AsArray, BooleanArray, Int32Array, UInt32Array};
    use arrow::datatypes::Int32Type;
    use std::sync::Arc;
    use vonk_types::DataType;

    #[test]
    fn sorts() {
        let a = || int_lists(&[Some(&[Some(3), None, Some(1)]), None, Some(&[]), Some(&[Some(2)])]);
        let order = |b| (Arc::new(BooleanArray::from(vec![b])) as ArrayRef, DataType::Boolean);
        assert_eq!(run("sort_array", &[a(), order(Some(true))]).unwrap()[0], "[null, 1, 3]");
        assert_eq!(run("sort_array", &[a(), order(Some(false))]).unwrap()[0], "[3, 1, null]");
        assert_eq!(run("sort_array", &[a(), order(None)]).unwrap(), ["null"; 4]);
        assert_eq!(run("array_sort", &[a()]).unwrap(), ["[1, 3, null]", "null", "[]", "[2]"]);
    }

    #[test]
    fn comparators_are_called_for_many_pairs_and_sort_stably() {
        // By the last digit, descending; equal ones keep their order.
        let calls = std::cell::Cell::new(0);
        let lambda = IntLambda {
            arity: 2,
            return_type: DataType::Int,
            body: |params: &[ArrayRef], _: &UInt32Array| {
                calls.set(calls.get() + 1);
                let (l, r) = (params[0].as_primitive::<Int32Type>(), params[1].as_primitive::<Int32Type>());
                Arc::new(Int32Array::from_iter_values(
                    (0..l.len()).map(|i| r.value(i) % 10 - l.value(i) % 10),
                )) as ArrayRef
            },
        };
        let mut long: Vec<Option<i32>> = (0..1000).map(|i| Some(i * 7919 % 1000)).collect();
        let short = [Some(11), Some(2), Some(1)];
        let column = int_lists(&[Some(&long), None, Some(&short), Some(&[])]);
        let got = run_in(&context(), "array_sort", &[column], &[&lambda]).unwrap();
        long.sort_by_key(|x| -(x.unwrap() % 10));
        let expected: Vec<String> = long.iter().map(|x| x.unwrap().to_string()).collect();
        assert_eq!(got, [format!("[{}]", expected.join(", ")).as_str(), "null", "[2, 11, 1]", "[]"]);
        assert!(calls.get() <= 65, "{} calls", calls.get());
    }
}
