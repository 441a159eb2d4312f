//! Where one statement ends and the next begins: for scripts and for the interactive prompt.

use super::scan::{Piece, Scanner};
use std::ops::Range;

/// Cuts a script at every `;` outside of quotes and comments. Each range is one statement without its semicolon and without
/// white space around it; pieces of nothing but white space and comments are left out.
pub fn split_statements(sql: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut has_content = false;
    for p in Scanner::new(sql) {
        match p.piece {
            Piece::Comment => {}
            Piece::Plain => {
                for (i, b) in sql.as_bytes()[p.start..p.end].iter().enumerate() {
                    if *b == b';' {
                        push(sql, start..p.start + i, has_content, &mut out);
                        start = p.start + i + 1;
                        has_content = false;
                    } else if !b.is_ascii_whitespace() {
                        has_content = true;
                    }
                }
            }
            _ => has_content = true,
        }
    }
    push(sql, start..sql.len(), has_content, &mut out);
    out
}

fn push(sql: &str, range: Range<usize>, has_content: bool, out: &mut Vec<Range<usize>>) {
    if has_content {
        let text = &sql[range.clone()];
        let start = range.start + (text.len() - text.trim_start().len());
        let trimmed = text.trim();
        out.push(start..start + trimmed.len());
    }
}

/// Whether the text ends with a `;` that is neither in quotes nor in a comment nor inside of brackets, comments after it aside:
/// the prompt then has a whole statement.
pub fn is_complete(sql: &str) -> bool {
    let mut last = None;
    let mut open = 0i64;
    for p in Scanner::new(sql) {
        match p.piece {
            Piece::Comment => {}
            Piece::Stray | Piece::UnclosedComment => return false,
            Piece::Plain => {
                for b in sql[p.start..p.end].bytes().filter(|b| !b.is_ascii_whitespace()) {
                    match b {
                        b'(' | b'[' => open += 1,
                        b')' | b']' => open -= 1,
                        // A bracket left open in one statement says nothing about the next.
                        b';' if open <= 0 => open = 0,
                        _ => {}
                    }
                    last = Some((b, open));
                }
            }
            _ => last = Some((0, open)),
        }
    }
    matches!(last, Some((b';', open)) if open <= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(sql: &str) -> Vec<&str> {
        split_statements(sql).into_iter().map(|r| &sql[r]).collect()
    }

    #[test]
    fn splits_outside_of_quotes_and_comments() {
        assert_eq!(
            split("select ';' ; -- a;b\n /* ; */ select `;` /* ; */;; ;\n select 2 -- end"),
            vec!["select ';'", "-- a;b\n /* ; */ select `;` /* ; */", "select 2 -- end"]
        );
        assert_eq!(split(" -- nothing\n ; /* at all */ "), Vec::<&str>::new());
        assert_eq!(split("select 'é;"), vec!["select 'é",][..1].to_vec());
    }

    #[test]
    fn complete() {
        assert!(is_complete("select 1;"));
        assert!(is_complete("select 1; -- done"));
        assert!(!is_complete("select 1"));
        assert!(!is_complete("select ';"));
        assert!(!is_complete("select 1 -- ;"));
        assert!(!is_complete("select (1;"));
        assert!(!is_complete("select 1 /* ;"));
    }
}
