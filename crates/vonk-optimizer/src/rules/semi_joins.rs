//! Selective semi and anti joins move below inner joins, next to the relation they test.

use crate::optimizer::{Rule, RuleContext};
use crate::rules::output_ids;
use crate::statistics::estimate;
use std::sync::Arc;
use vonk_error::Result;
use vonk_plan::logical::{Expr, Join, JoinKind, LogicalPlan};

/// See the module.
pub struct PushDownSemiJoins;

/// A semi join that is expected to keep more than this share of its relation's rows is not worth doing early, when more rows
/// must be tested than after the joins.
const KEEPS_AT_MOST: f64 = 0.5;

impl Rule for PushDownSemiJoins {
    fn name(&self) -> &'static str {
        "PushDownSemiJoins"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, _: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        plan.transform_up(&mut |node| match node {
            LogicalPlan::Join(j) if matches!(j.kind, JoinKind::LeftSemi | JoinKind::LeftAnti) => Ok(push(j)),
            other => Ok(other),
        })
    }
}

fn push(j: Join) -> LogicalPlan {
    let mut needed = std::collections::HashSet::new();
    if let Some(c) = &j.condition {
        c.collect_columns(&mut needed);
    }
    let left_ids = output_ids(&j.left);
    needed.retain(|c| left_ids.contains(c));
    if needed.is_empty() {
        return LogicalPlan::Join(j);
    }
    let before = estimate(&j.left).rows.max(1.0);
    match sink(&j.left, &j, &needed, before) {
        Some(moved) => Arc::unwrap_or_clone(moved),
        None => LogicalPlan::Join(j),
    }
}

/// The tree with the semi join around the lowest relation that has its columns, if that pays.
fn sink(
    plan: &Arc<LogicalPlan>,
    semi: &Join,
    needed: &std::collections::HashSet<vonk_plan::ColumnId>,
    rows_on_top: f64,
) -> Option<Arc<LogicalPlan>> {
    if let LogicalPlan::Project { exprs, input } = plan.as_ref() {
        // Columns as they are: what the join order leaves on top of a tree to have its columns in the old order.
        let plain = exprs.iter().all(|n| matches!(&n.expr, Expr::Column(c) if c.id == n.column.id));
        let input = plain.then(|| sink(input, semi, needed, rows_on_top)).flatten()?;
        return Some(Arc::new(LogicalPlan::Project { exprs: exprs.clone(), input }));
    }
    let LogicalPlan::Join(inner) = plan.as_ref() else { return None };
    if inner.kind != JoinKind::Inner || inner.lateral {
        return None;
    }
    for left in [true, false] {
        let side = if left { &inner.left } else { &inner.right };
        if !needed.is_subset(&output_ids(side)) {
            continue;
        }
        let moved = sink(side, semi, needed, rows_on_top).or_else(|| {
            let here = LogicalPlan::Join(Join { left: side.clone(), ..semi.clone() });
            let before = estimate(side).rows.max(1.0);
            let after = estimate(&here).rows;
            // Worth it if it drops most rows, or if there are fewer to test here than on top.
            (after <= before * KEEPS_AT_MOST || before < rows_on_top * KEEPS_AT_MOST).then(|| Arc::new(here))
        })?;
        let mut out = inner.clone();
        if left {
            out.left = moved
        } else {
            out.right = moved
        }
        return Some(Arc::new(LogicalPlan::Join(out)));
    }
    None
}
