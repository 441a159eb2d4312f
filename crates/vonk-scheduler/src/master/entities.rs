//! What a master keeps of workers, their processes, applications and drivers.
//!
//! Must not know: when any of it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ids::{ApplicationId, DriverId, Nonce, Process, SessionId, WorkerId};
use super::message::{ApplicationSpec, DriverSpec, Granted, Resources, WorkerSpec};
use super::record::Record;
use super::transitions::{ApplicationState, DriverState, ProcessState, WorkerState};
use crate::ids::ExecutorId;
use crate::time::Time;

/// A process on a worker, as long as it takes resources there.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub resources: Resources,
    pub state: ProcessState,
    /// When it was placed, or found.
    pub since: Time,
    /// When the worker was last asked to start or to end it; `None` if that has to be said (again).
    pub asked: Option<Time>,
    /// The number of the message of this connection that asked for it, or 0: a report that does not take account of that one says
    /// nothing of the process.
    pub launch: u64,
    /// It came to its application in working order.
    pub ready: bool,
    /// There is a record of it. None is made of one that came from nowhere (its worker was given up meanwhile): its worker will report
    /// it again.
    pub recorded: bool,
}

impl Placed {
    pub fn new(resources: Resources, state: ProcessState, since: Time) -> Placed {
        Placed { resources, state, since, asked: Some(since), launch: 0, ready: false, recorded: true }
    }
}

/// A worker that is not gone.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub spec: WorkerSpec,
    pub state: WorkerState,
    /// It wants to leave, connected or not.
    pub draining: bool,
    pub session: Option<SessionId>,
    /// When it was last heard of.
    pub heard: Time,
    /// The number of its last report.
    pub seq: u64,
    /// The number of the last message to it.
    pub said: u64,
    pub processes: BTreeMap<Process, Placed>,
    /// Sum over `processes`.
    pub used: Resources,
    /// Applications of which it has files.
    pub applications: BTreeSet<ApplicationId>,
}

impl Worker {
    pub fn new(spec: WorkerSpec, now: Time) -> Worker {
        Worker {
            spec,
            state: WorkerState::Alive,
            draining: false,
            session: None,
            heard: now,
            seq: 0,
            said: 0,
            processes: BTreeMap::new(),
            used: Resources::default(),
            applications: BTreeSet::new(),
        }
    }

    pub fn free(&self) -> Resources {
        Resources { cores: self.spec.cores, memory: self.spec.memory }.minus(self.used)
    }

    /// Whether it may be given work.
    pub fn takes_work(&self) -> bool {
        self.state == WorkerState::Alive
    }

    pub fn insert(&mut self, process: Process, placed: Placed) {
        if let Process::Executor { application, .. } = &process {
            self.applications.insert(application.clone());
        }
        self.processes.insert(process, placed);
        self.sum();
    }

    pub fn remove(&mut self, process: &Process) -> Option<Placed> {
        let placed = self.processes.remove(process);
        self.sum();
        placed
    }

    fn sum(&mut self) {
        self.used = super::message::sum(self.processes.values().map(|p| &p.resources));
    }
}

/// After how many milliseconds a worker on which executors of an application did not start gets another one, by the number of
/// failures so far.
pub(super) fn pause_after(failures: u32) -> u64 {
    (100u64 << failures.min(10)).min(10_000)
}

/// How it is with a worker on which executors of an application did not start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    pub failures: u32,
    /// When to try again; `None` if that time has come.
    pub until: Option<Time>,
}

/// An application that is not over.
#[derive(Clone, Debug)]
pub(super) struct Application {
    pub id: ApplicationId,
    pub nonce: Nonce,
    pub spec: Arc<ApplicationSpec>,
    pub state: ApplicationState,
    pub session: Option<SessionId>,
    /// When it is given up unless it has a connection by then.
    pub deadline: Option<Time>,
    /// Executors it wants in all.
    pub limit: Option<u32>,
    /// The number of its last wish.
    pub wish: u64,
    pub next_executor: u64,
    /// All that take resources, those that are being killed too.
    pub executors: BTreeMap<ExecutorId, WorkerId>,
    /// Sum over `executors`.
    pub cores: u32,
    /// Executors that did not start, one after the other.
    pub failed_starts: u32,
    /// Workers where executors did not start.
    pub paused: BTreeMap<WorkerId, Pause>,
}

impl Application {
    pub fn new(id: ApplicationId, nonce: Nonce, spec: Arc<ApplicationSpec>) -> Application {
        Application {
            id,
            nonce,
            state: ApplicationState::Waiting,
            session: None,
            deadline: None,
            limit: None,
            wish: 0,
            next_executor: spec.first_executor,
            executors: BTreeMap::new(),
            cores: 0,
            failed_starts: 0,
            paused: BTreeMap::new(),
            spec,
        }
    }

    pub fn record(&self) -> Record {
        Record::Application {
            application: self.id.clone(),
            nonce: self.nonce.clone(),
            spec: self.spec.clone(),
            next_executor: self.next_executor,
        }
    }
}

/// An application that is over.
#[derive(Clone, Debug)]
pub(super) struct PastApplication {
    pub app: Application,
    pub reason: String,
}

/// A driver that is not over.
#[derive(Clone, Debug)]
pub(super) struct Driver {
    pub id: DriverId,
    pub nonce: Nonce,
    pub spec: Arc<DriverSpec>,
    pub state: DriverState,
    pub next_attempt: u32,
    pub placed: Option<(WorkerId, u32)>,
    /// When it may be placed again after a failure; `None` for now.
    pub not_before: Option<Time>,
    /// Failures, one soon after the other.
    pub failures: u32,
}

impl Driver {
    pub fn new(id: DriverId, nonce: Nonce, spec: Arc<DriverSpec>, next_attempt: u32) -> Driver {
        let state = DriverState::Submitted;
        Driver { id, nonce, spec, state, next_attempt, placed: None, not_before: None, failures: 0 }
    }

    pub fn record(&self) -> Record {
        Record::Driver {
            driver: self.id.clone(),
            nonce: self.nonce.clone(),
            spec: self.spec.clone(),
            next_attempt: self.next_attempt,
        }
    }
}

/// A driver that is over.
#[derive(Clone, Debug)]
pub(super) struct PastDriver {
    pub driver: Driver,
    pub reason: String,
}

impl Worker {
    /// An executor here, as its application is told of it.
    pub fn granted(&self, executor: ExecutorId, resources: Resources) -> Granted {
        Granted {
            executor,
            worker: self.spec.id.clone(),
            host: self.spec.host.clone(),
            resources,
            shuffle_service: self.spec.shuffle_service.clone(),
        }
    }
}
