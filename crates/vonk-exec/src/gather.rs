//! Puts small batches together, so that later operators work on well-filled ones.

use crate::batch::with_rows;
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::BatchCoalescer;
use arrow::datatypes::SchemaRef;
use vonk_error::Result;

/// Collects rows until there are enough for a batch. Large batches pass through uncopied.
pub(crate) struct Gather {
    coalescer: BatchCoalescer,
    schema: SchemaRef,
    target: usize,
    /// Rows that are enough for now. Begins low and grows: a LIMIT above should not wait for a full batch.
    enough: usize,
    /// Rows of batches without columns.
    bare: usize,
}

impl Gather {
    /// For batches of `target` rows.
    pub fn new(schema: SchemaRef, target: usize) -> Self {
        let target = target.max(1);
        let coalescer = BatchCoalescer::new(schema.clone(), target)
            .with_biggest_coalesce_batch_size(Some((target / 2).max(1)));
        Gather { coalescer, schema, target, enough: 1, bare: 0 }
    }

    /// Adds rows.
    pub fn push(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_columns() == 0 {
            self.bare += batch.num_rows();
            return Ok(());
        }
        Ok(self.coalescer.push_batch(batch)?)
    }

    /// Adds the rows where `mask` (without nulls) is true.
    pub fn push_filtered(&mut self, batch: RecordBatch, mask: &BooleanArray) -> Result<()> {
        if batch.num_columns() == 0 {
            self.bare += mask.true_count();
            return Ok(());
        }
        Ok(self.coalescer.push_batch_with_filter(batch, mask)?)
    }

    /// A batch, if there is enough for one.
    pub fn ready(&mut self) -> Result<Option<RecordBatch>> {
        if self.bare >= self.enough {
            return self.take_bare();
        }
        if let Some(batch) = self.coalescer.next_completed_batch() {
            return Ok(Some(batch));
        }
        if self.coalescer.get_buffered_rows() < self.enough {
            return Ok(None);
        }
        self.enough = (self.enough * 4).min(self.target);
        self.coalescer.finish_buffered_batch()?;
        Ok(self.coalescer.next_completed_batch())
    }

    /// At the end of the input: what is left, batch by batch, then `None`.
    pub fn rest(&mut self) -> Result<Option<RecordBatch>> {
        if self.bare > 0 {
            return self.take_bare();
        }
        if let Some(batch) = self.coalescer.next_completed_batch() {
            return Ok(Some(batch));
        }
        self.coalescer.finish_buffered_batch()?;
        Ok(self.coalescer.next_completed_batch())
    }

    fn take_bare(&mut self) -> Result<Option<RecordBatch>> {
        self.enough = (self.enough * 4).min(self.target);
        let rows = std::mem::take(&mut self.bare);
        with_rows(&self.schema, vec![], rows).map(Some)
    }
}
