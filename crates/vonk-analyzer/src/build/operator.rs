//! Unary and binary operators.

use super::{and, compare, or};
use crate::call::{self, CallText};
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Result, Span};
use vonk_plan::unresolved::{BinaryOp, UnaryOp};
use vonk_types::CompareOp;

/// `-x`, `+x`, `~x`.
pub(crate) fn unary(s: &Session<'_>, op: UnaryOp, x: Typed, span: Span) -> Result<Typed> {
    let (function, sql) = match op {
        UnaryOp::Minus => ("negative", format!("(- {})", x.sql)),
        UnaryOp::Plus => ("positive", format!("(+ {})", x.sql)),
        UnaryOp::BitNot => ("~", format!("~{}", x.sql)),
    };
    call::operator(s, function, vec![x], CallText::Fixed(sql), span)
}

/// `a op b`, for every operator, comparisons and AND and OR included.
pub(crate) fn binary(s: &Session<'_>, op: BinaryOp, a: Typed, b: Typed, span: Span) -> Result<Typed> {
    let comparison = match op {
        BinaryOp::And => return and(s, a, b, span),
        BinaryOp::Or => return or(s, a, b, span),
        BinaryOp::Eq => CompareOp::Eq,
        BinaryOp::NullSafeEq => CompareOp::EqNullSafe,
        BinaryOp::NotEq => CompareOp::NotEq,
        BinaryOp::Lt => CompareOp::Lt,
        BinaryOp::LtEq => CompareOp::LtEq,
        BinaryOp::Gt => CompareOp::Gt,
        BinaryOp::GtEq => CompareOp::GtEq,
        BinaryOp::Concat => return call::operator(s, "concat", vec![a, b], CallText::OfFunction, span),
        _ => return call::operator(s, op.symbol(), vec![a, b], CallText::OfFunction, span),
    };
    compare(s, comparison, a, b, span)
}
