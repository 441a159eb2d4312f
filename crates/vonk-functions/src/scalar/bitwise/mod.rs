//! Bits of integers: `& | ^ ~`, shifts, `bit_count`, `bit_get`.

use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::arithmetic::integral_operands;
use crate::scalar::params::{INT, Takes};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{Int8Type, Int16Type, Int32Type, Int64Type};
use std::ops::{BitAnd, BitOr, BitXor, Not};
use vonk_error::{Error, Result};
use vonk_types::DataType;

/// All functions of bits.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = operators();
    rows.extend(shifts());
    rows.extend(counts());
    rows
}

/// A kernel for each integer type.
macro_rules! by_type {
    ($call:expr, $kernel:ident $(, $arg:expr)*) => {
        match &$call.arg_types[0] {
            DataType::Byte => $kernel::<Int8Type>($call $(, $arg)*),
            DataType::Short => $kernel::<Int16Type>($call $(, $arg)*),
            DataType::Int => $kernel::<Int32Type>($call $(, $arg)*),
            DataType::Long => $kernel::<Int64Type>($call $(, $arg)*),
            other => vonk_error::internal_err!("bits of {other}"),
        }
    };
}

fn and<T: ArrowPrimitiveType>(call: &KernelCall<'_>) -> Result<ArrayRef>
where
    T::Native: BitAnd<Output = T::Native>,
{
    call.map2::<T, T, T>(|a, b| a & b)
}

fn or<T: ArrowPrimitiveType>(call: &KernelCall<'_>) -> Result<ArrayRef>
where
    T::Native: BitOr<Output = T::Native>,
{
    call.map2::<T, T, T>(|a, b| a | b)
}

fn xor<T: ArrowPrimitiveType>(call: &KernelCall<'_>) -> Result<ArrayRef>
where
    T::Native: BitXor<Output = T::Native>,
{
    call.map2::<T, T, T>(|a, b| a ^ b)
}

fn not<T: ArrowPrimitiveType>(call: &KernelCall<'_>) -> Result<ArrayRef>
where
    T::Native: Not<Output = T::Native>,
{
    call.map::<T, T>(|a| !a)
}

fn operators() -> Vec<ScalarFunction> {
    let binary = |name, docs, kernel| ScalarFunction {
        can_fail: false,
        display: Display::Infix(name),
        ..ScalarFunction::new(
            name,
            docs,
            Arity::exactly(2),
            |site| {
                let t = integral_operands(site)?;
                site.returns(vec![t.clone(), t.clone()], t)
            },
            kernel,
        )
    };
    vec![
        binary(
            "&",
            docs!(Bitwise, "expr1 & expr2", "Bits that are set in both.", "1.4.0", ["SELECT 3 & 5" => "1"]),
            |call| by_type!(call, and),
        ),
        binary(
            "|",
            docs!(Bitwise, "expr1 | expr2", "Bits that are set in either.", "1.4.0", ["SELECT 3 | 5" => "7"]),
            |call| by_type!(call, or),
        ),
        binary(
            "^",
            docs!(Bitwise, "expr1 ^ expr2", "Bits that are set in one and not in the other.", "1.4.0", [
                "SELECT 3 ^ 5" => "6",
            ]),
            |call| by_type!(call, xor),
        ),
        ScalarFunction {
            can_fail: false,
            display: Display::Prefix("~"),
            ..ScalarFunction::new(
                "~",
                docs!(Bitwise, "~ expr", "Bits that are not set.", "1.4.0", ["SELECT ~ 0" => "-1"]),
                Arity::exactly(1),
                |site| {
                    let t = site.take_one(0, &Takes::Integral)?;
                    site.returns(vec![t.clone()], t)
                },
                |call| by_type!(call, not),
            )
        },
    ]
}

fn shifts() -> Vec<ScalarFunction> {
    let shift = |name, aliases, docs, display, kernel| ScalarFunction {
        aliases,
        can_fail: false,
        display: Display::Custom(display),
        ..ScalarFunction::new(
            name,
            docs,
            Arity::exactly(2),
            |site| {
                let types = site.take(&[Takes::OneOf(&[DataType::Int, DataType::Long]), INT])?;
                let t = types[0].clone();
                site.returns(types, t)
            },
            kernel,
        )
    };
    vec![
        shift(
            "shiftleft",
            &["<<"],
            docs!(Bitwise, "base << exp", "Bits moved to the left.", "1.5.0", ["SELECT shiftleft(2, 1)" => "4", "SELECT 2 << 1" => "4"]),
            |name, args| shifted(name, "<<", args),
            |call| by(call, i32::wrapping_shl, i64::wrapping_shl),
        ),
        shift(
            "shiftright",
            &[">>"],
            docs!(Bitwise, "base >> expr", "Bits moved to the right, the sign kept.", "1.5.0", [
                "SELECT shiftright(4, 1)" => "2", "SELECT 4 >> 1" => "2",
            ]),
            |name, args| shifted(name, ">>", args),
            |call| by(call, i32::wrapping_shr, i64::wrapping_shr),
        ),
        shift(
            "shiftrightunsigned",
            &[">>>"],
            docs!(Bitwise, "base >>> expr", "Bits moved to the right, zeros moved in.", "1.5.0", [
                "SELECT shiftrightunsigned(4, 1)" => "2", "SELECT -4 >>> 30" => "3",
            ]),
            |name, args| shifted(name, ">>>", args),
            |call| {
                by(call, |a, n| (a as u32).wrapping_shr(n) as i32, |a, n| (a as u64).wrapping_shr(n) as i64)
            },
        ),
    ]
}

fn shifted(name: &str, symbol: &str, args: &[String]) -> String {
    if name == symbol {
        format!("({})", args.join(&format!(" {symbol} ")))
    } else {
        format!("{name}({})", args.join(", "))
    }
}

/// Only the low bits of the distance count, as in Java.
fn by(call: &KernelCall<'_>, int: fn(i32, u32) -> i32, long: fn(i64, u32) -> i64) -> Result<ArrayRef> {
    match call.arg_types[0] {
        DataType::Int => call.map2::<Int32Type, Int32Type, Int32Type>(|a, n| int(a, n as u32)),
        _ => call.map2::<Int64Type, Int32Type, Int64Type>(|a, n| long(a, n as u32)),
    }
}

fn counts() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "bit_count",
                docs!(Bitwise, "bit_count(expr)", "Number of bits that are set, of 64.", "3.0.0", ["SELECT bit_count(0)" => "0"]),
                Arity::exactly(1),
                resolve_count,
                count,
            )
        },
        ScalarFunction {
            aliases: &["getbit"],
            ..ScalarFunction::new(
                "bit_get",
                docs!(Bitwise, "bit_get(expr, pos)", "The bit at a place, counted from the right and 0.", "3.2.0", [
                    "SELECT bit_get(11, 0)" => "1",
                    "SELECT bit_get(11, 2)" => "0",
                ]),
                Arity::exactly(2),
                |site| site.returns(site.take(&[Takes::Integral, INT])?, DataType::Byte),
                |call| by_type!(call, get),
            )
        },
    ]
}

fn resolve_count(site: &CallSite<'_>) -> Result<Resolution> {
    let t = match site.arg_type(0) {
        DataType::Boolean => DataType::Boolean,
        _ => site
            .take_one(0, &Takes::Integral)
            .map_err(|_| site.unexpected_type(0, "(\"INTEGRAL\" or \"BOOLEAN\")"))?,
    };
    site.returns(vec![t], DataType::Int)
}

fn count(call: &KernelCall<'_>) -> Result<ArrayRef> {
    fn ones<T: ArrowPrimitiveType>(call: &KernelCall<'_>) -> Result<ArrayRef>
    where
        T::Native: Into<i64>,
    {
        call.map::<T, Int32Type>(|x| x.into().count_ones() as i32)
    }
    if call.arg_types[0] == DataType::Boolean {
        let x = call.booleans(0);
        return call.each::<Int32Type>(|row| Ok(Some(i32::from(x.get(row)))));
    }
    by_type!(call, ones)
}

fn get<T: ArrowPrimitiveType>(call: &KernelCall<'_>) -> Result<ArrayRef>
where
    T::Native: Into<i64>,
{
    let (x, pos) = (call.values::<T>(0), call.values::<Int32Type>(1));
    let bits = 8 * size_of::<T::Native>() as i32;
    call.each::<Int8Type>(|row| {
        let (x, pos): (i64, i32) = (x.get(row).into(), pos.get(row));
        if !(0..bits).contains(&pos) {
            return Err(Error::new("INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE")
                .with("parameter", "`pos`")
                .with("functionName", "`bit_get`")
                .with("upper", bits.to_string())
                .with("invalidValue", pos.to_string()));
        }
        Ok(Some((x >> pos & 1) as i8))
    })
}

#[cfg(test)]
mod tests {
    use crate::scalar::testing::*;

    // Asked of Spark.
    #[test]
    fn bits() {
        assert_eq!(run("<<", &[int(1), int(-1)]), ["-2147483648"]);
        assert_eq!(run(">>", &[long(1), int(65)]), ["0"]);
        assert_eq!(run(">>>", &[int(-1), int(1)]), ["2147483647"]);
        assert_eq!(typed("&", &[text("1"), int(1)]), ("1".into(), "bigint".into()));
        assert_eq!(fails("&", &[dec("1.5"), int(1)]), "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES");
        assert_eq!(fails("&", &[text("1"), text("1")]), "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE");
        assert_eq!(run("bit_count", &[boolean(true)]), ["1"]);
        assert_eq!(run("bit_count", &[int(-1)]), ["64"]);
        assert_eq!(fails("bit_get", &[int(11), int(32)]), "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE");
        assert_eq!(name("<<", &[int(1), int(2)]), "(1 << 2)");
        assert_eq!(name("shiftleft", &[int(1), int(2)]), "shiftleft(1, 2)");
        assert_eq!(name("~", &[int(1)]), "~1");
    }
}
