//! Decimals: exact results, rounded half up to the result's scale.

use super::{Misfit, Op, zero_divisor};
use crate::aggregate::accumulate::decimal_overflow;
use crate::kernel::KernelCall;
use crate::scalar::apply::Values;
use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{Decimal64Type, Decimal128Type, Int64Type, i256};
use num_bigint::BigInt;
use std::cell::Cell;
use vonk_error::Result;
use vonk_types::DataType;
use vonk_types::arrow_types::MAX_DECIMAL64_PRECISION;
use vonk_types::decimal::{POW10, fits};

/// Digits that Spark keeps of a product before it rounds it to the result's scale.
const MAX_DIGITS: i32 = 39;

/// Operands and result.
struct Shape {
    /// Scales of the operands.
    left: i32,
    right: i32,
    /// Type of the result.
    precision: u8,
    scale: i32,
}

/// Two decimals and an operation.
pub(super) fn compute(call: &KernelCall<'_>, op: Op, misfit: Misfit) -> Result<ArrayRef> {
    let (DataType::Decimal(p1, s1), DataType::Decimal(p2, s2)) = (&call.arg_types[0], &call.arg_types[1])
    else {
        return vonk_error::internal_err!("operands that are not decimals");
    };
    let (precision, scale) = match call.return_type {
        DataType::Decimal(p, s) => (*p, i32::from(*s)),
        _ => (38, 0),
    };
    let shape = Shape { left: i32::from(*s1), right: i32::from(*s2), precision, scale };
    let exact = is_exact(op, (i32::from(*p1), i32::from(*s1)), (i32::from(*p2), i32::from(*s2)), &shape);
    let small = |p: &u8| *p <= MAX_DECIMAL64_PRECISION;
    match (small(p1), small(p2)) {
        (true, true) => by_op::<Decimal64Type, Decimal64Type>(call, op, misfit, &shape, exact),
        (true, false) => by_op::<Decimal64Type, Decimal128Type>(call, op, misfit, &shape, exact),
        (false, true) => by_op::<Decimal128Type, Decimal64Type>(call, op, misfit, &shape, exact),
        (false, false) => by_op::<Decimal128Type, Decimal128Type>(call, op, misfit, &shape, exact),
    }
}

/// Whether the result type holds every result of the operand types as it is: nothing to round, nothing to check.
fn is_exact(op: Op, (p1, s1): (i32, i32), (p2, s2): (i32, i32), shape: &Shape) -> bool {
    let precision = i32::from(shape.precision);
    match op {
        Op::Add | Op::Subtract => {
            let scale = s1.max(s2);
            shape.scale == scale && precision > (p1 - s1).max(p2 - s2) + scale
        }
        Op::Multiply => shape.scale == s1 + s2 && precision >= p1 + p2,
        _ => false,
    }
}

fn by_op<L, R>(call: &KernelCall<'_>, op: Op, misfit: Misfit, shape: &Shape, exact: bool) -> Result<ArrayRef>
where
    L: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
    L::Native: Into<i128>,
    R::Native: Into<i128>,
{
    if exact {
        return if shape.precision <= MAX_DECIMAL64_PRECISION {
            narrow(call, op, shape)
        } else {
            wide::<L, R>(call, op, shape)
        };
    }
    if let Some(result) = small_operands::<L, R>(call, op, shape)? {
        return Ok(result);
    }
    let (left, right) = (call.values::<L>(0), call.values::<R>(1));
    match op {
        Op::Add | Op::Subtract | Op::Multiply => rounded(call, op, misfit, shape, (left, right)),
        Op::Divide => divided(call, misfit, shape, (left, right)),
        Op::Remainder | Op::PositiveRemainder => remainders(call, op, misfit, shape, (left, right)),
        Op::IntegralDivide => integral(call, misfit, shape, (left, right)),
    }
}

/// Factors that bring both operands to one scale.
fn factors(shape: &Shape) -> (i128, i128) {
    let scale = shape.left.max(shape.right);
    (POW10[(scale - shape.left) as usize], POW10[(scale - shape.right) as usize])
}

/// An exact result in 64 bits (its operands are then too). Wrapping is for the garbage of null rows.
fn narrow(call: &KernelCall<'_>, op: Op, shape: &Shape) -> Result<ArrayRef> {
    type D = Decimal64Type;
    let (f, g) = factors(shape);
    let (f, g) = (f as i64, g as i64);
    match (op, f, g) {
        (Op::Add, 1, 1) => call.map2::<D, D, D>(i64::wrapping_add),
        (Op::Add, ..) => call.map2::<D, D, D>(|a, b| a.wrapping_mul(f).wrapping_add(b.wrapping_mul(g))),
        (Op::Subtract, 1, 1) => call.map2::<D, D, D>(i64::wrapping_sub),
        (Op::Subtract, ..) => call.map2::<D, D, D>(|a, b| a.wrapping_mul(f).wrapping_sub(b.wrapping_mul(g))),
        _ => call.map2::<D, D, D>(i64::wrapping_mul),
    }
}

/// An exact result in 128 bits.
fn wide<L, R>(call: &KernelCall<'_>, op: Op, shape: &Shape) -> Result<ArrayRef>
where
    L: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
    L::Native: Into<i128>,
    R::Native: Into<i128>,
{
    let (f, g) = factors(shape);
    match op {
        Op::Add => call.map2::<L, R, Decimal128Type>(|a, b| {
            a.into().wrapping_mul(f).wrapping_add(b.into().wrapping_mul(g))
        }),
        Op::Subtract => call.map2::<L, R, Decimal128Type>(|a, b| {
            a.into().wrapping_mul(f).wrapping_sub(b.into().wrapping_mul(g))
        }),
        _ => call.map2::<L, R, Decimal128Type>(|a, b| a.into().wrapping_mul(b.into())),
    }
}

/// The result if all operands of the batch fit 64 bits and nothing need be rounded: then 38 digits hold it, whatever the operands'
/// types would allow. (Products of three factors have types of 38 digits, and values of a few.)
fn small_operands<L, R>(call: &KernelCall<'_>, op: Op, shape: &Shape) -> Result<Option<ArrayRef>>
where
    L: ArrowPrimitiveType,
    R: ArrowPrimitiveType,
    L::Native: Into<i128>,
    R::Native: Into<i128>,
{
    let (f, g) = factors(shape);
    let exact_scale = match op {
        Op::Add | Op::Subtract => shape.left.max(shape.right),
        Op::Multiply => shape.left + shape.right,
        _ => return Ok(None),
    };
    if shape.scale != exact_scale || shape.precision < 38 || f.max(g) > POW10[18] {
        return Ok(None);
    }
    let beyond = Cell::new(false);
    let fit = |a: i128, b: i128| {
        let (low_a, low_b) = (a as i64, b as i64);
        beyond.set(beyond.get() | (i128::from(low_a) != a) | (i128::from(low_b) != b));
        (i128::from(low_a), i128::from(low_b))
    };
    let result = match op {
        Op::Multiply => call.map2::<L, R, Decimal128Type>(|a, b| {
            let (a, b) = fit(a.into(), b.into());
            a * b
        }),
        Op::Add => call.map2::<L, R, Decimal128Type>(|a, b| {
            let (a, b) = fit(a.into(), b.into());
            a * f + b * g
        }),
        _ => call.map2::<L, R, Decimal128Type>(|a, b| {
            let (a, b) = fit(a.into(), b.into());
            a * f - b * g
        }),
    }?;
    Ok((!beyond.get()).then_some(result))
}

/// A sum, difference or product whose type has no room for all digits.
fn rounded<A: Copy + Into<i128>, B: Copy + Into<i128>>(
    call: &KernelCall<'_>,
    op: Op,
    misfit: Misfit,
    shape: &Shape,
    (left, right): (Values<'_, A>, Values<'_, B>),
) -> Result<ArrayRef> {
    let (f, g) = factors(shape);
    let (f, g) = (i256::from_i128(f), i256::from_i128(g));
    each_decimal(call, |row| {
        let a = i256::from_i128(left.get(row).into());
        let b = i256::from_i128(right.get(row).into());
        // At most 38 + 38 digits: within 256 bits.
        let (value, scale) = match op {
            Op::Add => (a.wrapping_mul(f).wrapping_add(b.wrapping_mul(g)), shape.left.max(shape.right)),
            Op::Subtract => (a.wrapping_mul(f).wrapping_sub(b.wrapping_mul(g)), shape.left.max(shape.right)),
            _ => to_digits(a.wrapping_mul(b), shape.left + shape.right),
        };
        let fitted = rescale_wide(value, scale, shape.scale).filter(|v| fits(*v, shape.precision));
        match fitted {
            Some(v) => Ok(Some(v)),
            None if misfit == Misfit::Fail => {
                let value = if scale < 0 { value.wrapping_mul(pow10(-scale)) } else { value };
                let target = (shape.precision, shape.scale as i8);
                Err(decimal_overflow(value, scale.max(0) as i8, target))
            }
            None => Ok(None),
        }
    })
}

/// 10^n in 256 bits, `n <= 76`.
fn pow10(n: i32) -> i256 {
    i256::from_i128(POW10[n.min(38) as usize]).wrapping_mul(i256::from_i128(POW10[(n - 38).max(0) as usize]))
}

/// Divides by 10^n, rounding half away from zero.
fn shorten(value: i256, n: i32) -> i256 {
    let by = pow10(n);
    let (quotient, rest) = (value.wrapping_div(by), value.wrapping_rem(by));
    let rest = if rest.is_negative() { rest.wrapping_neg() } else { rest };
    if rest >= by.wrapping_sub(rest) { quotient.wrapping_add(value.signum()) } else { quotient }
}

/// Cut to Spark's 39 digits (`Decimal.MATH_CONTEXT`), with the scale that is then left.
fn to_digits(value: i256, scale: i32) -> (i256, i32) {
    if value.to_i128().is_some_and(|v| fits(v, 38)) {
        return (value, scale);
    }
    let magnitude = if value.is_negative() { value.wrapping_neg() } else { value };
    let dropped = magnitude.ilog10() as i32 + 1 - MAX_DIGITS;
    if dropped <= 0 { (value, scale) } else { (value.wrapping_div(pow10(dropped)), scale - dropped) }
}

/// At another scale; `None` beyond 128 bits.
fn rescale_wide(value: i256, from: i32, to: i32) -> Option<i128> {
    let value = if to >= from { value.checked_mul(pow10(to - from))? } else { shorten(value, from - to) };
    value.to_i128()
}

/// One decimal of the return type per row.
fn each_decimal(call: &KernelCall<'_>, mut f: impl FnMut(usize) -> Result<Option<i128>>) -> Result<ArrayRef> {
    match call.return_type {
        DataType::Decimal(p, _) if *p <= MAX_DECIMAL64_PRECISION => {
            call.each::<Decimal64Type>(|row| Ok(f(row)?.map(|v| v as i64)))
        }
        _ => call.each::<Decimal128Type>(f),
    }
}

/// A quotient at the result's scale.
fn divided<A: Copy + Into<i128>, B: Copy + Into<i128>>(
    call: &KernelCall<'_>,
    misfit: Misfit,
    shape: &Shape,
    (left, right): (Values<'_, A>, Values<'_, B>),
) -> Result<ArrayRef> {
    let shift = shape.scale - shape.left + shape.right;
    let factor = (0..=38).contains(&shift).then(|| POW10[shift as usize]);
    each_decimal(call, |row| {
        let (a, b): (i128, i128) = (left.get(row).into(), right.get(row).into());
        if b == 0 {
            return if misfit == Misfit::Fail { Err(zero_divisor(Op::Divide)) } else { Ok(None) };
        }
        match factor.and_then(|f| a.checked_mul(f)).map(|scaled| div_half_up(scaled, b)) {
            Some(v) if fits(v, shape.precision) => Ok(Some(v)),
            Some(_) if misfit != Misfit::Fail => Ok(None),
            _ => divided_wide(a, b, shape, misfit),
        }
    })
}

/// Half away from zero.
fn div_half_up(a: i128, b: i128) -> i128 {
    let (quotient, rest) = match (i64::try_from(a), i64::try_from(b)) {
        // 64-bit division is several times faster. (i64::MIN / -1 does not fit.)
        (Ok(x), Ok(y)) if x != i64::MIN => (i128::from(x / y), i128::from(x % y)),
        _ => (a / b, a % b),
    };
    let (rest, b_size) = (rest.unsigned_abs(), b.unsigned_abs());
    let away = if (a < 0) == (b < 0) { 1 } else { -1 };
    if rest >= b_size - rest { quotient + away } else { quotient }
}

/// As [`divided`], of any size.
fn divided_wide(a: i128, b: i128, shape: &Shape, misfit: Misfit) -> Result<Option<i128>> {
    let shift = shape.scale - shape.left + shape.right;
    let power = BigInt::from(10).pow(shift.unsigned_abs());
    let value = match shift {
        0.. => big_half_up(&(BigInt::from(a) * power), &BigInt::from(b)),
        _ => big_half_up(&BigInt::from(a), &(BigInt::from(b) * power)),
    };
    match i128::try_from(&value).ok().filter(|v| fits(*v, shape.precision)) {
        Some(v) => Ok(Some(v)),
        None if misfit == Misfit::Fail => {
            let value = i256::from_string(&value.to_string()).unwrap_or(i256::MAX);
            let scale = shape.scale as i8;
            Err(decimal_overflow(value, scale, (shape.precision, scale)))
        }
        None => Ok(None),
    }
}

fn big_half_up(a: &BigInt, b: &BigInt) -> BigInt {
    use num_bigint::Sign;
    let (quotient, rest) = (a / b, a % b);
    let tie = BigInt::from(rest.magnitude().clone()) * 2 >= BigInt::from(b.magnitude().clone());
    match tie {
        true if (a.sign() == Sign::Minus) == (b.sign() == Sign::Minus) => quotient + 1,
        true => quotient - 1,
        false => quotient,
    }
}

/// `%` and `pmod`: exact at the greater scale.
fn remainders<A: Copy + Into<i128>, B: Copy + Into<i128>>(
    call: &KernelCall<'_>,
    op: Op,
    misfit: Misfit,
    shape: &Shape,
    (left, right): (Values<'_, A>, Values<'_, B>),
) -> Result<ArrayRef> {
    let (f, g) = factors(shape);
    let scale = shape.left.max(shape.right);
    each_decimal(call, |row| {
        let (a, b): (i128, i128) = (left.get(row).into(), right.get(row).into());
        if b == 0 {
            return if misfit == Misfit::Fail { Err(zero_divisor(op)) } else { Ok(None) };
        }
        let a = i256::from_i128(a).wrapping_mul(i256::from_i128(f));
        let b = i256::from_i128(b).wrapping_mul(i256::from_i128(g));
        let mut rest = match (a.to_i128(), b.to_i128()) {
            (Some(a), Some(b)) => i256::from_i128(a.wrapping_rem(b)),
            _ => a.wrapping_rem(b),
        };
        if op == Op::PositiveRemainder && rest.is_negative() {
            rest = rest.wrapping_add(b).wrapping_rem(b);
        }
        match rescale_wide(rest, scale, shape.scale).filter(|v| fits(*v, shape.precision)) {
            Some(v) => Ok(Some(v)),
            None if misfit == Misfit::Fail => {
                Err(decimal_overflow(rest, scale as i8, (shape.precision, shape.scale as i8)))
            }
            None => Ok(None),
        }
    })
}

/// `div`: the whole part of the quotient, its low 64 bits.
fn integral<A: Copy + Into<i128>, B: Copy + Into<i128>>(
    call: &KernelCall<'_>,
    misfit: Misfit,
    shape: &Shape,
    (left, right): (Values<'_, A>, Values<'_, B>),
) -> Result<ArrayRef> {
    let (f, g) = factors(shape);
    call.each::<Int64Type>(|row| {
        let (a, b): (i128, i128) = (left.get(row).into(), right.get(row).into());
        if b == 0 {
            return if misfit == Misfit::Fail { Err(zero_divisor(Op::IntegralDivide)) } else { Ok(None) };
        }
        let a = i256::from_i128(a).wrapping_mul(i256::from_i128(f));
        let b = i256::from_i128(b).wrapping_mul(i256::from_i128(g));
        let quotient = a.wrapping_div(b);
        Ok(Some(quotient.to_parts().0 as i64))
    })
}
