//! Functions in FROM: `range` and generators.

use crate::analyzer::Binder;
use crate::call;
use crate::env::Env;
use crate::expr::{Clause, Walk, called_as};
use crate::fold;
use crate::relation::Relation;
use crate::scope::quoted_name;
use crate::typed::{Typed, quoted_type};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_functions::{Arity, Function, GeneratorFunction};
use vonk_plan::logical::{Generate, LogicalPlan};
use vonk_plan::unresolved::{Expr, ExprKind, Name};
use vonk_types::DataType;

/// Table functions that are operators of their own.
const RANGE: &str = "range";
const KEYWORDS: &str = "sql_keywords";

pub(crate) fn table_function(
    b: &Binder<'_>,
    name: &Name,
    args: &[Expr],
    span: Span,
    env: &Env<'_>,
) -> Result<Relation> {
    if called_as(name) == RANGE && is_builtin(name) {
        return range(b, args, span, env);
    }
    if called_as(name) == KEYWORDS && is_builtin(name) {
        Arity::exactly(0).check(KEYWORDS, args.len()).map_err(|e| e.at(span))?;
        return super::keywords::keywords(b);
    }
    let f = match generator(b, name, span) {
        Ok(f) => f,
        Err(e) => {
            let Some(f) = b.analyzer.catalog.function(&name.parts)? else { return Err(e) };
            let arguments = call::user::arguments(&f, args, span)?;
            let mut walk = Walk::new(b, env, &[], Clause::Generate);
            let args = walk.arguments(&arguments.all)?.into_iter().map(|(t, _)| t).collect();
            return call::user::rows(b, &f, args, span, env);
        }
    };
    let mut walk = Walk::new(b, env, &[], Clause::Generate);
    let g = walk.table_generator(&f, name, args, false, &[], span)?;
    Ok(Relation::plain(LogicalPlan::Generate(Generate {
        function: g.function,
        args: g.args,
        outer: g.outer,
        columns: g.columns,
        input: Arc::new(LogicalPlan::one_row()),
    })))
}

fn is_builtin(name: &Name) -> bool {
    match name.parts.as_slice() {
        [_] => true,
        [q, _] => q.eq_ignore_ascii_case("builtin"),
        [c, q, _] => c.eq_ignore_ascii_case("system") && q.eq_ignore_ascii_case("builtin"),
        _ => false,
    }
}

/// The generator of a name in FROM.
pub(crate) fn generator(b: &Binder<'_>, name: &Name, span: Span) -> Result<Arc<GeneratorFunction>> {
    let found = if is_builtin(name) { b.session.registry().get(name.last()) } else { None };
    match found {
        Some(Function::Generator(f)) => Ok(f.clone()),
        Some(_) => {
            Err(Error::new("NOT_A_TABLE_FUNCTION").with("functionName", quoted_name(&name.parts)).at(span))
        }
        None => Err(Error::new("UNRESOLVABLE_TABLE_VALUED_FUNCTION")
            .with("name", quoted_name(&name.parts))
            .at(span)),
    }
}

fn range(b: &Binder<'_>, args: &[Expr], span: Span, env: &Env<'_>) -> Result<Relation> {
    Arity::between(1, 4).check(RANGE, args.len()).map_err(|e| e.at(span))?;
    if let Some(name) = args.iter().find_map(|a| match &a.kind {
        ExprKind::NamedArgument { name, .. } => Some(name),
        _ => None,
    }) {
        return Err(not_foldable(name, &DataType::Long, span));
    }
    let args = Walk::new(b, env, &[], Clause::Generate).exprs(args)?;
    let names = if args.len() == 1 { &["end"][..] } else { &["start", "end", "step", "numSlices"] };
    let mut numbers = Vec::with_capacity(args.len());
    for (i, (t, name)) in args.into_iter().zip(names).enumerate() {
        let to = if i == 3 { DataType::Int } else { DataType::Long };
        // A single argument is the end: Spark counts it as the second.
        let place = if names.len() == 1 { 1 } else { i };
        numbers.push(number(b, t, name, place, &to, span)?);
    }
    let (start, end, step, partitions) = match numbers.as_slice() {
        [end] => (0, *end, 1, None),
        [start, end] => (*start, *end, 1, None),
        [start, end, step] => (*start, *end, *step, None),
        [start, end, step, n, ..] => (*start, *end, *step, Some(*n)),
        [] => return vonk_error::internal_err!("range without arguments"),
    };
    let failed = || Error::new("FAILED_FUNCTION_CALL").with("funcName", "`range`").at(span);
    if step == 0 {
        return Err(failed());
    }
    let partitions = match partitions {
        None => None,
        Some(n) => Some(u32::try_from(n).ok().filter(|n| *n > 0).ok_or_else(failed)?),
    };
    let column = b.ids.column("id", DataType::Long, false);
    Ok(Relation::plain(LogicalPlan::Range { column, start, end, step, partitions }))
}

fn number(b: &Binder<'_>, t: Typed, name: &str, place: usize, to: &DataType, span: Span) -> Result<i64> {
    const ORDINALS: [&str; 4] = ["first", "second", "third", "fourth"];
    if !fold::is_foldable(&b.session, &t.expr) {
        return Err(not_foldable(name, to, span));
    }
    let unexpected = |t: &Typed| {
        Error::new("UNEXPECTED_INPUT_TYPE")
            .with("functionName", "`range`")
            .with("paramIndex", ORDINALS[place.min(3)])
            .with("inputSql", t.quoted())
            .with("inputType", quoted_type(&t.data_type()))
            .with("requiredType", quoted_type(to))
            .at(span)
    };
    let source = t.data_type();
    if source == DataType::Null || !(source.is_numeric() || source == DataType::String) {
        return Err(unexpected(&t));
    }
    let cast = crate::coerce::implicit_cast(&b.session, t.clone(), to);
    match fold::fold(&b.session, &cast.expr)?.value {
        datafusion_common::ScalarValue::Int64(Some(n)) => Ok(n),
        datafusion_common::ScalarValue::Int32(Some(n)) => Ok(i64::from(n)),
        _ => Err(unexpected(&t)),
    }
}

fn not_foldable(name: &str, to: &DataType, span: Span) -> Error {
    Error::new("NON_FOLDABLE_ARGUMENT")
        .with("funcName", "`range`")
        .with("paramName", format!("`{name}`"))
        .with("paramType", quoted_type(to))
        .at(span)
}
