//! The arithmetic rows of the function table.

use super::{Op, datetimes, operands, operator, sign, tolerant};
use crate::resolve::Arity;
use crate::scalar::{Display, ScalarFunction};

/// All arithmetic functions.
pub(in crate::scalar) fn rows() -> Vec<ScalarFunction> {
    let mut rows = operators();
    rows.extend(named());
    rows.extend(signs());
    rows.extend(tolerants());
    rows
}

macro_rules! binary {
    ($op:ident, $name:literal, $docs:expr, $kernel:ident, $resolve:ident) => {
        ScalarFunction::new(
            $name,
            $docs,
            Arity::exactly(2),
            |site| operands::$resolve(site, Op::$op),
            |call| $kernel(call, Op::$op),
        )
    };
}

fn operators() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            display: Display::Typed(|_, args, types| {
                datetimes::display(args, types, Op::Add).unwrap_or_else(|| infix(args, "+"))
            }),
            ..binary!(
                Add,
                "+",
                docs!(Operator, "expr1 + expr2", "The sum.", "1.0.0", [
                    "SELECT 1 + 2" => "3",
                    "SELECT date'2020-01-31' + interval '1' month" => "2020-02-29",
                ]),
                operator,
                resolve
            )
        },
        ScalarFunction {
            display: Display::Typed(|_, args, types| {
                datetimes::display(args, types, Op::Subtract).unwrap_or_else(|| infix(args, "-"))
            }),
            ..binary!(
                Subtract,
                "-",
                docs!(Operator, "expr1 - expr2", "The difference.", "1.0.0", [
                    "SELECT 2 - 1" => "1",
                    "SELECT date'2020-03-01' - date'2020-02-01'" => "29 00:00:00.000000000",
                ]),
                operator,
                resolve
            )
        },
        ScalarFunction {
            display: Display::Typed(|_, args, types| scaled(args, types, "*", "multiply_interval")),
            ..binary!(
                Multiply,
                "*",
                docs!(Operator, "expr1 * expr2", "The product.", "1.0.0", [
                    "SELECT 2 * 3" => "6",
                    "SELECT 1.50 * 2" => "3.00",
                ]),
                operator,
                resolve
            )
        },
        ScalarFunction {
            display: Display::Typed(|_, args, types| scaled(args, types, "/", "divide_interval")),
            ..binary!(
                Divide,
                "/",
                docs!(
                    Operator,
                    "expr1 / expr2",
                    "The quotient, a double unless both are decimals or an interval is divided.",
                    "1.0.0",
                    ["SELECT 3 / 2" => "1.5", "SELECT 1.0 / 3" => "0.333333"]
                ),
                operator,
                resolve
            )
        },
    ]
}

fn named() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            display: Display::Infix("div"),
            ..binary!(
                IntegralDivide,
                "div",
                docs!(Operator, "expr1 div expr2", "The whole part of the quotient.", "3.0.0", [
                    "SELECT 3 div 2" => "1",
                    "SELECT INTERVAL '1-1' YEAR TO MONTH div INTERVAL '-1' MONTH" => "-13",
                ]),
                operator,
                resolve
            )
        },
        ScalarFunction {
            aliases: &["mod"],
            display: Display::Custom(|name, args| match name {
                "mod" => format!("mod({})", args.join(", ")),
                _ => infix(args, "%"),
            }),
            ..binary!(
                Remainder,
                "%",
                docs!(Operator, "expr1 % expr2", "The remainder, with the sign of the dividend.", "1.0.0", [
                    "SELECT 2 % 1.8" => "0.2",
                    "SELECT mod(-7, 3)" => "-1",
                ]),
                operator,
                resolve
            )
        },
        binary!(
            PositiveRemainder,
            "pmod",
            docs!(Math, "pmod(expr1, expr2)", "The remainder as a number that is not negative.", "1.5.0", [
                "SELECT pmod(10, 3)" => "1",
                "SELECT pmod(-10, 3)" => "2",
            ]),
            operator,
            resolve
        ),
    ]
}

fn signs() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            display: Display::Custom(|name, args| match name {
                "negative" => format!("negative({})", args.join(", ")),
                _ => format!("(- {})", args.join(", ")),
            }),
            ..ScalarFunction::new(
                "negative",
                docs!(Math, "negative(expr)", "The number or interval with the other sign; `- expr`.", "1.0.0", [
                    "SELECT negative(1)" => "-1",
                    "SELECT -(interval '1' month)" => "-0-1",
                ]),
                Arity::exactly(1),
                sign::resolve,
                sign::negative,
            )
        },
        ScalarFunction {
            display: Display::Custom(|_, args| format!("(+ {})", args.join(", "))),
            can_fail: false,
            ..ScalarFunction::new(
                "positive",
                docs!(Math, "positive(expr)", "The number or interval as it is; `+ expr`.", "1.5.0", [
                    "SELECT positive(1)" => "1",
                ]),
                Arity::exactly(1),
                sign::resolve,
                sign::positive,
            )
        },
        ScalarFunction::new(
            "abs",
            docs!(Math, "abs(expr)", "The absolute value of a number or interval.", "1.2.0", [
                "SELECT abs(-1)" => "1",
                "SELECT abs(INTERVAL -'1-1' YEAR TO MONTH)" => "1-1",
            ]),
            Arity::exactly(1),
            sign::resolve_abs,
            sign::abs,
        ),
    ]
}

fn tolerants() -> Vec<ScalarFunction> {
    let rows = vec![
        binary!(
            Add,
            "try_add",
            docs!(Math, "try_add(expr1, expr2)", "The sum, or null if it overflows.", "3.2.0", [
                "SELECT try_add(1, 2)" => "3",
                "SELECT try_add(2147483647, 1)" => "NULL",
                "SELECT try_add(date'2021-01-01', 1)" => "2021-01-02",
            ]),
            tolerant,
            resolve_tolerant
        ),
        binary!(
            Subtract,
            "try_subtract",
            docs!(Math, "try_subtract(expr1, expr2)", "The difference, or null if it overflows.", "3.3.0", [
                "SELECT try_subtract(2, 1)" => "1",
                "SELECT try_subtract(-2147483648, 1)" => "NULL",
            ]),
            tolerant,
            resolve_tolerant
        ),
        binary!(
            Multiply,
            "try_multiply",
            docs!(Math, "try_multiply(expr1, expr2)", "The product, or null if it overflows.", "3.3.0", [
                "SELECT try_multiply(2, 3)" => "6",
                "SELECT try_multiply(-2147483648, 10)" => "NULL",
            ]),
            tolerant,
            resolve_tolerant
        ),
        binary!(
            Divide,
            "try_divide",
            docs!(Math, "try_divide(dividend, divisor)", "The quotient, or null if the divisor is 0.", "3.2.0", [
                "SELECT try_divide(3, 2)" => "1.5",
                "SELECT try_divide(1, 0)" => "NULL",
            ]),
            tolerant,
            resolve_tolerant
        ),
        binary!(
            Remainder,
            "try_mod",
            docs!(Math, "try_mod(dividend, divisor)", "The remainder, or null if the divisor is 0.", "4.0.0", [
                "SELECT try_mod(3, 2)" => "1",
                "SELECT try_mod(1, 0)" => "NULL",
            ]),
            tolerant,
            resolve_tolerant
        ),
    ];
    rows.into_iter().map(|row| ScalarFunction { can_fail: false, ..row }).collect()
}

fn infix(args: &[String], symbol: &str) -> String {
    format!("({})", args.join(&format!(" {symbol} ")))
}

/// Spark writes the interval first, and legacy intervals as functions.
fn scaled(args: &[String], types: &[vonk_types::DataType], symbol: &str, legacy: &str) -> String {
    use vonk_types::DataType;
    let is_interval = |t: &DataType| t.is_ansi_interval() || *t == DataType::CalendarInterval;
    match (args, types) {
        ([a, b], [t, u]) => {
            let turn = symbol == "*" && is_interval(u) && !is_interval(t);
            let (a, b, t) = if turn { (b, a, u) } else { (a, b, t) };
            match t {
                DataType::CalendarInterval => format!("{legacy}({a}, {b})"),
                _ => format!("({a} {symbol} {b})"),
            }
        }
        _ => infix(args, symbol),
    }
}
