//! A scalar subquery that only computes something (`(SELECT a + 1)`, no FROM) is what it computes.
//!
//! So it is computed for each row where it stands, random functions too (Spark: OptimizeOneRowRelationSubquery).

use crate::optimizer::{Rule, RuleContext};
use std::collections::HashSet;
use std::sync::Arc;
use vonk_error::Result;
use vonk_plan::logical::{ColumnId, Expr, LogicalPlan, Named, SubqueryKind};

/// See the module.
pub struct InlineOneRowSubqueries;

impl Rule for InlineOneRowSubqueries {
    fn name(&self) -> &'static str {
        "InlineOneRowSubqueries"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, _: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        rewrite(plan)
    }
}

fn rewrite(plan: Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>> {
    plan.transform_up(&mut |node| {
        if !node.exprs().iter().any(|e| e.has_subquery()) {
            return Ok(node);
        }
        let here: HashSet<ColumnId> = node.inputs().iter().flat_map(|i| i.output()).map(|c| c.id).collect();
        node.map_exprs(&mut |e| inline(e, &here))
    })
}

/// What a subquery of this kind computes.
fn computed(e: &Expr) -> Option<&Expr> {
    let Expr::Subquery(s) = e else { return None };
    match (&s.kind, s.plan.as_ref()) {
        (SubqueryKind::Scalar, LogicalPlan::Project { exprs, input }) => {
            match (exprs.as_slice(), input.as_ref()) {
                ([Named { expr, .. }], LogicalPlan::Values { columns, batch })
                    if columns.is_empty() && batch.num_rows() == 1 && !expr.any(&is_correlated) =>
                {
                    Some(expr)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Subqueries that look outside would look elsewhere from where this one stands.
fn is_correlated(e: &Expr) -> bool {
    matches!(e, Expr::Subquery(s) if !s.outer.is_empty())
}

fn inline(e: Expr, here: &HashSet<ColumnId>) -> Result<Expr> {
    e.transform_up(&mut |e| {
        let Some(inner) = computed(&e) else {
            let Expr::Subquery(mut s) = e else { return Ok(e) };
            s.plan = rewrite(s.plan)?;
            return Ok(Expr::Subquery(s));
        };
        // Columns of the query around it are no outer ones any more; those of queries further out are.
        inner.clone().transform_up(&mut |e| {
            Ok(match e {
                Expr::OuterColumn(c) if here.contains(&c.id) => Expr::Column(c),
                other => other,
            })
        })
    })
}
