//! Texts of statements and commands, cut into them; and what runs such texts without a person: `-e`, `-f`, standard input.
//!
//! Must not know: what commands there are.

use crate::interrupt::{self, Kind};
use crate::options::SqlOptions;
use crate::shell::console::{Console, Outcome};
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use vonk::{Error, TokenClass, classify, split_statements};

/// A piece of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A line that begins with `.`, `\` or `!`: a command of the shell.
    Command(&'a str),
    /// A statement, without its semicolon.
    Statement(&'a str),
}

/// The first of the pieces of a script, and where the next begins; `None` at the end. A command begins where a statement could, and ends with its
/// line.
fn first_item(text: &str, from: usize) -> Option<(Vec<Item<'_>>, usize)> {
    let mut items = Vec::new();
    for range in split_statements(&text[from..]) {
        let start = from + range.start + leading_comments(&text[from + range.start..from + range.end]);
        if text[start..].starts_with(['.', '\\', '!']) {
            let end = text[start..].find('\n').map_or(text.len(), |i| start + i);
            items.push(Item::Command(text[start..end].trim()));
            return Some((items, end));
        }
        items.push(Item::Statement(&text[from + range.start..from + range.end]));
    }
    (!items.is_empty()).then_some((items, text.len()))
}

/// The pieces of a script in their order.
pub fn items(text: &str) -> Vec<Item<'_>> {
    let (mut out, mut from) = (Vec::new(), 0);
    while let Some((items, next)) = first_item(text, from) {
        out.extend(items);
        from = next;
    }
    out
}

/// Bytes of the comments that a statement begins with.
fn leading_comments(statement: &str) -> usize {
    if !statement.starts_with("--") && !statement.starts_with("/*") {
        return 0;
    }
    let first = classify(statement).into_iter().find(|t| t.class != TokenClass::Comment);
    first.map_or(0, |t| t.range.start)
}

/// The text of a file.
pub fn read_file(path: &Path) -> vonk::Result<String> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(format!("cannot read {}", path.display()), e))?;
    text_of(bytes, &path.display().to_string())
}

fn text_of(bytes: Vec<u8>, source: &str) -> vonk::Result<String> {
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Error::io(format!("cannot read {source}"), format!("invalid UTF-8 at byte {at}"))
    })?;
    // Editors of Windows put a mark in front.
    Ok(text.strip_prefix('\u{feff}').map(str::to_string).unwrap_or(text))
}

/// Runs what `-e` and `-f` give.
pub fn run(console: &mut Console, options: &SqlOptions) -> vonk::Result<ExitCode> {
    let mut texts = options.execute.clone();
    if let Some(path) = &options.file {
        texts.push(read_file(path)?);
    }
    Ok(run_texts(console, &texts))
}

/// Runs what comes on standard input.
pub fn run_stdin(console: &mut Console) -> vonk::Result<ExitCode> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|e| Error::io("cannot read standard input", e))?;
    let text = text_of(bytes, "standard input")?;
    Ok(run_texts(console, &[text]))
}

fn run_texts(console: &mut Console, texts: &[String]) -> ExitCode {
    interrupt::listen(Kind::Script);
    for text in texts {
        match console.run_text(text) {
            Outcome::Done => {}
            Outcome::Failed => return ExitCode::FAILURE,
            Outcome::Interrupted => return ExitCode::from(interrupt::INTERRUPTED),
            // Asked to leave, or nobody reads any more, as after `| head`.
            Outcome::Left => break,
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_stand_where_statements_begin() {
        use Item::*;
        let text = ".mode csv\n-- it's a comment\n.echo it's; fine\nSELECT '\n.no command';\n\\d t\n!ls;\nSELECT 1 -- one\n";
        assert_eq!(
            items(text),
            vec![
                Command(".mode csv"),
                Command(".echo it's; fine"),
                Statement("SELECT '\n.no command'"),
                Command("\\d t"),
                Command("!ls;"),
                Statement("SELECT 1 -- one"),
            ]
        );
        assert_eq!(items("SELECT .5; SELECT a\n.b"), vec![Statement("SELECT .5"), Statement("SELECT a\n.b")]);
        assert_eq!(items(" \n-- nothing\n"), vec![]);
    }
}
