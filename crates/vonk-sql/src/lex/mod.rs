//! Text to tokens.
//!
//! Two steps. [`scan`] cuts the text at quotes and comments, whose rules are Spark's own (raw strings, nested comments, hints).
//! What lies between goes through `sqlparser`'s tokenizer with [`SparkDialect`], run by run, so that memory stays small for
//! large texts; a pass over its tokens then says what the tokenizer cannot: numbers with Spark's suffixes (`1Y`, `1.5BD`), names that
//! begin with digits, and operators of other dialects, which are cut into Spark's. The result is a flat list of small tokens that
//! point into the text; nothing is copied or unescaped before the parser asks.

mod classes;
mod dialect;
mod keyword;
mod number;
mod scan;
mod split;

pub use classes::{ClassifiedToken, TokenClass, classify};
pub use dialect::SparkDialect;
pub(crate) use keyword::Kw;
pub use keyword::keywords;
pub use split::{is_complete, split_statements};

use scan::{Piece, Scanner};
use sqlparser::tokenizer::{Token as Raw, TokenWithSpan, Tokenizer};
use vonk_error::{Error, Result, Span};

/// Kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// End of the text.
    Eof,
    /// A word: a keyword or a name.
    Word,
    /// `` `name` ``
    Backquoted,
    /// `'text'`
    Text,
    /// `"text"`: a string, or a name where double quotes make names.
    DoubleQuoted,
    /// `r'text'`
    RawText,
    /// Digits.
    Integer,
    /// `1L`
    Long,
    /// `1S`
    Short,
    /// `1Y`
    Byte,
    /// `1e3`
    Exponent,
    /// `1.5`
    Decimal,
    /// `1f`
    Float,
    /// `1d`
    Double,
    /// `1bd`
    BigDecimal,
    LParen,
    RParen,
    LBracket,
    RBracket,
    Comma,
    Dot,
    Semicolon,
    Colon,
    DoubleColon,
    Arrow,
    FatArrow,
    Eq,
    NullSafeEq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
    ShiftLeft,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Tilde,
    Ampersand,
    Pipe,
    Concat,
    PipeOp,
    Caret,
    Bang,
    Question,
    HintStart,
    HintEnd,
    /// A character that begins no token of Spark's, such as a quote that nothing closes.
    Unrecognized,
}

impl Kind {
    /// Whether it is a number of any type.
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Kind::Integer
                | Kind::Long
                | Kind::Short
                | Kind::Byte
                | Kind::Exponent
                | Kind::Decimal
                | Kind::Float
                | Kind::Double
                | Kind::BigDecimal
        )
    }
}

/// A token: what it is and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub kind: Kind,
    /// For words: which keyword.
    pub kw: Kw,
    pub start: u32,
    pub end: u32,
}

/// Plain runs longer than this are handed to the tokenizer in parts, cut at white space.
const RUN: usize = 16 * 1024;

/// All tokens of a text, an [`Kind::Eof`] last.
pub(crate) fn tokenize(text: &str) -> Result<Vec<Token>> {
    if u32::try_from(text.len()).is_err() {
        return Err(Error::new("_STATEMENT_TOO_COMPLEX")
            .with("what", "the length of its text")
            .with("limit", "4 GiB"));
    }
    let mut pass = Pass { text, tokens: Vec::with_capacity(text.len() / 6 + 8), raw: Vec::new() };
    for p in Scanner::new(text) {
        let kind = match p.piece {
            Piece::Plain => {
                pass.plain(p.start, p.end);
                continue;
            }
            Piece::Comment => continue,
            Piece::UnclosedComment => {
                return Err(Error::new("UNCLOSED_BRACKETED_COMMENT").at(Span::new(p.start, p.end)));
            }
            Piece::Text if text.as_bytes()[p.start] == b'"' => Kind::DoubleQuoted,
            Piece::Text => Kind::Text,
            Piece::RawText => Kind::RawText,
            Piece::Backquoted => Kind::Backquoted,
            Piece::HintStart => Kind::HintStart,
            Piece::HintEnd => Kind::HintEnd,
            Piece::Stray => Kind::Unrecognized,
        };
        pass.push(kind, Kw::Other, p.start, p.end);
    }
    let end = text.len();
    pass.push(Kind::Eof, Kw::Other, end, end);
    Ok(pass.tokens)
}

/// The pass over `sqlparser`'s tokens.
struct Pass<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    raw: Vec<TokenWithSpan>,
}

impl Pass<'_> {
    fn push(&mut self, kind: Kind, kw: Kw, start: usize, end: usize) {
        // The length of the text was checked to fit.
        self.tokens.push(Token { kind, kw, start: start as u32, end: end as u32 });
    }

    /// A stretch without quotes and comments.
    fn plain(&mut self, mut start: usize, end: usize) {
        let bytes = self.text.as_bytes();
        while start < end {
            let mut cut = end;
            if end - start > RUN {
                let from = start + RUN;
                cut = bytes[from..end].iter().position(u8::is_ascii_whitespace).map_or(end, |i| from + i);
            }
            self.run(start, cut);
            start = cut;
        }
    }

    /// One run through the tokenizer. Where it gives up (on characters that are no SQL of its kind), the pass takes one token itself
    /// and the tokenizer goes on behind it.
    fn run(&mut self, start: usize, end: usize) {
        let dialect = SparkDialect;
        let mut at = start;
        while at < end {
            let part = &self.text[at..end];
            let mut raw = std::mem::take(&mut self.raw);
            raw.clear();
            let failed = Tokenizer::new(&dialect, part).tokenize_with_location_into_buf(&mut raw).is_err();
            at = self.take(&raw, at, end);
            self.raw = raw;
            if failed && at < end {
                at = self.one(at, end);
            }
        }
    }

    /// Translates the tokenizer's tokens, the first of which begins at `at`; returns where the last one ends.
    fn take(&mut self, raw: &[TokenWithSpan], at: usize, end: usize) -> usize {
        let mut done = at;
        let mut cursor = Cursor { bytes: self.text.as_bytes(), at, line: 1, column: 1 };
        for t in raw {
            let token_start = cursor.at;
            cursor.advance(t.span.end.line, t.span.end.column, end);
            let token_end = cursor.at;
            if done >= token_end {
                continue; // Already part of a longer token of Spark's.
            }
            if done <= token_start {
                done = token_start;
                if let Raw::Whitespace(_) = t.token {
                    done = token_end;
                    continue;
                }
                if let Raw::Word(w) = &t.token
                    && w.quote_style.is_none()
                    && !self.text.as_bytes()[token_start].is_ascii_digit()
                {
                    self.push(Kind::Word, Kw::of(&self.text[token_start..token_end]), token_start, token_end);
                    done = token_end;
                    continue;
                }
            }
            while done < token_end {
                done = self.one(done, end);
            }
        }
        done.max(cursor.at)
    }

    /// Takes one token at `at` by Spark's rules alone; returns its end.
    fn one(&mut self, at: usize, end: usize) -> usize {
        let rest = &self.text[at..end];
        let Some(first) = rest.chars().next() else { return end };
        if let Some((kind, len)) = number::number(rest) {
            self.push(kind, Kw::Other, at, at + len);
            return at + len;
        }
        if number::is_word_char(first) {
            let len = rest.find(|c| !number::is_word_char(c)).unwrap_or(rest.len());
            self.push(Kind::Word, Kw::of(&rest[..len]), at, at + len);
            return at + len;
        }
        if first.is_whitespace() {
            return at + first.len_utf8();
        }
        let (kind, len) = operator(rest.as_bytes()).unwrap_or((Kind::Unrecognized, first.len_utf8()));
        self.push(kind, Kw::Other, at, at + len);
        at + len
    }
}

/// Follows the tokenizer's lines and columns (in characters, from 1) as byte offsets.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
    column: u64,
}

impl Cursor<'_> {
    fn advance(&mut self, line: u64, column: u64, end: usize) {
        while self.at < end && (self.line, self.column) != (line, column) {
            if self.bytes[self.at] == b'\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
            self.at += 1;
            while self.at < end && self.bytes[self.at] & 0xC0 == 0x80 {
                self.at += 1;
            }
        }
    }
}

/// The longest operator of Spark's at the start of `b`. `>>` and `>>>` are two and three [`Kind::Gt`]: whether they close type
/// arguments or shift is the parser's to know.
fn operator(b: &[u8]) -> Option<(Kind, usize)> {
    let second = b.get(1).copied().unwrap_or(0);
    let third = b.get(2).copied().unwrap_or(0);
    Some(match (b[0], second) {
        (b'<', b'=') if third == b'>' => (Kind::NullSafeEq, 3),
        (b'<', b'=') => (Kind::LtEq, 2),
        (b'<', b'>') => (Kind::NotEq, 2),
        (b'<', b'<') => (Kind::ShiftLeft, 2),
        (b'<', _) => (Kind::Lt, 1),
        (b'>', b'=') => (Kind::GtEq, 2),
        (b'>', _) => (Kind::Gt, 1),
        (b'=', b'=') => (Kind::Eq, 2),
        (b'=', b'>') => (Kind::FatArrow, 2),
        (b'=', _) => (Kind::Eq, 1),
        (b'!', b'=') => (Kind::NotEq, 2),
        (b'!', b'>') => (Kind::LtEq, 2),
        (b'!', b'<') => (Kind::GtEq, 2),
        (b'!', _) => (Kind::Bang, 1),
        (b'|', b'|') => (Kind::Concat, 2),
        (b'|', b'>') => (Kind::PipeOp, 2),
        (b'|', _) => (Kind::Pipe, 1),
        (b'-', b'>') => (Kind::Arrow, 2),
        (b'-', _) => (Kind::Minus, 1),
        (b':', b':') => (Kind::DoubleColon, 2),
        (b':', _) => (Kind::Colon, 1),
        (b'(', _) => (Kind::LParen, 1),
        (b')', _) => (Kind::RParen, 1),
        (b'[', _) => (Kind::LBracket, 1),
        (b']', _) => (Kind::RBracket, 1),
        (b',', _) => (Kind::Comma, 1),
        (b'.', _) => (Kind::Dot, 1),
        (b';', _) => (Kind::Semicolon, 1),
        (b'+', _) => (Kind::Plus, 1),
        (b'*', _) => (Kind::Star, 1),
        (b'/', _) => (Kind::Slash, 1),
        (b'%', _) => (Kind::Percent, 1),
        (b'~', _) => (Kind::Tilde, 1),
        (b'&', _) => (Kind::Ampersand, 1),
        (b'^', _) => (Kind::Caret, 1),
        (b'?', _) => (Kind::Question, 1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let tokens = tokenize(text).unwrap();
        tokens[..tokens.len() - 1].iter().map(|t| (t.kind, &text[t.start as usize..t.end as usize])).collect()
    }

    #[test]
    fn numbers_and_names() {
        assert_eq!(
            kinds("1Y 2s 3L 1.5BD 1e3 1.e-2f .5 1. 12ab 1e5x a._b 1.5x t.1"),
            vec![
                (Kind::Byte, "1Y"),
                (Kind::Short, "2s"),
                (Kind::Long, "3L"),
                (Kind::BigDecimal, "1.5BD"),
                (Kind::Exponent, "1e3"),
                (Kind::Float, "1.e-2f"),
                (Kind::Decimal, ".5"),
                (Kind::Decimal, "1."),
                (Kind::Word, "12ab"),
                (Kind::Word, "1e5x"),
                (Kind::Word, "a"),
                (Kind::Dot, "."),
                (Kind::Word, "_b"),
                (Kind::Integer, "1"),
                (Kind::Dot, "."),
                (Kind::Word, "5x"),
                (Kind::Word, "t"),
                (Kind::Decimal, ".1"),
            ]
        );
    }

    #[test]
    fn operators() {
        use Kind::*;
        let of = |s: &str| kinds(s).into_iter().map(|k| k.0).collect::<Vec<_>>();
        assert_eq!(
            of("<=> <> != !< !> == => -> || |> | << <"),
            vec![
                NullSafeEq, NotEq, NotEq, GtEq, LtEq, Eq, FatArrow, Arrow, Concat, PipeOp, Pipe, ShiftLeft,
                Lt
            ]
        );
        assert_eq!(of("a->>b"), vec![Word, Arrow, Gt, Word]);
        assert_eq!(
            of("x>>>1 ::: ~ ^ & % ! !!"),
            vec![
                Word,
                Gt,
                Gt,
                Gt,
                Integer,
                DoubleColon,
                Colon,
                Tilde,
                Caret,
                Ampersand,
                Percent,
                Bang,
                Bang,
                Bang
            ]
        );
        assert_eq!(of("$ @x #"), vec![Unrecognized, Unrecognized, Word, Unrecognized]);
        assert_eq!(of("(a)._b"), vec![LParen, Word, RParen, Dot, Word]);
    }

    #[test]
    fn places_are_bytes() {
        assert_eq!(
            kinds("'é' \u{3000} ü\r\n é2 'x'"),
            vec![(Kind::Text, "'é'"), (Kind::Word, "ü"), (Kind::Word, "é2"), (Kind::Text, "'x'"),]
        );
    }
}
