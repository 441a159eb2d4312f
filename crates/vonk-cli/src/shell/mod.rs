//! The shell: reads what a person types, and has it run.
//!
//! Must not know: how statements run, what results look like.

mod complete;
pub mod console;
mod editor;
pub mod highlight;
pub mod meta;
mod pager;

use crate::interrupt::{self, Kind};
use crate::terminal;
use console::{Console, Outcome};
use editor::{Entry, LineEditor};
use std::process::ExitCode;

/// Runs the shell until its user leaves.
pub fn run(console: &mut Console, silent: bool) -> vonk::Result<ExitCode> {
    let mut editor = LineEditor::new(&console.session, console.style)?;
    interrupt::listen(Kind::Shell);
    if !silent {
        terminal::tell(&format!("Vonk {}. Type .help for help.", env!("CARGO_PKG_VERSION")));
    }
    loop {
        let initial = std::mem::take(&mut console.next);
        match editor.read(&prompt(console), &initial)? {
            Entry::Nothing => {}
            Entry::End => break,
            Entry::Text(text) => {
                interrupt::begin();
                if console.run_text(&text) == Outcome::Left || interrupt::is_dying() {
                    break;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn prompt(console: &Console) -> String {
    match console.session.current_database().as_str() {
        "default" => "vonk> ".to_string(),
        database => format!("vonk ({database})> "),
    }
}
