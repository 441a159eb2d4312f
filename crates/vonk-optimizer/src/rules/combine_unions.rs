//! A union of unions is one union; and below a DISTINCT, inputs of a union need not be distinct themselves: a long chain of
//! `a UNION b UNION c`, which leans to the left, removes duplicates once.

use crate::optimizer::{Rule, RuleContext};
use std::sync::Arc;
use vonk_error::Result;
use vonk_plan::logical::LogicalPlan;

/// See the module.
pub struct CombineUnions;

impl Rule for CombineUnions {
    fn name(&self) -> &'static str {
        "CombineUnions"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, _: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        // Downwards: the uppermost union takes all in at once.
        plan.transform_down(&mut |node| {
            Ok(match node {
                LogicalPlan::Distinct { input } => LogicalPlan::Distinct { input: combined(input, true) },
                LogicalPlan::Union { columns, inputs } => {
                    LogicalPlan::Union { columns, inputs: flat(inputs, false) }
                }
                other => other,
            })
        })
    }
}

fn combined(plan: Arc<LogicalPlan>, distinct: bool) -> Arc<LogicalPlan> {
    match plan.as_ref() {
        LogicalPlan::Union { columns, inputs } => {
            let inputs = flat(inputs.clone(), distinct);
            Arc::new(LogicalPlan::Union { columns: columns.clone(), inputs })
        }
        _ => plan,
    }
}

/// The inputs with unions among them (and, if duplicates do not matter, distinct unions) taken apart. Columns of unions go by
/// position, so that an input's inputs fit in its place.
fn flat(inputs: Vec<Arc<LogicalPlan>>, distinct: bool) -> Vec<Arc<LogicalPlan>> {
    let mut out = Vec::with_capacity(inputs.len());
    let mut open = inputs;
    open.reverse();
    while let Some(input) = open.pop() {
        match input.as_ref() {
            LogicalPlan::Union { inputs, .. } => open.extend(inputs.iter().rev().cloned()),
            LogicalPlan::Distinct { input } if distinct => open.push(input.clone()),
            _ => out.push(input),
        }
    }
    out
}
