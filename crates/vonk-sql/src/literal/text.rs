//! String and binary literals.

/// The value of a quoted token `'…'` or `"…"`, escapes undone.
pub(crate) fn unquote(token: &str, keep_escapes: bool) -> String {
    let Some(quote) = token.chars().next() else { return String::new() };
    let body = &token[1..token.len().saturating_sub(1).max(1)];
    if keep_escapes {
        return body.to_string();
    }
    if !body.contains(['\\', quote]) {
        return body.to_string();
    }
    unescape(body, quote)
}

/// The value of a raw token `r'…'`.
pub(crate) fn unquote_raw(token: &str) -> String {
    token.get(2..token.len().saturating_sub(1)).unwrap_or("").to_string()
}

/// The name in backticks.
pub(crate) fn unquote_name(token: &str) -> String {
    let quote = token.get(..1).unwrap_or("`");
    let body = token.get(1..token.len().saturating_sub(1)).unwrap_or("");
    body.replace(&quote.repeat(2), quote)
}

fn unescape(body: &str, quote: char) -> String {
    let mut out = String::with_capacity(body.len());
    let mut high_surrogate = None;
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        let (decoded, used) = match c {
            '\\' => escape(tail),
            c if c == quote && tail.starts_with(quote) => (Decoded::Char(c), c.len_utf8()),
            c => (Decoded::Char(c), 0),
        };
        rest = &tail[used..];
        push(decoded, &mut high_surrogate, &mut out);
    }
    if high_surrogate.is_some() {
        out.push('?');
    }
    out
}

enum Decoded {
    Char(char),
    /// Kept with its backslash: `\%`, `\_`.
    Kept(char),
    /// A UTF-16 code unit of a surrogate pair.
    Unit(u32),
}

/// Joins halves of a surrogate pair; a half alone becomes a question mark, as in Java's UTF-8.
fn push(decoded: Decoded, high: &mut Option<u32>, out: &mut String) {
    if let Decoded::Unit(low @ 0xDC00..=0xDFFF) = decoded
        && let Some(h) = high.take()
    {
        let code = 0x10000 + ((h - 0xD800) << 10) + (low - 0xDC00);
        out.push(char::from_u32(code).unwrap_or('?'));
        return;
    }
    if high.take().is_some() {
        out.push('?');
    }
    match decoded {
        Decoded::Char(c) => out.push(c),
        Decoded::Kept(c) => {
            out.push('\\');
            out.push(c);
        }
        Decoded::Unit(u @ 0xD800..=0xDBFF) => *high = Some(u),
        Decoded::Unit(_) => out.push('?'),
    }
}

/// What follows a backslash, and how many bytes of `tail` it takes.
fn escape(tail: &str) -> (Decoded, usize) {
    let b = tail.as_bytes();
    let hex = |from: usize, n: usize| {
        let digits = tail.get(from..from + n).filter(|d| d.bytes().all(|c| c.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let of_code = |code: u32| char::from_u32(code).map_or(Decoded::Unit(code), Decoded::Char);
    let Some(c) = tail.chars().next() else { return (Decoded::Char('\\'), 0) };
    match c {
        'u' if let Some(code) = hex(1, 4) => (of_code(code), 5),
        'U' if let Some(code) = hex(1, 8) => (of_code(code), 9),
        '0' | '1' if b.len() >= 3 && b[1..3].iter().all(|d| (b'0'..=b'7').contains(d)) => {
            let code = b[..3].iter().fold(0u32, |n, d| n * 8 + u32::from(d - b'0'));
            (of_code(code), 3)
        }
        '0' => (Decoded::Char('\0'), 1),
        'b' => (Decoded::Char('\u{8}'), 1),
        'n' => (Decoded::Char('\n'), 1),
        'r' => (Decoded::Char('\r'), 1),
        't' => (Decoded::Char('\t'), 1),
        'Z' => (Decoded::Char('\u{1a}'), 1),
        '%' | '_' => (Decoded::Kept(c), 1),
        c => (Decoded::Char(c), c.len_utf8()),
    }
}

/// The bytes of `X'…'`: an odd number of digits has a zero in front.
pub(crate) fn hex_bytes(digits: &str) -> Option<Vec<u8>> {
    let padded = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_string() };
    padded
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        let of = |s: &str| unquote(s, false);
        assert_eq!(of(r"'a\tb\\c'"), "a\tb\\c");
        assert_eq!(of(r#"'it''s "x"'"#), r#"it's "x""#);
        assert_eq!(of(r#""a""b\"c''""#), r#"a"b"c''"#);
        assert_eq!(of(r"'\101\u0041\U00000041\0\%\_\z\Z\1\u00zz'"), "AAA\0\\%\\_z\u{1a}1u00zz");
        assert_eq!(of(r"'\uD83D\uDE00\uD83Dx'"), "😀?x");
        assert_eq!(unquote(r"'a\tb'", true), r"a\tb");
        assert_eq!(unquote_raw(r"r'a\b'"), r"a\b");
        assert_eq!(unquote_name("`a``b`"), "a`b");
    }

    #[test]
    fn hex() {
        assert_eq!(hex_bytes("1fF"), Some(vec![1, 0xff]));
        assert_eq!(hex_bytes(""), Some(vec![]));
        assert_eq!(hex_bytes("zz"), None);
        assert_eq!(hex_bytes("é"), None);
    }
}
