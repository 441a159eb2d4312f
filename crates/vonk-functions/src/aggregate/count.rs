//! `count` and `count_if`.

use super::groups::{counted, each, emit};
use super::inputs;
use super::{AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator};
use crate::describe::{Docs, ex};
use crate::resolve::{Arity, CallSite, Resolution};
use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int64Type;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::{DataType, Literal};

const COUNT: Docs = Docs::aggregate(
    "count(*), count(expr[, expr...])",
    "Number of rows, or of rows in which no expression is null.",
    "1.0.0",
    &[
        ex("SELECT count(*) FROM VALUES (NULL), (5), (5), (20) AS tab(col)", "4"),
        ex("SELECT count(col) FROM VALUES (NULL), (5), (5), (20) AS tab(col)", "3"),
        ex("SELECT count(a, b) FROM VALUES (1, 2), (NULL, 3), (4, NULL) AS tab(a, b)", "1"),
    ],
);

const COUNT_IF: Docs = Docs::aggregate(
    "count_if(expr)",
    "Number of rows in which the expression is true.",
    "3.0.0",
    &[ex("SELECT count_if(col % 2 = 0) FROM VALUES (NULL), (0), (1), (2), (3) AS tab(col)", "2")],
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    let long = |_: &AggregateCall<'_>| vec![DataType::Long];
    let zero = Some((|| Literal::long(0)) as fn() -> Literal);
    vec![
        AggregateFunction {
            on_empty: zero,
            regrouping: super::Regrouping::Exact,
            ..AggregateFunction::new("count", COUNT, Arity::at_least(0), resolve_count, long, |_| {
                Ok(Box::new(Count::default()))
            })
        },
        AggregateFunction {
            on_empty: zero,
            regrouping: super::Regrouping::Exact,
            ..AggregateFunction::new("count_if", COUNT_IF, Arity::exactly(1), resolve_count_if, long, |_| {
                Ok(Box::new(Count { only_true: true, ..Count::default() }))
            })
        },
    ]
}

fn resolve_count(site: &CallSite<'_>) -> Result<Resolution> {
    inputs::never_null(inputs::as_given(site), DataType::Long)
}

fn resolve_count_if(site: &CallSite<'_>) -> Result<Resolution> {
    inputs::never_null(vec![inputs::boolean(site, 0)?], DataType::Long)
}

#[derive(Default)]
struct Count {
    counts: Vec<i64>,
    only_true: bool,
}

impl Count {
    fn mask(&self, args: &[ArrayRef], filter: Option<&BooleanArray>) -> Option<BooleanBuffer> {
        let mask = counted(args, filter);
        if !self.only_true {
            return mask;
        }
        let values = args[0].as_boolean().values();
        Some(mask.map_or_else(|| values.clone(), |m| &m & values))
    }

    fn add(&mut self, groups: &[u32], mask: Option<BooleanBuffer>, sign: i64) {
        if self.counts.len() == 1 {
            let n = mask.map_or(groups.len(), |m| m.count_set_bits());
            self.counts[0] += sign * n as i64;
            return;
        }
        let counts = &mut self.counts[..];
        each(groups, mask.as_ref(), |_, group| counts[group] += sign);
    }
}

impl GroupsAccumulator for Count {
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.counts.resize(num_groups, 0);
        let mask = self.mask(args, filter);
        self.add(groups, mask, 1);
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        self.counts.resize(num_groups, 0);
        let partial = states[0].as_primitive::<Int64Type>();
        let counts = &mut self.counts[..];
        each(groups, None, |row, group| counts[group] += partial.value(row));
        Ok(())
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit)?])
    }

    fn evaluate(&mut self, to: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(Int64Array::from(emit(&mut self.counts, to))))
    }

    fn retract(&mut self, args: &[ArrayRef], groups: &[u32]) -> Result<()> {
        let mask = self.mask(args, None);
        self.add(groups, mask, -1);
        Ok(())
    }

    fn supports_retract(&self) -> bool {
        true
    }

    fn size(&self) -> usize {
        self.counts.capacity() * size_of::<i64>()
    }
}
