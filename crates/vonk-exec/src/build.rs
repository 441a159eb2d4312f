//! From plan nodes to operators: one line per node.

use crate::context::TaskContext;
use crate::meter::Metered;
use crate::operator::BoxedOperator;
use crate::{hash_aggregate, hash_join, merge_join, nested_loop_join};
use vonk_error::Result;
use vonk_physical::{PhysicalPlan, PlanNode, ShuffleWrite};
use vonk_shuffle::MapOutputSizes;

/// Makes the operator of a node, and of those below it. It counts into the node's metrics.
pub fn operator(cx: &TaskContext, node: &PlanNode) -> Result<BoxedOperator> {
    let inner = match &node.plan {
        PhysicalPlan::HashAggregate(a) => hash_aggregate::operator(cx, node, a)?,
        PhysicalPlan::HashJoin(j) => hash_join::operator(cx, node, j)?,
        PhysicalPlan::SortMergeJoin(j) => merge_join::operator(cx, node, j)?,
        PhysicalPlan::NestedLoopJoin(j) => nested_loop_join::operator(cx, node, j)?,
        plan => return vonk_error::internal_err!("no operator for {}", plan.name()),
    };
    Ok(Box::new(Metered { inner, metrics: cx.metrics.node(node.id) }))
}

/// Runs a shuffle-map fragment.
pub fn shuffle_write(_cx: &TaskContext, node: &PlanNode, _write: &ShuffleWrite) -> Result<MapOutputSizes> {
    vonk_error::internal_err!("no operator for {}", node.plan.name())
}
