//! What a query computes before its last job, and the relations that are kept: values go into the plans of those that are kept,
//! because they outlive the query; and what only kept relations were computed from is not computed again.

use std::collections::HashSet;
use vonk_eval::BoundExpr;
use vonk_physical::{DriverTable, Partitioning, PhysicalPlan, PlanNode};
use vonk_planner::{LoopPlan, PhysicalQuery, ScalarSubplan};
use vonk_types::Literal;

/// Puts the values of scalar subqueries into the plans of relations that are to be kept.
pub(crate) fn settle(node: &mut PlanNode, scalars: &[(u32, Literal)]) {
    if scalars.is_empty() {
        return;
    }
    node.visit_mut(&mut |n| {
        if let PhysicalPlan::Exchange(e) = &mut n.plan
            && matches!(e.partitioning, Partitioning::Kept { .. })
        {
            e.input.visit_mut(&mut |below| {
                below.plan.visit_exprs_mut(&mut |e| e.visit_mut(&mut |e| in_place(e, scalars)));
            });
        }
    });
}

fn in_place(e: &mut BoundExpr, scalars: &[(u32, Literal)]) {
    if let BoundExpr::ScalarSubquery { id, .. } = e
        && let Some((_, value)) = scalars.iter().find(|(known, _)| known == id)
    {
        *e = BoundExpr::Literal(value.clone());
    }
}

/// Leaves out what nothing reads any more, because relations that are kept were put in the place of what they are computed from.
pub(crate) fn prune(query: &mut PhysicalQuery) {
    let mut used = Used::default();
    used.of_plan(&query.root);
    let mut kept: Vec<ScalarSubplan> = Vec::with_capacity(query.subplans.len());
    // A later one may read the values of earlier ones.
    for subplan in std::mem::take(&mut query.subplans).into_iter().rev() {
        if used.scalars.contains(&subplan.id) {
            used.of_plan(&subplan.plan);
            kept.push(subplan);
        }
    }
    kept.reverse();
    query.subplans = kept;
    let mut loops: Vec<LoopPlan> = Vec::with_capacity(query.loops.len());
    for l in std::mem::take(&mut query.loops).into_iter().rev() {
        if used.loops.contains(&l.id) {
            used.of_query(&l.anchor);
            used.of_query(&l.step);
            loops.push(l);
        }
    }
    loops.reverse();
    query.loops = loops;
}

/// What plans read of what is computed before them.
#[derive(Default)]
struct Used {
    scalars: HashSet<u32>,
    loops: HashSet<u32>,
}

impl Used {
    fn of_plan(&mut self, plan: &PlanNode) {
        plan.visit(&mut |n| {
            if let PhysicalPlan::Driver(DriverTable::Loop(id)) = &n.plan {
                self.loops.insert(*id);
            }
            n.plan.visit_exprs(&mut |e| {
                e.visit(&mut |e| {
                    if let BoundExpr::ScalarSubquery { id, .. } = e {
                        self.scalars.insert(*id);
                    }
                });
            });
        });
    }

    fn of_query(&mut self, query: &PhysicalQuery) {
        self.of_plan(&query.root);
        query.subplans.iter().for_each(|s| self.of_plan(&s.plan));
        for l in &query.loops {
            self.of_query(&l.anchor);
            self.of_query(&l.step);
        }
    }
}
