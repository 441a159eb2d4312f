//! The types that comparisons compare in.

use super::operand_cast;
use crate::session::Session;
use crate::typed::Typed;
use vonk_error::Span;
use vonk_functions::coerce::{tightest, wider, wider_without_strings};
use vonk_plan::logical::Expr;
use vonk_types::{CompareOp, DataType, Literal, ScalarValue};

/// The type in which values of two types are compared; `None` if they cannot be.
pub(crate) fn comparison_type(s: &Session<'_>, a: &DataType, b: &DataType) -> Option<DataType> {
    match (a, b) {
        (a, b) if a == b => Some(a.clone()),
        (DataType::String, t) | (t, DataType::String) => with_string(s, t),
        (DataType::Decimal(..), t) | (t, DataType::Decimal(..)) if t.is_numeric() => {
            wider_without_strings(a, b, s.ansi)
        }
        _ => tightest(a, b, s.ansi),
    }
}

/// Strings are compared in the other's type. (Beside numbers in ANSI mode: as bigint or double.)
fn with_string(s: &Session<'_>, other: &DataType) -> Option<DataType> {
    if s.ansi {
        return wider(&DataType::String, other, true);
    }
    match other {
        DataType::Null => Some(DataType::String),
        DataType::Decimal(_, scale) if *scale > 0 => Some(DataType::Double),
        t if t.is_ansi_interval() || *t == DataType::CalendarInterval => None,
        t if t.is_atomic() => Some(t.clone()),
        _ => None,
    }
}

/// Both sides of a comparison in one type, where there is one; else as they are.
pub(crate) fn operands(s: &Session<'_>, op: CompareOp, a: Typed, b: Typed, span: Span) -> (Typed, Typed) {
    let (mut ta, mut tb) = (a.data_type(), b.data_type());
    if ta.same_type(&tb, true) {
        return (a, b);
    }
    // An integer literal beside a decimal counts as the decimal of just its digits, so that the other side keeps its type.
    if let (DataType::Decimal(..), Some(t)) = (&ta, literal_decimal(&b.expr)) {
        tb = t;
    } else if let (DataType::Decimal(..), Some(t)) = (&tb, literal_decimal(&a.expr)) {
        ta = t;
    }
    let equality = matches!(op, CompareOp::Eq | CompareOp::NotEq | CompareOp::EqNullSafe);
    let common = match (&ta, &tb) {
        (DataType::Boolean, t) | (t, DataType::Boolean) if !s.ansi && equality && t.is_numeric() => {
            Some(t.clone())
        }
        _ => comparison_type(s, &ta, &tb),
    };
    match common {
        Some(t) => (operand_cast(s, a, &t, span), operand_cast(s, b, &t, span)),
        None => (a, b),
    }
}

/// The decimal type of just the digits of an integer literal (of a tinyint Spark does not count them).
pub(crate) fn literal_decimal(e: &Expr) -> Option<DataType> {
    let Expr::Literal(Literal { value, .. }) = e else { return None };
    let value = match value {
        ScalarValue::Int16(Some(v)) => i64::from(*v),
        ScalarValue::Int32(Some(v)) => i64::from(*v),
        ScalarValue::Int64(Some(v)) => *v,
        _ => return None,
    };
    let digits = value.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
    Some(DataType::Decimal(digits as u8, 0))
}
