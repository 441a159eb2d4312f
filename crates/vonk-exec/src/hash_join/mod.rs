//! Join by hash table.
//!
//! One input, the build side, is held: a [`table::JoinTable`] finds its rows by key. Batches of the other, the probe side, run
//! past it and give pairs of row numbers; only columns that are read above are then gathered. A residual condition is
//! evaluated on the pairs.
//!
//! Where the build side is a broadcast, the first task to come builds the table for all tasks of the job. Else, when memory is
//! refused, both sides are split by the hash of their keys into files and joined part by part; a part that does not fall
//! apart, because its keys are equal, takes its build side piece by piece.

mod build;
mod filter;
mod join;
mod output;
mod parts;
mod probe;
mod roles;
mod side;
mod table;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use join::{JoinOperator, JoinPlan, Unit, Units};
pub(crate) use parts::Part;
pub(crate) use side::{Form, Side};

use crate::context::TaskContext;
use crate::operator::BoxedOperator;
use vonk_error::Result;
use vonk_physical::{HashJoin, PlanNode};

/// Makes the operator.
pub fn operator(cx: &TaskContext, node: &PlanNode, plan: &HashJoin) -> Result<BoxedOperator> {
    let plan = JoinPlan {
        node,
        left: &plan.left,
        right: &plan.right,
        left_keys: &plan.left_keys,
        right_keys: &plan.right_keys,
        null_safe: &plan.null_safe,
        build: plan.build,
        broadcast: plan.broadcast,
        join: &plan.join,
        runtime_filter: plan.runtime_filter,
    };
    Ok(Box::new(JoinOperator::new(cx, &plan)?))
}
