//! The expressions of nodes.
//!
//! Must not know: what is looked for in them.

use crate::node::{
    AggregateSpec, HashAggregate, HashJoin, NestedLoopJoin, Partitioning, PhysicalPlan, SortKey,
    SortMergeJoin, Window, WindowSpec,
};
use vonk_eval::BoundExpr;

impl PhysicalPlan {
    /// Calls `f` on every expression of this node, without those of its inputs: keys of joins, sorting and partitioning too. Not on
    /// the expressions within them ([`BoundExpr::visit`]).
    ///
    /// In Merge and Final mode an aggregate's arguments are among them, though only their types matter.
    pub fn visit_exprs(&self, f: &mut dyn FnMut(&BoundExpr)) {
        // Every variant by name: a new one has to say what it evaluates.
        match self {
            PhysicalPlan::Values(_)
            | PhysicalPlan::Driver(_)
            | PhysicalPlan::Range { .. }
            | PhysicalPlan::Limit { .. }
            | PhysicalPlan::Union { .. }
            | PhysicalPlan::Coalesce { .. }
            | PhysicalPlan::Sample { .. }
            | PhysicalPlan::Write(_)
            | PhysicalPlan::ShuffleRead(_) => {}
            PhysicalPlan::Scan(n) => n.predicate.iter().for_each(f),
            PhysicalPlan::Project { exprs, .. } => exprs.iter().for_each(f),
            PhysicalPlan::Filter { predicate, .. } => f(predicate),
            PhysicalPlan::HashAggregate(HashAggregate { groups, aggregates, .. }) => {
                groups.iter().for_each(&mut *f);
                aggregates.iter().for_each(|a| a.visit_exprs(f));
            }
            PhysicalPlan::HashJoin(HashJoin { left_keys, right_keys, join, .. })
            | PhysicalPlan::SortMergeJoin(SortMergeJoin { left_keys, right_keys, join, .. }) => {
                left_keys.iter().chain(right_keys).chain(&join.condition).for_each(f);
            }
            PhysicalPlan::NestedLoopJoin(NestedLoopJoin { join, .. }) => join.condition.iter().for_each(f),
            PhysicalPlan::Sort(n) => of_keys(&n.keys, f),
            PhysicalPlan::Window(Window { functions, partition_by, order_by, .. }) => {
                for function in functions {
                    match function {
                        WindowSpec::Aggregate { call, .. } => call.visit_exprs(f),
                        WindowSpec::Function { args, .. } => args.iter().for_each(&mut *f),
                    }
                }
                partition_by.iter().for_each(&mut *f);
                of_keys(order_by, f);
            }
            PhysicalPlan::Expand(n) => n.projections.iter().flatten().for_each(f),
            PhysicalPlan::Generate(n) => n.args.iter().for_each(f),
            PhysicalPlan::Exchange(n) => n.partitioning.visit_exprs(f),
            PhysicalPlan::ShuffleWrite(n) => n.partitioning.visit_exprs(f),
        }
    }
}

impl AggregateSpec {
    /// Calls `f` on every expression of the call.
    pub fn visit_exprs(&self, f: &mut dyn FnMut(&BoundExpr)) {
        self.args.iter().chain(&self.filter).for_each(&mut *f);
        of_keys(&self.order_by, f);
    }
}

impl Partitioning {
    /// Calls `f` on every key.
    pub fn visit_exprs(&self, f: &mut dyn FnMut(&BoundExpr)) {
        match self {
            Partitioning::Hash { keys, .. } => keys.iter().for_each(f),
            Partitioning::Range { keys, .. } => of_keys(keys, f),
            Partitioning::RoundRobin { .. }
            | Partitioning::Single
            | Partitioning::Broadcast
            | Partitioning::Kept { .. } => {}
        }
    }
}

fn of_keys(keys: &[SortKey], f: &mut dyn FnMut(&BoundExpr)) {
    keys.iter().for_each(|k| f(&k.expr));
}
