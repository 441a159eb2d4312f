//! `size`, `cardinality`, `array_size`.

use super::lists::{Lists, Maps};
use super::{array_arg, docs, resolved};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{ArrayRef, Int32Array};
use std::ops::Range;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

const SIZE: Docs = docs(
    "size(expr)",
    "The number of elements of an array or map. Of null: null, or -1 with spark.sql.ansi.enabled set to false.",
    "1.5.0",
    &[
        ex("SELECT size(array('b', 'd', 'c', 'a'))", "4"),
        ex("SELECT size(map('a', 1, 'b', 2))", "2"),
        ex("SELECT size(NULL)", "NULL"),
    ],
);
const ARRAY_SIZE: Docs = docs(
    "array_size(array)",
    "The number of elements of an array.",
    "3.3.0",
    &[ex("SELECT array_size(array('b', 'd', 'c', 'a'))", "4")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    let one = Arity::exactly(1);
    let sure = |f: ScalarFunction| ScalarFunction { can_fail: false, ..f };
    vec![
        ScalarFunction {
            aliases: &["cardinality"],
            null_propagating: false, // depends on the mode
            ..sure(ScalarFunction::new("size", SIZE, one, resolve_size, |c| size(c, !c.ctx.ansi)))
        },
        sure(ScalarFunction::new("array_size", ARRAY_SIZE, one, resolve_array_size, |c| size(c, false))),
    ]
}

fn resolve_size(site: &CallSite<'_>) -> Result<Resolution> {
    let arg = match site.arg_type(0) {
        DataType::Null => DataType::array(DataType::Null, true),
        t @ (DataType::Array(..) | DataType::Map(..)) => t.clone(),
        _ => return Err(site.unexpected_type(0, "(\"ARRAY\" or \"MAP\")")),
    };
    resolved(vec![arg], DataType::Int, site.ctx.ansi && site.args[0].nullable)
}

fn resolve_array_size(site: &CallSite<'_>) -> Result<Resolution> {
    resolved(vec![array_arg(site, 0)?.0], DataType::Int, site.args[0].nullable)
}

fn size(call: &KernelCall<'_>, minus_one: bool) -> Result<ArrayRef> {
    let lengths = |range: &dyn Fn(usize) -> Option<Range<usize>>| -> Int32Array {
        let of_null = minus_one.then_some(-1);
        (0..call.rows).map(|row| range(row).map(|r| r.len() as i32).or(of_null)).collect()
    };
    Ok(Arc::new(match call.arg_types[0] {
        DataType::Map(..) => {
            let maps = Maps::of(&call.args[0]);
            lengths(&|row| maps.range(row))
        }
        _ => {
            let lists = Lists::of(&call.args[0]);
            lengths(&|row| lists.range(row))
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use vonk_types::EvalContext;

    #[test]
    fn size_of_null_depends_on_the_mode() {
        let a = || int_lists(&[Some(&[Some(2), None]), None, Some(&[])]);
        assert_eq!(run("size", &[a()]).unwrap(), ["2", "null", "0"]);
        let before = EvalContext { ansi: false, ..context() };
        assert_eq!(run_in(&before, "size", &[a()], &[]).unwrap(), ["2", "-1", "0"]);
        assert_eq!(run_in(&before, "array_size", &[a()], &[]).unwrap(), ["2", "null", "0"]);
    }
}
