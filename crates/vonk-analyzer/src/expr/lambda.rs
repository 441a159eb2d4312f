//! Lambda functions as arguments.

use super::Walk;
use crate::call::{self, CallArg, PendingArg};
use crate::typed::Typed;
use vonk_error::{Error, Result, Span};
use vonk_functions::ScalarFunction;
use vonk_plan::logical::Column;
use vonk_plan::unresolved::{self, ExprKind};
use vonk_types::DataType;

impl Walk<'_> {
    /// Arguments of which some are lambdas: the others first, for the parameters' types depend on them.
    pub(super) fn lambda_arguments(
        &mut self,
        f: &ScalarFunction,
        called_as: &str,
        args: &[unresolved::Expr],
        span: Span,
    ) -> Result<Vec<CallArg>> {
        let mut pending = Vec::with_capacity(args.len());
        let mut lambdas: Vec<(&unresolved::Expr, &[String], &unresolved::Expr)> = Vec::new();
        for a in args {
            if let ExprKind::Lambda { params, body } = &a.kind {
                lambdas.push((a, params, body));
                pending.push(PendingArg::Lambda(params.len()));
            } else {
                for (t, _) in self.arguments(std::slice::from_ref(a))? {
                    pending.push(PendingArg::Value(t));
                }
            }
        }
        if lambdas.is_empty() {
            return self.constant_lambda(f, called_as, pending, span);
        }
        let types = call::lambda_params(self.s(), f, called_as, &pending, span)?;
        let mut lambdas = lambdas.into_iter().zip(types);
        let mut out = Vec::with_capacity(pending.len());
        for p in pending {
            out.push(match p {
                PendingArg::Value(t) => CallArg::Value(t),
                PendingArg::Lambda(_) => match lambdas.next() {
                    Some(((whole, params, body), types)) => {
                        let (params, body) = self.lambda(params, body, types, self.at(whole.span))?;
                        CallArg::Lambda { params, body }
                    }
                    None => return vonk_error::internal_err!("a lambda without parameter types"),
                },
            });
        }
        Ok(out)
    }

    /// `transform(xs, 5)`: a plain value where a lambda belongs is one that ignores its parameters.
    fn constant_lambda(
        &mut self,
        f: &ScalarFunction,
        called_as: &str,
        mut pending: Vec<PendingArg>,
        span: Span,
    ) -> Result<Vec<CallArg>> {
        let value = match pending.pop() {
            Some(PendingArg::Value(t)) if !pending.is_empty() => t,
            Some(only) => {
                pending.push(only);
                return Ok(values(pending));
            }
            None => return Ok(Vec::new()),
        };
        let mut failed = None;
        for n in 1..=3 {
            pending.push(PendingArg::Lambda(n));
            let types = call::lambda_params(self.s(), f, called_as, &pending, span);
            pending.pop();
            match types.map(|mut t| t.pop()) {
                Ok(Some(types)) => {
                    let params =
                        types.into_iter().take(n).map(|(t, nullable)| self.b.ids.column("", t, nullable));
                    let params = params.collect();
                    let mut args = values(pending);
                    args.push(CallArg::Lambda { params, body: value });
                    return Ok(args);
                }
                Ok(None) => break,
                Err(e) => failed = failed.or(Some(e)),
            }
        }
        match failed {
            Some(e) => Err(e),
            None => {
                pending.push(PendingArg::Value(value));
                Ok(values(pending))
            }
        }
    }

    fn lambda(
        &mut self,
        names: &[String],
        body: &unresolved::Expr,
        types: Vec<(DataType, bool)>,
        span: Span,
    ) -> Result<(Vec<Column>, Typed)> {
        // A lambda may leave out parameters at the end where the function can do without them.
        if names.len() > types.len() {
            return Err(Error::new("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH")
                .with("expectedNumArgs", names.len().to_string())
                .with("actualNumArgs", types.len().to_string())
                .at(span));
        }
        for (i, n) in names.iter().enumerate() {
            if names[..i].iter().any(|m| self.s().same_name(m, n)) {
                let all: Vec<String> =
                    names.iter().map(|n| vonk_types::data_type::quote_identifier(n)).collect();
                return Err(Error::new("INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES")
                    .with("args", all.join(", "))
                    .with("caseSensitiveConfig", "\"spark.sql.caseSensitive\"")
                    .at(span));
            }
        }
        let params: Vec<Column> = names
            .iter()
            .zip(types)
            .map(|(n, (t, nullable))| self.b.ids.column(n.as_str(), t, nullable))
            .collect();
        let depth = self.lambdas.len();
        self.lambdas.extend(names.iter().cloned().zip(params.iter().cloned()));
        let body = self.expr(body);
        self.lambdas.truncate(depth);
        Ok((params, body?))
    }
}

fn values(pending: Vec<PendingArg>) -> Vec<CallArg> {
    pending
        .into_iter()
        .filter_map(|p| match p {
            PendingArg::Value(t) => Some(CallArg::Value(t)),
            PendingArg::Lambda(_) => None,
        })
        .collect()
}
