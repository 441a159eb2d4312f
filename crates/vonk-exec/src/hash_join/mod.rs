//! Join by hash table.

use crate::context::TaskContext;
use crate::operator::BoxedOperator;
use vonk_error::{Error, Result};
use vonk_physical::{HashJoin, PlanNode};

/// Makes the operator.
pub fn operator(_cx: &TaskContext, node: &PlanNode, _plan: &HashJoin) -> Result<BoxedOperator> {
    Err(Error::unsupported(node.plan.name()))
}
