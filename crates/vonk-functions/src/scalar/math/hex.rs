//! `hex` and `unhex`.

use crate::resolve::Arity;
use crate::scalar::ScalarFunction;
use crate::scalar::params::{STR, Takes};
use arrow::datatypes::Int64Type;
use std::fmt::Write;
use vonk_types::DataType;

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "hex",
                docs!(Math, "hex(expr)", "A whole number, a string's or a binary's bytes in hexadecimal digits.", "1.5.0", [
                    "SELECT hex(17)" => "11",
                    "SELECT hex('Spark SQL')" => "537061726B2053514C",
                ]),
                Arity::exactly(1),
                |site| {
                    let types = [DataType::Long, DataType::Binary, DataType::String];
                    site.returns(site.take(&[Takes::OneOf(&types)])?, DataType::String)
                },
                |call| {
                    if call.arg_types[0] == DataType::Long {
                        let n = call.values::<Int64Type>(0);
                        return call.each_str(|row, out| {
                            // Writing to a String does not fail.
                            let _ = write!(out, "{:X}", n.get(row));
                            Ok(true)
                        });
                    }
                    let bytes = call.bytes(0);
                    call.each_str(|row, out| {
                        hex_into(bytes.get(row), out);
                        Ok(true)
                    })
                },
            )
        },
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "unhex",
                docs!(Math, "unhex(expr)", "The bytes that hexadecimal digits stand for; null for anything else.", "1.5.0", [
                    "SELECT decode(unhex('537061726B2053514C'), 'UTF-8')" => "Spark SQL",
                ]),
                Arity::exactly(1),
                |site| site.returns_null(site.take(&[STR])?, DataType::Binary),
                |call| {
                    let s = call.strings(0);
                    call.each_binary(|row, out| Ok(unhex_into(s.get(row), out).is_some()))
                },
            )
        },
    ]
}

/// Appends two digits for each byte.
pub(in crate::scalar) fn hex_into(bytes: &[u8], out: &mut String) {
    for b in bytes {
        out.push(DIGITS[usize::from(b >> 4)] as char);
        out.push(DIGITS[usize::from(b & 15)] as char);
    }
}

/// Appends the bytes of hexadecimal digits; an odd one stands for a byte of its own. `None` for what is no digit.
pub(in crate::scalar) fn unhex_into(s: &str, out: &mut Vec<u8>) -> Option<()> {
    let digit = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    let mut digits = s.bytes();
    if s.len() % 2 == 1 {
        out.push(digit(digits.next()?)?);
    }
    while let (Some(high), Some(low)) = (digits.next(), digits.next()) {
        out.push(digit(high)? << 4 | digit(low)?);
    }
    Some(())
}
