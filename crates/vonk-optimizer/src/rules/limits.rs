//! Limits move towards the scans, through what neither drops nor reorders rows.

use crate::optimizer::{Rule, RuleContext};
use std::sync::Arc;
use vonk_error::Result;
use vonk_plan::logical::LogicalPlan;

/// See the module.
pub struct PushDownLimits;

impl Rule for PushDownLimits {
    fn name(&self) -> &'static str {
        "PushDownLimits"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, _: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        plan.transform_down(&mut |node| match node {
            LogicalPlan::Limit { skip, fetch, input } => push(skip, fetch, input),
            other => Ok(other),
        })
    }
}

fn push(skip: u64, fetch: Option<u64>, input: Arc<LogicalPlan>) -> Result<LogicalPlan> {
    match input.as_ref() {
        // A projection keeps rows and their order; the sort below it is then seen by the planner as a top-k.
        LogicalPlan::Project { exprs, input: below } if exprs.iter().all(|n| n.expr.is_deterministic()) => {
            let limit = LogicalPlan::Limit { skip, fetch, input: below.clone() };
            Ok(LogicalPlan::Project { exprs: exprs.clone(), input: Arc::new(limit) })
        }
        LogicalPlan::Limit { skip: s, fetch: f, input: below } => {
            let rest = f.map(|f| f.saturating_sub(skip));
            let fetch = match (fetch, rest) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            Ok(LogicalPlan::Limit { skip: skip.saturating_add(*s), fetch, input: below.clone() })
        }
        LogicalPlan::Scan(s) => {
            let Some(n) = fetch.map(|f| f.saturating_add(skip)) else {
                return Ok(LogicalPlan::Limit { skip, fetch, input });
            };
            let mut s = s.clone();
            s.limit = Some(s.limit.map_or(n, |l| l.min(n)));
            Ok(LogicalPlan::Limit { skip, fetch, input: Arc::new(LogicalPlan::Scan(s)) })
        }
        LogicalPlan::Union { columns, inputs } => {
            let Some(n) = fetch.map(|f| f.saturating_add(skip)) else {
                return Ok(LogicalPlan::Limit { skip, fetch, input });
            };
            let limited = |i: &Arc<LogicalPlan>| match i.as_ref() {
                LogicalPlan::Limit { .. } => i.clone(),
                _ => Arc::new(LogicalPlan::Limit { skip: 0, fetch: Some(n), input: i.clone() }),
            };
            let inputs = inputs.iter().map(limited).collect();
            let union = LogicalPlan::Union { columns: columns.clone(), inputs };
            Ok(LogicalPlan::Limit { skip, fetch, input: Arc::new(union) })
        }
        LogicalPlan::Loop(l) => {
            let mut l = l.clone();
            let enough = fetch.map(|f| f.saturating_add(skip));
            l.fetch = l.fetch.map_or(enough, |known| Some(enough.map_or(known, |n| known.min(n))));
            Ok(LogicalPlan::Limit { skip, fetch, input: Arc::new(LogicalPlan::Loop(l)) })
        }
        _ => Ok(LogicalPlan::Limit { skip, fetch, input }),
    }
}
