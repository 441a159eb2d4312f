//! What of a master survives it: facts, one after the other, from which its state can be made again.
//!
//! A record is written before anybody hears of what it says. So a master that is killed at any moment knows, when it is started
//! again, at least of every process that a worker may have been asked to start; numbers and names are never handed out twice.
//! What is not written: connections, times, wishes (applications say them again), what was reported of a process (workers do).
//!
//! Must not know: files and their format.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Master;
use super::entities::{Application, Driver, Placed, Worker};
use super::ids::{ApplicationId, DriverId, Nonce, Process, WorkerId};
use super::message::{ApplicationSpec, DriverSpec, Resources, WorkerSpec};
use super::transitions::{ApplicationState, DriverState, ProcessState, WorkerState, assert_allowed};
use crate::ids::ExecutorId;
use crate::time::Time;

/// A fact. What it says of something that is not known is no fact, and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum Record {
    /// A worker registered, or is draining.
    Worker { spec: WorkerSpec, draining: bool },
    /// A worker is gone, with all that ran on it.
    WorkerGone { worker: WorkerId },
    /// An application registered. Its next executor has this number.
    Application { application: ApplicationId, nonce: Nonce, spec: Arc<ApplicationSpec>, next_executor: u64 },
    /// An application is over. Its executors may still run.
    ApplicationEnded { application: ApplicationId, state: ApplicationState, reason: String },
    /// A worker will be asked to start an executor.
    Executor { application: ApplicationId, executor: ExecutorId, worker: WorkerId, resources: Resources },
    /// An executor is no more.
    ExecutorGone { application: ApplicationId, executor: ExecutorId, worker: WorkerId },
    /// A driver was submitted. Its next attempt has this number.
    Driver { driver: DriverId, nonce: Nonce, spec: Arc<DriverSpec>, next_attempt: u32 },
    /// A worker will be asked to start a driver.
    DriverPlaced { driver: DriverId, attempt: u32, worker: WorkerId },
    /// The attempt of a driver is no more, and there will be another.
    DriverWaits { driver: DriverId, attempt: u32 },
    /// A driver is not wanted any more.
    DriverUnwanted { driver: DriverId },
    /// A driver is over.
    DriverEnded { driver: DriverId, state: DriverState, reason: String },
}

impl Master {
    /// Takes a fact from the log of an earlier master.
    pub(super) fn replay(&mut self, now: Time, record: Record) {
        match record {
            Record::Worker { spec, draining } => self.replay_worker(now, spec, draining),
            Record::WorkerGone { worker } => {
                if let Some(worker) = self.workers.remove(&worker) {
                    for process in worker.processes.keys() {
                        self.replay_gone(process);
                    }
                }
            }
            Record::Application { application, nonce, spec, next_executor } => {
                assert_allowed(None, Some(ApplicationState::Unknown));
                let deadline = now.after(self.options.recovery_timeout);
                let mut app = Application::new(application.clone(), nonce, spec);
                app.state = ApplicationState::Unknown;
                app.next_executor = next_executor;
                app.deadline = Some(deadline);
                self.insert_application(app);
            }
            Record::ApplicationEnded { application, state, reason } => {
                self.retire_application(&application, state, reason);
            }
            Record::Executor { application, executor, worker, resources } => {
                let process = Process::Executor { application: application.clone(), executor };
                self.replay_placed(&worker, process, resources);
                if let Some(app) = self.applications.get_mut(&application) {
                    app.next_executor = app.next_executor.max(executor.0 + 1);
                    app.executors.insert(executor, worker);
                }
            }
            Record::ExecutorGone { application, executor, worker } => {
                let process = Process::Executor { application, executor };
                if let Some(w) = self.workers.get_mut(&worker) {
                    w.remove(&process);
                }
                self.replay_gone(&process);
            }
            Record::Driver { driver, nonce, spec, next_attempt } => {
                assert_allowed(None, Some(DriverState::Submitted));
                self.insert_driver(Driver::new(driver, nonce, spec, next_attempt));
            }
            Record::DriverPlaced { driver, attempt, worker } => {
                let Some(d) = self.drivers.get_mut(&driver) else { return };
                d.state = DriverState::Launching;
                d.next_attempt = attempt + 1;
                d.placed = Some((worker.clone(), attempt));
                let resources = d.spec.resources;
                self.replay_placed(&worker, Process::Driver { driver, attempt }, resources);
            }
            Record::DriverWaits { driver, .. } => {
                if let Some(d) = self.drivers.get_mut(&driver) {
                    d.state = DriverState::Submitted;
                    let placed = d.placed.take();
                    self.replay_unplaced(&driver, placed);
                }
            }
            Record::DriverUnwanted { driver } => {
                if let Some(d) = self.drivers.get_mut(&driver) {
                    d.state = DriverState::Killing;
                }
            }
            Record::DriverEnded { driver, state, reason } => {
                let placed = self.drivers.get_mut(&driver).and_then(|d| d.placed.take());
                self.replay_unplaced(&driver, placed);
                self.retire_driver(&driver, state, reason);
            }
        }
    }

    fn replay_worker(&mut self, now: Time, spec: WorkerSpec, draining: bool) {
        match self.workers.get_mut(&spec.id) {
            Some(known) => known.draining = draining,
            None => {
                assert_allowed(None, Some(WorkerState::Unknown));
                let mut worker = Worker::new(spec, now);
                worker.state = WorkerState::Unknown;
                worker.draining = draining;
                self.workers.insert(worker.spec.id.clone(), worker);
            }
        }
    }

    fn replay_placed(&mut self, worker: &WorkerId, process: Process, resources: Resources) {
        if let Some(w) = self.workers.get_mut(worker) {
            assert_allowed(None, Some(ProcessState::Unknown));
            w.insert(process, Placed::new(resources, ProcessState::Unknown, Time(0)));
        }
    }

    fn replay_unplaced(&mut self, driver: &DriverId, placed: Option<(WorkerId, u32)>) {
        let Some((worker, attempt)) = placed else { return };
        if let Some(w) = self.workers.get_mut(&worker) {
            w.remove(&Process::Driver { driver: driver.clone(), attempt });
        }
    }

    fn replay_gone(&mut self, process: &Process) {
        let Process::Executor { application, executor } = process else { return };
        if let Some(app) = self.applications.get_mut(application) {
            app.executors.remove(executor);
        }
    }

    /// Facts from which the present state can be made again, in place of all that were written so far.
    pub fn snapshot(&self) -> Vec<Record> {
        let mut out = Vec::new();
        for over in &self.past_applications {
            out.push(over.app.record());
            let (application, state, reason) = (over.app.id.clone(), over.app.state, over.reason.clone());
            out.push(Record::ApplicationEnded { application, state, reason });
        }
        for app in self.queue.iter().filter_map(|id| self.applications.get(id)) {
            out.push(app.record());
        }
        for over in &self.past_drivers {
            out.push(over.driver.record());
            let (driver, state, reason) = (over.driver.id.clone(), over.driver.state, over.reason.clone());
            out.push(Record::DriverEnded { driver, state, reason });
        }
        for driver in self.drivers.values() {
            out.push(driver.record());
        }
        for worker in self.workers.values() {
            out.push(Record::Worker { spec: worker.spec.clone(), draining: worker.draining });
            let id = &worker.spec.id;
            for (process, placed) in &worker.processes {
                out.extend(self.placed_record(id, process, placed));
            }
        }
        for driver in self.drivers.values().filter(|d| d.state == DriverState::Killing) {
            out.push(Record::DriverUnwanted { driver: driver.id.clone() });
        }
        out
    }

    /// The fact of a process's place, if there was one.
    fn placed_record(&self, worker: &WorkerId, process: &Process, placed: &Placed) -> Option<Record> {
        let worker = worker.clone();
        match process {
            Process::Executor { application, executor } => {
                let app = self.applications.get(application);
                let wanted = app.is_none_or(|a| a.executors.contains_key(executor));
                let (application, executor) = (application.clone(), *executor);
                (wanted && placed.recorded).then_some(Record::Executor {
                    application,
                    executor,
                    worker,
                    resources: placed.resources,
                })
            }
            Process::Driver { driver, attempt } => {
                let wanted = self.drivers.get(driver)?.placed == Some((worker.clone(), *attempt));
                let (driver, attempt) = (driver.clone(), *attempt);
                wanted.then_some(Record::DriverPlaced { driver, attempt, worker })
            }
        }
    }
}
