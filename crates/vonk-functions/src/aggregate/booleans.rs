//! `bool_and`, `bool_or`; also `min` and `max` of booleans, which are the same.

use super::groups::{counted, each, emit, nulls_where_not};
use super::inputs;
use super::{AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator};
use crate::describe::{Docs, ex};
use crate::resolve::{Arity, CallSite, Resolution};
use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

const BOOL_AND: Docs = Docs::aggregate(
    "bool_and(expr)",
    "True if all values that are not null are true.",
    "3.0.0",
    &[
        ex("SELECT bool_and(col) FROM VALUES (true), (true), (true) AS tab(col)", "true"),
        ex("SELECT every(col) FROM VALUES (NULL), (true), (false) AS tab(col)", "false"),
    ],
);
const BOOL_OR: Docs = Docs::aggregate(
    "bool_or(expr)",
    "True if any value is true.",
    "3.0.0",
    &[
        ex("SELECT bool_or(col) FROM VALUES (true), (false), (NULL) AS tab(col)", "true"),
        ex("SELECT any(col) FROM VALUES (NULL), (false) AS tab(col)", "false"),
        ex("SELECT some(col) FROM VALUES (true), (false) AS tab(col)", "true"),
    ],
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    let types = |_: &AggregateCall<'_>| vec![DataType::Boolean];
    let one = Arity::exactly(1);
    vec![
        AggregateFunction {
            aliases: &["every"],
            duplicate_insensitive: true,
            regrouping: super::Regrouping::Exact,
            ..AggregateFunction::new("bool_and", BOOL_AND, one, resolve, types, |_| Ok(fold(false)))
        },
        AggregateFunction {
            aliases: &["any", "some"],
            duplicate_insensitive: true,
            regrouping: super::Regrouping::Exact,
            ..AggregateFunction::new("bool_or", BOOL_OR, one, resolve, types, |_| Ok(fold(true)))
        },
    ]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    inputs::nullable(vec![inputs::boolean(site, 0)?], DataType::Boolean)
}

/// An accumulator that is `decisive` as soon as one value is: OR for `true`, AND for `false`.
pub(super) fn fold(decisive: bool) -> Box<dyn GroupsAccumulator> {
    Box::new(Fold { states: Vec::new(), decisive })
}

/// What a group has seen.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    Nothing,
    OnlyIndecisive,
    Decisive,
}

struct Fold {
    states: Vec<Seen>,
    decisive: bool,
}

impl GroupsAccumulator for Fold {
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.states.resize(num_groups, Seen::Nothing);
        let values = args[0].as_boolean().values();
        let mask = counted(args, filter);
        let states = &mut self.states[..];
        each(groups, mask.as_ref(), |row, group| {
            if values.value(row) == self.decisive {
                states[group] = Seen::Decisive;
            } else if states[group] == Seen::Nothing {
                states[group] = Seen::OnlyIndecisive;
            }
        });
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        self.update(states, groups, None, num_groups)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit)?])
    }

    fn evaluate(&mut self, to: EmitTo) -> Result<ArrayRef> {
        let states = emit(&mut self.states, to);
        let values =
            BooleanBuffer::collect_bool(states.len(), |i| (states[i] == Seen::Decisive) == self.decisive);
        let nulls = nulls_where_not(states.len(), |i| states[i] != Seen::Nothing);
        Ok(Arc::new(BooleanArray::new(values, nulls)))
    }

    fn size(&self) -> usize {
        self.states.capacity()
    }
}
