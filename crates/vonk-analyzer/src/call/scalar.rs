//! Scalar functions.
use super::{CallArg, PendingArg};
use crate::session::Session;
use crate::typed::Typed;
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_functions::ScalarFunction;
use vonk_types::DataType;

/// A call of a scalar function.
pub(crate) fn scalar(
    _s: &Session<'_>,
    _f: &Arc<ScalarFunction>,
    called_as: &str,
    _args: Vec<CallArg>,
    _span: Span,
) -> Result<Typed> {
    Err(Error::unsupported(called_as))
}

/// For each lambda among the arguments, in order, the types and nullability of its parameters.
pub(crate) fn lambda_params(
    _s: &Session<'_>,
    _f: &ScalarFunction,
    called_as: &str,
    _args: &[PendingArg],
    _span: Span,
) -> Result<Vec<Vec<(DataType, bool)>>> {
    Err(Error::unsupported(called_as))
}
