//! An application's side: what it has been given, and what it wants.
//!
//! Must not know: how the master is reached, what executors are for. What comes from an earlier connection must not be fed after
//! [`ApplicationEvent::Disconnected`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ids::{ApplicationId, Nonce, WorkerId};
use super::message::{ApplicationSpec, ExecutorEnd, FromApplication, Granted, ToApplication, Wish};
use super::transitions::ApplicationState;
use crate::ids::ExecutorId;

/// What happens to an application.
#[derive(Clone, Debug)]
pub enum ApplicationEvent {
    /// There is a connection to a master.
    Connected,
    /// The connection is gone.
    Disconnected,
    /// A master says something.
    Heard(ToApplication),
    /// So many executors are wanted in all.
    Want(Option<u32>),
    /// These are not wanted any more.
    Kill(Vec<ExecutorId>),
    /// This one has come, in working order.
    Ready(ExecutorId),
    /// The application is over.
    End {
        /// Whether it did what it was for.
        succeeded: bool,
    },
}

/// What an application wants done, or learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplicationAction {
    /// Say this on the connection.
    Send(FromApplication),
    /// Its name: after the master has lost its records, a new one.
    Named(ApplicationId),
    /// It has another executor.
    Added(Granted),
    /// It has one less.
    Ended(ExecutorId, ExecutorEnd),
    /// The worker of an executor wants to leave.
    Draining(ExecutorId),
    /// A worker on which it had executors is gone with the shuffle blocks that it served.
    WorkerLost(WorkerId),
    /// It is over for the master.
    Removed {
        /// How it counts.
        state: ApplicationState,
        /// Why.
        reason: String,
    },
}

/// The state machine.
pub struct ApplicationMachine {
    nonce: Nonce,
    spec: Arc<ApplicationSpec>,
    name: Option<ApplicationId>,
    connected: bool,
    over: bool,
    seq: u64,
    total: Option<u32>,
    executors: BTreeMap<ExecutorId, Granted>,
    /// On which it has or had executors, and which are not lost: there may be blocks of it.
    workers: BTreeSet<WorkerId>,
    kill: BTreeSet<ExecutorId>,
    ready: BTreeSet<ExecutorId>,
    next_executor: u64,
}

impl ApplicationMachine {
    /// An application that wants so many executors at first.
    pub fn new(nonce: Nonce, spec: ApplicationSpec, total: Option<u32>) -> ApplicationMachine {
        ApplicationMachine {
            nonce,
            next_executor: spec.first_executor,
            spec: Arc::new(spec),
            name: None,
            connected: false,
            over: false,
            seq: 0,
            total,
            executors: BTreeMap::new(),
            workers: BTreeSet::new(),
            kill: BTreeSet::new(),
            ready: BTreeSet::new(),
        }
    }

    /// Its name, once it has one.
    pub fn name(&self) -> Option<&ApplicationId> {
        self.name.as_ref()
    }

    /// What it has been given, and not given back.
    pub fn executors(&self) -> &BTreeMap<ExecutorId, Granted> {
        &self.executors
    }

    /// The workers on which it has or had executors, but for those that are lost.
    pub fn workers(&self) -> &BTreeSet<WorkerId> {
        &self.workers
    }

    /// Whether it has a connection.
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Takes one event. What is late, comes twice or speaks of what is not known changes nothing.
    pub fn handle(&mut self, event: ApplicationEvent) -> Vec<ApplicationAction> {
        let mut out = Vec::new();
        if self.over {
            return out;
        }
        match event {
            ApplicationEvent::Connected => {
                self.connected = true;
                if self.next_executor != self.spec.first_executor {
                    // For a master that does not know the application any more: numbers go on from here.
                    let spec = ApplicationSpec { first_executor: self.next_executor, ..(*self.spec).clone() };
                    self.spec = Arc::new(spec);
                }
                let wish = self.wish(self.ready.iter().copied().collect());
                let (nonce, spec) = (self.nonce.clone(), self.spec.clone());
                out.push(ApplicationAction::Send(FromApplication::Register { nonce, spec, wish }));
            }
            ApplicationEvent::Disconnected => self.connected = false,
            ApplicationEvent::Heard(message) if self.connected => self.hear(message, &mut out),
            ApplicationEvent::Heard(_) => {}
            ApplicationEvent::Want(total) => {
                if self.total != total {
                    self.total = total;
                    self.send_wish(Vec::new(), &mut out);
                }
            }
            ApplicationEvent::Kill(executors) => {
                let before = self.kill.len();
                self.kill.extend(executors.iter().filter(|e| self.executors.contains_key(e)));
                if self.kill.len() != before {
                    self.send_wish(Vec::new(), &mut out);
                }
            }
            ApplicationEvent::Ready(executor) => {
                if self.executors.contains_key(&executor) && self.ready.insert(executor) {
                    self.send_wish(vec![executor], &mut out);
                }
            }
            ApplicationEvent::End { succeeded } => {
                self.over = true;
                if self.connected {
                    out.push(ApplicationAction::Send(FromApplication::Ended { succeeded }));
                }
            }
        }
        out
    }

    fn wish(&mut self, ready: Vec<ExecutorId>) -> Wish {
        self.seq += 1;
        Wish { seq: self.seq, total: self.total, kill: self.kill.iter().copied().collect(), ready }
    }

    fn send_wish(&mut self, ready: Vec<ExecutorId>, out: &mut Vec<ApplicationAction>) {
        if self.connected {
            let wish = self.wish(ready);
            out.push(ApplicationAction::Send(FromApplication::Wish(wish)));
        }
    }

    fn hear(&mut self, message: ToApplication, out: &mut Vec<ApplicationAction>) {
        match message {
            ToApplication::Registered { application, executors, workers } => {
                if self.name.as_ref() != Some(&application) {
                    self.name = Some(application.clone());
                    out.push(ApplicationAction::Named(application));
                }
                let has = |e: &ExecutorId| executors.iter().any(|g| g.executor == *e);
                let gone: Vec<_> = self.executors.keys().filter(|e| !has(e)).copied().collect();
                for executor in gone {
                    self.ended(executor, ExecutorEnd::Lost("the master does not know it".to_string()), out);
                }
                executors.into_iter().for_each(|granted| self.added(granted, out));
                let known: BTreeSet<_> = workers.into_iter().collect();
                for worker in self.workers.difference(&known).cloned().collect::<Vec<_>>() {
                    self.lost(worker, out);
                }
            }
            ToApplication::ExecutorAdded(granted) => self.added(granted, out),
            ToApplication::ExecutorEnded { executor, end } => self.ended(executor, end, out),
            ToApplication::ExecutorDraining { executor } => {
                if self.executors.contains_key(&executor) {
                    out.push(ApplicationAction::Draining(executor));
                }
            }
            ToApplication::WorkerLost { worker } => self.lost(worker, out),
            ToApplication::Removed { state, reason } => {
                self.over = true;
                out.push(ApplicationAction::Removed { state, reason });
            }
        }
    }

    fn lost(&mut self, worker: WorkerId, out: &mut Vec<ApplicationAction>) {
        if self.workers.remove(&worker) {
            out.push(ApplicationAction::WorkerLost(worker));
        }
    }

    fn added(&mut self, granted: Granted, out: &mut Vec<ApplicationAction>) {
        self.next_executor = self.next_executor.max(granted.executor.0.saturating_add(1));
        self.workers.insert(granted.worker.clone());
        if self.executors.insert(granted.executor, granted.clone()).is_none() {
            out.push(ApplicationAction::Added(granted));
        }
    }

    fn ended(&mut self, executor: ExecutorId, end: ExecutorEnd, out: &mut Vec<ApplicationAction>) {
        self.ready.remove(&executor);
        let killed = self.kill.remove(&executor);
        if self.executors.remove(&executor).is_some() {
            let end = if killed { ExecutorEnd::Killed } else { end };
            out.push(ApplicationAction::Ended(executor, end));
        }
    }
}
