//! Runtime filters: the keys of a hash join's build side, applied in the scans of its probe side.
//!
//! Only within one fragment: the broadcast join fills the filter before the scan below its probe side is opened. The filter
//! follows a key down through nodes that pass the column on and do not need its other rows.

use crate::planner::Planner;
use crate::volatile::{DependsOn, node_depends_on};
use vonk_eval::BoundExpr;
use vonk_functions::Registry;
use vonk_physical::{BuildSide, FilterId, HashJoin, JoinKind, PhysicalPlan, PlanNode, RuntimeFilterTarget};

impl Planner<'_> {
    /// Gives every eligible join of the plan its filter.
    pub(crate) fn add_runtime_filters(&mut self, node: &mut PlanNode) {
        if let PhysicalPlan::HashJoin(j) = &mut node.plan {
            if filters_probe(j) {
                let filter = FilterId(self.next_filter);
                let (probe, keys) = match j.build {
                    BuildSide::Left => (&mut j.right, &j.right_keys),
                    BuildSide::Right => (&mut j.left, &j.left_keys),
                };
                let mut placed = false;
                for (key, e) in keys.iter().enumerate() {
                    if let (BoundExpr::Column { index, .. }, false) = (e, j.null_safe[key]) {
                        placed |= place(self.registry, probe, *index, filter, key);
                    }
                }
                if placed {
                    j.runtime_filter = Some(filter);
                    self.next_filter += 1;
                }
            }
        }
        for i in node.plan.inputs_mut() {
            self.add_runtime_filters(i);
        }
    }
}

/// Whether probe rows without a match never come out.
fn filters_probe(j: &HashJoin) -> bool {
    match j.join.kind {
        JoinKind::Inner => true,
        JoinKind::LeftSemi | JoinKind::Right => {
            j.build == BuildSide::Right && j.join.kind == JoinKind::LeftSemi
        }
        _ => false,
    }
}

/// A build column of an inner join that is one of its keys, as the probe column it equals.
fn as_probe_column(j: &HashJoin, position: usize) -> usize {
    let left_columns = j.left.schema.fields.len();
    let builds_left = j.build == BuildSide::Left;
    if j.join.kind != JoinKind::Inner || (position < left_columns) != builds_left {
        return position;
    }
    let (build_keys, probe_keys) =
        if builds_left { (&j.left_keys, &j.right_keys) } else { (&j.right_keys, &j.left_keys) };
    let in_build = if builds_left { position } else { position - left_columns };
    for (b, p) in build_keys.iter().zip(probe_keys) {
        if let (BoundExpr::Column { index: b, .. }, BoundExpr::Column { index: p, .. }) = (b, p) {
            if *b == in_build {
                return if builds_left { p + left_columns } else { *p };
            }
        }
    }
    position
}

/// Whether a node's own expressions give other values when some of its input rows are missing (`monotonically_increasing_id`,
/// `rand` with a seed): nothing may be filtered below it, as Spark pushes no predicate through them.
pub(crate) fn needs_all_rows(registry: &Registry, plan: &PhysicalPlan) -> bool {
    node_depends_on(registry, plan) != DependsOn::Nothing
}

/// Follows column `index` of `node` down to a scan.
fn place(registry: &Registry, node: &mut PlanNode, index: usize, filter: FilterId, key: usize) -> bool {
    if needs_all_rows(registry, &node.plan) {
        return false;
    }
    match &mut node.plan {
        PhysicalPlan::Scan(s) => {
            s.runtime_filters.push(RuntimeFilterTarget { filter, key, column: s.projection[index] });
            true
        }
        PhysicalPlan::Filter { projection, input, .. } => {
            place(registry, input, projection[index], filter, key)
        }
        PhysicalPlan::Project { exprs, input } => match &exprs[index] {
            BoundExpr::Column { index, .. } => place(registry, input, *index, filter, key),
            _ => false,
        },
        PhysicalPlan::HashAggregate(a) => match a.groups.get(index) {
            Some(BoundExpr::Column { index, .. }) => place(registry, &mut a.input, *index, filter, key),
            _ => false,
        },
        PhysicalPlan::HashJoin(j) => {
            // Into the probe side only: the build side of this join is another fragment.
            let left_columns = j.left.schema.fields.len();
            let Some(position) = j.join.projection.get(index).copied() else { return false };
            let position = as_probe_column(j, position);
            let preserved = |left: bool| match j.join.kind {
                JoinKind::Inner => true,
                JoinKind::Left | JoinKind::LeftSemi | JoinKind::LeftAnti => left,
                JoinKind::Right => !left,
                _ => false,
            };
            match j.build {
                BuildSide::Right if position < left_columns && preserved(true) => {
                    place(registry, &mut j.left, position, filter, key)
                }
                BuildSide::Left if position >= left_columns && preserved(false) => {
                    place(registry, &mut j.right, position - left_columns, filter, key)
                }
                _ => false,
            }
        }
        _ => false,
    }
}
