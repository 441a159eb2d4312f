//! Cuts SQL text into quoted texts, comments, and what lies between.
//!
//! Quotes and comments follow Spark's lexer: backslash escapes and doubled quotes in strings, raw strings `r'…'`, doubled
//! backticks, line comments that a backslash at the line's end continues, nested bracketed comments, hints (`/*+ … */`) which are
//! not comments. Everything that must know where a quote or comment ends asks this one scanner.

/// A stretch of text of one nature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Words, numbers, operators, white space.
    Plain,
    /// `'…'` or `"…"`, quotes included.
    Text,
    /// `r'…'` or `R"…"`, prefix and quotes included.
    RawText,
    /// `` `…` ``
    Backquoted,
    /// `-- …` or `/* … */`
    Comment,
    /// `/*+`
    HintStart,
    /// `*/` outside of a comment.
    HintEnd,
    /// A quote that nothing closes.
    Stray,
    /// `/*` that nothing closes; lasts until the end of the text.
    UnclosedComment,
}

/// A piece and its byte range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PieceAt {
    pub piece: Piece,
    pub start: usize,
    pub end: usize,
}

/// Walks over the pieces of a text.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Quotes known to have no closing partner further on; looked for once only, so that scanning stays linear.
    unclosed: [bool; 3],
}

const QUOTES: [u8; 3] = [b'\'', b'"', b'`'];

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Scanner { bytes: text.as_bytes(), at: 0, unclosed: [false; 3] }
    }

    /// What begins at `i` if it is not plain: the piece and its end.
    fn special(&mut self, i: usize) -> Option<(Piece, usize)> {
        let next = self.bytes.get(i + 1).copied();
        match self.bytes[i] {
            b'\'' | b'"' => Some(self.quoted(i, i, Piece::Text)),
            b'`' => Some(self.quoted(i, i, Piece::Backquoted)),
            b'r' | b'R' if matches!(next, Some(b'\'' | b'"')) && !self.in_word(i) => {
                match self.quoted(i, i + 1, Piece::RawText) {
                    (Piece::Stray, _) => None,
                    found => Some(found),
                }
            }
            b'-' if next == Some(b'-') => Some((Piece::Comment, self.line_comment(i + 2))),
            b'/' if next == Some(b'*') => Some(match self.bytes.get(i + 2) {
                Some(b'+') => (Piece::HintStart, i + 3),
                _ => self.bracketed_comment(i),
            }),
            b'*' if next == Some(b'/') => Some((Piece::HintEnd, i + 2)),
            _ => None,
        }
    }

    /// Whether the byte before `i` belongs to a word that goes on at `i`.
    fn in_word(&self, i: usize) -> bool {
        i > 0
            && (self.bytes[i - 1].is_ascii_alphanumeric()
                || self.bytes[i - 1] == b'_'
                || self.bytes[i - 1] >= 0x80)
    }

    fn quoted(&mut self, start: usize, open: usize, piece: Piece) -> (Piece, usize) {
        let quote = self.bytes[open];
        let which = QUOTES.iter().position(|q| *q == quote).unwrap_or(0);
        if self.unclosed[which] {
            return (Piece::Stray, start + 1);
        }
        let mut i = open + 1;
        while i < self.bytes.len() {
            match self.bytes[i] {
                b'\\' if piece == Piece::Text => i += 2,
                b if b == quote => {
                    let doubled = piece != Piece::RawText && self.bytes.get(i + 1) == Some(&quote);
                    if !doubled {
                        return (piece, i + 1);
                    }
                    i += 2;
                }
                _ => i += 1,
            }
        }
        self.unclosed[which] = true;
        (Piece::Stray, start + 1)
    }

    fn line_comment(&self, mut i: usize) -> usize {
        while let Some(b) = self.bytes.get(i) {
            match b {
                b'\\' if self.bytes.get(i + 1) == Some(&b'\n') => i += 2,
                b'\n' => return i + 1,
                _ => i += 1,
            }
        }
        i
    }

    fn bracketed_comment(&self, start: usize) -> (Piece, usize) {
        let mut depth = 1usize;
        let mut i = start + 2;
        while i + 1 < self.bytes.len() {
            match (self.bytes[i], self.bytes[i + 1]) {
                (b'*', b'/') => {
                    depth -= 1;
                    i += 2;
                    if depth == 0 {
                        return (Piece::Comment, i);
                    }
                }
                (b'/', b'*') if self.bytes.get(i + 2) != Some(&b'+') => {
                    depth += 1;
                    i += 2;
                }
                _ => i += 1,
            }
        }
        (Piece::UnclosedComment, self.bytes.len())
    }
}

impl Iterator for Scanner<'_> {
    type Item = PieceAt;

    fn next(&mut self) -> Option<PieceAt> {
        let start = self.at;
        if start >= self.bytes.len() {
            return None;
        }
        if let Some((piece, end)) = self.special(start) {
            self.at = end.min(self.bytes.len());
            return Some(PieceAt { piece, start, end: self.at });
        }
        let mut end = start + 1;
        while end < self.bytes.len() {
            match self.bytes[end] {
                b'\'' | b'"' | b'`' => break,
                b'r' | b'R' | b'-' | b'/' | b'*' => {
                    let unclosed = self.unclosed;
                    let found = self.special(end);
                    self.unclosed = unclosed;
                    if found.is_some() {
                        break;
                    }
                }
                _ => {}
            }
            end += 1;
        }
        self.at = end;
        Some(PieceAt { piece: Piece::Plain, start, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<(Piece, &str)> {
        Scanner::new(text).map(|p| (p.piece, &text[p.start..p.end])).collect()
    }

    #[test]
    fn quotes() {
        assert_eq!(
            pieces(r#"a 'b\'c' "d""e" `f``g` r'\' bar'x'"#),
            vec![
                (Piece::Plain, "a "),
                (Piece::Text, r"'b\'c'"),
                (Piece::Plain, " "),
                (Piece::Text, r#""d""e""#),
                (Piece::Plain, " "),
                (Piece::Backquoted, "`f``g`"),
                (Piece::Plain, " "),
                (Piece::RawText, r"r'\'"),
                (Piece::Plain, " bar"),
                (Piece::Text, "'x'"),
            ]
        );
    }

    #[test]
    fn comments_and_hints() {
        assert_eq!(
            pieces("1 -- x\\\ny\n/* a /* b */ ; */2/*+ h */"),
            vec![
                (Piece::Plain, "1 "),
                (Piece::Comment, "-- x\\\ny\n"),
                (Piece::Comment, "/* a /* b */ ; */"),
                (Piece::Plain, "2"),
                (Piece::HintStart, "/*+"),
                (Piece::Plain, " h "),
                (Piece::HintEnd, "*/"),
            ]
        );
    }

    #[test]
    fn unclosed() {
        assert_eq!(pieces("a 'b"), vec![(Piece::Plain, "a "), (Piece::Stray, "'"), (Piece::Plain, "b")]);
        assert_eq!(pieces("a /* b"), vec![(Piece::Plain, "a "), (Piece::UnclosedComment, "/* b")]);
    }
}
