//! Whole numbers in other bases: `bin`, `conv`.

use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::ScalarFunction;
use crate::scalar::arithmetic::overflow;
use crate::scalar::params::{INT, LONG, STR};
use arrow::array::ArrayRef;
use arrow::datatypes::{Int32Type, Int64Type};
use std::fmt::Write;
use vonk_error::Result;
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "bin",
                docs!(Math, "bin(expr)", "The number in binary digits.", "1.5.0", ["SELECT bin(13)" => "1101"]),
                Arity::exactly(1),
                |site| site.returns(site.take(&[LONG])?, DataType::String),
                |call| {
                    let n = call.values::<Int64Type>(0);
                    call.each_str(|row, out| {
                        // Writing to a String does not fail.
                        let _ = write!(out, "{:b}", n.get(row));
                        Ok(true)
                    })
                },
            )
        },
        ScalarFunction::new(
            "conv",
            docs!(Math, "conv(num, from_base, to_base)", "The digits of a number in another base, signed if `to_base` is negative.", "1.5.0", [
                "SELECT conv('100', 2, 10)" => "4",
                "SELECT conv(-10, 16, -10)" => "-16",
            ]),
            Arity::exactly(3),
            |site| site.returns_null(site.take(&[STR, INT, INT])?, DataType::String),
            conv,
        ),
    ]
}

fn conv(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (s, from, to) = (call.strings(0), call.values::<Int32Type>(1), call.values::<Int32Type>(2));
    let ansi = call.ctx.ansi;
    call.each_str(|row, out| {
        let (text, from, to) = (s.get(row).trim_matches(' '), from.get(row), to.get(row));
        if !(2..=36).contains(&from) || !(2..=36).contains(&to.unsigned_abs()) || text.is_empty() {
            return Ok(false);
        }
        let (mut negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut value = 0u64;
        for digit in digits.chars().map_while(|c| c.to_digit(from as u32)) {
            let next = value.checked_mul(from as u64).and_then(|v| v.checked_add(u64::from(digit)));
            match next {
                Some(next) => value = next,
                None if ansi => return Err(overflow("Overflow in function conv()", None)),
                None => {
                    value = u64::MAX;
                    break;
                }
            }
        }
        if negative && to > 0 {
            value = if (value as i64) < 0 { u64::MAX } else { value.wrapping_neg() };
        }
        if to < 0 && (value as i64) < 0 {
            value = value.wrapping_neg();
            negative = true;
        }
        if negative && to < 0 {
            out.push('-');
        }
        write_radix(value, to.unsigned_abs(), out);
        Ok(true)
    })
}

fn write_radix(mut value: u64, base: u32, out: &mut String) {
    let mut digits = [0u8; 64];
    let mut at = digits.len();
    loop {
        at -= 1;
        let digit = (value % u64::from(base)) as u32;
        digits[at] = char::from_digit(digit, base).map_or(b'0', |c| c.to_ascii_uppercase() as u8);
        value /= u64::from(base);
        if value == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|b| *b as char));
}
