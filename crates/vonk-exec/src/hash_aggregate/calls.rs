//! The aggregate calls of an operator.

use super::row_set::RowSet;
use crate::batch::with_rows;
use crate::context::TaskContext;
use arrow::array::{
    ArrayRef, AsArray, Int32Array, RecordBatch, UInt32Array, new_empty_array, new_null_array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType as ArrowType, Field, Int32Type, Schema, SchemaRef};
use std::ops::Range;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_eval::{BoundExpr, Evaluator, EvaluatorSet};
use vonk_functions::{AggregateCall, EmitTo, GroupsAccumulator, RowPosition};
use vonk_physical::{AggregateMode, AggregateSpec, HashAggregate};
use vonk_types::{DataType, Literal};

/// Spilled batches say what their rows are: states of groups, or rows of the set with this number.
pub(super) const TAG_STATES: i32 = -1;

/// Keys and arguments of a batch, and all calls' accumulators.
pub(super) struct Calls {
    list: Vec<Call>,
    /// Keys, then what the calls share: arguments of calls without filter, or the states.
    shared: EvaluatorSet,
    keys: usize,
    state_columns: usize,
    position: RowPosition,
    /// The position of the tag in spilled batches, if any call has a set of rows.
    tag: Option<usize>,
}

struct Call {
    accumulator: Box<dyn GroupsAccumulator>,
    input: Input,
    arg_types: Vec<ArrowType>,
    state_types: Vec<ArrowType>,
    /// Where its states lie among all calls' state columns.
    states: Range<usize>,
    /// Rows kept until the end of the group, for DISTINCT and ORDER BY.
    set: Option<RowSet>,
    /// Where the rows of the set lie in spilled batches.
    set_columns: Range<usize>,
}

/// Where a call's arguments come from.
enum Input {
    /// Evaluated with the others, by position after the keys.
    Shared(Range<usize>),
    /// Evaluated where the filter is true: elsewhere they might fail.
    Filtered { filter: Evaluator, args: Vec<Evaluator> },
}

/// Takes columns of a batch to be spilled, and the hashes of the keys of its rows.
type WriteSpilled<'a> = dyn FnMut(Vec<ArrayRef>, &[u64]) -> Result<()> + 'a;

/// The constants among arguments, as accumulators are given them.
fn constants(spec: &AggregateSpec) -> Vec<Option<Literal>> {
    let constant = |a: &BoundExpr| match a {
        BoundExpr::Literal(l) => Some(l.clone()),
        _ => None,
    };
    spec.args.iter().map(constant).collect()
}

fn accumulator(cx: &TaskContext, spec: &AggregateSpec) -> Result<Box<dyn GroupsAccumulator>> {
    let env = &cx.query.env;
    let arg_types: Vec<DataType> = spec.args.iter().map(BoundExpr::data_type).collect();
    let call = AggregateCall {
        arg_types: &arg_types,
        constants: &constants(spec),
        return_type: &spec.data_type,
        ctx: &env.ctx,
        span: spec.span,
    };
    (env.registry.aggregate(&spec.function)?.accumulator)(&call)
}

impl Calls {
    /// For an operator.
    pub fn new(cx: &TaskContext, plan: &HashAggregate) -> Result<Calls> {
        let from_rows = matches!(plan.mode, AggregateMode::Partial | AggregateMode::Complete);
        let env = &cx.query.env;
        let mut shared: Vec<BoundExpr> = plan.groups.clone();
        let (mut list, mut states) = (Vec::with_capacity(plan.aggregates.len()), 0);
        for spec in &plan.aggregates {
            let holds_rows = spec.distinct || !spec.order_by.is_empty();
            if holds_rows && plan.mode != AggregateMode::Complete {
                return vonk_error::internal_err!("{} of rows in {:?} mode", spec.function, plan.mode);
            }
            let wanted = spec.args.iter().chain(spec.order_by.iter().map(|k| &k.expr));
            let begin = shared.len() - plan.groups.len();
            let input = match &spec.filter {
                _ if !from_rows => {
                    let columns = spec.state_types.iter().enumerate();
                    let first = plan.groups.len() + states;
                    shared.extend(columns.map(|(i, t)| BoundExpr::column(first + i, t.clone())));
                    Input::Shared(begin..begin + spec.state_types.len())
                }
                Some(filter) => Input::Filtered {
                    filter: Evaluator::new(filter, env)?,
                    args: wanted.map(|a| Evaluator::new(a, env)).collect::<Result<Vec<_>>>()?,
                },
                None => {
                    shared.extend(wanted.cloned());
                    Input::Shared(begin..shared.len() - plan.groups.len())
                }
            };
            let end = states + spec.state_types.len();
            list.push(Call {
                accumulator: accumulator(cx, spec)?,
                input,
                arg_types: spec.args.iter().map(|a| a.data_type().to_arrow()).collect(),
                state_types: spec.state_types.iter().map(DataType::to_arrow).collect(),
                states: states..end,
                set: holds_rows.then(|| RowSet::new(spec)).transpose()?,
                set_columns: 0..0,
            });
            states = end;
        }
        let position = RowPosition { partition: cx.partition, first_row: 0 };
        let shared = EvaluatorSet::new(&shared, env)?;
        let keys = plan.groups.len();
        Ok(Calls { list, shared, keys, state_columns: states, position, tag: None })
    }

    /// Columns of spilled groups: keys, states, and, if any call keeps rows, the rows of each set and what a batch holds.
    pub fn spill_schema(&mut self, keys: &[ArrowType]) -> SchemaRef {
        let mut types: Vec<ArrowType> = keys.to_vec();
        types.extend(self.list.iter().flat_map(|c| c.state_types.iter().cloned()));
        for call in &mut self.list {
            if let Some(set) = &call.set {
                call.set_columns = types.len()..types.len() + set.types().len();
                types.extend(set.types().iter().cloned());
                self.tag = Some(0);
            }
        }
        if let Some(tag) = &mut self.tag {
            *tag = types.len();
            types.push(ArrowType::Int32);
        }
        let fields = types.into_iter().enumerate().map(|(i, t)| Field::new(format!("c{i}"), t, true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// Keys of a batch, and what the calls share.
    pub fn evaluate(&mut self, batch: &RecordBatch) -> Result<(Vec<ArrayRef>, Vec<ArrayRef>)> {
        let mut keys = self.shared.evaluate_arrays(batch, self.position)?;
        let columns = keys.split_off(self.keys);
        Ok((keys, columns))
    }

    /// Adds the rows of a batch, of which `columns` are what the calls share.
    pub fn update(
        &mut self,
        batch: &RecordBatch,
        columns: &[ArrayRef],
        ids: &[u32],
        groups: usize,
    ) -> Result<()> {
        for call in &mut self.list {
            match &mut call.input {
                Input::Shared(range) => {
                    let columns = &columns[range.clone()];
                    call.add(columns, ids, groups)?;
                }
                Input::Filtered { filter, args } => {
                    let mask = filter.evaluate_filter(batch, self.position)?;
                    let args = args
                        .iter_mut()
                        .map(|a| a.evaluate_selected(batch, &mask, self.position))
                        .collect::<Result<Vec<_>>>()?;
                    let ids: Vec<u32> = mask.values().set_indices().map(|row| ids[row]).collect();
                    call.add(&args, &ids, groups)?;
                }
            }
        }
        self.position.first_row += batch.num_rows() as u64;
        Ok(())
    }

    /// Merges states.
    pub fn merge(&mut self, columns: &[ArrayRef], ids: &[u32], groups: usize) -> Result<()> {
        for call in &mut self.list {
            call.accumulator.merge(&columns[call.states.clone()], ids, groups)?;
        }
        Ok(())
    }

    /// Makes groups exist that no row has named.
    pub fn touch(&mut self, groups: usize, mode: AggregateMode) -> Result<()> {
        for call in &mut self.list {
            let empty = |types: &[ArrowType]| types.iter().map(new_empty_array).collect::<Vec<_>>();
            match mode {
                AggregateMode::Partial | AggregateMode::Complete => {
                    call.accumulator.update(&empty(&call.arg_types), &[], None, groups)?;
                }
                _ => call.accumulator.merge(&empty(&call.state_types), &[], groups)?,
            }
        }
        Ok(())
    }

    /// State columns of all groups.
    pub fn states(&mut self) -> Result<Vec<ArrayRef>> {
        let mut out = Vec::with_capacity(self.state_columns);
        for call in &mut self.list {
            out.extend(call.accumulator.state(EmitTo::All)?);
        }
        Ok(out)
    }

    /// Results of all groups.
    pub fn results(&mut self, groups: usize, batch_rows: usize) -> Result<Vec<ArrayRef>> {
        let mut out = Vec::with_capacity(self.list.len());
        for call in &mut self.list {
            if let Some(set) = &mut call.set {
                set.feed(call.accumulator.as_mut(), groups, batch_rows)?;
            }
            out.push(call.accumulator.evaluate(EmitTo::All)?);
        }
        Ok(out)
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        let sets = self.list.iter().filter_map(|c| c.set.as_ref()).map(RowSet::size).sum::<usize>();
        self.list.iter().map(|c| c.accumulator.size()).sum::<usize>() + sets
    }

    /// Takes all groups out as columns to be spilled, a batch at a time, with the hashes of their keys.
    pub fn take_spilled(
        &mut self,
        keys: &[ArrayRef],
        groups: usize,
        hashes: &[u64],
        batch_rows: usize,
        write: &mut WriteSpilled<'_>,
    ) -> Result<()> {
        let width = self.width();
        let mut columns = keys.to_vec();
        for call in &mut self.list {
            if call.set.is_some() {
                // Nothing has been fed to it; its state takes part so that all batches have the same columns.
                let empty: Vec<ArrayRef> = call.arg_types.iter().map(new_empty_array).collect();
                call.accumulator.update(&empty, &[], None, groups)?;
            }
            columns.extend(call.accumulator.state(EmitTo::All)?);
        }
        self.pad(&mut columns, width, groups, TAG_STATES);
        let mut from = 0;
        while from < groups {
            let n = batch_rows.min(groups - from);
            write(columns.iter().map(|c| c.slice(from, n)).collect(), &hashes[from..from + n])?;
            from += n;
        }
        self.take_sets(keys, hashes, batch_rows, write)
    }

    fn take_sets(
        &mut self,
        keys: &[ArrayRef],
        hashes: &[u64],
        batch_rows: usize,
        write: &mut WriteSpilled<'_>,
    ) -> Result<()> {
        for i in 0..self.list.len() {
            let Some(set) = &mut self.list[i].set else { continue };
            for (ids, rows) in set.take(batch_rows)? {
                let n = ids.len();
                let hashes: Vec<u64> = ids.values().iter().map(|id| hashes[*id as usize]).collect();
                let mut columns = Vec::with_capacity(self.width());
                for key in keys {
                    columns.push(take(key, &ids, None)?);
                }
                let position = self.list[i].set_columns.clone();
                self.pad(&mut columns, position.start, n, i as i32);
                columns.extend(rows);
                self.pad(&mut columns, self.width(), n, i as i32);
                write(columns, &hashes)?;
            }
        }
        Ok(())
    }

    /// Columns of spilled batches.
    fn width(&self) -> usize {
        self.tag.map_or(self.keys + self.state_columns, |t| t + 1)
    }

    /// Fills columns up to a width with nulls, and the tag.
    fn pad(&self, columns: &mut Vec<ArrayRef>, width: usize, rows: usize, tag: i32) {
        while columns.len() < width {
            let at = columns.len();
            if self.tag == Some(at) {
                columns.push(Arc::new(Int32Array::from(vec![tag; rows])));
            } else {
                columns.push(new_null_array(&self.spilled_type(at), rows));
            }
        }
    }

    fn spilled_type(&self, at: usize) -> ArrowType {
        for call in &self.list {
            let states = self.keys + call.states.start..self.keys + call.states.end;
            if states.contains(&at) {
                return call.state_types[at - states.start].clone();
            }
            if let (true, Some(set)) = (call.set_columns.contains(&at), &call.set) {
                return set.types()[at - call.set_columns.start].clone();
            }
        }
        ArrowType::Null
    }

    /// Keys of a spilled batch.
    pub fn spilled_keys<'b>(&self, batch: &'b RecordBatch) -> &'b [ArrayRef] {
        &batch.columns()[..self.keys]
    }

    /// Merges a spilled batch, of whose rows `ids` are the groups.
    pub fn merge_spilled(&mut self, batch: &RecordBatch, ids: &[u32], groups: usize) -> Result<()> {
        let tag = match self.tag {
            Some(at) => batch.column(at).as_primitive::<Int32Type>().value(0),
            None => TAG_STATES,
        };
        if tag == TAG_STATES {
            let keys = self.keys;
            return self.merge(&batch.columns()[keys..keys + self.state_columns], ids, groups);
        }
        // The states of these groups may have been spilled again: here they begin anew.
        self.touch(groups, AggregateMode::Final)?;
        let call = usize::try_from(tag).ok().and_then(|i| self.list.get_mut(i));
        let call = call.ok_or_else(|| Error::internal("a spilled batch of no call"))?;
        let range = call.set_columns.clone();
        match &mut call.set {
            Some(set) => set.insert(ids, &batch.columns()[range]),
            None => vonk_error::internal_err!("a spilled batch of a call without rows"),
        }
    }
}

impl Call {
    fn add(&mut self, columns: &[ArrayRef], ids: &[u32], groups: usize) -> Result<()> {
        match &mut self.set {
            Some(set) => set.insert(ids, columns),
            None => self.accumulator.update(columns, ids, None, groups),
        }
    }
}

/// A batch of columns without names, for row sets.
pub(super) fn unnamed(columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let fields = columns.iter().enumerate();
    let fields = fields.map(|(i, c)| Field::new(format!("c{i}"), c.data_type().clone(), true));
    with_rows(&Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns, rows)
}

/// Group numbers as an array.
pub(super) fn id_array(ids: &[u32]) -> UInt32Array {
    UInt32Array::from(ids.to_vec())
}
