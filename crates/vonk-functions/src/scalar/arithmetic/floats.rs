//! float and double.

use super::{Misfit, Op, zero_divisor};
use crate::kernel::KernelCall;
use crate::scalar::apply::MadeNulls;
use arrow::array::{ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType};
use vonk_error::Result;

/// Operands of one type and an operation. Only divisions can fail.
pub(super) fn compute<T: ArrowPrimitiveType>(
    call: &KernelCall<'_>,
    op: Op,
    misfit: Misfit,
) -> Result<ArrayRef> {
    match op {
        Op::Add => call.map2::<T, T, T>(|a, b| a.add_wrapping(b)),
        Op::Subtract => call.map2::<T, T, T>(|a, b| a.sub_wrapping(b)),
        Op::Multiply => call.map2::<T, T, T>(|a, b| a.mul_wrapping(b)),
        Op::Divide | Op::IntegralDivide => divided::<T>(call, op, misfit, |a, b| a.div_wrapping(b)),
        Op::Remainder => divided::<T>(call, op, misfit, |a, b| a.mod_wrapping(b)),
        Op::PositiveRemainder => divided::<T>(call, op, misfit, |a, b| {
            let rest = a.mod_wrapping(b);
            if less_than_zero(rest) { rest.add_wrapping(b).mod_wrapping(b) } else { rest }
        }),
    }
}

/// Negative, not -0.0 and not NaN.
fn less_than_zero<F: ArrowNativeTypeOp>(x: F) -> bool {
    x < F::ZERO
}

fn divided<T: ArrowPrimitiveType>(
    call: &KernelCall<'_>,
    op: Op,
    misfit: Misfit,
    f: impl Fn(T::Native, T::Native) -> T::Native,
) -> Result<ArrayRef> {
    let Some(nulls) = call.strict_nulls() else { return Ok(call.all_null()) };
    let (left, right) = (call.values::<T>(0), call.values::<T>(1));
    let mut zeros = false;
    // IEEE's equality, by which -0.0 is zero.
    let is_zero = |b: T::Native| b == T::Native::ZERO;
    let out = crate::scalar::apply::zip_map(left, right, call.rows, |a, b| {
        zeros |= is_zero(b);
        f(a, b)
    });
    let mut made = MadeNulls::new(call.rows);
    if zeros {
        for row in (0..call.rows).filter(|row| nulls.as_ref().is_none_or(|n| n.is_valid(*row))) {
            if is_zero(right.get(row)) {
                if misfit == Misfit::Fail {
                    return Err(zero_divisor(op));
                }
                made.set(row);
            }
        }
    }
    Ok(call.primitive::<T>(out.into(), made.merge(nulls)))
}
