//! Reads a partition of a source.

use crate::context::TaskContext;
use crate::metrics::NodeMetrics;
use crate::operator::{BoxedOperator, Operator};
use arrow::array::RecordBatch;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vonk_error::{Error, Result};
use vonk_eval::BoundExpr;
use vonk_physical::{PlanNode, RuntimeFilterTarget, Scan};
use vonk_sources::{OpenScan, ScanMetrics, ScanStream};
use vonk_types::StructField;

/// Makes the operator.
pub(crate) fn operator(cx: &TaskContext, node: &PlanNode, scan: &Scan) -> Result<BoxedOperator> {
    let missing = || Error::internal(format!("partition {} of {}", cx.partition, scan.name));
    let partition = scan.scan.partitions.get(cx.partition as usize).ok_or_else(missing)?;
    Ok(Box::new(ScanOperator {
        cx: cx.clone(),
        node: cx.metrics.node(node.id),
        counted: Arc::new(ScanMetrics { progress: cx.metrics.reading(partition.rows), ..Default::default() }),
        unopened: Some(Unopened {
            reader: scan.scan.reader.clone(),
            shared: scan.scan.shared.clone(),
            partition: partition.payload.clone(),
            read: scan.read.clone(),
            projection: scan.projection.clone(),
            predicate: scan.predicate.clone(),
            runtime_filters: scan.runtime_filters.clone(),
            limit: scan.limit,
        }),
        stream: None,
    }))
}

/// What is needed to open the partition.
struct Unopened {
    reader: Arc<str>,
    shared: Arc<[u8]>,
    partition: Arc<[u8]>,
    read: Vec<(usize, StructField)>,
    projection: Vec<usize>,
    predicate: Option<BoundExpr>,
    runtime_filters: Vec<RuntimeFilterTarget>,
    limit: Option<u64>,
}

struct ScanOperator {
    cx: TaskContext,
    node: Arc<NodeMetrics>,
    counted: Arc<ScanMetrics>,
    /// Opened when first pulled: by then the joins above have filled their runtime filters.
    unopened: Option<Unopened>,
    stream: Option<Box<dyn ScanStream>>,
}

impl Operator for ScanOperator {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        self.cx.check_cancelled()?;
        if let Some(unopened) = self.unopened.take() {
            self.stream = Some(unopened.open(&self.cx, self.counted.clone())?);
        }
        match &mut self.stream {
            Some(stream) => {
                let batch = stream.next()?;
                if batch.is_none() {
                    self.counted.progress.finish();
                }
                Ok(batch)
            }
            None => Ok(None),
        }
    }
}

impl Drop for ScanOperator {
    fn drop(&mut self) {
        let m = &self.counted;
        let counters = [
            ("bytes read", &m.bytes_read),
            ("row groups", &m.row_groups),
            ("row groups pruned", &m.row_groups_pruned),
            ("rows pruned", &m.rows_pruned),
        ];
        let counters = counters.into_iter().map(|(name, n)| (name, n.load(Ordering::Relaxed)));
        self.node.extra.lock().extend(counters.filter(|(_, n)| *n > 0));
    }
}

impl Unopened {
    fn open(self, cx: &TaskContext, metrics: Arc<ScanMetrics>) -> Result<Box<dyn ScanStream>> {
        let known = |t: &RuntimeFilterTarget| {
            Some((t.column, cx.query.shared.filter((t.filter.0, cx.generation), t.key)?))
        };
        cx.exec.formats.reader(&self.reader)?.open(OpenScan {
            shared: &self.shared,
            partition: &self.partition,
            read: &self.read,
            projection: &self.projection,
            predicate: self.predicate.as_ref(),
            runtime_filters: self.runtime_filters.iter().filter_map(known).collect(),
            env: &cx.query.env,
            batch_rows: cx.query.batch_rows,
            limit: self.limit,
            metrics,
        })
    }
}
