//! Functions of doubles: roots, powers, logarithms, angles.

use super::fdlibm;
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::DOUBLE;
use crate::scalar::{Display, ScalarFunction};
use arrow::array::ArrayRef;
use arrow::datatypes::{DurationMicrosecondType, Float64Type, IntervalYearMonthType};
use vonk_error::Result;
use vonk_types::DataType;

/// The form with the name in upper case, as Spark writes most of these.
pub(super) const UPPER: Display =
    Display::Custom(|name, args| format!("{}({})", name.to_uppercase(), args.join(", ")));

/// A row of a function of one double that is never null.
macro_rules! unary {
    ($name:literal, $display:expr, $usage:literal, $summary:literal, $since:literal, $sql:literal => $rows:literal, $f:expr) => {
        ScalarFunction {
            can_fail: false,
            display: $display,
            ..ScalarFunction::new(
                $name,
                docs!(Math, $usage, $summary, $since, [$sql => $rows]),
                Arity::exactly(1),
                |site| site.returns(site.take(&[DOUBLE])?, DataType::Double),
                |call| call.map::<Float64Type, Float64Type>($f),
            )
        }
    };
}

/// A row of a function of one double that is null up to a bound.
macro_rules! bounded {
    ($name:literal, $display:expr, $usage:literal, $summary:literal, $since:literal, $sql:literal => $rows:literal, $bound:literal, $f:expr) => {
        ScalarFunction {
            can_fail: false,
            display: $display,
            ..ScalarFunction::new(
                $name,
                docs!(Math, $usage, $summary, $since, [$sql => $rows]),
                Arity::exactly(1),
                |site| site.returns_null(site.take(&[DOUBLE])?, DataType::Double),
                |call| above(call, $bound, $f),
            )
        }
    };
}

pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = powers();
    rows.extend(logarithms());
    rows.extend(angles());
    rows.extend(hyperbolic());
    rows.extend(binary());
    rows.extend(others());
    rows
}

/// Null where the argument is not above the bound; NaN passes.
fn above(call: &KernelCall<'_>, bound: f64, f: impl Fn(f64) -> f64) -> Result<ArrayRef> {
    let x = call.values::<Float64Type>(0);
    call.each::<Float64Type>(|row| {
        let x = x.get(row);
        Ok(if x <= bound { None } else { Some(f(x)) })
    })
}

fn powers() -> Vec<ScalarFunction> {
    vec![
        unary!("sqrt", UPPER, "sqrt(expr)", "Square root.", "1.1.1", "SELECT sqrt(4)" => "2.0", f64::sqrt),
        unary!("cbrt", UPPER, "cbrt(expr)", "Cube root.", "1.4.0", "SELECT cbrt(27.0)" => "3.0", fdlibm::cbrt),
        unary!("exp", UPPER, "exp(expr)", "e to this power.", "1.4.0", "SELECT exp(0)" => "1.0", fdlibm::exp),
        unary!("expm1", UPPER, "expm1(expr)", "exp(expr) - 1.", "1.4.0", "SELECT expm1(0)" => "0.0", fdlibm::expm1),
        unary!(
            "rint", Display::Call, "rint(expr)", "The nearest whole number, as a double.", "1.4.0",
            "SELECT rint(12.3456)" => "12.0", f64::round_ties_even
        ),
    ]
}

fn logarithms() -> Vec<ScalarFunction> {
    vec![
        bounded!("ln", Display::Call, "ln(expr)", "Natural logarithm; null up to 0.", "1.4.0", "SELECT ln(1)" => "0.0", 0.0, fdlibm::log),
        bounded!("log10", UPPER, "log10(expr)", "Logarithm to base 10; null up to 0.", "1.4.0", "SELECT log10(10)" => "1.0", 0.0, fdlibm::log10),
        bounded!(
            "log2", UPPER, "log2(expr)", "Logarithm to base 2; null up to 0.", "1.4.0", "SELECT log2(2)" => "1.0", 0.0,
            |x| fdlibm::log(x) / fdlibm::log(2.0)
        ),
        bounded!("log1p", UPPER, "log1p(expr)", "ln(1 + expr); null up to -1.", "1.4.0", "SELECT log1p(0)" => "0.0", -1.0, fdlibm::log1p),
        ScalarFunction {
            can_fail: false,
            display: Display::Custom(|_, args| match args {
                [x] => format!("LOG(E(), {x})"),
                _ => format!("LOG({})", args.join(", ")),
            }),
            ..ScalarFunction::new(
                "log",
                docs!(Math, "log([base, ]expr)", "Logarithm to a base, e if nothing is said; null up to 0.", "1.5.0", [
                    "SELECT log(10, 100)" => "2.0",
                ]),
                Arity::between(1, 2),
                |site| site.returns_null(site.take(&[DOUBLE, DOUBLE])?, DataType::Double),
                log,
            )
        },
    ]
}

fn log(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if call.args.len() == 1 {
        return above(call, 0.0, fdlibm::log);
    }
    let (base, x) = (call.values::<Float64Type>(0), call.values::<Float64Type>(1));
    call.each::<Float64Type>(|row| {
        let (base, x) = (base.get(row), x.get(row));
        Ok(if base <= 0.0 || x <= 0.0 { None } else { Some(fdlibm::log(x) / fdlibm::log(base)) })
    })
}

fn angles() -> Vec<ScalarFunction> {
    vec![
        unary!("sin", UPPER, "sin(expr)", "Sine.", "1.4.0", "SELECT sin(0)" => "0.0", f64::sin),
        unary!("cos", UPPER, "cos(expr)", "Cosine.", "1.4.0", "SELECT cos(0)" => "1.0", f64::cos),
        unary!("tan", UPPER, "tan(expr)", "Tangent.", "1.4.0", "SELECT tan(0)" => "0.0", f64::tan),
        unary!("cot", UPPER, "cot(expr)", "Cotangent.", "2.3.0", "SELECT cot(1)" => "0.6420926159343306", |x| 1.0 / x.tan()),
        unary!("sec", UPPER, "sec(expr)", "Secant.", "3.3.0", "SELECT sec(0)" => "1.0", |x| 1.0 / x.cos()),
        unary!("csc", UPPER, "csc(expr)", "Cosecant.", "3.3.0", "SELECT csc(1)" => "1.1883951057781212", |x| 1.0 / x.sin()),
        unary!("asin", UPPER, "asin(expr)", "Inverse sine.", "1.4.0", "SELECT asin(0)" => "0.0", libm::asin),
        unary!("acos", UPPER, "acos(expr)", "Inverse cosine.", "1.4.0", "SELECT acos(1)" => "0.0", libm::acos),
        unary!("atan", UPPER, "atan(expr)", "Inverse tangent.", "1.4.0", "SELECT atan(0)" => "0.0", libm::atan),
        unary!(
            "degrees", UPPER, "degrees(expr)", "Radians as degrees.", "1.4.0",
            "SELECT degrees(3.141592653589793)" => "180.0", |x| x * 57.295_779_513_082_32
        ),
        unary!(
            "radians", UPPER, "radians(expr)", "Degrees as radians.", "1.4.0",
            "SELECT radians(180)" => "3.141592653589793", |x| x * 0.017_453_292_519_943_295
        ),
    ]
}

fn hyperbolic() -> Vec<ScalarFunction> {
    vec![
        unary!("sinh", UPPER, "sinh(expr)", "Hyperbolic sine.", "1.4.0", "SELECT sinh(0)" => "0.0", fdlibm::sinh),
        unary!("cosh", UPPER, "cosh(expr)", "Hyperbolic cosine.", "1.4.0", "SELECT cosh(0)" => "1.0", fdlibm::cosh),
        unary!("tanh", UPPER, "tanh(expr)", "Hyperbolic tangent.", "1.4.0", "SELECT tanh(0)" => "0.0", fdlibm::tanh),
        unary!("asinh", UPPER, "asinh(expr)", "Inverse hyperbolic sine.", "3.0.0", "SELECT asinh(0)" => "0.0", fdlibm::asinh),
        unary!("acosh", UPPER, "acosh(expr)", "Inverse hyperbolic cosine.", "3.0.0", "SELECT acosh(1)" => "0.0", fdlibm::acosh),
        unary!("atanh", UPPER, "atanh(expr)", "Inverse hyperbolic tangent.", "3.0.0", "SELECT atanh(0)" => "0.0", fdlibm::atanh),
    ]
}

fn binary() -> Vec<ScalarFunction> {
    let two = |name, docs, display, kernel| ScalarFunction {
        can_fail: false,
        display,
        ..ScalarFunction::new(
            name,
            docs,
            Arity::exactly(2),
            |site| site.returns(site.take(&[DOUBLE, DOUBLE])?, DataType::Double),
            kernel,
        )
    };
    type D = Float64Type;
    vec![
        ScalarFunction {
            aliases: &["power"],
            ..two(
                "pow",
                docs!(Math, "pow(expr1, expr2)", "The first to the power of the second.", "1.4.0", ["SELECT pow(2, 3)" => "8.0"]),
                Display::Custom(|name, args| match name {
                    "pow" => format!("pow({})", args.join(", ")),
                    _ => format!("POWER({})", args.join(", ")),
                }),
                |call| call.map2::<D, D, D>(fdlibm::pow),
            )
        },
        two(
            "atan2",
            docs!(Math, "atan2(exprY, exprX)", "The angle of the point (exprX, exprY).", "1.4.0", ["SELECT atan2(0, 0)" => "0.0"]),
            UPPER,
            |call| call.map2::<D, D, D>(|y, x| fdlibm::atan2(y + 0.0, x + 0.0)),
        ),
        two(
            "hypot",
            docs!(Math, "hypot(expr1, expr2)", "sqrt(expr1² + expr2²).", "1.4.0", ["SELECT hypot(3, 4)" => "5.0"]),
            UPPER,
            |call| call.map2::<D, D, D>(fdlibm::hypot),
        ),
    ]
}

fn others() -> Vec<ScalarFunction> {
    let constant = |name, docs, display, kernel| ScalarFunction {
        can_fail: false,
        display: Display::Custom(display),
        ..ScalarFunction::new(
            name,
            docs,
            Arity::exactly(0),
            |site| site.returns_value(vec![], DataType::Double),
            kernel,
        )
    };
    vec![
        constant(
            "e",
            docs!(Math, "e()", "Euler's number.", "1.5.0", ["SELECT e()" => "2.718281828459045"]),
            |_, _| "E()".to_string(),
            |call| call.each::<Float64Type>(|_| Ok(Some(std::f64::consts::E))),
        ),
        constant(
            "pi",
            docs!(Math, "pi()", "The ratio of a circle's circumference to its diameter.", "1.5.0", [
                "SELECT pi()" => "3.141592653589793",
            ]),
            |_, _| "PI()".to_string(),
            |call| call.each::<Float64Type>(|_| Ok(Some(std::f64::consts::PI))),
        ),
        ScalarFunction {
            aliases: &["sign"],
            can_fail: false,
            display: Display::Custom(|name, args| match name {
                "sign" => format!("sign({})", args.join(", ")),
                _ => format!("SIGNUM({})", args.join(", ")),
            }),
            ..ScalarFunction::new(
                "signum",
                docs!(Math, "signum(expr)", "-1.0, 0.0 or 1.0 as the number or interval is negative, zero or positive.", "1.4.0", [
                    "SELECT signum(40)" => "1.0",
                    "SELECT signum(INTERVAL -'100' YEAR)" => "-1.0",
                ]),
                Arity::exactly(1),
                resolve_sign,
                signum,
            )
        },
    ]
}

fn resolve_sign(site: &CallSite<'_>) -> Result<Resolution> {
    let t = match site.arg_type(0) {
        t if t.is_ansi_interval() => t.clone(),
        _ => {
            const REQUIRED: &str = "(\"DOUBLE\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")";
            site.implicit_or(0, &DataType::Double, REQUIRED)?
        }
    };
    site.returns(vec![t], DataType::Double)
}

fn signum(call: &KernelCall<'_>) -> Result<ArrayRef> {
    match call.arg_types[0] {
        DataType::YearMonthInterval(..) => {
            call.map::<IntervalYearMonthType, Float64Type>(|x| f64::from(x.signum()))
        }
        DataType::DayTimeInterval(..) => {
            call.map::<DurationMicrosecondType, Float64Type>(|x| x.signum() as f64)
        }
        // Zeros and NaN stay what they are.
        _ => call.map::<Float64Type, Float64Type>(|x| if x == 0.0 || x.is_nan() { x } else { x.signum() }),
    }
}
