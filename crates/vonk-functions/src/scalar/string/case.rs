//! `lower`, `upper`, `initcap`.

use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::ScalarFunction;
use crate::scalar::params::STR;
use arrow::array::ArrayRef;
use std::borrow::Cow;
use vonk_error::Result;
use vonk_types::DataType;

pub(super) fn rows() -> Vec<ScalarFunction> {
    let one = |name, docs, kernel| ScalarFunction {
        can_fail: false,
        ..ScalarFunction::new(
            name,
            docs,
            Arity::exactly(1),
            |site| site.returns(site.take(&[STR])?, DataType::String),
            kernel,
        )
    };
    vec![
        ScalarFunction {
            aliases: &["lcase"],
            ..one(
                "lower",
                docs!(String, "lower(str)", "The string in lower case.", "1.0.1", [
                    "SELECT lower('SparkSql')" => "sparksql",
                ]),
                |call| {
                    map(call, |s, out| match s.is_ascii() {
                        true => out.extend(s.bytes().map(|b| b.to_ascii_lowercase() as char)),
                        false => out.push_str(&s.to_lowercase()),
                    })
                },
            )
        },
        ScalarFunction {
            aliases: &["ucase"],
            ..one(
                "upper",
                docs!(String, "upper(str)", "The string in upper case.", "1.0.1", [
                    "SELECT upper('SparkSql')" => "SPARKSQL",
                ]),
                |call| {
                    map(call, |s, out| match s.is_ascii() {
                        true => out.extend(s.bytes().map(|b| b.to_ascii_uppercase() as char)),
                        false => out.push_str(&s.to_uppercase()),
                    })
                },
            )
        },
        one(
            "initcap",
            docs!(String, "initcap(str)", "The string with the first letter of each word in upper case.", "1.5.0", [
                "SELECT initcap('sPark sql')" => "Spark Sql",
            ]),
            |call| map(call, initcap),
        ),
    ]
}

fn map(call: &KernelCall<'_>, f: impl Fn(&str, &mut String)) -> Result<ArrayRef> {
    let s = call.strings(0);
    call.each_str(|row, out| {
        f(s.get(row), out);
        Ok(true)
    })
}

/// In lower case.
pub(super) fn lower(s: &str) -> Cow<'_, str> {
    match s {
        s if s.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) => Cow::Borrowed(s),
        s if s.is_ascii() => Cow::Owned(s.to_ascii_lowercase()),
        s => Cow::Owned(s.to_lowercase()),
    }
}

/// Words are what spaces separate; their first character becomes a title, the others small.
fn initcap(s: &str, out: &mut String) {
    let mut first = true;
    for c in lower(s).chars() {
        if first {
            title(c, out)
        } else {
            out.push(c)
        }
        first = c == ' ';
    }
}

/// The title case of a character: the digraphs of Unicode have one of their own.
fn title(c: char, out: &mut String) {
    match c {
        '\u{1C4}'..='\u{1C6}' => out.push('\u{1C5}'),
        '\u{1C7}'..='\u{1C9}' => out.push('\u{1C8}'),
        '\u{1CA}'..='\u{1CC}' => out.push('\u{1CB}'),
        '\u{1F1}'..='\u{1F3}' => out.push('\u{1F2}'),
        c => {
            let mut upper = c.to_uppercase();
            // What becomes several letters has only the first of them in upper case, as `ß` becomes `Ss`.
            out.extend(upper.next());
            out.extend(upper.flat_map(char::to_lowercase));
        }
    }
}
