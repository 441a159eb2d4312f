//! The line editor: when a statement is whole, its colours, its completion, its history.
//!
//! Must not know: how anything is carried out.

use super::complete;
use super::highlight;
use super::meta::{self, Argument};
use crate::interrupt;
use crate::style::{Role, Style};
use crate::terminal;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, ColorMode, CompletionType, Config, Context, Editor, Helper, KeyCode, KeyEvent, Modifiers,
};
use std::borrow::Cow;
use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use vonk::{Error, Session, is_complete};

/// Entries that the history keeps.
const HISTORY: usize = 10_000;
/// What the file of rustyline's history begins with.
const HISTORY_HEAD: &[u8] = b"#V2\n";

/// What was entered.
pub enum Entry {
    /// A statement or several, or a command.
    Text(String),
    /// Ctrl-C: nothing, from the beginning.
    Nothing,
    /// Ctrl-D, or the terminal is gone.
    End,
}

/// The editor and its history.
pub struct LineEditor {
    editor: Editor<Sql, FileHistory>,
    history: Option<PathBuf>,
    style: Style,
}

impl LineEditor {
    /// Takes over the terminal, with the history of earlier sessions.
    pub fn new(session: &Session, style: Style) -> vonk::Result<LineEditor> {
        let unusable = |e: ReadlineError| Error::io("cannot use the terminal", e);
        let config = Config::builder()
            .max_history_size(HISTORY)
            .and_then(|c| c.history_ignore_dups(true))
            .map_err(unusable)?
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .color_mode(if style.is_coloured() { ColorMode::Forced } else { ColorMode::Disabled })
            .build();
        let mut editor: Editor<Sql, FileHistory> = Editor::with_config(config).map_err(unusable)?;
        editor.set_helper(Some(Sql::new(session, style)));
        // Enter ends a whole statement; with Alt it is a new line in any.
        editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), Cmd::Newline);
        let history = history_file();
        if let Some(file) = &history {
            make(file);
            // The first time there is none; one that cannot be read is no reason not to start.
            let _ = editor.load_history(file);
        }
        Ok(LineEditor { editor, history, style })
    }

    /// Asks for a text, beginning with `initial`.
    pub fn read(&mut self, prompt: &str, initial: &str) -> vonk::Result<Entry> {
        let prompt = (prompt, self.style.paint(Role::Prompt, prompt));
        match self.editor.readline_with_initial(&prompt, (initial, "")) {
            Ok(text) => {
                // As in other shells: what begins with a blank is not to be remembered.
                if !text.starts_with(' ') {
                    self.remember(text.trim());
                }
                Ok(Entry::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Entry::Nothing),
            Err(ReadlineError::Eof) => Ok(Entry::End),
            Err(ReadlineError::Io(e)) if e.kind() == std::io::ErrorKind::InvalidData => {
                terminal::warn("That was no UTF-8.");
                Ok(Entry::Nothing)
            }
            // The terminal was closed.
            Err(ReadlineError::Io(e)) if e.raw_os_error() == Some(libc::EIO) => Ok(Entry::End),
            Err(e) => Err(Error::io("cannot read from the terminal", e)),
        }
    }

    /// Each entry is appended when it is made, under the file's lock: shells that run at once keep all of theirs, and one that is killed keeps
    /// its own.
    fn remember(&mut self, text: &str) {
        if text.is_empty() || self.editor.add_history_entry(text).is_err() {
            return;
        }
        if let Some(file) = &self.history {
            if let Err(e) = self.editor.append_history(file) {
                terminal::warn(&format!("The history cannot be written to {}: {e}", file.display()));
                self.history = None;
            }
        }
    }
}

/// `$VONK_HISTORY`, or `vonk/history` where state is kept (XDG).
fn history_file() -> Option<PathBuf> {
    if let Some(file) = std::env::var_os("VONK_HISTORY") {
        return (!file.is_empty()).then(|| PathBuf::from(file));
    }
    let state = std::env::var_os("XDG_STATE_HOME").filter(|v| !v.is_empty()).map(PathBuf::from);
    let state = state.or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".local/state")));
    state.map(|s| s.join("vonk/history"))
}

/// Makes the file with its head if there is none: whoever finds one only ever appends.
fn make(file: &PathBuf) {
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(folder) = file.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    // Statements may hold what is nobody else's business.
    if let Ok(mut new) = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        let _ = new.write_all(HISTORY_HEAD);
    }
}

/// Whether Enter ends the entry.
pub fn is_whole(text: &str) -> bool {
    let trimmed = text.trim();
    trimmed.is_empty() || meta::is_command(trimmed) || is_complete(text)
}

/// What rustyline asks about SQL.
struct Sql {
    session: Session,
    style: Style,
    files: FilenameCompleter,
    /// The line is shown for the last time: no cursor, no brackets.
    last: Cell<bool>,
}

impl Sql {
    fn new(session: &Session, style: Style) -> Sql {
        Sql { session: session.clone(), style, files: FilenameCompleter::new(), last: Cell::new(false) }
    }

    fn command(&self, line: &str, pos: usize) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..pos];
        let lead = typed.len() - typed.trim_start().len();
        let Some(space) = typed[lead..].find(char::is_whitespace) else {
            let names = meta::names()
                .map(|n| complete::Candidate { display: n.into(), replacement: format!("{n} ") });
            return Ok((lead, pairs(complete::matching(names.collect(), &typed[lead..]))));
        };
        let name = &typed[lead..lead + space];
        let start = typed.rfind(char::is_whitespace).map_or(pos, |i| i + 1);
        let word = &typed[start..];
        let same = |texts: Vec<&str>| {
            let all =
                texts.into_iter().map(|t| complete::Candidate { display: t.into(), replacement: t.into() });
            complete::matching(all.collect(), word)
        };
        Ok(match meta::argument(name) {
            Argument::File => return self.files.complete_path(line, pos),
            Argument::Relation => {
                let (at, found) = complete::relations(word, &self.session);
                (start + at, pairs(found))
            }
            Argument::Database => {
                (start, pairs(complete::matching(complete::databases(&self.session), word)))
            }
            Argument::Setting => (start, pairs(complete::matching(complete::settings(), word))),
            Argument::OneOf(words) => (start, pairs(same(words.to_vec()))),
            Argument::Command => (start, pairs(same(meta::names().collect()))),
            Argument::None => (pos, vec![]),
        })
    }
}

fn pairs(candidates: Vec<complete::Candidate>) -> Vec<Pair> {
    candidates.into_iter().map(|c| Pair { display: c.display, replacement: c.replacement }).collect()
}

impl Helper for Sql {}

impl Hinter for Sql {
    type Hint = String;
}

impl Validator for Sql {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match is_whole(context.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Completer for Sql {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        // What the catalog does not tell before Ctrl-C is not offered.
        let _ctrl_c = terminal::Interruptible::new();
        interrupt::until_interrupted(|| {
            if line.trim_start().starts_with(['.', '\\']) {
                return self.command(line, pos);
            }
            let (start, found) = complete::complete(line, pos, &self.session);
            Ok((start, pairs(found)))
        })
    }
}

impl Highlighter for Sql {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        if !self.style.is_coloured() || meta::is_command(line.trim_start()) {
            return Cow::Borrowed(line);
        }
        Cow::Owned(match self.last.get() {
            true => highlight::colour(line, self.style),
            false => highlight::colour_at(line, pos, self.style),
        })
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.last.set(kind == CmdKind::ForcedRefresh);
        self.style.is_coloured()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_ends_whole_statements_and_commands() {
        for whole in ["", "  ", "SELECT 1;", ".mode", "\\d t", "!ls", "exit", "quit", "SELECT 1; -- done"] {
            assert!(is_whole(whole), "{whole}");
        }
        for part in ["SELECT 1", "SELECT ';", "SELECT (1;", "exit_code", "SELECT 1\n.5"] {
            assert!(!is_whole(part), "{part}");
        }
    }
}
