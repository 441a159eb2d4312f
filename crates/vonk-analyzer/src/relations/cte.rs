//! WITH: common table expressions, each resolved once where it is defined.

use crate::analyzer::Binder;
use crate::env::{CteNode, Env};
use crate::relation::Relation;
use std::rc::Rc;
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Cte, Plan};
use vonk_types::data_type::quote_identifier;

pub(crate) fn with(
    b: &Binder<'_>,
    recursive: bool,
    ctes: &[Cte],
    body: &Plan,
    env: &Env<'_>,
) -> Result<Relation> {
    let mut repeated: Vec<String> = Vec::new();
    for (i, c) in ctes.iter().enumerate() {
        if ctes[..i].iter().any(|d| b.session.same_name(&d.name, &c.name)) {
            repeated.push(quote_identifier(&c.name));
        }
    }
    if !repeated.is_empty() {
        return Err(Error::new("DUPLICATED_CTE_NAMES").with("duplicateNames", repeated.join(", ")));
    }
    let mut inner = env.clone();
    for c in ctes {
        if recursive && mentions(b, &c.plan, &c.name) {
            return Err(Error::unsupported("WITH RECURSIVE").at(env.span(c.span)));
        }
        let r = b.relation(&c.plan, &inner)?.exact();
        let r = if c.columns.is_empty() { r } else { named(b, r, c, env)? };
        let node = CteNode { name: c.name.clone(), relation: r, next: inner.ctes.clone() };
        inner.ctes = Some(Rc::new(node));
    }
    b.relation(body, &inner)
}

fn named(b: &Binder<'_>, r: Relation, c: &Cte, env: &Env<'_>) -> Result<Relation> {
    let n = r.scope.fields.len();
    if n != c.columns.len() {
        return Err(Error::new("ASSIGNMENT_ARITY_MISMATCH")
            .with("numExpr", c.columns.len().to_string())
            .with("numTarget", n.to_string())
            .at(env.span(c.span)));
    }
    Ok(r.renamed(b.ids, &c.columns))
}

/// Whether a query reads a relation of this name in FROM (where nothing shadows it).
fn mentions(b: &Binder<'_>, plan: &Plan, name: &str) -> bool {
    let same = |n: &str| b.session.same_name(n, name);
    let visit = |p: &Plan| mentions(b, p, name);
    match plan {
        Plan::Table(t) => t.name.parts.len() == 1 && same(&t.name.parts[0]),
        Plan::Select(s) => visit(&s.from),
        Plan::Join(j) => visit(&j.left) || visit(&j.right),
        Plan::SetOp { left, right, .. } => visit(left) || visit(right),
        Plan::With { ctes, body, .. } => {
            ctes.iter().any(|c| visit(&c.plan)) || (!ctes.iter().any(|c| same(&c.name)) && visit(body))
        }
        Plan::Sort { input, .. }
        | Plan::Distribute { input, .. }
        | Plan::Limit { input, .. }
        | Plan::Offset { input, .. }
        | Plan::Aliased { input, .. }
        | Plan::Sample { input, .. }
        | Plan::Hint { input, .. }
        | Plan::Subquery(input) => visit(input),
        Plan::Pivot(p) => visit(&p.input),
        Plan::Unpivot(u) => visit(&u.input),
        Plan::LateralView(v) => visit(&v.input),
        Plan::Pipe(p) => visit(&p.input),
        Plan::File { .. }
        | Plan::Values { .. }
        | Plan::TableFunction { .. }
        | Plan::OneRow
        | Plan::Embedded(_) => false,
    }
}
