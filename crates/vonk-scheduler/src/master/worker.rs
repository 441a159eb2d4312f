//! A worker's side: what it runs, what it says of it, and what becomes of the files.
//!
//! Must not know: how processes are started and ended, how the master is reached. What comes from an earlier connection must not be fed
//! after [`WorkerEvent::Disconnected`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ids::{ApplicationId, Process};
use super::message::{
    Exit, FromWorker, ProcessReport, Report, Reported, Resources, ToWorker, WorkerSpec, sum,
};
use crate::time::Time;

/// What happens to a worker.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum WorkerEvent {
    /// There is a connection to a master.
    Connected,
    /// The connection is gone.
    Disconnected,
    /// A master says something.
    Heard { seq: u64, message: ToWorker },
    /// A process that was to be started runs.
    Started { process: Process },
    /// A process has ended, or could not be started.
    Exited { process: Process, exit: Exit },
    /// The worker is to leave once its processes have ended.
    Drain,
    /// The worker is to leave now.
    Stop,
    /// Time has passed.
    Tick,
}

/// What a worker wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum WorkerAction {
    /// Say this on the connection.
    Send(FromWorker),
    /// Start a process; [`WorkerEvent::Started`] or [`WorkerEvent::Exited`] follows.
    Start { process: Process, resources: Resources, command: Arc<[u8]> },
    /// End a process; [`WorkerEvent::Exited`] follows.
    Kill { process: Process },
    /// Remove an application's files. None of its processes runs.
    Clean { application: ApplicationId },
    /// The master does not want this worker.
    Refused { reason: String },
    /// Nothing runs any more, and the master has been told: the worker may end.
    Left,
}

struct Local {
    resources: Resources,
    state: Reported,
    killed: bool,
}

/// The state machine.
pub struct WorkerMachine {
    spec: WorkerSpec,
    /// Milliseconds between reports when nothing changes.
    heartbeat: u64,
    connected: bool,
    seq: u64,
    heard: u64,
    processes: BTreeMap<Process, Local>,
    /// Applications of which there are files; `true` if they are over.
    applications: BTreeMap<ApplicationId, bool>,
    next_report: Time,
    leaving: bool,
    left: bool,
}

impl WorkerMachine {
    /// A worker that runs nothing.
    pub fn new(spec: WorkerSpec, heartbeat: u64) -> WorkerMachine {
        WorkerMachine {
            spec,
            heartbeat,
            connected: false,
            seq: 0,
            heard: 0,
            processes: BTreeMap::new(),
            applications: BTreeMap::new(),
            next_report: Time(0),
            leaving: false,
            left: false,
        }
    }

    /// Takes one event. What is late, comes twice or speaks of what is not known changes nothing.
    pub fn handle(&mut self, now: Time, event: WorkerEvent) -> Vec<WorkerAction> {
        let mut out = Vec::new();
        let mut changed = false;
        match event {
            WorkerEvent::Connected => {
                (self.connected, self.heard) = (true, 0);
                let report = self.report(now);
                out.push(WorkerAction::Send(FromWorker::Register(self.spec.clone(), report)));
                if self.leaving {
                    out.push(WorkerAction::Send(FromWorker::Drain));
                }
            }
            WorkerEvent::Disconnected => self.connected = false,
            WorkerEvent::Heard { seq, message } => {
                if self.connected && seq > self.heard {
                    self.heard = seq;
                    changed = self.hear(message, &mut out);
                }
            }
            WorkerEvent::Started { process } => {
                if let Some(local) = self.processes.get_mut(&process) {
                    if local.state == Reported::Starting {
                        local.state = Reported::Running;
                        changed = true;
                    }
                }
            }
            WorkerEvent::Exited { process, exit } => {
                if let Some(local) = self.processes.get_mut(&process) {
                    if !matches!(local.state, Reported::Exited(_)) {
                        local.state = Reported::Exited(exit);
                        changed = true;
                    }
                }
            }
            WorkerEvent::Drain => self.begin_to_leave(&mut out),
            WorkerEvent::Stop => {
                self.begin_to_leave(&mut out);
                let all: Vec<Process> = self.processes.keys().cloned().collect();
                all.iter().for_each(|process| self.kill(process, &mut out));
            }
            WorkerEvent::Tick => {}
        }
        if self.connected && (changed || self.next_report <= now) {
            let report = self.report(now);
            out.push(WorkerAction::Send(FromWorker::Report(report)));
        }
        self.clean(&mut out);
        self.leave(&mut out);
        out
    }

    /// When [`WorkerEvent::Tick`] must be fed at the latest.
    pub fn next_timer(&self) -> Option<Time> {
        self.connected.then_some(self.next_report)
    }

    /// Processes that have not ended.
    pub fn live(&self) -> impl Iterator<Item = (&Process, Resources)> {
        let live = self.processes.iter().filter(|(_, l)| !matches!(l.state, Reported::Exited(_)));
        live.map(|(process, local)| (process, local.resources))
    }

    /// What its processes take.
    pub fn used(&self) -> Resources {
        self.live().fold(Resources::default(), |sum, (_, r)| sum.plus(r))
    }

    /// Whether it has a connection.
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// What it is.
    pub fn spec(&self) -> &WorkerSpec {
        &self.spec
    }

    /// Applications of which it has files.
    pub fn applications(&self) -> BTreeSet<&ApplicationId> {
        self.applications.keys().collect()
    }

    fn report(&mut self, now: Time) -> Report {
        self.seq += 1;
        self.next_report = now.after(self.heartbeat);
        let one = |(process, local): (&Process, &Local)| ProcessReport {
            process: process.clone(),
            resources: local.resources,
            state: local.state.clone(),
        };
        Report {
            seq: self.seq,
            heard: self.heard,
            processes: self.processes.iter().map(one).collect(),
            applications: self.applications.keys().cloned().collect(),
        }
    }

    /// Whether what it has to report has changed.
    fn hear(&mut self, message: ToWorker, out: &mut Vec<WorkerAction>) -> bool {
        match message {
            ToWorker::Registered => false,
            ToWorker::Refused(reason) => {
                out.push(WorkerAction::Refused { reason });
                false
            }
            ToWorker::Launch { process, resources, command } => self.launch(process, resources, command, out),
            ToWorker::Kill { process } => {
                self.kill(&process, out);
                false
            }
            ToWorker::Forget { processes } => {
                for process in processes {
                    if self.processes.get(&process).is_some_and(|l| matches!(l.state, Reported::Exited(_))) {
                        self.processes.remove(&process);
                    }
                }
                false
            }
            ToWorker::ApplicationEnded { application } => {
                if let Some(over) = self.applications.get_mut(&application) {
                    *over = true;
                }
                false
            }
        }
    }

    fn launch(
        &mut self,
        process: Process,
        resources: Resources,
        command: Arc<[u8]>,
        out: &mut Vec<WorkerAction>,
    ) -> bool {
        if self.processes.contains_key(&process) {
            return false;
        }
        let all = Resources { cores: self.spec.cores, memory: self.spec.memory };
        let live = self.processes.values().filter(|l| !matches!(l.state, Reported::Exited(_)));
        let fits = all.minus(sum(live.map(|l| &l.resources))).holds(resources);
        let state = if fits && !self.leaving {
            if let Process::Executor { application, .. } = &process {
                self.applications.entry(application.clone()).or_insert(false);
            }
            out.push(WorkerAction::Start { process: process.clone(), resources, command });
            Reported::Starting
        } else {
            let why = if self.leaving { "the worker is leaving" } else { "the worker has no room for it" };
            Reported::Exited(Exit { code: None, message: why.to_string() })
        };
        let changed = state != Reported::Starting;
        self.processes.insert(process, Local { resources, state, killed: false });
        changed
    }

    fn kill(&mut self, process: &Process, out: &mut Vec<WorkerAction>) {
        let Some(local) = self.processes.get_mut(process) else { return };
        if !matches!(local.state, Reported::Exited(_)) && !std::mem::replace(&mut local.killed, true) {
            out.push(WorkerAction::Kill { process: process.clone() });
        }
    }

    /// Removes the files of applications that are over and run nothing here.
    fn clean(&mut self, out: &mut Vec<WorkerAction>) {
        if !self.applications.values().any(|over| *over) {
            return;
        }
        let of = |p: &Process| match p {
            Process::Executor { application, .. } => Some(application.clone()),
            Process::Driver { .. } => None,
        };
        let used: BTreeSet<ApplicationId> = self.live().filter_map(|(p, _)| of(p)).collect();
        self.applications.retain(|application, over| {
            let clean = *over && !used.contains(application);
            if clean {
                out.push(WorkerAction::Clean { application: application.clone() });
            }
            !clean
        });
    }

    fn begin_to_leave(&mut self, out: &mut Vec<WorkerAction>) {
        if self.connected && !self.leaving {
            out.push(WorkerAction::Send(FromWorker::Drain));
        }
        self.leaving = true;
    }

    fn leave(&mut self, out: &mut Vec<WorkerAction>) {
        if self.leaving && !self.left && self.live().next().is_none() {
            self.left = true;
            if self.connected {
                out.push(WorkerAction::Send(FromWorker::Leave));
            }
            out.push(WorkerAction::Left);
        }
    }
}
