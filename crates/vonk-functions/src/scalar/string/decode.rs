//! `decode`: bytes in a character set as text, or with more arguments a choice by value.

use super::charset;
use crate::coerce::common_type;
use crate::kernel::KernelCall;
use crate::normalize::normalize_floats;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::params::{BIN, STR};
use arrow::array::{Array, ArrayRef, make_comparator};
use arrow::compute::{SortOptions, interleave};
use vonk_error::{Error, Result};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        null_propagating: false,
        ..ScalarFunction::new(
            "decode",
            docs!(
                String,
                "decode(bin, charset) or decode(expr, search1, result1, ..., default)",
                "The text that bytes are in a character set; or the result behind the value that equals the first.",
                "1.5.0",
                [
                    "SELECT decode(encode('abc', 'utf-8'), 'utf-8')" => "abc",
                    "SELECT decode(2, 1, 'Southlake', 2, 'San Francisco', 'Non domestic')" => "San Francisco",
                    "SELECT decode(NULL, 6, 'Spark', NULL, 'SQL', 4, 'rocks')" => "SQL",
                ]
            ),
            Arity::at_least(0),
            resolve,
            decode,
        )
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    if site.args.len() < 2 {
        Arity::exactly(2).check(site.called_as, site.args.len())?;
    }
    if site.args.len() == 2 {
        return site.returns(site.take(&[BIN, STR])?, DataType::String);
    }
    let n = site.args.len();
    let is_result = |i: usize| i >= 1 && (i.is_multiple_of(2) || i == n - 1);
    let of = |results: bool| -> Vec<DataType> {
        (0..n).filter(|i| is_result(*i) == results).map(|i| site.arg_type(i).clone()).collect()
    };
    let searched = of(false);
    let mismatch = |types: &[DataType]| {
        let other =
            types.iter().find(|t| common_type(&[types[0].clone(), (*t).clone()], site.ctx.ansi).is_none());
        site.differing_operands(&types[0], other.unwrap_or(&types[0]))
    };
    let value = common_type(&searched, site.ctx.ansi).ok_or_else(|| mismatch(&searched))?;
    let mut results = of(true);
    if n % 2 == 1 {
        // The default left out is a null string.
        results.push(DataType::String);
    }
    let result = common_type(&results, site.ctx.ansi).ok_or_else(|| {
        let names: Vec<String> = results.iter().map(|t| format!("\"{}\"", t.sql())).collect();
        Error::new("DATATYPE_MISMATCH.DATA_DIFF_TYPES")
            .with("functionName", "`casewhen`")
            .with("dataType", format!("[{}]", names.join(", ")))
            .at(site.span)
    })?;
    let arg_types = (0..n).map(|i| if is_result(i) { result.clone() } else { value.clone() }).collect();
    site.returns_null(arg_types, result)
}

fn decode(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if call.args.len() == 2 {
        return charset::decoded(call);
    }
    let args = call.args.len();
    let searches: Vec<usize> = (1..args - 1).step_by(2).collect();
    let default = if args.is_multiple_of(2) { Some(args - 1) } else { None };
    let value = normalize_floats(call.args[0].values())?;
    let mut order = Vec::with_capacity(searches.len());
    for i in &searches {
        let search = normalize_floats(call.args[*i].values())?;
        order.push(make_comparator(&value, &search, SortOptions::default())?);
    }
    let null = call.all_null();
    let mut sources: Vec<&dyn Array> = call.args.iter().map(|a| a.values().as_ref()).collect();
    // Only results are picked; they share the result's type, and so must what stands at the other places.
    for i in std::iter::once(0).chain(searches.iter().copied()) {
        sources[i] = null.as_ref();
    }
    sources.push(null.as_ref());
    let picks: Vec<(usize, usize)> = (0..call.rows)
        .map(|row| {
            let at = call.args[0].index(row);
            let found = searches.iter().zip(&order).find(|(i, o)| o(at, call.args[**i].index(row)).is_eq());
            match found.map(|(i, _)| i + 1).or(default) {
                Some(i) => (i, call.args[i].index(row)),
                None => (args, 0),
            }
        })
        .collect();
    Ok(interleave(&sources, &picks)?)
}
