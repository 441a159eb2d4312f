//! `array_max`, `array_min`.

use super::keys::Keys;
use super::lists::Lists;
use super::{array_arg, docs, ordered, resolved};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use std::cmp::Ordering;
use vonk_error::Result;

const MAX: Docs = docs(
    "array_max(array)",
    "The greatest element that is not null; NaN is greater than all numbers.",
    "2.4.0",
    &[ex("SELECT array_max(array(1, 20, null, 3))", "20"), ex("SELECT array_max(array())", "NULL")],
);
const MIN: Docs = docs(
    "array_min(array)",
    "The least element that is not null.",
    "2.4.0",
    &[ex("SELECT array_min(array(1, 20, null, 3))", "1")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let one = Arity::exactly(1);
    let sure = |f: ScalarFunction| ScalarFunction { can_fail: false, ..f };
    vec![
        sure(ScalarFunction::new("array_max", MAX, one, resolve, |c| extreme(c, Ordering::Greater))),
        sure(ScalarFunction::new("array_min", MIN, one, resolve, |c| extreme(c, Ordering::Less))),
    ]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let (array, element, _) = array_arg(site, 0)?;
    ordered(site, &element)?;
    resolved(vec![array], element, true)
}

fn extreme(call: &KernelCall<'_>, wanted: Ordering) -> Result<ArrayRef> {
    let lists = Lists::of(&call.args[0]);
    let keys = Keys::of(lists.elements())?;
    let best = |row: usize| -> Option<u32> {
        let mut best: Option<usize> = None;
        for i in lists.range(row)? {
            if !keys.is_null(i) && best.is_none_or(|b| keys.compare(i, &keys, b) == wanted) {
                best = Some(i);
            }
        }
        best.map(|i| i as u32)
    };
    let picked: UInt32Array = (0..call.rows).map(best).collect();
    Ok(take(lists.elements(), &picked, None)?)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    #[test]
    fn extremes() {
        let a = || int_lists(&[Some(&[Some(2), None, Some(-7)]), None, Some(&[]), Some(&[None])]);
        assert_eq!(run("array_max", &[a()]).unwrap(), ["2", "null", "null", "null"]);
        assert_eq!(run("array_min", &[a()]).unwrap(), ["-7", "null", "null", "null"]);
    }
}
