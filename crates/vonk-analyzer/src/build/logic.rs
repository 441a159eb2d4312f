//! AND, OR, NOT, IS.

use super::compare;
use crate::coerce::operand_cast;
use crate::naming;
use crate::session::Session;
use crate::typed::{Typed, mismatch, quoted, quoted_type};
use vonk_error::{Result, Span};
use vonk_plan::logical::Expr;
use vonk_plan::unresolved::IsTest;
use vonk_types::{CompareOp, DataType, Literal};

/// `a AND b`; nested ones are merged into one chain.
pub(crate) fn and(s: &Session<'_>, a: Typed, b: Typed, span: Span) -> Result<Typed> {
    let (a, b, sql) = operands(s, "AND", a, b, span)?;
    let expr = match (a.expr, b.expr) {
        (Expr::And(mut list), Expr::And(more)) => {
            list.extend(more);
            Expr::And(list)
        }
        (Expr::And(mut list), b) => {
            list.push(b);
            Expr::And(list)
        }
        (a, Expr::And(mut list)) => {
            list.insert(0, a);
            Expr::And(list)
        }
        (a, b) => Expr::And(vec![a, b]),
    };
    Ok(Typed::new(expr, sql, span))
}

/// `a OR b`; nested ones are merged into one chain.
pub(crate) fn or(s: &Session<'_>, a: Typed, b: Typed, span: Span) -> Result<Typed> {
    let (a, b, sql) = operands(s, "OR", a, b, span)?;
    let expr = match (a.expr, b.expr) {
        (Expr::Or(mut list), Expr::Or(more)) => {
            list.extend(more);
            Expr::Or(list)
        }
        (Expr::Or(mut list), b) => {
            list.push(b);
            Expr::Or(list)
        }
        (a, Expr::Or(mut list)) => {
            list.insert(0, a);
            Expr::Or(list)
        }
        (a, b) => Expr::Or(vec![a, b]),
    };
    Ok(Typed::new(expr, sql, span))
}

/// Both sides as booleans. A string beside a boolean becomes one in ANSI mode; nulls always do.
fn operands(s: &Session<'_>, op: &str, a: Typed, b: Typed, span: Span) -> Result<(Typed, Typed, String)> {
    let sql = format!("({} {op} {})", a.sql, b.sql);
    let (ta, tb) = (a.data_type(), b.data_type());
    let (a, b) = match (&ta, &tb) {
        (DataType::Boolean, DataType::Boolean) => return Ok((a, b, sql)),
        (DataType::Boolean | DataType::Null, DataType::Boolean | DataType::Null) => (a, b),
        (DataType::Boolean, DataType::String) | (DataType::String, DataType::Boolean) if s.ansi => (a, b),
        // In ANSI mode a null beside a string is a string.
        (DataType::Null, DataType::String) | (DataType::String, DataType::Null) if s.ansi => {
            return Err(mismatch("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", &sql, span)
                .with("inputType", quoted_type(&DataType::Boolean))
                .with("actualDataType", quoted_type(&DataType::String)));
        }
        _ if ta.same_type(&tb, true) => {
            return Err(mismatch("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", &sql, span)
                .with("inputType", quoted_type(&DataType::Boolean))
                .with("actualDataType", quoted_type(&ta)));
        }
        _ => {
            let common = crate::coerce::comparison_type(s, &ta, &tb);
            return Err(match common {
                Some(t) if ta.is_numeric() && tb.is_numeric() => {
                    mismatch("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", &sql, span)
                        .with("inputType", quoted_type(&DataType::Boolean))
                        .with("actualDataType", quoted_type(&t))
                }
                _ => mismatch("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", &sql, span)
                    .with("left", quoted_type(&ta))
                    .with("right", quoted_type(&tb)),
            });
        }
    };
    Ok((operand_cast(s, a, &DataType::Boolean, span), operand_cast(s, b, &DataType::Boolean, span), sql))
}

/// `NOT x`.
pub(crate) fn not(s: &Session<'_>, x: Typed, span: Span) -> Result<Typed> {
    let sql = format!("(NOT {})", x.sql);
    let x = boolean(s, x, &sql, span)?;
    Ok(Typed::new(Expr::Not(Box::new(x.expr)), sql, span))
}

/// A parameter that takes booleans and what is implicitly cast to them.
fn boolean(s: &Session<'_>, x: Typed, sql: &str, span: Span) -> Result<Typed> {
    match x.data_type() {
        DataType::Boolean => Ok(x),
        DataType::Null => Ok(operand_cast(s, x, &DataType::Boolean, span)),
        DataType::String if s.ansi => Ok(operand_cast(s, x, &DataType::Boolean, span)),
        _ => Err(not_boolean(&x, 0, sql, span)),
    }
}

/// Spark's error for a parameter that is no boolean.
pub(super) fn not_boolean(x: &Typed, index: usize, sql: &str, span: Span) -> vonk_error::Error {
    mismatch("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", sql, span)
        .with("paramIndex", naming::ordinal(index))
        .with("requiredType", quoted_type(&DataType::Boolean))
        .with("inputSql", quoted(&x.sql))
        .with("inputType", quoted_type(&x.data_type()))
}

/// `x IS [NOT] NULL`, `TRUE`, `FALSE`, `UNKNOWN`.
pub(crate) fn is_test(s: &Session<'_>, x: Typed, test: IsTest, negated: bool, span: Span) -> Result<Typed> {
    let wrap = |e: Expr| if negated { Expr::IsNotNull(Box::new(e)) } else { Expr::IsNull(Box::new(e)) };
    let not_text = if negated { "NOT " } else { "" };
    match test {
        IsTest::Null => {
            let sql = format!("({} IS {not_text}NULL)", x.sql);
            Ok(Typed::new(wrap(x.expr), sql, span))
        }
        IsTest::Unknown => {
            // With a cast before it, Spark takes it for IS NULL.
            let word = if x.data_type() == DataType::Boolean { "UNKNOWN" } else { "NULL" };
            let sql = format!("({} IS {not_text}{word})", x.sql);
            let x = boolean(s, x, &sql, span)?;
            Ok(Typed::new(wrap(x.expr), sql, span))
        }
        IsTest::True | IsTest::False => {
            let literal = super::literal(s, &Literal::boolean(test == IsTest::True), span)?;
            let equal = compare(s, CompareOp::EqNullSafe, x, literal, span)?;
            if negated { not(s, equal, span) } else { Ok(equal) }
        }
    }
}
