//! `/*+ … */`: hints that move rows have an operator; join and other hints are accepted without effect.

use crate::analyzer::Binder;
use crate::env::Env;
use crate::expr::{Clause, Walk};
use crate::relation::Relation;
use crate::scope::Scope;
use vonk_error::{Error, Result};
use vonk_plan::logical::{Distribution, LogicalPlan, SortExpr};
use vonk_plan::unresolved::{Expr, ExprKind, Hint, Name, Plan};

pub(crate) fn hinted(b: &Binder<'_>, input: &Plan, hints: &[Hint], env: &Env<'_>) -> Result<Relation> {
    let mut r = b.relation(input, env)?;
    for h in hints {
        if let Some(distribution) = distribution(b, h, &[&r.scope], env)? {
            r = r.map(|plan| LogicalPlan::Repartition { distribution, input: plan });
        }
    }
    Ok(r)
}

/// How a hint wants the rows to lie, if it says anything about that.
pub(crate) fn distribution(
    b: &Binder<'_>,
    h: &Hint,
    scopes: &[&Scope],
    env: &Env<'_>,
) -> Result<Option<Distribution>> {
    let name = h.name.to_uppercase();
    if !matches!(name.as_str(), "COALESCE" | "REPARTITION" | "REPARTITION_BY_RANGE" | "REBALANCE") {
        return Ok(None);
    }
    let mut number = None;
    let mut exprs = Vec::new();
    let mut walk = Walk::new(b, env, scopes, Clause::Other("RepartitionByExpression"));
    for (i, a) in h.args.iter().enumerate() {
        match &a.kind {
            ExprKind::Literal(l) if i == 0 => {
                let n = match l.value {
                    datafusion_common::ScalarValue::Int32(Some(n)) => {
                        u32::try_from(n).ok().filter(|n| *n > 0)
                    }
                    _ => None,
                };
                match (&l.value, n) {
                    (_, Some(n)) => number = Some(n),
                    (datafusion_common::ScalarValue::Utf8View(Some(column)), None) => {
                        let name = Name { parts: vec![column.clone()], span: a.span };
                        exprs.push(walk.expr(&Expr::new(ExprKind::Name(name), a.span))?.expr);
                    }
                    _ => return Err(invalid(&name)),
                }
            }
            ExprKind::Name(_) => exprs.push(walk.expr(a)?.expr),
            _ => return Err(invalid(&name)),
        }
    }
    Ok(match name.as_str() {
        "COALESCE" => match (number, exprs.is_empty()) {
            (Some(n), true) => Some(Distribution::Coalesce(n)),
            _ => return Err(invalid(&name)),
        },
        "REPARTITION" => match (number, exprs.is_empty()) {
            (Some(n), true) => Some(Distribution::RoundRobin(n)),
            (n, false) => Some(Distribution::Hash(exprs, n)),
            (None, true) => None,
        },
        "REPARTITION_BY_RANGE" if !exprs.is_empty() => {
            let key = |expr| SortExpr { expr, descending: false, nulls_first: true };
            Some(Distribution::Range(exprs.into_iter().map(key).collect(), number))
        }
        "REPARTITION_BY_RANGE" => number.map(Distribution::RoundRobin),
        _ if !exprs.is_empty() => Some(Distribution::Hash(exprs, number)),
        _ => None,
    })
}

fn invalid(name: &str) -> Error {
    let condition = if name == "COALESCE" { "_LEGACY_ERROR_TEMP_1048" } else { "_LEGACY_ERROR_TEMP_1047" };
    Error::new(condition).with("hintName", name)
}
