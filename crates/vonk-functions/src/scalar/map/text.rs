//! `str_to_map`.

use super::{docs, unique_entries};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::array::lists::{Shape, map_of};
use crate::scalar::array::resolved;
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use regex::Regex;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::DataType;

const STR_TO_MAP: Docs = docs(
    "str_to_map(text[, pairDelim[, keyValueDelim]])",
    "A map of the pairs of a text; the delimiters, `,` and `:` if not given, are regular expressions.",
    "2.0.1",
    &[
        ex("SELECT str_to_map('a:1,b:2,c:3', ',', ':')", "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}"),
        ex("SELECT str_to_map('a')", "{\"a\":null}"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        display: Display::Custom(|_, args| {
            let part = |i: usize, default: &str| args.get(i).map_or(default.to_string(), String::clone);
            format!("str_to_map({}, {}, {})", part(0, ""), part(1, ","), part(2, ":"))
        }),
        ..ScalarFunction::new("str_to_map", STR_TO_MAP, Arity::between(1, 3), resolve, str_to_map)
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    for i in 0..site.args.len() {
        if !matches!(site.arg_type(i), DataType::String | DataType::Null) {
            return Err(site.unexpected_type(i, "\"STRING\""));
        }
    }
    let types = vec![DataType::String; site.args.len()];
    resolved(types, DataType::map(DataType::String, DataType::String, true), site.any_nullable())
}

/// A delimiter: a plain text where the pattern has no special characters.
enum Delimiter {
    Plain(String),
    Pattern(Regex),
}

impl Delimiter {
    fn new(pattern: &str) -> Result<Delimiter> {
        if !pattern.is_empty() && regex::escape(pattern) == pattern {
            return Ok(Delimiter::Plain(pattern.to_string()));
        }
        let regex = Regex::new(pattern).map_err(|_| {
            Error::new("INVALID_PARAMETER_VALUE.PATTERN")
                .with("parameter", "`regexp`")
                .with("functionName", "`str_to_map`")
                .with("value", format!("'{pattern}'"))
        })?;
        Ok(Delimiter::Pattern(regex))
    }

    /// The place of the first delimiter at or after `from`, as Java's split finds them: never empty at the beginning.
    fn find(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        match self {
            Delimiter::Plain(d) => text[from..].find(d.as_str()).map(|i| (from + i, from + i + d.len())),
            Delimiter::Pattern(r) => {
                r.find_at(text, from).map(|m| (m.start(), m.end())).filter(|(_, end)| *end > 0 || from > 0)
            }
        }
    }

    /// All parts of a text.
    fn split<'t>(&self, text: &'t str, mut part: impl FnMut(&'t str)) {
        let (mut start, mut from) = (0, 0);
        while from <= text.len() {
            let found = match self {
                Delimiter::Plain(_) => self.find(text, from),
                Delimiter::Pattern(r) => r.find_at(text, from).map(|m| (m.start(), m.end())),
            };
            let Some((s, e)) = found else { break };
            if e > 0 {
                part(&text[start..s]);
                start = e;
            }
            // An empty match must move on by a character.
            from =
                if e > s { e } else { text[e..].chars().next().map_or(text.len() + 1, |c| e + c.len_utf8()) };
        }
        part(&text[start..]);
    }
}

/// The delimiter of a row; compiled again only where it changes.
struct Delimiters<'a> {
    call: &'a KernelCall<'a>,
    arg: usize,
    last: Option<(String, Delimiter)>,
    default: &'static str,
}

impl Delimiters<'_> {
    fn at(&mut self, row: usize) -> Result<Option<&Delimiter>> {
        let text = match self.call.args.get(self.arg) {
            None => self.default,
            Some(d) => {
                let (strings, i) = (d.values().as_string_view(), d.index(row));
                if strings.is_null(i) {
                    return Ok(None);
                }
                strings.value(i)
            }
        };
        if self.last.as_ref().is_none_or(|(t, _)| t != text) {
            self.last = Some((text.to_string(), Delimiter::new(text)?));
        }
        Ok(self.last.as_ref().map(|(_, d)| d))
    }
}

fn str_to_map(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let texts = call.args[0].values().as_string_view();
    let mut pairs = Delimiters { call, arg: 1, last: None, default: "," };
    let mut values = Delimiters { call, arg: 2, last: None, default: ":" };
    let (mut key_column, mut value_column) = (StringViewBuilder::new(), StringViewBuilder::new());
    let mut shape = Shape::new(call.rows);
    for row in 0..call.rows {
        let i = call.args[0].index(row);
        let (Some(pair), Some(value), true) = (pairs.at(row)?, values.at(row)?, texts.is_valid(i)) else {
            shape.push_null();
            continue;
        };
        let mut n = 0;
        pair.split(texts.value(i), |entry| {
            n += 1;
            match value.find(entry, 0) {
                Some((s, e)) => {
                    key_column.append_value(&entry[..s]);
                    value_column.append_value(&entry[e..]);
                }
                None => {
                    key_column.append_value(entry);
                    value_column.append_null();
                }
            }
        });
        shape.push(n)?;
    }
    let (offsets, nulls) = shape.parts();
    let keys: ArrayRef = Arc::new(key_column.finish());
    let values: ArrayRef = Arc::new(value_column.finish());
    let entries = (offsets, keys, values);
    let (offsets, keys, values) = unique_entries(entries, &DataType::String, nulls.as_ref(), call.ctx)?;
    map_of(offsets, keys, values, nulls, call.return_type)
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;

    // Asked of Spark, whose maps print sorted.
    #[test]
    fn splits_as_java_does() {
        let of = |text: &str, pair: &str, value: &str| {
            let column = |s: &str| string_column(&[Some(s)]);
            run("str_to_map", &[column(text), column(pair), column(value)]).unwrap().remove(0)
        };
        assert_eq!(of("a:1,b:2", ",", ":"), "{a: 1, b: 2}");
        assert_eq!(of("a1b2c", "[0-9]", ":"), "{a: null, b: null, c: null}");
        assert_eq!(of("a:1:2,b", ",", ":"), "{a: 1:2, b: null}");
        assert_eq!(of("a|b", "|", ":"), "{a: null, |: null, b: null, : null}");
        assert_eq!(of("", ",", ":"), "{: null}");
    }
}
