//! Bigints from a start to an end by a step.

use crate::batch::with_rows;
use crate::context::TaskContext;
use crate::operator::{BoxedOperator, Operator};
use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use std::sync::Arc;
use vonk_error::Result;
use vonk_physical::PlanNode;
use vonk_sources::ReadProgress;

/// Makes the operator: elements `count * p / partitions` to `count * (p + 1) / partitions`, as Spark splits a range.
pub(crate) fn operator(
    cx: &TaskContext,
    node: &PlanNode,
    (start, end, step): (i64, i64, i64),
    partitions: u32,
) -> Result<BoxedOperator> {
    if step == 0 {
        return vonk_error::internal_err!("a range with step 0");
    }
    let (start, end, step) = (i128::from(start), i128::from(end), i128::from(step));
    let distance = if step > 0 { end - start } else { start - end };
    let count = if distance <= 0 { 0 } else { (distance - 1) / step.abs() + 1 };
    let bound = |p: u32| count * i128::from(p) / i128::from(partitions.max(1));
    let (first, last) = (bound(cx.partition), bound(cx.partition.saturating_add(1)).min(count));
    let (next, rows, batch_rows) = (start + first * step, last - first, cx.query.batch_rows);
    Ok(Box::new(Range {
        cx: cx.clone(),
        schema: node.schema.to_arrow_schema(),
        next,
        step,
        rows,
        batch_rows,
        progress: cx.metrics.reading(u64::try_from(rows).unwrap_or(0)),
    }))
}

struct Range {
    cx: TaskContext,
    schema: SchemaRef,
    next: i128,
    step: i128,
    rows: i128,
    batch_rows: usize,
    progress: Arc<ReadProgress>,
}

impl Operator for Range {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        self.cx.check_cancelled()?;
        let n = usize::try_from(self.rows).unwrap_or(usize::MAX).min(self.batch_rows);
        if self.rows <= 0 {
            return Ok(None);
        }
        // All elements lie between start and end, so they are bigints; only the step beyond the last one may not be.
        let (first, step) = (self.next as i64, self.step as i64);
        let values =
            Int64Array::from_iter_values((0..n as i64).map(|i| first.wrapping_add(i.wrapping_mul(step))));
        self.next += self.step * n as i128;
        self.rows -= n as i128;
        self.progress.pass(n);
        if self.schema.fields().is_empty() {
            return with_rows(&self.schema, vec![], n).map(Some);
        }
        with_rows(&self.schema, vec![Arc::new(values)], n).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{node, run_with};
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use vonk_physical::PhysicalPlan;
    use vonk_types::DataType;

    fn all(start: i64, end: i64, step: i64, partitions: u32) -> Vec<i64> {
        let mut out = vec![];
        for p in 0..partitions {
            let plan = node(&[DataType::Long], PhysicalPlan::Range { start, end, step, partitions });
            let rows = run_with(plan, None, 4, p).unwrap();
            out.extend(rows.column(0).as_primitive::<Int64Type>().values());
        }
        out
    }

    #[test]
    fn partitions_make_up_the_range() {
        assert_eq!(all(0, 10, 1, 3), (0..10).collect::<Vec<_>>());
        assert_eq!(all(10, 0, -3, 2), [10, 7, 4, 1]);
        assert!(all(5, 5, 1, 2).is_empty());
        assert_eq!(all(i64::MAX - 2, i64::MAX, 5, 2), [i64::MAX - 2]);
        assert_eq!(all(i64::MIN, i64::MAX, i64::MAX, 1), [i64::MIN, -1, i64::MAX - 1]);
    }
}
