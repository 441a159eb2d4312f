//! `greatest` and `least`.

use crate::coerce::wider_without_strings;
use crate::kernel::KernelCall;
use crate::normalize::normalize_floats;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{Array, ArrayRef, make_comparator};
use arrow::compute::{SortOptions, interleave};
use std::cmp::Ordering;
use vonk_error::{Error, Result};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let one = |name, docs, kernel| ScalarFunction {
        can_fail: false,
        null_propagating: false,
        ..ScalarFunction::new(name, docs, Arity::at_least(2), resolve, kernel)
    };
    vec![
        one(
            "greatest",
            docs!(Conditional, "greatest(expr, ...)", "The greatest value that is not null.", "1.5.0", [
                "SELECT greatest(10, 9, 2, 4, 3)" => "10",
            ]),
            |call| extreme(call, Ordering::Greater),
        ),
        one(
            "least",
            docs!(Conditional, "least(expr, ...)", "The least value that is not null.", "1.5.0", [
                "SELECT least(10, 9, 2, 4, 3)" => "2",
            ]),
            |call| extreme(call, Ordering::Less),
        ),
    ]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let meet = |sum: Option<DataType>, t: &DataType| {
        sum.and_then(|s| if s == *t { Some(s) } else { wider_without_strings(&s, t, site.ctx.ansi) })
    };
    let Some(t) = site.args.iter().map(|a| &a.data_type).fold(Some(DataType::Null), meet) else {
        let names: Vec<String> = site.args.iter().map(|a| format!("\"{}\"", a.data_type.sql())).collect();
        return Err(Error::new("DATATYPE_MISMATCH.DATA_DIFF_TYPES")
            .with("functionName", format!("`{}`", site.called_as))
            .with("dataType", format!("[{}]", names.join(", ")))
            .at(site.span));
    };
    if !t.is_orderable() {
        return Err(Error::new("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE")
            .with("functionName", format!("`{}`", site.called_as))
            .with("dataType", format!("\"{}\"", t.sql()))
            .at(site.span));
    }
    let nullable = site.args.iter().all(|a| a.nullable || a.data_type == DataType::Null);
    Ok(Resolution { arg_types: vec![t.clone(); site.args.len()], return_type: t, nullable })
}

/// The value that is on `side` of all others; of equal ones the first.
fn extreme(call: &KernelCall<'_>, side: Ordering) -> Result<ArrayRef> {
    if *call.return_type == DataType::Null {
        return Ok(call.all_null());
    }
    let arrays: Vec<&ArrayRef> = call.args.iter().map(|a| a.values()).collect();
    let mut best: Vec<(usize, usize)> = (0..call.rows).map(|row| (0, call.args[0].index(row))).collect();
    let ordered = arrays.iter().map(|a| normalize_floats(a)).collect::<Result<Vec<_>>>()?;
    for (i, array) in ordered.iter().enumerate().skip(1) {
        let before = ordered[..i]
            .iter()
            .map(|earlier| make_comparator(array, earlier, SortOptions::default()))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        for (row, best) in best.iter_mut().enumerate() {
            let at = call.args[i].index(row);
            if array.is_null(at) {
                continue;
            }
            if ordered[best.0].is_null(best.1) || before[best.0](at, best.1) == side {
                *best = (i, at);
            }
        }
    }
    let sources: Vec<&dyn Array> = arrays.iter().map(|a| a.as_ref()).collect();
    Ok(interleave(&sources, &best)?)
}
