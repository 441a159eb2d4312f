//! Subqueries in expressions become dependent joins.
//!
//! - A conjunct of a filter that is `[NOT] EXISTS` or `[NOT] IN` becomes a semi or anti join (`NOT IN` the null-aware one).
//! - Elsewhere in an expression, EXISTS and IN become a mark join, whose boolean column takes their place. As in Spark
//!   (RewritePredicateSubquery), it is never null: an IN that is unknown is false there, and so is a NOT IN.
//! - A correlated scalar subquery becomes a single join, whose one right column takes its place. An uncorrelated one stays: it
//!   is computed once, before the query.
//!
//! The joins are `lateral` where the subquery is correlated; [`super::Unnest`] makes plain joins of them.

use crate::optimizer::{Rule, RuleContext};
use crate::rules::project_to;
use std::sync::Arc;
use vonk_error::Result;
use vonk_plan::logical::{Expr, Join, JoinKind, LogicalPlan, Subquery, SubqueryKind};
use vonk_types::{CompareOp, DataType};

/// See the module.
pub struct SubqueriesToJoins;

impl Rule for SubqueriesToJoins {
    fn name(&self) -> &'static str {
        "SubqueriesToJoins"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        plan.transform_up(&mut |node| rewrite_node(node, cx))
    }
}

fn is_join_work(e: &Expr) -> bool {
    e.any(&|e| match e {
        Expr::Subquery(s) => !(matches!(s.kind, SubqueryKind::Scalar) && s.outer.is_empty()),
        _ => false,
    })
}

fn rewrite_node(node: LogicalPlan, cx: &RuleContext<'_>) -> Result<LogicalPlan> {
    // Subqueries within scalar subqueries that stay are rewritten when those are optimized on their own.
    if !node.exprs().iter().any(|e| is_join_work(e)) {
        return Ok(node);
    }
    match node {
        LogicalPlan::Filter { predicate, input } => {
            let output = input.output();
            let mut input = input;
            let mut rest = Vec::new();
            // Plain conjuncts first: they shrink what is joined.
            let (joins, plain): (Vec<_>, Vec<_>) = predicate.conjuncts().into_iter().partition(is_join_work);
            if !plain.is_empty() {
                input = crate::rules::filter(plain, input);
            }
            for c in joins {
                match c {
                    Expr::Subquery(s) => input = semi_or_anti(*s, input, cx)?,
                    Expr::Not(inner) if matches!(*inner, Expr::Subquery(_)) => {
                        let Expr::Subquery(s) = *inner else { continue };
                        input = semi_or_anti(negated(*s), input, cx)?;
                    }
                    other => {
                        let (e, joined) = replace(other, input, cx)?;
                        rest.push(e);
                        input = joined;
                    }
                }
            }
            Ok(Arc::unwrap_or_clone(project_to(crate::rules::filter(rest, input), &output)))
        }
        LogicalPlan::Join(j) => rewrite_join(j, cx),
        other => {
            let inputs = other.inputs();
            let Some(input) = inputs.first().map(|i| Arc::clone(i)) else { return Ok(other) };
            let before = other.output();
            let mut current = input;
            let replaced = other.map_exprs(&mut |e| {
                let (e, joined) = replace(e, current.clone(), cx)?;
                current = joined;
                Ok(e)
            })?;
            let rewritten = replaced.map_inputs(&mut |_| Ok(current.clone()))?;
            Ok(Arc::unwrap_or_clone(project_to(Arc::new(rewritten), &before)))
        }
    }
}

/// A subquery in a join's condition: for an inner join the condition is a filter above it. For others, the subquery's value is
/// first joined to the side whose columns it needs.
fn rewrite_join(mut j: Join, cx: &RuleContext<'_>) -> Result<LogicalPlan> {
    let Some(condition) = j.condition.take() else { return Ok(LogicalPlan::Join(j)) };
    if j.kind == JoinKind::Inner {
        let (work, plain): (Vec<_>, Vec<_>) = condition.conjuncts().into_iter().partition(is_join_work);
        j.condition = Expr::and_all(plain);
        let Some(predicate) = Expr::and_all(work) else { return Ok(LogicalPlan::Join(j)) };
        return rewrite_node(LogicalPlan::Filter { predicate, input: Arc::new(LogicalPlan::Join(j)) }, cx);
    }
    let output = LogicalPlan::Join(j.clone()).output();
    let left = crate::rules::output_ids(&j.left);
    let condition = condition.transform_up(&mut |e| {
        let Expr::Subquery(s) = e else { return Ok(e) };
        let mut used = s.outer.iter().map(|c| c.id).collect::<std::collections::HashSet<_>>();
        Expr::Subquery(s.clone()).collect_columns(&mut used);
        let side = if used.is_subset(&left) { &mut j.left } else { &mut j.right };
        let (e, joined) = one(*s, side.clone(), cx)?;
        *side = joined;
        Ok(e)
    })?;
    j.condition = Some(condition);
    Ok(Arc::unwrap_or_clone(project_to(Arc::new(LogicalPlan::Join(j)), &output)))
}

fn negated(mut s: Subquery) -> Subquery {
    s.kind = match s.kind {
        SubqueryKind::Exists { negated } => SubqueryKind::Exists { negated: !negated },
        SubqueryKind::In { exprs, negated } => SubqueryKind::In { exprs, negated: !negated },
        other => other,
    };
    s
}

/// The plan of a subquery that becomes a join, with the subqueries in it rewritten too: no later rule looks for them.
fn inner(plan: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
    SubqueriesToJoins.rewrite(super::SetOperations.rewrite(plan, cx)?, cx)
}

fn semi_or_anti(mut s: Subquery, input: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
    if !matches!(s.kind, SubqueryKind::Scalar) {
        s.plan = inner(s.plan, cx)?;
    }
    let (kind, condition) = match &s.kind {
        SubqueryKind::Exists { negated: false } => (JoinKind::LeftSemi, None),
        SubqueryKind::Exists { negated: true } => (JoinKind::LeftAnti, None),
        SubqueryKind::In { exprs, negated: false } => {
            (JoinKind::LeftSemi, Some(in_condition(exprs, &s.plan)))
        }
        // What is unknown is a match; a correlated predicate that is unknown is none, so the two must not be mixed.
        SubqueryKind::In { exprs, negated: true } if !s.outer.is_empty() => {
            (JoinKind::LeftAnti, Some(or_unknown(in_condition(exprs, &s.plan))))
        }
        SubqueryKind::In { exprs, negated: true } => {
            (JoinKind::NullAwareAnti, Some(in_condition(exprs, &s.plan)))
        }
        SubqueryKind::Scalar => {
            let (e, joined) = one(s, input, cx)?;
            return Ok(crate::rules::filter(vec![e], joined));
        }
    };
    // NOT IN over values that cannot be null is a plain anti join.
    let kind = match (&kind, &condition) {
        (JoinKind::NullAwareAnti, Some(c)) if !c.nullable() => JoinKind::LeftAnti,
        _ => kind,
    };
    // A subquery on the left side of IN, or IN within IN.
    let (condition, input) = match condition {
        Some(c) if is_join_work(&c) => {
            let (c, input) = replace(c, input, cx)?;
            (Some(c), input)
        }
        c => (c, input),
    };
    let lateral = !s.outer.is_empty();
    let join = Join { left: input, right: s.plan, kind, condition, mark: None, null_aware: false, lateral };
    Ok(Arc::new(LogicalPlan::Join(join)))
}

fn in_condition(exprs: &[Expr], plan: &LogicalPlan) -> Expr {
    let pairs = exprs.iter().zip(plan.output()).map(|(e, c)| Expr::Compare {
        op: CompareOp::Eq,
        left: Box::new(e.clone()),
        right: Box::new(Expr::Column(c)),
    });
    Expr::and_all(pairs.collect()).unwrap_or_else(|| Expr::boolean(true))
}

/// The condition, or that it is unknown; per member, where it has several.
fn or_unknown(condition: Expr) -> Expr {
    let members = condition.conjuncts().into_iter().map(|c| match c.nullable() {
        true => Expr::Or(vec![c.clone(), Expr::IsNull(Box::new(c))]),
        false => c,
    });
    Expr::and_all(members.collect()).unwrap_or_else(|| Expr::boolean(true))
}

/// Replaces all subqueries of an expression, joining their values to the input.
fn replace(e: Expr, input: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<(Expr, Arc<LogicalPlan>)> {
    let mut current = input;
    let e = e.transform_up(&mut |e| {
        Ok(match e {
            Expr::Not(inner) => match *inner {
                Expr::Subquery(s) if matches!(s.kind, SubqueryKind::In { .. }) => {
                    Expr::Subquery(Box::new(negated(*s)))
                }
                other => Expr::Not(Box::new(other)),
            },
            other => other,
        })
    })?;
    let e = e.transform_up(&mut |e| {
        let Expr::Subquery(s) = e else { return Ok(e) };
        let (e, joined) = one(*s, current.clone(), cx)?;
        current = joined;
        Ok(e)
    })?;
    Ok((e, current))
}

fn one(mut s: Subquery, input: Arc<LogicalPlan>, cx: &RuleContext<'_>) -> Result<(Expr, Arc<LogicalPlan>)> {
    let lateral = !s.outer.is_empty();
    if lateral || !matches!(s.kind, SubqueryKind::Scalar) {
        s.plan = inner(s.plan, cx)?;
    }
    let (kind, condition, negated) = match &s.kind {
        SubqueryKind::Scalar if !lateral => return Ok((Expr::Subquery(Box::new(s)), input)),
        SubqueryKind::Scalar => (JoinKind::LeftSingle, None, false),
        SubqueryKind::Exists { negated } => (JoinKind::Mark, None, *negated),
        SubqueryKind::In { exprs, negated } => {
            let condition = in_condition(exprs, &s.plan);
            (JoinKind::Mark, Some(if *negated { or_unknown(condition) } else { condition }), *negated)
        }
    };
    let mark = (kind == JoinKind::Mark).then(|| cx.ids.column("mark", DataType::Boolean, false));
    let value = match &mark {
        Some(m) => Expr::column(m),
        None => match s.plan.output().first() {
            Some(c) => Expr::Column(vonk_plan::Column { nullable: true, ..c.clone() }),
            None => return vonk_error::internal_err!("a scalar subquery without a column"),
        },
    };
    let join = Join { left: input, right: s.plan, kind, condition, mark, null_aware: false, lateral };
    let value = if negated { Expr::Not(Box::new(value)) } else { value };
    Ok((value, Arc::new(LogicalPlan::Join(join))))
}
