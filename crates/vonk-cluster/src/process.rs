//! Processes that this one starts, executors and drivers: starting and ending them, their logs, and what is left of them.
//!
//! Invariants: should the process that started it be killed, the kernel kills it, too. What a process is told goes through the
//! environment, since command lines can be read by everybody. A process has a folder of its own, beside which its logs are; they are for
//! this user only, since they hold what queries read.
//!
//! Must not know: who wants processes, and who waits for their end.

use crate::files::{failed, make_folder, private};
use crate::remote::executor::{EXECUTOR_VARIABLE, ExecutorOptions};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use vonk_error::{Error, Result};
use vonk_rpc::Security;

/// Bytes of a process's last words in the reason of its end.
const LAST_WORDS: u64 = 2000;
/// What a process writes beside its folder: its log, and, if it is a driver, what its program prints.
const LOGS: [&str; 2] = [LOG, "stdout"];
const LOG: &str = "log";

/// A program whose processes become executors when they find [`EXECUTOR_VARIABLE`], with its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    file: OsString,
    arguments: Vec<OsString>,
}

impl Program {
    /// As the setting says: words of a command line; empty is the program that runs now.
    pub fn from_setting(text: &str) -> Result<Program> {
        let mut words = text.split_whitespace().map(OsString::from);
        if let Some(file) = words.next() {
            return Ok(Program { file, arguments: words.collect() });
        }
        let this = std::env::current_exe().map_err(|e| Error::io("cannot find this program's file", e))?;
        Ok(Program { file: this.into_os_string(), arguments: Vec::new() })
    }

    /// A command of it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.file);
        command.args(&self.arguments);
        command
    }
}

/// Starts an executor in its folder. Must be called on a thread that outlives it.
pub(crate) fn start_executor(
    program: &Program,
    options: &ExecutorOptions,
    security: &Security,
) -> Result<Child> {
    let json = serde_json::to_string(options).map_err(|e| Error::internal(e.to_string()))?;
    let mut command = program.command();
    command.env(EXECUTOR_VARIABLE, json);
    if program.arguments.is_empty() {
        command.arg0(format!("vonk executor {} of {}", options.executor, options.application));
    }
    start(command, &options.dir, security, Stdio::null())
}

/// Starts a process, whose errors go to its log, in a folder that is made. Must be called on a thread that outlives it: the kernel kills
/// the child when that thread ends.
pub(crate) fn start(mut command: Command, folder: &Path, security: &Security, out: Stdio) -> Result<Child> {
    make_folder(folder)?;
    let log = open_log(folder, LOG)?;
    command.envs(security.environment()).stdin(Stdio::null()).stdout(out).stderr(log);
    // Not in the terminal's group: Ctrl-C is for who started it, which ends its processes, or cancels its query, in order.
    command.process_group(0);
    #[cfg(target_os = "linux")]
    {
        let parent = std::process::id();
        // SAFETY: prctl and getppid are async-signal-safe, and called with numbers only.
        unsafe {
            command.pre_exec(move || {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                // The parent may have been killed before the kernel was asked to tell.
                match u32::try_from(libc::getppid()) {
                    Ok(now) if now == parent => Ok(()),
                    _ => Err(std::io::ErrorKind::BrokenPipe.into()),
                }
            });
        }
    }
    let file = command.get_program().to_string_lossy().into_owned();
    command.spawn().map_err(|e| Error::io(format!("cannot start {file}"), e))
}

/// Starts a process on this thread, and has a thread of its own wait for its end, which is told there; its number. The thread comes
/// first: a child that nobody waits for would never be reaped.
pub(crate) fn watched(
    start: impl FnOnce() -> Result<Child>,
    ended: impl FnOnce(std::io::Result<ExitStatus>) + Send + 'static,
) -> Result<u32> {
    let (hand, child) = channel::<Child>();
    let wait = move || {
        if let Ok(mut child) = child.recv() {
            ended(child.wait());
        }
    };
    let thread = std::thread::Builder::new().name("vonk-wait".to_string()).stack_size(64 << 10);
    thread.spawn(wait).map_err(|e| Error::io("cannot start a thread that waits for a process", e))?;
    let child = start()?;
    let pid = child.id();
    hand.send(child).map_err(|_| Error::internal("the thread that waits for a process is gone"))?;
    Ok(pid)
}

fn log_file(folder: &Path, extension: &str) -> PathBuf {
    folder.with_extension(extension)
}

/// Opens `FOLDER.EXTENSION` for a process to write to. It appends, so that the file can be cut meanwhile.
pub(crate) fn open_log(folder: &Path, extension: &str) -> Result<File> {
    let path = log_file(folder, extension);
    let file = private().create(true).append(true).open(&path);
    file.map_err(|e| failed("open", &path, e))
}

/// Cuts the log of a process that is longer than `most` bytes to the last half of that. What a driver prints is not cut: it is what the
/// program was run for.
pub(crate) fn cut_log(folder: &Path, most: u64) {
    let path = log_file(folder, LOG);
    let cut = || -> std::io::Result<()> {
        if std::fs::metadata(&path)?.len() <= most {
            return Ok(());
        }
        let mut file = OpenOptions::new().read(true).append(true).open(&path)?;
        let tail = read_tail(&mut file, most / 2)?;
        // What is written between these two is lost.
        file.set_len(0)?;
        file.write_all(&tail)
    };
    match cut() {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %e, "a log cannot be cut");
        }
        _ => {}
    }
}

fn read_tail(file: &mut File, bytes: u64) -> std::io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
    let mut tail = Vec::new();
    file.take(bytes).read_to_end(&mut tail)?;
    Ok(tail)
}

/// The end of a process's log.
fn last_words(folder: &Path) -> String {
    let tail = File::open(log_file(folder, "log")).and_then(|mut file| read_tail(&mut file, LAST_WORDS));
    tail.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_string()).unwrap_or_default()
}

/// How a process ended: its code, if it ended by itself, and in words, its last ones among them where it did not end well.
pub(crate) fn describe_end(status: std::io::Result<ExitStatus>, folder: &Path) -> (Option<i32>, String) {
    let (code, how) = match status {
        Ok(status) => (status.code(), describe(status)),
        Err(e) => (None, e.to_string()),
    };
    let words = if code == Some(0) { String::new() } else { last_words(folder) };
    (code, if words.is_empty() { how } else { format!("{how}. {words}") })
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with code {code}"),
        (None, Some(libc::SIGKILL)) => "it was killed (SIGKILL; out of memory?)".to_string(),
        (None, Some(signal)) => format!("it was ended by signal {signal}"),
        _ => "it ended".to_string(),
    }
}

/// Kills a process and what it has started itself. It must not be reaped yet, or have been a moment ago: its number is not another's then.
pub(crate) fn kill(pid: u32) {
    kill_group(pid);
    if let Ok(pid) = libc::pid_t::try_from(pid) {
        // SAFETY: sends a signal, to a process that is ours, see above.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
}

/// Kills what is left of the group of a process.
pub(crate) fn kill_group(pid: u32) {
    if let Ok(group) = libc::pid_t::try_from(pid) {
        // SAFETY: sends a signal; a group of this number is that of the process, which was reaped a moment ago at most, or none.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
}

/// Removes a process's logs.
pub(crate) fn remove_logs(folder: &Path) {
    for path in LOGS.map(|extension| log_file(folder, extension)) {
        // What cannot be removed now goes with the folder of all.
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_log_that_has_grown_is_cut_while_it_is_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("executor-0");
        let mut writer = open_log(&folder, "log").unwrap();
        (0..1000).for_each(|n| writeln!(writer, "line {n:04}").unwrap());
        cut_log(&folder, 2_000);
        writeln!(writer, "the end").unwrap();
        let text = std::fs::read_to_string(folder.with_extension("log")).unwrap();
        assert!(text.len() < 1_100 && text.ends_with("line 0999\nthe end\n"), "{text}");
    }

    #[test]
    fn what_processes_have_is_for_their_user_and_their_last_words_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("app/executor-0");
        let program = Program::from_setting("ls /this/is/not/there").unwrap();
        let mut child = start(program.command(), &folder, &Security::none(), Stdio::null()).unwrap();
        let (code, how) = describe_end(child.wait(), &folder);
        assert!(code.is_some_and(|c| c > 0) && how.contains("/this/is/not/there"), "{how}");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&dir.path().join("app"))), (0o700, 0o700));
        assert_eq!(mode(&folder.with_extension("log")), 0o600);
        remove_logs(&folder);
        assert!(!folder.with_extension("log").exists());
        let missing = Program::from_setting("/no/such/program").unwrap();
        let error = start(missing.command(), &folder, &Security::none(), Stdio::null()).err().unwrap();
        assert!(error.to_string().contains("/no/such/program"), "{error}");
    }
}
