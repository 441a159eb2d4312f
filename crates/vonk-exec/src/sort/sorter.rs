//! Collects rows and sorts them, with runs on disk where memory is refused.

use super::keys::SortKeys;
use super::merge::{Merge, Run};
use super::order::sorted_indices;
use crate::batch::{array_bytes, batch_bytes, compact, few_buffers, with_rows};
use crate::context::TaskContext;
use crate::memory::Reservation;
use crate::metrics::NodeMetrics;
use crate::spill::SpillWriter;
use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat, interleave, take};
use arrow::datatypes::SchemaRef;
use std::sync::Arc;
use vonk_error::Result;
use vonk_physical::{PlanNode, SortKey};

/// Bytes per row that sorting needs beside the rows: a packed key and its place in the order.
const OVERHEAD: usize = 24;
/// Rows sorted at once: row numbers have 32 bits.
const MAX_ROWS: usize = 1 << 31;
/// Bytes of a batch of a run on disk: merging holds one of each run.
const RUN_BATCH_BYTES: usize = 256 << 10;

/// A batch with its keys.
struct Kept {
    batch: RecordBatch,
    keys: Vec<ArrayRef>,
}

/// Takes batches, gives them back sorted.
pub(crate) struct Sorter {
    cx: TaskContext,
    keys: SortKeys,
    schema: SchemaRef,
    metrics: Arc<NodeMetrics>,
    reservation: Reservation,
    kept: Vec<Kept>,
    rows: usize,
    bytes: usize,
    runs: Vec<Run>,
}

impl Sorter {
    /// For the output of a node.
    pub fn new(cx: &TaskContext, node: &PlanNode, keys: &[SortKey]) -> Result<Self> {
        Ok(Sorter {
            keys: SortKeys::new(cx, keys)?,
            schema: node.schema.to_arrow_schema(),
            metrics: cx.metrics.node(node.id),
            reservation: cx.exec.memory.reservation("sort"),
            kept: Vec::new(),
            rows: 0,
            bytes: 0,
            runs: Vec::new(),
            cx: cx.clone(),
        })
    }

    /// Adds rows.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let batch = compact(&batch)?;
        let keys = self.keys.evaluate(&batch)?;
        let bytes =
            batch_bytes(&batch) + keys.iter().map(array_bytes).sum::<usize>() + OVERHEAD * batch.num_rows();
        if self.rows + batch.num_rows() > MAX_ROWS {
            self.spill()?;
        }
        if !self.reservation.try_resize(self.bytes + bytes) {
            self.spill()?;
            if !self.reservation.try_resize(bytes) {
                self.reservation.grow(bytes);
            }
        }
        self.bytes += bytes;
        self.rows += batch.num_rows();
        self.kept.push(Kept { batch, keys });
        Ok(())
    }

    /// Writes the rows in memory as a sorted run.
    fn spill(&mut self) -> Result<()> {
        if self.kept.is_empty() {
            return Ok(());
        }
        let kept = std::mem::take(&mut self.kept);
        let order = self.order(&kept)?;
        let data: usize = kept.iter().map(|k| batch_bytes(&k.batch)).sum();
        let chunk = (RUN_BATCH_BYTES / (data / self.rows).max(1)).clamp(1, self.cx.query.batch_rows);
        let places = Places::new(&kept);
        let mut writer = SpillWriter::create(&self.cx, &self.schema)?;
        let mut batch_size = 0;
        for rows in order.chunks(chunk) {
            self.cx.check_cancelled()?;
            let places = rows.iter().map(|row| places.of(*row)).collect::<Vec<_>>();
            let columns = (0..self.schema.fields().len()).map(|c| {
                let parts: Vec<&dyn Array> = kept.iter().map(|k| k.batch.column(c).as_ref()).collect();
                interleave(&parts, &places)
            });
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let batch = with_rows(&self.schema, columns, rows.len())?;
            batch_size = batch_size.max(batch_bytes(&batch));
            writer.write(&batch)?;
        }
        let file = writer.finish()?;
        NodeMetrics::add(&self.metrics.spilled, file.bytes());
        self.runs.push(Run { file, batch_bytes: batch_size });
        drop(kept);
        (self.rows, self.bytes) = (0, 0);
        // Making it smaller is never refused.
        let _ = self.reservation.try_resize(0);
        Ok(())
    }

    fn order(&self, kept: &[Kept]) -> Result<Vec<u32>> {
        self.cx.check_cancelled()?;
        let count = self.keys.options.len();
        let columns = (0..count).map(|i| join(kept.iter().map(|k| &k.keys[i])));
        sorted_indices(&self.keys, &columns.collect::<Result<Vec<_>>>()?, self.rows)
    }

    /// The rows in order.
    pub fn finish(mut self) -> Result<Sorted> {
        if !self.runs.is_empty() {
            self.spill()?;
            let Sorter { cx, keys, schema, metrics, reservation, runs, .. } = self;
            return Ok(Sorted::Merge(Merge::new(cx, keys, schema, metrics, reservation, runs)?));
        }
        let order = self.order(&self.kept)?;
        let mut batches: Vec<RecordBatch> = self.kept.into_iter().map(|k| k.batch).collect();
        let columns = match batches.as_slice() {
            [] => vec![],
            [one] => one.columns().to_vec(),
            many => {
                // Column by column, each freed when it has been joined.
                let mut columns: Vec<Vec<ArrayRef>> =
                    vec![Vec::with_capacity(many.len()); self.schema.fields().len()];
                for batch in std::mem::take(&mut batches) {
                    batch.columns().iter().zip(&mut columns).for_each(|(c, list)| list.push(c.clone()));
                }
                columns.into_iter().map(|list| join(list.iter())).collect::<Result<_>>()?
            }
        };
        Ok(Sorted::Memory(InMemory {
            schema: self.schema,
            columns,
            order: order.into(),
            at: 0,
            batch_rows: self.cx.query.batch_rows,
            _reservation: self.reservation,
        }))
    }
}

fn join<'a>(arrays: impl Iterator<Item = &'a ArrayRef>) -> Result<ArrayRef> {
    let arrays: Vec<&dyn Array> = arrays.map(|a| a.as_ref()).collect();
    Ok(match arrays.as_slice() {
        // A sort of nothing has no rows to order.
        [] => Arc::new(arrow::array::NullArray::new(0)),
        [one] => one.slice(0, one.len()),
        many => few_buffers(&concat(many)?),
    })
}

/// Where rows numbered through all batches are.
struct Places {
    ends: Vec<usize>,
}

impl Places {
    fn new(kept: &[Kept]) -> Self {
        let mut end = 0;
        let ends = kept.iter().map(|k| {
            end += k.batch.num_rows();
            end
        });
        Places { ends: ends.collect() }
    }

    fn of(&self, row: u32) -> (usize, usize) {
        let row = row as usize;
        let batch = self.ends.partition_point(|e| *e <= row);
        (batch, row - if batch == 0 { 0 } else { self.ends[batch - 1] })
    }
}

/// Sorted rows, to be pulled.
pub(crate) enum Sorted {
    /// From memory.
    Memory(InMemory),
    /// From runs on disk.
    Merge(Merge),
}

impl Sorted {
    /// The next batch; `None` at the end.
    pub fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self {
            Sorted::Memory(m) => m.next(),
            Sorted::Merge(m) => m.next(),
        }
    }
}

pub(crate) struct InMemory {
    schema: SchemaRef,
    columns: Vec<ArrayRef>,
    order: UInt32Array,
    at: usize,
    batch_rows: usize,
    _reservation: Reservation,
}

impl InMemory {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let n = self.batch_rows.min(self.order.len() - self.at);
        if n == 0 {
            return Ok(None);
        }
        let rows = self.order.slice(self.at, n);
        self.at += n;
        let columns = self.columns.iter().map(|c| take(c, &rows, None)).collect::<Result<Vec<_>, _>>()?;
        with_rows(&self.schema, columns, n).map(Some)
    }
}
