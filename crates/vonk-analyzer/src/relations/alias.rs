//! `relation AS alias (columns)`.

use super::{lateral, values};
use crate::analyzer::Binder;
use crate::env::Env;
use crate::relation::Relation;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{Column, LogicalPlan};
use vonk_plan::unresolved::Plan;

pub(crate) fn aliased(
    b: &Binder<'_>,
    input: &Plan,
    alias: &str,
    columns: &[String],
    span: Span,
    env: &Env<'_>,
) -> Result<Relation> {
    let r = match input {
        Plan::Values { rows, span } if !columns.is_empty() => {
            values::values(b, rows, Some(columns), env.span(*span), env)?
        }
        _ => b.relation(input, env)?,
    };
    let r = if columns.is_empty() { r } else { named(b, input, r, columns, span)? };
    Ok(Relation { plan: r.plan, scope: r.scope.requalified([alias.to_string()]) })
}

fn named(b: &Binder<'_>, input: &Plan, r: Relation, names: &[String], span: Span) -> Result<Relation> {
    let n = r.scope.fields.len();
    if n != names.len() {
        return Err(match input {
            Plan::TableFunction { name, .. } => lateral::table_alias_mismatch(n, names, name, span),
            _ => Error::new("ASSIGNMENT_ARITY_MISMATCH")
                .with("numExpr", names.len().to_string())
                .with("numTarget", n.to_string())
                .at(span),
        });
    }
    // Leaves that make their columns themselves are renamed in place.
    let rename = |c: &Column, name: &String| Column { name: name.as_str().into(), ..c.clone() };
    let plan = match r.plan.as_ref() {
        LogicalPlan::Values { columns, batch } => LogicalPlan::Values {
            columns: columns.iter().zip(names).map(|(c, n)| rename(c, n)).collect(),
            batch: batch.clone(),
        },
        LogicalPlan::Range { column, start, end, step, partitions } => LogicalPlan::Range {
            column: rename(column, &names[0]),
            start: *start,
            end: *end,
            step: *step,
            partitions: *partitions,
        },
        _ => return Ok(r.renamed(b.ids, names)),
    };
    Ok(Relation::plain(plan))
}
