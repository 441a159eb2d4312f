//! Counts what an operator puts out.

use crate::batch::batch_bytes;
use crate::metrics::NodeMetrics;
use crate::operator::{BoxedOperator, Operator};
use arrow::array::RecordBatch;
use std::sync::Arc;
use std::time::Instant;
use vonk_error::Result;

/// An operator with its counters: touched once per batch.
pub(crate) struct Metered {
    pub inner: BoxedOperator,
    pub metrics: Arc<NodeMetrics>,
}

impl Operator for Metered {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let start = Instant::now();
        let out = self.inner.next();
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        NodeMetrics::add(&self.metrics.nanos, nanos);
        if let Ok(Some(batch)) = &out {
            debug_assert!(batch.num_rows() > 0, "an operator put out an empty batch");
            NodeMetrics::add(&self.metrics.rows, batch.num_rows() as u64);
            NodeMetrics::add(&self.metrics.bytes, batch_bytes(batch) as u64);
        }
        out
    }
}
