//! A pseudo-terminal with the shell in it.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long anything may take that takes no time on a machine that has some.
pub const PATIENCE: Duration = Duration::from_secs(90);

pub const UP: &str = "\x1b[A";
pub const DOWN: &str = "\x1b[B";
pub const RIGHT: &str = "\x1b[C";
pub const TAB: &str = "\t";
pub const CTRL_A: &str = "\x01";
pub const CTRL_C: &str = "\x03";
pub const CTRL_D: &str = "\x04";
pub const CTRL_E: &str = "\x05";
pub const CTRL_R: &str = "\x12";
pub const ENTER: &str = "\r";
pub const ALT_ENTER: &str = "\x1b\r";

struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
}

pub struct Terminal {
    keyboard: File,
    seen: Arc<Mutex<Seen>>,
    pub child: Child,
}

fn winsize(rows: u16, columns: u16) -> libc::winsize {
    libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn some(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

/// `vonk sql` in a folder that is its home, its warehouse and all it may write to.
pub fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vonk"));
    let local = home.join("local");
    std::fs::create_dir_all(&local).unwrap();
    command.arg("sql").args(["--conf", &format!("spark.local.dir={}", local.display())]);
    command.args(arguments).current_dir(home);
    command
        .env_clear()
        .env("HOME", home)
        .env("TERM", "xterm-256color")
        .env("PATH", std::env::var("PATH").unwrap());
    command
}

impl Terminal {
    /// The shell at its first prompt.
    pub fn shell(home: &Path, size: (u16, u16), arguments: &[&str]) -> Terminal {
        let terminal = Terminal::start(command(home, arguments), size);
        terminal.at_prompt();
        terminal
    }

    /// A program in a terminal of so many rows and columns.
    pub fn start(mut command: Command, (rows, columns): (u16, u16)) -> Terminal {
        let (mut master, mut slave) = (-1, -1);
        let size = winsize(rows, columns);
        // SAFETY: the pointers are to what lives until the call returns; the two descriptors are ours alone afterwards.
        let (master, slave) = unsafe {
            let opened =
                libc::openpty(&mut master, &mut slave, std::ptr::null_mut(), std::ptr::null_mut(), &size);
            assert_eq!(opened, 0, "openpty: {}", std::io::Error::last_os_error());
            (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave))
        };
        // SAFETY: changes a flag of a descriptor that is open. Programs of other tests must not inherit this end.
        unsafe { libc::fcntl(master.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
        let end = || Stdio::from(slave.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(end());
        // SAFETY: both calls may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let child = command.spawn().unwrap();
        drop((slave, command));
        let keyboard = File::from(master);
        let parser = vt100::Parser::new(some(rows), some(columns), 10_000);
        let seen = Arc::new(Mutex::new(Seen { parser, raw: Vec::new() }));
        let (mut reader, shown) = (keyboard.try_clone().unwrap(), seen.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // An error is the end of the last process that had the terminal.
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                let mut seen = shown.lock().unwrap();
                seen.parser.process(&buffer[..n]);
                seen.raw.extend_from_slice(&buffer[..n]);
            }
        });
        Terminal { keyboard, seen, child }
    }

    pub fn keys(&mut self, keys: &str) {
        self.bytes(keys.as_bytes());
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.keyboard.write_all(bytes).unwrap();
    }

    /// What the screen shows.
    pub fn screen(&self) -> String {
        let screen = self.seen.lock().unwrap().parser.screen().contents();
        screen.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_string()
    }

    /// All that was ever written, escape sequences included.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().raw).into_owned()
    }

    pub fn wait(&self, what: &str, so: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let screen = self.screen();
            if so(&screen) {
                return screen;
            }
            assert!(begun.elapsed() < PATIENCE, "not in time: {what}; the screen:\n{screen}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until a text is on the screen.
    pub fn shows(&self, text: &str) -> String {
        self.wait(text, |screen| screen.contains(text))
    }

    /// Waits until a text was written, however long ago.
    pub fn wrote(&self, text: &str) {
        self.wait(text, |_| self.raw().contains(text));
    }

    /// Waits for a prompt with nothing behind it.
    pub fn at_prompt(&self) -> String {
        self.wait("a prompt", |screen| {
            screen.lines().last().is_some_and(|l| l.starts_with("vonk") && l.ends_with('>'))
        })
    }

    /// Types a line, waits until it is on the screen, then for the prompt after it.
    pub fn run(&mut self, line: &str) -> String {
        self.enter(line);
        self.at_prompt()
    }

    /// Types a line, and Enter once it is on the screen.
    pub fn enter(&mut self, line: &str) {
        self.keys(line);
        let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let end = squeezed(line);
        self.wait(line, |screen| squeezed(screen).ends_with(&end));
        self.keys(ENTER);
    }

    pub fn resize(&mut self, rows: u16, columns: u16) {
        let size = winsize(rows, columns);
        // SAFETY: the structure is of the type that belongs to this request.
        let set = unsafe { libc::ioctl(self.keyboard.as_raw_fd(), libc::TIOCSWINSZ, &size) };
        assert_eq!(set, 0);
        self.seen.lock().unwrap().parser.set_size(some(rows), some(columns));
    }

    pub fn signal(&self, signal: i32) {
        let pid = i32::try_from(self.child.id()).unwrap();
        // SAFETY: sends a signal to a child that was not waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Waits until the program has ended.
    pub fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end; the screen:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a table on a screen.
pub fn table(screen: &str) -> Vec<&str> {
    let from = screen.lines().position(|l| l.starts_with('┌'));
    let lines = screen.lines().skip(from.unwrap_or(usize::MAX));
    lines.take_while(|l| l.starts_with(['┌', '│', '├', '└'])).collect()
}
