//! What each stretch of a text is, for colours: of any text, whole or not, right or wrong.
//!
//! Must not know: the grammar beyond its tokens, terminals.

use super::scan::{Piece, Scanner};
use super::{Kind, Kw, Pass};
use std::ops::Range;

/// What a reader sees a stretch of text as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenClass {
    /// A keyword. Spark reserves none: behind a dot it is a name, and so it is elsewhere where it cannot be a keyword.
    Keyword,
    /// A name: of a column, a table, a function, a type.
    Name,
    /// A name in backticks.
    QuotedName,
    /// A string, its quotes included.
    Text,
    /// A number of any kind.
    Number,
    /// `(`, `)`, `[`, `]`
    Bracket,
    /// `.`
    Dot,
    /// `;`
    Semicolon,
    /// All other signs.
    Operator,
    /// A comment, its signs included.
    Comment,
    /// `/*+` and `*/`
    Hint,
    /// A quote or a comment that nothing closes, up to the end of the text.
    Unclosed,
    /// A character that no token of Spark's begins with.
    Unrecognized,
}

/// A stretch of text and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassifiedToken {
    /// What it is.
    pub class: TokenClass,
    /// Where it is, in bytes.
    pub range: Range<usize>,
}

/// The tokens and comments of a text in their order; white space between them is left out. After a quote that nothing closes, all is
/// [`TokenClass::Unclosed`].
pub fn classify(text: &str) -> Vec<ClassifiedToken> {
    let mut out = Vec::new();
    if u32::try_from(text.len()).is_err() {
        return out; // Places of tokens have 32 bits; nobody looks at colours of 4 GiB.
    }
    let mut pass = Pass { text, tokens: Vec::new(), raw: Vec::new() };
    for p in Scanner::new(text) {
        let class = match p.piece {
            Piece::Plain => {
                pass.tokens.clear();
                pass.plain(p.start, p.end);
                out.extend(pass.tokens.iter().map(|t| ClassifiedToken {
                    class: class_of(t.kind, t.kw),
                    range: t.start as usize..t.end as usize,
                }));
                continue;
            }
            Piece::Text | Piece::RawText => TokenClass::Text,
            Piece::Backquoted => TokenClass::QuotedName,
            Piece::Comment => TokenClass::Comment,
            Piece::HintStart | Piece::HintEnd => TokenClass::Hint,
            Piece::Stray | Piece::UnclosedComment => {
                out.push(ClassifiedToken { class: TokenClass::Unclosed, range: p.start..text.len() });
                break;
            }
        };
        out.push(ClassifiedToken { class, range: p.start..p.end });
    }
    out
}

fn class_of(kind: Kind, kw: Kw) -> TokenClass {
    match kind {
        Kind::Word if kw == Kw::Other => TokenClass::Name,
        Kind::Word => TokenClass::Keyword,
        Kind::Backquoted => TokenClass::QuotedName,
        Kind::Text | Kind::DoubleQuoted | Kind::RawText => TokenClass::Text,
        number if number.is_number() => TokenClass::Number,
        Kind::LParen | Kind::RParen | Kind::LBracket | Kind::RBracket => TokenClass::Bracket,
        Kind::Dot => TokenClass::Dot,
        Kind::Semicolon => TokenClass::Semicolon,
        Kind::HintStart | Kind::HintEnd => TokenClass::Hint,
        Kind::Unrecognized => TokenClass::Unrecognized,
        _ => TokenClass::Operator,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(text: &str) -> Vec<(TokenClass, &str)> {
        classify(text).into_iter().map(|t| (t.class, &text[t.range])).collect()
    }

    #[test]
    fn every_token_has_its_class() {
        use TokenClass::*;
        assert_eq!(
            classes("SELECT /*+ hint */ a.`b`, 'é', 1.5BD -- end\n;"),
            vec![
                (Keyword, "SELECT"),
                (Hint, "/*+"),
                (Name, "hint"),
                (Hint, "*/"),
                (Name, "a"),
                (Dot, "."),
                (QuotedName, "`b`"),
                (Operator, ","),
                (Text, "'é'"),
                (Operator, ","),
                (Number, "1.5BD"),
                (Comment, "-- end\n"),
                (Semicolon, ";"),
            ]
        );
    }

    #[test]
    fn what_nothing_closes_lasts_to_the_end() {
        use TokenClass::*;
        assert_eq!(classes("a 'b (c"), vec![(Name, "a"), (Unclosed, "'b (c")]);
        assert_eq!(classes("( /* b"), vec![(Bracket, "("), (Unclosed, "/* b")]);
        assert_eq!(classes("# $"), vec![(Unrecognized, "#"), (Unrecognized, "$")]);
    }
}
