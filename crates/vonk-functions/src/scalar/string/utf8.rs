//! `is_valid_utf8` and its kin. Strings always are; binaries may not be.

use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::params::TEXT;
use arrow::array::ArrayRef;
use std::fmt::Write;
use vonk_error::{Error, Result};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "is_valid_utf8",
                docs!(String, "is_valid_utf8(str)", "Whether the bytes are valid UTF-8.", "4.0.0", [
                    "SELECT is_valid_utf8('Spark')" => "true",
                    "SELECT is_valid_utf8(x'80')" => "false",
                ]),
                Arity::exactly(1),
                |site| site.returns(text(site)?, DataType::Boolean),
                |call| {
                    let s = call.bytes(0);
                    call.each_bool(|row| Ok(Some(std::str::from_utf8(s.get(row)).is_ok())))
                },
            )
        },
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "make_valid_utf8",
                docs!(String, "make_valid_utf8(str)", "The string with what is no valid UTF-8 replaced by U+FFFD.", "4.0.0", [
                    "SELECT make_valid_utf8('Spark')" => "Spark",
                    "SELECT make_valid_utf8(x'80') = '\u{FFFD}'" => "true",
                ]),
                Arity::exactly(1),
                |site| site.returns(text(site)?, DataType::String),
                |call| {
                    let s = call.bytes(0);
                    call.each_str(|row, out| {
                        out.push_str(&String::from_utf8_lossy(s.get(row)));
                        Ok(true)
                    })
                },
            )
        },
        ScalarFunction::new(
            "validate_utf8",
            docs!(String, "validate_utf8(str)", "The string, or an error if it is no valid UTF-8.", "4.0.0", [
                "SELECT validate_utf8('Spark')" => "Spark",
            ]),
            Arity::exactly(1),
            |site| site.returns(text(site)?, DataType::String),
            |call| validated(call, true),
        ),
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "try_validate_utf8",
                docs!(String, "try_validate_utf8(str)", "The string, or null if it is no valid UTF-8.", "4.0.0", [
                    "SELECT try_validate_utf8('Spark')" => "Spark",
                    "SELECT try_validate_utf8(x'80')" => "NULL",
                ]),
                Arity::exactly(1),
                |site| -> Result<Resolution> { site.returns_null(text(site)?, DataType::String) },
                |call| validated(call, false),
            )
        },
    ]
}

fn text(site: &CallSite<'_>) -> Result<Vec<DataType>> {
    site.take(&[TEXT]).map_err(|_| site.unexpected_type(0, "\"STRING\""))
}

fn validated(call: &KernelCall<'_>, fail: bool) -> Result<ArrayRef> {
    let s = call.bytes(0);
    call.each_str(|row, out| match std::str::from_utf8(s.get(row)) {
        Ok(s) => {
            out.push_str(s);
            Ok(true)
        }
        Err(_) if fail => {
            let mut hex = String::new();
            for b in s.get(row) {
                // Writing to a String does not fail.
                let _ = write!(hex, "\\x{b:02X}");
            }
            Err(Error::new("INVALID_UTF8_STRING").with("str", hex))
        }
        Err(_) => Ok(false),
    })
}
