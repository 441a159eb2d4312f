//! `max_by` and `min_by`; also `max` and `min` of nested types, whose key is the value itself.

use super::cells::Cells;
use super::groups::{counted, each, emit};
use super::inputs;
use super::{AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator};
use crate::describe::{Docs, ex};
use crate::normalize::normalize_floats;
use crate::resolve::{Arity, CallSite, Resolution};
use arrow::array::{ArrayRef, BooleanArray};
use arrow::row::{RowConverter, SortField};
use vonk_error::Result;
use vonk_types::DataType;

const MAX_BY: Docs = Docs::aggregate(
    "max_by(expr, key)",
    "The value of the row whose key is greatest; among equal keys the last.",
    "3.0.0",
    &[
        ex("SELECT max_by(x, y) FROM VALUES ('a', 10), ('b', 50), ('c', 20) AS tab(x, y)", "b"),
        ex("SELECT max_by(x, y) FROM VALUES ('a', 10), ('b', NULL) AS tab(x, y)", "a"),
    ],
);
const MIN_BY: Docs = Docs::aggregate(
    "min_by(expr, key)",
    "The value of the row whose key is least; among equal keys the last.",
    "3.0.0",
    &[ex("SELECT min_by(x, y) FROM VALUES ('a', 10), ('b', 50), ('c', 20) AS tab(x, y)", "a")],
);

pub(super) fn rows() -> Vec<AggregateFunction> {
    let types = |c: &AggregateCall<'_>| c.arg_types.to_vec();
    let two = Arity::exactly(2);
    vec![
        AggregateFunction {
            order_sensitive: true,
            ..AggregateFunction::new("max_by", MAX_BY, two, resolve, types, |c| ByKey::boxed(c, true))
        },
        AggregateFunction {
            order_sensitive: true,
            ..AggregateFunction::new("min_by", MIN_BY, two, resolve, types, |c| ByKey::boxed(c, false))
        },
    ]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    inputs::ordered(site, 1)?;
    inputs::nullable(inputs::as_given(site), site.arg_type(0).clone())
}

/// Keeps, per group, the greatest (or least) key in a form that compares by bytes, and the value beside it.
pub(super) struct ByKey {
    greatest: bool,
    /// Ordered bytes of the best key so far; empty while there is none.
    keys: Vec<Vec<u8>>,
    converter: RowConverter,
    value: Cells,
    /// The keys as values, for the state; absent when the value is its own key.
    key: Option<Cells>,
    heap: usize,
}

impl ByKey {
    /// For two arguments: value and key; for one: a value that is its own key.
    pub fn boxed(call: &AggregateCall<'_>, greatest: bool) -> Result<Box<dyn GroupsAccumulator>> {
        let key_type: &DataType = call.arg_types.get(1).unwrap_or(&call.arg_types[0]);
        Ok(Box::new(ByKey {
            greatest,
            keys: Vec::new(),
            converter: RowConverter::new(vec![SortField::new(key_type.to_arrow())])?,
            value: Cells::new(&call.arg_types[0]),
            key: call.arg_types.get(1).map(Cells::new),
            heap: 0,
        }))
    }
}

impl GroupsAccumulator for ByKey {
    fn update(
        &mut self,
        args: &[ArrayRef],
        groups: &[u32],
        filter: Option<&BooleanArray>,
        num_groups: usize,
    ) -> Result<()> {
        self.keys.resize(num_groups, Vec::new());
        self.value.grow(num_groups);
        let key = args.get(1).unwrap_or(&args[0]);
        let mask = counted(std::slice::from_ref(key), filter);
        let rows = self.converter.convert_columns(&[normalize_floats(key)?])?;
        let mut winners = Vec::new();
        each(groups, mask.as_ref(), |row, group| {
            let bytes = rows.row(row);
            let bytes: &[u8] = bytes.as_ref();
            let best = &mut self.keys[group];
            let wins = best.is_empty()
                || if self.greatest { bytes >= best.as_slice() } else { bytes <= best.as_slice() };
            if wins {
                let before = best.capacity();
                best.clear();
                best.extend_from_slice(bytes);
                self.heap += best.capacity() - before;
                winners.push((row as u32, group as u32));
            }
        });
        self.value.write(&args[0], &winners)?;
        if let Some(cells) = &mut self.key {
            cells.grow(num_groups);
            cells.write(key, &winners)?;
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[u32], num_groups: usize) -> Result<()> {
        self.update(states, groups, None, num_groups)
    }

    fn state(&mut self, to: EmitTo) -> Result<Vec<ArrayRef>> {
        let mut out = vec![self.evaluate(to)?];
        if let Some(key) = &mut self.key {
            out.push(key.emit(to)?);
        }
        Ok(out)
    }

    fn evaluate(&mut self, to: EmitTo) -> Result<ArrayRef> {
        let out = emit(&mut self.keys, to);
        self.heap = self.heap.saturating_sub(out.iter().map(Vec::capacity).sum());
        self.value.emit(to)
    }

    fn size(&self) -> usize {
        self.heap
            + self.keys.capacity() * size_of::<Vec<u8>>()
            + self.value.size()
            + self.key.as_ref().map_or(0, Cells::size)
    }
}
