//! From plan nodes to operators.

use crate::context::TaskContext;
use crate::operator::BoxedOperator;
use vonk_error::Result;
use vonk_physical::{PlanNode, ShuffleWrite};
use vonk_shuffle::MapOutputSizes;

/// What the tasks of a job share.
#[derive(Default)]
pub struct Shared {}

/// Makes the operator of a node, and of those below it.
pub fn operator(_cx: &TaskContext, node: &PlanNode) -> Result<BoxedOperator> {
    vonk_error::internal_err!("no operator for {}", node.plan.name())
}

/// Runs a shuffle-map fragment.
pub fn shuffle_write(_cx: &TaskContext, node: &PlanNode, _write: &ShuffleWrite) -> Result<MapOutputSizes> {
    vonk_error::internal_err!("no operator for {}", node.plan.name())
}
