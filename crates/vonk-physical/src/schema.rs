//! Partition counts of plans.

use crate::node::{Partitioning, PhysicalPlan, PlanNode};

impl Partitioning {
    /// Partitions after the exchange.
    pub fn partitions(&self) -> u32 {
        match self {
            Partitioning::Hash { partitions, .. }
            | Partitioning::Range { partitions, .. }
            | Partitioning::RoundRobin { partitions }
            | Partitioning::Kept { partitions, .. } => *partitions,
            Partitioning::Single | Partitioning::Broadcast => 1,
        }
    }
}

impl PlanNode {
    /// Output partitions. A broadcast input does not count: its reader has the partitions of the other side.
    pub fn partitions(&self) -> u32 {
        match &self.plan {
            PhysicalPlan::Scan(s) => u32::try_from(s.scan.partitions.len()).unwrap_or(u32::MAX),
            PhysicalPlan::Values(_) | PhysicalPlan::Driver(_) => 1,
            PhysicalPlan::Range { partitions, .. } | PhysicalPlan::Coalesce { partitions, .. } => *partitions,
            PhysicalPlan::Exchange(e) => e.partitioning.partitions(),
            PhysicalPlan::ShuffleRead(r) => r.partitions,
            PhysicalPlan::Union { inputs } => inputs.iter().map(PlanNode::partitions).sum(),
            plan => {
                let inputs = plan.inputs();
                let plain = inputs.iter().find(|i| !i.is_broadcast());
                plain.or(inputs.first()).map_or(1, |i| i.partitions())
            }
        }
    }

    /// Whether every task reads all of this node's output.
    pub fn is_broadcast(&self) -> bool {
        match &self.plan {
            PhysicalPlan::Exchange(e) => matches!(e.partitioning, Partitioning::Broadcast),
            PhysicalPlan::ShuffleRead(r) => r.broadcast,
            _ => false,
        }
    }
}
