//! `parse_url`, `url_encode`, `url_decode`.

mod uri;

use crate::kernel::KernelCall;
use crate::resolve::Arity;
use crate::scalar::ScalarFunction;
use crate::scalar::params::STR;
use arrow::array::ArrayRef;
use uri::Uri;
use vonk_error::{Error, Result};
use vonk_types::DataType;

/// All URL functions.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = parsing();
    rows.extend(coding());
    rows
}

fn parsing() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction::new(
            "parse_url",
            docs!(
                Url,
                "parse_url(url, partToExtract[, key])",
                "A part of a URL: HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or USERINFO; of a query one key's value.",
                "2.0.0",
                [
                    "SELECT parse_url('http://spark.apache.org/path?query=1', 'HOST')" => "spark.apache.org",
                    "SELECT parse_url('http://spark.apache.org/path?query=1', 'QUERY', 'query')" => "1",
                ]
            ),
            Arity::between(2, 3),
            |site| site.returns_null(site.take(&[STR, STR, STR])?, DataType::String),
            |call| parse_url(call, true),
        ),
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "try_parse_url",
                docs!(Url, "try_parse_url(url, partToExtract[, key])", "As `parse_url`, but null for an invalid URL.", "4.0.0", [
                    "SELECT try_parse_url('http://spark.apache.org/path?query=1', 'HOST')" => "spark.apache.org",
                    "SELECT try_parse_url('inva lid://spark.apache.org/path?query=1', 'QUERY')" => "NULL",
                ]),
                Arity::between(2, 3),
                |site| site.returns_null(site.take(&[STR, STR, STR])?, DataType::String),
                |call| parse_url(call, false),
            )
        },
    ]
}

fn coding() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "url_encode",
                docs!(Url, "url_encode(str)", "The string as the value of a URL's query (application/x-www-form-urlencoded).", "3.4.0", [
                    "SELECT url_encode('https://spark.apache.org')" => "https%3A%2F%2Fspark.apache.org",
                ]),
                Arity::exactly(1),
                |site| site.returns(site.take(&[STR])?, DataType::String),
                |call| {
                    let s = call.strings(0);
                    call.each_str(|row, out| {
                        encode(s.get(row), out);
                        Ok(true)
                    })
                },
            )
        },
        ScalarFunction::new(
            "url_decode",
            docs!(Url, "url_decode(str)", "What `url_encode` made the string of.", "3.4.0", [
                "SELECT url_decode('https%3A%2F%2Fspark.apache.org')" => "https://spark.apache.org",
            ]),
            Arity::exactly(1),
            |site| site.returns(site.take(&[STR])?, DataType::String),
            |call| decoded(call, true),
        ),
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "try_url_decode",
                docs!(Url, "try_url_decode(str)", "As `url_decode`, but null for what is malformed.", "4.0.0", [
                    "SELECT try_url_decode('https%3A%2F%2Fspark.apache.org')" => "https://spark.apache.org",
                    "SELECT try_url_decode('%zz')" => "NULL",
                ]),
                Arity::exactly(1),
                |site| site.returns_null(site.take(&[STR])?, DataType::String),
                |call| decoded(call, false),
            )
        },
    ]
}

fn parse_url(call: &KernelCall<'_>, strict: bool) -> Result<ArrayRef> {
    let part = call.strings(1);
    let key = (call.args.len() > 2).then(|| call.strings(2));
    call.each_part(0, |row, url| {
        let Some(uri) = Uri::parse(url) else {
            return if strict { Err(Error::new("INVALID_URL").with("url", url)) } else { Ok(None) };
        };
        let part = part.get(row);
        if let Some(key) = key {
            return Ok(if part == "QUERY" {
                uri.query.and_then(|q| value_of(q, key.get(row)))
            } else {
                None
            });
        }
        Ok(match part {
            "HOST" => uri.host,
            "PATH" => uri.path,
            "QUERY" => uri.query,
            "REF" => uri.fragment,
            "PROTOCOL" => uri.scheme,
            "FILE" => uri.file,
            "AUTHORITY" => uri.authority,
            "USERINFO" => uri.user_info,
            _ => None,
        })
    })
}

/// The value of the first `key=value` of a query.
fn value_of<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

fn encode(s: &str, out: &mut String) {
    use std::fmt::Write;
    for b in s.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => out.push(b as char),
            b' ' => out.push('+'),
            b => {
                // Writing to a String does not fail.
                let _ = write!(out, "%{b:02X}");
            }
        }
    }
}

fn decoded(call: &KernelCall<'_>, strict: bool) -> Result<ArrayRef> {
    let s = call.strings(0);
    let mut bytes = Vec::new();
    call.each_str(|row, out| {
        let s = s.get(row);
        bytes.clear();
        if decode(s, &mut bytes).is_none() {
            return if strict { Err(Error::new("CANNOT_DECODE_URL").with("url", s)) } else { Ok(false) };
        }
        out.push_str(&String::from_utf8_lossy(&bytes));
        Ok(true)
    })
}

fn decode(s: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut bytes = s.bytes();
    while let Some(b) = bytes.next() {
        out.push(match b {
            b'+' => b' ',
            b'%' => {
                let mut digit = || (bytes.next()? as char).to_digit(16);
                (digit()? << 4 | digit()?) as u8
            }
            b => b,
        });
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::scalar::testing::*;

    // Asked of Spark.
    #[test]
    fn parts() {
        let url = "http://u:p@h.com:80/p/a?x=1&y=2#frag";
        for (url, part, want) in [
            (url, "HOST", "h.com"),
            (url, "PATH", "/p/a"),
            (url, "QUERY", "x=1&y=2"),
            (url, "REF", "frag"),
            (url, "PROTOCOL", "http"),
            (url, "FILE", "/p/a?x=1&y=2"),
            (url, "AUTHORITY", "u:p@h.com:80"),
            (url, "USERINFO", "u:p"),
            (url, "host", "NULL"),
            ("http://h", "PATH", ""),
            ("http://h", "QUERY", "NULL"),
            ("http://h/a?", "QUERY", ""),
            ("abc", "HOST", "NULL"),
            ("mailto:a@b.c", "HOST", "NULL"),
            ("http://[::1]/p", "HOST", "[::1]"),
            ("file:///a/b", "PATH", "/a/b"),
            ("http://a_b/p", "HOST", "NULL"),
            ("http://h:port/", "HOST", "NULL"),
        ] {
            assert_eq!(run("parse_url", &[text(url), text(part)]), [want], "{url} {part}");
        }
        assert_eq!(run("parse_url", &[text(url), text("QUERY"), text("y")]), ["2"]);
        assert_eq!(run("parse_url", &[text("http://h?b"), text("QUERY"), text("b")]), ["NULL"]);
        for bad in ["inva lid://h", "http://h/a b", "http://h/%zz"] {
            assert_eq!(fails("parse_url", &[text(bad), text("HOST")]), "INVALID_URL", "{bad}");
        }
    }

    #[test]
    fn coding() {
        assert_eq!(run("url_encode", &[text("a b+c*é~-_.")]), ["a+b%2Bc*%C3%A9%7E-_."]);
        assert_eq!(run("url_decode", &[text("a+b%20c")]), ["a b c"]);
        assert_eq!(run("url_decode", &[text("%C3")]), ["\u{FFFD}"]);
        assert_eq!(fails("url_decode", &[text("%")]), "CANNOT_DECODE_URL");
    }
}
