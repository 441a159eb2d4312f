//! Functions whose body is SQL: the body is resolved over the parameters, then the arguments take their places.

use super::named::{Param, any_named, arranged};
use crate::analyzer::Binder;
use crate::env::{Env, Frame, ViewFrame, ViewText};
use crate::expr::{Clause, Walk};
use crate::relation::Relation;
use crate::scope::{Field, Scope};
use crate::typed::Typed;
use crate::{build, coerce};
use std::rc::Rc;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::UserFunction;
use vonk_plan::logical::{Column, ColumnId, Expr, LogicalPlan, Named};
use vonk_plan::unresolved::{self, ExprKind, FunctionBody, FunctionReturns};
use vonk_types::DataType;

/// The arguments of a call: what is written, and what is not given.
pub(crate) struct Arguments {
    /// One for each parameter.
    pub all: Vec<unresolved::Expr>,
    /// How many of them were given.
    pub given: usize,
}

/// One argument for each parameter of a function.
pub(crate) fn arguments(f: &UserFunction, args: &[unresolved::Expr], span: Span) -> Result<Arguments> {
    let params = &f.declared.params;
    let least = params.iter().filter(|p| p.default.is_none()).count();
    let count = |n: usize| {
        Error::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
            .with("functionName", quoted(f))
            .with("expectedNum", params.len().to_string())
            .with("actualNum", n.to_string())
            .with("docroot", "https://spark.apache.org/docs/latest")
            .at(span)
    };
    if args.len() > params.len() || !any_named(args) && args.len() < least {
        return Err(count(args.len()));
    }
    let list: Vec<Param> =
        params.iter().map(|p| Param { name: p.name.clone(), default: p.default.clone() }).collect();
    let all = arranged(f.name.table(), &list, args, span)?;
    Ok(Arguments { all, given: args.len() })
}

fn quoted(f: &UserFunction) -> String {
    f.name.quoted()
}

/// The parameters as columns, qualified by the function's name.
fn parameters(b: &Binder<'_>, f: &UserFunction) -> Scope {
    let qualifier: Arc<[String]> = Arc::from([f.name.table().to_string()]);
    let fields = f.declared.params.iter().map(|p| {
        let column = b.ids.column(p.name.as_str(), p.data_type.data_type.clone(), true);
        Field::qualified(column, qualifier.clone())
    });
    Scope::new(fields.collect())
}

/// The surroundings of a body: nothing of the call's, spans that point into the function's text.
fn surroundings<'e>(b: &Binder<'_>, f: &UserFunction, env: &Env<'_>, span: Span) -> Result<Env<'e>> {
    let source = b.ids.source();
    b.views.borrow_mut().push(ViewText { source, name: f.name.to_string(), text: f.text.clone() });
    let database = Some(f.database.clone());
    let frame = ViewFrame { source, name: f.name.clone(), database, parent: env.view.clone() };
    if frame.depth() > 50 {
        return Err(Error::unsupported("functions in SQL that call themselves").at(span));
    }
    Ok(Env { ctes: None, outer: None, view: Some(Rc::new(frame)) })
}

/// An argument cast to its parameter's type.
fn cast(b: &Binder<'_>, arg: Typed, to: &DataType, span: Span) -> Result<Expr> {
    if arg.data_type() == *to {
        return Ok(arg.expr);
    }
    Ok(build::cast_by_name(&b.session, Typed { span, ..arg }, to, span)?.expr)
}

/// The value of a call; `args` are resolved, one for each parameter.
pub(crate) fn value(
    b: &Binder<'_>,
    f: &UserFunction,
    args: Vec<Typed>,
    shown: usize,
    span: Span,
    env: &Env<'_>,
) -> Result<Typed> {
    let FunctionReturns::Value(returns) = &f.declared.returns else {
        return Err(Error::new("NOT_A_SCALAR_FUNCTION").with("functionName", quoted(f)).at(span));
    };
    let texts: Vec<&str> = args.iter().take(shown).map(|a| a.sql.as_str()).collect();
    let sql = format!("{}({})", f.name, texts.join(", "));
    let scope = parameters(b, f);
    let inner = surroundings(b, f, env, span)?;
    let body = match &f.declared.body {
        FunctionBody::Expr(e) => e.clone(),
        FunctionBody::Query(q) => {
            unresolved::Expr::new(ExprKind::ScalarSubquery(Box::new(q.clone())), f.declared.body_span)
        }
    };
    let scopes = [&scope];
    let made = Walk::new(b, &inner, &scopes, Clause::Select).expr(&body).map_err(|e| {
        if e.condition() != "UNSUPPORTED_EXPR_FOR_OPERATOR" {
            return e;
        }
        let at = f.declared.body_span;
        let text = f.text.get(at.start as usize..at.end as usize).unwrap_or_default();
        Error::new("USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS").with("queryText", text)
    })?;
    let made = match returns {
        Some(t) if t.data_type != made.data_type() => {
            build::cast_by_name(&b.session, made, &t.data_type, span)?
        }
        _ => made,
    };
    let places = places(b, f, &scope, args, span)?;
    let expr = substituted(made.expr, &places, false)?;
    Ok(Typed::new(expr, sql, span))
}

/// The rows of a call in FROM.
pub(crate) fn rows(
    b: &Binder<'_>,
    f: &UserFunction,
    args: Vec<Typed>,
    span: Span,
    env: &Env<'_>,
) -> Result<Relation> {
    let (FunctionReturns::Table(columns), FunctionBody::Query(query)) =
        (&f.declared.returns, &f.declared.body)
    else {
        return Err(Error::new("NOT_A_TABLE_FUNCTION").with("functionName", quoted(f)).at(span));
    };
    let scope = parameters(b, f);
    let inner = surroundings(b, f, env, span)?;
    let scopes = [&scope];
    let frame = Frame::new(&scopes, None);
    let made = b.relation(query, &inner.within(&frame))?.exact();
    if !columns.is_empty() && columns.len() != made.scope.fields.len() {
        return Err(Error::new("USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH")
            .with("outputSize", made.scope.fields.len().to_string())
            .with("returnParamSize", columns.len().to_string())
            .with("name", f.name.table())
            .at(span));
    }
    let places = places(b, f, &scope, args, span)?;
    let plan = substituted_plan(&made.plan, &places)?;
    let outputs = made.scope.fields.iter().enumerate().map(|(i, field)| {
        let value = Expr::column(&field.column);
        let (name, expr) = match columns.get(i) {
            Some(c) => {
                let cast = coerce::cast_expr(&b.session, value, &c.data_type.data_type, span);
                (c.name.as_str().into(), cast)
            }
            None => (field.column.name.clone(), value),
        };
        let column = b.ids.column(name, expr.data_type(), expr.nullable());
        Named { expr, column }
    });
    let exprs: Vec<Named<Expr>> = outputs.collect();
    let shown: Vec<Column> = exprs.iter().map(|e| e.column.clone()).collect();
    let plan = LogicalPlan::Project { exprs, input: plan };
    Ok(Relation::new(plan, Scope::qualified(shown, vec![f.name.table().to_string()])))
}

/// What takes the place of each parameter.
type Places = Vec<(ColumnId, Expr)>;

fn places(b: &Binder<'_>, f: &UserFunction, scope: &Scope, args: Vec<Typed>, span: Span) -> Result<Places> {
    let params = f.declared.params.iter().zip(&scope.fields);
    args.into_iter()
        .zip(params)
        .map(|(arg, (p, field))| Ok((field.column.id, cast(b, arg, &p.data_type.data_type, span)?)))
        .collect()
}

fn place(places: &Places, c: &Column) -> Option<Expr> {
    places.iter().find(|(id, _)| *id == c.id).map(|(_, e)| e.clone())
}

/// Columns as seen from within a subquery.
fn from_within(e: Expr) -> Result<Expr> {
    e.transform_up(&mut |e| {
        Ok(match e {
            Expr::Column(c) => Expr::OuterColumn(c),
            other => other,
        })
    })
}

/// The arguments in the places of the parameters; `inner` within a subquery, where the arguments' columns are outer ones.
fn substituted(e: Expr, places: &Places, inner: bool) -> Result<Expr> {
    e.transform_up(&mut |e| {
        Ok(match e {
            Expr::Column(ref c) if !inner => place(places, c).unwrap_or(e),
            Expr::OuterColumn(ref c) if inner => match place(places, c) {
                Some(arg) => from_within(arg)?,
                None => e,
            },
            Expr::Subquery(mut s) => {
                s.plan = substituted_plan(&s.plan, places)?;
                let mut outer: Vec<Column> = Vec::new();
                for c in std::mem::take(&mut s.outer) {
                    let Some(arg) = place(places, &c) else {
                        outer.push(c);
                        continue;
                    };
                    arg.visit(&mut |e| {
                        if let Expr::Column(c) | Expr::OuterColumn(c) = e
                            && !outer.contains(c)
                        {
                            outer.push(c.clone());
                        }
                    });
                }
                s.outer = outer;
                Expr::Subquery(s)
            }
            other => other,
        })
    })
}

fn substituted_plan(plan: &Arc<LogicalPlan>, places: &Places) -> Result<Arc<LogicalPlan>> {
    plan.clone().transform_up(&mut |node| node.map_exprs(&mut |e| substituted(e, places, true)))
}
