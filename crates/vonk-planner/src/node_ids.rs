//! Numbers the nodes of a finished plan, parents first.

use vonk_physical::{NodeId, PlanNode};

#[derive(Default)]
pub(crate) struct NodeIds(u32);

impl NodeIds {
    pub fn number(&mut self, root: &mut PlanNode) {
        root.visit_mut(&mut |n| {
            self.0 += 1;
            n.id = NodeId(self.0);
        });
    }
}
