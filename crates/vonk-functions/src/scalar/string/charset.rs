//! Text as bytes and back: `encode`, `base64`, `unbase64`, `to_binary`. (`decode` has a file of its own.)

use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use crate::scalar::math::hex::unhex_into;
use crate::scalar::params::{BIN, STR, Takes};
use arrow::array::ArrayRef;
use vonk_error::{Error, Result};
use vonk_types::sql_literal::quote_string;
use vonk_types::{DataType, ScalarValue};

pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = base64_and_encode();
    rows.extend(others());
    rows
}

fn base64_and_encode() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction::new(
            "encode",
            docs!(String, "encode(str, charset)", "The bytes of the string in a character set.", "1.5.0", [
                "SELECT encode('abc', 'utf-8')" => "abc",
            ]),
            Arity::exactly(2),
            |site| site.returns(site.take(&[STR, STR])?, DataType::Binary),
            encoded,
        ),
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "base64",
                docs!(String, "base64(bin)", "The bytes in base 64, in lines of 76 characters.", "1.5.0", [
                    "SELECT base64('Spark SQL')" => "U3BhcmsgU1FM",
                ]),
                Arity::exactly(1),
                |site| site.returns(site.take(&[BIN])?, DataType::String),
                |call| {
                    let bytes = call.bytes(0);
                    call.each_str(|row, out| {
                        to_base64(bytes.get(row), out);
                        Ok(true)
                    })
                },
            )
        },
        ScalarFunction::new(
            "unbase64",
            docs!(String, "unbase64(str)", "The bytes that a string in base 64 stands for.", "1.5.0", [
                "SELECT unbase64('U3BhcmsgU1FM')" => "Spark SQL",
            ]),
            Arity::exactly(1),
            |site| site.returns(site.take(&[STR])?, DataType::Binary),
            |call| {
                let s = call.strings(0);
                call.each_binary(|row, out| match from_base64(s.get(row).as_bytes(), out) {
                    Some(()) => Ok(true),
                    None => Err(malformed(s.get(row), "BASE64")),
                })
            },
        ),
    ]
}

fn others() -> Vec<ScalarFunction> {
    vec![
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "to_base32",
                docs!(String, "to_base32(bin)", "The bytes in base 32.", "4.3.0", [
                    "SELECT to_base32('foobar')" => "MZXW6YTBOI======",
                ]),
                Arity::exactly(1),
                |site| site.returns(site.take(&[BIN])?, DataType::String),
                |call| {
                    let bytes = call.bytes(0);
                    call.each_str(|row, out| {
                        to_base32(bytes.get(row), out);
                        Ok(true)
                    })
                },
            )
        },
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "from_base32",
                docs!(String, "from_base32(str)", "The bytes that a string in base 32 stands for.", "4.3.0", [
                    "SELECT from_base32('MZXW6YTBOI======')" => "foobar",
                ]),
                Arity::exactly(1),
                |site| site.returns(site.take(&[STR])?, DataType::Binary),
                |call| {
                    let s = call.strings(0);
                    call.each_binary(|row, out| {
                        from_base32(s.get(row), out);
                        Ok(true)
                    })
                },
            )
        },
        ScalarFunction::new(
            "to_binary",
            docs!(
                String,
                "to_binary(str[, fmt])",
                "The bytes that a string stands for in a format: `hex` (if nothing is said), `utf-8` or `base64`.",
                "3.3.0",
                ["SELECT to_binary('abc', 'utf-8')" => "abc"]
            ),
            Arity::between(1, 2),
            |site| resolve_to_binary(site, true),
            |call| to_binary(call, true),
        ),
        ScalarFunction {
            can_fail: false,
            ..ScalarFunction::new(
                "try_to_binary",
                docs!(String, "try_to_binary(str[, fmt])", "As `to_binary`, but null for what is malformed.", "3.3.0", [
                    "SELECT try_to_binary('abc', 'utf-8')" => "abc",
                    "SELECT try_to_binary('a!', 'base64')" => "NULL",
                ]),
                Arity::between(1, 2),
                |site| resolve_to_binary(site, false),
                |call| to_binary(call, false),
            )
        },
    ]
}

/// Spark's character sets.
#[derive(Clone, Copy)]
enum Charset {
    Ascii,
    Latin1,
    Utf8,
    Utf16,
    Utf16Be,
    Utf16Le,
    Utf32,
}

impl Charset {
    fn parse(name: &str, function: &str) -> Result<Charset> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "us-ascii" => Charset::Ascii,
            "iso-8859-1" => Charset::Latin1,
            "utf-8" => Charset::Utf8,
            "utf-16" => Charset::Utf16,
            "utf-16be" => Charset::Utf16Be,
            "utf-16le" => Charset::Utf16Le,
            "utf-32" => Charset::Utf32,
            _ => {
                return Err(Error::new("INVALID_PARAMETER_VALUE.CHARSET")
                    .with("functionName", format!("`{function}`"))
                    .with("parameter", "`charset`")
                    .with("charset", name)
                    .with("charsets", "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8"));
            }
        })
    }

    /// `None` for a character that the set does not have.
    fn encode(self, s: &str, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Charset::Utf8 => out.extend_from_slice(s.as_bytes()),
            Charset::Ascii if s.is_ascii() => out.extend_from_slice(s.as_bytes()),
            Charset::Ascii => return None,
            Charset::Latin1 => {
                for c in s.chars() {
                    out.push(u8::try_from(u32::from(c)).ok()?);
                }
            }
            Charset::Utf16 => {
                if !s.is_empty() {
                    out.extend_from_slice(&[0xFE, 0xFF]);
                }
                out.extend(s.encode_utf16().flat_map(u16::to_be_bytes));
            }
            Charset::Utf16Be => out.extend(s.encode_utf16().flat_map(u16::to_be_bytes)),
            Charset::Utf16Le => out.extend(s.encode_utf16().flat_map(u16::to_le_bytes)),
            Charset::Utf32 => out.extend(s.chars().flat_map(|c| u32::from(c).to_be_bytes())),
        }
        Some(())
    }

    /// `None` for bytes that are no text in the set.
    fn decode(self, bytes: &[u8], out: &mut String) -> Option<()> {
        match self {
            Charset::Utf8 => out.push_str(std::str::from_utf8(bytes).ok()?),
            Charset::Ascii if bytes.is_ascii() => out.push_str(std::str::from_utf8(bytes).ok()?),
            Charset::Ascii => return None,
            Charset::Latin1 => out.extend(bytes.iter().map(|b| *b as char)),
            Charset::Utf16 => match bytes {
                [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes, out)?,
                [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes, out)?,
                _ => utf16(bytes, u16::from_be_bytes, out)?,
            },
            Charset::Utf16Be => utf16(bytes, u16::from_be_bytes, out)?,
            Charset::Utf16Le => utf16(bytes, u16::from_le_bytes, out)?,
            Charset::Utf32 => {
                let (bytes, read): (_, fn([u8; 4]) -> u32) = match bytes {
                    [0, 0, 0xFE, 0xFF, rest @ ..] => (rest, u32::from_be_bytes),
                    [0xFF, 0xFE, 0, 0, rest @ ..] => (rest, u32::from_le_bytes),
                    _ => (bytes, u32::from_be_bytes),
                };
                let (words, rest) = bytes.as_chunks::<4>();
                if !rest.is_empty() {
                    return None;
                }
                for word in words {
                    out.push(char::from_u32(read(*word))?);
                }
            }
        }
        Some(())
    }
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16, out: &mut String) -> Option<()> {
    let (words, rest) = bytes.as_chunks::<2>();
    for c in char::decode_utf16(words.iter().map(|w| read(*w))) {
        out.push(c.ok()?);
    }
    rest.is_empty().then_some(())
}

fn malformed_coding(function: &str, charset: &str) -> Error {
    Error::new("MALFORMED_CHARACTER_CODING")
        .with("function", format!("`{function}`"))
        .with("charset", charset)
}

fn encoded(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (s, charset) = (call.strings(0), call.strings(1));
    call.each_binary(|row, out| {
        let name = charset.get(row);
        let set = Charset::parse(name, "encode")?;
        set.encode(s.get(row), out).ok_or_else(|| malformed_coding("encode", name))?;
        Ok(true)
    })
}

/// `decode(bytes, charset)`.
pub(super) fn decoded(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let (bytes, charset) = (call.bytes(0), call.strings(1));
    call.each_str(|row, out| {
        let name = charset.get(row);
        let set = Charset::parse(name, "decode")?;
        set.decode(bytes.get(row), out).ok_or_else(|| malformed_coding("decode", name))?;
        Ok(true)
    })
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes of a line of 76 characters.
const LINE: usize = 57;

pub(super) fn to_base64(bytes: &[u8], out: &mut String) {
    for (i, line) in bytes.chunks(LINE).enumerate() {
        if i > 0 {
            out.push_str("\r\n");
        }
        for group in line.chunks(3) {
            let word = group.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - group.len()));
            for i in 0..4 {
                let digit = DIGITS[(word >> (18 - 6 * i)) as usize & 63];
                out.push(if i <= group.len() { digit as char } else { '=' });
            }
        }
    }
}

fn base64_value(b: u8) -> Option<u32> {
    Some(u32::from(match b {
        b'A'..=b'Z' => b - b'A',
        b'a'..=b'z' => b - b'a' + 26,
        b'0'..=b'9' => b - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// As Java's MIME decoder reads it: characters that are no digits are passed over. `None` where it refuses.
pub(super) fn from_base64(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (mut word, mut digits) = (0u32, 0);
    let mut bytes = text.iter();
    while let Some(b) = bytes.next() {
        match base64_value(*b) {
            Some(value) => {
                word = word << 6 | value;
                digits += 1;
                if digits == 4 {
                    out.extend_from_slice(&word.to_be_bytes()[1..]);
                    (word, digits) = (0, 0);
                }
            }
            None if *b == b'=' => {
                let complete = match digits {
                    2 => bytes.next() == Some(&b'='),
                    3 => true,
                    _ => false,
                };
                if !complete || bytes.any(|b| base64_value(*b).is_some() || *b == b'=') {
                    return None;
                }
                break;
            }
            None => {}
        }
    }
    match digits {
        0 => {}
        2 => out.push((word >> 4) as u8),
        3 => out.extend_from_slice(&(word >> 2).to_be_bytes()[2..]),
        _ => return None,
    }
    Some(())
}

const DIGITS32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn to_base32(bytes: &[u8], out: &mut String) {
    for group in bytes.chunks(5) {
        let word = group.iter().fold(0u64, |w, b| w << 8 | u64::from(*b)) << (8 * (5 - group.len()));
        let digits = (group.len() * 8).div_ceil(5);
        for i in 0..8 {
            out.push(if i < digits { DIGITS32[(word >> (35 - 5 * i)) as usize & 31] as char } else { '=' });
        }
    }
}

/// Small letters count as capitals; anything that is no digit is passed over, up to the padding.
fn from_base32(text: &str, out: &mut Vec<u8>) {
    let (mut word, mut bits, mut digits) = (0u32, 0, 0);
    for b in text.bytes().take_while(|b| *b != b'=') {
        let Some(value) = DIGITS32.iter().position(|d| *d == b.to_ascii_uppercase()) else { continue };
        word = word << 5 | value as u32;
        (bits, digits) = (bits + 5, digits + 1);
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits) as u8);
        }
    }
    // As Spark's decoder does with a digit on its own.
    if digits % 8 == 1 {
        out.push((word as u8 & 31) >> 2);
    }
}

/// Whether text is base 64 and nothing else but white space.
fn is_base64(text: &str) -> bool {
    let (mut digits, mut padding) = (0usize, 0usize);
    for b in text.bytes() {
        match b {
            b'=' => padding += 1,
            b if b.is_ascii_whitespace() => {}
            b if base64_value(b).is_some() && padding == 0 => digits += 1,
            _ => return false,
        }
    }
    match padding {
        0 => digits % 4 != 1,
        1 | 2 => (digits + padding).is_multiple_of(4),
        _ => false,
    }
}

fn malformed(text: &str, format: &str) -> Error {
    Error::new("CONVERSION_INVALID_INPUT")
        .with("str", quote_string(text))
        .with("fmt", quote_string(format))
        .with("targetType", "\"BINARY\"")
        .with("suggestion", "`try_to_binary`")
}

fn resolve_to_binary(site: &CallSite<'_>, strict: bool) -> Result<Resolution> {
    let types = site.take(&[STR, Takes::To(DataType::String)])?;
    if let Some(format) = site.args.get(1).filter(|_| strict) {
        let Some(literal) = &format.literal else {
            return Err(site.not_foldable(1, "fmt", &DataType::String));
        };
        if let ScalarValue::Utf8View(Some(name)) = &literal.value
            && !["hex", "utf-8", "utf8", "base64"].contains(&name.to_lowercase().as_str())
        {
            return Err(Error::new("DATATYPE_MISMATCH.INVALID_ARG_VALUE")
                .with("inputName", "fmt")
                .with("requireType", "case-insensitive \"STRING\"")
                .with("validValues", "'hex', 'utf-8', 'utf8', or 'base64'")
                .with("inputValue", quote_string(name))
                .at(site.span));
        }
    }
    site.returns_null(types, DataType::Binary)
}

fn to_binary(call: &KernelCall<'_>, strict: bool) -> Result<ArrayRef> {
    let s = call.strings(0);
    let format = (call.args.len() > 1).then(|| call.strings(1));
    call.each_binary(|row, out| {
        let s = s.get(row);
        let format = format.map_or("hex".to_string(), |f| f.get(row).to_lowercase());
        let read = match format.as_str() {
            "utf-8" | "utf8" => {
                out.extend_from_slice(s.as_bytes());
                true
            }
            "hex" => unhex_into(s, out).is_some(),
            "base64" => is_base64(s) && from_base64(s.as_bytes(), out).is_some(),
            _ => false,
        };
        match read {
            false if strict => Err(malformed(s, &format.to_uppercase())),
            read => Ok(read),
        }
    })
}
