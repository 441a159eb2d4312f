//! `+ - * / % div` and their kin over numbers, dates, timestamps and intervals.
//!
//! [`operands`] finds the types; [`integers`], [`floats`], [`decimals`], [`intervals`] and [`datetimes`] compute, one file a
//! kind of operands.

mod datetimes;
mod decimals;
mod floats;
mod integers;
mod intervals;
mod operands;
mod rows;
mod sign;

use crate::kernel::{Datum, KernelCall};
use arrow::array::ArrayRef;
use vonk_error::{Error, Result};
use vonk_types::cast::cast_array;
use vonk_types::{CastMode, DataType};

pub(super) use operands::integral_operands;
pub(super) use rows::rows;

/// An operation of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Add,
    Subtract,
    Multiply,
    Divide,
    IntegralDivide,
    Remainder,
    PositiveRemainder,
}

impl Op {
    /// As it is written.
    fn symbol(self) -> &'static str {
        match self {
            Op::Add => "+",
            Op::Subtract => "-",
            Op::Multiply => "*",
            Op::Divide => "/",
            Op::IntegralDivide => "div",
            Op::Remainder => "%",
            Op::PositiveRemainder => "pmod",
        }
    }

    /// The function that gives null where this one fails.
    fn tolerant(self) -> &'static str {
        match self {
            Op::Add => "try_add",
            Op::Subtract => "try_subtract",
            Op::Multiply => "try_multiply",
            Op::Divide | Op::IntegralDivide => "try_divide",
            Op::Remainder | Op::PositiveRemainder => "try_mod",
        }
    }
}

/// What happens to a value that overflows or is divided by zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Misfit {
    /// Spark's error.
    Fail,
    /// Null.
    Null,
    /// Integers wrap around; decimals and divisions by zero are null.
    Wrap,
}

/// Spark's setting that turns ANSI errors off, as its messages name it.
const ANSI_CONFIG: &str = "\"spark.sql.ansi.enabled\"";

/// Spark's error for numbers that overflow.
pub(super) fn overflow(message: &str, alternative: Option<&str>) -> Error {
    let alternative = alternative
        .map_or(String::new(), |f| format!(" Use '{f}' to tolerate overflow and return NULL instead."));
    Error::new("ARITHMETIC_OVERFLOW")
        .with("message", message)
        .with("alternative", alternative)
        .with("config", ANSI_CONFIG)
}

/// Spark's error for a zero divisor.
fn zero_divisor(op: Op) -> Error {
    let condition = match op {
        Op::Remainder | Op::PositiveRemainder => "REMAINDER_BY_ZERO",
        _ => "DIVIDE_BY_ZERO",
    };
    Error::new(condition).with("config", ANSI_CONFIG)
}

/// An operator: fails or wraps as the session says.
fn operator(call: &KernelCall<'_>, op: Op) -> Result<ArrayRef> {
    compute(call, op, if call.ctx.ansi { Misfit::Fail } else { Misfit::Wrap })
}

/// A `try_` function: null for everything that fails, casts of its arguments included.
fn tolerant(call: &KernelCall<'_>, op: Op) -> Result<ArrayRef> {
    if !call.arg_types.contains(&DataType::String) {
        return compute(call, op, Misfit::Null);
    }
    // What `resolve` would have cast a string to, had the failure of the cast not to be a null.
    let wanted = operands::numbers_of(&call.arg_types[0], &call.arg_types[1], op, call.ctx.ansi);
    let (left, right) = wanted.unwrap_or((DataType::Double, DataType::Double));
    let arg_types = [left, right];
    let mut args = Vec::with_capacity(2);
    for ((arg, from), to) in call.args.iter().zip(call.arg_types).zip(&arg_types) {
        let cast = |a: &ArrayRef| cast_array(a, from, to, CastMode::Try, call.ctx);
        args.push(match arg {
            Datum::Array(a) => Datum::Array(cast(a)?),
            Datum::Scalar(a) => Datum::Scalar(cast(a)?),
        });
    }
    compute(&KernelCall { args: &args, arg_types: &arg_types, ..*call }, op, Misfit::Null)
}

fn compute(call: &KernelCall<'_>, op: Op, misfit: Misfit) -> Result<ArrayRef> {
    use arrow::datatypes::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
    let (left, right) = (&call.arg_types[0], &call.arg_types[1]);
    match (left, right) {
        (DataType::Byte, DataType::Byte) => integers::compute::<Int8Type>(call, op, misfit),
        (DataType::Short, DataType::Short) => integers::compute::<Int16Type>(call, op, misfit),
        (DataType::Int, DataType::Int) => integers::compute::<Int32Type>(call, op, misfit),
        (DataType::Long, DataType::Long) => integers::compute::<Int64Type>(call, op, misfit),
        (DataType::Float, DataType::Float) => floats::compute::<Float32Type>(call, op, misfit),
        (DataType::Double, DataType::Double) => floats::compute::<Float64Type>(call, op, misfit),
        (DataType::Decimal(..), DataType::Decimal(..)) => decimals::compute(call, op, misfit),
        (l, r) if l.is_datetime() || r.is_datetime() => datetimes::compute(call, op, misfit),
        _ => intervals::compute(call, op, misfit),
    }
}

#[cfg(test)]
mod tests;
