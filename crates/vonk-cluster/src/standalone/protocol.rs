//! What travels to and from a master beside the machines' own messages, and what the commands mean that are opaque to these.
//!
//! Must not know: how anything is decided.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_scheduler::master::{DriverSpec, DriverView, Nonce, ToWorker};

/// A message to a worker with its number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ToWorkerFrame {
    pub seq: u64,
    pub message: ToWorker,
}

/// What a client wants once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Command {
    /// Run a driver. The same nonce again is the same driver.
    Submit { nonce: Nonce, spec: Arc<DriverSpec> },
    /// End a driver or an application, by its name.
    Kill { id: String },
    /// How is it?
    Status { id: String },
    /// A worker is to leave once its executors have ended.
    Drain { worker: String },
}

/// The answer to a command; `None` where the name is not known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CommandAnswer(pub Option<DriverStatus>);

/// How a driver or an application is, as the master says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverStatus {
    /// `driver-…` or `app-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// In capitals, as Spark says it.
    pub state: String,
    /// Whether it has ended.
    pub over: bool,
    /// Whether it ended well.
    pub succeeded: bool,
    /// Where it runs.
    pub worker: Option<String>,
    /// Why it has ended.
    pub reason: Option<String>,
}

impl DriverStatus {
    pub(crate) fn driver(view: DriverView) -> DriverStatus {
        use vonk_scheduler::master::DriverState;
        DriverStatus {
            id: view.id.to_string(),
            name: view.name,
            state: format!("{:?}", view.state).to_uppercase(),
            over: view.state.is_over(),
            succeeded: view.state == DriverState::Finished,
            worker: view.worker.map(|w| w.to_string()),
            reason: view.reason,
        }
    }
}

/// What an application's executors need beside their number and their share of a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExecutorCommand {
    /// `host:port` of the driver.
    pub driver: String,
    /// Cores that a task takes.
    pub task_cpus: u32,
    /// Blocks go to the worker's shuffle service, where it has one.
    pub shuffle_service: bool,
    /// The application's settings, secrets left out.
    pub conf: BTreeMap<String, String>,
}

/// A driver that a worker starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DriverCommand {
    /// What to run.
    pub program: DriverProgram,
    /// Its settings (`spark.master` is the worker's master).
    pub conf: BTreeMap<String, String>,
}

/// What a driver runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum DriverProgram {
    /// These statements.
    Sql(String),
    /// A program that is there on every worker.
    Binary {
        /// Its file.
        file: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
}

/// For the machines.
pub(crate) fn encode<T: Serialize>(command: &T) -> Result<Arc<[u8]>> {
    let bytes = postcard::to_stdvec(command).map_err(|e| Error::internal(e.to_string()))?;
    Ok(bytes.into())
}

pub(crate) fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|e| Error::internal(format!("a command is not understood: {e}")))
}

/// Whether a name may be given to a folder: names come from others.
pub(crate) fn is_safe_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=80).contains(&name.len()) && name.chars().all(plain)
}

/// `driver-<seconds>-<random>` and the like: made once, and not to be guessed.
pub(crate) fn fresh_name(prefix: &str) -> Result<String> {
    Ok(format!("{prefix}-{}-{}", unix_millis() / 1000, vonk_rpc::random_hex(8)?))
}

/// Milliseconds since 1970.
pub(crate) fn unix_millis() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
