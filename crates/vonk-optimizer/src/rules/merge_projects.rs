//! Merges a projection into the one below it, where nothing expensive is computed twice and nothing volatile moves.

use crate::optimizer::{Rule, RuleContext};
use std::collections::HashMap;
use std::sync::Arc;
use vonk_error::Result;
use vonk_plan::logical::{ColumnId, Expr, LogicalPlan, Named};

/// See the module.
pub struct MergeProjects;

impl Rule for MergeProjects {
    fn name(&self) -> &'static str {
        "MergeProjects"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, _: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        plan.transform_up(&mut |node| match node {
            LogicalPlan::Project { exprs, input } => merge(exprs, input),
            other => Ok(other),
        })
    }
}

fn merge(exprs: Vec<Named<Expr>>, input: Arc<LogicalPlan>) -> Result<LogicalPlan> {
    let LogicalPlan::Project { exprs: below, input: bottom } = input.as_ref() else {
        return Ok(LogicalPlan::Project { exprs, input });
    };
    let mut uses: HashMap<ColumnId, usize> = HashMap::new();
    for n in &exprs {
        n.expr.visit(&mut |e| {
            if let Expr::Column(c) = e {
                *uses.entry(c.id).or_default() += 1;
            }
        });
    }
    let cheap = |e: &Expr| matches!(e, Expr::Column(_) | Expr::Literal(_));
    let mergeable = below.iter().all(|n| {
        let count = uses.get(&n.column.id).copied().unwrap_or(0);
        cheap(&n.expr) || (n.expr.is_deterministic() && count <= 1) || count == 0 && n.expr.is_deterministic()
    });
    if !mergeable {
        return Ok(LogicalPlan::Project { exprs, input });
    }
    let by_id: HashMap<ColumnId, &Expr> = below.iter().map(|n| (n.column.id, &n.expr)).collect();
    let exprs = exprs
        .into_iter()
        .map(|n| {
            let expr = n.expr.replace_columns(&|c| by_id.get(&c.id).map(|e| (*e).clone()))?;
            Ok(Named { expr, column: n.column })
        })
        .collect::<Result<_>>()?;
    Ok(LogicalPlan::Project { exprs, input: bottom.clone() })
}
