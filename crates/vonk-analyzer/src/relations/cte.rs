//! WITH: common table expressions, each resolved once where it is defined.

use super::recursive;
use crate::analyzer::Binder;
use crate::env::{CteNode, CteTarget, Env};
use crate::relation::Relation;
use crate::seeds;
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
    let inner = defined(b, recursive, ctes, env)?;
    b.relation(body, &inner)
}

/// The surroundings with these common table expressions in sight.
pub(crate) fn defined<'e>(b: &Binder<'_>, recursive: bool, ctes: &[Cte], env: &Env<'e>) -> Result<Env<'e>> {
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
        let r = if recursive {
            recursive::relation(b, c, &inner)?
        } else {
            named(b, b.relation(&c.plan, &inner)?.exact(), c, env)?
        };
        // All uses see the same random values.
        let r = Relation {
            plan: seeds::drawn(b.session.registry(), r.plan, &b.finished.borrow())?,
            scope: r.scope,
        };
        inner = inner.with_cte(&c.name, CteTarget::Relation(r));
    }
    Ok(inner)
}

impl<'e> Env<'e> {
    /// The same with one more common table expression in sight.
    pub fn with_cte(&self, name: &str, target: CteTarget) -> Env<'e> {
        let node = CteNode { name: name.to_string(), target, next: self.ctes.clone() };
        Env { ctes: Some(Rc::new(node)), ..self.clone() }
    }
}

/// The relation under the names that the expression gives its columns.
pub(crate) fn named(b: &Binder<'_>, r: Relation, c: &Cte, env: &Env<'_>) -> Result<Relation> {
    if c.columns.is_empty() {
        return Ok(r);
    }
    let n = r.scope.fields.len();
    if n != c.columns.len() {
        return Err(Error::new("ASSIGNMENT_ARITY_MISMATCH")
            .with("numExpr", c.columns.len().to_string())
            .with("numTarget", n.to_string())
            .at(env.span(c.span)));
    }
    Ok(r.renamed(b.ids, &c.columns))
}
