//! Whether a fragment that is computed again gives the same rows.
//!
//! A lost map output is made anew by lineage. Where the second computation may distribute other rows than the first, whatever was
//! computed from the first must be made anew, too (Spark: `DeterministicLevel`, SPARK-23207). Inputs are read in the order of their map
//! partitions, so a fragment meets the same rows in the same order as before unless an operator below changed it.
//!
//! Must not know: who recovers.

use crate::runtime_filter::needs_all_rows;
use vonk_functions::Registry;
use vonk_physical::{Partitioning, PhysicalPlan, PlanNode};

/// What a second computation gives, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// The same rows in the same order.
    Ordered,
    /// The same rows.
    Unordered,
    /// Perhaps others.
    Indeterminate,
}

/// Whether each partition that a fragment gives, or each block that it writes, has the same rows whenever it is computed.
pub(crate) fn is_determinate(registry: &Registry, fragment: &PlanNode) -> bool {
    level(registry, fragment) != Level::Indeterminate
}

fn level(registry: &Registry, node: &PlanNode) -> Level {
    let inputs = node.plan.inputs().into_iter().map(|i| level(registry, i)).max().unwrap_or(Level::Ordered);
    // Looks at where rows stand, not just at what they are.
    let by_position = match &node.plan {
        PhysicalPlan::Limit { .. } | PhysicalPlan::Sample { .. } => true,
        PhysicalPlan::Sort(s) => s.fetch.is_some(),
        PhysicalPlan::ShuffleWrite(w) => matches!(w.partitioning, Partitioning::RoundRobin { .. }),
        plan => needs_all_rows(registry, plan),
    };
    if by_position && inputs > Level::Ordered {
        return Level::Indeterminate;
    }
    let own = match &node.plan {
        // The order of groups and of matches depends on what was spilled, and so on who else had memory at the time; sorting is
        // not stable beyond that, either. What a map task made is read in the order in which it was written.
        PhysicalPlan::HashAggregate(_)
        | PhysicalPlan::HashJoin(_)
        | PhysicalPlan::SortMergeJoin(_)
        | PhysicalPlan::NestedLoopJoin(_)
        | PhysicalPlan::Sort(_)
        | PhysicalPlan::Window(_)
        | PhysicalPlan::ShuffleRead(_) => Level::Unordered,
        _ => Level::Ordered,
    };
    inputs.max(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vonk_eval::BoundExpr;
    use vonk_physical::{ShuffleRead, ShuffleWrite};
    use vonk_types::{DataType, StructField, StructType};

    fn node(plan: PhysicalPlan) -> PlanNode {
        PlanNode::new(StructType::new(vec![StructField::new("a", DataType::Long, true)]), plan)
    }

    fn range() -> PlanNode {
        node(PhysicalPlan::Range { start: 0, end: 10, step: 1, partitions: 2 })
    }

    fn read() -> PlanNode {
        node(PhysicalPlan::ShuffleRead(ShuffleRead { shuffle: 0, maps: 2, partitions: 2, broadcast: false }))
    }

    fn written(input: PlanNode, partitioning: Partitioning) -> bool {
        let write = ShuffleWrite { shuffle: 1, partitioning, input: Box::new(input) };
        is_determinate(Registry::builtin(), &node(PhysicalPlan::ShuffleWrite(write)))
    }

    #[test]
    fn positions_matter_where_the_order_may_change() {
        let round = || Partitioning::RoundRobin { partitions: 3 };
        let hash = || Partitioning::Hash { keys: vec![BoundExpr::column(0, DataType::Long)], partitions: 3 };
        assert!(written(range(), round()));
        assert!(!written(read(), round()));
        assert!(written(read(), hash()));
        let limit = |input| node(PhysicalPlan::Limit { skip: 0, fetch: Some(3), input: Box::new(input) });
        assert!(written(limit(range()), round()));
        assert!(!written(limit(read()), hash()));
    }
}
