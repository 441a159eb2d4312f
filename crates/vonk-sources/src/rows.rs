//! What is left to do for a reader that can only make whole batches: the predicate, the limit, the projection.

use crate::conform::with_rows;
use crate::reader::{OpenScan, ScanMetrics, ScanStream};
use arrow::array::RecordBatch;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use std::sync::Arc;
use vonk_error::Result;
use vonk_eval::Evaluator;
use vonk_functions::RowPosition;
use vonk_types::StructType;

/// Batches of the columns that a scan reads, cut to what it wants.
pub struct Rows<B> {
    batches: B,
    read_schema: SchemaRef,
    output_schema: SchemaRef,
    projection: Vec<usize>,
    predicate: Option<Evaluator>,
    remaining: u64,
    metrics: Arc<ScanMetrics>,
}

impl<B: Iterator<Item = Result<RecordBatch>> + Send> Rows<B> {
    /// `batches` have the columns of `scan.read`, in order, in the engine's types.
    pub fn new(batches: B, scan: &OpenScan<'_>) -> Result<Self> {
        let read = StructType::new(scan.read.iter().map(|(_, f)| f.clone()).collect::<Vec<_>>());
        let output =
            StructType::new(scan.projection.iter().map(|i| read.fields[*i].clone()).collect::<Vec<_>>());
        Ok(Rows {
            batches,
            read_schema: read.to_arrow_schema(),
            output_schema: output.to_arrow_schema(),
            projection: scan.projection.to_vec(),
            predicate: scan.predicate.map(|p| Evaluator::new(p, scan.env)).transpose()?,
            remaining: scan.limit.unwrap_or(u64::MAX),
            metrics: scan.metrics.clone(),
        })
    }
}

impl<B: Iterator<Item = Result<RecordBatch>> + Send> ScanStream for Rows<B> {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.remaining > 0 {
            let Some(whole) = self.batches.next().transpose()? else { return Ok(None) };
            self.metrics.progress.pass(whole.num_rows());
            let mut batch = with_rows(self.read_schema.clone(), whole.columns().to_vec(), whole.num_rows())?;
            if let Some(p) = &mut self.predicate {
                let keep = p.evaluate_filter(&batch, RowPosition::default())?;
                batch = filter_record_batch(&batch, &keep)?;
            }
            let take = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(batch.num_rows());
            if take == 0 {
                continue;
            }
            self.remaining -= take as u64;
            let columns = self.projection.iter().map(|i| batch.column(*i).slice(0, take)).collect();
            return Ok(Some(with_rows(self.output_schema.clone(), columns, take)?));
        }
        Ok(None)
    }
}
