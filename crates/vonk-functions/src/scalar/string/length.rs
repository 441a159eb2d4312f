//! Lengths of strings and binaries, and characters by number.

use super::char_count;
use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::ScalarFunction;
use crate::scalar::apply::INLINE;
use crate::scalar::params::{LONG, STR, TEXT};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Int32Type, Int64Type};
use vonk_error::Result;
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let int = |name, docs, kernel| ScalarFunction {
        can_fail: false,
        ..ScalarFunction::new(
            name,
            docs,
            Arity::exactly(1),
            |site| site.returns(site.take(&[TEXT])?, DataType::Int),
            kernel,
        )
    };
    vec![
        ScalarFunction {
            aliases: &["char_length", "character_length", "len"],
            ..int(
                "length",
                docs!(String, "length(expr)", "Number of characters of a string, or of bytes of a binary.", "1.5.0", [
                    "SELECT length('Spark SQL ')" => "10",
                    "SELECT length(x'537061726b2053514c')" => "9",
                ]),
                length,
            )
        },
        int(
            "octet_length",
            docs!(String, "octet_length(expr)", "Number of bytes.", "2.3.0", [
                "SELECT octet_length('Spark SQL')" => "9",
                "SELECT octet_length('é')" => "2",
            ]),
            |call| bytes(call, 1),
        ),
        int(
            "bit_length",
            docs!(String, "bit_length(expr)", "Number of bits.", "2.3.0", [
                "SELECT bit_length('Spark SQL')" => "72",
            ]),
            |call| bytes(call, 8),
        ),
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "ascii",
                docs!(String, "ascii(str)", "Number of the first character.", "1.5.0", [
                    "SELECT ascii('222')" => "50",
                    "SELECT ascii('')" => "0",
                ]),
                Arity::exactly(1),
                |site| site.returns(site.take(&[STR])?, DataType::Int),
                |call| {
                    let s = call.strings(0);
                    call.each::<Int32Type>(|row| Ok(Some(s.get(row).chars().next().map_or(0, |c| c as i32))))
                },
            )
        },
        ScalarFunction {
            aliases: &["char"],
            can_fail: false,
            ..ScalarFunction::new(
                "chr",
                docs!(String, "chr(expr)", "The character of this number, modulo 256; empty for a negative one.", "2.3.0", [
                    "SELECT chr(65)" => "A",
                ]),
                Arity::exactly(1),
                |site| site.returns(site.take(&[LONG])?, DataType::String),
                |call| {
                    let n = call.values::<Int64Type>(0);
                    call.each_str(|row, out| {
                        let n = n.get(row);
                        if n >= 0 {
                            out.push((n & 0xFF) as u8 as char);
                        }
                        Ok(true)
                    })
                },
            )
        },
    ]
}

/// Lengths in bytes are in the views: no text is read.
fn bytes(call: &KernelCall<'_>, times: i32) -> Result<ArrayRef> {
    let array = call.args[0].values();
    let views = match array.as_string_view_opt() {
        Some(strings) => strings.views(),
        None => array.as_binary_view().views(),
    };
    let step = usize::from(!call.args[0].is_scalar());
    call.each::<Int32Type>(|row| Ok(Some((views[row * step] as u32 as i32).wrapping_mul(times))))
}

fn length(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if call.arg_types[0] == DataType::Binary {
        return bytes(call, 1);
    }
    let s = call.strings(0);
    let array = s.array();
    // One look at the buffers tells whether all text of more than the inlined length is ASCII.
    let buffers_ascii =
        array.len() > INLINE && array.data_buffers().iter().all(|b| b.len() < 1 << 22 && b.is_ascii());
    call.each::<Int32Type>(|row| {
        let s = s.get(row);
        Ok(Some(if buffers_ascii && s.len() > INLINE { s.len() } else { char_count(s) } as i32))
    })
}
