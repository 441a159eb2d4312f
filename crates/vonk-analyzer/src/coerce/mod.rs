//! Implicit casts: which types values of different types meet at, and the casts themselves.
//!
//! The rules that functions share (`findWiderCommonType` and its kin) are [`vonk_functions::coerce`]; here is what
//! comparisons and the other syntax forms add.

mod comparison;
#[cfg(test)]
mod tests;

use crate::session::Session;
use crate::typed::Typed;
use vonk_error::Span;
use vonk_plan::logical::Expr;
use vonk_types::DataType;

pub(crate) use comparison::{comparison_type, operands};

/// The type at which values of all these types meet (CASE, coalesce, arrays, set operations): Spark's `findWiderCommonType`.
pub(crate) fn common_type(s: &Session<'_>, types: &[DataType]) -> Option<DataType> {
    match types.split_first() {
        Some((first, rest)) if rest.iter().all(|t| t == first) => Some(first.clone()),
        _ => vonk_functions::coerce::common_type(types, s.ansi),
    }
}

/// The type all these expressions meet at, structs compared by position where they have one type otherwise.
pub(crate) fn common_type_of<'a>(s: &Session<'_>, list: impl Iterator<Item = &'a Typed>) -> Option<DataType> {
    let types: Vec<DataType> = list.map(Typed::data_type).collect();
    common_type(s, &types).or_else(|| match types.split_first() {
        Some((first, rest)) if rest.iter().all(|t| t.same_type(first, false)) => Some(first.clone()),
        _ => None,
    })
}

/// The types of the columns of a set operation, per column `None` if the inputs do not fit together.
/// `inputs` holds the column types of each input, all of one length.
pub(crate) fn set_operation_types(s: &Session<'_>, inputs: &[Vec<DataType>]) -> Vec<Option<DataType>> {
    let width = inputs.iter().map(Vec::len).min().unwrap_or(0);
    (0..width).map(|i| common_type(s, &inputs.iter().map(|t| t[i].clone()).collect::<Vec<_>>())).collect()
}

/// The expression in this type, cast implicitly where it has another. Its text stays.
pub(crate) fn implicit_cast(s: &Session<'_>, x: Typed, to: &DataType) -> Typed {
    Typed { expr: cast_expr(s, x.expr, to, x.span), ..x }
}

/// As [`implicit_cast`] for an operand, where the whole expression wants the cast: what fails is the whole, as in Spark.
pub(crate) fn operand_cast(s: &Session<'_>, x: Typed, to: &DataType, whole: Span) -> Typed {
    let failing = if whole.is_none() { x.span } else { whole };
    Typed { expr: cast_from(s, x.expr, to, x.span, failing), ..x }
}

/// As [`implicit_cast`], for an expression without text.
pub(crate) fn cast_expr(s: &Session<'_>, e: Expr, to: &DataType, span: Span) -> Expr {
    cast_from(s, e, to, span, span)
}

fn cast_from(s: &Session<'_>, e: Expr, to: &DataType, written: Span, failing: Span) -> Expr {
    if let Some(expected) = s.expected {
        expected.cast(&e, written, to);
    }
    let from = e.data_type();
    // Field names that differ in case alone are the same to Spark, but not to the arrays.
    if from.same_type(to, true) && (!to.is_nested() || from.to_arrow() == to.to_arrow()) {
        return e;
    }
    let (expr, to) = (Box::new(e), to.clone());
    Expr::Cast { expr, to, mode: s.cast_mode(), implicit: true, span: failing }
}
