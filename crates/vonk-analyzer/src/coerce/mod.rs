//! Implicit casts: which types values of different types meet at.

use crate::session::Session;
use crate::typed::Typed;
use vonk_error::{Error, Result};
use vonk_plan::logical::Expr;
use vonk_types::DataType;

/// The type at which values of all these types meet (CASE, coalesce, arrays): Spark's `findWiderCommonType`.
pub(crate) fn common_type(_s: &Session<'_>, types: &[DataType]) -> Option<DataType> {
    types.first().cloned()
}

/// The type in which two values are compared.
pub(crate) fn comparison_type(_s: &Session<'_>, a: &DataType, _b: &DataType) -> Option<DataType> {
    Some(a.clone())
}

/// The types of the columns of a set operation, per column `None` if the inputs do not fit together.
/// `inputs` holds the column types of each input, all of one length.
pub(crate) fn set_operation_types(s: &Session<'_>, inputs: &[Vec<DataType>]) -> Vec<Option<DataType>> {
    let width = inputs.iter().map(Vec::len).min().unwrap_or(0);
    (0..width)
        .map(|i| common_type(s, &inputs.iter().map(|t| t[i].clone()).collect::<Vec<_>>()))
        .collect()
}

/// The types in which the sides of `(a, b) IN (SELECT x, y …)` are compared; `None` if some pair does not fit together.
pub(crate) fn in_subquery_types(s: &Session<'_>, left: &[DataType], right: &[DataType]) -> Option<Vec<DataType>> {
    left.iter().zip(right).map(|(a, b)| comparison_type(s, a, b)).collect()
}

/// The expression in this type, cast implicitly where it has another. Its text stays.
pub(crate) fn implicit_cast(s: &Session<'_>, x: Typed, to: &DataType) -> Typed {
    if x.data_type() == *to {
        return x;
    }
    let (mode, span) = (s.cast_mode(), x.span);
    let expr = Expr::Cast { expr: Box::new(x.expr), to: to.clone(), mode, implicit: true, span };
    Typed { expr, ..x }
}

/// A condition of WHERE, HAVING, ON or FILTER: must be boolean. `clause` is Spark's name of the clause in the message.
pub(crate) fn condition(_s: &Session<'_>, x: Typed, clause: &str) -> Result<Typed> {
    if x.data_type() == DataType::Boolean { Ok(x) } else { Err(Error::unsupported(clause)) }
}
