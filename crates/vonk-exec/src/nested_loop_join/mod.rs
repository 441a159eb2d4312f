//! Join by comparing all pairs.
//!
//! The operator is that of the hash join with no keys at all: every held row is a candidate for every row that passes, and the
//! condition decides. When memory is refused, both sides go to disk and the held side is taken piece by piece.

use crate::context::TaskContext;
use crate::hash_join::{JoinOperator, JoinPlan};
use crate::operator::BoxedOperator;
use vonk_error::Result;
use vonk_physical::{NestedLoopJoin, PlanNode};

/// Makes the operator.
pub fn operator(cx: &TaskContext, node: &PlanNode, plan: &NestedLoopJoin) -> Result<BoxedOperator> {
    let plan = JoinPlan {
        node,
        left: &plan.left,
        right: &plan.right,
        left_keys: &[],
        right_keys: &[],
        null_safe: &[],
        build: plan.build,
        broadcast: plan.broadcast,
        join: &plan.join,
        runtime_filter: None,
    };
    Ok(Box::new(JoinOperator::new(cx, &plan)?))
}
