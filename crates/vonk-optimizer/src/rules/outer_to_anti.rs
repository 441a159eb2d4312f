//! A left join of which only the rows without a match are kept becomes an anti join: `a LEFT JOIN b ON a.x = b.y WHERE b.y IS NULL`.
//!
//! A matched row has a value in every column that the condition, or the right side itself, rejects nulls of, so that a null there says
//! that there was no match.

use super::outer_to_inner::null_rejecting;
use crate::optimizer::{Rule, RuleContext};
use crate::rules::{filter, output_ids};
use std::collections::HashSet;
use std::sync::Arc;
use vonk_error::{Result, check_cancelled};
use vonk_functions::Registry;
use vonk_plan::logical::{Column, ColumnId, Expr, Join, JoinKind, LogicalPlan, Named};
use vonk_types::Literal;

/// See the module.
pub struct OuterToAnti;

impl Rule for OuterToAnti {
    fn name(&self) -> &'static str {
        "OuterToAnti"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        walk(plan, None, &cx.env.registry)
    }
}

/// `needed`: the columns that what is above asks for; `None` is all.
fn walk(
    plan: Arc<LogicalPlan>,
    needed: Option<&HashSet<ColumnId>>,
    registry: &Registry,
) -> Result<Arc<LogicalPlan>> {
    check_cancelled()?;
    match plan.as_ref() {
        LogicalPlan::Filter { predicate, input } => {
            if let LogicalPlan::Join(j) = input.as_ref() {
                if let Some(anti) = unmatched(predicate, j, needed, registry) {
                    return walk(anti, needed, registry);
                }
            }
            let below = needed.map(|n| n.union(&predicate.columns()).copied().collect());
            let input = walk(input.clone(), below.as_ref(), registry)?;
            Ok(Arc::new(LogicalPlan::Filter { predicate: predicate.clone(), input }))
        }
        LogicalPlan::Join(j) if !j.lateral => {
            let on = j.condition.as_ref().map(Expr::columns).unwrap_or_default();
            let below: Option<HashSet<ColumnId>> = needed.map(|n| n.union(&on).copied().collect());
            let node = Arc::unwrap_or_clone(plan);
            Ok(Arc::new(node.map_inputs(&mut |i| walk(i, below.as_ref(), registry))?))
        }
        LogicalPlan::Project { .. } | LogicalPlan::Aggregate { .. } => {
            let mut below = HashSet::new();
            plan.exprs().into_iter().for_each(|e| below.extend(e.columns()));
            let node = Arc::unwrap_or_clone(plan);
            Ok(Arc::new(node.map_inputs(&mut |i| walk(i, Some(&below), registry))?))
        }
        _ => {
            let node = Arc::unwrap_or_clone(plan);
            Ok(Arc::new(node.map_inputs(&mut |i| walk(i, None, registry))?))
        }
    }
}

/// Adds columns of a plan's output that are null in none of its rows.
fn never_null(plan: &LogicalPlan, registry: &Registry, out: &mut HashSet<ColumnId>) {
    match plan {
        LogicalPlan::Scan(s) => {
            out.extend(s.columns.iter().filter(|(c, _)| !c.nullable).map(|(c, _)| c.id));
            s.filters.iter().for_each(|f| null_rejecting(f, registry, out));
        }
        LogicalPlan::Filter { predicate, input } => {
            null_rejecting(predicate, registry, out);
            never_null(input, registry, out);
        }
        LogicalPlan::Project { exprs, input } => {
            let mut below = HashSet::new();
            never_null(input, registry, &mut below);
            let whole = |n: &&Named<Expr>| match &n.expr {
                Expr::Column(c) => below.contains(&c.id),
                _ => false,
            };
            out.extend(exprs.iter().filter(whole).map(|n| n.column.id));
        }
        LogicalPlan::Join(j) if j.kind == JoinKind::Inner => {
            if let Some(on) = &j.condition {
                null_rejecting(on, registry, out);
            }
            never_null(&j.left, registry, out);
            never_null(&j.right, registry, out);
        }
        _ => {}
    }
}

/// The left rows without a match, where that is what the predicate asks for.
fn unmatched(
    predicate: &Expr,
    j: &Join,
    needed: Option<&HashSet<ColumnId>>,
    registry: &Registry,
) -> Option<Arc<LogicalPlan>> {
    if j.kind != JoinKind::Left || j.lateral {
        return None;
    }
    let right: Vec<Column> = j.right.output();
    let right_ids = output_ids(&j.right);
    let mut rejected = HashSet::new();
    null_rejecting(j.condition.as_ref()?, registry, &mut rejected);
    never_null(&j.right, registry, &mut rejected);
    let says_unmatched = |e: &Expr| match e {
        Expr::IsNull(e) => match e.as_ref() {
            Expr::Column(c) => right_ids.contains(&c.id) && rejected.contains(&c.id),
            _ => false,
        },
        _ => false,
    };
    let mut rest = predicate.clone().conjuncts();
    let before = rest.len();
    rest.retain(|e| !says_unmatched(e));
    if rest.len() == before {
        return None;
    }
    let anti = Arc::new(LogicalPlan::Join(Join { kind: JoinKind::LeftAnti, ..j.clone() }));
    let used = |c: &Column| {
        needed.is_none_or(|n| n.contains(&c.id)) || rest.iter().any(|e| e.columns().contains(&c.id))
    };
    if !right.iter().any(used) {
        return Some(filter(rest, anti));
    }
    // The columns of the right side are null now, whoever asks for them.
    let null = |c: Column| Named { expr: Expr::Literal(Literal::null(c.data_type.clone())), column: c };
    let left = j.left.output();
    let exprs = left.iter().map(Named::pass).chain(right.into_iter().filter(used).map(null)).collect();
    Some(filter(rest, Arc::new(LogicalPlan::Project { exprs, input: anti })))
}
