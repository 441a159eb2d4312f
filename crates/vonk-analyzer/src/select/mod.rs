//! One SELECT: from its FROM to its DISTINCT, and the sorting that may look below its projection.
//!
//! The clauses are resolved in the order in which names become known, but the operators are put up at the end, when all
//! aggregates, window calls and generators that any clause wants have been collected:
//!
//! FROM, WHERE, (Expand), Aggregate, HAVING, generators, windows, QUALIFY, projection, DISTINCT, ORDER BY.

mod aggregate;
mod calls;
mod group_items;
mod grouping;
mod items;
mod order;
mod stack;
mod time_windows;

pub(crate) use calls::{Aliases, Calls, GeneratorCall, GroupingCall, WindowCall, Windows, missing_window};
pub(crate) use items::{Output, generated_name};
pub(crate) use order::{Tail, sort_relation};

use crate::analyzer::Binder;
use crate::env::Env;
use crate::expr::{Clause, Walk};
use crate::relation::Relation;
use crate::scope::{Field, Scope};
use crate::typed::{Typed, mismatch, quoted_type};
use aggregate::Grouped;
use stack::Stack;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{Column, Expr, LogicalPlan};
use vonk_plan::unresolved::{self, GroupBy, Select};
use vonk_types::DataType;

/// Resolves a SELECT, and the sorts and distributions directly above it.
pub(crate) fn select(b: &Binder<'_>, sel: &Select, tail: &[Tail<'_>], env: &Env<'_>) -> Result<Relation> {
    let from = b.relation(&sel.from, env)?;
    select_over(b, sel, from, tail, env)
}

/// Resolves a SELECT whose FROM is resolved already.
pub(crate) fn select_over(
    b: &Binder<'_>,
    sel: &Select,
    from: Relation,
    tail: &[Tail<'_>],
    env: &Env<'_>,
) -> Result<Relation> {
    let input = match &sel.filter {
        Some(f) => filter(b, f, from, env)?,
        None => from,
    };
    let calls = Calls::default();
    calls.remember.set(sel.group_by.is_some());
    let input = time_windows::with_windows(b, sel, input, env, &calls)?;
    let windows = Windows::new(&sel.windows);
    let scopes = [&input.scope];
    let cx = Context { b, env, sel, calls: &calls, windows: &windows, base: &input.scope };
    let outputs = cx.outputs(&scopes)?;
    let grouped = cx.is_grouped();
    let shown = Scope::new(outputs.iter().map(|o| o.field.clone()).collect());
    // Names of HAVING, QUALIFY and ORDER BY mean the output's columns first, then the input's.
    let both = [&shown, &input.scope];
    let groups = if grouped { Some(cx.groups(&scopes, &outputs)?) } else { None };
    let having = sel.having.as_ref().map(|h| cx.having(h, &both)).transpose().map_err(|e| {
        // A HAVING of no group: what it names does not matter then.
        let ungrouped = sel.group_by.is_none() && cx.calls.aggregates.borrow().list.is_empty();
        let missing = ungrouped && e.condition().starts_with("UNRESOLVED_COLUMN");
        if missing { Error::new("MISSING_GROUP_BY").at(cx.env.span(sel.span)) } else { e }
    })?;
    let qualify = sel.qualify.as_ref().map(|q| cx.qualify(q, &both, &outputs)).transpose()?;
    let tail = cx.tail(tail, &shown, &both, grouped, &outputs)?;
    let refused = cx.calls.grouping.borrow().first().map(|g| g.span);
    if let (None, Some(span)) = (&groups, refused) {
        return Err(Error::new("UNSUPPORTED_GROUPING_EXPRESSION").at(span));
    }
    cx.assemble(input.plan.clone(), Clauses { outputs, groups, having, qualify, tail })
}

/// What all clauses of a SELECT share.
pub(crate) struct Context<'c> {
    pub b: &'c Binder<'c>,
    pub env: &'c Env<'c>,
    pub sel: &'c Select,
    pub calls: &'c Calls,
    pub windows: &'c Windows<'c>,
    pub base: &'c Scope,
}

/// The resolved clauses, before anything is put together.
struct Clauses {
    outputs: Vec<Output>,
    groups: Option<grouping::Groups>,
    having: Option<Condition>,
    qualify: Option<Condition>,
    tail: Vec<order::Step>,
}

/// A condition with the names that its columns of the input were written as.
struct Condition {
    predicate: Typed,
    named: std::collections::HashMap<vonk_plan::ColumnId, unresolved::Name>,
}

impl<'c> Context<'c> {
    /// A walk over an expression of a clause, which may collect calls.
    fn walk<'w>(&'w self, scopes: &'w [&'w Scope], clause: Clause) -> Walk<'w> {
        let mut walk = Walk::new(self.b, self.env, scopes, clause).collecting(self.calls);
        walk.windows = Some(self.windows);
        walk
    }

    fn is_grouped(&self) -> bool {
        self.sel.group_by.is_some()
            || self.sel.having.is_some()
            || !self.calls.aggregates.borrow().list.is_empty()
    }

    fn having(&self, h: &unresolved::Expr, both: &[&Scope; 2]) -> Result<Condition> {
        let mut walk = self.walk(both, Clause::Having);
        let predicate = walk.expr(h)?;
        walk.refuse_nested(&predicate.sql)?;
        let named = std::mem::take(&mut walk.named);
        let predicate = boolean(self.b, predicate)?;
        Ok(Condition { predicate, named })
    }

    fn qualify(&self, q: &unresolved::Expr, both: &[&Scope; 2], outputs: &[Output]) -> Result<Condition> {
        let (windows, aggregates) =
            (self.calls.windows.borrow().len(), self.calls.aggregates.borrow().list.len());
        // Over an aggregate, only the select list's columns are known.
        let scopes: &[&Scope] = if self.is_grouped() { &both[..1] } else { &both[..] };
        let mut walk = self.walk(scopes, Clause::Qualify);
        let predicate = walk.expr(q)?;
        if let Some((call, c)) = self.calls.aggregates.borrow().list.get(aggregates) {
            return Err(Error::new("QUALIFY_AGGREGATE_NOT_ALLOWED")
                .with("aggregateExpr", crate::typed::quoted(&c.name))
                .at(call.span));
        }
        let any = self.calls.windows.borrow().len() > windows || outputs.iter().any(|o| o.windowed);
        if !any {
            return Err(Error::new("QUALIFY_REQUIRES_WINDOW_FUNCTION"));
        }
        let predicate = boolean(self.b, predicate)?;
        Ok(Condition { predicate, named: Default::default() })
    }

    /// Puts the operators together.
    fn assemble(self, input: Arc<LogicalPlan>, clauses: Clauses) -> Result<Relation> {
        let Clauses { mut outputs, groups, having, qualify, mut tail } = clauses;
        let mut windows = self.calls.windows.take();
        let mut generators = self.calls.generators.take();
        let shown_scope = Scope::new(outputs.iter().map(|o| o.field.clone()).collect());
        let mut plan = input;
        let mut having = having;
        if let Some(groups) = groups {
            let g = Grouped::build(&self, groups, plan, &outputs, &windows, &generators)?;
            for o in &mut outputs {
                o.typed.expr =
                    g.rewrite(std::mem::replace(&mut o.typed.expr, Expr::boolean(true)), o.typed.span)?;
            }
            for w in &mut windows {
                g.rewrite_window(w)?;
            }
            for call in &mut generators {
                let args = std::mem::take(&mut call.args);
                call.args = args.into_iter().map(|a| g.rewrite(a, Span::NONE)).collect::<Result<_>>()?;
            }
            if let Some(h) = &mut having {
                let e = std::mem::replace(&mut h.predicate.expr, Expr::boolean(true));
                h.predicate.expr = g.rewrite_hidden(e, &h.named, &shown_scope, h.predicate.span)?;
            }
            for step in &mut tail {
                step.rewrite(&g)?;
            }
            plan = g.plan;
        }
        let mut stack = Stack::new(plan, windows, generators);
        for o in &outputs {
            stack.define(o.field.column.clone(), o.typed.expr.clone());
        }
        if let Some(h) = having {
            stack.filter(h.predicate.expr)?;
        }
        // Rows are generated whether or not anything reads what was generated.
        stack.provide(outputs.iter().filter(|o| o.generated).map(|o| &o.typed.expr))?;
        if let Some(q) = qualify {
            // All windows see the rows that QUALIFY then leaves out.
            stack.provide_windows()?;
            stack.filter(q.predicate.expr)?;
        }
        let shown: Vec<Column> = outputs.iter().map(|o| o.field.column.clone()).collect();
        let extra = order::extra_columns(&tail, &shown);
        let plan = stack.project(&shown, &extra)?;
        let fields: Vec<Field> = outputs.into_iter().map(|o| o.field).collect();
        let plan = if self.sel.distinct { self.distinct(plan, &shown)? } else { plan };
        let plan = order::apply(plan, tail, &shown, !extra.is_empty());
        Ok(Relation { plan, scope: Scope::new(fields) })
    }

    fn distinct(&self, plan: Arc<LogicalPlan>, shown: &[Column]) -> Result<Arc<LogicalPlan>> {
        refuse_maps(shown)?;
        Ok(Arc::new(LogicalPlan::Distinct { input: plan }))
    }
}

/// Maps cannot be told apart in set operations and DISTINCT.
pub(crate) fn refuse_maps(columns: &[Column]) -> Result<()> {
    fn has_map(t: &DataType) -> bool {
        match t {
            DataType::Map(..) => true,
            DataType::Array(e, _) => has_map(e),
            DataType::Struct(s) => s.fields.iter().any(|f| has_map(&f.data_type)),
            _ => false,
        }
    }
    match columns.iter().find(|c| has_map(&c.data_type)) {
        Some(c) => Err(Error::new("UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE")
            .with("colName", vonk_types::data_type::quote_identifier(&c.name))
            .with("dataType", quoted_type(&c.data_type))),
        None => Ok(()),
    }
}

/// The condition of HAVING and QUALIFY: cast to boolean, whatever it is.
fn boolean(b: &Binder<'_>, x: Typed) -> Result<Typed> {
    if x.data_type() == DataType::Boolean {
        return Ok(x);
    }
    let span = x.span;
    crate::build::cast_to(&b.session, x, &DataType::Boolean, false, span)
}

/// WHERE over a relation.
pub(crate) fn filter(
    b: &Binder<'_>,
    e: &unresolved::Expr,
    input: Relation,
    env: &Env<'_>,
) -> Result<Relation> {
    let calls = Calls::default();
    let scopes = [&input.scope];
    let mut walk = Walk::new(b, env, &scopes, Clause::Where).collecting(&calls);
    let predicate = walk.expr(e)?;
    if !calls.grouping.borrow().is_empty() {
        return Err(Error::new("UNSUPPORTED_GROUPING_EXPRESSION"));
    }
    if !calls.aggregates.borrow().list.is_empty() {
        let texts = qualified_aggregates(b, e, &scopes, env)?;
        return Err(Error::new("INVALID_WHERE_CONDITION")
            .with("condition", predicate.quoted())
            .with("expressionList", texts.join(", ")));
    }
    let t = predicate.data_type();
    if t != DataType::Boolean {
        return Err(mismatch("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", &predicate.sql, predicate.span)
            .with("filter", predicate.quoted())
            .with("type", quoted_type(&t)));
    }
    let predicate = predicate.expr;
    let Relation { plan, scope } = input;
    Ok(Relation { plan: Arc::new(LogicalPlan::Filter { predicate, input: plan }), scope })
}

/// The texts of the aggregates in an expression, with qualified columns.
pub(crate) fn qualified_aggregates(
    b: &Binder<'_>,
    e: &unresolved::Expr,
    scopes: &[&Scope],
    env: &Env<'_>,
) -> Result<Vec<String>> {
    let calls = Calls::default();
    let mut walk = Walk::new(b, env, scopes, Clause::Select).collecting(&calls);
    walk.qualified = true;
    walk.expr(e)?;
    let texts = calls.aggregates.borrow().list.iter().map(|(_, c)| c.name.to_string()).collect();
    Ok(texts)
}

/// Whether GROUP BY is the word ALL alone.
fn is_all(group_by: Option<&GroupBy>) -> bool {
    matches!(group_by, Some(GroupBy::All(_)))
}
