//! A worker's processes: what executors and drivers are told, and where their folders are.
//!
//! Must not know: who wants processes.

use crate::files::{failed, make_folder, private};
use crate::process::{Program, open_log, start, start_executor};
use crate::remote::executor::ExecutorOptions;
use crate::standalone::manager::DRIVER_VARIABLE;
use crate::standalone::protocol::{DriverCommand, DriverProgram, ExecutorCommand, decode};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use vonk_conf as conf;
use vonk_error::{Error, Result};
use vonk_rpc::Security;
use vonk_scheduler::master::{Process, Resources};
use vonk_shuffle::ServiceFiles;

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
                    dir: folder,
                    blocks_dir: service
                        .as_ref()
                        .map(|_| ServiceFiles::folder(&blocks_root(&self.dir), &application.0, executor.0)),
                    service,
                    conf: told.conf,
                };
                start_executor(&self.program, &options, &self.security)
            }
            Process::Driver { driver, .. } => self.start_driver(&folder, &driver.0, decode(command)?),
        }
    }

    fn start_driver(&self, folder: &Path, id: &str, driver: DriverCommand) -> Result<Child> {
        make_folder(folder)?;
        let mut conf = driver.conf;
        // Who submitted may have the secret and certificates in other files than this machine.
        conf.retain(|key, _| !key.starts_with("spark.ssl.") && key != conf::AUTHENTICATE_SECRET_FILE.name);
        conf.extend(self.conf.clone());
        conf.insert(conf::MASTER.name.to_string(), self.master.clone());
        let mut command = match driver.program {
            DriverProgram::Sql(text) => {
                let script = folder.join("script.sql");
                let file = private().write(true).create(true).truncate(true).open(&script);
                let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
                written.map_err(|e| failed("write", &script, e))?;
                let mut command = self.program.command();
                command.arg("sql").arg("-f").arg(script);
                command
            }
            DriverProgram::Binary { file, arguments } => {
                let mut command = Command::new(&file);
                command.args(arguments);
                command
            }
        };
        let json = serde_json::to_string(&conf).map_err(|e| Error::internal(e.to_string()))?;
        command.env(SUBMITTED_VARIABLE, json).env(DRIVER_VARIABLE, id).current_dir(folder);
        let out = open_log(folder, "stdout")?;
        start(command, folder, &self.security, out.into())
    }
}

/// The environment variable by which a submitted program is told its settings: a JSON object of texts.
pub const SUBMITTED_VARIABLE: &str = "VONK_SUBMITTED_CONF";
