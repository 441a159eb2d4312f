//! A worker's processes: executors and drivers.
//!
//! Invariant: what is started is reaped. Should the worker be killed, the kernel kills its children with it: they are started by a thread
//! that lives as long as the worker does. The secret goes through the environment only, since command lines can be read by everybody.
//!
//! Must not know: who wants processes.

use crate::remote::executor::{EXECUTOR_VARIABLE, ExecutorOptions};
use crate::remote::process::{Program, describe, kill};
use crate::standalone::files::{failed, make_folder, private};
use crate::standalone::manager::DRIVER_VARIABLE;
use crate::standalone::protocol::{DriverCommand, DriverProgram, ExecutorCommand, decode};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use vonk_conf as conf;
use vonk_error::{Error, Result};
use vonk_rpc::Security;
use vonk_scheduler::master::{Exit, Process, Resources};
use vonk_shuffle::ServiceFiles;

/// Bytes of a process's last words in the reason of its end.
const LAST_WORDS: u64 = 2000;
/// A log file is cut to its last half when it is longer.
pub(crate) const LOG_BYTES: u64 = 8 << 20;

/// What processes of a worker have in common.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub program: Program,
    pub security: Security,
    /// Folder of all of them, whichever folder a process is in: an absolute path.
    pub dir: PathBuf,
    /// Interface on which executors serve their blocks, and the name by which others reach it.
    pub bind: String,
    pub host: String,
    /// `vonk://…` of the worker's master, for drivers.
    pub master: String,
    /// Settings that drivers need to reach the master (of TLS).
    pub conf: BTreeMap<String, String>,
    /// `host:port` of the worker's shuffle service, if it has one.
    pub service: Option<String>,
}

/// The folder in a worker's where executors leave their blocks for the shuffle service.
pub(crate) const BLOCKS: &str = "blocks";

/// See [`BLOCKS`].
pub(crate) fn blocks_root(dir: &Path) -> PathBuf {
    dir.join(BLOCKS)
}

impl Surroundings {
    /// The folder of a process's owner: an application, or the driver itself.
    pub fn home(&self, process: &Process) -> PathBuf {
        match process {
            Process::Executor { application, .. } => self.dir.join(&*application.0),
            Process::Driver { driver, .. } => self.dir.join(&*driver.0),
        }
    }

    /// A process's own folder.
    pub fn folder(&self, process: &Process) -> PathBuf {
        match process {
            Process::Executor { executor, .. } => self.home(process).join(format!("executor-{executor}")),
            Process::Driver { attempt, .. } => self.home(process).join(format!("attempt-{attempt}")),
        }
    }

    /// Starts a process. Must be called on a thread that outlives it.
    pub fn start(&self, process: &Process, resources: Resources, command: &[u8]) -> Result<Child> {
        let folder = self.folder(process);
        make_folder(&folder)?;
        match process {
            Process::Executor { application, executor } => {
                let told: ExecutorCommand = decode(command)?;
                // Only for an application that knows that its blocks outlive its executors.
                let service = self.service.clone().filter(|_| told.shuffle_service);
                let options = ExecutorOptions {
                    driver: told.driver,
                    application: application.to_string(),
                    executor: executor.0,
                    bind: self.bind.clone(),
                    host: self.host.clone(),
                    slots: (resources.cores / told.task_cpus.max(1)).max(1),
                    memory: resources.memory,
                    dir: folder.clone(),
                    blocks_dir: service
                        .as_ref()
                        .map(|_| ServiceFiles::folder(&blocks_root(&self.dir), &application.0, executor.0)),
                    service,
                    conf: told.conf,
                };
                let json = serde_json::to_string(&options).map_err(|e| Error::internal(e.to_string()))?;
                let mut command = self.command()?;
                command.env(EXECUTOR_VARIABLE, json);
                self.spawn(command, &folder, Stdio::null())
            }
            Process::Driver { driver, .. } => self.start_driver(&folder, &driver.0, decode(command)?),
        }
    }

    fn start_driver(&self, folder: &Path, id: &str, driver: DriverCommand) -> Result<Child> {
        let mut conf = driver.conf;
        // Who submitted may have the secret and certificates in other files than this machine.
        conf.retain(|key, _| !key.starts_with("spark.ssl.") && key != conf::AUTHENTICATE_SECRET_FILE.name);
        conf.extend(self.conf.clone());
        conf.insert(conf::MASTER.name.to_string(), self.master.clone());
        let command = match driver.program {
            DriverProgram::Sql(text) => {
                let script = folder.join("script.sql");
                let file = private().write(true).create(true).truncate(true).open(&script);
                let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
                written.map_err(|e| failed("write", &script, e))?;
                let mut command = self.command()?;
                command.arg("sql").arg("-f").arg(script);
                command
            }
            DriverProgram::Binary { file, arguments } => {
                let mut command = Command::new(&file);
                command.args(arguments);
                command
            }
        };
        let mut command = command;
        let json = serde_json::to_string(&conf).map_err(|e| Error::internal(e.to_string()))?;
        command.env(SUBMITTED_VARIABLE, json).env(DRIVER_VARIABLE, id).current_dir(folder);
        let out = log_file(folder, "stdout")?;
        self.spawn(command, folder, out.into())
    }

    /// The command of this program.
    fn command(&self) -> Result<Command> {
        let words: &[OsString] = self.program.words();
        let (file, arguments) = words.split_first().ok_or_else(|| Error::internal("no program"))?;
        let mut command = Command::new(file);
        command.args(arguments);
        Ok(command)
    }

    fn spawn(&self, mut command: Command, folder: &Path, out: Stdio) -> Result<Child> {
        let log = log_file(folder, "log")?;
        command.envs(self.security.environment()).stdin(Stdio::null()).stdout(out).stderr(log);
        // A group of its own: Ctrl-C is for the worker, which ends its processes in order.
        command.process_group(0);
        #[cfg(target_os = "linux")]
        // SAFETY: prctl is async-signal-safe, and called with numbers only.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let file = command.get_program().to_string_lossy().into_owned();
        command.spawn().map_err(|e| Error::io(format!("cannot start {file}"), e))
    }
}

/// The environment variable by which a submitted program is told its settings: a JSON object of texts.
pub const SUBMITTED_VARIABLE: &str = "VONK_SUBMITTED_CONF";

/// Opens `FOLDER.EXTENSION` for a process to write to. It appends, so that the file can be cut meanwhile.
fn log_file(folder: &Path, extension: &str) -> Result<File> {
    let path = folder.with_extension(extension);
    let file = private().create(true).append(true).open(&path);
    file.map_err(|e| failed("open", &path, e))
}

/// Cuts the logs of a process that have grown too long to their last half.
pub(crate) fn cut_logs(folder: &Path, most: u64) {
    for extension in ["log", "stdout"] {
        let path = folder.with_extension(extension);
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
}

fn read_tail(file: &mut File, bytes: u64) -> std::io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
    let mut tail = Vec::new();
    file.take(bytes).read_to_end(&mut tail)?;
    Ok(tail)
}

/// How a process ended, with its last words where it did not end well.
pub(crate) fn exit_of(status: std::io::Result<ExitStatus>, folder: &Path) -> Exit {
    let (code, mut message) = match status {
        Ok(status) => (status.code(), describe(status)),
        Err(e) => (None, e.to_string()),
    };
    if code != Some(0) {
        let words = File::open(folder.with_extension("log")).and_then(|mut f| read_tail(&mut f, LAST_WORDS));
        if let Ok(words) = words {
            let words = String::from_utf8_lossy(&words);
            if !words.trim().is_empty() {
                message = format!("{message}. {}", words.trim());
            }
        }
    }
    Exit { code, message }
}

/// Kills a process and those of its group.
pub(crate) fn kill_group(pid: u32) {
    if let Ok(group) = libc::pid_t::try_from(pid) {
        // SAFETY: sends a signal. The leader was reaped a moment ago at most, so the number is not another's yet.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    kill(pid);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_has_grown_is_cut_while_it_is_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("executor-0");
        let mut writer = log_file(&folder, "log").unwrap();
        (0..1000).for_each(|n| writeln!(writer, "line {n:04}").unwrap());
        cut_logs(&folder, 2_000);
        writeln!(writer, "the end").unwrap();
        let text = std::fs::read_to_string(folder.with_extension("log")).unwrap();
        assert!(text.len() < 1_100 && text.ends_with("line 0999\nthe end\n"), "{text}");
    }
}
