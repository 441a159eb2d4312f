//! Signals: Ctrl-C cancels the statement that runs; SIGTERM and SIGHUP cancel it and end the process.
//!
//! The handlers run on a thread of their own, so that they may do anything. A deadly signal first lets the statement end as cancelled, so that
//! executors are let go and spill files removed; then what was to be done [`before_death`] is done, and the process dies of that signal, as
//! whoever sent it expects to see.
//!
//! Must not know: sessions, SQL.

use crate::terminal::Mode;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use vonk::{CancelFlag, working_for};

/// What a script that Ctrl-C has ended exits with: 128 and the signal's number, as shells have it.
pub const INTERRUPTED: u8 = 130;
/// How long a cancelled statement may take to end before a deadly signal does without it.
const GRACE: Duration = Duration::from_secs(10);

/// How long one has that does nothing: a shell whose terminal was closed finds its input ended, and leaves as if it were asked to.
const IDLE_GRACE: Duration = Duration::from_millis(300);

/// Who is listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Ctrl-C ends it, after the statement that runs.
    Script,
    /// Ctrl-C ends the statement that runs, not the shell.
    Shell,
}

struct State {
    kind: Kind,
    /// The statement that runs now, if any.
    running: Option<CancelFlag>,
    /// Ctrl-C came since [`begin`].
    interrupted: bool,
    /// The deadly signal that came.
    deadly: Option<i32>,
}

/// See [`before_death`].
static LAST: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

static STATE: Mutex<State> =
    Mutex::new(State { kind: Kind::Script, running: None, interrupted: false, deadly: None });

fn state() -> MutexGuard<'static, State> {
    locked(&STATE)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one assignment, so what is in it is whole whatever happened to the thread that held the lock.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Listens from here on; a second call only changes who does.
pub fn listen(kind: Kind) {
    state().kind = kind;
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let mode = Mode::now();
        // Without a handler signals end the process, as they do by default.
        if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) {
            let thread = std::thread::Builder::new().name("vonk-signals".to_string());
            let _ = thread.spawn(move || signals.forever().for_each(|signal| receive(signal, mode)));
        }
    });
}

fn receive(signal: i32, mode: Option<Mode>) {
    let mut state = state();
    if signal == SIGINT {
        state.interrupted = true;
        match &state.running {
            Some(flag) if !flag.is_cancelled() => flag.cancel(),
            _ if state.kind == Kind::Script => {
                drop(state);
                do_last();
                std::process::exit(i32::from(INTERRUPTED))
            }
            _ => {}
        }
        return;
    }
    let first = state.deadly.is_none();
    state.deadly = Some(signal);
    let grace = match &state.running {
        _ if !first => die(signal, mode),
        Some(flag) => {
            flag.cancel();
            GRACE
        }
        None => IDLE_GRACE,
    };
    drop(state);
    // Off this thread: a second signal is not to wait for the first.
    std::thread::spawn(move || {
        std::thread::sleep(grace);
        do_last();
        die(signal, mode)
    });
}

/// Has something done before a signal ends the process, whose `main` does not come to its end then; until the guard is dropped.
pub fn before_death(last: impl FnOnce() + Send + 'static) -> LastGuard {
    *locked(&LAST) = Some(Box::new(last));
    LastGuard
}

/// See [`before_death`].
pub struct LastGuard;

impl Drop for LastGuard {
    fn drop(&mut self) {
        // Dropped without the lock: what it holds may take its time.
        let last = locked(&LAST).take();
        drop(last);
    }
}

fn do_last() {
    let last = locked(&LAST).take();
    last.into_iter().for_each(|last| last());
}

fn die(signal: i32, mode: Option<Mode>) -> ! {
    if let Some(mode) = mode {
        mode.restore();
    }
    let _ = signal_hook::low_level::emulate_default_handler(signal);
    std::process::exit(128 + signal)
}

/// Forgets a Ctrl-C that came before.
pub fn begin() {
    state().interrupted = false;
}

/// Whether whatever goes on is to stop: Ctrl-C came since [`begin`], or a deadly signal did.
pub fn is_asked_to_stop() -> bool {
    let state = state();
    state.interrupted || state.deadly.is_some()
}

/// Whether a deadly signal came.
pub fn is_dying() -> bool {
    state().deadly.is_some()
}

/// The end of `main`, after everything was dropped: dies of the signal that came, if one did.
pub fn end(code: ExitCode) -> ExitCode {
    let deadly = state().deadly;
    match deadly {
        Some(signal) => die(signal, None),
        None => code,
    }
}

/// Marks a statement as running until dropped; then again what ran before, a file of statements for one.
pub struct Guard(Option<CancelFlag>);

/// Signals set this flag until the guard is dropped.
pub fn guard(flag: &CancelFlag) -> Guard {
    let mut state = state();
    if state.deadly.is_some() {
        flag.cancel();
    }
    Guard(state.running.replace(flag.clone()))
}

/// Runs what stops when it is asked to in between ([`working_for`]), until Ctrl-C.
pub fn until_interrupted<T>(f: impl FnOnce() -> T) -> T {
    let flag = CancelFlag::new();
    let _guard = guard(&flag);
    working_for(&flag, f)
}

impl Drop for Guard {
    fn drop(&mut self) {
        state().running = self.0.take();
    }
}
