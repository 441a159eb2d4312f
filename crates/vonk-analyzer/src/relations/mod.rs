//! Relational operators.

mod alias;
mod cte;
mod functions;
pub(crate) mod hints;
mod join;
mod keywords;
mod lateral;
mod limit;
mod pipes;
mod pivot;
mod recursive;
mod sample;
mod set_ops;
mod table;
mod unpivot;
mod values;

use crate::analyzer::Binder;
use crate::env::Env;
use crate::expr::{Clause, Walk, sort_expr};
use crate::relation::Relation;
use crate::resolved::Resolved;
use crate::select::{self, Tail};
use vonk_error::{Error, Result};
use vonk_plan::ColumnId;
use vonk_plan::logical::{Distribution, LogicalPlan};
use vonk_plan::unresolved::{Embedded, Plan, Repartitioning, Select};

/// Resolves a relation.
pub(crate) fn relation(b: &Binder<'_>, plan: &Plan, env: &Env<'_>) -> Result<Relation> {
    match plan {
        Plan::Table(t) => table::table(b, t, env),
        Plan::File { format, paths, options, span } => {
            table::file(b, format, paths, options, env.span(*span))
        }
        Plan::Values { rows, span } => values::values(b, rows, None, env.span(*span), env),
        Plan::TableFunction { name, args, span } => {
            functions::table_function(b, name, args, env.span(*span), env)
        }
        Plan::OneRow => Ok(Relation::plain(LogicalPlan::one_row())),
        Plan::Select(s) => select::select(b, s, &[], env),
        Plan::Join(j) => join::join(b, j, env),
        Plan::SetOp { .. } => set_ops::set_op(b, plan, env),
        Plan::With { recursive, ctes, body } => cte::with(b, *recursive, ctes, body, env),
        Plan::Sort { .. } | Plan::Distribute { .. } | Plan::Hint { .. } => sorted(b, plan, env),
        Plan::Limit { input, count } => limit::limit(b, input, count, env),
        Plan::Offset { input, count } => limit::offset(b, input, count, env),
        Plan::Aliased { input, alias, columns, span } => {
            alias::aliased(b, input, alias, columns, env.span(*span), env)
        }
        Plan::Pivot(p) => pivot::pivot(b, p, env),
        Plan::Unpivot(u) => unpivot::unpivot(b, u, env),
        Plan::LateralView(v) => lateral::lateral_view(b, v, env),
        Plan::Sample { input, amount, seed } => sample::sample(b, input, amount, *seed, env),
        Plan::Subquery(inner) => {
            let r = b.relation(inner, env)?;
            Ok(Relation { plan: r.plan, scope: r.scope.requalified([]) })
        }
        Plan::Pipe(p) => pipes::pipe(b, p, env),
        Plan::Repartition { input, to } => repartition(b, input, to, env),
        Plan::Embedded(e) => embedded(b, e),
    }
}

/// Sorts and distributions: those directly above a SELECT belong to it.
fn sorted(b: &Binder<'_>, plan: &Plan, env: &Env<'_>) -> Result<Relation> {
    if let Some((sel, tail)) = peel(plan) {
        return select::select(b, sel, &tail, env);
    }
    let (input, step) = match plan {
        Plan::Sort { input, keys, global } => (input, Tail::Sort { keys, global: *global }),
        Plan::Distribute { input, by } => (input, Tail::Distribute(by)),
        Plan::Hint { input, hints } => return hints::hinted(b, input, hints, env),
        other => return b.relation(other, env),
    };
    let input = b.relation(input, env)?;
    select::sort_relation(b, input, &step, env)
}

/// The SELECT below sorts and distributions, and these from the innermost.
fn peel(plan: &Plan) -> Option<(&Select, Vec<Tail<'_>>)> {
    match plan {
        Plan::Select(s) => Some((s, Vec::new())),
        Plan::Sort { input, keys, global } => {
            let (s, mut tail) = peel(input)?;
            tail.push(Tail::Sort { keys, global: *global });
            Some((s, tail))
        }
        Plan::Distribute { input, by } => {
            let (s, mut tail) = peel(input)?;
            tail.push(Tail::Distribute(by));
            Some((s, tail))
        }
        Plan::Hint { input, hints } => {
            let (s, mut tail) = peel(input)?;
            tail.push(Tail::Hints(hints));
            Some((s, tail))
        }
        _ => None,
    }
}

/// Rows moved.
fn repartition(b: &Binder<'_>, input: &Plan, to: &Repartitioning, env: &Env<'_>) -> Result<Relation> {
    let r = b.relation(input, env)?;
    let scopes = [&r.scope];
    let mut walk = Walk::new(b, env, &scopes, Clause::Other("RepartitionByExpression"));
    let distribution = match to {
        Repartitioning::RoundRobin(n) => Distribution::RoundRobin(*n),
        Repartitioning::Coalesce(n) => Distribution::Coalesce(*n),
        Repartitioning::Hash(by, n) => {
            Distribution::Hash(walk.exprs(by)?.into_iter().map(|t| t.expr).collect(), *n)
        }
        Repartitioning::Range(keys, n) => {
            let keys = keys.iter().map(|k| Ok(sort_expr(walk.expr(&k.expr)?, k)?.1));
            Distribution::Range(keys.collect::<Result<_>>()?, *n)
        }
    };
    Ok(r.map(|input| LogicalPlan::Repartition { distribution, input }))
}

/// A plan that is resolved already. If some of its columns are in the query already, it gets columns of its own.
fn embedded(b: &Binder<'_>, e: &Embedded) -> Result<Relation> {
    let resolved =
        Resolved::from_embedded(e).ok_or_else(|| Error::internal("an embedded plan that is not resolved"))?;
    b.adopt(&resolved);
    let relation = resolved.relation().clone();
    let mut seen = b.embedded.borrow_mut();
    let ids: Vec<ColumnId> = relation.plan.output().iter().map(|c| c.id).collect();
    let used = ids.iter().any(|id| seen.contains(id));
    seen.extend(ids);
    drop(seen);
    Ok(if used { relation.renewed(b.ids, None) } else { relation })
}
