//! tinyint to bigint.

use super::{Misfit, Op, overflow, zero_divisor};
use crate::kernel::KernelCall;
use crate::scalar::apply::{MadeNulls, Values, zip_map};
use arrow::array::{ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType};
use std::fmt::Display;
use vonk_error::{Error, Result};

/// An integer whose operations say whether they overflowed, in a form that vectorises.
pub(super) trait Integer: ArrowNativeTypeOp + Display {
    /// Whether this type is narrower than an int.
    const NARROW: bool;
    fn add(self, other: Self) -> (Self, bool);
    fn subtract(self, other: Self) -> (Self, bool);
    fn multiply(self, other: Self) -> (Self, bool);
}

macro_rules! integer {
    ($t:ty, $narrow:literal, $multiply:expr) => {
        impl Integer for $t {
            const NARROW: bool = $narrow;
            #[inline]
            fn add(self, other: Self) -> (Self, bool) {
                let sum = self.wrapping_add(other);
                (sum, ((self ^ sum) & (other ^ sum)) < 0)
            }
            #[inline]
            fn subtract(self, other: Self) -> (Self, bool) {
                let difference = self.wrapping_sub(other);
                (difference, ((self ^ other) & (self ^ difference)) < 0)
            }
            #[inline]
            fn multiply(self, other: Self) -> (Self, bool) {
                let f: fn(Self, Self) -> (Self, bool) = $multiply;
                f(self, other)
            }
        }
    };
}
integer!(i8, true, |a, b| {
    let wide = i16::from(a) * i16::from(b);
    (wide as i8, wide != i16::from(wide as i8))
});
integer!(i16, true, |a, b| {
    let wide = i32::from(a) * i32::from(b);
    (wide as i16, wide != i32::from(wide as i16))
});
integer!(i32, false, |a, b| {
    let wide = i64::from(a) * i64::from(b);
    (wide as i32, wide != i64::from(wide as i32))
});
integer!(i64, false, |a, b| a.overflowing_mul(b));

/// Operands of one type and an operation.
pub(super) fn compute<T: ArrowPrimitiveType>(
    call: &KernelCall<'_>,
    op: Op,
    misfit: Misfit,
) -> Result<ArrayRef>
where
    T::Native: Integer,
{
    match op {
        Op::Add => checked::<T>(call, op, misfit, T::Native::add),
        Op::Subtract => checked::<T>(call, op, misfit, T::Native::subtract),
        Op::Multiply => checked::<T>(call, op, misfit, T::Native::multiply),
        Op::Divide | Op::IntegralDivide => divided::<T>(call, op, misfit, |a, b| a.div_wrapping(b)),
        Op::Remainder => divided::<T>(call, op, misfit, |a, b| a.mod_wrapping(b)),
        Op::PositiveRemainder => divided::<T>(call, op, misfit, |a, b| {
            let rest = a.mod_wrapping(b);
            if rest.is_lt(T::Native::ZERO) { rest.add_wrapping(b).mod_wrapping(b) } else { rest }
        }),
    }
}

fn checked<T: ArrowPrimitiveType>(
    call: &KernelCall<'_>,
    op: Op,
    misfit: Misfit,
    f: impl Fn(T::Native, T::Native) -> (T::Native, bool),
) -> Result<ArrayRef>
where
    T::Native: Integer,
{
    let Some(nulls) = call.strict_nulls() else { return Ok(call.all_null()) };
    let (left, right) = (call.values::<T>(0), call.values::<T>(1));
    let mut any = false;
    let out = zip_map(left, right, call.rows, |a, b| {
        let (value, overflowed) = f(a, b);
        any |= overflowed;
        value
    });
    let mut made = MadeNulls::new(call.rows);
    if any && misfit != Misfit::Wrap {
        // Rare: find out which rows, and whether they are not null.
        for row in (0..call.rows).filter(|row| nulls.as_ref().is_none_or(|n| n.is_valid(*row))) {
            let (a, b) = (left.get(row), right.get(row));
            if f(a, b).1 {
                if misfit == Misfit::Fail {
                    return Err(overflowed(op, a, b));
                }
                made.set(row);
            }
        }
    }
    Ok(call.primitive::<T>(out.into(), made.merge(nulls)))
}

fn overflowed<T: Integer>(op: Op, a: T, b: T) -> Error {
    if T::NARROW {
        return Error::new("BINARY_ARITHMETIC_OVERFLOW")
            .with("value1", format!("{a}S"))
            .with("symbol", op.symbol())
            .with("value2", format!("{b}S"))
            .with("functionName", format!("`{}`", op.tolerant()));
    }
    overflow("overflow", Some(op.tolerant()))
}

fn divided<T: ArrowPrimitiveType>(
    call: &KernelCall<'_>,
    op: Op,
    misfit: Misfit,
    f: impl Fn(T::Native, T::Native) -> T::Native,
) -> Result<ArrayRef>
where
    T::Native: Integer,
{
    let (left, right): (Values<'_, T::Native>, _) = (call.values::<T>(0), call.values::<T>(1));
    let (zero, minus_one) = (T::Native::ZERO, T::Native::ZERO.sub_wrapping(T::Native::ONE));
    call.each::<T>(|row| {
        let (a, b) = (left.get(row), right.get(row));
        if b == zero {
            return if misfit == Misfit::Fail { Err(zero_divisor(op)) } else { Ok(None) };
        }
        if op == Op::IntegralDivide && b == minus_one && a == T::Native::MIN_TOTAL_ORDER {
            match misfit {
                Misfit::Fail => return Err(overflow("Overflow in integral divide", Some(op.tolerant()))),
                Misfit::Null => return Ok(None),
                Misfit::Wrap => {}
            }
        }
        Ok(Some(f(a, b)))
    })
}
