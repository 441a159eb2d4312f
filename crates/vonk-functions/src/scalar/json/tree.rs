//! JSON values: reading and writing.

use std::borrow::Cow;
use vonk_types::number::write_f64;

/// A value. Names of an object may repeat.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// As written, in JSON's grammar or one of the names of what is no number.
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// What a reader takes beyond JSON's grammar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leniency {
    pub single_quotes: bool,
    pub leading_zeros: bool,
    pub unquoted_names: bool,
    pub comments: bool,
    /// `NaN`, `Infinity`, `+INF`, …
    pub not_a_number: bool,
    /// Characters below the blank in strings.
    pub control_characters: bool,
    /// A backslash before any character.
    pub any_escape: bool,
}

impl Leniency {
    /// Of the functions that look into a text (`get_json_object`).
    pub const LOOKING: Leniency = Leniency {
        single_quotes: true,
        leading_zeros: false,
        unquoted_names: false,
        comments: false,
        not_a_number: false,
        control_characters: true,
        any_escape: false,
    };
    /// Of the functions with a schema, before options change it; the options build it, tests compare with it.
    #[cfg(test)]
    pub const SCHEMA: Leniency =
        Leniency { not_a_number: true, control_characters: false, ..Leniency::LOOKING };
}

/// Values within values beyond this depth are refused, as Spark's JSON library does.
const MAX_DEPTH: usize = 1000;

/// The first value of a text, `None` if it is not well-formed. What follows it is not looked at.
pub(crate) fn parse(text: &str, leniency: Leniency) -> Option<Json<'_>> {
    Reader { text, at: 0, leniency }.value(0)
}

/// Whether there is nothing but white space.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    leniency: Leniency,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Past white space (and comments, where they are allowed).
    fn skip(&mut self) -> Option<()> {
        loop {
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                self.at += 1;
            }
            if self.peek() != Some(b'/') || !self.leniency.comments {
                return Some(());
            }
            let rest = &self.text[self.at..];
            self.at += match rest.as_bytes().get(1)? {
                b'*' => rest[2..].find("*/")? + 4,
                b'/' => rest.find('\n').unwrap_or(rest.len()),
                _ => return None,
            };
        }
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        self.skip()?;
        if self.peek()? != byte {
            return None;
        }
        self.at += 1;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip()?;
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string(b'"').map(Json::String),
            b'\'' if self.leniency.single_quotes => self.string(b'\'').map(Json::String),
            b'-' | b'+' | b'0'..=b'9' | b'N' | b'I' => self.number(),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'n' => self.word("null", Json::Null),
            _ => None,
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Option<Json<'a>> {
        self.text[self.at..].strip_prefix(word)?;
        self.at += word.len();
        // A longer word is another one.
        let goes_on = self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        (!goes_on).then_some(value)
    }

    fn array(&mut self, depth: usize) -> Option<Json<'a>> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip()?;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(Json::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip()?;
            self.at += 1;
            match self.text.as_bytes().get(self.at - 1)? {
                b',' => {}
                b']' => return Some(Json::Array(items)),
                _ => return None,
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json<'a>> {
        self.at += 1;
        let mut fields = Vec::new();
        self.skip()?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(Json::Object(fields));
        }
        loop {
            self.skip()?;
            let name = match self.peek()? {
                b'"' => self.string(b'"')?,
                b'\'' if self.leniency.single_quotes => self.string(b'\'')?,
                _ if self.leniency.unquoted_names => self.bare_name()?,
                _ => return None,
            };
            self.eat(b':')?;
            fields.push((name, self.value(depth + 1)?));
            self.skip()?;
            self.at += 1;
            match self.text.as_bytes().get(self.at - 1)? {
                b',' => {}
                b'}' => return Some(Json::Object(fields)),
                _ => return None,
            }
        }
    }

    fn bare_name(&mut self) -> Option<Cow<'a, str>> {
        let rest = &self.text[self.at..];
        let n = rest.find(|c: char| !(c.is_alphanumeric() || "_$@#*-".contains(c))).unwrap_or(rest.len());
        self.at += n;
        (n > 0).then(|| Cow::Borrowed(&rest[..n]))
    }

    fn number(&mut self) -> Option<Json<'a>> {
        let start = self.at;
        let rest = &self.text[start..];
        if self.leniency.not_a_number {
            for name in ["NaN", "Infinity", "+Infinity", "-Infinity", "+INF", "-INF"] {
                if rest.starts_with(name) {
                    self.at += name.len();
                    return Some(Json::Number(&rest[..name.len()]));
                }
            }
        }
        let bytes = rest.as_bytes();
        let digits =
            |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut n = usize::from(bytes[0] == b'-');
        let whole = digits(n);
        if whole == 0 || (whole > 1 && bytes[n] == b'0' && !self.leniency.leading_zeros) {
            return None;
        }
        n += whole;
        if bytes.get(n) == Some(&b'.') {
            let fraction = digits(n + 1);
            if fraction == 0 {
                return None;
            }
            n += 1 + fraction;
        }
        if matches!(bytes.get(n), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(n + 1), Some(b'+' | b'-')));
            let exponent = digits(n + 1 + sign);
            if exponent == 0 {
                return None;
            }
            n += 1 + sign + exponent;
        }
        self.at += n;
        // Numbers end where something else begins.
        let ends =
            self.peek().is_none_or(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}' | b'/'));
        ends.then(|| Json::Number(&rest[..n]))
    }

    fn string(&mut self, quote: u8) -> Option<Cow<'a, str>> {
        self.at += 1;
        let start = self.at;
        let bytes = self.text.as_bytes();
        loop {
            match *bytes.get(self.at)? {
                b if b == quote => {
                    self.at += 1;
                    return Some(Cow::Borrowed(&self.text[start..self.at - 1]));
                }
                b'\\' => break,
                0..0x20 if !self.leniency.control_characters => return None,
                _ => self.at += 1,
            }
        }
        // From the first escape on, the string has to be put together.
        let mut out = String::from(&self.text[start..self.at]);
        loop {
            let from = self.at;
            let plain =
                |b: &&u8| **b != quote && **b != b'\\' && (**b >= 0x20 || self.leniency.control_characters);
            self.at += bytes[from..].iter().take_while(plain).count();
            out.push_str(&self.text[from..self.at]);
            match *bytes.get(self.at)? {
                b if b == quote => {
                    self.at += 1;
                    return Some(Cow::Owned(out));
                }
                b'\\' => self.escape(&mut out)?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Option<()> {
        let c = self.text[self.at + 1..].chars().next()?;
        self.at += 1 + c.len_utf8();
        out.push(match c {
            '"' | '\\' | '/' => c,
            '\'' if self.leniency.single_quotes => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode()?,
            c if self.leniency.any_escape => c,
            _ => return None,
        });
        Some(())
    }

    /// The character of one or two escapes; half of a pair becomes a question mark, as Java encodes it.
    fn unicode(&mut self) -> Option<char> {
        let high = self.hex()?;
        if (0xD800..0xDC00).contains(&high) && self.text[self.at..].starts_with("\\u") {
            let before = self.at;
            self.at += 2;
            let low = self.hex()?;
            if (0xDC00..0xE000).contains(&low) {
                return char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
            }
            self.at = before;
        }
        Some(char::from_u32(high).unwrap_or('?'))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// Appends a string with its quotes and escapes.
pub(crate) fn write_string(s: &str, out: &mut String) {
    out.push('"');
    let mut from = 0;
    for (i, b) in s.bytes().enumerate() {
        let escape = match b {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x8 => "\\b",
            0xC => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&s[from..i]);
        out.push_str(escape);
        if escape.is_empty() {
            let digit = |n: u8| char::from(b"0123456789ABCDEF"[usize::from(n & 15)]);
            out.extend(['\\', 'u', '0', '0', digit(b >> 4), digit(b)]);
        }
        from = i + 1;
    }
    out.push_str(&s[from..]);
    out.push('"');
}

impl Json<'_> {
    /// Appends the value as JSON without white space.
    pub fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Json::Number(n) => write_number(n, out),
            Json::String(s) => write_string(s, out),
            Json::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Json::Object(fields) => {
                out.push('{');
                for (i, (name, value)) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_string(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// The value as text: a string without its quotes, everything else as JSON.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Json::String(s) => Cow::Borrowed(s),
            other => {
                let mut out = String::new();
                other.write(&mut out);
                Cow::Owned(out)
            }
        }
    }
}

/// Whether a number has neither fraction nor exponent.
pub(crate) fn is_whole(number: &str) -> bool {
    number.strip_prefix('-').unwrap_or(number).bytes().all(|b| b.is_ascii_digit())
}

/// A number's value as a double.
pub(crate) fn as_f64(number: &str) -> Option<f64> {
    match number {
        "NaN" => Some(f64::NAN),
        "Infinity" | "+Infinity" | "+INF" => Some(f64::INFINITY),
        "-Infinity" | "-INF" => Some(f64::NEG_INFINITY),
        n => n.parse().ok(),
    }
}

/// Numbers go through doubles if they have a fraction.
fn write_number(number: &str, out: &mut String) {
    if is_whole(number) {
        let (sign, digits) = match number.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", number),
        };
        let digits = digits.trim_start_matches('0');
        out.push_str(if digits.is_empty() { "" } else { sign });
        return out.push_str(if digits.is_empty() { "0" } else { digits });
    }
    let value = as_f64(number).unwrap_or(f64::NAN);
    if value.is_finite() {
        return write_f64(value, out);
    }
    out.push('"');
    write_f64(value, out);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> Option<String> {
        parse(text, Leniency::LOOKING).map(|j| {
            let mut out = String::new();
            j.write(&mut out);
            out
        })
    }

    // Asked of Spark: get_json_object(text, '$').
    #[test]
    fn reads_and_writes() {
        for (text, expected) in [
            (r#"{"a": [1, 2 ] }"#, r#"{"a":[1,2]}"#),
            (r#"{"a":1.10}"#, r#"{"a":1.1}"#),
            (r#"{"a":"\u00e9\/"}"#, r#"{"a":"é/"}"#),
            (r#"{'a':1}"#, r#"{"a":1}"#),
            (r#"{"a":1} x"#, r#"{"a":1}"#),
            (
                "[1e2,-0.0,123456789012345678901234567890,1e21]",
                "[100.0,-0.0,123456789012345678901234567890,1.0E21]",
            ),
            (r#""\ud83d\ude00\u0001""#, "\"😀\\u0001\""),
            ("null", "null"),
        ] {
            assert_eq!(again(text).as_deref(), Some(expected), "{text}");
        }
        for bad in [
            "bad",
            "{a:1}",
            r#"{"a":1,}"#,
            r#"{"a":01}"#,
            "[1,2",
            "NaN",
            "+1",
            "1x",
            "\"",
            "[\"\\z\"]",
            "{\"a\"}",
            "",
            "-",
        ] {
            assert_eq!(again(bad), None, "{bad}");
        }
        let deep = "[".repeat(2000) + &"]".repeat(2000);
        assert_eq!(again(&deep), None);
    }

    #[test]
    fn leniency() {
        let all = Leniency { leading_zeros: true, unquoted_names: true, comments: true, ..Leniency::SCHEMA };
        let json = parse("{/* x */ a: 01, // y\n b: -INF}", all).unwrap();
        assert_eq!(
            json,
            Json::Object(vec![("a".into(), Json::Number("01")), ("b".into(), Json::Number("-INF"))])
        );
        assert!(parse("\"x\ny\"", Leniency::LOOKING).is_some());
        assert!(parse("\"x\ny\"", Leniency::SCHEMA).is_none());
    }
}
