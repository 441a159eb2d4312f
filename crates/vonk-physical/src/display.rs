//! EXPLAIN text of physical plans: the tree; of each operator its name, number and [details](crate::details).

use crate::details::details;
use crate::node::{NodeId, PlanNode};
use std::collections::HashMap;
use std::fmt::Write;

/// What ran, per node, for EXPLAIN ANALYZE; summed over tasks.
#[derive(Debug, Clone, Default)]
pub struct ExplainMetrics {
    /// By node: rows out, bytes out, nanoseconds spent in the operator itself.
    pub nodes: HashMap<u32, (u64, u64, u64)>,
}

/// The plan as a tree, one node a line.
pub fn explain(plan: &PlanNode, metrics: Option<&ExplainMetrics>) -> String {
    let mut out = String::new();
    write_node(plan, metrics, 0, &mut out);
    out
}

fn write_node(node: &PlanNode, metrics: Option<&ExplainMetrics>, depth: usize, out: &mut String) {
    let NodeId(id) = node.id;
    let _ = write!(out, "{:indent$}{} ({id})", "", node.plan.name(), indent = depth * 2);
    let details = details(&node.plan);
    if !details.is_empty() {
        let _ = write!(out, " {details}");
    }
    if let Some((rows, bytes, nanos)) = metrics.and_then(|m| m.nodes.get(&id)) {
        let _ = write!(out, " rows={rows} bytes={bytes} time={:.1}ms", *nanos as f64 / 1e6);
    }
    out.push('\n');
    for i in node.plan.inputs() {
        write_node(i, metrics, depth + 1, out);
    }
}
