//! `get_json_object`: the value at a path, with Hive's ways of wildcards.

use super::docs;
use super::tree::{Json, Leniency, parse};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::datetime::Cached;
use crate::scalar::params::STR;
use arrow::array::ArrayRef;
use vonk_error::Result;
use vonk_types::DataType;

const GET: Docs = docs(
    "get_json_object(json_txt, path)",
    "The value at a path such as `$.a[0].b`; null where there is none.",
    "1.5.0",
    &[
        ex("SELECT get_json_object('{\"a\":\"b\"}', '$.a')", "b"),
        ex("SELECT get_json_object('[{\"a\":\"b\"},{\"a\":\"c\"}]', '$[0].a')", "b"),
        ex("SELECT get_json_object('[{\"a\":\"b\"},{\"a\":\"c\"}]', '$[*].a')", "[\"b\",\"c\"]"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        can_fail: false,
        ..ScalarFunction::new("get_json_object", GET, Arity::exactly(2), resolve, get)
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    for i in 0..2 {
        if !matches!(site.arg_type(i), DataType::String | DataType::Null) {
            return Err(site.unexpected_type(i, "\"STRING\""));
        }
    }
    let types = site.take(&[STR, STR])?;
    site.returns_null(types, DataType::String)
}

fn get(call: &KernelCall<'_>) -> Result<ArrayRef> {
    if call.strict_nulls().is_none() {
        return Ok(call.all_null());
    }
    let (texts, paths) = (call.strings(0), call.strings(1));
    let mut cached = Cached::new();
    call.each_str(|row, out| {
        let path = cached.get(paths.get(row), |p| Ok(parse_path(p)))?;
        let found = path.as_ref().and_then(|path| {
            let json = parse(texts.get(row), Leniency::LOOKING)?;
            let mut found = Vec::new();
            find(&json, path, Style::Raw, &mut found).then_some(())?;
            found.concat(out);
            Some(())
        });
        Ok(found.is_some())
    })
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Name(String),
    Index(usize),
    /// All elements of an array.
    All,
    /// `.*`: matches nothing, but is a path.
    AnyName,
}

/// Reads a path; `None` for what is none.
fn parse_path(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(".*").or_else(|| rest.strip_prefix("['*']")) {
            steps.push(Step::AnyName);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("['") {
            let end = after.find('\'').filter(|end| *end > 0)?;
            steps.push(Step::Name(after[..end].to_string()));
            rest = after[end..].strip_prefix("']")?;
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = after.find(']')?;
            steps.push(match after[..end].trim() {
                "*" => Step::All,
                index if index.bytes().all(|b| b.is_ascii_digit()) => Step::Index(index.parse().ok()?),
                _ => return None,
            });
            rest = &after[end + 1..];
        } else {
            let after = rest.strip_prefix('.')?.trim_start();
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Name(after[..end].to_string()));
            rest = &after[end..];
        }
    }
    Some(steps)
}

/// How what is found is written.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    /// A string without quotes.
    Raw,
    /// As JSON.
    Quoted,
    /// As JSON, arrays by their elements.
    Flatten,
}

/// Values found, as they will be written: within one array they are its elements.
trait Found {
    fn concat(&self, out: &mut String);
}

impl Found for Vec<String> {
    fn concat(&self, out: &mut String) {
        self.iter().enumerate().for_each(|(i, part)| {
            if i > 0 {
                out.push(',');
            }
            out.push_str(part);
        });
    }
}

fn array_of(parts: &Vec<String>) -> String {
    let mut out = String::from("[");
    Found::concat(parts, &mut out);
    out.push(']');
    out
}

/// Finds values and adds them; whether there are any.
fn find(json: &Json<'_>, path: &[Step], style: Style, found: &mut Vec<String>) -> bool {
    match (json, path) {
        (Json::String(s), []) if style == Style::Raw => {
            found.push(s.to_string());
            true
        }
        (Json::Array(items), []) if style == Style::Flatten => {
            items.iter().filter(|item| find(item, &[], style, found)).count() > 0
        }
        (json, []) => {
            let mut out = String::new();
            json.write(&mut out);
            found.push(out);
            true
        }
        (Json::Object(fields), [Step::Name(name), rest @ ..]) => {
            // The first field that has something.
            fields
                .iter()
                .any(|(n, value)| n == name && *value != Json::Null && find(value, rest, style, found))
        }
        (Json::Array(items), [Step::All, Step::All, rest @ ..]) => {
            let mut inner = Vec::new();
            let any = items.iter().filter(|item| find(item, rest, Style::Flatten, &mut inner)).count() > 0;
            found.push(array_of(&inner));
            any
        }
        (Json::Array(items), [Step::All, rest @ ..]) if style != Style::Quoted => {
            let next = if style == Style::Raw { Style::Quoted } else { style };
            let mut inner = Vec::new();
            let matches = items.iter().filter(|item| find(item, rest, next, &mut inner)).count();
            // A single match is not put into an array.
            match matches {
                0 => {}
                1 => found.push({
                    let mut out = String::new();
                    Found::concat(&inner, &mut out);
                    out
                }),
                _ => found.push(array_of(&inner)),
            }
            matches > 0
        }
        (Json::Array(items), [Step::All, rest @ ..]) => {
            let mut inner = Vec::new();
            let any = items.iter().filter(|item| find(item, rest, Style::Quoted, &mut inner)).count() > 0;
            found.push(array_of(&inner));
            any
        }
        (Json::Array(items), [Step::Index(i), rest @ ..]) => {
            let style = if rest.first() == Some(&Step::All) { Style::Quoted } else { style };
            items.get(*i).is_some_and(|item| find(item, rest, style, found))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::scalar::array::testing::*;

    // Asked of Spark.
    #[test]
    fn paths() {
        for (json, path, expected) in [
            (r#"{"a":"b"}"#, "$.a", "b"),
            (r#"{"a":1.50}"#, "$.a", "1.5"),
            (r#"{"a":{"b":[1,2,{"c":"x y"}]}}"#, "$.a.b[2].c", "x y"),
            (r#"{"a":[1,2]}"#, "$.a[*]", "[1,2]"),
            (r#"[{"a":1},{"a":2}]"#, "$[*].a", "[1,2]"),
            (r#"[{"a":1},{"b":2}]"#, "$[*].a", "1"),
            (r#"{"a":null}"#, "$.a", "null?"),
            (r#"{"a":{"b":"x\ny"}}"#, "$.a", "{\"b\":\"x\\ny\"}"),
            (r#"{"a":1}"#, "$", r#"{"a":1}"#),
            (r#"{"a b":1}"#, "$['a b']", "1"),
            (r#"{"a":{"b":1}}"#, "$['a']['b']", "1"),
            (r#"{"a":1}"#, "a", "null?"),
            (r#"{"a":1}"#, "$.", "null?"),
            (r#"{"a":1}"#, "$.*", "null?"),
            ("[1,2,3]", "$[1]", "2"),
            ("[1]", "$[*]", "1"),
            ("[[1,2],[3]]", "$[*][0]", "[1,3]"),
            ("[[1,2],[3]]", "$[*]", "[[1,2],[3]]"),
            ("[[1,2],[3]]", "$[*][*]", "[1,2,3]"),
            (r#"[{"a":[1,2]},{"a":[3]}]"#, "$[*].a[*]", "[[1,2],[3]]"),
            ("[]", "$[*]", "null?"),
            ("[1,2]", "$[5]", "null?"),
            (r#"{"a":[{"b":[1,2]},{"b":[3]}]}"#, "$.a[*].b[0]", "[1,3]"),
            (r#"{"a":[[1,2],[3,4]]}"#, "$.a[0][*]", "[1,2]"),
            ("[null,1]", "$[0]", "null"),
            (r#"{"a":["x"]}"#, "$.a[*]", "\"x\""),
            (r#"{"a":["x"]}"#, "$.a[0]", "x"),
            (r#"{"a.b":1}"#, "$['a.b']", "1"),
            (r#"{"a":{"b":1}}"#, "$..b", "null?"),
            ("[1,2]", "$[-1]", "null?"),
            (r#"{"a":1,"a":2}"#, "$.a", "1"),
            (r#"{"a":1,}"#, "$.a", "null?"),
            (r#"{"a":1} x"#, "$.a", "1"),
        ] {
            let got = run("get_json_object", &[string_column(&[Some(json)]), string_column(&[Some(path)])]);
            // A null and the text "null" look the same here.
            assert_eq!(got.unwrap()[0], expected.trim_end_matches('?'), "{json} {path}");
        }
    }
}
