//! Casts between Spark types.
//!
//! [`cast_array`] is the one door: a pair of types picks a kernel in the file of its family. Kernels run over value buffers
//! and keep the null buffer; text is made or read only where a side is a string. Errors carry Spark's condition and
//! parameters; the place in the SQL is added by whoever evaluates the cast.

mod datetime;
mod decimal;
mod interval;
mod kernel;
mod nested;
mod numeric;
mod rules;
mod string;
mod to_string;

pub use rules::{can_cast, can_store_assign, can_up_cast, force_nullable};

use crate::context::EvalContext;
use crate::data_type::DataType;
use arrow::array::{Array, ArrayRef, new_null_array};
use kernel::Caster;
use serde::{Deserialize, Serialize};
use vonk_error::Result;

/// What a cast does with a value that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CastMode {
    /// Raises Spark's error (`spark.sql.ansi.enabled=true`).
    Ansi,
    /// Null or wrap-around, as Spark without ANSI.
    Legacy,
    /// `try_cast`: null.
    Try,
}

/// Casts an array. Types must be castable ([`can_cast`]).
pub fn cast_array(
    array: &ArrayRef,
    from: &DataType,
    to: &DataType,
    mode: CastMode,
    ctx: &EvalContext,
) -> Result<ArrayRef> {
    if from.same_type(to, false) && array.data_type() == &to.to_arrow() {
        return Ok(array.clone());
    }
    if *from == DataType::Null || array.null_count() == array.len() {
        return Ok(new_null_array(&to.to_arrow(), array.len()));
    }
    let c = Caster { from, to, mode, ctx };
    match (from, to) {
        (_, DataType::String) => c.write_strings(array),
        (DataType::String, _) => c.parse_strings(array),
        (DataType::Array(..) | DataType::Map(..) | DataType::Struct(_), _) => c.nested(array),
        (_, DataType::Binary) => c.integral_to_binary(array),
        (DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..), _)
        | (_, DataType::YearMonthInterval(..) | DataType::DayTimeInterval(..)) => c.intervals(array),
        (DataType::Date | DataType::Timestamp | DataType::TimestampNtz, _)
        | (_, DataType::Date | DataType::Timestamp | DataType::TimestampNtz) => c.datetimes(array),
        (DataType::Decimal(..), _) => c.decimals(array),
        (_, DataType::Decimal(..)) => c.numbers_to_decimal(array),
        _ => c.numbers(array),
    }
}

#[cfg(test)]
mod tests;
