//! Generators.

use super::{cast_all, described};
use crate::naming;
use crate::session::Session;
use crate::typed::{Typed, complete};
use vonk_error::{Result, Span};
use vonk_functions::{Arg, CallSite, GeneratorFunction};
use vonk_plan::logical::Expr;
use vonk_types::StructType;

/// A resolved call of a generator.
#[derive(Debug, Clone)]
pub(crate) struct GeneratorCall {
    /// Arguments, cast.
    pub args: Vec<Expr>,
    /// Columns made, with Spark's default names. (Those of an outer generator are nullable.)
    pub columns: StructType,
    /// Its text.
    pub sql: String,
}

/// A call of a generator.
pub(crate) fn generator(
    s: &Session<'_>,
    f: &GeneratorFunction,
    called_as: &str,
    args: Vec<Typed>,
    span: Span,
) -> Result<GeneratorCall> {
    f.arity.check(called_as, args.len()).map_err(|e| e.at(span))?;
    let described: Vec<Arg> = args.iter().map(|a| described(s, a)).collect();
    let sql = format!("{called_as}({})", naming::list(&args));
    let site = CallSite { called_as, args: &described, ctx: s.ctx(), span };
    let (arg_types, columns) = (f.resolve)(&site).map_err(|e| complete(e, || sql.clone(), span))?;
    if arg_types.len() != described.len() {
        return vonk_error::internal_err!("{} resolved to {} arguments", f.name, arg_types.len());
    }
    Ok(GeneratorCall { args: cast_all(s, args, &arg_types, span), columns, sql })
}
