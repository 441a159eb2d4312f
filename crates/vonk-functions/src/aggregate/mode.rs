//! `mode`: the most frequent value.

use super::collect::{Collect, state_types};
use super::inputs;
use super::{AggregateCall, AggregateFunction, GroupsAccumulator, WithinGroup};
use crate::describe::{Docs, ex};
use crate::normalize::normalize_floats;
use crate::resolve::{Arity, CallSite, Resolution};
use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::row::{RowConverter, SortField};
use vonk_error::Result;
use vonk_types::Literal;

const MODE: Docs = Docs::aggregate(
    "mode(expr[, deterministic])",
    "The most frequent value that is not null; among equally frequent ones the least.",
    "3.4.0",
    &[
        ex("SELECT mode(col) FROM VALUES (0), (10), (10) AS tab(col)", "10"),
        ex("SELECT mode(col, true) FROM VALUES (-10), (0), (10) AS tab(col)", "-10"),
        ex("SELECT mode(col) FROM VALUES (0), (10), (10), (NULL), (NULL), (NULL) AS tab(col)", "10"),
    ],
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    vec![AggregateFunction {
        within_group: WithinGroup::InputInstead,
        ..AggregateFunction::new("mode", MODE, Arity::between(1, 2), resolve, state_types, make)
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    inputs::nullable(inputs::as_given(site), site.arg_type(0).clone())
}

fn make(call: &AggregateCall<'_>) -> Result<Box<dyn GroupsAccumulator>> {
    let field = SortField::new(call.arg_types[0].to_arrow());
    if !RowConverter::supports_fields(std::slice::from_ref(&field)) {
        return Err(vonk_error::Error::unsupported(format!("mode of {}", call.arg_types[0])).at(call.span));
    }
    let converter = RowConverter::new(vec![field])?;
    // Among equally frequent values the greatest, for `mode() WITHIN GROUP (ORDER BY x DESC)`.
    let greatest = call.constants.get(2).and_then(|l| l.as_ref()).and_then(Literal::as_bool).unwrap_or(false);
    let most_frequent = move |offsets: &[i32], values: ArrayRef| {
        let rows = converter.convert_columns(&[normalize_floats(&values)?])?;
        let mut order: Vec<u32> = (0..values.len() as u32).collect();
        let mut winners: Vec<Option<u32>> = Vec::with_capacity(offsets.len());
        for pair in offsets.windows(2) {
            let slice = &mut order[pair[0] as usize..pair[1] as usize];
            slice.sort_unstable_by(|a, b| rows.row(*a as usize).cmp(&rows.row(*b as usize)));
            let mut best: Option<(usize, u32)> = None;
            for run in slice.chunk_by(|a, b| rows.row(*a as usize) == rows.row(*b as usize)) {
                if best.is_none_or(|(n, _)| run.len() > n || greatest && run.len() == n) {
                    best = Some((run.len(), run[0]));
                }
            }
            winners.push(best.map(|(_, row)| row));
        }
        Ok(take(&values, &UInt32Array::from(winners), None)?)
    };
    Collect::boxed(&call.arg_types[0], None, Box::new(most_frequent))
}
