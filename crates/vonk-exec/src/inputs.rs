//! Union and coalesce: which partitions of which inputs a partition is made of.

use crate::build;
use crate::context::TaskContext;
use crate::operator::{BoxedOperator, Operator};
use arrow::array::RecordBatch;
use std::collections::VecDeque;
use vonk_error::{Error, Result};
use vonk_physical::PlanNode;

/// Partitions of all inputs, one input after the other. A broadcast input would have been read whole already, so each
/// partition lies in exactly one input.
pub(crate) fn union(cx: &TaskContext, inputs: &[PlanNode]) -> Result<BoxedOperator> {
    let mut partition = cx.partition;
    for input in inputs {
        let n = input.partitions();
        if partition < n {
            return build::operator(&TaskContext { partition, ..cx.clone() }, input);
        }
        partition -= n;
    }
    Err(Error::internal(format!("partition {} of a union", cx.partition)))
}

/// Groups of neighbouring input partitions, read one after the other.
pub(crate) fn coalesce(cx: &TaskContext, partitions: u32, input: &PlanNode) -> Result<BoxedOperator> {
    let n = u64::from(input.partitions());
    let bound = |p: u64| n * p / u64::from(partitions.max(1));
    let p = u64::from(cx.partition);
    let parts = bound(p)..bound(p + 1).min(n);
    // Each fits: it is below the input's number of partitions.
    let parts = parts.map(|p| TaskContext { partition: p as u32, ..cx.clone() }).collect();
    Ok(Box::new(Coalesce { parts, node: input.clone(), current: None }))
}

struct Coalesce {
    parts: VecDeque<TaskContext>,
    node: PlanNode,
    current: Option<BoxedOperator>,
}

impl Operator for Coalesce {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(current) = &mut self.current {
                if let Some(batch) = current.next()? {
                    return Ok(Some(batch));
                }
                self.current = None;
            }
            let Some(cx) = self.parts.pop_front() else { return Ok(None) };
            cx.check_cancelled()?;
            self.current = Some(build::operator(&cx, &self.node)?);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{node, run_with};
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use vonk_physical::{PhysicalPlan, PlanNode};
    use vonk_types::DataType;

    fn range(start: i64, end: i64, partitions: u32) -> PlanNode {
        node(&[DataType::Long], PhysicalPlan::Range { start, end, step: 1, partitions })
    }

    fn rows(plan: &PlanNode, partition: u32) -> Vec<i64> {
        let rows = run_with(plan.clone(), None, 4, partition).unwrap();
        rows.column(0).as_primitive::<Int64Type>().values().to_vec()
    }

    #[test]
    fn a_union_has_the_partitions_of_its_inputs() {
        let inputs = vec![range(0, 4, 2), range(10, 13, 1)];
        let plan = node(&[DataType::Long], PhysicalPlan::Union { inputs });
        assert_eq!(plan.partitions(), 3);
        let got: Vec<_> = (0..3).map(|p| rows(&plan, p)).collect();
        assert_eq!(got, [vec![0, 1], vec![2, 3], vec![10, 11, 12]]);
    }

    #[test]
    fn coalesce_loses_nothing() {
        for partitions in 1..8 {
            let input = Box::new(range(0, 20, 5));
            let plan = node(&[DataType::Long], PhysicalPlan::Coalesce { partitions, input });
            let all: Vec<i64> = (0..partitions).flat_map(|p| rows(&plan, p)).collect();
            assert_eq!(all, (0..20).collect::<Vec<_>>());
        }
    }
}
