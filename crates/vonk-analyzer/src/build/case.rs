//! CASE, and what is expressed by it: `if`, `nullif`, `coalesce`.

use super::logic::not_boolean;
use super::{compare, literal};
use crate::coerce::{common_type_of, operand_cast};
use crate::naming;
use crate::session::Session;
use crate::typed::{Typed, mismatch, quoted_type};
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::Expr;
use vonk_types::{CompareOp, DataType, Literal};

/// `CASE [operand] WHEN … THEN … [ELSE …] END`.
pub(crate) fn case(
    s: &Session<'_>,
    operand: Option<Typed>,
    branches: Vec<(Typed, Typed)>,
    otherwise: Option<Typed>,
    span: Span,
) -> Result<Typed> {
    let branches = match operand {
        None => branches,
        Some(x) => branches
            .into_iter()
            .map(|(c, v)| Ok((compare(s, CompareOp::Eq, x.clone(), c, span)?, v)))
            .collect::<Result<_>>()?,
    };
    let mut sql = String::from("CASE");
    for (c, v) in &branches {
        sql.push_str(&format!(" WHEN {} THEN {}", c.sql, v.sql));
    }
    if let Some(o) = &otherwise {
        sql.push_str(&format!(" ELSE {}", o.sql));
    }
    sql.push_str(" END");
    let values = || branches.iter().map(|(_, v)| v).chain(&otherwise);
    let data_type =
        common_type_of(s, values()).ok_or_else(|| diff_types("casewhen", values(), &sql, span))?;
    if let Some(i) = branches.iter().position(|(c, _)| c.data_type() != DataType::Boolean) {
        return Err(not_boolean(&branches[i].0, i, &sql, span));
    }
    let cast = |v: Typed| operand_cast(s, v, &data_type, span).expr;
    let branches = branches.into_iter().map(|(c, v)| (c.expr, cast(v))).collect();
    let otherwise = otherwise.map(|o| Box::new(cast(o)));
    Ok(Typed::new(Expr::Case { branches, otherwise, data_type: data_type.clone() }, sql, span))
}

/// Spark's error for results of different types.
fn diff_types<'a>(name: &str, values: impl Iterator<Item = &'a Typed>, sql: &str, span: Span) -> Error {
    let types: Vec<String> = values.map(|v| quoted_type(&v.data_type())).collect();
    mismatch("DATATYPE_MISMATCH.DATA_DIFF_TYPES", sql, span)
        .with("functionName", format!("`{name}`"))
        .with("dataType", format!("[{}]", types.join(", ")))
}

/// `if(condition, a, b)`.
pub(crate) fn if_then_else(
    s: &Session<'_>,
    condition: Typed,
    a: Typed,
    b: Typed,
    span: Span,
) -> Result<Typed> {
    let sql = format!("(IF({}, {}, {}))", condition.sql, a.sql, b.sql);
    let condition = match condition.data_type() {
        DataType::Null => operand_cast(s, condition, &DataType::Boolean, span),
        _ => condition,
    };
    if condition.data_type() != DataType::Boolean {
        return Err(not_boolean(&condition, 0, &sql, span));
    }
    let values = [a, b];
    let t = common_type_of(s, values.iter()).ok_or_else(|| diff_types("if", values.iter(), &sql, span))?;
    let [a, b] = values.map(|v| operand_cast(s, v, &t, span).expr);
    let expr = Expr::Case { branches: vec![(condition.expr, a)], otherwise: Some(Box::new(b)), data_type: t };
    Ok(Typed::new(expr, sql, span))
}

/// `coalesce(a, b, …)`.
pub(crate) fn coalesce(s: &Session<'_>, args: Vec<Typed>, span: Span) -> Result<Typed> {
    let sql = format!("coalesce({})", naming::list(&args));
    let Some(t) = common_type_of(s, args.iter()) else {
        let types: Vec<String> = args.iter().map(|v| quoted_type(&v.data_type())).collect();
        return Err(mismatch("DATATYPE_MISMATCH.DATA_DIFF_TYPES", &sql, span)
            .with("functionName", "`coalesce`")
            .with("dataType", format!("({})", types.join(" or "))));
    };
    let args = args.into_iter().map(|a| operand_cast(s, a, &t, span).expr).collect();
    Ok(Typed::new(Expr::Coalesce { args, data_type: t }, sql, span))
}

/// `nullif(a, b)`: null where they are equal.
pub(crate) fn null_if(s: &Session<'_>, a: Typed, b: Typed, span: Span) -> Result<Typed> {
    let sql = format!("nullif({}, {})", a.sql, b.sql);
    let equal = compare(s, CompareOp::Eq, a.clone().named("commonexpressionref()"), b, span)?;
    let null = literal(s, &Literal::null(DataType::Null), span)?;
    Ok(if_then_else(s, equal, null, a, span)?.named(sql))
}
