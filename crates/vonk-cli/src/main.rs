//! The `vonk` command: a shell, scripts, machine-readable sessions, sample data.
//!
//! Must not know: how queries are planned or run. It builds a [`vonk::Session`] and prints answers.

mod allocator;
mod daemons;
mod generate;
mod interrupt;
mod options;
mod output;
mod progress;
mod protocol;
mod script;
mod shell;

use allocator::Room;
use clap::Parser;
use options::{Command, Options, SqlOptions};
use std::io::IsTerminal;
use std::process::ExitCode;

fn main() -> ExitCode {
    match vonk::Executor::from_environment() {
        Ok(None) => {}
        Ok(Some(executor)) => return executor_main(&executor),
        Err(e) => {
            eprintln!("{e}");
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
    };
    match result {
        Ok(code) => code,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
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

fn run_sql(options: SqlOptions) -> vonk::Result<ExitCode> {
    allocator::set(if options.memory.is_none() { Room::Plenty } else { Room::Tight });
    let session = options.session()?;
    if let Some(options::Protocol::Jsonl) = options.protocol {
        return protocol::run(&session);
    }
    let format = options.format.unwrap_or_else(output::Format::default_for_stdout);
    if !options.execute.is_empty() || options.file.is_some() {
        return script::run(&session, &options, format);
    }
    if std::io::stdin().is_terminal() {
        shell::run(&session, format)
    } else {
        script::run_stdin(&session, format)
    }
}
