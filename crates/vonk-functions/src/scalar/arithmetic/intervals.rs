//! Intervals with each other and with numbers.

use super::{Misfit, Op, overflow};
use crate::coerce::tightest;
use crate::kernel::{Datum, KernelCall};
use crate::resolve::{CallSite, Resolution};
use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{
    Decimal64Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalYearMonthType,
};
use vonk_error::{Error, Result};
use vonk_types::DataType;
use vonk_types::arrow_types::MAX_DECIMAL64_PRECISION;
use vonk_types::decimal::POW10;

fn is_interval(t: &DataType) -> bool {
    t.is_ansi_interval() || *t == DataType::CalendarInterval
}

/// Types where an operand is an interval and neither a date or time.
pub(super) fn resolve(site: &CallSite<'_>, op: Op) -> Result<Option<Resolution>> {
    let (left, right) = (site.arg_type(0), site.arg_type(1));
    if !is_interval(left) && !is_interval(right) {
        return Ok(None);
    }
    match op {
        Op::Add | Op::Subtract => alike(site, op).map(|t| t.map(|t| done(vec![t.clone(), t.clone()], t))),
        Op::Multiply if is_interval(left) => scaled(site, 0, 1).map(Some),
        Op::Multiply => scaled(site, 1, 0).map(Some),
        Op::Divide if is_interval(left) => scaled(site, 0, 1).map(Some),
        Op::IntegralDivide if left.is_ansi_interval() || right.is_ansi_interval() => {
            Ok(alike(site, op)?.map(|t| done(vec![t.clone(), t], DataType::Long)))
        }
        Op::Divide => Err(site.differing_operands(left, right)),
        _ => Ok(None),
    }
}

fn done(arg_types: Vec<DataType>, return_type: DataType) -> Resolution {
    Resolution { arg_types, return_type, nullable: true }
}

/// Two intervals of one family; a null takes the other's type.
fn alike(site: &CallSite<'_>, op: Op) -> Result<Option<DataType>> {
    let (left, right) = (site.arg_type(0), site.arg_type(1));
    let long =
        |t: &DataType| if op == Op::IntegralDivide && t.is_integral() { DataType::Long } else { t.clone() };
    match tightest(left, right, site.ctx.ansi) {
        Some(t) if is_interval(&t) => Ok(Some(t)),
        _ => Err(site.differing_operands(&long(left), &long(right))),
    }
}

/// An interval times or by a number.
fn scaled(site: &CallSite<'_>, interval: usize, number: usize) -> Result<Resolution> {
    let (return_type, number_type) = match (site.arg_type(interval), site.arg_type(number)) {
        (DataType::CalendarInterval, _) => {
            (DataType::CalendarInterval, site.implicit(number, &DataType::Double)?)
        }
        (t, n) => {
            let whole = if matches!(t, DataType::YearMonthInterval(..)) {
                DataType::YEAR_MONTH
            } else {
                DataType::DAY_TIME
            };
            let n = match n {
                n if n.is_numeric() => n.clone(),
                DataType::String | DataType::Null => DataType::Double,
                _ => return Err(second_unexpected(site, number)),
            };
            (whole, n)
        }
    };
    let mut arg_types = vec![number_type; 2];
    arg_types[interval] = site.arg_type(interval).clone();
    Ok(done(arg_types, return_type))
}

/// Spark turns the operands round, so that the number is always its second parameter.
fn second_unexpected(site: &CallSite<'_>, number: usize) -> Error {
    let mut args = site.args.to_vec();
    args.swap(1, number);
    let turned = CallSite { called_as: site.called_as, args: &args, ctx: site.ctx, span: site.span };
    turned.unexpected_type(1, "\"NUMERIC\"")
}

/// Spark's error for intervals that overflow.
fn interval_overflow(op: Option<Op>) -> Error {
    match op {
        Some(op) => Error::new("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION")
            .with("functionName", format!("`{}`", op.tolerant())),
        None => Error::new("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION"),
    }
}

/// The value, or what is to happen without one.
fn or_misfit<T>(value: Option<T>, misfit: Misfit, error: impl FnOnce() -> Error) -> Result<Option<T>> {
    match value {
        None if misfit != Misfit::Null => Err(error()),
        value => Ok(value),
    }
}

/// An operation with an interval operand.
pub(super) fn compute(call: &KernelCall<'_>, op: Op, misfit: Misfit) -> Result<ArrayRef> {
    let (left, right) = (&call.arg_types[0], &call.arg_types[1]);
    match (left, right) {
        (DataType::CalendarInterval, DataType::CalendarInterval) => calendars(call, op, misfit),
        (DataType::CalendarInterval, _) => calendar_scaled(call, op, misfit, 0, 1),
        (_, DataType::CalendarInterval) => calendar_scaled(call, op, misfit, 1, 0),
        (DataType::YearMonthInterval(..), r) if r.is_ansi_interval() => {
            both::<IntervalYearMonthType>(call, op, misfit, (i32::checked_add, i32::checked_sub))
        }
        (_, r) if left.is_ansi_interval() && r.is_ansi_interval() => {
            both::<DurationMicrosecondType>(call, op, misfit, (i64::checked_add, i64::checked_sub))
        }
        (DataType::YearMonthInterval(..), _) => by_number::<IntervalYearMonthType>(call, op, misfit, 0, 1),
        (_, DataType::YearMonthInterval(..)) => by_number::<IntervalYearMonthType>(call, op, misfit, 1, 0),
        (DataType::DayTimeInterval(..), _) => by_number::<DurationMicrosecondType>(call, op, misfit, 0, 1),
        (_, DataType::DayTimeInterval(..)) => by_number::<DurationMicrosecondType>(call, op, misfit, 1, 0),
        _ => vonk_error::internal_err!("{left} {} {right}", op.symbol()),
    }
}

/// Sum and difference.
type Sums<N> = (fn(N, N) -> Option<N>, fn(N, N) -> Option<N>);

/// Two intervals of one ANSI family.
fn both<T: ArrowPrimitiveType>(
    call: &KernelCall<'_>,
    op: Op,
    misfit: Misfit,
    (add, subtract): Sums<T::Native>,
) -> Result<ArrayRef>
where
    T::Native: Into<i64>,
{
    let (left, right) = (call.values::<T>(0), call.values::<T>(1));
    if op == Op::IntegralDivide {
        return call.each::<Int64Type>(|row| {
            let (a, b): (i64, i64) = (left.get(row).into(), right.get(row).into());
            match b {
                0 if misfit == Misfit::Fail => Err(super::zero_divisor(op)),
                0 => Ok(None),
                b => or_misfit(a.checked_div(b), misfit, || {
                    overflow("Overflow in integral divide", Some(op.tolerant()))
                }),
            }
        });
    }
    let f = if op == Op::Add { add } else { subtract };
    call.each::<T>(|row| or_misfit(f(left.get(row), right.get(row)), misfit, || interval_overflow(Some(op))))
}

/// Two legacy intervals, part by part.
fn calendars(call: &KernelCall<'_>, op: Op, misfit: Misfit) -> Result<ArrayRef> {
    let (left, right) =
        (call.values::<IntervalMonthDayNanoType>(0), call.values::<IntervalMonthDayNanoType>(1));
    call.each::<IntervalMonthDayNanoType>(|row| {
        let (a, b) = (left.get(row), right.get(row));
        let checked = || match op {
            Op::Add => Some(IntervalMonthDayNano::new(
                a.months.checked_add(b.months)?,
                a.days.checked_add(b.days)?,
                a.nanoseconds.checked_add(b.nanoseconds)?,
            )),
            _ => Some(IntervalMonthDayNano::new(
                a.months.checked_sub(b.months)?,
                a.days.checked_sub(b.days)?,
                a.nanoseconds.checked_sub(b.nanoseconds)?,
            )),
        };
        match checked() {
            None if misfit == Misfit::Wrap => {
                let sign = if op == Op::Add { 1 } else { -1 };
                Ok(Some(IntervalMonthDayNano::new(
                    a.months.wrapping_add(b.months.wrapping_mul(sign)),
                    a.days.wrapping_add(b.days.wrapping_mul(sign)),
                    a.nanoseconds.wrapping_add(b.nanoseconds.wrapping_mul(i64::from(sign))),
                )))
            }
            value => or_misfit(value, misfit, || overflow("overflow", None)),
        }
    })
}

const MICROS_PER_DAY: f64 = 86_400_000_000.0;

/// A legacy interval times or by a double: fractions of months are dropped, those of days become time.
fn calendar_scaled(
    call: &KernelCall<'_>,
    op: Op,
    misfit: Misfit,
    interval: usize,
    number: usize,
) -> Result<ArrayRef> {
    let (intervals, numbers) =
        (call.values::<IntervalMonthDayNanoType>(interval), call.values::<Float64Type>(number));
    call.each::<IntervalMonthDayNanoType>(|row| {
        let (v, n) = (intervals.get(row), numbers.get(row));
        if op == Op::Divide && n == 0.0 {
            let missing = if misfit == Misfit::Fail { Misfit::Fail } else { Misfit::Null };
            return or_misfit(None, missing, || Error::new("INTERVAL_DIVIDED_BY_ZERO"));
        }
        let scale = |x: f64| if op == Op::Divide { x / n } else { x * n };
        let (months, days) = (scale(f64::from(v.months)), scale(f64::from(v.days)));
        let micros = scale((v.nanoseconds / 1000) as f64);
        let whole = |x: f64| {
            let t = x as i64;
            match misfit {
                Misfit::Wrap => Some(t.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32),
                _ => i32::try_from(t).ok(),
            }
        };
        let value = || {
            let (months, whole_days) = (whole(months)?, whole(days)?);
            let micros = micros + MICROS_PER_DAY * (days - f64::from(whole_days));
            // Java's Math.round.
            let micros = (micros + 0.5).floor() as i64;
            Some(IntervalMonthDayNano::new(months, whole_days, micros.checked_mul(1000)?))
        };
        or_misfit(value(), misfit, || overflow("overflow", None))
    })
}

/// An interval times or by a number, rounded half up.
fn by_number<T: ArrowPrimitiveType>(
    call: &KernelCall<'_>,
    op: Op,
    misfit: Misfit,
    interval: usize,
    number: usize,
) -> Result<ArrayRef>
where
    T::Native: Into<i64> + TryFrom<i64>,
{
    let numbers = numbers(call, number)?;
    let intervals = call.values::<T>(interval);
    call.each::<T>(|row| {
        let v: i64 = intervals.get(row).into();
        let wide = match (numbers(row), op) {
            (Number::Exact(0, _), Op::Divide) => None,
            (Number::Binary(0.0), Op::Divide) => None,
            (Number::Exact(n, scale), Op::Multiply) => Some(exact_product(v, n, scale)),
            (Number::Exact(n, scale), _) => Some(exact_quotient(v, n, scale)),
            (Number::Binary(n), Op::Multiply) => Some(round(v as f64 * n)),
            (Number::Binary(n), _) => Some(round(v as f64 / n)),
        };
        let Some(wide) = wide else {
            return or_misfit(None, misfit, || Error::new("INTERVAL_DIVIDED_BY_ZERO"));
        };
        let value = wide.and_then(|w| i64::try_from(w).ok()).and_then(|w| T::Native::try_from(w).ok());
        or_misfit(value, misfit, || interval_overflow((op == Op::Divide).then_some(op)))
    })
}

/// A factor or divisor.
#[derive(Clone, Copy)]
enum Number {
    /// Unscaled, and its scale.
    Exact(i128, usize),
    Binary(f64),
}

/// Reads argument `i`, a number of any type.
fn numbers<'a>(call: &'a KernelCall<'_>, i: usize) -> Result<Box<dyn Fn(usize) -> Number + 'a>> {
    fn reader<'a, T: ArrowPrimitiveType>(
        call: &'a KernelCall<'_>,
        i: usize,
        f: impl Fn(T::Native) -> Number + 'a,
    ) -> Box<dyn Fn(usize) -> Number + 'a> {
        let values = call.values::<T>(i);
        Box::new(move |row| f(values.get(row)))
    }
    if call.rows == 0 || matches!(&call.args[i], Datum::Scalar(a) if a.data_type().is_null()) {
        return Ok(Box::new(|_| Number::Exact(0, 0)));
    }
    let exact = |v: i128| Number::Exact(v, 0);
    Ok(match &call.arg_types[i] {
        DataType::Byte => reader::<Int8Type>(call, i, move |v| exact(v.into())),
        DataType::Short => reader::<Int16Type>(call, i, move |v| exact(v.into())),
        DataType::Int => reader::<Int32Type>(call, i, move |v| exact(v.into())),
        DataType::Long => reader::<Int64Type>(call, i, move |v| exact(v.into())),
        DataType::Float => reader::<Float32Type>(call, i, |v| Number::Binary(f64::from(v))),
        DataType::Double => reader::<Float64Type>(call, i, Number::Binary),
        DataType::Decimal(p, s) => {
            let scale = s.unsigned_abs() as usize;
            if *p <= MAX_DECIMAL64_PRECISION {
                reader::<Decimal64Type>(call, i, move |v| Number::Exact(v.into(), scale))
            } else {
                reader::<Decimal128Type>(call, i, move |v| Number::Exact(v, scale))
            }
        }
        other => return vonk_error::internal_err!("an interval times {other}"),
    })
}

fn half_up(a: i128, b: i128) -> Option<i128> {
    let (q, r) = (a.checked_div(b)?, a.checked_rem(b)?);
    let away = if (a < 0) == (b < 0) { 1 } else { -1 };
    Some(if r.unsigned_abs() >= b.unsigned_abs() - r.unsigned_abs() { q + away } else { q })
}

fn exact_product(v: i64, n: i128, scale: usize) -> Option<i128> {
    half_up(i128::from(v).checked_mul(n)?, *POW10.get(scale)?)
}

fn exact_quotient(v: i64, n: i128, scale: usize) -> Option<i128> {
    half_up(i128::from(v).checked_mul(*POW10.get(scale)?)?, n)
}

/// Half away from zero; `None` for NaN and what is out of range.
fn round(x: f64) -> Option<i128> {
    x.is_finite().then(|| x.round() as i128)
}
