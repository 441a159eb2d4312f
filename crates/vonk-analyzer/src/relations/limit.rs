//! LIMIT and OFFSET.

use crate::analyzer::Binder;
use crate::env::Env;
use crate::expr::{Clause, Walk};
use crate::fold;
use crate::relation::Relation;
use crate::select::Calls;
use crate::typed::quoted_type;
use vonk_error::{Error, Result};
use vonk_plan::logical::LogicalPlan;
use vonk_plan::unresolved::{Expr, Plan};
use vonk_types::DataType;

pub(crate) fn limit(b: &Binder<'_>, input: &Plan, count: &Expr, env: &Env<'_>) -> Result<Relation> {
    let (input, skip) = match input {
        // LIMIT n OFFSET m skips before it takes.
        Plan::Offset { input, count } => {
            let r = b.relation(input, env)?;
            let skip = amount(b, count, "offset", &r, env)?;
            (r, skip)
        }
        other => (b.relation(other, env)?, 0),
    };
    let n = amount(b, count, "limit", &input, env)?;
    Ok(input.map(|plan| LogicalPlan::Limit { skip, fetch: Some(n), input: plan }))
}

pub(crate) fn offset(b: &Binder<'_>, input: &Plan, count: &Expr, env: &Env<'_>) -> Result<Relation> {
    let input = b.relation(input, env)?;
    let skip = amount(b, count, "offset", &input, env)?;
    Ok(input.map(|plan| LogicalPlan::Limit { skip, fetch: None, input: plan }))
}

/// The value of a limit-like expression: a constant int that is not negative.
pub(crate) fn amount(b: &Binder<'_>, e: &Expr, name: &str, input: &Relation, env: &Env<'_>) -> Result<u64> {
    let calls = Calls::default();
    let scopes = [&input.scope];
    let t = Walk::new(b, env, &scopes, Clause::Limit).collecting(&calls).expr(e)?;
    let error = |condition: &'static str| {
        Error::new(condition).with("name", name).with("expr", t.quoted()).at(t.span)
    };
    if !fold::is_foldable(&b.session, &t.expr) {
        return Err(error("INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE"));
    }
    if t.data_type() != DataType::Int {
        return Err(
            error("INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE").with("dataType", quoted_type(&t.data_type()))
        );
    }
    match fold::fold(&b.session, &t.expr)?.value {
        datafusion_common::ScalarValue::Int32(Some(n)) => u64::try_from(n)
            .map_err(|_| error("INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE").with("v", n.to_string())),
        _ => Err(error("INVALID_LIMIT_LIKE_EXPRESSION.IS_NULL")),
    }
}
