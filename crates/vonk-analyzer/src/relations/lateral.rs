//! LATERAL VIEW, and generators beside the relation whose columns they read.

use crate::analyzer::Binder;
use crate::env::Env;
use crate::expr::{Clause, Walk, alias_mismatch};
use crate::relation::Relation;
use crate::scope::{Scope, quoted_name};
use crate::select::Calls;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_functions::{Function, GeneratorFunction};
use vonk_plan::logical::{Generate, LogicalPlan};
use vonk_plan::unresolved::{Expr, LateralView, Name};

pub(crate) fn lateral_view(b: &Binder<'_>, v: &LateralView, env: &Env<'_>) -> Result<Relation> {
    let input = b.relation(&v.input, env)?;
    let span = env.span(v.span);
    let f = match b.session.registry().get(v.generator.last()) {
        Some(Function::Generator(f)) => f.clone(),
        Some(_) => {
            return Err(Error::new("UNSUPPORTED_GENERATOR.NOT_GENERATOR")
                .with("functionName", quoted_name(&v.generator.parts))
                .with("classCanonicalName", v.generator.last())
                .at(span));
        }
        None => {
            let (_, database) = b.analyzer.catalog.current();
            let parts = match v.generator.parts.as_slice() {
                [name] => vec![database, name.clone()],
                parts => parts.to_vec(),
            };
            return Err(Error::new("ROUTINE_NOT_FOUND").with("routineName", quoted_name(&parts)));
        }
    };
    let mismatch = |n: usize, names: &[String], _: &Name, span: Span| alias_mismatch(n, names, span);
    let named = (Some(v.alias.as_str()), v.columns.as_slice());
    generated(b, input, &f, &v.generator, &v.args, v.outer, named, mismatch, span, env)
}

/// Spark's error for a wrong number of column aliases of a table function.
pub(crate) fn table_alias_mismatch(columns: usize, names: &[String], function: &Name, _: Span) -> Error {
    Error::new("NUM_TABLE_VALUE_ALIASES_MISMATCH")
        .with("funcName", quoted_name(&function.parts))
        .with("aliasesNum", names.len().to_string())
        .with("outColsNum", columns.to_string())
}

/// The input's rows, each with what the generator makes of it. `named` is the qualifier and the names of the new columns.
#[allow(clippy::too_many_arguments)]
pub(crate) fn generated(
    b: &Binder<'_>,
    input: Relation,
    f: &GeneratorFunction,
    name: &Name,
    args: &[Expr],
    outer: bool,
    named: (Option<&str>, &[String]),
    mismatch: fn(usize, &[String], &Name, Span) -> Error,
    span: Span,
    env: &Env<'_>,
) -> Result<Relation> {
    let scopes = [&input.scope];
    let calls = Calls::default();
    let mut walk = Walk::new(b, env, &scopes, Clause::Generate).collecting(&calls);
    let (alias, names) = named;
    let g = walk.table_generator(f, name, args, outer, &[], span)?;
    calls.refuse("Generate", span)?;
    if !names.is_empty() && names.len() != g.columns.len() {
        return Err(mismatch(g.columns.len(), names, name, span));
    }
    let mut columns = g.columns;
    for (c, n) in columns.iter_mut().zip(names) {
        c.name = n.as_str().into();
    }
    let made = match alias {
        Some(a) => Scope::qualified(columns.iter().cloned(), [a.to_string()]),
        None => Scope::plain(columns.iter().cloned()),
    };
    let plan = LogicalPlan::Generate(Generate {
        function: g.function,
        args: g.args,
        outer: g.outer,
        columns,
        input: input.plan,
    });
    Ok(Relation { plan: Arc::new(plan), scope: input.scope.joined(made) })
}
