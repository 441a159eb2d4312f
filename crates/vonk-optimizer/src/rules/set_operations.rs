//! INTERSECT and EXCEPT become joins on null-safe equality of all columns. For the ALL forms rows are numbered among their
//! equals first, so that the n-th copy meets the n-th copy.

use crate::optimizer::{Rule, RuleContext};
use std::sync::Arc;
use vonk_error::{Result, Span};
use vonk_plan::logical::{
    Column, Expr, Join, JoinKind, LogicalPlan, Named, SetOperation, Window, WindowExpr,
};
use vonk_types::{CompareOp, DataType};

/// See the module.
pub struct SetOperations;

impl Rule for SetOperations {
    fn name(&self) -> &'static str {
        "SetOperations"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        rewrite_deep(plan, cx)
    }
}

/// Also within subqueries, which later rules turn into joins.
fn rewrite_deep(plan: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
    plan.transform_up(&mut |node| {
        let node = if node.exprs().iter().any(|e| e.has_subquery()) {
            node.map_exprs(&mut |e| {
                e.transform_up(&mut |e| {
                    let Expr::Subquery(mut s) = e else { return Ok(e) };
                    s.plan = rewrite_deep(s.plan, cx)?;
                    Ok(Expr::Subquery(s))
                })
            })?
        } else {
            node
        };
        match node {
            LogicalPlan::SetOperation { operation, all, columns, left, right } => {
                Ok(to_join(operation, all, columns, left, right, cx))
            }
            other => Ok(other),
        }
    })
}

fn to_join(
    operation: SetOperation,
    all: bool,
    columns: Vec<Column>,
    left: Arc<LogicalPlan>,
    right: Arc<LogicalPlan>,
    cx: &RuleContext<'_>,
) -> LogicalPlan {
    let own = left.output();
    let (left, right) = if all { (numbered(left, cx), numbered(right, cx)) } else { (left, right) };
    let condition = left.output().into_iter().zip(right.output()).map(|(l, r)| Expr::Compare {
        op: CompareOp::EqNullSafe,
        left: Box::new(Expr::Column(l)),
        right: Box::new(Expr::Column(r)),
    });
    let condition = Expr::and_all(condition.collect());
    let kind = match operation {
        SetOperation::Intersect => JoinKind::LeftSemi,
        SetOperation::Except => JoinKind::LeftAnti,
    };
    let join = Join { left, right, kind, condition, mark: None, null_aware: false, lateral: false };
    let exprs = columns
        .into_iter()
        .zip(own)
        .map(|(column, from)| Named { expr: Expr::Column(from), column })
        .collect();
    let project = LogicalPlan::Project { exprs, input: Arc::new(LogicalPlan::Join(join)) };
    if all { project } else { LogicalPlan::Distinct { input: Arc::new(project) } }
}

/// The rows with their number among equal rows.
fn numbered(plan: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Arc<LogicalPlan> {
    let call = WindowExpr::Function {
        function: "row_number".into(),
        called_as: "row_number".into(),
        args: vec![],
        frame: None,
        ignore_nulls: false,
        data_type: DataType::Int,
        nullable: false,
        span: Span::NONE,
    };
    let column = cx.ids.column("copy", DataType::Int, false);
    Arc::new(LogicalPlan::Window(Window {
        functions: vec![Named { expr: call, column }],
        partition_by: plan.output().iter().map(Expr::column).collect(),
        order_by: vec![],
        input: plan,
    }))
}
