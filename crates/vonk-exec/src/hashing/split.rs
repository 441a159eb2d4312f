//! Rows split by hash into spill files.

use super::{SPILL_PARTS, split_rows};
use crate::context::TaskContext;
use crate::metrics::NodeMetrics;
use crate::spill::{SpillFile, SpillWriter};
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use std::sync::Arc;
use vonk_error::Result;

/// Writes rows to as many files as there are parts, by hash.
pub(crate) struct Splitter {
    cx: TaskContext,
    metrics: Arc<NodeMetrics>,
    schema: SchemaRef,
    level: u32,
    writers: Vec<Option<SpillWriter>>,
}

impl Splitter {
    /// Splits at a level: rows of one part of a level fall apart at the next.
    pub fn new(cx: &TaskContext, metrics: &Arc<NodeMetrics>, schema: &SchemaRef, level: u32) -> Self {
        let writers = std::iter::repeat_with(|| None).take(SPILL_PARTS).collect();
        Splitter { cx: cx.clone(), metrics: metrics.clone(), schema: schema.clone(), level, writers }
    }

    /// The level.
    pub fn level(&self) -> u32 {
        self.level
    }

    /// Adds rows, each with its hash.
    pub fn write(&mut self, batch: &RecordBatch, hashes: &[u64]) -> Result<()> {
        for (part, rows) in split_rows(hashes, self.level).into_iter().enumerate() {
            if rows.is_empty() {
                continue;
            }
            let writer = match &mut self.writers[part] {
                Some(w) => w,
                none => none.insert(SpillWriter::create(&self.cx, &self.schema)?),
            };
            writer.write(&take_record_batch(batch, &UInt32Array::from(rows))?)?;
        }
        Ok(())
    }

    /// The files by part; `None` where no row fell.
    pub fn finish(self) -> Result<Vec<Option<SpillFile>>> {
        let mut files = Vec::with_capacity(self.writers.len());
        for writer in self.writers {
            let file = writer.map(SpillWriter::finish).transpose()?;
            if let Some(f) = &file {
                NodeMetrics::add(&self.metrics.spilled, f.bytes());
            }
            files.push(file);
        }
        Ok(files)
    }
}
