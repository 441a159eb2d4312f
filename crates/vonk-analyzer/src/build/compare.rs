//! Comparisons: `=`, `<`, BETWEEN, IN, IS DISTINCT FROM.

use super::decimal_bound::{self, Bounded};
use super::not;
use crate::coerce;
use crate::naming;
use crate::session::Session;
use crate::typed::{Typed, mismatch, quoted_type};
use vonk_error::{Result, Span};
use vonk_plan::logical::Expr;
use vonk_plan::unresolved::IsTest;
use vonk_types::{CompareOp, DataType, Literal, ScalarValue};

/// `a = b`, `a <=> b`, `a < b`, …; `a <> b` is `NOT (a = b)`.
pub(crate) fn compare(s: &Session<'_>, op: CompareOp, a: Typed, b: Typed, span: Span) -> Result<Typed> {
    if op == CompareOp::NotEq {
        let equal = compare(s, CompareOp::Eq, a, b, span)?;
        return not(s, equal, span);
    }
    if !s.ansi && matches!(op, CompareOp::Eq | CompareOp::EqNullSafe) {
        if let Some(truth) = truth_beside(&a, &b) {
            return is_boolean(s, op, a, truth, span);
        }
        if let Some(truth) = truth_beside(&b, &a) {
            return is_boolean(s, op, b, truth, span);
        }
    }
    let (a, b) = match decimal_bound::of(s, op, a, b, span)? {
        Bounded::Always(truth) => return super::literal(s, &Literal::boolean(truth), span),
        Bounded::Sides(sides) => *sides,
    };
    let sql = format!("({} {} {})", a.sql, op.symbol(), b.sql);
    let (a, b) = coerce::operands(s, op, a, b, span);
    let (ta, tb) = (a.data_type(), b.data_type());
    if !ta.same_type(&tb, false) {
        return Err(mismatch("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", &sql, span)
            .with("left", quoted_type(&ta))
            .with("right", quoted_type(&tb)));
    }
    orderable(&ta, op.symbol(), &sql, span)?;
    Ok(Typed::new(Expr::Compare { op, left: Box::new(a.expr), right: Box::new(b.expr) }, sql, span))
}

/// Without ANSI, the number 1 beside a boolean means true and 0 false.
fn truth_beside(boolean: &Typed, number: &Typed) -> Option<bool> {
    let Expr::Literal(l) = &number.expr else { return None };
    if boolean.data_type() != DataType::Boolean || !l.data_type.is_numeric() {
        return None;
    }
    match l.value.cast_to(&arrow::datatypes::DataType::Float64) {
        Ok(ScalarValue::Float64(Some(1.0))) => Some(true),
        Ok(ScalarValue::Float64(Some(0.0))) => Some(false),
        _ => None,
    }
}

/// `x = true` is written `x`, `x = false` is `NOT x`; null-safe ones exclude nulls.
fn is_boolean(s: &Session<'_>, op: CompareOp, x: Typed, truth: bool, span: Span) -> Result<Typed> {
    let holds = if truth { x.clone() } else { not(s, x.clone(), span)? };
    if op == CompareOp::Eq {
        return Ok(holds);
    }
    let given = super::is_test(s, x, IsTest::Null, true, span)?;
    super::and(s, given, holds, span)
}

fn orderable(t: &DataType, function: &str, sql: &str, span: Span) -> Result<()> {
    if t.is_orderable() {
        return Ok(());
    }
    Err(mismatch("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", sql, span)
        .with("functionName", format!("`{function}`"))
        .with("dataType", quoted_type(t)))
}

/// `a IS [NOT] DISTINCT FROM b`; `negated` for the NOT.
pub(crate) fn distinct_from(s: &Session<'_>, a: Typed, b: Typed, negated: bool, span: Span) -> Result<Typed> {
    let same = compare(s, CompareOp::EqNullSafe, a, b, span)?;
    if negated { Ok(same) } else { not(s, same, span) }
}

/// `x BETWEEN low AND high`.
pub(crate) fn between(s: &Session<'_>, x: Typed, low: Typed, high: Typed, span: Span) -> Result<Typed> {
    let sql = format!("between({}, {}, {})", x.sql, low.sql, high.sql);
    // Spark evaluates `x` once under this name, which messages show.
    let x = x.named("commonexpressionref()");
    let above = compare(s, CompareOp::GtEq, x.clone(), low, span)?;
    let below = compare(s, CompareOp::LtEq, x, high, span)?;
    Ok(Typed::new(Expr::And(vec![above.expr, below.expr]), sql, span))
}

/// `x IN (a, b, …)`.
pub(crate) fn in_list(s: &Session<'_>, x: Typed, list: Vec<Typed>, span: Span) -> Result<Typed> {
    let sql = format!("({} IN ({}))", x.sql, naming::list(&list));
    let Some(t) = coerce::common_type_of(s, std::iter::once(&x).chain(&list)) else {
        let types: Vec<String> =
            std::iter::once(&x).chain(&list).map(|e| quoted_type(&e.data_type())).collect();
        return Err(mismatch("DATATYPE_MISMATCH.DATA_DIFF_TYPES", &sql, span)
            .with("functionName", "`in`")
            .with("dataType", format!("[{}]", types.join(", "))));
    };
    orderable(&t, "in", &sql, span)?;
    let expr = Box::new(coerce::operand_cast(s, x, &t, span).expr);
    let list = list.into_iter().map(|e| coerce::operand_cast(s, e, &t, span).expr).collect();
    Ok(Typed::new(Expr::InList { expr, list, negated: false }, sql, span))
}
