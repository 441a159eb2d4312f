//! The rules, one a file.

mod combine_unions;
mod distinct_aggregates;
mod factor_disjunctions;
mod infer_predicates;
mod join_order;
mod limits;
mod merge_projects;
mod one_row_subqueries;
mod outer_to_anti;
mod outer_to_inner;
mod push_down_filters;
mod semi_joins;
mod set_operations;
mod simplify;
mod subqueries;
mod unnest;

pub use combine_unions::CombineUnions;
pub use distinct_aggregates::ExpandDistinctAggregates;
pub use factor_disjunctions::FactorDisjunctions;
pub use infer_predicates::InferPredicates;
pub use join_order::JoinOrder;
pub use limits::PushDownLimits;
pub use merge_projects::MergeProjects;
pub use one_row_subqueries::InlineOneRowSubqueries;
pub use outer_to_anti::OuterToAnti;
pub use outer_to_inner::OuterToInner;
pub use push_down_filters::PushDownFilters;
pub use semi_joins::PushDownSemiJoins;
pub use set_operations::SetOperations;
pub use simplify::Simplify;
pub use subqueries::SubqueriesToJoins;
pub use unnest::Unnest;

use std::collections::HashSet;
use std::sync::Arc;
use vonk_plan::logical::{Column, ColumnId, Expr, LogicalPlan, Named};

/// Ids of a plan's output.
pub(crate) fn output_ids(plan: &LogicalPlan) -> HashSet<ColumnId> {
    plan.output().iter().map(|c| c.id).collect()
}

/// A projection to exactly these columns, or the plan if it has them already.
pub(crate) fn project_to(plan: Arc<LogicalPlan>, columns: &[Column]) -> Arc<LogicalPlan> {
    if plan.output().iter().map(|c| c.id).eq(columns.iter().map(|c| c.id)) {
        return plan;
    }
    Arc::new(LogicalPlan::Project { exprs: columns.iter().map(Named::pass).collect(), input: plan })
}

/// A filter above a plan, or the plan if there is nothing to filter by.
pub(crate) fn filter(predicates: Vec<Expr>, input: Arc<LogicalPlan>) -> Arc<LogicalPlan> {
    match Expr::and_all(predicates) {
        Some(predicate) => Arc::new(LogicalPlan::Filter { predicate, input }),
        None => input,
    }
}
