//! Scalar functions.

use super::{CallArg, PendingArg, described, described_operand, texts, types};
use crate::coerce;
use crate::session::Session;
use crate::typed::{Typed, complete};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_functions::{Arg, CallSite, Function, ScalarFunction, Volatility};
use vonk_plan::logical::Expr;
use vonk_types::DataType;

/// The text of a call.
pub(crate) enum CallText {
    /// As the function displays itself.
    OfFunction,
    /// As the syntax form does.
    Fixed(String),
}

/// A call of a scalar function.
pub(crate) fn scalar(
    s: &Session<'_>,
    f: &Arc<ScalarFunction>,
    called_as: &str,
    args: Vec<CallArg>,
    span: Span,
) -> Result<Typed> {
    f.arity.check(called_as, args.len()).map_err(|e| e.at(span))?;
    if f.lambda_params.is_none() && args.iter().any(|a| matches!(a, CallArg::Lambda { .. })) {
        return Err(takes_no_lambdas(f, span));
    }
    let described = args
        .iter()
        .map(|a| match a {
            CallArg::Value(x) => described(s, x),
            CallArg::Lambda { params, body } => Arg {
                data_type: body.data_type(),
                nullable: body.nullable(),
                literal: None,
                sql: lambda_text(&body.sql, params.len()),
                lambda: Some(params.len()),
            },
        })
        .collect();
    resolve(s, f, called_as, args, described, CallText::OfFunction, span)
}

/// A call of the scalar function that stands behind an operator or another syntax form.
pub(crate) fn operator(
    s: &Session<'_>,
    function: &str,
    args: Vec<Typed>,
    text: CallText,
    span: Span,
) -> Result<Typed> {
    let Some(Function::Scalar(f)) = s.registry().get(function) else {
        return vonk_error::internal_err!("no scalar function {function}");
    };
    f.arity.check(function, args.len()).map_err(|e| e.at(span))?;
    let described = args.iter().map(described_operand).collect();
    let args = args.into_iter().map(CallArg::Value).collect();
    resolve(s, f, function, args, described, text, span)
}

fn resolve(
    s: &Session<'_>,
    f: &Arc<ScalarFunction>,
    called_as: &str,
    args: Vec<CallArg>,
    described: Vec<Arg>,
    text: CallText,
    span: Span,
) -> Result<Typed> {
    let sql = |arg_types: &[DataType]| match &text {
        CallText::Fixed(sql) => sql.clone(),
        CallText::OfFunction => f.display.text(called_as, &texts(&described), arg_types),
    };
    let site = CallSite { called_as, args: &described, ctx: s.ctx(), span };
    let resolution = (f.resolve)(&site).map_err(|e| complete(e, || sql(&types(&described)), span))?;
    if resolution.arg_types.len() != args.len() {
        return vonk_error::internal_err!("{} resolved to {} arguments", f.name, resolution.arg_types.len());
    }
    let sql = sql(&resolution.arg_types);
    let args = args
        .into_iter()
        .zip(&resolution.arg_types)
        .map(|(a, t)| match a {
            CallArg::Value(x) => coerce::operand_cast(s, x, t, span).expr,
            CallArg::Lambda { params, body } => {
                Expr::Lambda { params, body: Box::new(coerce::operand_cast(s, body, t, span).expr) }
            }
        })
        .collect();
    let expr = Expr::Call {
        function: f.name.into(),
        called_as: called_as.into(),
        args,
        data_type: resolution.return_type,
        nullable: resolution.nullable,
        deterministic: f.volatility != Volatility::Volatile,
        span,
    };
    Ok(Typed::new(expr, sql, span))
}

/// For each lambda among the arguments, in order, the types and nullability of its parameters.
pub(crate) fn lambda_params(
    s: &Session<'_>,
    f: &ScalarFunction,
    called_as: &str,
    args: &[PendingArg],
    span: Span,
) -> Result<Vec<Vec<(DataType, bool)>>> {
    f.arity.check(called_as, args.len()).map_err(|e| e.at(span))?;
    let Some(lambda_params) = f.lambda_params else { return Err(takes_no_lambdas(f, span)) };
    let described: Vec<Arg> = args
        .iter()
        .map(|a| match a {
            PendingArg::Value(x) => described(s, x),
            PendingArg::Lambda(n) => Arg {
                data_type: DataType::Null,
                nullable: true,
                literal: None,
                sql: lambda_text("", *n),
                lambda: Some(*n),
            },
        })
        .collect();
    let site = CallSite { called_as, args: &described, ctx: s.ctx(), span };
    let sql = || f.display.text(called_as, &texts(&described), &types(&described));
    lambda_params(&site).map_err(|e| complete(e, sql, span))
}

/// Spark does not show the names of lambdas' parameters.
fn lambda_text(body: &str, params: usize) -> String {
    format!("lambdafunction({body}{})", ", namedlambdavariable()".repeat(params))
}

fn takes_no_lambdas(f: &ScalarFunction, span: Span) -> Error {
    // Spark names the function's class, which is nearly always the name in camel case.
    let capital = |word: &str| match word.chars().next() {
        Some(c) => c.to_uppercase().chain(word.chars().skip(1)).collect::<String>(),
        None => String::new(),
    };
    let class: String = f.name.split('_').map(capital).collect();
    Error::new("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION")
        .with("class", format!("org.apache.spark.sql.catalyst.expressions.{class}"))
        .at(span)
}
