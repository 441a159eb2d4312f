//! What is known of the terminal: its size, whether it takes colours, how it was set.
//!
//! Must not know: SQL, results.

use std::io::{IsTerminal, Write};

/// Prints a line on standard output. That nobody reads it is no reason to fail, as `println!` would.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The same on standard error.
pub fn warn(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Asks on standard error, so that what is answered can be piped on; the cursor stays behind the question.
pub fn ask(question: &str) {
    let mut out = std::io::stderr();
    let _ = write!(out, "{question}").and_then(|()| out.flush());
}

/// Columns and rows of the terminal that standard output goes to; `None` if it goes elsewhere or does not say.
pub fn size() -> Option<(usize, usize)> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    // SAFETY: the call fills the structure that it is given, of the type that belongs to this request.
    let size = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        (libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &mut size) == 0).then_some(size)
    };
    let size = size.filter(|s| s.ws_col > 0 && s.ws_row > 0);
    size.map(|s| (usize::from(s.ws_col), usize::from(s.ws_row)))
}

/// Whether the environment wants colours at all: not where `NO_COLOR` is set (<https://no-color.org>) or the terminal is a dumb one.
pub fn colours_wanted() -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|t| t != "dumb")
}

/// How the terminal of standard input was set when this was made.
#[derive(Clone, Copy)]
pub struct Mode(libc::termios);

impl Mode {
    /// `None` if standard input is no terminal.
    pub fn now() -> Option<Mode> {
        // SAFETY: as above.
        unsafe {
            let mut mode: libc::termios = std::mem::zeroed();
            (libc::tcgetattr(libc::STDIN_FILENO, &mut mode) == 0).then_some(Mode(mode))
        }
    }

    /// Sets it so: a program that dies while a line is edited would leave the terminal without echo.
    pub fn restore(&self) {
        // SAFETY: the structure is one that the system has filled.
        unsafe {
            libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &self.0);
        }
    }
}

/// Has Ctrl-C send its signal until dropped, where it is but a key while lines are edited.
pub struct Interruptible(Option<Mode>);

impl Interruptible {
    /// From here on, if standard input is a terminal.
    pub fn new() -> Interruptible {
        let before = Mode::now();
        if let Some(Mode(mut mode)) = before {
            mode.c_lflag |= libc::ISIG;
            // Nobody would put the terminal back for who is stopped or dumped now.
            mode.c_cc[libc::VSUSP] = libc::_POSIX_VDISABLE;
            mode.c_cc[libc::VQUIT] = libc::_POSIX_VDISABLE;
            Mode(mode).restore();
        }
        Interruptible(before)
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        if let Some(mode) = &self.0 {
            mode.restore();
        }
    }
}

/// Turns the terminal's echo off until dropped: what is typed while a bar is drawn, `^C` above all, would get between. It is not lost,
/// whoever reads it shows it.
pub struct Quiet(Option<Mode>);

impl Quiet {
    /// From here on, if standard input is a terminal.
    pub fn new() -> Quiet {
        let before = Mode::now();
        if let Some(Mode(mut mode)) = before {
            mode.c_lflag &= !libc::ECHO;
            Mode(mode).restore();
        }
        Quiet(before)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(mode) = &self.0 {
            mode.restore();
        }
    }
}
