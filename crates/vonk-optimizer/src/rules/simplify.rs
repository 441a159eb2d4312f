//! Simplifies expressions: constants folded by the evaluator, boolean algebra, casts that do nothing, filters that are always
//! true or never.
//!
//! A constant that fails to fold (`1/0`) stays: it fails when, and only if, a row needs it.

use crate::bind::Binder;
use crate::optimizer::{Rule, RuleContext};
use std::sync::Arc;
use vonk_error::Result;
use vonk_eval::Evaluator;
use vonk_plan::logical::{Expr, JoinKind, LogicalPlan};
use vonk_types::{CompareOp, DataType, Literal};

/// See the module.
pub struct Simplify;

impl Rule for Simplify {
    fn name(&self) -> &'static str {
        "Simplify"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        plan.transform_up(&mut |node| {
            // Arguments of window functions and generators may be required to be what they are; expressions are safe.
            let node = node.map_exprs(&mut |e| simplify(e, cx))?;
            simplify_node(node)
        })
    }
}

/// Simplifies an expression.
pub(crate) fn simplify(e: Expr, cx: &RuleContext<'_>) -> Result<Expr> {
    e.transform_up(&mut |e| {
        let e = fold(e, cx);
        Ok(algebra(e))
    })
}

fn fold(e: Expr, cx: &RuleContext<'_>) -> Expr {
    let worth = match &e {
        Expr::Literal(_)
        | Expr::Column(_)
        | Expr::OuterColumn(_)
        | Expr::LambdaParam(_)
        | Expr::Lambda { .. } => false,
        Expr::And(_) | Expr::Or(_) | Expr::Not(_) => false,
        other => {
            // Parts are folded already: a constant's parts are literals, or constants that failed to fold.
            let mut constant = true;
            other.for_each_child(&mut |c| constant &= matches!(c, Expr::Literal(_)));
            constant && other.is_foldable()
        }
    };
    if !worth {
        return e;
    }
    let folded = Binder::new(&[]).bind(&e).and_then(|bound| Evaluator::fold(&bound, cx.env));
    match folded {
        Ok(l) if l.data_type.same_type(&e.data_type(), true) => Expr::Literal(l),
        _ => e,
    }
}

fn is(e: &Expr, b: bool) -> bool {
    matches!(e, Expr::Literal(l) if l.as_bool() == Some(b))
}

fn null_literal() -> Expr {
    Expr::Literal(Literal::null(DataType::Boolean))
}

fn algebra(e: Expr) -> Expr {
    match e {
        Expr::And(list) => junction(list, true),
        Expr::Or(list) => junction(list, false),
        Expr::Not(inner) => negate(*inner),
        Expr::Cast { expr, to, .. } if expr.data_type() == to => *expr,
        Expr::IsNull(x) if !x.nullable() => Expr::boolean(false),
        Expr::IsNotNull(x) if !x.nullable() => Expr::boolean(true),
        Expr::Case { branches, otherwise, data_type } => case(branches, otherwise, data_type),
        Expr::Coalesce { args, data_type } => coalesce(args, data_type),
        Expr::InList { expr, list, negated: false } if list.len() == 1 => {
            let mut list = list;
            match list.pop() {
                Some(only) => Expr::Compare { op: CompareOp::Eq, left: expr, right: Box::new(only) },
                None => Expr::boolean(false),
            }
        }
        // A null operand makes a comparison null.
        Expr::Compare { op, left, right }
            if op != CompareOp::EqNullSafe && (is_null(&left) || is_null(&right)) =>
        {
            null_literal()
        }
        // The constant on the right, where later rules look for it.
        Expr::Compare { op, left, right }
            if matches!(*left, Expr::Literal(_)) && !matches!(*right, Expr::Literal(_)) =>
        {
            Expr::Compare { op: op.swap(), left: right, right: left }
        }
        other => other,
    }
}

fn is_null(e: &Expr) -> bool {
    matches!(e, Expr::Literal(l) if l.is_null())
}

/// Flattens, drops neutral members and duplicates, and gives the dominating constant where there is one.
fn junction(list: Vec<Expr>, and: bool) -> Expr {
    let mut out: Vec<Expr> = Vec::with_capacity(list.len());
    let mut stack: Vec<Expr> = list.into_iter().rev().collect();
    while let Some(e) = stack.pop() {
        match e {
            Expr::And(inner) if and => stack.extend(inner.into_iter().rev()),
            Expr::Or(inner) if !and => stack.extend(inner.into_iter().rev()),
            e if is(&e, and) => {}
            // What comes before may still raise an error; what comes after is never evaluated.
            e if is(&e, !and) && out.iter().all(|o| o.is_deterministic()) => return Expr::boolean(!and),
            e if e.is_deterministic() && out.contains(&e) => {}
            e => out.push(e),
        }
    }
    match out.len() {
        0 => Expr::boolean(and),
        1 => out.pop().unwrap_or_else(|| Expr::boolean(and)),
        _ if and => Expr::And(out),
        _ => Expr::Or(out),
    }
}

fn negate(e: Expr) -> Expr {
    match e {
        Expr::Literal(l) => match l.as_bool() {
            Some(b) => Expr::boolean(!b),
            None => Expr::Literal(l),
        },
        Expr::Not(inner) => *inner,
        Expr::IsNull(x) => Expr::IsNotNull(x),
        Expr::IsNotNull(x) => Expr::IsNull(x),
        Expr::Compare { op, left, right } => match op.negate() {
            Some(op) => Expr::Compare { op, left, right },
            None => Expr::Not(Box::new(Expr::Compare { op, left, right })),
        },
        Expr::InList { expr, list, negated } => Expr::InList { expr, list, negated: !negated },
        Expr::And(list) => algebra(Expr::Or(list.into_iter().map(negate).collect())),
        Expr::Or(list) => algebra(Expr::And(list.into_iter().map(negate).collect())),
        other => Expr::Not(Box::new(other)),
    }
}

fn case(branches: Vec<(Expr, Expr)>, otherwise: Option<Box<Expr>>, data_type: DataType) -> Expr {
    let mut kept = Vec::with_capacity(branches.len());
    let mut otherwise = otherwise;
    for (condition, value) in branches {
        if is(&condition, false) || is_null(&condition) {
            continue;
        }
        if is(&condition, true) {
            otherwise = Some(Box::new(value));
            break;
        }
        kept.push((condition, value));
    }
    if kept.is_empty() {
        return match otherwise {
            Some(o) => *o,
            None => Expr::Literal(Literal::null(data_type)),
        };
    }
    Expr::Case { branches: kept, otherwise, data_type }
}

fn coalesce(args: Vec<Expr>, data_type: DataType) -> Expr {
    let mut kept = Vec::with_capacity(args.len());
    for a in args {
        if is_null(&a) {
            continue;
        }
        let last = !a.nullable();
        kept.push(a);
        if last {
            break;
        }
    }
    match kept.len() {
        0 => Expr::Literal(Literal::null(data_type)),
        1 => kept.pop().unwrap_or_else(|| Expr::Literal(Literal::null(data_type))),
        _ => Expr::Coalesce { args: kept, data_type },
    }
}

fn simplify_node(node: LogicalPlan) -> Result<LogicalPlan> {
    Ok(match node {
        LogicalPlan::Filter { predicate, input } if is(&predicate, true) => Arc::unwrap_or_clone(input),
        LogicalPlan::Filter { predicate, input } if is(&predicate, false) || is_null(&predicate) => {
            LogicalPlan::empty(input.output())
        }
        LogicalPlan::Filter { predicate, input } => match Arc::unwrap_or_clone(input) {
            LogicalPlan::Filter { predicate: below, input } => {
                let mut list = below.conjuncts();
                list.extend(predicate.conjuncts());
                let predicate = junction(list, true);
                LogicalPlan::Filter { predicate, input }
            }
            other => LogicalPlan::Filter { predicate, input: Arc::new(other) },
        },
        LogicalPlan::Join(mut j) => {
            if j.condition.as_ref().is_some_and(|c| is(c, true)) {
                j.condition = None;
            }
            let never = j.condition.as_ref().is_some_and(|c| is(c, false) || is_null(c));
            let out = LogicalPlan::Join(j.clone()).output();
            let empty =
                |p: &LogicalPlan| matches!(p, LogicalPlan::Values { batch, .. } if batch.num_rows() == 0);
            let nothing = match j.kind {
                JoinKind::Inner => never || empty(&j.left) || empty(&j.right),
                JoinKind::LeftSemi => never || empty(&j.left) || empty(&j.right),
                JoinKind::Left | JoinKind::LeftAnti | JoinKind::LeftSingle => empty(&j.left),
                _ => false,
            };
            if nothing { LogicalPlan::empty(out) } else { LogicalPlan::Join(j) }
        }
        LogicalPlan::Limit { fetch: Some(0), input, .. } => LogicalPlan::empty(input.output()),
        other => other,
    })
}
