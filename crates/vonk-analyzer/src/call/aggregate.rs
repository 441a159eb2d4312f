//! Aggregate functions.

use super::{cast_all, described, texts, types};
use crate::build;
use crate::naming;
use crate::session::Session;
use crate::typed::{Typed, complete, quoted};
use vonk_error::{Error, Result, Span};
use vonk_functions::aggregate::WithinGroup;
use vonk_functions::{AggregateFunction, Arg, Arity, CallSite};
use vonk_plan::logical::{AggregateExpr, SortExpr};
use vonk_types::Literal;

/// A key of ORDER BY with its defaults filled in.
#[derive(Debug, Clone)]
pub(crate) struct OrderKey {
    /// Key.
    pub key: Typed,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST.
    pub nulls_first: bool,
}

/// What may stand around the arguments of an aggregate call.
#[derive(Debug, Clone, Default)]
pub(crate) struct AggregateExtras {
    /// DISTINCT.
    pub distinct: bool,
    /// FILTER (WHERE …).
    pub filter: Option<Typed>,
    /// WITHIN GROUP (ORDER BY …).
    pub order_by: Vec<OrderKey>,
    /// IGNORE NULLS or RESPECT NULLS.
    pub ignore_nulls: Option<bool>,
}

/// A resolved aggregate call.
#[derive(Debug, Clone)]
pub(crate) struct AggregateCall {
    /// The call.
    pub expr: AggregateExpr,
    /// Its text, FILTER and all.
    pub sql: String,
}

/// A call of an aggregate function. `count(*)` has no arguments here and the literal 1 in its text.
pub(crate) fn aggregate(
    s: &Session<'_>,
    f: &AggregateFunction,
    called_as: &str,
    args: Vec<Typed>,
    extras: AggregateExtras,
    span: Span,
) -> Result<AggregateCall> {
    check_syntax(f, called_as, &args, &extras, span)?;
    // A call that says what happens to nulls goes by the function's first name.
    let called_as = if extras.ignore_nulls.is_some() { f.name } else { called_as };
    let written = args.len();
    let (args, order_by) = arguments(s, f, args, &extras, span)?;
    let described: Vec<Arg> = args.iter().map(|a| described(s, a)).collect();
    let arg_types = types(&described);
    let mut sql = call_text(f, called_as, &described, written, &extras);
    let site = CallSite { called_as, args: &described, ctx: s.ctx(), span };
    let resolution = (f.resolve)(&site).map_err(|e| {
        // Messages show the key of WITHIN GROUP as the argument it is.
        let plain = || f.display.text(called_as, &texts(&described), &arg_types);
        let as_argument = written < described.len() && !extras.order_by.is_empty();
        complete(e, || if as_argument { plain() } else { sql.clone() }, span)
    })?;
    if let Some(filter) = &extras.filter {
        sql.push_str(&format!(" FILTER (WHERE {})", filter.sql));
    }
    if resolution.arg_types.len() != arg_types.len() {
        return vonk_error::internal_err!("{} resolved to {} arguments", f.name, resolution.arg_types.len());
    }
    let expr = AggregateExpr {
        function: f.name.into(),
        called_as: called_as.into(),
        args: cast_all(s, args, &resolution.arg_types, span),
        distinct: extras.distinct,
        filter: extras.filter.map(|t| t.expr),
        order_by,
        data_type: resolution.return_type,
        nullable: resolution.nullable,
        span,
    };
    Ok(AggregateCall { expr, sql })
}

/// Spark's errors for what this function does not take.
fn check_syntax(
    f: &AggregateFunction,
    called_as: &str,
    args: &[Typed],
    extras: &AggregateExtras,
    span: Span,
) -> Result<()> {
    let within = |condition| Error::new(condition).with("funcName", format!("`{called_as}`"));
    let keys = extras.order_by.len();
    let unsupported = |syntax: &str| {
        Err(Error::new("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX")
            .with("prettyName", format!("`{}`", f.name))
            .with("syntax", syntax)
            .at(span))
    };
    if extras.ignore_nulls == Some(true) && !f.ignore_nulls {
        return unsupported("IGNORE NULLS");
    }
    if f.within_group == WithinGroup::Input {
        let Arity { min, .. } = f.arity;
        Arity::exactly(min.saturating_sub(1)).check(called_as, args.len()).map_err(|e| e.at(span))?;
    }
    let takes_key = match f.within_group {
        WithinGroup::Refused if keys > 0 => return unsupported("WITHIN GROUP (ORDER BY ...)"),
        WithinGroup::Refused | WithinGroup::Order => false,
        WithinGroup::Input if keys == 0 => {
            return Err(within("INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING").at(span));
        }
        WithinGroup::Input => true,
        WithinGroup::InputInstead => keys > 0,
    };
    if takes_key {
        if extras.distinct {
            return Err(within("INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED").at(span));
        }
        let expected = usize::from(f.within_group == WithinGroup::Input || args.is_empty());
        if keys != expected {
            return Err(within("INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS")
                .with("expectedNum", expected.to_string())
                .with("actualNum", keys.to_string())
                .at(span));
        }
        return Ok(());
    }
    if let (WithinGroup::Order, true, [first, ..], [key, ..]) =
        (f.within_group, extras.distinct, args, extras.order_by.as_slice())
        && (keys > 1 || uncast(&key.key) != uncast(first))
    {
        return Err(within("INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT")
            .with("funcArg", first.quoted())
            .with("orderingExpr", quoted(&orders(&extras.order_by)))
            .at(span));
    }
    f.arity.check(called_as, args.len()).map_err(|e| e.at(span))
}

fn uncast(x: &Typed) -> &vonk_plan::logical::Expr {
    match &x.expr {
        vonk_plan::logical::Expr::Cast { expr, .. } => expr,
        other => other,
    }
}

fn orders(keys: &[OrderKey]) -> String {
    keys.iter().map(|k| k.key.sql.as_str()).collect::<Vec<_>>().join(", ")
}

/// The function's arguments, with what WITHIN GROUP and IGNORE NULLS make arguments, and its own order.
fn arguments(
    s: &Session<'_>,
    f: &AggregateFunction,
    mut args: Vec<Typed>,
    extras: &AggregateExtras,
    span: Span,
) -> Result<(Vec<Typed>, Vec<SortExpr>)> {
    let yes = |b| build::literal(s, &Literal::boolean(b), span);
    if let (Some(ignore), true) = (extras.ignore_nulls, f.ignore_nulls) {
        args.truncate(1);
        args.push(yes(ignore)?);
    }
    match (f.within_group, extras.order_by.first()) {
        (WithinGroup::Input, Some(key)) => {
            args.insert(0, key.key.clone());
            if key.descending {
                args.push(yes(true)?);
            }
        }
        (WithinGroup::InputInstead, Some(key)) => {
            args.insert(0, key.key.clone());
            if key.descending {
                args.push(yes(true)?);
                args.push(yes(true)?);
            }
        }
        _ => {
            let sort = |k: &OrderKey| SortExpr {
                expr: k.key.expr.clone(),
                descending: k.descending,
                nulls_first: k.nulls_first,
            };
            return Ok((args, extras.order_by.iter().map(sort).collect()));
        }
    }
    Ok((args, Vec::new()))
}

/// The text of a call without its FILTER; `written` is the number of arguments between its parentheses.
fn call_text(
    f: &AggregateFunction,
    called_as: &str,
    args: &[Arg],
    written: usize,
    extras: &AggregateExtras,
) -> String {
    let takes_key = matches!(f.within_group, WithinGroup::Input | WithinGroup::InputInstead)
        && !extras.order_by.is_empty();
    // Spark forgets the alias where it gives such a function its order.
    let anonymous = f.within_group == WithinGroup::Order && !extras.order_by.is_empty();
    let called_as = if anonymous { f.name } else { called_as };
    let shown = if takes_key { args.get(1..=written).unwrap_or(&[]) } else { args };
    let mut text = match shown {
        [] if !takes_key && f.arity.min == 0 => f.display.text(called_as, &["1".to_string()], &[]),
        _ => f.display.text(called_as, &texts(shown), &types(shown)),
    };
    if extras.distinct {
        text = text.replacen('(', "(DISTINCT ", 1);
    }
    let Some(key) = extras.order_by.first() else { return text };
    let order = match f.within_group {
        WithinGroup::Order | WithinGroup::Refused => naming::order_keys(&extras.order_by),
        // Spark writes the direction of the one the other way round.
        WithinGroup::Input if key.descending => format!("{} DESC", key.key.sql),
        WithinGroup::InputInstead if !key.descending => format!("{} DESC", key.key.sql),
        WithinGroup::Input | WithinGroup::InputInstead => key.key.sql.clone(),
    };
    format!("{text} WITHIN GROUP (ORDER BY {order})")
}
