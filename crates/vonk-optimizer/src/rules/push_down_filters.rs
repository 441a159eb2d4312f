//! Moves filters towards the scans: through projections, aggregates, windows, unions, sorts, into the sides of joins, and at last
//! into the scan itself. A filter above an inner join becomes part of its condition.
//!
//! Nothing volatile moves. A predicate moves below a limit never.

use crate::optimizer::{Rule, RuleContext};
use crate::rules::{filter, output_ids};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use vonk_error::{Result, check_cancelled};
use vonk_plan::logical::{ColumnId, Expr, Join, JoinKind, LogicalPlan, Named};

/// See the module.
pub struct PushDownFilters;

impl Rule for PushDownFilters {
    fn name(&self) -> &'static str {
        "PushDownFilters"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, _: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        push(plan, vec![])
    }
}

/// The plan with predicates over its output applied as low as they can be.
fn push(plan: Arc<LogicalPlan>, predicates: Vec<Expr>) -> Result<Arc<LogicalPlan>> {
    check_cancelled()?;
    let stay = |plan: Arc<LogicalPlan>, predicates: Vec<Expr>| -> Result<Arc<LogicalPlan>> {
        let node = Arc::unwrap_or_clone(plan).map_inputs(&mut |i| push(i, vec![]))?;
        Ok(filter(predicates, Arc::new(node)))
    };
    match plan.as_ref() {
        LogicalPlan::Filter { predicate, input } => {
            let mut all = predicate.clone().conjuncts();
            let (fixed, moving): (Vec<_>, Vec<_>) =
                std::mem::take(&mut all).into_iter().partition(|p| !p.is_deterministic());
            if !fixed.is_empty() {
                // A volatile predicate sees exactly the rows that reach it here.
                let below = push(input.clone(), moving)?;
                return Ok(filter(predicates, filter(fixed, below)));
            }
            let mut moving = moving;
            moving.extend(predicates);
            push(input.clone(), moving)
        }
        LogicalPlan::Project { exprs, input } => {
            if exprs.iter().any(|n| !n.expr.is_deterministic()) {
                return stay(plan, predicates);
            }
            let by_id: HashMap<ColumnId, &Expr> = exprs.iter().map(|n| (n.column.id, &n.expr)).collect();
            let below = predicates
                .into_iter()
                .map(|p| p.replace_columns(&|c| by_id.get(&c.id).map(|e| (*e).clone())))
                .collect::<Result<Vec<_>>>()?;
            let input = push(input.clone(), below)?;
            Ok(Arc::new(LogicalPlan::Project { exprs: exprs.clone(), input }))
        }
        LogicalPlan::Aggregate { groups, aggregates, input } if !groups.is_empty() => {
            let (below, above) = through_keys(predicates, groups)?;
            let input = push(input.clone(), below)?;
            let node =
                LogicalPlan::Aggregate { groups: groups.clone(), aggregates: aggregates.clone(), input };
            Ok(filter(above, Arc::new(node)))
        }
        LogicalPlan::Window(w) => {
            let keys: HashSet<ColumnId> = w
                .partition_by
                .iter()
                .filter_map(|e| match e {
                    Expr::Column(c) => Some(c.id),
                    _ => None,
                })
                .collect();
            let (below, above): (Vec<_>, Vec<_>) =
                predicates.into_iter().partition(|p| !p.columns().is_empty() && p.columns().is_subset(&keys));
            let mut w = w.clone();
            w.input = push(w.input, below)?;
            Ok(filter(above, Arc::new(LogicalPlan::Window(w))))
        }
        LogicalPlan::Sort { keys, global, input } => {
            let input = push(input.clone(), predicates)?;
            Ok(Arc::new(LogicalPlan::Sort { keys: keys.clone(), global: *global, input }))
        }
        LogicalPlan::Distinct { input } => {
            Ok(Arc::new(LogicalPlan::Distinct { input: push(input.clone(), predicates)? }))
        }
        LogicalPlan::Repartition { distribution, input } => {
            let input = push(input.clone(), predicates)?;
            Ok(Arc::new(LogicalPlan::Repartition { distribution: distribution.clone(), input }))
        }
        LogicalPlan::Union { columns, inputs } => {
            let inputs = inputs
                .iter()
                .map(|input| {
                    let own = input.output();
                    let by_id: HashMap<ColumnId, Expr> =
                        columns.iter().zip(&own).map(|(c, o)| (c.id, Expr::column(o))).collect();
                    let below = predicates
                        .iter()
                        .map(|p| p.clone().replace_columns(&|c| by_id.get(&c.id).cloned()))
                        .collect::<Result<Vec<_>>>()?;
                    push(input.clone(), below)
                })
                .collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(LogicalPlan::Union { columns: columns.clone(), inputs }))
        }
        LogicalPlan::Generate(g) => {
            let own = output_ids(&g.input);
            let (below, above): (Vec<_>, Vec<_>) =
                predicates.into_iter().partition(|p| p.columns().is_subset(&own));
            let mut g = g.clone();
            g.input = push(g.input, below)?;
            Ok(filter(above, Arc::new(LogicalPlan::Generate(g))))
        }
        LogicalPlan::Join(j) if !j.lateral => push_join(j.clone(), predicates),
        LogicalPlan::Scan(s) => {
            // A scalar subquery's value is not known to the source's statistics, but the reader can apply it.
            let mut s = s.clone();
            s.filters.extend(predicates);
            Ok(Arc::new(LogicalPlan::Scan(s)))
        }
        _ => stay(plan, predicates),
    }
}

/// Predicates over group keys, rewritten over the input, and the others.
fn through_keys(predicates: Vec<Expr>, groups: &[Named<Expr>]) -> Result<(Vec<Expr>, Vec<Expr>)> {
    let by_id: HashMap<ColumnId, &Expr> = groups.iter().map(|n| (n.column.id, &n.expr)).collect();
    let (mut below, mut above) = (vec![], vec![]);
    for p in predicates {
        let columns = p.columns();
        if !columns.is_empty() && columns.iter().all(|c| by_id.contains_key(c)) {
            below.push(p.replace_columns(&|c| by_id.get(&c.id).map(|e| (*e).clone()))?);
        } else {
            above.push(p);
        }
    }
    Ok((below, above))
}

fn push_join(mut j: Join, predicates: Vec<Expr>) -> Result<Arc<LogicalPlan>> {
    let (left_ids, right_ids) = (output_ids(&j.left), output_ids(&j.right));
    let (mut left, mut right, mut above) = (vec![], vec![], vec![]);
    // Which side's rows come out as they are, so that a predicate on them may run before the join.
    let keeps_left = !matches!(j.kind, JoinKind::Right | JoinKind::Full);
    let keeps_right = matches!(j.kind, JoinKind::Inner | JoinKind::Right);
    let mut condition: Vec<Expr> = j.condition.take().map(Expr::conjuncts).unwrap_or_default();
    if j.kind == JoinKind::Inner {
        condition.extend(predicates);
    } else {
        for p in predicates {
            let columns = p.columns();
            if keeps_left && columns.is_subset(&left_ids) {
                left.push(p);
            } else if keeps_right && columns.is_subset(&right_ids) {
                right.push(p);
            } else {
                above.push(p);
            }
        }
    }
    // A conjunct of the condition may run before the join on the side whose unmatched rows do not come out.
    let from_left = matches!(j.kind, JoinKind::Inner | JoinKind::Right | JoinKind::LeftSemi);
    let from_right = matches!(
        j.kind,
        JoinKind::Inner | JoinKind::Left | JoinKind::LeftSemi | JoinKind::LeftAnti | JoinKind::LeftSingle
    ) || (j.kind == JoinKind::Mark && !j.null_aware);
    let mut rest = Vec::new();
    for c in condition {
        let columns = c.columns();
        if !c.is_deterministic() {
            rest.push(c);
        } else if from_left && columns.is_subset(&left_ids) && !(columns.is_empty() && from_right) {
            left.push(c);
        } else if from_right && columns.is_subset(&right_ids) {
            right.push(c);
        } else {
            rest.push(c);
        }
    }
    // A conjunct without columns in an inner join (`WHERE 1 = 0`) went to the right side alone, which is enough.
    j.condition = Expr::and_all(rest);
    j.left = push(j.left, left)?;
    j.right = push(j.right, right)?;
    Ok(filter(above, Arc::new(LogicalPlan::Join(j))))
}
