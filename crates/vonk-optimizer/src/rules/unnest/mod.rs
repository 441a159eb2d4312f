//! Dependent joins become plain joins: correlated subqueries are unnested, whatever they contain.
//!
//! Two ways. [`pull_up`] moves correlated predicates up and out of the subquery into the join's condition; it makes the best
//! plans and does for most queries. Where something stands in the way (a limit, a union, a correlated expression that is no
//! predicate), [`domain`] does it in general, after Neumann and Kemper, "Unnesting Arbitrary Queries" (BTW 2015): the
//! distinct values of the outer columns are joined into the subquery, which is then evaluated for all of them at once and
//! joined back.

mod defaults;
mod domain;
mod pull_up;

use crate::optimizer::{Rule, RuleContext};
use crate::rules::{output_ids, project_to};
use std::collections::HashSet;
use std::sync::Arc;
use vonk_error::Result;
use vonk_plan::logical::{Column, ColumnId, Expr, Join, JoinKind, LogicalPlan, Named};
use vonk_types::{DataType, Literal};

/// See the module.
pub struct Unnest;

impl Rule for Unnest {
    fn name(&self) -> &'static str {
        "Unnest"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        // Bottom-up: an inner dependent join is plain before the outer one looks at it.
        plan.transform_up(&mut |node| match node {
            LogicalPlan::Join(j) if j.lateral => unnest(j, cx),
            other => Ok(other),
        })
    }
}

/// Outer columns of `outer` that a plan refers to.
fn outer_references(plan: &LogicalPlan, outer: &HashSet<ColumnId>) -> Vec<Column> {
    let mut found: Vec<Column> = Vec::new();
    plan.visit(&mut |node| {
        for e in node.exprs() {
            e.visit(&mut |e| match e {
                Expr::OuterColumn(c) if outer.contains(&c.id) && !found.contains(c) => found.push(c.clone()),
                // An uncorrelated-looking scalar subquery may still pass a column of ours on.
                Expr::Subquery(s) => {
                    for c in &s.outer {
                        if outer.contains(&c.id) && !found.contains(c) {
                            found.push(c.clone());
                        }
                    }
                }
                _ => {}
            });
        }
    });
    found
}

fn has_outer(e: &Expr, outer: &HashSet<ColumnId>) -> bool {
    e.any(&|e| matches!(e, Expr::OuterColumn(c) if outer.contains(&c.id)))
}

/// Outer columns of `outer` become plain ones: they are in scope now.
fn settle(e: Expr, outer: &HashSet<ColumnId>) -> Result<Expr> {
    e.transform_up(&mut |e| {
        Ok(match e {
            Expr::OuterColumn(c) if outer.contains(&c.id) => Expr::Column(c),
            other => other,
        })
    })
}

fn unnest(mut j: Join, cx: &RuleContext<'_>) -> Result<LogicalPlan> {
    let outer = output_ids(&j.left);
    j.condition = j.condition.map(|c| settle(c, &outer)).transpose()?;
    let references = outer_references(&j.right, &outer);
    if references.is_empty() {
        j.lateral = false;
        return Ok(LogicalPlan::Join(j));
    }
    let output = j.output();
    let plan = match pull_up::pull_up(&j, &outer, cx)? {
        Some(pulled) => pulled_join(j, pulled, &outer, cx)?,
        None => domain::unnest(j, &references, cx)?,
    };
    Ok(Arc::unwrap_or_clone(project_to(Arc::new(plan), &output)))
}

/// The join over what [`pull_up::pull_up`] made: its predicates go into the condition, and rows without a match get the values that
/// aggregates have over nothing.
fn pulled_join(
    j: Join,
    pulled: pull_up::Pulled,
    outer: &HashSet<ColumnId>,
    cx: &RuleContext<'_>,
) -> Result<LogicalPlan> {
    let mut conjuncts: Vec<Expr> = j.condition.clone().map(Expr::conjuncts).unwrap_or_default();
    for p in pulled.predicates {
        conjuncts.push(settle(p, outer)?);
    }
    let Some(defaults) = pulled.defaults.filter(|_| j.kind.outputs_right()) else {
        let right = pulled.plan;
        return Ok(LogicalPlan::Join(Join {
            right,
            condition: Expr::and_all(conjuncts),
            lateral: false,
            ..j
        }));
    };
    // One row per outer row whether it matches or not: an inner lateral join keeps all left rows too.
    let kind = match j.kind {
        JoinKind::Inner | JoinKind::Left | JoinKind::LeftSingle => JoinKind::Left,
        other => other,
    };
    let found = cx.ids.column("found", DataType::Boolean, false);
    let mut exprs: Vec<Named<Expr>> = pulled.plan.output().iter().map(Named::pass).collect();
    exprs.push(Named { expr: Expr::Literal(Literal::boolean(true)), column: found.clone() });
    // Defaults are given under new names below the final projection to the old ones.
    let inner = exprs.iter_mut().filter_map(|n| {
        let default = defaults.of(n.column.id)?;
        let hidden = cx.ids.column(n.column.name.clone(), n.column.data_type.clone(), true);
        let shown = std::mem::replace(&mut n.column, hidden.clone());
        Some((shown, hidden, default))
    });
    let inner: Vec<(Column, Column, Expr)> = inner.collect();
    let hidden_for =
        |c: &Column| inner.iter().find(|(shown, _, _)| shown.id == c.id).map(|(_, h, _)| Expr::column(h));
    let condition = Expr::and_all(conjuncts).map(|c| c.replace_columns(&hidden_for)).transpose()?;
    let right = Arc::new(LogicalPlan::Project { exprs, input: pulled.plan });
    let join = Join { left: j.left, right, kind, condition, mark: None, null_aware: false, lateral: false };
    let joined = LogicalPlan::Join(join);
    let found = Expr::Column(Column { nullable: true, ..found });
    let mut exprs: Vec<Named<Expr>> = Vec::new();
    for c in joined.output() {
        match inner.iter().find(|(_, h, _)| h.id == c.id) {
            Some((shown, hidden, default)) => exprs.push(Named {
                expr: Expr::Case {
                    branches: vec![(Expr::IsNull(Box::new(found.clone())), default.clone())],
                    otherwise: Some(Box::new(Expr::Column(Column { nullable: true, ..hidden.clone() }))),
                    data_type: shown.data_type.clone(),
                },
                column: Column { nullable: true, ..shown.clone() },
            }),
            None => exprs.push(Named::pass(&c)),
        }
    }
    Ok(LogicalPlan::Project { exprs, input: Arc::new(joined) })
}
