//! The order in which rules run.

use crate::rules;
use std::sync::Arc;
use vonk_error::{Result, check_cancelled};
use vonk_eval::EvalEnv;
use vonk_plan::LogicalPlan;
use vonk_plan::logical::ColumnIds;

/// What rules may use.
pub struct RuleContext<'a> {
    /// For folding constants.
    pub env: &'a EvalEnv,
    /// For new columns.
    pub ids: &'a ColumnIds,
}

/// A rewrite of a whole plan that keeps its answer and its output columns.
pub trait Rule: Sync {
    /// Name, for traces.
    fn name(&self) -> &'static str;
    /// The plan rewritten, or as it was.
    fn rewrite(&self, plan: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<Arc<LogicalPlan>>;
}

/// Runs the rules.
pub struct Optimizer<'a> {
    cx: RuleContext<'a>,
}

/// The rules, in order. Those that make work for earlier ones are followed by them again.
static RULES: &[&dyn Rule] = &[
    &rules::CombineUnions,
    &rules::SetOperations,
    &rules::InlineOneRowSubqueries,
    &rules::SubqueriesToJoins,
    &rules::Unnest,
    &rules::MergeProjects,
    &rules::Simplify,
    &rules::FactorDisjunctions,
    &rules::PushDownFilters,
    &rules::OuterToInner,
    &rules::OuterToAnti,
    &rules::PushDownFilters,
    &rules::InferPredicates,
    &rules::PushDownFilters,
    &rules::ExpandDistinctAggregates,
    &rules::JoinOrder,
    &rules::PushDownFilters,
    &rules::PushDownSemiJoins,
    &rules::PushDownLimits,
    &rules::MergeProjects,
    &rules::Simplify,
];

impl<'a> Optimizer<'a> {
    /// An optimizer for one query.
    pub fn new(env: &'a EvalEnv, ids: &'a ColumnIds) -> Self {
        Optimizer { cx: RuleContext { env, ids } }
    }

    /// The plan after all rules.
    pub fn optimize(&self, plan: Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>> {
        self.optimize_traced(plan, &mut |_, _| {})
    }

    /// As [`optimize`](Self::optimize), telling `trace` of the plan after each rule.
    pub fn optimize_traced(
        &self,
        mut plan: Arc<LogicalPlan>,
        trace: &mut dyn FnMut(&'static str, &LogicalPlan),
    ) -> Result<Arc<LogicalPlan>> {
        for rule in RULES {
            check_cancelled()?;
            plan = rule.rewrite(plan, &self.cx)?;
            trace(rule.name(), &plan);
        }
        optimize_scalar_subqueries(plan, self)
    }
}

/// Uncorrelated scalar subqueries stay in expressions; their plans are optimized on their own.
fn optimize_scalar_subqueries(plan: Arc<LogicalPlan>, optimizer: &Optimizer<'_>) -> Result<Arc<LogicalPlan>> {
    let mut done: Vec<(Arc<LogicalPlan>, Arc<LogicalPlan>)> = Vec::new();
    plan.transform_up(&mut |node| {
        if !node.exprs().iter().any(|e| e.has_subquery()) {
            return Ok(node);
        }
        node.map_exprs(&mut |e| {
            e.transform_up(&mut |e| {
                let vonk_plan::Expr::Subquery(mut s) = e else { return Ok(e) };
                let known =
                    done.iter().find(|(before, _)| Arc::ptr_eq(before, &s.plan)).map(|(_, a)| a.clone());
                let after = match known {
                    Some(after) => after,
                    None => {
                        let after = optimizer.optimize(s.plan.clone())?;
                        done.push((s.plan.clone(), after.clone()));
                        after
                    }
                };
                s.plan = after;
                Ok(vonk_plan::Expr::Subquery(s))
            })
        })
    })
}
