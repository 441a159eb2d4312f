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

impl PhysicalPlan {
    /// As [`visit_exprs`](Self::visit_exprs), to change them.
    pub fn visit_exprs_mut(&mut self, f: &mut dyn FnMut(&mut BoundExpr)) {
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
            PhysicalPlan::Scan(n) => n.predicate.iter_mut().for_each(f),
            PhysicalPlan::Project { exprs, .. } => exprs.iter_mut().for_each(f),
            PhysicalPlan::Filter { predicate, .. } => f(predicate),
            PhysicalPlan::HashAggregate(HashAggregate { groups, aggregates, .. }) => {
                groups.iter_mut().for_each(&mut *f);
                aggregates.iter_mut().for_each(|a| a.visit_exprs_mut(f));
            }
            PhysicalPlan::HashJoin(HashJoin { left_keys, right_keys, join, .. })
            | PhysicalPlan::SortMergeJoin(SortMergeJoin { left_keys, right_keys, join, .. }) => {
                left_keys.iter_mut().chain(right_keys).chain(&mut join.condition).for_each(f);
            }
            PhysicalPlan::NestedLoopJoin(NestedLoopJoin { join, .. }) => {
                join.condition.iter_mut().for_each(f);
            }
            PhysicalPlan::Sort(n) => of_keys_mut(&mut n.keys, f),
            PhysicalPlan::Window(Window { functions, partition_by, order_by, .. }) => {
                for function in functions {
                    match function {
                        WindowSpec::Aggregate { call, .. } => call.visit_exprs_mut(f),
                        WindowSpec::Function { args, .. } => args.iter_mut().for_each(&mut *f),
                    }
                }
                partition_by.iter_mut().for_each(&mut *f);
                of_keys_mut(order_by, f);
            }
            PhysicalPlan::Expand(n) => n.projections.iter_mut().flatten().for_each(f),
            PhysicalPlan::Generate(n) => n.args.iter_mut().for_each(f),
            PhysicalPlan::Exchange(n) => n.partitioning.visit_exprs_mut(f),
            PhysicalPlan::ShuffleWrite(n) => n.partitioning.visit_exprs_mut(f),
        }
    }
}

impl AggregateSpec {
    /// Calls `f` on every expression of the call.
    pub fn visit_exprs(&self, f: &mut dyn FnMut(&BoundExpr)) {
        self.args.iter().chain(&self.filter).for_each(&mut *f);
        of_keys(&self.order_by, f);
    }

    fn visit_exprs_mut(&mut self, f: &mut dyn FnMut(&mut BoundExpr)) {
        self.args.iter_mut().chain(&mut self.filter).for_each(&mut *f);
        of_keys_mut(&mut self.order_by, f);
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

    fn visit_exprs_mut(&mut self, f: &mut dyn FnMut(&mut BoundExpr)) {
        match self {
            Partitioning::Hash { keys, .. } => keys.iter_mut().for_each(f),
            Partitioning::Range { keys, .. } => of_keys_mut(keys, f),
            Partitioning::RoundRobin { .. }
            | Partitioning::Single
            | Partitioning::Broadcast
            | Partitioning::Kept { .. } => {}
        }
    }
}

fn of_keys_mut(keys: &mut [SortKey], f: &mut dyn FnMut(&mut BoundExpr)) {
    keys.iter_mut().for_each(|k| f(&mut k.expr));
}

fn of_keys(keys: &[SortKey], f: &mut dyn FnMut(&BoundExpr)) {
    keys.iter().for_each(|k| f(&k.expr));
}
