//! The pager: takes over when an output turns out higher than the screen.
//!
//! Must not know: what is printed.

use std::io::{Stdout, Write};
use std::process::{Child, Command, Stdio};

/// Writes to the terminal until it would scroll, then to a pager.
pub struct Paged {
    out: Stdout,
    /// Rows and columns of the screen.
    screen: (usize, usize),
    /// What was written so far, while there is no pager.
    held: Vec<u8>,
    /// Lines of the screen that it takes, and columns of the last one.
    used: (usize, usize),
    /// Within an escape sequence, which takes no room.
    escape: bool,
    pager: Option<Child>,
    /// There is none, or it could not be started.
    direct: bool,
}

impl Paged {
    /// For a screen of so many columns and rows; two rows are for the line below the output and the prompt.
    pub fn new((columns, rows): (usize, usize)) -> Paged {
        Paged {
            out: std::io::stdout(),
            screen: (rows.saturating_sub(2).max(1), columns.max(1)),
            held: Vec::new(),
            used: (0, 0),
            escape: false,
            pager: None,
            direct: false,
        }
    }

    /// Whether what was written takes more than the screen has.
    fn measure(&mut self, bytes: &[u8]) -> bool {
        for b in bytes {
            match b {
                _ if self.escape => self.escape = !b.is_ascii_alphabetic(),
                0x1b => self.escape = true,
                b'\n' => self.used = (self.used.0 + 1, 0),
                // Bytes of a character after its first.
                b if b & 0xC0 == 0x80 => {}
                _ if self.used.1 == self.screen.1 => self.used = (self.used.0 + 1, 1),
                _ => self.used.1 += 1,
            }
        }
        self.used.0 > self.screen.0
    }

    fn start(&mut self) -> std::io::Result<()> {
        match spawn() {
            Ok(child) => self.pager = Some(child),
            Err(e) => {
                crate::terminal::warn(&format!("No pager: {e}"));
                self.direct = true;
            }
        }
        let held = std::mem::take(&mut self.held);
        self.forward(&held)
    }

    fn forward(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self.pager.as_mut().and_then(|p| p.stdin.as_mut()) {
            Some(pipe) => pipe.write_all(bytes),
            None => self.out.write_all(bytes),
        }
    }

    /// Writes what is held, or waits until the pager was left.
    pub fn finish(mut self) -> std::io::Result<()> {
        let held = std::mem::take(&mut self.held);
        self.forward(&held)?;
        match self.pager.take() {
            None => self.out.flush(),
            Some(mut pager) => {
                drop(pager.stdin.take());
                pager.wait().map(|_| ())
            }
        }
    }
}

impl Write for Paged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.pager.is_some() || self.direct {
            self.forward(bytes)?;
            return Ok(bytes.len());
        }
        let overflows = self.measure(bytes);
        self.held.extend_from_slice(bytes);
        if overflows {
            self.start()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Paged {
    /// A pager is waited for whatever happened, or it and the prompt would share the terminal.
    fn drop(&mut self) {
        if let Some(mut pager) = self.pager.take() {
            drop(pager.stdin.take());
            let _ = pager.wait();
        }
    }
}

/// `$PAGER`, or `less`; with options that suit tables where its user has set none: leave if all fits, colours, wide lines not folded,
/// the output stays on the screen.
fn spawn() -> std::io::Result<Child> {
    let pager = std::env::var("PAGER").ok().filter(|p| !p.trim().is_empty());
    let mut command = match pager {
        Some(line) => {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", &line]);
            shell
        }
        None => Command::new("less"),
    };
    for (name, value) in [("LESS", "-FRSX"), ("LESSCHARSET", "utf-8")] {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    command.stdin(Stdio::piped()).spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_fold_and_colours_are_measured() {
        let mut paged = Paged::new((10, 6));
        assert!(!paged.measure(b"one\ntwo\n"));
        assert_eq!(paged.used, (2, 0));
        assert!(!paged.measure("\x1b[1;31mé23456789\x1b[0m0".as_bytes()));
        assert_eq!(paged.used, (2, 10));
        assert!(!paged.measure(b"1"));
        assert_eq!(paged.used, (3, 1));
        assert!(paged.measure(b"\n\n\n"));
    }
}
