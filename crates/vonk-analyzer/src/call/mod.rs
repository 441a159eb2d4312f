//! Calls of functions: arguments described to the function's `resolve`, cast as it asks, and put together.

mod aggregate;
mod form;
mod generator;
mod scalar;
mod window;

use crate::typed::Typed;
use vonk_plan::logical::Column;

pub(crate) use aggregate::{AggregateCall, AggregateExtras, OrderKey, aggregate};
pub(crate) use form::form;
pub(crate) use generator::{GeneratorCall, generator};
pub(crate) use scalar::{lambda_params, scalar};
pub(crate) use window::{Bound, Frame, WindowCall, WindowSpec, over_aggregate, over_function};

/// An argument of a scalar function.
#[derive(Debug, Clone)]
pub(crate) enum CallArg {
    /// A value.
    Value(Typed),
    /// A lambda whose parameters have the types that [`lambda_params`] gave.
    Lambda {
        /// Parameters; the body refers to them as `Expr::LambdaParam`.
        params: Vec<Column>,
        /// Body.
        body: Typed,
    },
}

/// An argument before the bodies of lambdas are resolved.
#[derive(Debug, Clone)]
pub(crate) enum PendingArg {
    /// A value.
    Value(Typed),
    /// A lambda with this many parameters.
    Lambda(usize),
}
