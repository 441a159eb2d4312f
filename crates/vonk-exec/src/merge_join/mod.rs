//! Join of sorted inputs.

use crate::context::TaskContext;
use crate::operator::BoxedOperator;
use vonk_error::{Error, Result};
use vonk_physical::{PlanNode, SortMergeJoin};

/// Makes the operator.
pub fn operator(_cx: &TaskContext, node: &PlanNode, _plan: &SortMergeJoin) -> Result<BoxedOperator> {
    Err(Error::unsupported(node.plan.name()))
}
