//! Outer joins whose null-extended rows a filter above removes anyway become inner ones (or keep just one side's).
//!
//! (Galindo-Legaria and Rosenthal, "Outerjoin Simplification and Reordering", TODS 1997.)

use crate::optimizer::{Rule, RuleContext};
use crate::rules::output_ids;
use std::collections::HashSet;
use std::sync::Arc;
use vonk_error::{Result, check_cancelled};
use vonk_functions::Registry;
use vonk_plan::logical::{ColumnId, Expr, Join, JoinKind, LogicalPlan};
use vonk_types::CompareOp;

/// See the module.
pub struct OuterToInner;

impl Rule for OuterToInner {
    fn name(&self) -> &'static str {
        "OuterToInner"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        walk(plan, &HashSet::new(), &cx.env.registry)
    }
}

/// `rejected`: columns whose being null keeps a row from reaching the top.
fn walk(
    plan: Arc<LogicalPlan>,
    rejected: &HashSet<ColumnId>,
    registry: &Registry,
) -> Result<Arc<LogicalPlan>> {
    check_cancelled()?;
    match plan.as_ref() {
        LogicalPlan::Filter { predicate, input } => {
            let mut all = rejected.clone();
            null_rejecting(predicate, registry, &mut all);
            let input = walk(input.clone(), &all, registry)?;
            Ok(Arc::new(LogicalPlan::Filter { predicate: predicate.clone(), input }))
        }
        LogicalPlan::Project { exprs, input } => {
            // A column that passes carries its requirement down.
            let mut below = HashSet::new();
            for n in exprs {
                if rejected.contains(&n.column.id) {
                    strict_columns(&n.expr, registry, &mut below);
                }
            }
            let input = walk(input.clone(), &below, registry)?;
            Ok(Arc::new(LogicalPlan::Project { exprs: exprs.clone(), input }))
        }
        LogicalPlan::Join(j) if !j.lateral => join(j.clone(), rejected, registry),
        LogicalPlan::Sort { .. } | LogicalPlan::Distinct { .. } | LogicalPlan::Repartition { .. } => {
            let node = Arc::unwrap_or_clone(plan).map_inputs(&mut |i| walk(i, rejected, registry))?;
            Ok(Arc::new(node))
        }
        _ => {
            let none = HashSet::new();
            Ok(Arc::new(Arc::unwrap_or_clone(plan).map_inputs(&mut |i| walk(i, &none, registry))?))
        }
    }
}

fn join(mut j: Join, rejected: &HashSet<ColumnId>, registry: &Registry) -> Result<Arc<LogicalPlan>> {
    let (left_ids, right_ids) = (output_ids(&j.left), output_ids(&j.right));
    let no_null_left = !rejected.is_disjoint(&left_ids);
    let no_null_right = !rejected.is_disjoint(&right_ids);
    j.kind = match j.kind {
        JoinKind::Left if no_null_right => JoinKind::Inner,
        JoinKind::Right if no_null_left => JoinKind::Inner,
        JoinKind::Full => match (no_null_left, no_null_right) {
            (true, true) => JoinKind::Inner,
            (true, false) => JoinKind::Left,
            (false, true) => JoinKind::Right,
            (false, false) => JoinKind::Full,
        },
        other => other,
    };
    let mut all = rejected.clone();
    let matched_only = matches!(j.kind, JoinKind::Inner | JoinKind::LeftSemi);
    let mut by_condition = HashSet::new();
    if let Some(c) = &j.condition {
        null_rejecting(c, registry, &mut by_condition);
    }
    if matched_only {
        all.extend(&by_condition);
    }
    let pick = |set: &HashSet<ColumnId>, ids: &HashSet<ColumnId>| set.intersection(ids).copied().collect();
    let left: HashSet<ColumnId> = match j.kind {
        JoinKind::Right => pick(&by_condition, &left_ids),
        JoinKind::Full => HashSet::new(),
        _ => pick(&all, &left_ids),
    };
    let right: HashSet<ColumnId> = match j.kind {
        JoinKind::Inner | JoinKind::Right => pick(&all, &right_ids),
        // A right row whose key is null matches nothing.
        JoinKind::Left | JoinKind::LeftSemi | JoinKind::LeftAnti => pick(&by_condition, &right_ids),
        _ => HashSet::new(),
    };
    j.left = walk(j.left, &left, registry)?;
    j.right = walk(j.right, &right, registry)?;
    Ok(Arc::new(LogicalPlan::Join(j)))
}

/// Adds the columns for which a null makes the predicate false or null.
pub(crate) fn null_rejecting(p: &Expr, registry: &Registry, out: &mut HashSet<ColumnId>) {
    match p {
        Expr::And(list) => list.iter().for_each(|c| null_rejecting(c, registry, out)),
        Expr::Or(list) => {
            let mut common: Option<HashSet<ColumnId>> = None;
            for m in list {
                let mut own = HashSet::new();
                null_rejecting(m, registry, &mut own);
                common = Some(match common {
                    None => own,
                    Some(c) => c.intersection(&own).copied().collect(),
                });
            }
            out.extend(common.unwrap_or_default());
        }
        Expr::IsNotNull(e) => strict_columns(e, registry, out),
        Expr::Not(e) if !matches!(**e, Expr::IsNull(_)) => strict_columns(e, registry, out),
        other => strict_columns(other, registry, out),
    }
}

/// Adds the columns for which a null makes the expression null.
fn strict_columns(e: &Expr, registry: &Registry, out: &mut HashSet<ColumnId>) {
    match e {
        Expr::Column(c) => {
            out.insert(c.id);
        }
        Expr::Cast { expr, .. } | Expr::Field { expr, .. } => strict_columns(expr, registry, out),
        Expr::Not(e) => strict_columns(e, registry, out),
        Expr::Compare { op, left, right } if *op != CompareOp::EqNullSafe => {
            strict_columns(left, registry, out);
            strict_columns(right, registry, out);
        }
        Expr::InList { expr, .. } => strict_columns(expr, registry, out),
        Expr::Call { function, args, .. } => {
            if registry.scalar(function).is_ok_and(|f| f.null_propagating) {
                args.iter().for_each(|a| strict_columns(a, registry, out));
            }
        }
        _ => {}
    }
}
