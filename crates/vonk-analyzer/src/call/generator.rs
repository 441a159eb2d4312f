//! Generators.
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_functions::GeneratorFunction;
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
    _s: &Session<'_>,
    _f: &GeneratorFunction,
    called_as: &str,
    _args: Vec<Typed>,
    _span: Span,
) -> Result<GeneratorCall> {
    Err(Error::unsupported(called_as))
}
