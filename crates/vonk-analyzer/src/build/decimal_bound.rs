//! An integer compared with a decimal literal: Spark compares with the next integer instead, and the text says so.

use super::literal;
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Result, Span};
use vonk_plan::logical::Expr;
use vonk_types::{CompareOp, DataType, Literal, ScalarValue};

/// What a comparison becomes.
pub(super) enum Bounded {
    /// True or false whatever the integer is, null too.
    Always(bool),
    /// A comparison of these.
    Sides(Box<(Typed, Typed)>),
}

/// `i < 1.5` is `i < 2`, `1.5 < i` is `1 < i`, `i < 1e30` is true; all else stays as it is.
pub(super) fn of(s: &Session<'_>, op: CompareOp, a: Typed, b: Typed, span: Span) -> Result<Bounded> {
    let ordering = matches!(op, CompareOp::Lt | CompareOp::LtEq | CompareOp::Gt | CompareOp::GtEq);
    let (left, right) = (a.data_type().is_integral(), b.data_type().is_integral());
    let bound = match (decimal(&a), decimal(&b)) {
        (None, Some(value)) if ordering && left => integer(op, value),
        (Some(value), None) if ordering && right => integer(op.swap(), value),
        _ => return Ok(Bounded::Sides(Box::new((a, b)))),
    };
    Ok(match bound {
        Err(truth) => Bounded::Always(truth),
        Ok(bound) => {
            let bound = literal(s, &Literal::long(bound), span)?;
            Bounded::Sides(Box::new(if left { (a, bound) } else { (bound, b) }))
        }
    })
}

/// The digits and the scale of a decimal literal.
fn decimal(x: &Typed) -> Option<(i128, i8)> {
    let Expr::Literal(Literal { value, data_type: DataType::Decimal(_, scale) }) = &x.expr else {
        return None;
    };
    match value {
        ScalarValue::Decimal64(Some(v), ..) => Some((i128::from(*v), *scale)),
        ScalarValue::Decimal128(Some(v), ..) => Some((*v, *scale)),
        _ => None,
    }
}

/// The integer that `i op value` compares with; else what it always is.
fn integer(op: CompareOp, (unscaled, scale): (i128, i8)) -> std::result::Result<i64, bool> {
    let upwards = matches!(op, CompareOp::Lt | CompareOp::GtEq);
    let below = matches!(op, CompareOp::Lt | CompareOp::LtEq);
    let unit = u32::try_from(scale).ok().and_then(|s| 10i128.checked_pow(s)).unwrap_or(1);
    let (floor, rest) = (unscaled.div_euclid(unit), unscaled.rem_euclid(unit));
    // Beyond the last bigint, by a fraction even, nothing is greater; and nothing is less than beyond the first.
    let too_large = floor > i128::from(i64::MAX) || floor == i128::from(i64::MAX) && rest > 0;
    if too_large {
        return Err(below);
    }
    if floor < i128::from(i64::MIN) {
        return Err(!below);
    }
    let bound = if upwards && rest > 0 { floor + 1 } else { floor };
    i64::try_from(bound).map_err(|_| below)
}
