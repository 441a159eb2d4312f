//! `round`, `bround`, `ceil`, `floor`.

use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::arithmetic::overflow;
use crate::scalar::params::{INT, Takes};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{
    Decimal64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use vonk_error::{Error, Result};
use vonk_types::arrow_types::MAX_DECIMAL64_PRECISION;
use vonk_types::decimal::POW10;
use vonk_types::number::decimal_of_f64;
use vonk_types::{DataType, ScalarValue};

pub(super) fn rows() -> Vec<ScalarFunction> {
    let round = |name, docs, kernel| ScalarFunction {
        display: Display::Custom(|name, args| match args {
            [x] => format!("{name}({x}, 0)"),
            _ => format!("{name}({})", args.join(", ")),
        }),
        ..ScalarFunction::new(name, docs, Arity::between(1, 2), resolve_round, kernel)
    };
    vec![
        round(
            "round",
            docs!(Math, "round(expr[, d])", "The number at d decimal places, half away from zero.", "1.5.0", [
                "SELECT round(2.5, 0)" => "3",
                "SELECT round(25, -1)" => "30",
            ]),
            |call| rounded(call, Mode::HalfUp),
        ),
        round(
            "bround",
            docs!(Math, "bround(expr[, d])", "The number at d decimal places, half to even.", "2.0.0", [
                "SELECT bround(2.5, 0)" => "2",
                "SELECT bround(25, -1)" => "20",
            ]),
            |call| rounded(call, Mode::HalfEven),
        ),
        ScalarFunction {
            aliases: &["ceiling"],
            display: Display::Custom(|name, args| whole_name(name, "ceil", args)),
            ..ScalarFunction::new(
                "ceil",
                docs!(Math, "ceil(expr[, scale])", "The least number at this scale that is not less.", "1.4.0", [
                    "SELECT ceil(-0.1)" => "0",
                    "SELECT ceil(3.1411, 3)" => "3.142",
                    "SELECT ceil(3.1411, -3)" => "1000",
                ]),
                Arity::at_least(0),
                resolve_whole,
                |call| whole(call, Mode::Ceil),
            )
        },
        ScalarFunction {
            display: Display::Custom(|name, args| whole_name(name, "floor", args)),
            ..ScalarFunction::new(
                "floor",
                docs!(Math, "floor(expr[, scale])", "The greatest number at this scale that is not greater.", "1.4.0", [
                    "SELECT floor(-0.1)" => "-1",
                    "SELECT floor(3.1411, 3)" => "3.141",
                ]),
                Arity::at_least(0),
                resolve_whole,
                |call| whole(call, Mode::Floor),
            )
        },
    ]
}

/// Of one argument Spark writes the own name in upper case.
fn whole_name(name: &str, own: &str, args: &[String]) -> String {
    let shown = if args.len() == 1 && name == own { name.to_uppercase() } else { name.to_string() };
    format!("{shown}({})", args.join(", "))
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    HalfUp,
    HalfEven,
    Ceil,
    Floor,
}

impl Mode {
    /// a / b for b > 0.
    fn divide(self, a: i128, b: i128) -> i128 {
        let (q, r) = (a / b, a % b);
        let away = if a < 0 { -1 } else { 1 };
        let (rest, b) = (r.unsigned_abs(), b.unsigned_abs());
        match self {
            Mode::Ceil => q + i128::from(r > 0),
            Mode::Floor => q - i128::from(r < 0),
            Mode::HalfUp if rest >= b - rest => q + away,
            Mode::HalfEven if rest > b - rest || rest == b - rest && q % 2 != 0 => q + away,
            _ => q,
        }
    }
}

/// The constant scale, or `None` for null.
fn scale_of(site: &CallSite<'_>, i: usize) -> Option<Option<i32>> {
    let Some(arg) = site.args.get(i) else { return Some(Some(0)) };
    let literal = arg.literal.as_ref()?;
    Some(match &literal.value {
        ScalarValue::Int32(v) => *v,
        ScalarValue::Int8(v) => v.map(i32::from),
        ScalarValue::Int16(v) => v.map(i32::from),
        ScalarValue::Int64(v) => v.and_then(|v| i32::try_from(v).ok()),
        ScalarValue::Utf8View(Some(s)) => s.trim().parse().ok(),
        ScalarValue::Decimal64(Some(v), _, s) => Some((v / POW10[*s as usize] as i64) as i32),
        _ => None,
    })
}

/// The type of a decimal rounded to a scale: one digit more before the point, if it is carried there.
fn rounded_decimal(p: u8, s: i8, scale: i32) -> DataType {
    let whole = i32::from(p) - i32::from(s) + 1;
    if scale < 0 {
        return DataType::Decimal(whole.max(scale.saturating_neg().saturating_add(1)).min(38) as u8, 0);
    }
    let scale = scale.min(i32::from(s));
    DataType::Decimal((whole + scale).min(38) as u8, scale as i8)
}

fn resolve_round(site: &CallSite<'_>) -> Result<Resolution> {
    let mut types = vec![site.take_one(0, &Takes::Numeric)?];
    if site.args.len() > 1 {
        types.push(site.take_one(1, &INT)?);
    }
    let Some(scale) = scale_of(site, 1) else { return Err(site.not_foldable(1, "scale", &DataType::Int)) };
    let return_type = match &types[0] {
        DataType::Decimal(p, s) => rounded_decimal(*p, *s, scale.unwrap_or(0)),
        t => t.clone(),
    };
    site.returns_null(types, return_type)
}

fn rounded(call: &KernelCall<'_>, mode: Mode) -> Result<ArrayRef> {
    if call.args.iter().any(|a| a.is_null_scalar()) {
        return Ok(call.all_null());
    }
    let scale = if call.args.len() > 1 { call.values::<Int32Type>(1).get(0) } else { 0 };
    // The scale is a constant: only the first argument has nulls.
    let call = &KernelCall { args: &call.args[..1], ..*call };
    match &call.arg_types[0] {
        DataType::Byte => integers::<Int8Type>(call, mode, scale),
        DataType::Short => integers::<Int16Type>(call, mode, scale),
        DataType::Int => integers::<Int32Type>(call, mode, scale),
        DataType::Long => integers::<Int64Type>(call, mode, scale),
        DataType::Float => {
            call.map::<Float32Type, Float32Type>(|x| round_f64(f64::from(x), mode, scale) as f32)
        }
        DataType::Double => call.map::<Float64Type, Float64Type>(|x| round_f64(x, mode, scale)),
        DataType::Decimal(..) => decimals(call, mode, scale),
        other => vonk_error::internal_err!("round of {other}"),
    }
}

fn integers<T: ArrowPrimitiveType>(call: &KernelCall<'_>, mode: Mode, scale: i32) -> Result<ArrayRef>
where
    T::Native: Into<i64> + TryFrom<i64> + Wrap,
{
    if scale >= 0 {
        return call.args[0].to_array(call.rows);
    }
    let digits = scale.unsigned_abs();
    let (x, ansi) = (call.values::<T>(0), call.ctx.ansi);
    call.each::<T>(|row| {
        if digits > 20 {
            return Ok(Some(T::Native::default()));
        }
        let by = POW10[digits as usize];
        let wide: i64 = x.get(row).into();
        let value = mode.divide(i128::from(wide), by) * by;
        match i64::try_from(value).ok().and_then(|v| T::Native::try_from(v).ok()) {
            Some(v) => Ok(Some(v)),
            None if ansi => Err(overflow("Overflow", None)),
            None => Ok(Some(T::Native::wrap(value))),
        }
    })
}

/// The low bits of a wide integer.
trait Wrap {
    fn wrap(wide: i128) -> Self;
}
macro_rules! wrap {
    ($($t:ty),*) => { $(impl Wrap for $t { fn wrap(wide: i128) -> Self { wide as $t } })* };
}
wrap!(i8, i16, i32, i64);

/// Rounds the digits that the double prints as.
fn round_f64(x: f64, mode: Mode, scale: i32) -> f64 {
    if !x.is_finite() {
        return x;
    }
    if (0..=15).contains(&scale) {
        // Far enough from a tie the printed digits and the exact value round alike, and a whole number below 2^53 divided by
        // a power of ten is the double nearest to the result.
        let by = POW10[scale as usize] as f64;
        let scaled = x * by;
        let size = scaled.abs();
        if size < 1e15 && (size - size.floor() - 0.5).abs() > size * 1e-15 + 1e-15 {
            // Decimals have no negative zero.
            return scaled.round() / by + 0.0;
        }
    }
    let Some((unscaled, exponent)) = decimal_of_f64(x) else { return x };
    let dropped = i64::from(-exponent) - i64::from(scale);
    if dropped <= 0 {
        return x + 0.0;
    }
    if dropped > 38 {
        return 0.0;
    }
    let value = mode.divide(unscaled, POW10[dropped as usize]);
    // A decimal's text is always a number.
    format!("{value}e{}", -i64::from(scale)).parse().unwrap_or(f64::NAN)
}

fn decimals(call: &KernelCall<'_>, mode: Mode, scale: i32) -> Result<ArrayRef> {
    let (DataType::Decimal(p, s), DataType::Decimal(q, _)) = (&call.arg_types[0], call.return_type) else {
        return vonk_error::internal_err!("round of {} to {}", call.arg_types[0], call.return_type);
    };
    let dropped = i32::from(*s) - scale.min(i32::from(*s));
    let value = move |v: i128| {
        if dropped > 38 {
            return mode.divide(v.signum(), 10) * POW10[38];
        }
        let short = mode.divide(v, POW10[dropped as usize]);
        if scale < 0 { short.wrapping_mul(POW10[scale.unsigned_abs().min(38) as usize]) } else { short }
    };
    let (small, small_result) = (*p <= MAX_DECIMAL64_PRECISION, *q <= MAX_DECIMAL64_PRECISION);
    match (small, small_result) {
        (true, true) => call.map::<Decimal64Type, Decimal64Type>(|v| value(v.into()) as i64),
        (true, false) => call.map::<Decimal64Type, Decimal128Type>(|v| value(v.into())),
        (false, true) => call.map::<Decimal128Type, Decimal64Type>(|v| value(v) as i64),
        (false, false) => {
            let (v, ansi, precision) = (call.values::<Decimal128Type>(0), call.ctx.ansi, *q);
            call.each::<Decimal128Type>(|row| match value(v.get(row)) {
                fitting if vonk_types::decimal::fits(fitting, precision) => Ok(Some(fitting)),
                _ if !ansi => Ok(None),
                wide => {
                    let wide = arrow::datatypes::i256::from_i128(wide);
                    let scale = scale.clamp(0, i32::from(*s)) as i8;
                    Err(crate::aggregate::accumulate::decimal_overflow(wide, scale, (precision, scale)))
                }
            })
        }
    }
}

/// `ceil` and `floor`: to whole numbers, or with a scale as decimals.
fn resolve_whole(site: &CallSite<'_>) -> Result<Resolution> {
    if !(1..=2).contains(&site.args.len()) {
        // Spark has two functions of this name, and complains for the second.
        Arity::exactly(2).check(site.called_as, site.args.len())?;
    }
    if site.args.len() == 1 {
        const REQUIRED: &str = "(\"DOUBLE\" or \"DECIMAL\" or \"BIGINT\")";
        return match site.arg_type(0) {
            t @ DataType::Decimal(_, 0) => site.returns(vec![t.clone()], t.clone()),
            t @ DataType::Decimal(p, s) => {
                let whole = DataType::Decimal((*p - *s as u8 + 1).min(38), 0);
                site.returns(vec![t.clone()], whole)
            }
            t if t.is_integral() => site.returns(vec![DataType::Long], DataType::Long),
            _ => {
                let t = site.implicit_or(0, &DataType::Double, REQUIRED)?;
                site.returns(vec![t], DataType::Long)
            }
        };
    }
    let Some(Some(scale)) = scale_of(site, 1) else {
        return Err(Error::new("NON_FOLDABLE_ARGUMENT")
            .with("funcName", format!("`{}`", site.called_as))
            .with("paramName", "`scale`")
            .with("paramType", "\"INT\"")
            .at(site.span));
    };
    let t = match site.arg_type(0) {
        t @ DataType::Decimal(..) => t.clone(),
        DataType::Double => DataType::Decimal(30, 15),
        DataType::Float => DataType::Decimal(14, 7),
        DataType::String => DataType::Decimal(38, 18),
        DataType::Null => DataType::DECIMAL_DEFAULT,
        t => t.decimal_for_integral().ok_or_else(|| site.unexpected_type(0, "\"DECIMAL\""))?,
    };
    let DataType::Decimal(p, s) = t else { return vonk_error::internal_err!("a decimal is one") };
    let return_type = rounded_decimal(p, s, scale);
    site.returns_null(vec![t, DataType::Int], return_type)
}

fn whole(call: &KernelCall<'_>, mode: Mode) -> Result<ArrayRef> {
    if call.args.len() > 1 {
        return rounded(call, mode);
    }
    match &call.arg_types[0] {
        DataType::Long => call.args[0].to_array(call.rows),
        DataType::Decimal(..) => decimals(call, mode, 0),
        _ => {
            let (x, ansi) = (call.values::<Float64Type>(0), call.ctx.ansi);
            call.each::<Int64Type>(|row| {
                let x = x.get(row);
                let x = if mode == Mode::Ceil { x.ceil() } else { x.floor() };
                // 2^63 itself is let through, and becomes the greatest bigint.
                if ansi && x.abs() > i64::MAX as f64 {
                    return Err(overflow("overflow", None));
                }
                Ok(Some(x as i64))
            })
        }
    }
}
