//! Counts what an operator puts out, and puts it under the node's schema.

use crate::batch::{batch_bytes, with_rows};
use crate::context::TaskContext;
use crate::metrics::NodeMetrics;
use crate::operator::{BoxedOperator, Operator};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use std::sync::Arc;
use std::time::Instant;
use vonk_error::Result;
use vonk_physical::{PhysicalPlan, PlanNode};

/// An operator with its counters: touched once per batch.
pub(crate) struct Metered {
    inner: BoxedOperator,
    metrics: Arc<NodeMetrics>,
    /// The node's columns. Operators that pass batches on may leave the names of their input.
    schema: SchemaRef,
}

impl Metered {
    pub fn boxed(cx: &TaskContext, node: &PlanNode, inner: BoxedOperator) -> BoxedOperator {
        let schema = match &node.plan {
            PhysicalPlan::Write(_) => crate::write::files_schema(),
            _ => node.schema.to_arrow_schema(),
        };
        Box::new(Metered { inner, metrics: cx.metrics.node(node.id), schema })
    }
}

impl Operator for Metered {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let start = Instant::now();
        let out = self.inner.next();
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        NodeMetrics::add(&self.metrics.nanos, nanos);
        let Some(batch) = out? else { return Ok(None) };
        debug_assert!(batch.num_rows() > 0, "an operator put out an empty batch");
        NodeMetrics::add(&self.metrics.rows, batch.num_rows() as u64);
        NodeMetrics::add(&self.metrics.bytes, batch_bytes(&batch) as u64);
        if Arc::ptr_eq(batch.schema_ref(), &self.schema) {
            return Ok(Some(batch));
        }
        let rows = batch.num_rows();
        let (_, columns, _) = batch.into_parts();
        with_rows(&self.schema, columns, rows).map(Some)
    }
}
