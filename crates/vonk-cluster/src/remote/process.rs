//! Executor processes: starting, ending, and what is left of them.
//!
//! Invariant: a process that was started is reaped, and its folder removed, whatever happens; should the process that started it be killed,
//! the kernel kills it, too.

use crate::remote::executor::{EXECUTOR_VARIABLE, ExecutorOptions};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use vonk_error::{Error, Result};
use vonk_rpc::Security;

/// Bytes of an executor's last words in an error.
const LAST_WORDS: u64 = 2000;

/// The program that becomes an executor when it finds [`EXECUTOR_VARIABLE`], with its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Program(Vec<OsString>);

impl Program {
    /// As the setting says: words of a command line; empty is the program that runs now.
    pub fn from_setting(text: &str) -> Result<Program> {
        let words: Vec<OsString> = text.split_whitespace().map(OsString::from).collect();
        if !words.is_empty() {
            return Ok(Program(words));
        }
        let this = std::env::current_exe().map_err(|e| Error::io("cannot find this program's file", e))?;
        Ok(Program(vec![this.into_os_string()]))
    }

    /// The program's file and its arguments.
    pub fn words(&self) -> &[OsString] {
        &self.0
    }
}

/// Where an executor writes its log.
pub(crate) fn log_file(dir: &Path) -> PathBuf {
    dir.with_extension("log")
}

/// Starts an executor. Must be called on a thread that outlives it: the kernel kills the child when that thread ends.
pub(crate) fn start(program: &Program, options: &ExecutorOptions, security: &Security) -> Result<Child> {
    let failed = |what: String| move |e: std::io::Error| Error::io(what, e);
    let log = log_file(&options.dir);
    if let Some(parent) = log.parent() {
        std::fs::create_dir_all(parent)
            .map_err(failed(format!("cannot make the folder {}", parent.display())))?;
    }
    let log = File::create(&log).map_err(failed(format!("cannot create {}", log.display())))?;
    let json = serde_json::to_string(options).map_err(|e| Error::internal(e.to_string()))?;
    let Some((file, arguments)) = program.0.split_first() else {
        return Err(Error::internal("an executor without a program"));
    };
    let mut command = Command::new(file);
    command
        .args(arguments)
        .env(EXECUTOR_VARIABLE, json)
        .envs(security.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        // Not in the terminal's group: Ctrl-C is for the shell, which cancels its query.
        .process_group(0);
    if arguments.is_empty() {
        command.arg0(format!("vonk executor {} of {}", options.executor, options.application));
    }
    #[cfg(target_os = "linux")]
    // SAFETY: prctl is async-signal-safe, and called with numbers only.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
    command.spawn().map_err(failed(format!("cannot start {}", file.to_string_lossy())))
}

/// How a process ended, in words.
pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with code {code}"),
        (None, Some(libc::SIGKILL)) => "it was killed (SIGKILL; out of memory?)".to_string(),
        (None, Some(signal)) => format!("it was ended by signal {signal}"),
        _ => "it ended".to_string(),
    }
}

/// The end of an executor's log.
pub(crate) fn last_words(dir: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log_file(dir))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS)))?;
        let mut bytes = Vec::new();
        file.take(LAST_WORDS).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_string())
    };
    read().unwrap_or_default()
}

/// Kills a process by its number; it may be gone already.
pub(crate) fn kill(pid: u32) {
    if let Ok(pid) = libc::pid_t::try_from(pid) {
        // SAFETY: sends a signal to a child that is not reaped yet, so that the number is not another's.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
}

/// Removes what an executor left.
pub(crate) fn clean(dir: &Path) {
    // What cannot be removed now goes with the application's folder.
    let _ = std::fs::remove_dir_all(dir);
    let _ = std::fs::remove_file(log_file(dir));
}
