//! Pipe operators that need the columns of their input. Most are a SELECT over it.

use crate::analyzer::Binder;
use crate::env::Env;
use crate::expr::{Clause, Walk};
use crate::relation::Relation;
use crate::scope::{Field, Scope};
use crate::select::{self, qualified_aggregates, select_over};
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{LogicalPlan, Named};
use vonk_plan::unresolved::{
    Expr, ExprKind, GroupBy, GroupItem, Name, Over, Pipe, PipeOp, Plan, Select, Star,
};

pub(crate) fn pipe(b: &Binder<'_>, p: &Pipe, env: &Env<'_>) -> Result<Relation> {
    let input = b.relation(&p.input, env)?;
    match &p.op {
        PipeOp::Extend(exprs) => {
            for e in exprs {
                refuse_aggregates(b, e, &input.scope, "EXTEND", env)?;
            }
            let projection = std::iter::once(star(Vec::new())).chain(exprs.iter().cloned()).collect();
            select_over(b, &Select::plain(projection, Plan::OneRow, p.span), input, &[], env)
        }
        PipeOp::Set(assignments) => {
            let mut r = input;
            for (name, e) in assignments {
                refuse_aggregates(b, e, &r.scope, "SET", env)?;
                r = assigned(b, r, name, e, p.span, env)?;
            }
            Ok(r)
        }
        PipeOp::Drop(names) => {
            let projection = vec![star(names.clone())];
            select_over(b, &Select::plain(projection, Plan::OneRow, p.span), input, &[], env)
        }
        PipeOp::Aggregate { aggregates, group_by } => {
            let sel = aggregate(b, aggregates, group_by.as_ref(), &input, p.span, env)?;
            select_over(b, &sel, input, &[], env)
        }
        PipeOp::Where(e) => select::filter(b, e, input, env),
        PipeOp::Select { distinct, projection, windows } => {
            let mut sel = Select::plain(projection.clone(), Plan::OneRow, p.span);
            sel.distinct = *distinct;
            sel.windows = windows.iter().map(|(n, w)| (n.clone(), Over::Window(w.clone()))).collect();
            select_over(b, &sel, input, &[], env)
        }
    }
}

fn star(except: Vec<Name>) -> Expr {
    Expr::made(ExprKind::Star(Star { qualifier: None, except, regex: None }))
}

fn refuse_aggregates(
    b: &Binder<'_>,
    e: &Expr,
    scope: &Scope,
    clause: &'static str,
    env: &Env<'_>,
) -> Result<()> {
    // Names to the left in the same list are unknown here; the SELECT itself will tell.
    let Ok(texts) = qualified_aggregates(b, e, &[scope], env) else { return Ok(()) };
    match texts.into_iter().next() {
        Some(text) => Err(Error::new("PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION")
            .with("expr", text)
            .with("clause", clause)
            .at(env.span(e.span))),
        None => Ok(()),
    }
}

/// `SET a = e`: the column in its place, with another value and no qualifier.
fn assigned(
    b: &Binder<'_>,
    r: Relation,
    name: &str,
    e: &Expr,
    span: Span,
    env: &Env<'_>,
) -> Result<Relation> {
    let at = r.scope.fields.iter().position(|f| b.session.same_name(&f.column.name, name));
    let Some(at) = at else {
        let name = Name { parts: vec![name.to_string()], span: env.span(span) };
        return Err(r.scope.unresolved(&name));
    };
    let alias =
        Expr::new(ExprKind::Alias { expr: Box::new(e.clone()), names: vec![name.to_string()] }, e.span);
    // As a SELECT of all columns and the new value, which then takes the old one's place.
    let sel = Select::plain(vec![star(Vec::new()), alias], Plan::OneRow, span);
    let n = r.scope.fields.len();
    let all = select_over(b, &sel, r, &[], env)?;
    let mut fields: Vec<Field> = all.scope.fields;
    let Some(value) = fields.pop().filter(|_| fields.len() == n) else {
        return Err(Error::new("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT").with("plan", "SET"));
    };
    fields[at] = value;
    let exprs = fields.iter().map(|f| Named::pass(&f.column)).collect();
    Ok(Relation::new(LogicalPlan::Project { exprs, input: all.plan }, Scope::new(fields)))
}

/// `AGGREGATE … GROUP BY …` as a SELECT of the keys and the aggregates.
fn aggregate(
    b: &Binder<'_>,
    aggregates: &[Expr],
    group_by: Option<&GroupBy>,
    input: &Relation,
    span: Span,
    env: &Env<'_>,
) -> Result<Select> {
    let unsupported = |case: &str| {
        Error::new("UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE").with("case", case)
    };
    let mut keys = Vec::new();
    let mut items = Vec::new();
    match group_by {
        None => {}
        Some(GroupBy::All(_)) => return Err(unsupported("GROUP BY ALL")),
        Some(GroupBy::Items(list)) => {
            for i in list {
                let e = match i {
                    GroupItem::Expr(e) => e,
                    GroupItem::Rollup(_) => return Err(unsupported("GROUP BY ROLLUP")),
                    GroupItem::Cube(_) => return Err(unsupported("GROUP BY CUBE")),
                    _ => return Err(unsupported("GROUPING SETS")),
                };
                let e = by_position(e, input, env)?;
                let key = match &e.kind {
                    ExprKind::Alias { expr, .. } => expr.as_ref().clone(),
                    _ => e.clone(),
                };
                keys.push(e);
                items.push(GroupItem::Expr(key));
            }
        }
    }
    for e in aggregates {
        let texts = qualified_aggregates(b, e, &[&input.scope], env)?;
        if texts.is_empty() {
            let text: Typed = Walk::new(b, env, &[&input.scope], Clause::Select).expr(e)?;
            return Err(Error::new("PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION")
                .with("expr", text.sql)
                .at(env.span(e.span)));
        }
    }
    let projection = keys.into_iter().chain(aggregates.iter().cloned()).collect();
    let mut sel = Select::plain(projection, Plan::OneRow, span);
    sel.group_by = group_by.is_some().then_some(GroupBy::Items(items));
    Ok(sel)
}

/// A key that is a number means a column of the input.
fn by_position(e: &Expr, input: &Relation, env: &Env<'_>) -> Result<Expr> {
    let ExprKind::Literal(l) = &e.kind else { return Ok(e.clone()) };
    let datafusion_common::ScalarValue::Int32(Some(i)) = l.value else { return Ok(e.clone()) };
    let fields = &input.scope.fields;
    let found = usize::try_from(i).ok().and_then(|i| i.checked_sub(1)).and_then(|i| fields.get(i));
    let Some(f) = found else {
        return Err(Error::new("GROUP_BY_POS_OUT_OF_RANGE")
            .with("index", i.to_string())
            .with("size", fields.len().to_string())
            .at(env.span(e.span)));
    };
    let parts = f.qualifier.iter().cloned().chain([f.column.name.to_string()]).collect();
    Ok(Expr::new(ExprKind::Name(Name { parts, span: e.span }), e.span))
}
