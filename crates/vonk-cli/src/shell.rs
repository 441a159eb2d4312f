//! The shell: statements over several lines until a semicolon, history, Ctrl-C, timings.

use crate::output::{Format, print};
use crate::{interrupt, progress};
use clap::ValueEnum;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use vonk::{Control, Error, Session, is_complete, split_statements};

const HELP: &str = "\
Statements end with a semicolon and may take several lines.
  .mode FORMAT   table, csv, tsv, json, jsonl, markdown or vertical
  .timer on|off  the line with rows and time
  .help          this
  .quit          leave; so does Ctrl-D
Ctrl-C cancels the statement that runs, or clears the line.
Try: SELECT * FROM samples.tpch.nation;
";

struct Shell<'a> {
    session: &'a Session,
    format: Format,
    timer: bool,
}

/// Runs the shell until its user leaves.
pub fn run(session: &Session, format: Format) -> vonk::Result<ExitCode> {
    let mut editor = DefaultEditor::new().map_err(|e| Error::io("cannot use the terminal", e))?;
    let history = history_file();
    if let Some(file) = &history {
        // The first time there is none.
        let _ = editor.load_history(file);
    }
    interrupt::listen(false);
    println!("Vonk {}. Type .help for help.", env!("CARGO_PKG_VERSION"));
    let mut shell = Shell { session, format, timer: true };
    let mut pending = String::new();
    loop {
        let prompt = if pending.is_empty() { "vonk> " } else { "   -> " };
        match editor.readline(prompt) {
            Ok(line) if pending.is_empty() && line.trim().is_empty() => {}
            Ok(line) if pending.is_empty() && line.trim_start().starts_with('.') => {
                let _ = editor.add_history_entry(line.trim());
                if shell.dot_command(line.trim()) {
                    break;
                }
            }
            Ok(line) => {
                pending.push_str(&line);
                pending.push('\n');
                if is_complete(&pending) {
                    let _ = editor.add_history_entry(pending.trim());
                    shell.statements(&pending);
                    pending.clear();
                }
            }
            Err(ReadlineError::Interrupted) => pending.clear(),
            Err(ReadlineError::Eof) => break,
            Err(e) => return Err(Error::io("cannot read from the terminal", e)),
        }
    }
    if let Some(file) = &history {
        if let Some(folder) = file.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        if let Err(e) = editor.save_history(file) {
            eprintln!("The history could not be saved to {}: {e}", file.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".local/state")));
    state.map(|s| s.join("vonk/history"))
}

impl Shell<'_> {
    /// Carries out a command of the shell; true to leave.
    fn dot_command(&mut self, line: &str) -> bool {
        let mut words = line.split_whitespace();
        match (words.next().unwrap_or_default(), words.next()) {
            (".quit" | ".exit", _) => return true,
            (".help", _) => print!("{HELP}"),
            (".mode", Some(name)) => match Format::from_str(name, true) {
                Ok(format) => self.format = format,
                Err(_) => {
                    eprintln!("There is no mode {name}: table, csv, tsv, json, jsonl, markdown, vertical.")
                }
            },
            (".mode", None) => println!("{:?}", self.format),
            (".timer", Some("on")) => self.timer = true,
            (".timer", Some("off")) => self.timer = false,
            (other, _) => eprintln!("There is no command {other}; see .help."),
        }
        false
    }

    fn statements(&self, text: &str) {
        for range in split_statements(text) {
            if let Err(e) = self.statement(&text[range]) {
                eprintln!("{e}");
                return;
            }
        }
    }

    fn statement(&self, sql: &str) -> vonk::Result<()> {
        let begun = Instant::now();
        let control = Control::default();
        let _guard = interrupt::guard(&control.cancel);
        let bar = progress::bar(&control.progress);
        let mut answer = self.session.execute(sql, &control)?;
        // The table is drawn when all is there; other formats write as rows come, and the bar would be in their way.
        let mut out = Vec::new();
        let rows = if self.format == Format::Table {
            let rows = print(&mut answer, self.format, &mut out)?;
            drop(bar);
            rows
        } else {
            drop(bar);
            print(&mut answer, self.format, &mut std::io::stdout().lock())?
        };
        std::io::stdout().lock().write_all(&out).map_err(crate::output::failed)?;
        if self.timer {
            let s = if rows == 1 { "" } else { "s" };
            println!("{rows} row{s}, {:.3} s", begun.elapsed().as_secs_f64());
        }
        Ok(())
    }
}
