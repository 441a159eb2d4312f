//! Rows that wait for their window partition to end.
//!
//! A partition must be whole before its functions can be computed, but only the columns that they read must be in memory. When
//! memory is refused, whole rows go to a spill file, from which they are read again for the output, and the columns that no
//! function reads are dropped from memory.

use crate::batch::{batch_bytes, with_rows};
use crate::context::TaskContext;
use crate::memory::Reservation;
use crate::metrics::NodeMetrics;
use crate::spill::{SpillFile, SpillWriter};
use arrow::array::{ArrayRef, NullArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;
use vonk_error::Result;
use vonk_physical::{Window, WindowSpec};

/// Rows of partitions that may go on.
pub(super) struct Waiting {
    cx: TaskContext,
    metrics: Arc<NodeMetrics>,
    reservation: Reservation,
    /// Whether the functions read a column.
    needed: Vec<bool>,
    /// The input's columns, those that are not needed without data.
    stripped: SchemaRef,
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
    spill: Option<SpillWriter>,
}

/// Rows of whole partitions.
pub(super) struct Ended {
    /// The rows; if they were spilled, only the columns that the functions read.
    pub batches: Vec<RecordBatch>,
    /// All columns of the rows, if they were spilled.
    pub file: Option<SpillFile>,
}

impl Waiting {
    pub fn new(cx: &TaskContext, metrics: Arc<NodeMetrics>, plan: &Window) -> Self {
        let mut needed = vec![false; plan.input.schema.fields.len()];
        let exprs = plan.functions.iter().flat_map(|f| match f {
            WindowSpec::Aggregate { call, .. } => call.args.iter().chain(&call.filter).collect::<Vec<_>>(),
            WindowSpec::Function { args, .. } => args.iter().collect(),
        });
        let keys = plan.partition_by.iter().chain(plan.order_by.iter().map(|k| &k.expr));
        for column in exprs.chain(keys).flat_map(|e| e.columns()) {
            if let Some(n) = needed.get_mut(column) {
                *n = true;
            }
        }
        let schema = plan.input.schema.to_arrow_schema();
        let strip = |(f, needed): (&Arc<Field>, &bool)| match needed {
            true => f.clone(),
            false => Arc::new(Field::new(f.name(), DataType::Null, true)),
        };
        let stripped = schema.fields().iter().zip(&needed).map(strip).collect::<Vec<_>>();
        Waiting {
            metrics,
            reservation: cx.exec.memory.reservation("window"),
            needed,
            stripped: Arc::new(Schema::new(stripped)),
            batches: Vec::new(),
            rows: 0,
            bytes: 0,
            spill: None,
            cx: cx.clone(),
        }
    }

    /// How many rows wait.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds rows.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        let batch = self.spilled(batch)?;
        self.bytes += batch_bytes(&batch);
        self.batches.push(batch);
        if self.reservation.try_resize(self.bytes) {
            return Ok(());
        }
        if self.spill.is_none() && self.needed.contains(&false) {
            self.spill = Some(SpillWriter::create(&self.cx, &self.batches[0].schema())?);
            for batch in std::mem::take(&mut self.batches) {
                let batch = self.spilled(batch)?;
                self.batches.push(batch);
            }
            self.bytes = self.batches.iter().map(batch_bytes).sum();
        }
        if !self.reservation.try_resize(self.bytes) {
            // What the functions read must be in memory.
            let missing = (self.bytes as u64).saturating_sub(self.reservation.bytes());
            self.reservation.grow(usize::try_from(missing).unwrap_or(usize::MAX));
        }
        Ok(())
    }

    /// The part of a batch that stays in memory, if rows go to disk; all of it if not.
    fn spilled(&mut self, batch: RecordBatch) -> Result<RecordBatch> {
        let Some(spill) = &mut self.spill else { return Ok(batch) };
        spill.write(&batch)?;
        let rows = batch.num_rows();
        let columns = batch.columns().iter().zip(&self.needed).map(|(c, needed)| -> ArrayRef {
            if *needed { c.clone() } else { Arc::new(NullArray::new(rows)) }
        });
        with_rows(&self.stripped, columns.collect(), rows)
    }

    /// Takes all rows: their partitions have ended. Their memory stays reserved until the next rows come, when they have become
    /// output.
    pub fn take(&mut self) -> Result<Ended> {
        let file = self.spill.take().map(SpillWriter::finish).transpose()?;
        if let Some(file) = &file {
            NodeMetrics::add(&self.metrics.spilled, file.bytes());
        }
        (self.rows, self.bytes) = (0, 0);
        Ok(Ended { batches: std::mem::take(&mut self.batches), file })
    }
}
