//! Numbers the nodes of a finished plan, parents first.

use crate::planner::PhysicalQuery;
use vonk_physical::{NodeId, PlanNode};

#[derive(Default)]
pub(crate) struct NodeIds(u32);

impl NodeIds {
    /// The query's, then those of what runs before it.
    pub fn number_query(&mut self, query: &mut PhysicalQuery) {
        self.number(&mut query.root);
        query.subplans.iter_mut().for_each(|s| self.number(&mut s.plan));
        for l in &mut query.loops {
            self.number_query(&mut l.anchor);
            self.number_query(&mut l.step);
        }
    }

    fn number(&mut self, root: &mut PlanNode) {
        root.visit_mut(&mut |n| {
            self.0 += 1;
            n.id = NodeId(self.0);
        });
    }
}
