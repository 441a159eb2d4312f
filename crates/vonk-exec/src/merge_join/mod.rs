//! Join of sorted inputs.
//!
//! Both inputs are read side by side and cut at keys: rows of both that are known to be complete up to a key make a unit, which
//! is joined by itself as in the hash join. So only a few batches of each side are held. Rows of one key that do not fit, on
//! either side, go to disk, and the join takes them piece by piece.
//!
//! Output comes in the order of the keys, except for rows of the held side that have no match.

use crate::batch::batch_bytes;
use crate::context::TaskContext;
use crate::hash_join::{Form, JoinOperator, JoinPlan, Part, Side, Unit, Units};
use crate::memory::Reservation;
use crate::metrics::NodeMetrics;
use crate::operator::BoxedOperator;
use crate::spill::{SpillFile, SpillWriter};
use arrow::array::RecordBatch;
use arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use std::collections::VecDeque;
use std::sync::Arc;
use vonk_error::Result;
use vonk_functions::normalize::normalize_floats;
use vonk_physical::{BuildSide, JoinKind, PlanNode, SortMergeJoin};

#[cfg(test)]
mod tests;

/// Makes the operator.
pub fn operator(cx: &TaskContext, node: &PlanNode, plan: &SortMergeJoin) -> Result<BoxedOperator> {
    if plan.join.kind == JoinKind::NullAwareAnti || (plan.join.kind == JoinKind::Mark && plan.join.null_aware)
    {
        return vonk_error::internal_err!("a null-aware join must see all of its right side");
    }
    // Left rows run past right rows, except where right rows are to come out without a match.
    let build = if plan.join.kind == JoinKind::Right { BuildSide::Left } else { BuildSide::Right };
    let join = JoinOperator::new(
        cx,
        &JoinPlan {
            node,
            left: &plan.left,
            right: &plan.right,
            left_keys: &plan.left_keys,
            right_keys: &plan.right_keys,
            null_safe: &plan.null_safe,
            build,
            broadcast: false,
            join: &plan.join,
            runtime_filter: None,
        },
    )?;
    let types = plan.left_keys.iter().map(|k| SortField::new(k.data_type().to_arrow()));
    let converter = Arc::new(RowConverter::new(types.collect())?);
    let metrics = cx.metrics.node(node.id);
    let cx = cx.clone();
    Ok(Box::new(join.by_units(|probe, build| {
        Box::new(Merge {
            reservation: cx.exec.memory.reservation("merge join"),
            probe: Sorted::new(probe, &converter),
            build: Sorted::new(build, &converter),
            cx,
            metrics,
        })
    })))
}

/// Cuts both inputs into units.
struct Merge {
    cx: TaskContext,
    metrics: Arc<NodeMetrics>,
    probe: Sorted,
    build: Sorted,
    reservation: Reservation,
}

/// A sorted input: what has been read of it and is not yet in a unit.
struct Sorted {
    input: Option<BoxedOperator>,
    converter: Arc<RowConverter>,
    held: VecDeque<Held>,
}

struct Held {
    rows: RecordBatch,
    keys: Rows,
}

impl Units for Merge {
    fn next(&mut self, probe: &mut Side, build: &mut Side) -> Result<Option<Unit>> {
        loop {
            self.cx.check_cancelled()?;
            self.probe.fill(probe)?;
            self.build.fill(build)?;
            if self.probe.held.is_empty() && self.build.held.is_empty() {
                return Ok(None);
            }
            // Rows below the last key read are complete, unless there is no more to be read.
            let cut = match (self.probe.open_end(), self.build.open_end()) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            let Some(cut) = cut else { return Ok(Some(self.unit(None)?)) };
            if self.probe.starts_below(&cut) || self.build.starts_below(&cut) {
                return Ok(Some(self.unit(Some(&cut))?));
            }
            // All that is held of a side has this key: more must be read to see its end.
            if !self.reserve() {
                return Ok(Some(self.spill_key(&cut, probe, build)?));
            }
            if self.probe.open_end().is_some_and(|end| end == cut) {
                self.probe.read(probe)?;
            }
            if self.build.open_end().is_some_and(|end| end == cut) {
                self.build.read(build)?;
            }
        }
    }
}

impl Merge {
    /// Takes the rows below a key, or all there are.
    fn unit(&mut self, cut: Option<&OwnedRow>) -> Result<Unit> {
        let unit = Unit::Rows { build: self.build.take_below(cut), probe: self.probe.take_below(cut) };
        // Shrinking is never refused, and what is left of single batches cannot be done without.
        let _ = self.reservation.try_resize(0);
        Ok(unit)
    }

    fn reserve(&mut self) -> bool {
        let held = self.probe.held.iter().chain(&self.build.held);
        self.reservation.try_resize(held.map(|h| batch_bytes(&h.rows)).sum())
    }

    /// Writes all rows of a key to disk.
    fn spill_key(&mut self, key: &OwnedRow, probe: &mut Side, build: &mut Side) -> Result<Unit> {
        let part = Part {
            build: self.build.spill_key(&self.cx, &self.metrics, key, build)?,
            probe: self.probe.spill_key(&self.cx, &self.metrics, key, probe)?,
            level: 0,
            piecewise: true,
        };
        let _ = self.reservation.try_resize(0);
        Ok(Unit::Part(part))
    }
}

impl Sorted {
    fn new(input: BoxedOperator, converter: &Arc<RowConverter>) -> Self {
        Sorted { input: Some(input), converter: converter.clone(), held: VecDeque::new() }
    }

    /// Reads a batch if none is held.
    fn fill(&mut self, side: &mut Side) -> Result<()> {
        if self.held.is_empty() { self.read(side) } else { Ok(()) }
    }

    /// Reads another batch.
    fn read(&mut self, side: &mut Side) -> Result<()> {
        let Some(input) = &mut self.input else { return Ok(()) };
        match input.next()? {
            Some(batch) => {
                let held = self.held_of(side.hold(&batch)?, &side.form)?;
                self.held.push_back(held);
            }
            None => self.input = None,
        }
        Ok(())
    }

    fn held_of(&self, rows: RecordBatch, form: &Form) -> Result<Held> {
        let keys = form.keys(&rows).iter().map(normalize_floats).collect::<Result<Vec<_>>>()?;
        Ok(Held { keys: self.converter.convert_columns(&keys)?, rows })
    }

    /// The last key read, if there may be more rows of it.
    fn open_end(&self) -> Option<OwnedRow> {
        self.input.as_ref()?;
        let last = self.held.back()?;
        Some(last.keys.row(last.keys.num_rows() - 1).owned())
    }

    fn starts_below(&self, key: &OwnedRow) -> bool {
        self.held.front().is_some_and(|h| h.keys.row(0) < key.row())
    }

    /// Takes the rows whose keys are below one, or all.
    fn take_below(&mut self, cut: Option<&OwnedRow>) -> Vec<RecordBatch> {
        self.take_while(|keys, row| cut.is_none_or(|cut| keys.row(row) < cut.row()))
    }

    /// Takes the first rows, as long as they are of a kind.
    fn take_while(&mut self, take: impl Fn(&Rows, usize) -> bool) -> Vec<RecordBatch> {
        let mut out = vec![];
        while let Some(first) = self.held.pop_front() {
            let n = first.rows.num_rows();
            let taken = partition_point(n, |row| take(&first.keys, row));
            if taken > 0 {
                out.push(first.rows.slice(0, taken));
            }
            if taken < n {
                let mut keys = self.converter.empty_rows(n - taken, 0);
                (taken..n).for_each(|row| keys.push(first.keys.row(row)));
                self.held.push_front(Held { rows: first.rows.slice(taken, n - taken), keys });
                break;
            }
        }
        out
    }

    /// Writes all rows of a key, read and unread, to a file.
    fn spill_key(
        &mut self,
        cx: &TaskContext,
        metrics: &Arc<NodeMetrics>,
        key: &OwnedRow,
        side: &mut Side,
    ) -> Result<Option<SpillFile>> {
        let mut writer = SpillWriter::create(cx, &side.form.schema)?;
        loop {
            cx.check_cancelled()?;
            for batch in self.take_while(|keys, row| keys.row(row) <= key.row()) {
                writer.write(&batch)?;
            }
            if !self.held.is_empty() || self.input.is_none() {
                break;
            }
            self.read(side)?;
        }
        let file = writer.finish()?;
        NodeMetrics::add(&metrics.spilled, file.bytes());
        Ok((file.rows() > 0).then_some(file))
    }
}

/// The first number below `n` for which `before` does not hold.
fn partition_point(n: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
