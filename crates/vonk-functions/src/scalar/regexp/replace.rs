//! `regexp_replace`.

use super::pattern::{Groups, Pattern, Patterns, slice, without_first};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::params::{INT, STR};
use crate::scalar::{Display, ScalarFunction};
use arrow::array::ArrayRef;
use arrow::datatypes::Int32Type;
use vonk_error::{Error, Result};
use vonk_types::{DataType, ScalarValue};

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        display: Display::Custom(|name, args| match args {
            [s, p, r] => format!("{name}({s}, {p}, {r}, 1)"),
            _ => format!("{name}({})", args.join(", ")),
        }),
        ..ScalarFunction::new(
            "regexp_replace",
            docs!(
                String,
                "regexp_replace(str, regexp, rep[, position])",
                "The string with every match replaced; `$1` in the replacement stands for a group.",
                "1.5.0",
                ["SELECT regexp_replace('100-200', '(\\\\d+)', 'num')" => "num-num"]
            ),
            Arity::between(3, 4),
            resolve,
            regexp_replace,
        )
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let types = site.take(&[STR, STR, STR, INT])?;
    if let Some(position) = site.args.get(3) {
        let Some(literal) = &position.literal else {
            return Err(site.not_foldable(3, "position", &DataType::Int));
        };
        if let ScalarValue::Int32(Some(n)) = &literal.value
            && *n <= 0
        {
            return Err(Error::new("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
                .with("exprName", "position")
                .with("valueRange", "(0, 2147483647]")
                .with("currentValue", n.to_string())
                .at(site.span));
        }
    }
    site.returns(types, DataType::String)
}

fn regexp_replace(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (s, pattern, with) = (call.strings(0), call.strings(1), call.strings(2));
    let position = (call.args.len() > 3).then(|| call.values::<Int32Type>(3));
    let mut patterns = Patterns::of("regexp_replace");
    let mut parts: Option<(&str, &str, Option<Vec<Part>>)> = None;
    call.each_str(|row, out| {
        let (s, regexp, with) = (s.get(row), pattern.get(row), with.get(row));
        let position = position.map_or(1, |p| p.get(row));
        let pattern = patterns.get(regexp)?;
        if parts.as_ref().is_none_or(|(r, w, _)| *r != regexp || *w != with) {
            parts = Some((regexp, with, replacement(with, pattern)));
        }
        let wrong = || {
            Error::new("INVALID_REGEXP_REPLACE")
                .with("source", s)
                .with("pattern", regexp)
                .with("replacement", with)
                .with("position", position.to_string())
        };
        // What lies before the place is not seen at all; a place behind the end changes nothing.
        let rest = without_first(s, position.max(1) as usize - 1).unwrap_or("");
        out.push_str(&s[..s.len() - rest.len()]);
        if rest.is_empty() && position > 1 {
            return Ok(true);
        }
        let mut done = 0;
        pattern.each_captures(rest, |groups| {
            let Some((_, _, Some(parts))) = &parts else { return Err(wrong()) };
            let (start, end) = groups[0].unwrap_or((done, done));
            out.push_str(&rest[done..start]);
            write(parts, rest, groups, out);
            done = end;
            Ok(true)
        })?;
        out.push_str(&rest[done..]);
        Ok(true)
    })
}

/// A piece of a replacement.
#[derive(Debug, PartialEq)]
enum Part {
    Text(String),
    Group(usize),
}

fn write(parts: &[Part], text: &str, groups: &Groups, out: &mut String) {
    for part in parts {
        match part {
            Part::Text(s) => out.push_str(s),
            Part::Group(n) => out.push_str(slice(text, groups.get(*n))),
        }
    }
}

/// Reads a replacement: `\x` is x, `$n` and `${name}` are groups. `None` where Java refuses.
fn replacement(text: &str, pattern: &Pattern) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.push(chars.next()?),
            '$' => {
                let group = if chars.peek() == Some(&'{') {
                    chars.next();
                    let mut name = String::new();
                    loop {
                        match chars.next()? {
                            '}' => break,
                            c => name.push(c),
                        }
                    }
                    pattern.group(&name)?
                } else {
                    // As many digits as make the number of a group.
                    let mut group = chars.next()?.to_digit(10)? as usize;
                    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                        let more = group * 10 + digit as usize;
                        if more > pattern.groups() {
                            break;
                        }
                        group = more;
                        chars.next();
                    }
                    group
                };
                if group > pattern.groups() {
                    return None;
                }
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Group(group));
            }
            c => plain.push(c),
        }
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Some(parts)
}
