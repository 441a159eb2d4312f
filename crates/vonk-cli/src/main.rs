//! The `vonk` command: a shell, scripts, machine-readable sessions, sample data.
//!
//! Must not know: how queries are planned or run. It builds a [`vonk::Session`] and prints answers.

mod allocator;
mod daemons;
mod errors;
mod generate;
mod interrupt;
mod nearest;
mod options;
mod output;
mod progress;
mod protocol;
mod script;
mod server;
mod shell;
mod style;
mod terminal;
#[cfg(test)]
mod testing;

use allocator::Room;
use clap::Parser;
use interrupt::Kind;
use options::{Command, Options, SqlOptions};
use shell::console::{Console, Outcome};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    match vonk::Executor::from_environment() {
        Ok(None) => {}
        Ok(Some(executor)) => return executor_main(&executor),
        Err(e) => {
            terminal::warn(&e.to_string());
            return ExitCode::FAILURE;
        }
    }
    let options = Options::parse();
    let result = match options.command {
        None => run_sql(SqlOptions::default()),
        Some(Command::Sql(sql)) => run_sql(sql),
        Some(Command::Generate(command)) => generate::run(&command),
        Some(Command::Master(master)) => {
            log_to_stderr();
            daemons::master(&master)
        }
        Some(Command::Worker(worker)) => {
            log_to_stderr();
            daemons::worker(&worker)
        }
        Some(Command::Submit(submit)) => daemons::submit(&submit),
        Some(Command::Server(command)) => server::run(&command, log_to_stderr),
    };
    let code = match result {
        Ok(code) => code,
        Err(e) => {
            terminal::warn(&e.to_string());
            ExitCode::FAILURE
        }
    };
    interrupt::end(code)
}

/// This process was started as an executor.
fn executor_main(executor: &vonk::Executor) -> ExitCode {
    log_to_stderr();
    // While there is room, freed memory is kept for the next task; where it gets tight, it goes back at once.
    let was_tight = std::sync::atomic::AtomicBool::new(false);
    let watch = |memory: vonk::MemoryUse| {
        let tight = memory.limit.is_some_and(|limit| memory.used > limit / 4);
        if was_tight.swap(tight, std::sync::atomic::Ordering::Relaxed) != tight {
            allocator::set(if tight { Room::Tight } else { Room::Plenty });
        }
    };
    allocator::set(Room::Plenty);
    match executor.run_watched(&watch) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            tracing::error!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Structured lines on standard error, from the level in `VONK_LOG` on.
fn log_to_stderr() {
    let level = std::env::var("VONK_LOG").ok().and_then(|l| l.parse().ok()).unwrap_or(tracing::Level::INFO);
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(level).with_ansi(false).init();
}

/// What the shell runs first, if there is such a file in the home folder.
const RC_FILE: &str = ".vonkrc";

fn run_sql(options: SqlOptions) -> vonk::Result<ExitCode> {
    allocator::set(if options.memory.is_none() { Room::Plenty } else { Room::Tight });
    let session = options.session()?;
    let shared = session.clone();
    // An idle shell dies at its prompt, where nothing of it is dropped.
    let _last = interrupt::before_death(move || shared.shutdown());
    if let Some(database) = &options.database {
        shell::meta::use_database(&session, database)?;
    }
    if let Some(options::Protocol::Jsonl) = options.protocol {
        return protocol::run(&session);
    }
    let scripted = !options.execute.is_empty() || options.file.is_some();
    let interactive = !scripted && std::io::stdin().is_terminal();
    interrupt::listen(if interactive { Kind::Shell } else { Kind::Script });
    let mut console = Console::new(session, &options, interactive);
    if let Some(code) = begin(&mut console, &options, interactive)? {
        return Ok(code);
    }
    if scripted {
        script::run(&mut console, &options)
    } else if interactive {
        shell::run(&mut console, options.silent)
    } else {
        script::run_stdin(&mut console)
    }
}

/// Runs the files that come first; the code to exit with if that is the end. A person can put right what went wrong in them, a script cannot.
fn begin(console: &mut Console, options: &SqlOptions, interactive: bool) -> vonk::Result<Option<ExitCode>> {
    let rc = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(RC_FILE));
    let rc = rc.filter(|file| interactive && !options.no_rc && file.exists());
    let timer = std::mem::replace(&mut console.settings.timer, false);
    let mut outcome = Outcome::Done;
    for file in rc.iter().chain(&options.init) {
        outcome = match script::read_file(file) {
            Ok(text) => console.run_text(&text),
            Err(e) if interactive => {
                console.complain(&e);
                Outcome::Failed
            }
            Err(e) => return Err(e),
        };
        if outcome != Outcome::Done {
            break;
        }
    }
    // Files that are run first say nothing of times, but may turn them on.
    console.settings.timer |= timer;
    Ok(match outcome {
        Outcome::Left => Some(ExitCode::SUCCESS),
        _ if interactive && !interrupt::is_dying() => None,
        Outcome::Done => None,
        Outcome::Failed => Some(ExitCode::FAILURE),
        Outcome::Interrupted => Some(ExitCode::from(interrupt::INTERRUPTED)),
    })
}
