//! Values of constant expressions, as analysis needs them (percentages, LIMIT, names of struct fields).

use crate::session::Session;
use std::sync::Arc;
use vonk_error::Result;
use vonk_eval::{BoundExpr, Evaluator};
use vonk_functions::{Function, Volatility};
use vonk_plan::logical::Expr;
use vonk_types::Literal;

/// Whether an expression depends on nothing but literals and on functions that give one value within a query.
pub(crate) fn is_foldable(s: &Session<'_>, e: &Expr) -> bool {
    match e {
        Expr::Literal(_) | Expr::LambdaParam(_) => true,
        Expr::Column(_) | Expr::OuterColumn(_) | Expr::Subquery(_) => false,
        Expr::Call { function, args, .. } => {
            let stable = match s.registry().get(function) {
                Some(Function::Scalar(f)) => f.volatility != Volatility::Volatile,
                _ => false,
            };
            // A lambda's parameters are constants of its body; outside of their lambda they do not occur.
            stable && args.iter().all(|a| is_foldable(s, a))
        }
        Expr::Cast { expr, .. }
        | Expr::Not(expr)
        | Expr::IsNull(expr)
        | Expr::IsNotNull(expr)
        | Expr::Field { expr, .. } => is_foldable(s, expr),
        Expr::Lambda { body, .. } => is_foldable(s, body),
        Expr::Compare { left, right, .. } => is_foldable(s, left) && is_foldable(s, right),
        Expr::And(list) | Expr::Or(list) => list.iter().all(|e| is_foldable(s, e)),
        Expr::Coalesce { args, .. } | Expr::MakeStruct { args, .. } => args.iter().all(|e| is_foldable(s, e)),
        Expr::Case { branches, otherwise, .. } => {
            branches.iter().all(|(c, v)| is_foldable(s, c) && is_foldable(s, v))
                && otherwise.as_ref().is_none_or(|o| is_foldable(s, o))
        }
        Expr::InList { expr, list, .. } => is_foldable(s, expr) && list.iter().all(|e| is_foldable(s, e)),
    }
}

/// The value of a foldable expression.
pub(crate) fn fold(s: &Session<'_>, e: &Expr) -> Result<Literal> {
    match e {
        Expr::Literal(l) => Ok(l.clone()),
        _ => Evaluator::fold(&bind(e)?, s.env),
    }
}

/// The value of an expression if it is foldable and does not fail.
pub(crate) fn value_of(s: &Session<'_>, e: &Expr) -> Option<Literal> {
    match e {
        Expr::Literal(l) => Some(l.clone()),
        // Nearly all arguments are columns or calls over columns, which this rules out fast.
        _ if is_foldable(s, e) => fold(s, e).ok(),
        _ => None,
    }
}

fn bind_all(list: &[Expr]) -> Result<Vec<BoundExpr>> {
    list.iter().map(bind).collect()
}

fn boxed(e: &Expr) -> Result<Box<BoundExpr>> {
    bind(e).map(Box::new)
}

/// The bound form of an expression without columns.
fn bind(e: &Expr) -> Result<BoundExpr> {
    Ok(match e {
        Expr::Column(c) | Expr::OuterColumn(c) => {
            return vonk_error::internal_err!("column {} in a constant", c.name);
        }
        Expr::Subquery(_) => return vonk_error::internal_err!("a subquery in a constant"),
        Expr::Literal(l) => BoundExpr::Literal(l.clone()),
        Expr::Call { function, args, data_type, span, .. } => BoundExpr::Call {
            function: Arc::clone(function),
            args: bind_all(args)?,
            data_type: data_type.clone(),
            span: *span,
        },
        Expr::Cast { expr, to, mode, span, .. } => {
            BoundExpr::Cast { expr: boxed(expr)?, to: to.clone(), mode: *mode, span: *span }
        }
        Expr::Compare { op, left, right } => {
            BoundExpr::Compare { op: *op, left: boxed(left)?, right: boxed(right)? }
        }
        Expr::And(list) => BoundExpr::And(bind_all(list)?),
        Expr::Or(list) => BoundExpr::Or(bind_all(list)?),
        Expr::Not(e) => BoundExpr::Not(boxed(e)?),
        Expr::IsNull(e) => BoundExpr::IsNull(boxed(e)?),
        Expr::IsNotNull(e) => BoundExpr::IsNotNull(boxed(e)?),
        Expr::Case { branches, otherwise, data_type } => BoundExpr::Case {
            branches: branches.iter().map(|(c, v)| Ok((bind(c)?, bind(v)?))).collect::<Result<_>>()?,
            otherwise: otherwise.as_ref().map(|o| boxed(o)).transpose()?,
            data_type: data_type.clone(),
        },
        Expr::Coalesce { args, data_type } => {
            BoundExpr::Coalesce { args: bind_all(args)?, data_type: data_type.clone() }
        }
        Expr::InList { expr, list, negated } => {
            BoundExpr::InList { expr: boxed(expr)?, list: bind_all(list)?, negated: *negated }
        }
        Expr::Field { expr, ordinal, data_type, .. } => {
            BoundExpr::Field { expr: boxed(expr)?, ordinal: *ordinal, data_type: data_type.clone() }
        }
        Expr::MakeStruct { args, data_type } => {
            BoundExpr::MakeStruct { args: bind_all(args)?, data_type: data_type.clone() }
        }
        Expr::Lambda { params, body } => BoundExpr::Lambda {
            params: params.iter().map(|p| p.id.0).collect(),
            param_types: params.iter().map(|p| p.data_type.clone()).collect(),
            body: boxed(body)?,
        },
        Expr::LambdaParam(c) => BoundExpr::LambdaParam { id: c.id.0, data_type: c.data_type.clone() },
    })
}
