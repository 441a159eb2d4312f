//! Finding one string in another: `instr`, `locate`, `find_in_set`.

use super::char_offset;
use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::params::{INT, STR};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{Array, ArrayRef, Int32Array};
use arrow::datatypes::Int32Type;
use memchr::memmem;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "instr",
                docs!(String, "instr(str, substr)", "Where the second string first occurs in the first, from 1; 0 if nowhere.", "1.5.0", [
                    "SELECT instr('SparkSQL', 'SQL')" => "6",
                ]),
                Arity::exactly(2),
                |site| site.returns(site.take(&[STR, STR])?, DataType::Int),
                |call| {
                    let (s, needle) = (call.strings(0), call.strings(1));
                    call.each::<Int32Type>(|row| Ok(Some(place(s.get(row), needle.get(row), 1))))
                },
            )
        },
        ScalarFunction {
            aliases: &["position"],
            can_fail: false,
            null_propagating: false,
            display: Display::Custom(|name, args| match args {
                [needle, s] => format!("{name}({needle}, {s}, 1)"),
                _ => format!("{name}({})", args.join(", ")),
            }),
            ..ScalarFunction::new(
                "locate",
                docs!(
                    String,
                    "locate(substr, str[, pos])",
                    "Where the first string first occurs in the second at or behind a place, from 1; 0 if nowhere.",
                    "1.5.0",
                    [
                        "SELECT locate('bar', 'foobarbar')" => "4",
                        "SELECT locate('bar', 'foobarbar', 5)" => "7",
                        "SELECT POSITION('bar' IN 'foobarbar')" => "4",
                    ]
                ),
                Arity::between(2, 3),
                |site| site.returns(site.take(&[STR, STR, INT])?, DataType::Int),
                locate,
            )
        },
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "find_in_set",
                docs!(String, "find_in_set(str, str_array)", "The place of a string in a list with commas, from 1; 0 if it is not there.", "1.5.0", [
                    "SELECT find_in_set('ab','abc,b,ab,c,def')" => "3",
                ]),
                Arity::exactly(2),
                |site| site.returns(site.take(&[STR, STR])?, DataType::Int),
                |call| {
                    let (s, list) = (call.strings(0), call.strings(1));
                    call.each::<Int32Type>(|row| {
                        let s = s.get(row);
                        let at = list.get(row).split(',').position(|member| member == s);
                        Ok(Some(match at {
                            Some(at) if !s.contains(',') => at as i32 + 1,
                            _ => 0,
                        }))
                    })
                },
            )
        },
    ]
}

/// The character place of a string in another, from 1, at or behind place `from`; 0 if there is none.
fn place(s: &str, needle: &str, from: i32) -> i32 {
    if from < 1 {
        return 0;
    }
    if needle.is_empty() {
        return 1;
    }
    let start = char_offset(s, from as usize - 1);
    match memmem::find(&s.as_bytes()[start..], needle.as_bytes()) {
        Some(at) => super::char_count(&s[..start + at]) as i32 + 1,
        None => 0,
    }
}

/// A null place to begin at finds nothing, whatever the strings.
fn locate(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if call.args.len() == 2 {
        let (needle, s) = (call.strings(0), call.strings(1));
        return call.each::<Int32Type>(|row| Ok(Some(place(s.get(row), needle.get(row), 1))));
    }
    let (needle, s) = (call.strings(0), call.strings(1));
    let from = call.values::<Int32Type>(2);
    let null = |arg: usize, row: usize| call.args[arg].values().is_null(call.args[arg].index(row));
    let found: Int32Array = (0..call.rows)
        .map(|row| {
            if null(2, row) {
                return Some(0);
            }
            (!null(0, row) && !null(1, row)).then(|| place(s.get(row), needle.get(row), from.get(row)))
        })
        .collect();
    Ok(Arc::new(found))
}
