//! From plan nodes to operators: one line per node.

use crate::context::TaskContext;
use crate::meter::Metered;
use crate::operator::BoxedOperator;
use crate::{
    expand, filter, generate, hash_aggregate, hash_join, inputs, limit, merge_join, nested_loop_join,
    project, range, sample, scan, shuffle, sort, values, window, write,
};
use vonk_error::Result;
use vonk_physical::{PhysicalPlan, PlanNode, ShuffleWrite};
use vonk_shuffle::MapOutputSizes;

/// Makes the operator of a node, and of those below it. It counts into the node's metrics.
pub fn operator(cx: &TaskContext, node: &PlanNode) -> Result<BoxedOperator> {
    let inner = match &node.plan {
        PhysicalPlan::Scan(s) => scan::operator(cx, node, s)?,
        PhysicalPlan::Values(v) => values::operator(cx, v)?,
        PhysicalPlan::Range { start, end, step, partitions } => {
            range::operator(cx, node, (*start, *end, *step), *partitions)?
        }
        PhysicalPlan::Project { exprs, input } => project::operator(cx, node, exprs, input)?,
        PhysicalPlan::Filter { predicate, projection, input } => {
            filter::operator(cx, predicate, projection, input)?
        }
        PhysicalPlan::HashAggregate(a) => hash_aggregate::operator(cx, node, a)?,
        PhysicalPlan::HashJoin(j) => hash_join::operator(cx, node, j)?,
        PhysicalPlan::SortMergeJoin(j) => merge_join::operator(cx, node, j)?,
        PhysicalPlan::NestedLoopJoin(j) => nested_loop_join::operator(cx, node, j)?,
        PhysicalPlan::Sort(s) => sort::operator(cx, node, s)?,
        PhysicalPlan::Window(w) => window::operator(cx, node, w)?,
        PhysicalPlan::Limit { skip, fetch, input } => limit::operator(cx, *skip, *fetch, input)?,
        PhysicalPlan::Union { inputs } => inputs::union(cx, node, inputs)?,
        PhysicalPlan::Expand(e) => expand::operator(cx, node, e)?,
        PhysicalPlan::Generate(g) => generate::operator(cx, node, g)?,
        PhysicalPlan::Coalesce { partitions, input } => inputs::coalesce(cx, *partitions, input)?,
        PhysicalPlan::Sample { sampling, seed, input } => sample::operator(cx, *sampling, *seed, input)?,
        PhysicalPlan::Write(w) => write::operator(cx, w)?,
        PhysicalPlan::ShuffleRead(r) => shuffle::read(cx, node, r)?,
        plan @ (PhysicalPlan::Driver(_) | PhysicalPlan::Exchange(_) | PhysicalPlan::ShuffleWrite(_)) => {
            return vonk_error::internal_err!("{} inside of a fragment", plan.name());
        }
    };
    Ok(Metered::boxed(cx, node, inner))
}

/// Runs a shuffle-map fragment.
pub fn shuffle_write(cx: &TaskContext, node: &PlanNode, write: &ShuffleWrite) -> Result<MapOutputSizes> {
    shuffle::write(cx, node, write)
}
