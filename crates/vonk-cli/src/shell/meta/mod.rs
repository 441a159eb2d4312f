//! Commands of the shell: one table of names, arguments and what they do, from which help, completion and suggestions come.
//!
//! Names are those that people know from sqlite3 and DuckDB (`.mode`), psql (`\d`) and spark-sql (`!ls`, `source FILE;`).
//!
//! Must not know: how results are printed.

mod catalog;
mod display;
mod system;

pub use catalog::use_database;

use super::console::{Console, Outcome};
use crate::interrupt;
use crate::nearest::nearest;
use vonk::Error;

/// What comes after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The next.
    Go,
    /// Nothing: the shell or the script is left.
    Leave,
    /// What comes after a text that was run went so.
    Stop(Outcome),
}

/// What a command takes, for completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// Nothing that could be completed.
    None,
    /// A file or folder.
    File,
    /// A table or view.
    Relation,
    /// A database.
    Database,
    /// A key of a setting.
    Setting,
    /// The name of a command.
    Command,
    /// One of a few words.
    OneOf(&'static [&'static str]),
}

const ON_OFF: Argument = Argument::OneOf(&["on", "off"]);

/// A row of the table.
pub struct Command {
    /// Its names; the first is the one it is listed by.
    names: &'static [&'static str],
    /// What it takes, as help shows it.
    usage: &'static str,
    /// The same for completion.
    argument: Argument,
    /// What it does.
    help: &'static str,
    run: fn(&mut Console, &Call<'_>) -> vonk::Result<Flow>,
}

/// A command as it was written.
pub struct Call<'a> {
    /// The name that was used.
    pub name: &'a str,
    /// All behind it, as written.
    pub rest: &'a str,
    /// The same as words; quotes hold one together. `None` if one is left open.
    words: Option<Vec<String>>,
}

impl Call<'_> {
    fn words(&self) -> vonk::Result<&[String]> {
        let words = self.words.as_deref();
        words.ok_or_else(|| invalid(format!("A quote is left open in {}", self.rest)))
    }

    /// The only word, if there is one; more are an error.
    fn only(&self) -> vonk::Result<Option<&str>> {
        match self.words()? {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            _ => Err(self.usage()),
        }
    }

    /// The word there must be.
    fn one(&self) -> vonk::Result<&str> {
        self.only()?.ok_or_else(|| self.usage())
    }

    /// `on` or `off`; the contrary of `now` if neither was said.
    fn switch(&self, now: bool) -> vonk::Result<bool> {
        match self.only()?.map(str::to_lowercase).as_deref() {
            None => Ok(!now),
            Some("on" | "true" | "yes" | "1") => Ok(true),
            Some("off" | "false" | "no" | "0") => Ok(false),
            Some(_) => Err(self.usage()),
        }
    }

    fn usage(&self) -> Error {
        let usage = find(self.name).map_or("", |c| c.usage);
        invalid(format!("Usage: {} {usage}", self.name))
    }
}

fn invalid(message: String) -> Error {
    Error::new("_INVALID_COMMAND").with("message", message)
}

/// All commands, as help lists them.
static COMMANDS: &[&[Command]] = &[catalog::COMMANDS, display::COMMANDS, system::COMMANDS];

fn commands() -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().flat_map(|family| family.iter())
}

fn find(name: &str) -> Option<&'static Command> {
    commands().find(|c| c.names.contains(&name))
}

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> {
    commands().flat_map(|c| c.names.iter().copied())
}

/// What a command takes.
pub fn argument(name: &str) -> Argument {
    find(name).map_or(Argument::None, |c| c.argument)
}

/// Whether a text is a command, to be run without a semicolon: `.mode`, `\d`, `!ls`; and `exit`, `quit`, `help` alone, as in psql.
pub fn is_command(text: &str) -> bool {
    text.starts_with(['.', '\\', '!']) || bare(text).is_some()
}

fn bare(text: &str) -> Option<&'static str> {
    let word = text.trim().trim_end_matches(';').trim_end();
    match word.to_ascii_lowercase().as_str() {
        "exit" | "quit" => Some(".quit"),
        "help" => Some(".help"),
        _ => None,
    }
}

/// The command that a statement is, as spark-sql has it: `exit`, `quit`, `source FILE`.
pub fn statement_command(sql: &str) -> Option<String> {
    if let Some(command) = bare(sql) {
        return Some(command.to_string());
    }
    let (word, rest) = sql.split_once(char::is_whitespace)?;
    word.eq_ignore_ascii_case("source").then(|| format!(".read {}", rest.trim()))
}

/// Runs a command.
pub fn run(console: &mut Console, line: &str) -> vonk::Result<Flow> {
    let line = line.trim().trim_end_matches(';').trim_end();
    if let Some(command) = line.strip_prefix('!').or_else(|| line.strip_prefix("\\!")) {
        return system::shell(console, command);
    }
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let name = if name.starts_with('.') { name.to_lowercase() } else { name.to_string() };
    let Some(command) = find(&name) else {
        let meant = nearest(&name, names()).map_or(String::new(), |n| format!(" Did you mean {n}?"));
        return Err(invalid(format!("There is no command {name}.{meant} Type .help for all.")));
    };
    let call = Call { name: &name, rest, words: words(rest) };
    match catalog::COMMANDS.iter().any(|c| std::ptr::eq(c, command)) {
        // A catalog may be slow to answer.
        true => interrupt::until_interrupted(|| (command.run)(console, &call)),
        false => (command.run)(console, &call),
    }
}

/// Cuts at blanks outside of quotes; `None` if a quote is left open.
fn words(text: &str) -> Option<Vec<String>> {
    let (mut out, mut word, mut quote): (Vec<String>, Option<String>, Option<char>) = (vec![], None, None);
    for c in text.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => out.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    quote.is_none().then_some(out)
}

/// Columns of help before what a command does.
const USAGE: usize = 37;

/// A command's line of help, or several where the terminal is narrow.
fn help_of(command: &Command, width: Option<usize>) -> String {
    let usage = format!("{} {}", command.names.join(" "), command.usage);
    let help = width.map_or_else(
        || command.help.to_string(),
        |width| crate::errors::wrap(command.help, width.saturating_sub(USAGE).max(20)),
    );
    let help = help.replace('\n', &format!("\n{}", " ".repeat(USAGE)));
    format!("  {:<34} {help}\n", usage.trim_end())
}

/// The text of `.help`, or of one command.
fn help(name: Option<&str>) -> vonk::Result<String> {
    let width = crate::terminal::size().map(|(columns, _)| columns);
    let line = |c: &Command| help_of(c, width);
    if let Some(name) = name {
        let named =
            |c: &&Command| c.names.iter().any(|n| *n == name || n.trim_start_matches(['.', '\\']) == name);
        let found: String = commands().filter(named).map(line).collect();
        if found.is_empty() {
            return Err(invalid(format!("There is no command {name}. Type .help for all.")));
        }
        return Ok(found);
    }
    let mut out = String::from(
        "Statements end with a semicolon and may take several lines.\nCommands end with their line.\n",
    );
    for family in COMMANDS {
        out.push('\n');
        out.extend(family.iter().map(line));
    }
    out += "
  Tab completes, Ctrl-R searches the history, Up brings back the last entry.
  Enter runs what is whole; Alt-Enter is a new line in a whole statement.
  Ctrl-C cancels the statement that runs, or clears the line; Ctrl-D leaves.
  Try: SELECT * FROM samples.tpch.nation;
";
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;

    #[test]
    fn names_are_unique() {
        let mut all: Vec<&str> = names().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|n| n.starts_with(['.', '\\'])));
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(words("a 'b c' d\"e\"f ''").unwrap(), ["a", "b c", "def", ""]);
        assert_eq!(words("it's"), None);
        assert_eq!(words("  ").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn statements_that_are_commands() {
        assert_eq!(statement_command("EXIT").as_deref(), Some(".quit"));
        assert_eq!(statement_command("source /tmp/x.sql").as_deref(), Some(".read /tmp/x.sql"));
        assert_eq!(statement_command("SELECT 1"), None);
        assert_eq!(statement_command("exits"), None);
    }
}
