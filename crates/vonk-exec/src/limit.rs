//! A range of the rows of a partition. Stops pulling when it has them.

use crate::build;
use crate::context::TaskContext;
use crate::operator::{BoxedOperator, Operator};
use arrow::array::RecordBatch;
use vonk_error::Result;
use vonk_physical::PlanNode;

/// Makes the operator.
pub(crate) fn operator(
    cx: &TaskContext,
    skip: u64,
    fetch: Option<u64>,
    input: &PlanNode,
) -> Result<BoxedOperator> {
    Ok(Box::new(Limit::new(build::operator(cx, input)?, skip, fetch)))
}

pub(crate) struct Limit {
    /// Dropped, with what it holds, as soon as it is not needed.
    input: Option<BoxedOperator>,
    skip: u64,
    left: u64,
}

impl Limit {
    pub fn new(input: BoxedOperator, skip: u64, fetch: Option<u64>) -> Self {
        Limit { input: Some(input), skip, left: fetch.unwrap_or(u64::MAX) }
    }
}

impl Operator for Limit {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.left > 0 {
            let Some(input) = &mut self.input else { return Ok(None) };
            let Some(batch) = input.next()? else { break };
            let rows = batch.num_rows() as u64;
            let from = self.skip.min(rows);
            let take = self.left.min(rows - from);
            self.skip -= from;
            self.left -= take;
            if self.left == 0 {
                self.input = None;
            }
            if take > 0 {
                // Both are at most the batch's rows.
                return Ok(Some(batch.slice(from as usize, take as usize)));
            }
        }
        self.input = None;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{node, run_with};
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use vonk_physical::PhysicalPlan;
    use vonk_types::DataType;

    fn limited(skip: u64, fetch: Option<u64>) -> Vec<i64> {
        let range = PhysicalPlan::Range { start: 0, end: 10, step: 1, partitions: 1 };
        let input = Box::new(node(&[DataType::Long], range));
        let plan = node(&[DataType::Long], PhysicalPlan::Limit { skip, fetch, input });
        let rows = run_with(plan, None, 4, 0).unwrap();
        rows.column(0).as_primitive::<Int64Type>().values().to_vec()
    }

    #[test]
    fn skips_and_takes_across_batches() {
        assert_eq!(limited(3, Some(4)), [3, 4, 5, 6]);
        assert_eq!(limited(8, None), [8, 9]);
        assert!(limited(0, Some(0)).is_empty());
        assert!(limited(20, Some(5)).is_empty());
        assert_eq!(limited(0, Some(100)).len(), 10);
    }
}
