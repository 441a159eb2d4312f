//! Arguments given by name (`mask(str => 'a')`) are brought into the order of the parameters.

use crate::scope::{quoted_name, similar};
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::{Expr, ExprKind};

/// A parameter of a routine.
pub(crate) struct Param {
    /// Name.
    pub name: String,
    /// The argument where none is given.
    pub default: Option<Expr>,
}

/// Whether an argument is given by name.
pub(crate) fn any_named(args: &[Expr]) -> bool {
    args.iter().any(|a| matches!(a.kind, ExprKind::NamedArgument { .. }))
}

/// One argument for each parameter.
pub(crate) fn arranged(routine: &str, params: &[Param], args: &[Expr], span: Span) -> Result<Vec<Expr>> {
    let failed = |condition| {
        let quoted = quoted_name(&[routine.to_string()]);
        Error::new(condition).with("routineName", quoted).at(span)
    };
    let quoted = |name: &str| quoted_name(&[name.to_string()]);
    let mut given: Vec<Option<Expr>> = vec![None; params.len()];
    let mut last_named: Option<&str> = None;
    let mut extra = Vec::new();
    for (i, arg) in args.iter().enumerate() {
        let ExprKind::NamedArgument { name, value } = &arg.kind else {
            if let Some(name) = last_named {
                return Err(failed("UNEXPECTED_POSITIONAL_ARGUMENT").with("parameterName", quoted(name)));
            }
            match given.get_mut(i) {
                Some(place) => *place = Some(arg.clone()),
                None => extra.push(arg.clone()),
            }
            continue;
        };
        let Some(at) = params.iter().position(|p| p.name.eq_ignore_ascii_case(name)) else {
            let all = params.iter().map(|p| vec![p.name.as_str()]).collect();
            let proposals: Vec<String> = similar(name, 1, all).into_iter().take(3).collect();
            return Err(failed("UNRECOGNIZED_PARAMETER_NAME")
                .with("argumentName", quoted(name))
                .with("proposal", proposals.join(" ")));
        };
        if given[at].is_some() {
            let before = args[..i].iter().any(
                |a| matches!(&a.kind, ExprKind::NamedArgument { name: n, .. } if n.eq_ignore_ascii_case(name)),
            );
            let condition = if before {
                "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE"
            } else {
                "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED"
            };
            return Err(failed(condition).with("parameterName", quoted(name)));
        }
        given[at] = Some((**value).clone());
        last_named = Some(name);
    }
    let mut out = Vec::with_capacity(params.len());
    for (i, (value, param)) in given.into_iter().zip(params).enumerate() {
        match value.or_else(|| param.default.clone()) {
            Some(e) => out.push(e),
            None => {
                return Err(failed("REQUIRED_PARAMETER_NOT_FOUND")
                    .with("parameterName", quoted(&param.name))
                    .with("index", i.to_string()));
            }
        }
    }
    out.extend(extra);
    Ok(out)
}
