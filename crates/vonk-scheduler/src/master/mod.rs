//! The master of a standalone cluster, and the workers' and applications' side of its conversations, as state machines without I/O.
//!
//! [`Master`] lends the cores and memory of workers to applications, as Spark's standalone `Master` does: it places executors and
//! drivers, watches for workers that are lost and applications that are gone, and gives everything back. What must survive it is in
//! [`Record`]s, which its endpoint writes down before it acts. [`WorkerMachine`] and [`ApplicationMachine`] are the other ends. A
//! seeded simulation (`tests/master.rs`) runs all three through random faults.
//!
//! Must not know: sockets, files, processes, clocks, randomness; what a command starts.
//!
//! # Invariants
//!
//! - A worker's processes never take more of it than it has. A process takes its resources from the moment its record is made until the
//!   worker says that it has ended (or the worker is gone), whoever wanted it and whether the master remembers why.
//! - The name of an executor is never used twice, over restarts of the master too.
//! - What nobody wants is killed as soon as its worker speaks of it.
//! - An event that is late, comes twice, or speaks of what is not known changes nothing.

mod application;
mod applications;
mod drivers;
mod entities;
mod event;
mod ids;
mod message;
mod record;
mod recovery;
mod schedule;
mod transitions;
mod view;
mod worker;
mod workers;

pub use application::*;
pub use event::*;
pub use ids::*;
pub use message::{
    Allocation, ApplicationSpec, DriverSpec, ExecutorEnd, Exit, FromApplication, FromWorker, Granted,
    MasterOptions, ProcessReport, Report, Reported, Resources, ToApplication, ToWorker, Wish, WorkerSpec,
};
pub use record::Record;
pub use transitions::*;
pub use view::*;
pub use worker::*;

use std::collections::{BTreeMap, VecDeque};

use crate::time::Time;
use entities::{Application, Driver, PastApplication, PastDriver, Worker};

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Party {
    Worker(WorkerId),
    Application(ApplicationId),
}

/// What one event makes the master want: facts first, then actions.
#[derive(Default)]
struct Out {
    records: Vec<Record>,
    actions: Vec<Action>,
}

/// The state machine.
pub struct Master {
    options: MasterOptions,
    /// Set while workers or applications from before a restart have not come back, and until when they may.
    recovering: Option<Time>,
    workers: BTreeMap<WorkerId, Worker>,
    applications: BTreeMap<ApplicationId, Application>,
    /// Applications in the order they came: who is first is served first.
    queue: Vec<ApplicationId>,
    drivers: BTreeMap<DriverId, Driver>,
    sessions: BTreeMap<SessionId, Party>,
    /// Nonces of applications and of drivers, past ones too.
    application_nonces: BTreeMap<Nonce, ApplicationId>,
    driver_nonces: BTreeMap<Nonce, DriverId>,
    past_applications: VecDeque<PastApplication>,
    past_drivers: VecDeque<PastDriver>,
    /// Something may be placed that could not be before.
    placeable: bool,
}

impl Master {
    /// A master that knows nobody.
    pub fn new(options: MasterOptions) -> Master {
        Master {
            options,
            recovering: None,
            workers: BTreeMap::new(),
            applications: BTreeMap::new(),
            queue: Vec::new(),
            drivers: BTreeMap::new(),
            sessions: BTreeMap::new(),
            application_nonces: BTreeMap::new(),
            driver_nonces: BTreeMap::new(),
            past_applications: VecDeque::new(),
            past_drivers: VecDeque::new(),
            placeable: false,
        }
    }

    /// Takes one event. All [`Action::Persist`] come before the other actions: one flush of the log is enough for an event.
    pub fn handle(&mut self, now: Time, event: Event) -> Vec<Action> {
        let mut out = Out::default();
        match event {
            Event::WorkerRegisters { session, spec, report } => {
                self.worker_registers(now, session, spec, report, &mut out);
            }
            Event::WorkerReports { session, report } => self.worker_reports(now, session, &report, &mut out),
            Event::WorkerDrains { session } => {
                if let Some(worker) = self.worker_of(session) {
                    self.drain(&worker, &mut out);
                }
            }
            Event::WorkerLeaves { session } => {
                if let Some(worker) = self.worker_of(session) {
                    self.worker_gone(now, &worker, "the worker has left", &mut out);
                }
            }
            Event::DrainWorker { worker } => self.drain(&worker, &mut out),
            Event::ApplicationRegisters { session, fresh, nonce, spec, wish } => {
                self.application_registers(now, session, fresh, nonce, spec, &wish, &mut out);
            }
            Event::ApplicationWishes { session, wish } => {
                if let Some(application) = self.application_of(session) {
                    self.take_wish(now, &application, &wish, &mut out);
                }
            }
            Event::ApplicationEnds { session, succeeded } => {
                if let Some(application) = self.application_of(session) {
                    let (state, reason) = match succeeded {
                        true => (ApplicationState::Finished, "the application has ended"),
                        false => (ApplicationState::Failed, "the application has failed"),
                    };
                    self.remove_application(now, &application, state, reason.to_string(), &mut out);
                }
            }
            Event::KillApplication { application } => {
                let reason = "the application was killed".to_string();
                self.remove_application(now, &application, ApplicationState::Killed, reason, &mut out);
            }
            Event::SubmitDriver { fresh, nonce, spec } => self.submit_driver(fresh, nonce, spec, &mut out),
            Event::KillDriver { driver } => self.kill_driver(now, &driver, &mut out),
            Event::Disconnected { session } => self.disconnected(now, session),
            Event::Tick => self.tick(now, &mut out),
        }
        self.check_recovered();
        self.end_pauses(now);
        if std::mem::take(&mut self.placeable) {
            self.place(now, &mut out);
        }
        self.assert_consistent();
        let mut actions: Vec<Action> = out.records.into_iter().map(Action::Persist).collect();
        actions.append(&mut out.actions);
        actions
    }

    /// When [`Event::Tick`] must be fed at the latest; `None` if nothing waits for time to pass.
    pub fn next_timer(&self) -> Option<Time> {
        let workers = self.workers.values().map(|w| w.heard.after(self.options.worker_timeout));
        let applications = self.applications.values().filter_map(|a| a.deadline);
        let paused = self.applications.values().flat_map(|a| a.paused.values().filter_map(|p| p.until));
        let drivers = self.drivers.values().filter_map(|d| d.not_before);
        workers.chain(applications).chain(self.recovering).chain(paused.chain(drivers)).min()
    }

    fn worker_of(&self, session: SessionId) -> Option<WorkerId> {
        match self.sessions.get(&session)? {
            Party::Worker(worker) => Some(worker.clone()),
            Party::Application(_) => None,
        }
    }

    fn application_of(&self, session: SessionId) -> Option<ApplicationId> {
        match self.sessions.get(&session)? {
            Party::Application(application) => Some(application.clone()),
            Party::Worker(_) => None,
        }
    }

    fn disconnected(&mut self, now: Time, session: SessionId) {
        match self.sessions.remove(&session) {
            Some(Party::Worker(worker)) => {
                if let Some(w) = self.workers.get_mut(&worker).filter(|w| w.session == Some(session)) {
                    w.session = None;
                    step(&mut w.state, WorkerState::Unknown);
                }
            }
            Some(Party::Application(application)) => {
                let deadline = now.after(self.options.application_timeout);
                let app = self.applications.get_mut(&application);
                if let Some(app) = app.filter(|a| a.session == Some(session)) {
                    app.session = None;
                    app.deadline = Some(deadline);
                    step(&mut app.state, ApplicationState::Unknown);
                }
            }
            None => {}
        }
    }

    /// Closes a connection that is not listened to any more.
    fn close(&mut self, session: SessionId, out: &mut Out) {
        self.sessions.remove(&session);
        out.actions.push(Action::Close { session });
    }

    fn tick(&mut self, now: Time, out: &mut Out) {
        let timeout = self.options.worker_timeout;
        let recovery_over = self.recovering.is_some_and(|until| until <= now);
        let late = |w: &Worker| {
            w.heard.after(timeout) <= now || (recovery_over && w.state == WorkerState::Unknown && w.seq == 0)
        };
        let lost: Vec<_> = self.workers.values().filter(|w| late(w)).map(|w| w.spec.id.clone()).collect();
        for worker in lost {
            self.worker_gone(now, &worker, "the worker was not heard of for too long", out);
        }
        let late = |a: &Application| a.deadline.is_some_and(|d| d <= now);
        let gone: Vec<_> = self.applications.values().filter(|a| late(a)).map(|a| a.id.clone()).collect();
        for application in gone {
            let reason = "the application was not heard of for too long".to_string();
            self.remove_application(now, &application, ApplicationState::Failed, reason, out);
        }
        if recovery_over {
            self.recovering = None;
        }
    }

    /// What waits for time to pass before it is placed again, and has waited long enough, may be placed.
    fn end_pauses(&mut self, now: Time) {
        for app in self.applications.values_mut() {
            for pause in app.paused.values_mut().filter(|p| p.until.is_some_and(|until| until <= now)) {
                pause.until = None;
                self.placeable = true;
            }
        }
        for driver in self.drivers.values_mut() {
            if driver.not_before.is_some_and(|until| until <= now) {
                driver.not_before = None;
                self.placeable = true;
            }
        }
    }

    /// The sums are right, and nothing is given away twice. In debug builds.
    fn assert_consistent(&self) {
        if !cfg!(debug_assertions) {
            return;
        }
        for app in self.applications.values() {
            let of = |(executor, worker): (&crate::ids::ExecutorId, &WorkerId)| {
                let process = Process::Executor { application: app.id.clone(), executor: *executor };
                self.workers.get(worker).and_then(|w| w.processes.get(&process)).map(|p| p.resources.cores)
            };
            let cores: Option<Vec<u32>> = app.executors.iter().map(of).collect();
            debug_assert_eq!(cores.map(|c| c.iter().sum()), Some(app.cores), "executors of {}", app.id);
        }
        for (id, driver) in &self.drivers {
            let Some((worker, attempt)) = &driver.placed else { continue };
            let process = Process::Driver { driver: id.clone(), attempt: *attempt };
            let there = self.workers.get(worker).is_some_and(|w| w.processes.contains_key(&process));
            debug_assert!(there, "{process} is not where it was placed");
        }
    }
}
