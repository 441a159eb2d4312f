//! `agg(DISTINCT x) … GROUP BY g` becomes two aggregations: the distinct (g, x) first, then agg(x) by g. Both have partial and
//! final phases, where a distinct aggregate itself would need all rows of a group in one place at once.
//!
//! Applies where all distinct calls have the same arguments and no filter, and the other calls are such that they can be
//! aggregated again from the finer groups (their states merged): those of `sum`, `min`, `max` and `count` alone would need to be
//! known by name, so other calls keep the plan as it is.

use crate::optimizer::{Rule, RuleContext};
use std::sync::Arc;
use vonk_error::Result;
use vonk_plan::logical::{AggregateExpr, Column, Expr, LogicalPlan, Named};

/// See the module.
pub struct ExpandDistinctAggregates;

impl Rule for ExpandDistinctAggregates {
    fn name(&self) -> &'static str {
        "ExpandDistinctAggregates"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        plan.transform_up(&mut |node| match node {
            LogicalPlan::Aggregate { groups, aggregates, input } => expand(groups, aggregates, input, cx),
            other => Ok(other),
        })
    }
}

fn expand(
    groups: Vec<Named<Expr>>,
    mut aggregates: Vec<Named<AggregateExpr>>,
    input: Arc<LogicalPlan>,
    cx: &RuleContext<'_>,
) -> Result<LogicalPlan> {
    for a in &mut aggregates {
        // min(DISTINCT x) is min(x).
        if a.expr.distinct && cx.env.registry.aggregate(&a.expr.function)?.duplicate_insensitive {
            a.expr.distinct = false;
        }
    }
    let Some(first) = aggregates.first().map(|a| a.expr.args.clone()) else {
        return Ok(LogicalPlan::Aggregate { groups, aggregates, input });
    };
    let uniform = aggregates.iter().all(|a| {
        a.expr.distinct && a.expr.args == first && a.expr.filter.is_none() && a.expr.order_by.is_empty()
    });
    if !uniform || first.is_empty() || !first.iter().all(Expr::is_deterministic) {
        return Ok(LogicalPlan::Aggregate { groups, aggregates, input });
    }
    // Arguments that are constants stay constants: some functions look at them.
    let mut inner = groups.clone();
    let mut values: Vec<Expr> = Vec::with_capacity(first.len());
    for e in &first {
        if matches!(e, Expr::Literal(_)) {
            values.push(e.clone());
            continue;
        }
        let column: Column = cx.ids.column("distinct", e.data_type(), e.nullable());
        values.push(Expr::column(&column));
        inner.push(Named { expr: e.clone(), column });
    }
    let fine = LogicalPlan::Aggregate { groups: inner, aggregates: vec![], input };
    let aggregates = aggregates
        .into_iter()
        .map(|a| Named {
            expr: AggregateExpr { distinct: false, args: values.clone(), ..a.expr },
            column: a.column,
        })
        .collect();
    let groups = groups.iter().map(|g| Named::pass(&g.column)).collect();
    Ok(LogicalPlan::Aggregate { groups, aggregates, input: Arc::new(fine) })
}
