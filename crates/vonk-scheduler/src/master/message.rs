//! What master, workers and applications say to each other.
//!
//! Every conversation is level-triggered: a worker's report says all that it runs, an application's wish all that it wants. A message
//! that is lost is made good by the next one, and one that comes twice changes nothing. Messages of a master to a worker are numbered
//! within a connection, and a report says up to which number it takes account of them: so "this process is not in the report" is told
//! apart from "the report was under way when it was asked for".
//!
//! Must not know: how messages are encoded and carried.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::{ApplicationId, DriverId, Nonce, Process, WorkerId};
use super::transitions::ApplicationState;
use crate::ids::ExecutorId;

/// What a worker says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerSpec {
    /// Its name.
    pub id: WorkerId,
    /// The machine, as locality of tasks knows it.
    pub host: String,
    /// Where it listens (`host:port`): no two live workers share an address.
    pub address: String,
    /// Cores that it lends.
    pub cores: u32,
    /// Bytes that it lends.
    pub memory: u64,
    /// Where it serves shuffle blocks of executors that are gone (`host:port`), if it does.
    pub shuffle_service: Option<String>,
}

/// What an amount of a worker is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Cores.
    pub cores: u32,
    /// Bytes.
    pub memory: u64,
}

/// How a process ended by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Its exit code; without one it died of a signal or was never started.
    pub code: Option<i32>,
    /// For people: the signal, the last words on its standard error, why it could not be started.
    pub message: String,
}

/// What a worker knows of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reported {
    /// It is being started.
    Starting,
    /// It runs.
    Running,
    /// It has ended. Said until the master says [`ToWorker::Forget`].
    Exited(Exit),
}

/// One process in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessReport {
    /// Which.
    pub process: Process,
    /// What it takes of the worker.
    pub resources: Resources,
    /// How it is.
    pub state: Reported,
}

/// All that a worker holds, now. It is also the heartbeat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Counts the worker's reports, over all its connections.
    pub seq: u64,
    /// The number of the last message of this connection's master that this report takes account of.
    pub heard: u64,
    /// Its processes.
    pub processes: Vec<ProcessReport>,
    /// Applications of which it keeps files.
    pub applications: Vec<ApplicationId>,
}

/// What a worker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromWorker {
    /// First of a connection.
    Register(WorkerSpec, Report),
    /// Something changed, or time has passed.
    Report(Report),
    /// It wants to leave once its processes have ended.
    Drain,
    /// It leaves now; nothing of it runs any more.
    Leave,
}

/// What a master says to a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToWorker {
    /// It is known now.
    Registered,
    /// It is not wanted: the reason is for people. The connection is closed next.
    Refused(String),
    /// Start a process.
    Launch {
        /// Which.
        process: Process,
        /// What it may take.
        resources: Resources,
        /// What to start: opaque to the machines.
        command: Arc<[u8]>,
    },
    /// End a process.
    Kill {
        /// Which.
        process: Process,
    },
    /// The exits of these are known.
    Forget {
        /// Which.
        processes: Vec<Process>,
    },
    /// The application is over: its files may go.
    ApplicationEnded {
        /// Which.
        application: ApplicationId,
    },
}

/// Who decides how many executors an application has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Allocation {
    /// As many as its cores allow, for its whole life.
    CoarseGrained,
    /// As many as it asks for, with the work ([`crate::allocation`]).
    FineGrained,
}

/// What an application says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationSpec {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// When it was submitted, in milliseconds since 1970: for people.
    pub submitted: u64,
    /// Cores that it may hold together (`spark.cores.max`).
    pub cores_max: Option<u32>,
    /// Cores of an executor (`spark.executor.cores`); without, one executor a worker with all cores that may be had there.
    pub executor_cores: Option<u32>,
    /// Bytes of an executor (`spark.executor.memory`).
    pub executor_memory: u64,
    /// Who decides how many executors it has.
    pub allocation: Allocation,
    /// The number of its first executor: an application that goes on from another counts on from there.
    pub first_executor: u64,
    /// The driver of the cluster that it runs in: the application does not outlive that.
    pub driver: Option<DriverId>,
    /// What its executors need to be started: opaque to the machines.
    pub command: Arc<[u8]>,
}

/// All that an application wants, now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Counts the application's wishes, over all its connections.
    pub seq: u64,
    /// Executors it wants in all; `None` for as many as its cores allow.
    pub total: Option<u32>,
    /// Executors it does not want any more.
    pub kill: Vec<ExecutorId>,
    /// Executors that have come to it since its last wish, in working order.
    pub ready: Vec<ExecutorId>,
}

/// What an application says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromApplication {
    /// First of a connection.
    Register {
        /// Of this submission.
        nonce: Nonce,
        /// What it is.
        spec: Arc<ApplicationSpec>,
        /// What it wants.
        wish: Wish,
    },
    /// It wants something else.
    Wish(Wish),
    /// It is over.
    Ended {
        /// Whether it did what it was for.
        succeeded: bool,
    },
}

/// An executor that an application has been given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Its number.
    pub executor: ExecutorId,
    /// Where it runs.
    pub worker: WorkerId,
    /// The worker's host.
    pub host: String,
    /// What it has.
    pub resources: Resources,
    /// Where its shuffle blocks are served when it is gone.
    pub shuffle_service: Option<String>,
}

/// Why an executor is no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutorEnd {
    /// By itself.
    Exited(Exit),
    /// It was asked to.
    Killed,
    /// Its worker is gone, or does not know it.
    Lost(String),
}

/// What a master says to an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToApplication {
    /// It is known now, and has these executors.
    Registered {
        /// Its name from now on.
        application: ApplicationId,
        /// All that it has.
        executors: Vec<Granted>,
        /// All workers that the master knows: another one on which the application had executors was lost while nobody could tell it.
        workers: Vec<WorkerId>,
    },
    /// It gets another executor.
    ExecutorAdded(Granted),
    /// It has one less.
    ExecutorEnded {
        /// Which.
        executor: ExecutorId,
        /// Why.
        end: ExecutorEnd,
    },
    /// The worker of this executor wants to leave.
    ExecutorDraining {
        /// Which.
        executor: ExecutorId,
    },
    /// A worker is gone with the shuffle blocks that it served.
    WorkerLost {
        /// Which.
        worker: WorkerId,
    },
    /// The application is over for the master; the reason is for people. The connection is closed next.
    Removed {
        /// How it counts.
        state: ApplicationState,
        /// Why.
        reason: String,
    },
}

/// A driver to be run by the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverSpec {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// When it was submitted, in milliseconds since 1970: for people.
    pub submitted: u64,
    /// What it takes of a worker.
    pub resources: Resources,
    /// Start it again when it fails (`--supervise`).
    pub supervise: bool,
    /// What to start: opaque to the machines.
    pub command: Arc<[u8]>,
}

/// Settings of a master.
#[derive(Clone, Debug)]
pub struct MasterOptions {
    /// Milliseconds without a report after which a worker is lost (`spark.worker.timeout`).
    pub worker_timeout: u64,
    /// Milliseconds that an application without a connection is kept.
    pub application_timeout: u64,
    /// Milliseconds that workers and applications have to come back to a restarted master (`spark.deploy.recoveryTimeout`).
    pub recovery_timeout: u64,
    /// Spread an application's executors over workers, instead of filling one after the other (`spark.deploy.spreadOutApps`).
    pub spread_out: bool,
    /// Cores of an application that says no number (`spark.deploy.defaultCores`).
    pub default_cores: Option<u32>,
    /// Executors that fail to start, one after the other, before their application is removed (`spark.deploy.maxExecutorRetries`);
    /// `None` for no limit.
    pub max_executor_retries: Option<u32>,
    /// Ended applications that are remembered (`spark.deploy.retainedApplications`).
    pub retained_applications: usize,
    /// Ended drivers that are remembered (`spark.deploy.retainedDrivers`).
    pub retained_drivers: usize,
    /// Milliseconds after which an unanswered message to a worker is sent again.
    pub resend: u64,
}

impl Default for MasterOptions {
    fn default() -> Self {
        MasterOptions {
            worker_timeout: 60_000,
            application_timeout: 30_000,
            recovery_timeout: 60_000,
            spread_out: true,
            default_cores: None,
            max_executor_retries: Some(10),
            retained_applications: 200,
            retained_drivers: 200,
            resend: 10_000,
        }
    }
}

impl Resources {
    /// Both, added; amounts that cannot be are capped.
    #[must_use]
    pub fn plus(self, other: Resources) -> Resources {
        Resources {
            cores: self.cores.saturating_add(other.cores),
            memory: self.memory.saturating_add(other.memory),
        }
    }

    /// What is left of it.
    #[must_use]
    pub fn minus(self, other: Resources) -> Resources {
        Resources {
            cores: self.cores.saturating_sub(other.cores),
            memory: self.memory.saturating_sub(other.memory),
        }
    }

    /// Whether `other` fits in.
    pub fn holds(self, other: Resources) -> bool {
        self.cores >= other.cores && self.memory >= other.memory
    }
}

/// Processes by what they take, summed.
pub(crate) fn sum<'a>(all: impl Iterator<Item = &'a Resources>) -> Resources {
    all.fold(Resources::default(), |sum, r| sum.plus(*r))
}

/// Reports by process.
pub(crate) fn by_process(report: &Report) -> BTreeMap<&Process, &ProcessReport> {
    report.processes.iter().map(|p| (&p.process, p)).collect()
}
