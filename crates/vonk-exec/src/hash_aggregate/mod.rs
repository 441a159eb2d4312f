//! Groups by hashing.
//!
//! A [`KeyTable`] numbers the groups; each call's accumulator holds the state of all of them by number. Where memory is
//! refused, a partial aggregation puts out what it has and begins anew, and every other one writes its groups to disk as
//! states, split by hash, to be merged part by part when the input has ended. A partial aggregation that finds nearly every
//! row to be its own group stops grouping and passes rows on as states of one row each.

mod calls;
mod row_set;
#[cfg(test)]
mod tests;

use crate::batch::with_rows;
use crate::build;
use crate::context::TaskContext;
use crate::hashing::{KeyTable, SPILL_LEVELS, Splitter, hash_columns};
use crate::memory::Reservation;
use crate::metrics::NodeMetrics;
use crate::operator::{BoxedOperator, Operator};
use crate::spill::{SpillFile, SpillReader};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType as ArrowType, SchemaRef};
use calls::Calls;
use std::collections::VecDeque;
use std::sync::Arc;
use vonk_error::Result;
use vonk_functions::normalize::normalize_floats;
use vonk_physical::{AggregateMode, HashAggregate, PlanNode};

/// Rows after which a partial aggregation first judges whether it pays; it does so again whenever there are twice as many.
const JUDGE_AFTER_ROWS: u64 = 8 << 10;
/// After so many rows it no longer asks.
const JUDGE_UNTIL_ROWS: u64 = 128 << 10;
/// A share of rows with a key that was there before, so small that keys at random would have to be very many.
const SUSPICIOUSLY_FEW: f64 = 0.001;
/// Rows within which keys that come in rounds have come twice.
const ROUNDS_WITHIN_ROWS: u64 = 64 << 10;
/// It does not pay if there will be more groups than this share of the rows.
const WORTHLESS_ABOVE: f64 = 0.8;

/// Bytes above which room to grow is reserved too.
const ROOM_TO_GROW_ABOVE: usize = 1 << 20;

/// Groups are numbered in 32 bits: well before those end, groups go to disk as if memory had been refused.
const MOST_GROUPS: usize = 1 << 31;

/// Makes the operator.
pub fn operator(cx: &TaskContext, node: &PlanNode, plan: &HashAggregate) -> Result<BoxedOperator> {
    let key_types: Vec<ArrowType> = plan.groups.iter().map(|g| g.data_type().to_arrow()).collect();
    let mut calls = Calls::new(cx, plan)?;
    let spill_schema = calls.spill_schema(&key_types);
    let groups = KeyTable::new(key_types.clone(), vec![true; key_types.len()])?;
    Ok(Box::new(HashAggregateOperator {
        input: build::operator(cx, &plan.input)?,
        cx: cx.clone(),
        mode: plan.mode,
        has_keys: !key_types.is_empty(),
        schema: node.schema.to_arrow_schema(),
        spill_schema,
        calls,
        groups,
        ids: Vec::new(),
        expected_rows: expected_rows(&plan.input),
        judge_at: JUDGE_AFTER_ROWS,
        reservation: cx.exec.memory.reservation("aggregate"),
        metrics: cx.metrics.node(node.id),
        phase: Phase::Input,
        rows: 0,
        passing: false,
        spilling: None,
        parts: Vec::new(),
        out: Output::new(cx.query.batch_rows),
    }))
}

/// What the operator is doing.
enum Phase {
    /// Reading its input.
    Input,
    /// Merging a part that was spilled.
    Part(Box<SpillReader>, u32),
    /// Between parts, or at the end if there are none.
    Between,
}

struct HashAggregateOperator {
    input: BoxedOperator,
    cx: TaskContext,
    mode: AggregateMode,
    has_keys: bool,
    schema: SchemaRef,
    spill_schema: SchemaRef,
    calls: Calls,
    groups: KeyTable,
    /// Groups of the rows of a batch.
    ids: Vec<u32>,
    /// Rows that the planner expects of the input's partition.
    expected_rows: f64,
    /// Rows after which a partial aggregation judges itself.
    judge_at: u64,
    reservation: Reservation,
    metrics: Arc<NodeMetrics>,
    phase: Phase,
    /// Rows read.
    rows: u64,
    /// Rows are passed on without grouping.
    passing: bool,
    /// Where groups go when memory is short.
    spilling: Option<Splitter>,
    /// Parts that are still to be merged, with the level they were split at.
    parts: Vec<(SpillFile, u32)>,
    out: Output,
}

impl Operator for HashAggregateOperator {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.out.next() {
                return Ok(Some(batch));
            }
            self.cx.check_cancelled()?;
            match &mut self.phase {
                Phase::Input => match self.input.next()? {
                    Some(batch) => self.consume(&batch)?,
                    None => self.end_of_rows(0)?,
                },
                Phase::Part(reader, level) => {
                    let level = *level;
                    match reader.next()? {
                        Some(batch) => {
                            self.merge_spilled(&batch)?;
                            self.account(level + 1)?;
                        }
                        None => self.end_of_rows(level + 1)?,
                    }
                }
                Phase::Between => match self.parts.pop() {
                    Some((file, level)) => self.phase = Phase::Part(Box::new(file.reader()?), level),
                    None => {
                        self.shrink();
                        return Ok(None);
                    }
                },
            }
        }
    }
}

impl HashAggregateOperator {
    fn consume(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = batch.num_rows();
        let (keys, columns) = self.calls.evaluate(batch)?;
        if self.passing {
            let keys = keys.iter().map(normalize_floats).collect::<Result<Vec<_>>>()?;
            self.ids.clear();
            self.ids.extend(0..rows as u32);
            self.calls.update(batch, &columns, &self.ids, rows)?;
            let out = self.output(keys, rows)?;
            self.out.push(out);
            return Ok(());
        }
        self.groups.insert(&keys, rows, &mut self.ids)?;
        let groups = self.num_groups();
        match self.mode {
            AggregateMode::Partial | AggregateMode::Complete => {
                self.calls.update(batch, &columns, &self.ids, groups)?;
            }
            AggregateMode::Merge | AggregateMode::Final => self.calls.merge(&columns, &self.ids, groups)?,
        }
        self.rows += rows as u64;
        if self.is_worthless() {
            self.passing = true;
            return self.emit();
        }
        self.account(0)
    }

    fn num_groups(&self) -> usize {
        if self.has_keys { self.groups.len() } else { 1 }
    }

    /// Whether a partial aggregation will make nearly every row a group of its own.
    fn is_worthless(&mut self) -> bool {
        if self.mode != AggregateMode::Partial || !self.has_keys || self.rows < self.judge_at {
            return false;
        }
        self.judge_at = if self.rows < JUDGE_UNTIL_ROWS { self.rows * 2 } else { u64::MAX };
        let (rows, groups) = (self.rows as f64, self.groups.len() as f64);
        // Next to no key twice is what unique keys look like, and what rows look like that lie in the order of their keys, over and over
        // (a stock list a day): wait for the next round.
        if rows - groups < rows * SUSPICIOUSLY_FEW && self.rows < ROUNDS_WITHIN_ROWS {
            return false;
        }
        let total = self.expected_rows.max(rows);
        groups_among(total, rows, groups) > total * WORTHLESS_ABOVE
    }

    /// Reserves what is held now; if that is refused, gets rid of it.
    fn account(&mut self, level: u32) -> Result<()> {
        let held = self.groups.size() + self.calls.size();
        // Tables grow by doubling, and while one does, it is there twice: what is large asks for room to grow beforehand.
        let wanted = if held > ROOM_TO_GROW_ABOVE { held + held / 2 } else { held };
        if self.groups.len() < MOST_GROUPS && self.reservation.try_resize(wanted) {
            return Ok(());
        }
        if self.mode == AggregateMode::Partial {
            // What is put out is still held until it has been taken; the next rows make the reservation smaller.
            return self.emit();
        }
        // What cannot fall apart any further must be held, whatever the limit.
        if self.num_groups() <= 1 || level >= SPILL_LEVELS {
            let more = held.saturating_sub(self.reservation.bytes() as usize);
            self.reservation.grow(more);
            return Ok(());
        }
        self.spill(level)
    }

    fn shrink(&mut self) {
        // Shrinking is never refused.
        let _ = self.reservation.try_resize(0);
    }

    /// Writes all groups to disk as states.
    fn spill(&mut self, level: u32) -> Result<()> {
        let groups = self.num_groups();
        let keys = self.groups.take()?;
        let hashes = hash_columns(&keys, groups)?;
        let splitter = self
            .spilling
            .get_or_insert_with(|| Splitter::new(&self.cx, &self.metrics, &self.spill_schema, level));
        let rows = self.cx.query.batch_rows;
        self.calls.take_spilled(&keys, groups, &hashes, rows, &mut |columns, hashes| {
            let batch = with_rows(&self.spill_schema, columns, hashes.len())?;
            splitter.write(&batch, hashes)
        })?;
        self.shrink();
        Ok(())
    }

    /// Merges states (and rows of sets) that were spilled.
    fn merge_spilled(&mut self, batch: &RecordBatch) -> Result<()> {
        let keys = self.calls.spilled_keys(batch);
        self.groups.insert(keys, batch.num_rows(), &mut self.ids)?;
        let groups = self.num_groups();
        self.calls.merge_spilled(batch, &self.ids, groups)
    }

    /// All rows of the input, or of a part, have been read.
    fn end_of_rows(&mut self, level: u32) -> Result<()> {
        self.phase = Phase::Between;
        if self.spilling.is_some() {
            if self.num_groups() > 0 {
                self.spill(level)?;
            }
            let Some(splitter) = self.spilling.take() else { return Ok(()) };
            let level = splitter.level();
            self.parts.extend(splitter.finish()?.into_iter().flatten().map(|f| (f, level)));
            return Ok(());
        }
        if !self.passing {
            self.emit()?;
        }
        Ok(())
    }

    /// Puts all groups out.
    fn emit(&mut self) -> Result<()> {
        let groups = self.num_groups();
        if groups == 0 {
            return Ok(());
        }
        if !self.has_keys {
            self.calls.touch(groups, self.mode)?;
        }
        let keys = self.groups.take()?;
        let out = self.output(keys, groups)?;
        self.out.push(out);
        Ok(())
    }

    /// Keys and states or results of all groups, which are then gone from the accumulators.
    fn output(&mut self, mut columns: Vec<ArrayRef>, groups: usize) -> Result<RecordBatch> {
        match self.mode {
            AggregateMode::Partial | AggregateMode::Merge => columns.extend(self.calls.states()?),
            AggregateMode::Final | AggregateMode::Complete => {
                columns.extend(self.calls.results(groups, self.cx.query.batch_rows)?);
            }
        }
        with_rows(&self.schema, columns, groups)
    }
}

/// Rows that the planner expects of each partition of a node's output.
fn expected_rows(input: &PlanNode) -> f64 {
    input.estimated_rows.unwrap_or(0) as f64 / f64::from(input.partitions().max(1))
}

/// Groups to be expected among `total` rows when there are `groups` among the first `rows`, if all keys are equally frequent:
/// of `n` keys, rows meet `n (1 - e^(-rows/n))`.
fn groups_among(total: f64, rows: f64, groups: f64) -> f64 {
    let met = |keys: f64, rows: f64| keys * -(-rows / keys).exp_m1();
    // The number of keys is at least that of the groups; beyond a thousand times the rows, all rows differ.
    let (mut low, mut high) = (groups.max(1.0), rows * 1000.0);
    if groups >= met(high, rows) {
        return total;
    }
    for _ in 0..40 {
        let middle = (low * high).sqrt();
        if met(middle, rows) < groups { low = middle } else { high = middle }
    }
    met(high, total)
}

/// Batches to be put out, cut to size.
struct Output {
    batches: VecDeque<RecordBatch>,
    batch_rows: usize,
}

impl Output {
    fn new(batch_rows: usize) -> Self {
        Output { batches: VecDeque::new(), batch_rows }
    }

    fn push(&mut self, batch: RecordBatch) {
        if batch.num_rows() > 0 {
            self.batches.push_back(batch);
        }
    }

    fn next(&mut self) -> Option<RecordBatch> {
        let first = self.batches.front_mut()?;
        if first.num_rows() <= self.batch_rows {
            return self.batches.pop_front();
        }
        let batch = first.slice(0, self.batch_rows);
        *first = first.slice(self.batch_rows, first.num_rows() - self.batch_rows);
        Some(batch)
    }
}
