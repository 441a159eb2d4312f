//! Calls of functions: arguments described to the function's `resolve`, cast as it asks, and put together.

mod aggregate;
mod form;
mod frame;
mod generator;
mod named;
mod scalar;
pub(crate) mod user;
mod window;

use crate::coerce;
use crate::fold;
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::Span;
use vonk_functions::Arg;
use vonk_plan::logical::{Column, Expr};
use vonk_types::DataType;

pub(crate) use aggregate::{AggregateCall, AggregateExtras, OrderKey, aggregate};
pub(crate) use form::form;
pub(crate) use generator::{GeneratorCall, generator};
pub(crate) use named::{Param, any_named, arranged};
pub(crate) use scalar::{CallText, lambda_params, operator, scalar};
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

/// A value as resolution sees it, with its value where it is constant.
fn described(s: &Session<'_>, x: &Typed) -> Arg {
    Arg {
        data_type: x.data_type(),
        nullable: x.nullable(),
        literal: fold::value_of(s, &x.expr),
        sql: x.sql.clone(),
        lambda: None,
    }
}

/// As [`described`], with a value only for a literal: operators look at those alone, and chains of them may be long.
fn described_operand(x: &Typed) -> Arg {
    let literal = match &x.expr {
        Expr::Literal(l) => Some(l.clone()),
        _ => None,
    };
    Arg { data_type: x.data_type(), nullable: x.nullable(), literal, sql: x.sql.clone(), lambda: None }
}

/// Arguments cast to the types that a function resolved to.
fn cast_all(s: &Session<'_>, args: Vec<Typed>, types: &[DataType], whole: Span) -> Vec<Expr> {
    let mut types = types.iter();
    args.into_iter()
        .map(|a| match types.next() {
            Some(t) => coerce::operand_cast(s, a, t, whole).expr,
            None => a.expr,
        })
        .collect()
}

/// The texts of arguments.
fn texts(args: &[Arg]) -> Vec<String> {
    args.iter().map(|a| a.sql.clone()).collect()
}

/// The types of arguments.
fn types(args: &[Arg]) -> Vec<DataType> {
    args.iter().map(|a| a.data_type.clone()).collect()
}
