//! Both ends of a shuffle: rows to the block store by partition, and a partition back from it.

use crate::batch::{batch_bytes, compact, concatenated};
use crate::build;
use crate::context::TaskContext;
use crate::gather::Gather;
use crate::memory::Reservation;
use crate::operator::{BoxedOperator, Operator};
use crate::project::Position;
use crate::sort::options_of;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_eval::{BoundExpr, EvaluatorSet};
use vonk_functions::normalize::normalize_floats;
use vonk_physical::{Partitioning, PlanNode, ShuffleRead, ShuffleWrite, SortKey};
use vonk_shuffle::partition::{RangePartitioner, Split, hash_partitions, round_robin_partitions};
use vonk_shuffle::{BlockReader, MapOutputSizes, MapWriter};
use vonk_sources::ReadProgress;
use vonk_types::Literal;

/// Runs a shuffle-map fragment: all rows of the input to the store, then commits.
pub(crate) fn write(cx: &TaskContext, _: &PlanNode, plan: &ShuffleWrite) -> Result<MapOutputSizes> {
    let partitions = plan.partitioning.partitions();
    let mut chooser = Chooser::new(cx, &plan.partitioning)?;
    let mut input = build::operator(cx, &plan.input)?;
    let writer = cx.exec.shuffle.writer(plan.shuffle, cx.partition, cx.attempt, partitions)?;
    let mut buffers = Buffers {
        parts: (0..partitions).map(|_| Part::default()).collect(),
        batch_rows: cx.query.batch_rows,
        bytes: 0,
        reservation: cx.exec.memory.reservation("shuffle write"),
        writer,
    };
    let mut position = Position::new(cx);
    while let Some(batch) = input.next()? {
        cx.check_cancelled()?;
        // The parts of a batch share its buffers, so it must not drag unused ones along.
        let batch = compact(&batch)?;
        match chooser.choose(&batch, &mut position)? {
            None => buffers.add(chooser.one(), batch)?,
            Some(ids) => {
                for (p, part) in Split::new(&ids, partitions).batches(&batch)? {
                    buffers.add(p, part)?;
                }
            }
        }
    }
    drop(input);
    buffers.flush_all()?;
    buffers.writer.commit()
}

/// Tells the partition of each row.
enum Chooser {
    /// The same for all.
    One(u32),
    Hash {
        keys: EvaluatorSet,
        partitions: u32,
    },
    Range {
        keys: EvaluatorSet,
        partitioner: RangePartitioner,
    },
    RoundRobin {
        next: u32,
        partitions: u32,
    },
}

impl Chooser {
    fn new(cx: &TaskContext, partitioning: &Partitioning) -> Result<Self> {
        Ok(match partitioning {
            Partitioning::Single | Partitioning::Broadcast => Chooser::One(0),
            p if p.partitions() <= 1 => Chooser::One(0),
            Partitioning::Kept { .. } => Chooser::One(cx.partition),
            Partitioning::Hash { keys, partitions } => {
                Chooser::Hash { keys: EvaluatorSet::new(keys, &cx.query.env)?, partitions: *partitions }
            }
            Partitioning::RoundRobin { partitions } => {
                // Every map task begins elsewhere, so that small inputs do not all go to the first partition.
                Chooser::RoundRobin { next: cx.partition % partitions, partitions: *partitions }
            }
            Partitioning::Range { bounds: None, .. } => {
                return Err(Error::internal("a range partitioning without bounds"));
            }
            Partitioning::Range { bounds: Some(bounds), .. } if bounds.is_empty() => Chooser::One(0),
            Partitioning::Range { keys, bounds: Some(bounds), .. } => {
                let exprs: Vec<BoundExpr> = keys.iter().map(|k| k.expr.clone()).collect();
                Chooser::Range {
                    partitioner: RangePartitioner::new(&bound_columns(keys, bounds)?, &options_of(keys))?,
                    keys: EvaluatorSet::new(&exprs, &cx.query.env)?,
                }
            }
        })
    }

    /// Where rows go of which [`choose`](Self::choose) says nothing.
    fn one(&self) -> u32 {
        match self {
            Chooser::One(partition) => *partition,
            _ => 0,
        }
    }

    /// The partition of each row; `None` if all rows go to [one](Self::one).
    fn choose(&mut self, batch: &RecordBatch, position: &mut Position) -> Result<Option<Vec<u32>>> {
        let rows = batch.num_rows();
        Ok(match self {
            Chooser::One(_) => None,
            Chooser::Hash { keys, partitions } => {
                let keys = keys.evaluate_arrays(batch, position.of(batch))?;
                Some(hash_partitions(&keys, rows, *partitions)?)
            }
            Chooser::Range { keys, partitioner } => {
                let keys = keys.evaluate_arrays(batch, position.of(batch))?;
                let keys = keys.iter().map(normalize_floats).collect::<Result<Vec<_>>>()?;
                Some(partitioner.partitions(&keys)?)
            }
            Chooser::RoundRobin { next, partitions } => Some(round_robin_partitions(rows, *partitions, next)),
        })
    }
}

/// Bounds as a column per key.
fn bound_columns(keys: &[SortKey], bounds: &[Vec<Literal>]) -> Result<Vec<ArrayRef>> {
    let missing = || Error::internal("a bound without a value for each key");
    let column = |k: usize| -> Result<ArrayRef> {
        let values = bounds.iter().map(|b| b.get(k).ok_or_else(missing)?.to_array(1));
        let values = values.collect::<Result<Vec<_>>>()?;
        let refs: Vec<_> = values.iter().map(|v| v.as_ref()).collect();
        normalize_floats(&concat(&refs)?)
    };
    (0..keys.len()).map(column).collect()
}

/// Rows on their way to one partition.
#[derive(Default)]
struct Part {
    batches: Vec<RecordBatch>,
    rows: usize,
}

/// Rows on their way to the store, which wants batches of a good size.
struct Buffers {
    parts: Vec<Part>,
    batch_rows: usize,
    bytes: usize,
    reservation: Reservation,
    writer: Box<dyn MapWriter>,
}

impl Buffers {
    fn add(&mut self, p: u32, batch: RecordBatch) -> Result<()> {
        let index = p as usize;
        let rows = batch.num_rows();
        if self.parts[index].rows == 0 && rows * 2 > self.batch_rows {
            return self.writer.push(p, batch);
        }
        let bytes = batch_bytes(&batch);
        self.parts[index].rows += rows;
        self.parts[index].batches.push(batch);
        self.bytes += bytes;
        if self.parts[index].rows >= self.batch_rows {
            return self.flush(p);
        }
        if !self.reservation.try_resize(self.bytes) {
            self.flush_all()?;
        }
        Ok(())
    }

    fn flush(&mut self, p: u32) -> Result<()> {
        let part = std::mem::take(&mut self.parts[p as usize]);
        let bytes: usize = part.batches.iter().map(batch_bytes).sum();
        let whole = match part.batches.as_slice() {
            [] => return Ok(()),
            [one] => one.clone(),
            many => concatenated(&many[0].schema(), many)?,
        };
        drop(part);
        self.bytes = self.bytes.saturating_sub(bytes);
        // Making it smaller is never refused; giving back first lets the store have the memory.
        let _ = self.reservation.try_resize(self.bytes.min(self.reservation.bytes() as usize));
        self.writer.push(p, whole)
    }

    fn flush_all(&mut self) -> Result<()> {
        (0..self.parts.len() as u32).try_for_each(|p| self.flush(p))
    }
}

/// Makes the operator that reads a partition of a shuffle.
pub(crate) fn read(cx: &TaskContext, node: &PlanNode, plan: &ShuffleRead) -> Result<BoxedOperator> {
    let (reduce, shares) = if plan.broadcast { (0, 1) } else { (cx.partition, plan.partitions.max(1)) };
    Ok(Box::new(Read {
        progress: cx.metrics.reading(node.estimated_rows.unwrap_or(0) / u64::from(shares)),
        source: Source::Unopened { shuffle: plan.shuffle, maps: plan.maps, reduce },
        gather: Gather::new(node.schema.to_arrow_schema(), cx.query.batch_rows),
        cx: cx.clone(),
    }))
}

struct Read {
    cx: TaskContext,
    source: Source,
    gather: Gather,
    /// Against what is there, if the reader can tell, or else the planner's estimate.
    progress: Arc<ReadProgress>,
}

/// Opened when first pulled: blocks of the other input of a join need not be held while the first is read.
enum Source {
    Unopened { shuffle: u64, maps: u32, reduce: u32 },
    Open(Box<dyn BlockReader>),
    Done,
}

impl Operator for Read {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.gather.ready()? {
                return Ok(Some(batch));
            }
            self.cx.check_cancelled()?;
            match &mut self.source {
                Source::Unopened { shuffle, maps, reduce } => {
                    let places = self.cx.inputs.get(*shuffle);
                    let reader = self.cx.exec.shuffle.reader(*shuffle, *maps, *reduce, places)?;
                    if let Some(rows) = reader.rows() {
                        self.progress.expect(rows);
                    }
                    self.source = Source::Open(reader);
                }
                Source::Open(reader) => match reader.next(&|| self.cx.check_cancelled())? {
                    Some(batch) if batch.num_rows() == 0 => {}
                    Some(batch) => {
                        self.progress.pass(batch.num_rows());
                        self.gather.push(batch)?;
                    }
                    None => {
                        self.progress.finish();
                        self.source = Source::Done;
                    }
                },
                Source::Done => return self.gather.rest(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::task::{TaskSpec, run_task};
    use crate::testing::{batch_of, column, node, run_on, test_executor, test_query, values};
    use arrow::array::{Array, AsArray, Int64Array, StringViewArray};
    use arrow::datatypes::Int64Type;
    use std::sync::Arc;
    use vonk_physical::{Partitioning, PhysicalPlan, ShuffleRead, ShuffleWrite, SortKey};
    use vonk_types::{DataType, Literal};

    /// The keys in each partition after a shuffle of 0..1000 from two map tasks.
    fn shuffled(partitioning: Partitioning, limit: Option<u64>) -> Vec<Vec<i64>> {
        let exec = Arc::new(test_executor(limit));
        let query = test_query(64);
        let types = [DataType::Long, DataType::String];
        let partitions = partitioning.partitions();
        for map in 0..2i64 {
            let keys = Int64Array::from_iter_values(map * 500..(map + 1) * 500);
            let text = StringViewArray::from_iter_values(
                keys.values().iter().map(|k| format!("the text of row {k}")),
            );
            let input = Box::new(values(batch_of(vec![Arc::new(keys), Arc::new(text)])));
            let write = ShuffleWrite { shuffle: 9, partitioning: partitioning.clone(), input };
            let fragment = Arc::new(node(&types, PhysicalPlan::ShuffleWrite(write)));
            // Values are in partition 0, so both tasks run that; the map number is what tells them apart.
            let task = TaskSpec {
                fragment,
                partition: 0,
                attempt: map as u32,
                generation: 0,
                inputs: Default::default(),
                cancel: None,
            };
            let out = run_task(&exec, &query, &task, &mut |_| panic!("rows of a map task")).unwrap();
            assert_eq!(out.map_output.unwrap().rows.iter().sum::<u64>(), 500);
        }
        (0..partitions)
            .map(|p| {
                let read = ShuffleRead { shuffle: 9, maps: 2, partitions, broadcast: false };
                let rows = run_on(&exec, &query, node(&types, PhysicalPlan::ShuffleRead(read)), p).unwrap();
                let keys = rows.column(0).as_primitive::<Int64Type>();
                let texts = rows.column(1).as_string_view();
                for i in 0..rows.num_rows() {
                    assert_eq!(texts.value(i), format!("the text of row {}", keys.value(i)));
                }
                assert_eq!(keys.null_count(), 0);
                keys.values().to_vec()
            })
            .collect()
    }

    #[test]
    fn every_row_arrives_once() {
        let key = column(0, DataType::Long);
        let sort = SortKey { expr: key.clone(), descending: true, nulls_first: false };
        let bound = |i: i64| vec![Literal::long(i)];
        let all = [
            Partitioning::Hash { keys: vec![key], partitions: 4 },
            Partitioning::RoundRobin { partitions: 3 },
            Partitioning::Single,
            Partitioning::Broadcast,
            Partitioning::Range {
                keys: vec![sort.clone()],
                partitions: 3,
                bounds: Some(vec![bound(900), bound(700)]),
            },
            Partitioning::Range { keys: vec![sort], partitions: 3, bounds: Some(vec![]) },
        ];
        for partitioning in all {
            for limit in [None, Some(2_000)] {
                let parts = shuffled(partitioning.clone(), limit);
                let mut rows: Vec<i64> = parts.concat();
                rows.sort_unstable();
                // The second map task replaces the first of the same number: what counts is that none is lost or doubled.
                assert_eq!(rows, (500..1000).collect::<Vec<_>>(), "{partitioning:?}");
                if let Partitioning::Range { bounds: Some(b), .. } = &partitioning {
                    if !b.is_empty() {
                        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [100, 200, 200]);
                    }
                }
            }
        }
    }
}
