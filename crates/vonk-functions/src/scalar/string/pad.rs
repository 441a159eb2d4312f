//! `lpad`, `rpad`, `repeat`, `space`.

use super::{char_count, char_offset};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::{INT, STR, TEXT, Takes};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::ArrayRef;
use arrow::datatypes::Int32Type;
use vonk_error::{Error, Result};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let pad = |name, docs, kernel| ScalarFunction {
        display: Display::Typed(|name, args, types| match (args, types.first()) {
            ([s, n], Some(DataType::Binary)) => format!("{name}({s}, {n}, X'00')"),
            ([s, n], _) => format!("{name}({s}, {n},  )"),
            _ => format!("{name}({})", args.join(", ")),
        }),
        ..ScalarFunction::new(name, docs, Arity::between(2, 3), resolve_pad, kernel)
    };
    vec![
        pad(
            "lpad",
            docs!(String, "lpad(str, len[, pad])", "The string at this length, filled on the left with spaces or `pad`.", "1.5.0", [
                "SELECT lpad('hi', 5, '??')" => "???hi",
                "SELECT lpad('hi', 1, '??')" => "h",
            ]),
            |call| padded(call, true),
        ),
        pad(
            "rpad",
            docs!(String, "rpad(str, len[, pad])", "The string at this length, filled on the right with spaces or `pad`.", "1.5.0", [
                "SELECT rpad('hi', 5, '??')" => "hi???",
                "SELECT rpad('hi', 1, '??')" => "h",
            ]),
            |call| padded(call, false),
        ),
        ScalarFunction::new(
            "repeat",
            docs!(String, "repeat(str, n)", "The string n times.", "1.5.0", [
                "SELECT repeat('123', 2)" => "123123",
            ]),
            Arity::exactly(2),
            |site| site.returns(site.take(&[STR, INT])?, DataType::String),
            |call| {
                let (s, n) = (call.strings(0), call.values::<Int32Type>(1));
                call.each_str(|row, out| {
                    let (s, n) = (s.get(row), n.get(row).max(0) as usize);
                    check_size(s.len().saturating_mul(n))?;
                    (0..n).take_while(|_| !s.is_empty()).for_each(|_| out.push_str(s));
                    Ok(true)
                })
            },
        ),
        ScalarFunction::new(
            "space",
            docs!(String, "space(n)", "n spaces.", "1.5.0", ["SELECT concat(space(2), '1')" => "  1"]),
            Arity::exactly(1),
            |site| site.returns(site.take(&[INT])?, DataType::String),
            |call| {
                let n = call.values::<Int32Type>(0);
                call.each_str(|row, out| {
                    let n = n.get(row).max(0) as usize;
                    check_size(n)?;
                    out.extend(std::iter::repeat_n(' ', n));
                    Ok(true)
                })
            },
        ),
    ]
}

/// Longest text that one row may become.
const MAX_TEXT: usize = 1 << 30;

/// Refuses texts that would take all memory.
pub(super) fn check_size(bytes: usize) -> Result<()> {
    if bytes <= MAX_TEXT {
        return Ok(());
    }
    Err(Error::new("_OUT_OF_MEMORY")
        .with("consumer", "A string")
        .with("needed", bytes.to_string())
        .with("available", MAX_TEXT.to_string())
        .with("limit", MAX_TEXT.to_string()))
}

/// Two binaries stay binaries; anything else is text.
fn resolve_pad(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[TEXT, INT, TEXT])?;
    let binary = types[0] == DataType::Binary && types.get(2).is_none_or(|t| *t == DataType::Binary);
    if binary {
        return site.returns(types, DataType::Binary);
    }
    site.returns(site.take(&[STR, INT, Takes::To(DataType::String)])?, DataType::String)
}

fn padded(call: &KernelCall<'_>, left: bool) -> Result<ArrayRef> {
    let n = call.values::<Int32Type>(1);
    if *call.return_type == DataType::Binary {
        let (s, pad) = (call.bytes(0), (call.args.len() > 2).then(|| call.bytes(2)));
        return call.each_binary(|row, out| {
            let (s, n) = (s.get(row), n.get(row).max(0) as usize);
            check_size(n)?;
            let pad = pad.as_ref().map_or(&b"\0"[..], |p| p.get(row));
            let missing = if pad.is_empty() { 0 } else { n.saturating_sub(s.len()) };
            let fill = pad.iter().copied().cycle().take(missing);
            let s = &s[..s.len().min(n)];
            if left {
                out.extend(fill);
                out.extend_from_slice(s);
            } else {
                out.extend_from_slice(s);
                out.extend(fill);
            }
            Ok(true)
        });
    }
    let (s, pad) = (call.strings(0), (call.args.len() > 2).then(|| call.strings(2)));
    call.each_str(|row, out| {
        let (s, n) = (s.get(row), n.get(row).max(0) as usize);
        check_size(n)?;
        let pad = pad.map_or(" ", |p| p.get(row));
        let missing = if pad.is_empty() { 0 } else { n.saturating_sub(char_count(s)) };
        let fill = pad.chars().cycle().take(missing);
        let s = if missing > 0 { s } else { &s[..char_offset(s, n)] };
        if left {
            out.extend(fill);
            out.push_str(s);
        } else {
            out.push_str(s);
            out.extend(fill);
        }
        Ok(true)
    })
}
