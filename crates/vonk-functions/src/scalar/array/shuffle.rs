//! `shuffle`: the same permutations as Spark's for the same seed.

use super::lists::{Lists, Shape, gather};
use super::{array_arg, docs, resolved};
use crate::describe::{Docs, ex};
use crate::kernel::{KernelCall, ScalarInstance};
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::twister::Twister;
use crate::scalar::{Display, ScalarFunction, ScalarKernel, Volatility};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Int64Type;
use std::hash::{BuildHasher, Hasher, RandomState};
use vonk_error::{Error, Result};
use vonk_types::DataType;

const SHUFFLE: Docs = docs(
    "shuffle(array[, seed])",
    "The array in a random order.",
    "2.4.0",
    &[ex("SELECT shuffle(array())", "[]"), ex("SELECT shuffle(array(1, 20, null, 3), -1)", "[20,1,3,null]")],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        volatility: Volatility::Volatile,
        can_fail: false,
        seed: Some(1),
        display: Display::Custom(|_, args| format!("shuffle({})", args.first().map_or("", String::as_str))),
        kernel: ScalarKernel::Instance(|call| Ok(Box::new(Shuffle { random: Twister::seeded(seed(call)) }))),
        ..ScalarFunction::new("shuffle", SHUFFLE, Arity::between(1, 2), resolve, |_| {
            vonk_error::internal_err!("shuffle has an instance")
        })
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let (array, ..) = array_arg(site, 0)?;
    let mut types = vec![array.clone()];
    if let Some(seed) = site.args.get(1) {
        let integral = seed.data_type.is_integral() || seed.data_type == DataType::Null;
        if seed.literal.is_none() || !integral {
            return Err(Error::new("INVALID_PARAMETER_VALUE.LONG")
                .with("parameter", "`seed`")
                .with("functionName", "`shuffle`")
                .with("invalidValue", format!("\"{}\"", seed.sql))
                .at(site.span));
        }
        types.push(DataType::Long);
    }
    resolved(types, array, site.args[0].nullable)
}

fn seed(call: &KernelCall<'_>) -> i64 {
    let given = call.args.get(1).map(|s| s.values().as_primitive::<Int64Type>());
    let seed = match given {
        Some(s) if s.is_valid(0) => s.value(0),
        _ => RandomState::new().build_hasher().finish() as i64,
    };
    call.shifted(seed)
}

struct Shuffle {
    random: Twister,
}

impl ScalarInstance for Shuffle {
    fn call(&mut self, call: &KernelCall<'_>) -> Result<ArrayRef> {
        let lists = Lists::of(&call.args[0]);
        let mut picked: Vec<u32> = Vec::new();
        let mut shape = Shape::new(call.rows);
        for row in 0..call.rows {
            match lists.range(row) {
                None => shape.push_null(),
                Some(range) => {
                    let base = picked.len();
                    for (n, i) in range.enumerate() {
                        let j = self.random.below(n as u32 + 1) as usize;
                        picked.push(i as u32);
                        picked.swap(base + n, base + j);
                    }
                    shape.push_until(picked.len())?;
                }
            }
        }
        shape.list(gather(lists.elements(), picked)?, call.return_type)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use arrow::array::Int64Array;
    use std::sync::Arc;
    use vonk_types::DataType;

    // SELECT shuffle(array(1, …, 10), 5), shuffle(array(1, 2, 3, 4, 5), 7) FROM range(0, 3, 1, 1)
    #[test]
    fn permutes_as_spark_does() {
        let seed = |s| (Arc::new(Int64Array::from(vec![s])) as _, DataType::Long);
        let ten: Vec<Option<i32>> = (1..=10).map(Some).collect();
        let got = run("shuffle", &[int_lists(&[Some(&ten)]), seed(5)]).unwrap();
        assert_eq!(got, ["[6, 1, 8, 2, 3, 5, 7, 9, 10, 4]"]);
    }

    #[test]
    fn goes_on_from_row_to_row() {
        let mut random = super::Twister::seeded(7);
        let mut shuffled = || {
            let mut out: Vec<i32> = Vec::new();
            for n in 0..5 {
                let j = random.below(n + 1) as usize;
                out.push(n as i32 + 1);
                out.swap(n as usize, j);
            }
            out
        };
        assert_eq!([shuffled(), shuffled(), shuffled()], [[1, 2, 5, 3, 4], [1, 5, 4, 2, 3], [5, 2, 1, 3, 4]]);
    }
}
