//! Parts of strings: `substring`, `left`, `right`, `substring_index`, `split_part`. Text is not copied.

use super::char_offset;
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::{INT, STR, TEXT};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::ArrayRef;
use arrow::datatypes::Int32Type;
use memchr::memmem;
use vonk_error::{Error, Result};
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = by_place();
    rows.extend(by_delimiter());
    rows
}

fn by_place() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            aliases: &["substr"],
            can_fail: false,
            display: Display::Custom(|name, args| match args {
                [s, pos] => format!("{name}({s}, {pos}, {})", i32::MAX),
                _ => format!("{name}({})", args.join(", ")),
            }),
            ..ScalarFunction::new(
                "substring",
                docs!(
                    String,
                    "substring(str, pos[, len])",
                    "The part of a string or binary from a place, counted from 1 or, if negative, from the end.",
                    "1.5.0",
                    [
                        "SELECT substring('Spark SQL', 5)" => "k SQL",
                        "SELECT substring('Spark SQL', -3)" => "SQL",
                        "SELECT substring('Spark SQL' FROM 5 FOR 1)" => "k",
                    ]
                ),
                Arity::between(2, 3),
                |site| {
                    let types = site.take(&[TEXT, INT, INT])?;
                    let first = types[0].clone();
                    site.returns(types, first)
                },
                substring,
            )
        },
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "left",
                docs!(String, "left(str, len)", "The first characters.", "2.3.0", [
                    "SELECT left('Spark SQL', 3)" => "Spa",
                ]),
                Arity::exactly(2),
                |site| {
                    let types = site.take(&[TEXT, INT])?;
                    let first = types[0].clone();
                    site.returns(types, first)
                },
                |call| {
                    let n = call.values::<Int32Type>(1);
                    parts(call, |row| (1, n.get(row)))
                },
            )
        },
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "right",
                docs!(String, "right(str, len)", "The last characters.", "2.3.0", [
                    "SELECT right('Spark SQL', 3)" => "SQL",
                ]),
                Arity::exactly(2),
                |site| site.returns(site.take(&[STR, INT])?, DataType::String),
                |call| {
                    let n = call.values::<Int32Type>(1);
                    parts(call, |row| match n.get(row) {
                        n if n <= 0 => (1, 0),
                        n => (-n, i32::MAX),
                    })
                },
            )
        },
    ]
}

fn by_delimiter() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "substring_index",
                docs!(
                    String,
                    "substring_index(str, delim, count)",
                    "What lies before the count-th delimiter or, if negative, behind the count-th from the end.",
                    "1.5.0",
                    [
                        "SELECT substring_index('www.apache.org', '.', 2)" => "www.apache",
                        "SELECT substring_index('www.apache.org', '.', -1)" => "org",
                    ]
                ),
                Arity::exactly(3),
                |site| site.returns(site.take(&[STR, STR, INT])?, DataType::String),
                substring_index,
            )
        },
        ScalarFunction::new(
            "split_part",
            docs!(
                String,
                "split_part(str, delimiter, partNum)",
                "The part of this number between delimiters, from the end if negative; empty where there is none.",
                "3.3.0",
                [
                    "SELECT split_part('11.12.13', '.', 3)" => "13",
                    "SELECT split_part('11.12.13', '.', -2)" => "12",
                ]
            ),
            Arity::exactly(3),
            |site: &CallSite<'_>| -> Result<Resolution> {
                site.returns(site.take(&[STR, STR, INT])?, DataType::String)
            },
            split_part,
        ),
    ]
}

fn substring(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let pos = call.values::<Int32Type>(1);
    if call.args.len() == 2 {
        return parts(call, |row| (pos.get(row), i32::MAX));
    }
    let len = call.values::<Int32Type>(2);
    parts(call, |row| (pos.get(row), len.get(row)))
}

/// Parts of argument 0 by place and length.
fn parts(call: &KernelCall<'_>, range: impl Fn(usize) -> (i32, i32)) -> Result<ArrayRef> {
    if *call.return_type == DataType::Binary {
        let bytes = call.bytes(0);
        return call.each_binary(|row, out| {
            let whole = bytes.get(row);
            let (pos, len) = range(row);
            out.extend_from_slice(&whole[byte_range(whole.len(), pos, len)]);
            Ok(true)
        });
    }
    call.each_part(0, |row, whole| {
        let (pos, len) = range(row);
        Ok(Some(part(whole, pos, len)))
    })
}

/// Spark's `substringSQL`: places before the string count, but hold no characters.
pub(super) fn part(s: &str, pos: i32, len: i32) -> &str {
    let ascii = s.is_ascii();
    let start = match pos {
        0 => 0,
        1.. => i64::from(pos) - 1,
        _ => (if ascii { s.len() } else { s.chars().count() }) as i64 + i64::from(pos),
    };
    let end = (start + i64::from(len)).min(i64::from(i32::MAX));
    let (start, end) = (start.max(0) as usize, end.max(0) as usize);
    if end <= start || start >= s.len() {
        return "";
    }
    if ascii {
        return &s[start..end.min(s.len())];
    }
    let from = char_offset(s, start);
    let to =
        from + if end == i32::MAX as usize { s.len() - from } else { char_offset(&s[from..], end - start) };
    &s[from..to]
}

/// As [`part`], of bytes.
pub(super) fn byte_range(size: usize, pos: i32, len: i32) -> std::ops::Range<usize> {
    let size_long = size as i64;
    if i64::from(pos) > size_long {
        return 0..0;
    }
    let start = match pos {
        0 => 0,
        1.. => i64::from(pos) - 1,
        _ => size_long + i64::from(pos),
    };
    let end = (start + i64::from(len)).min(size_long);
    let start = start.max(0);
    if start >= end { 0..0 } else { start as usize..end as usize }
}

fn substring_index(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (delimiter, count) = (call.strings(1), call.values::<Int32Type>(2));
    call.each_part(0, |row, s| Ok(Some(before_or_behind(s, delimiter.get(row), count.get(row)))))
}

fn before_or_behind<'a>(s: &'a str, delimiter: &str, count: i32) -> &'a str {
    if delimiter.is_empty() || count == 0 {
        return "";
    }
    let (text, needle) = (s.as_bytes(), delimiter.as_bytes());
    let mut left = count.unsigned_abs();
    if count > 0 {
        // Each search begins one character behind where the last one found something.
        let mut from = 0;
        while let Some(at) = memmem::find(&text[from..], needle) {
            let at = from + at;
            left -= 1;
            if left == 0 {
                return &s[..at];
            }
            from = at + s[at..].chars().next().map_or(1, char::len_utf8);
        }
        return s;
    }
    let mut to = text.len();
    while let Some(at) = memmem::rfind(&text[..to], needle) {
        left -= 1;
        if left == 0 {
            return &s[at + needle.len()..];
        }
        // An occurrence may overlap the next one, but for its last character.
        let last = s[at..at + needle.len()].chars().next_back().map_or(1, char::len_utf8);
        to = at + needle.len() - last;
    }
    s
}

fn split_part(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (delimiter, number) = (call.strings(1), call.values::<Int32Type>(2));
    call.each_part(0, |row, s| {
        let (delimiter, number) = (delimiter.get(row), number.get(row));
        if number == 0 {
            return Err(Error::new("INVALID_INDEX_OF_ZERO"));
        }
        let n = number.unsigned_abs() as usize - 1;
        let part = match delimiter {
            "" => (n == 0).then_some(s),
            d if number > 0 => s.split(d).nth(n),
            // From the front, as what is a delimiter is found from there.
            d => {
                let parts = s.split(d).count();
                parts.checked_sub(n + 1).and_then(|n| s.split(d).nth(n))
            }
        };
        // Some empty part of it.
        Ok(Some(part.unwrap_or(&s[..0])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Asked of Spark.
    #[test]
    fn places() {
        let cases = [
            (0, 2, "he"),
            (-3, 2, "ll"),
            (-10, 7, "he"),
            (-6, 3, "he"),
            (2, -1, ""),
            (10, 5, ""),
            (5, 100, "o"),
        ];
        for (pos, len, want) in cases {
            assert_eq!(part("hello", pos, len), want, "{pos} {len}");
        }
        assert_eq!(part("héllo", 2, 2), "él");
        assert_eq!(part("hello", i32::MIN, i32::MAX), "hell");
        assert_eq!(part("hello", i32::MAX, i32::MAX), "");
        assert_eq!(super::super::char_count("é😀"), 2);
    }

    #[test]
    fn delimiters() {
        assert_eq!(before_or_behind("aaaa", "aa", 2), "a");
        assert_eq!(before_or_behind("aaaa", "aa", -2), "a");
        assert_eq!(before_or_behind("aaaaa", "aa", -2), "a");
        assert_eq!(before_or_behind("éaéb", "é", 2), "éa");
        assert_eq!(before_or_behind("a.b.c", ".", 10), "a.b.c");
    }
}
