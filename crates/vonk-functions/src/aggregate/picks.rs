//! `first`, `last` and `any_value`.

use super::cells::Cells;
use super::groups::{counted, each, emit, passed};
use super::inputs;
use super::{AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator};
use crate::describe::{Docs, ex};
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::Display;
use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::{DataType, Literal};

const FIRST: Docs = Docs::aggregate(
    "first(expr[, ignoreNulls])",
    "Value of the first row; with ignoreNulls, the first that is not null.",
    "2.0.0",
    &[
        ex("SELECT first(col) FROM VALUES (10), (5), (20) AS tab(col)", "10"),
        ex("SELECT first(col) FROM VALUES (NULL), (5), (20) AS tab(col)", "NULL"),
        ex("SELECT first(col, true) FROM VALUES (NULL), (5), (20) AS tab(col)", "5"),
    ],
);
const LAST: Docs = Docs::aggregate(
    "last(expr[, ignoreNulls])",
    "Value of the last row; with ignoreNulls, the last that is not null.",
    "2.0.0",
    &[
        ex("SELECT last(col) FROM VALUES (10), (5), (20) AS tab(col)", "20"),
        ex("SELECT last(col, true) FROM VALUES (10), (5), (NULL) AS tab(col)", "5"),
    ],
);
const ANY: Docs = Docs::aggregate(
    "any_value(expr[, ignoreNulls])",
    "Some value of the group.",
    "3.4.0",
    &[
        ex("SELECT any_value(col) FROM VALUES (10), (5), (20) AS tab(col)", "10"),
        ex("SELECT any_value(col, true) FROM VALUES (NULL), (5), (20) AS tab(col)", "5"),
    ],
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    let row = |name, docs, aliases, make| AggregateFunction {
        aliases,
        order_sensitive: true,
        ignore_nulls: true,
        display: Display::Custom(display),
        ..AggregateFunction::new(name, docs, Arity::between(1, 2), resolve, state_types, make)
    };
    vec![
        row("first", FIRST, &["first_value"][..], |c| Ok(Pick::boxed(c, false))),
        row("last", LAST, &["last_value"][..], |c| Ok(Pick::boxed(c, true))),
        row("any_value", ANY, &[], |c| Ok(Pick::boxed(c, false))),
    ]
}

fn display(called_as: &str, args: &[String]) -> String {
    format!("{called_as}({})", args.first().map_or("", String::as_str))
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    if let Some(flag) = site.args.get(1)
        && flag.literal.as_ref().and_then(Literal::as_bool).is_none()
    {
        return Err(Error::new("_LEGACY_ERROR_TEMP_1210").with("funcName", site.called_as).at(site.span));
    }
    inputs::nullable(inputs::as_given(site), site.arg_type(0).clone())
}

/// The value, and whether there is one (it may be null).
fn state_types(call: &AggregateCall<'_>) -> Vec<DataType> {
    vec![call.arg_types[0].clone(), DataType::Boolean]
}

struct Pick {
    last: bool,
    ignore_nulls: bool,
    value: Cells,
    set: Vec<bool>,
}

impl Pick {
    fn boxed(call: &AggregateCall<'_>, last: bool) -> Box<dyn GroupsAccumulator> {
        let flag = call.constants.get(1).and_then(|l| l.as_ref()).and_then(Literal::as_bool);
        Box::new(Pick {
            last,
            ignore_nulls: flag.unwrap_or(false),
            value: Cells::new(&call.arg_types[0]),
            set: Vec::new(),
        })
    }

    fn pick(
        &mut self,
        values: &ArrayRef,
        mask: Option<BooleanBuffer>,
        groups: &[u32],
        num_groups: usize,
    ) -> Result<()> {
        self.set.resize(num_groups, false);
        self.value.grow(num_groups);
        let mut winners: Vec<(u32, u32)> = Vec::new();
        if num_groups == 1 {
            if self.last || !self.set[0] {
                let n = groups.len();
                let row = match (&mask, self.last) {
                    (None, false) => (n > 0).then_some(0),
                    (None, true) => n.checked_sub(1),
                    (Some(m), false) => m.set_indices().next(),
                    (Some(m), true) => m.set_indices().last(),
                };
                winners.extend(row.map(|r| (r as u32, 0)));
                self.set[0] |= row.is_some();
            }
            return self.value.write(values, &winners);
        }
        each(groups, mask.as_ref(), |row, group| {
            if self.last || !self.set[group] {
                self.set[group] = true;
                winners.push((row as u32, group as u32));
            }
        });
        self.value.write(values, &winners)
    }
}

impl GroupsAccumulator for Pick {
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        let mask = if self.ignore_nulls { counted(&args[..1], filter) } else { passed(filter) };
        self.pick(&args[0], mask, groups, num_groups)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        let set = passed(Some(states[1].as_boolean()));
        self.pick(&states[0], set, groups, num_groups)
    }

    fn state(&mut self, to: EmitTo) -> Result<Vec<ArrayRef>> {
        let set = BooleanArray::from(emit(&mut self.set, to));
        Ok(vec![self.value.emit(to)?, Arc::new(set)])
    }

    fn evaluate(&mut self, to: EmitTo) -> Result<ArrayRef> {
        emit(&mut self.set, to);
        self.value.emit(to)
    }

    fn size(&self) -> usize {
        self.set.capacity() + self.value.size()
    }
}
