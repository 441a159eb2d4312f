//! Ctrl-C: cancels the statement that runs.

use std::sync::Mutex;
use vonk::CancelFlag;

/// The statement that runs now, if any.
static RUNNING: Mutex<Option<CancelFlag>> = Mutex::new(None);

fn running() -> std::sync::MutexGuard<'static, Option<CancelFlag>> {
    // A flag is whole whatever happened to the thread that held the lock.
    RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Listens to Ctrl-C from here on. A second one while the first is being obeyed, or one while nothing runs, ends the process
/// where `exit_when_idle`.
pub fn listen(exit_when_idle: bool) {
    let handler = move || match &*running() {
        Some(flag) if !flag.is_cancelled() => flag.cancel(),
        Some(_) => std::process::exit(130),
        None if exit_when_idle => std::process::exit(130),
        None => {}
    };
    // Without a handler Ctrl-C ends the process, as it does by default.
    let _ = ctrlc::set_handler(handler);
}

/// Marks a statement as running until dropped.
pub struct Guard;

/// Ctrl-C sets this flag until the guard is dropped.
pub fn guard(flag: &CancelFlag) -> Guard {
    *running() = Some(flag.clone());
    Guard
}

impl Drop for Guard {
    fn drop(&mut self) {
        *running() = None;
    }
}
