//! Join by comparing all pairs.

use crate::context::TaskContext;
use crate::operator::BoxedOperator;
use vonk_error::{Error, Result};
use vonk_physical::{NestedLoopJoin, PlanNode};

/// Makes the operator.
pub fn operator(_cx: &TaskContext, node: &PlanNode, _plan: &NestedLoopJoin) -> Result<BoxedOperator> {
    Err(Error::unsupported(node.plan.name()))
}
