//! `LIKE` and `ILIKE`: patterns of `%` and `_`, compiled once when constant.

use super::case;
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::apply::Strings;
use crate::scalar::params::STR;
use crate::scalar::{Display, ScalarFunction};
use arrow::array::{ArrayRef, BooleanArray, StringViewArray};
use arrow::buffer::BooleanBuffer;
use memchr::memmem::Finder;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_types::sql_literal::quote_string;
use vonk_types::{DataType, ScalarValue};

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            // Only by its pattern, which in all but odd cases is a constant.
            can_fail: false,
            display: Display::Custom(|_, args| match args {
                [s, p, escape] if escape != "\\" => format!("{s} LIKE {p} ESCAPE '{escape}'"),
                [s, p, ..] => format!("{s} LIKE {p}"),
                _ => "LIKE".to_string(),
            }),
            ..ScalarFunction::new(
                "like",
                docs!(
                    Predicate,
                    "str LIKE pattern [ESCAPE escape]",
                    "Whether the string matches the pattern: `_` is any character, `%` any characters.",
                    "1.0.0",
                    [
                        "SELECT 'Spark' LIKE '_park'" => "true",
                        "SELECT '100%' LIKE '100/%' ESCAPE '/'" => "true",
                    ]
                ),
                Arity::between(2, 3),
                resolve,
                like,
            )
        },
        ScalarFunction {
            can_fail: false,
            display: Display::Custom(|_, args| match args {
                [s, p, ..] => format!("ilike({s}, {p})"),
                _ => "ilike".to_string(),
            }),
            ..ScalarFunction::new(
                "ilike",
                docs!(
                    Predicate,
                    "str ILIKE pattern [ESCAPE escape]",
                    "Whether the string matches the pattern of `LIKE`, whatever the case of its letters.",
                    "3.3.0",
                    ["SELECT 'Spark' ILIKE '_PARK'" => "true"]
                ),
                Arity::between(2, 3),
                resolve,
                ilike,
            )
        },
    ]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    if let Some(escape) = site.args.get(2) {
        let one = match &escape.literal {
            Some(l) => matches!(&l.value, ScalarValue::Utf8View(Some(s)) if s.chars().count() == 1),
            None => false,
        };
        if !one {
            return Err(Error::new("INVALID_ESCAPE_CHAR")
                .with("sqlExpr", format!("\"{}\"", escape.sql))
                .at(site.span));
        }
    }
    site.returns(site.take(&[STR, STR, STR])?, DataType::Boolean)
}

fn like(call: &KernelCall<'_>) -> Result<ArrayRef> {
    matches(call, false)
}

fn ilike(call: &KernelCall<'_>) -> Result<ArrayRef> {
    matches(call, true)
}

fn escape_of(call: &KernelCall<'_>) -> char {
    let given = (call.args.len() > 2).then(|| call.strings(2));
    given.and_then(|s| s.constant()).and_then(|s| s.chars().next()).unwrap_or('\\')
}

fn matches(call: &KernelCall<'_>, any_case: bool) -> Result<ArrayRef> {
    let Some(nulls) = call.strict_nulls() else { return Ok(call.all_null()) };
    let escape = escape_of(call);
    let (texts, patterns) = (call.strings(0), call.strings(1));
    let Some(pattern) = patterns.constant() else { return by_row(call, any_case, escape, texts, patterns) };
    let pattern = Pattern::compile(&folded(pattern, any_case), escape)?;
    if any_case || texts.constant().is_some() {
        return call.each_bool(|row| Ok(Some(pattern.matches(folded(texts.get(row), any_case).as_bytes()))));
    }
    Ok(Arc::new(BooleanArray::new(pattern.matches_all(texts.array()), nulls)))
}

/// Patterns that differ by row; one that repeats is compiled once.
fn by_row(
    call: &KernelCall<'_>,
    any_case: bool,
    escape: char,
    texts: Strings<'_>,
    patterns: Strings<'_>,
) -> Result<ArrayRef> {
    let mut last: Option<(&str, Pattern)> = None;
    call.each_bool(|row| {
        let text = patterns.get(row);
        if last.as_ref().is_none_or(|(same, _)| *same != text) {
            last = Some((text, Pattern::compile(&folded(text, any_case), escape)?));
        }
        let folded = folded(texts.get(row), any_case);
        Ok(last.as_ref().map(|(_, pattern)| pattern.matches(folded.as_bytes())))
    })
}

fn folded(s: &str, any_case: bool) -> std::borrow::Cow<'_, str> {
    if any_case { case::lower(s) } else { s.into() }
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) enum Pattern {
    /// No wildcard.
    Exact(Vec<u8>),
    /// `abc%`.
    Prefix(Vec<u8>),
    /// `%abc`.
    Suffix(Vec<u8>),
    /// `%abc%`.
    Contains(Box<Finder<'static>>),
    /// `abc%def%…%xyz`: a beginning, an end, and what lies between in this order.
    Parts { first: Vec<u8>, between: Vec<Finder<'static>>, last: Vec<u8> },
    /// With `_`.
    General(Vec<Token>),
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Char(char),
    AnyOne,
    AnyMany,
}

impl Pattern {
    /// Reads a pattern; the escape may stand only before a wildcard or itself.
    pub fn compile(pattern: &str, escape: char) -> Result<Pattern> {
        let mut tokens = Vec::with_capacity(pattern.len());
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            match c {
                c if c == escape => match chars.next() {
                    Some(c) if c == '_' || c == '%' || c == escape => tokens.push(Token::Char(c)),
                    Some(c) => {
                        return Err(Error::new("INVALID_FORMAT.ESC_IN_THE_MIDDLE")
                            .with("format", quote_string(pattern))
                            .with("char", quote_string(&c.to_string())));
                    }
                    None => {
                        return Err(
                            Error::new("INVALID_FORMAT.ESC_AT_THE_END").with("format", quote_string(pattern))
                        );
                    }
                },
                '_' => tokens.push(Token::AnyOne),
                '%' if tokens.last() == Some(&Token::AnyMany) => {}
                '%' => tokens.push(Token::AnyMany),
                c => tokens.push(Token::Char(c)),
            }
        }
        Ok(Self::of(tokens))
    }

    fn of(tokens: Vec<Token>) -> Pattern {
        if tokens.contains(&Token::AnyOne) {
            return Pattern::General(tokens);
        }
        let mut parts: Vec<Vec<u8>> = vec![Vec::new()];
        for token in tokens {
            match token {
                // There always is a last part.
                Token::Char(c) => {
                    let mut utf8 = [0; 4];
                    if let Some(part) = parts.last_mut() {
                        part.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                    }
                }
                _ => parts.push(Vec::new()),
            }
        }
        match parts.as_mut_slice() {
            [whole] => Pattern::Exact(std::mem::take(whole)),
            [first, last] if last.is_empty() => Pattern::Prefix(std::mem::take(first)),
            [first, last] if first.is_empty() => Pattern::Suffix(std::mem::take(last)),
            [first, middle, last] if first.is_empty() && last.is_empty() => {
                Pattern::Contains(Box::new(Finder::new(middle.as_slice()).into_owned()))
            }
            [first, between @ .., last] => Pattern::Parts {
                first: std::mem::take(first),
                between: between.iter().map(|p| Finder::new(p.as_slice()).into_owned()).collect(),
                last: std::mem::take(last),
            },
            [] => Pattern::Exact(Vec::new()),
        }
    }

    /// Whether a text matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        match self {
            Pattern::Exact(p) => text == p.as_slice(),
            Pattern::Prefix(p) => text.starts_with(p),
            Pattern::Suffix(p) => text.ends_with(p),
            Pattern::Contains(p) => p.find(text).is_some(),
            Pattern::Parts { first, between, last } => {
                // An empty vector points nowhere, and comparing no bytes at such an address takes the processor hundreds of cycles
                // (a masked load that faults).
                if text.len() < first.len() + last.len()
                    || !(first.is_empty() || text.starts_with(first))
                    || !(last.is_empty() || text.ends_with(last))
                {
                    return false;
                }
                let mut rest = &text[first.len()..text.len() - last.len()];
                for part in between {
                    match part.find(rest) {
                        Some(at) => rest = &rest[at + part.needle().len()..],
                        None => return false,
                    }
                }
                true
            }
            Pattern::General(tokens) => matches_tokens(tokens, text),
        }
    }

    /// [`matches`](Self::matches) of every string, the form of the pattern looked at once.
    fn matches_all(&self, texts: &StringViewArray) -> BooleanBuffer {
        fn test(texts: &StringViewArray, f: impl Fn(&[u8]) -> bool) -> BooleanBuffer {
            let mut bytes = texts.bytes_iter();
            BooleanBuffer::collect_bool(texts.len(), |_| bytes.next().is_some_and(&f))
        }
        use arrow::array::Array;
        match self {
            Pattern::Exact(p) => test(texts, |t| t == p.as_slice()),
            Pattern::Prefix(p) => {
                let mut starts = texts.prefix_bytes_iter(p.len());
                BooleanBuffer::collect_bool(texts.len(), |_| starts.next() == Some(p.as_slice()))
            }
            Pattern::Suffix(p) => {
                let mut ends = texts.suffix_bytes_iter(p.len());
                BooleanBuffer::collect_bool(texts.len(), |_| ends.next() == Some(p.as_slice()))
            }
            Pattern::Contains(p) => test(texts, |t| p.find(t).is_some()),
            _ => test(texts, |t| self.matches(t)),
        }
    }
}

/// Greedy matching that on failure lets the last `%` take one character more.
fn matches_tokens(tokens: &[Token], text: &[u8]) -> bool {
    // Strings are UTF-8, and so is every rest of one that begins at a character.
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let (mut at, mut token) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let c = text[at..].chars().next();
        match (tokens.get(token), c) {
            (Some(Token::AnyMany), _) => {
                token += 1;
                retry = Some((at, token));
                continue;
            }
            (Some(Token::Char(p)), Some(c)) if *p == c => {
                (at, token) = (at + c.len_utf8(), token + 1);
                continue;
            }
            (Some(Token::AnyOne), Some(c)) => {
                (at, token) = (at + c.len_utf8(), token + 1);
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        match retry {
            Some((from, after)) => match text[from..].chars().next() {
                Some(c) => {
                    at = from + c.len_utf8();
                    token = after;
                    retry = Some((at, after));
                }
                None => return false,
            },
            None => return false,
        }
    }
}
