//! `replace`, `translate`, `overlay`, `reverse`, `quote`.

use super::slice::{byte_range, part};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::{INT, STR, TEXT};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::datatypes::Int32Type;
use memchr::memmem::Finder;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = replacing();
    rows.extend(turning());
    rows
}

fn replacing() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            display: Display::Custom(|name, args| match args {
                [s, search] => format!("{name}({s}, {search}, )"),
                _ => format!("{name}({})", args.join(", ")),
            }),
            ..ScalarFunction::new(
                "replace",
                docs!(String, "replace(str, search[, replace])", "The string with every occurrence of `search` replaced.", "2.3.0", [
                    "SELECT replace('ABCabc', 'abc', 'DEF')" => "ABCDEF",
                ]),
                Arity::between(2, 3),
                |site| site.returns(site.take(&[STR, STR, STR])?, DataType::String),
                replace,
            )
        },
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "translate",
                docs!(
                    String,
                    "translate(input, from, to)",
                    "The string with each character of `from` replaced by the one at its place in `to`, or left out.",
                    "1.5.0",
                    ["SELECT translate('AaBbCc', 'abc', '123')" => "A1B2C3"]
                ),
                Arity::exactly(3),
                |site| site.returns(site.take(&[STR, STR, STR])?, DataType::String),
                translate,
            )
        },
        ScalarFunction {
            can_fail: false,
            display: Display::Custom(|name, args| match args {
                [s, r, pos] => format!("{name}({s}, {r}, {pos}, -1)"),
                _ => format!("{name}({})", args.join(", ")),
            }),
            ..ScalarFunction::new(
                "overlay",
                docs!(
                    String,
                    "overlay(input PLACING replace FROM pos [FOR len])",
                    "The string with `len` characters (as many as `replace` has) replaced from a place on.",
                    "3.0.0",
                    [
                        "SELECT overlay('Spark SQL' PLACING '_' FROM 6)" => "Spark_SQL",
                        "SELECT overlay('Spark SQL', 'ANSI ', 7, 0)" => "Spark ANSI SQL",
                    ]
                ),
                Arity::between(3, 4),
                resolve_overlay,
                overlay,
            )
        },
    ]
}

fn turning() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "reverse",
                docs!(String, "reverse(expr)", "The string or array from its end to its beginning.", "1.5.0", [
                    "SELECT reverse('Spark SQL')" => "LQS krapS",
                    "SELECT reverse(array(2, 1, 4, 3))" => "[3,4,1,2]",
                ]),
                Arity::exactly(1),
                resolve_reverse,
                reverse,
            )
        },
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "quote",
                docs!(String, "quote(str)", "The string in single quotes, those in it escaped.", "4.1.0", [
                    "SELECT quote('Don\\'t')" => "'Don\\'t'",
                ]),
                Arity::exactly(1),
                |site| site.returns(site.take(&[STR])?, DataType::String),
                |call| {
                    let s = call.strings(0);
                    call.each_str(|row, out| {
                        out.push('\'');
                        for c in s.get(row).chars() {
                            if c == '\'' {
                                out.push('\\');
                            }
                            out.push(c);
                        }
                        out.push('\'');
                        Ok(true)
                    })
                },
            )
        },
    ]
}

fn replace(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (s, search) = (call.strings(0), call.strings(1));
    let with = (call.args.len() > 2).then(|| call.strings(2));
    let finder = search.constant().map(|s| Finder::new(s.as_bytes()));
    call.each_str(|row, out| {
        let (s, search) = (s.get(row), search.get(row));
        let with = with.map_or("", |w| w.get(row));
        let own;
        let finder = match &finder {
            Some(f) => f,
            None => {
                own = Finder::new(search.as_bytes());
                &own
            }
        };
        let mut done = 0;
        if !search.is_empty() {
            for at in finder.find_iter(s.as_bytes()) {
                out.push_str(&s[done..at]);
                out.push_str(with);
                done = at + search.len();
            }
        }
        out.push_str(&s[done..]);
        Ok(true)
    })
}

fn translate(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (s, from, to) = (call.strings(0), call.strings(1), call.strings(2));
    let mut table: Vec<(char, Option<char>)> = Vec::new();
    let mut made_for: Option<(&str, &str)> = None;
    call.each_str(|row, out| {
        let (from, to) = (from.get(row), to.get(row));
        if made_for != Some((from, to)) {
            made_for = Some((from, to));
            table.clear();
            let mut targets = to.chars();
            for c in from.chars() {
                let target = targets.next();
                if table.iter().all(|(known, _)| *known != c) {
                    table.push((c, target));
                }
            }
        }
        for c in s.get(row).chars() {
            match table.iter().find(|(known, _)| *known == c) {
                Some((_, target)) => out.extend(*target),
                None => out.push(c),
            }
        }
        Ok(true)
    })
}

fn resolve_overlay(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[TEXT, TEXT, INT, INT])?;
    if types[0] != types[1] {
        return Err(Error::new("DATATYPE_MISMATCH.DATA_DIFF_TYPES")
            .with("functionName", "`overlay`")
            .with("dataType", format!("(\"{}\" or \"{}\")", types[0].sql(), types[1].sql()))
            .at(site.span));
    }
    let first = types[0].clone();
    site.returns(types, first)
}

fn overlay(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let pos = call.values::<Int32Type>(2);
    let len = (call.args.len() > 3).then(|| call.values::<Int32Type>(3));
    let given = |row| len.map(|l| l.get(row)).filter(|l| *l >= 0);
    if *call.return_type == DataType::Binary {
        let (s, with) = (call.bytes(0), call.bytes(1));
        return call.each_binary(|row, out| {
            let (s, with, pos) = (s.get(row), with.get(row), pos.get(row));
            let len = given(row).unwrap_or(with.len() as i32);
            out.extend_from_slice(&s[byte_range(s.len(), 1, pos.saturating_sub(1))]);
            out.extend_from_slice(with);
            out.extend_from_slice(&s[byte_range(s.len(), pos.saturating_add(len), i32::MAX)]);
            Ok(true)
        });
    }
    let (s, with) = (call.strings(0), call.strings(1));
    call.each_str(|row, out| {
        let (s, with, pos) = (s.get(row), with.get(row), pos.get(row));
        let len = given(row).unwrap_or_else(|| super::char_count(with) as i32);
        out.push_str(part(s, 1, pos.saturating_sub(1)));
        out.push_str(with);
        // From place 0 or before it, Spark counts from the end.
        out.push_str(part(s, pos.saturating_add(len), i32::MAX));
        Ok(true)
    })
}

fn resolve_reverse(site: &CallSite<'_>) -> Result<Resolution> {
    if let t @ DataType::Array(..) = site.arg_type(0) {
        return site.returns(vec![t.clone()], t.clone());
    }
    let types =
        site.take(&[TEXT]).map_err(|_| site.unexpected_type(0, "(\"STRING\" or \"BINARY\" or \"ARRAY\")"))?;
    let t = types[0].clone();
    site.returns(types, t)
}

fn reverse(call: &KernelCall<'_>) -> Result<ArrayRef> {
    match call.return_type {
        DataType::Array(..) => reverse_arrays(call),
        DataType::Binary => {
            let s = call.bytes(0);
            call.each_binary(|row, out| {
                out.extend(s.get(row).iter().rev());
                Ok(true)
            })
        }
        _ => {
            let s = call.strings(0);
            call.each_str(|row, out| {
                out.extend(s.get(row).chars().rev());
                Ok(true)
            })
        }
    }
}

fn reverse_arrays(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let array = call.args[0].to_array(call.rows)?;
    let lists = array.as_list::<i32>();
    let mut indices: Vec<u32> = Vec::with_capacity(lists.values().len());
    for ends in lists.offsets().windows(2) {
        indices.extend((ends[0] as u32..ends[1] as u32).rev());
    }
    let values = arrow::compute::take(lists.values(), &UInt32Array::from(indices), None)?;
    let offsets =
        arrow::buffer::OffsetBuffer::from_lengths(lists.offsets().windows(2).map(|w| (w[1] - w[0]) as usize));
    let DataType::Array(element, null) = call.return_type else {
        return vonk_error::internal_err!("a reversed array of {}", call.return_type);
    };
    let field = vonk_types::arrow_types::list_field(element, *null);
    Ok(Arc::new(arrow::array::ListArray::try_new(field, offsets, values, array.nulls().cloned())?))
}
