//! Types of the operands of arithmetic, and of what it returns.

use super::Op;
use super::{datetimes, intervals};
use crate::coerce::tightest;
use crate::resolve::{Arg, CallSite, Resolution};
use vonk_error::Result;
use vonk_types::DataType;
use vonk_types::decimal::adjust_precision_scale;

/// What `+` and `-` take, as Spark's messages say it.
pub(super) const SUMMABLE: &str =
    "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")";

/// Types of an operator.
pub(super) fn resolve(site: &CallSite<'_>, op: Op) -> Result<Resolution> {
    if let Some(special) = datetimes::resolve(site, op)? {
        return Ok(special);
    }
    if let Some(special) = intervals::resolve(site, op)? {
        return Ok(special);
    }
    let (left, right) = numbers(site, op)?;
    let return_type = result_type(&left, &right, op);
    let nullable =
        !site.ctx.ansi && (left.is_decimal() || !matches!(op, Op::Add | Op::Subtract | Op::Multiply));
    let mut resolution = site.returns(vec![left, right], return_type)?;
    resolution.nullable |= nullable;
    Ok(resolution)
}

/// Types of a `try_` function. Strings stay strings: the kernel casts them, so that what is no number becomes null.
pub(super) fn resolve_tolerant(site: &CallSite<'_>, op: Op) -> Result<Resolution> {
    let mut resolution = resolve(site, op)?;
    let numeric = resolution.arg_types.iter().all(DataType::is_numeric);
    for (t, arg) in resolution.arg_types.iter_mut().zip(site.args) {
        if numeric && arg.data_type == DataType::String {
            *t = DataType::String;
        }
    }
    resolution.nullable = true;
    Ok(resolution)
}

/// The numbers that operands become, or `None` if they are none.
pub(super) fn numbers_of(
    left: &DataType,
    right: &DataType,
    op: Op,
    ansi: bool,
) -> Option<(DataType, DataType)> {
    let (left, right) = promoted(left.clone(), right.clone(), ansi);
    let (left, right) = match (left, right) {
        (DataType::Null, DataType::Null) => (DataType::Double, DataType::Double),
        (DataType::Null, t) => (t.clone(), t),
        (t, DataType::Null) => (t.clone(), t),
        both => both,
    };
    let numeric = left.is_numeric() && right.is_numeric();
    numeric.then(|| widened(left, right, op, ansi)).flatten()
}

/// Strings beside other types: in ANSI mode they take the other's, before they were doubles.
fn promoted(left: DataType, right: DataType, ansi: bool) -> (DataType, DataType) {
    use DataType::{Double, Long, Null, String};
    let beside = |other: &DataType| match other {
        _ if !ansi => Double,
        Null | String => String,
        t if t.is_integral() => Long,
        t if t.is_numeric() => Double,
        t if t.is_atomic() && !t.is_ansi_interval() && *t != DataType::CalendarInterval => t.clone(),
        _ => String,
    };
    match (left, right) {
        (String, String) if !ansi => (Double, Double),
        (String, t) if t != String => {
            let s = beside(&t);
            // Both are cast to the type that they meet in.
            let other = if t.is_numeric() || t == Null { s.clone() } else { t };
            (s, other)
        }
        (t, String) if t != String => {
            let s = beside(&t);
            let other = if t.is_numeric() || t == Null { s.clone() } else { t };
            (other, s)
        }
        both => both,
    }
}

/// Two numbers at the types the operation works on.
fn widened(left: DataType, right: DataType, op: Op, ansi: bool) -> Option<(DataType, DataType)> {
    use DataType::{Double, Long};
    match (&left, &right) {
        (l, r) if l.is_decimal() && r.is_decimal() => Some((left, right)),
        (l, r) if l.is_decimal() && r.is_fractional_binary() => Some((Double, Double)),
        (l, r) if l.is_fractional_binary() && r.is_decimal() => Some((Double, Double)),
        (l, r) if l.is_decimal() => Some((left.clone(), r.decimal_for_integral()?)),
        (l, r) if r.is_decimal() => Some((l.decimal_for_integral()?, right.clone())),
        _ if op == Op::Divide => Some((Double, Double)),
        (l, r) if op == Op::IntegralDivide && l.is_integral() && r.is_integral() => Some((Long, Long)),
        (l, r) => {
            let t = tightest(l, r, ansi)?;
            Some((t.clone(), t))
        }
    }
}

/// The number types of both operands, or Spark's error.
fn numbers(site: &CallSite<'_>, op: Op) -> Result<(DataType, DataType)> {
    let (left, right) = promoted(site.arg_type(0).clone(), site.arg_type(1).clone(), site.ctx.ansi);
    let required = match op {
        Op::Add | Op::Subtract => SUMMABLE,
        Op::Multiply | Op::Remainder | Op::PositiveRemainder => "\"NUMERIC\"",
        Op::Divide => "(\"DOUBLE\" or \"DECIMAL\")",
        Op::IntegralDivide => {
            "(\"BIGINT\" or \"DECIMAL\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")"
        }
    };
    let shown = (left.clone(), right.clone());
    let (left, right) = match (left, right) {
        (DataType::Null, DataType::Null) if op == Op::IntegralDivide => (DataType::Long, DataType::Long),
        // Division makes doubles of all that is not two decimals before it looks at nulls, on the left.
        (DataType::Null, t) if op == Op::Divide && t.is_decimal() => (DataType::Double, DataType::Double),
        (DataType::Null, DataType::Null) => (DataType::Double, DataType::Double),
        (DataType::Null, t) => (t.clone(), t),
        (t, DataType::Null) => (t.clone(), t),
        both => both,
    };
    let refused = !left.is_numeric() || !right.is_numeric();
    if refused || op == Op::IntegralDivide && (left.is_fractional_binary() || right.is_fractional_binary()) {
        return Err(operand_error(site, shown, required, op == Op::IntegralDivide));
    }
    let left = literal_decimal(&site.args[0], &left, &right);
    let right = literal_decimal(&site.args[1], &right, &left);
    let found = widened(left.clone(), right.clone(), op, site.ctx.ansi);
    found.ok_or_else(|| site.differing_operands(&left, &right))
}

/// Spark's error for operands of the wrong types; `promoted` is what they are after strings took other types, `as_long`
/// whether integers count as bigints.
fn operand_error(
    site: &CallSite<'_>,
    promoted: (DataType, DataType),
    required: &str,
    as_long: bool,
) -> vonk_error::Error {
    let shown = |promoted: DataType, i: usize, other: &DataType| {
        // Without ANSI only the string itself takes another type.
        let own = match site.arg_type(i) {
            t if !site.ctx.ansi && *t != DataType::String => t.clone(),
            _ => promoted,
        };
        match own {
            t if t.is_decimal() && other.is_fractional_binary() => DataType::Double,
            t if t.is_integral() && other.is_decimal() => {
                let digits = literal_digits(&site.args[i], &t, other);
                digits.or_else(|| t.decimal_for_integral()).unwrap_or(t)
            }
            t if t.is_integral() && as_long => DataType::Long,
            t => t,
        }
    };
    let (left, right) = promoted;
    let shown = (shown(left.clone(), 0, &right), shown(right, 1, &left));
    match shown.0.same_type(&shown.1, true) {
        true => site.wrong_operands(required, &shown.0),
        false => site.differing_operands(&shown.0, &shown.1),
    }
}

/// A whole number written beside a decimal has as many digits as were written, not as its type could have.
fn literal_decimal(arg: &Arg, own: &DataType, other: &DataType) -> DataType {
    literal_digits(arg, own, other).unwrap_or_else(|| own.clone())
}

/// See [`literal_decimal`]; `None` for anything but a literal.
pub(crate) fn literal_digits(arg: &Arg, own: &DataType, other: &DataType) -> Option<DataType> {
    let written = arg.sql.strip_prefix('-').unwrap_or(&arg.sql);
    let is_literal =
        arg.literal.is_some() && !written.is_empty() && written.bytes().all(|b| b.is_ascii_digit());
    // Of a tinyint Spark does not count the digits.
    let counted = own.is_integral() && *own != DataType::Byte;
    if !is_literal || !counted || !other.is_decimal() || arg.data_type != *own {
        return None;
    }
    let digits = written.trim_start_matches('0').len().max(1);
    Some(DataType::Decimal(u8::try_from(digits).ok()?, 0))
}

/// The integer type of both operands of `&`, `|` and `^`.
pub(in crate::scalar) fn integral_operands(site: &CallSite<'_>) -> Result<DataType> {
    let (left, right) = promoted(site.arg_type(0).clone(), site.arg_type(1).clone(), site.ctx.ansi);
    match (&left, &right) {
        (DataType::Null, DataType::Null) => return Ok(DataType::Int),
        (DataType::Null, t) | (t, DataType::Null) if t.is_integral() => return Ok(t.clone()),
        (l, r) if l.is_integral() && r.is_integral() => {
            return tightest(l, r, site.ctx.ansi).ok_or_else(|| site.differing_operands(l, r));
        }
        _ => {}
    }
    Err(operand_error(site, (left, right), "\"INTEGRAL\"", false))
}

/// What an operation returns.
fn result_type(left: &DataType, right: &DataType, op: Op) -> DataType {
    if op == Op::IntegralDivide {
        return DataType::Long;
    }
    let (DataType::Decimal(p1, s1), DataType::Decimal(p2, s2)) = (left, right) else { return left.clone() };
    let (p1, s1, p2, s2) = (i32::from(*p1), i32::from(*s1), i32::from(*p2), i32::from(*s2));
    match op {
        Op::Add | Op::Subtract => {
            let scale = s1.max(s2);
            adjust_precision_scale((p1 - s1).max(p2 - s2) + scale + 1, scale)
        }
        Op::Multiply => adjust_precision_scale(p1 + p2 + 1, s1 + s2),
        Op::Divide => {
            let scale = (s1 + p2 + 1).max(6);
            adjust_precision_scale(p1 - s1 + s2 + scale, scale)
        }
        _ => {
            let scale = s1.max(s2);
            adjust_precision_scale((p1 - s1).min(p2 - s2) + scale, scale)
        }
    }
}
