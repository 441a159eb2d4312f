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
use vonk_error::{Error, Result};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            display: Display::Custom(|name, args| match args {
                [s, needle, start] => format!("{name}({s}, {needle}, {start}, 1)"),
                _ => format!("{name}({})", args.join(", ")),
            }),
            ..ScalarFunction::new(
                "instr",
                docs!(
                    String,
                    "instr(str, substr[, start[, occurrence]])",
                    "Where the second string occurs in the first, from 1, looking forward or, from a negative place, \
                     backward; 0 if nowhere.",
                    "1.5.0",
                    [
                        "SELECT instr('SparkSQL', 'SQL')" => "6",
                        "SELECT instr('abcabc', 'b', 1, 2)" => "5",
                        "SELECT instr('abcabc', 'b', -1, 1)" => "5",
                    ]
                ),
                Arity::between(2, 4),
                |site| site.returns(site.take(&[STR, STR, INT, INT])?, DataType::Int),
                instr,
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

fn instr(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (s, needle) = (call.strings(0), call.strings(1));
    if call.args.len() == 2 {
        return call.each::<Int32Type>(|row| Ok(Some(place(s.get(row), needle.get(row), 1))));
    }
    let start = call.values::<Int32Type>(2);
    let occurrence = (call.args.len() > 3).then(|| call.values::<Int32Type>(3));
    call.each::<Int32Type>(|row| {
        let occurrence = occurrence.map_or(1, |o| o.get(row));
        if occurrence <= 0 {
            return Err(Error::new("INVALID_PARAMETER_VALUE.OCCURRENCE")
                .with("functionName", "`instr`")
                .with("parameter", "`occurrence`")
                .with("actual", occurrence.to_string()));
        }
        Ok(Some(nth_place(s.get(row), needle.get(row), start.get(row), occurrence)))
    })
}

/// As [`place`], of the n-th occurrence, which may overlap others; backward from a negative place.
fn nth_place(s: &str, needle: &str, start: i32, n: i32) -> i32 {
    if start == 0 {
        return 0;
    }
    if needle.is_empty() {
        return 1;
    }
    let places = s.char_indices().enumerate().filter(|(_, (at, _))| s[*at..].starts_with(needle));
    let places = places.map(|(i, _)| i as i64 + 1);
    let n = n as usize - 1;
    let found = if start > 0 {
        places.skip_while(|p| *p < i64::from(start)).nth(n)
    } else {
        let last = super::char_count(s) as i64 + i64::from(start) + 1;
        let all: Vec<i64> = places.take_while(|p| *p <= last).collect();
        all.len().checked_sub(n + 1).map(|i| all[i])
    };
    found.map_or(0, |p| p as i32)
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
