//! What a master knows, for people: its status API and its metrics.
//!
//! Must not know: HTTP, JSON.

use serde::Serialize;

use super::Master;
use super::entities::{Application, Driver};
use super::ids::{ApplicationId, DriverId, Nonce, Process, WorkerId};
use super::message::{Allocation, Resources};
use super::transitions::{ApplicationState, DriverState, ProcessState, WorkerState};
use crate::ids::ExecutorId;
use crate::time::Time;

/// Whether the master waits for those it knew before its restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum MasterStatus {
    /// Everybody is back, or was given up.
    Alive,
    /// Somebody is missing.
    Recovering,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // the fields' names say it
pub struct WorkerView {
    pub id: WorkerId,
    pub host: String,
    pub address: String,
    pub state: WorkerState,
    pub draining: bool,
    pub total: Resources,
    pub used: Resources,
    pub processes: usize,
    /// Milliseconds since it was last heard of.
    pub silent_for: u64,
}

/// An executor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // the fields' names say it
pub struct ExecutorView {
    pub id: ExecutorId,
    pub worker: WorkerId,
    pub host: String,
    pub state: ProcessState,
    pub resources: Resources,
}

/// An application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // the fields' names say it
pub struct ApplicationView {
    pub id: ApplicationId,
    pub name: String,
    pub user: String,
    pub submitted: u64,
    pub state: ApplicationState,
    /// Why it is over.
    pub reason: Option<String>,
    pub allocation: Allocation,
    pub cores_max: Option<u32>,
    pub executor_cores: Option<u32>,
    pub executor_memory: u64,
    pub cores: u32,
    pub driver: Option<DriverId>,
    pub executors: Vec<ExecutorView>,
}

/// A driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // the fields' names say it
pub struct DriverView {
    pub id: DriverId,
    pub name: String,
    pub user: String,
    pub submitted: u64,
    pub state: DriverState,
    /// Why it is over.
    pub reason: Option<String>,
    pub supervise: bool,
    pub resources: Resources,
    pub worker: Option<WorkerId>,
    /// Starts so far.
    pub attempts: u32,
}

impl Master {
    /// Whether it waits for somebody.
    pub fn status(&self) -> MasterStatus {
        if self.recovering.is_some() { MasterStatus::Recovering } else { MasterStatus::Alive }
    }

    /// The workers that are not gone.
    pub fn workers(&self, now: Time) -> Vec<WorkerView> {
        let view = |w: &super::entities::Worker| WorkerView {
            id: w.spec.id.clone(),
            host: w.spec.host.clone(),
            address: w.spec.address.clone(),
            state: w.state,
            draining: w.draining,
            total: Resources { cores: w.spec.cores, memory: w.spec.memory },
            used: w.used,
            processes: w.processes.len(),
            silent_for: now.since(w.heard),
        };
        self.workers.values().map(view).collect()
    }

    /// The applications: those that are over first, then those that are not, each in the order they came.
    pub fn applications(&self) -> Vec<ApplicationView> {
        let past =
            self.past_applications.iter().map(|p| self.application_view(&p.app, Some(p.reason.clone())));
        let live = self.queue.iter().filter_map(|id| self.applications.get(id));
        past.chain(live.map(|app| self.application_view(app, None))).collect()
    }

    /// One application.
    pub fn application(&self, id: &ApplicationId) -> Option<ApplicationView> {
        if let Some(app) = self.applications.get(id) {
            return Some(self.application_view(app, None));
        }
        let past = self.past_applications.iter().find(|p| p.app.id == *id)?;
        Some(self.application_view(&past.app, Some(past.reason.clone())))
    }

    fn application_view(&self, app: &Application, reason: Option<String>) -> ApplicationView {
        let executor = |(id, worker): (&ExecutorId, &WorkerId)| {
            let w = self.workers.get(worker)?;
            let process = Process::Executor { application: app.id.clone(), executor: *id };
            let placed = w.processes.get(&process)?;
            Some(ExecutorView {
                id: *id,
                worker: worker.clone(),
                host: w.spec.host.clone(),
                state: placed.state,
                resources: placed.resources,
            })
        };
        ApplicationView {
            id: app.id.clone(),
            name: app.spec.name.clone(),
            user: app.spec.user.clone(),
            submitted: app.spec.submitted,
            state: app.state,
            reason,
            allocation: app.spec.allocation,
            cores_max: app.spec.cores_max,
            executor_cores: app.spec.executor_cores,
            executor_memory: app.spec.executor_memory,
            cores: app.cores,
            driver: app.spec.driver.clone(),
            executors: app.executors.iter().filter_map(executor).collect(),
        }
    }

    /// The drivers: those that are over first.
    pub fn drivers(&self) -> Vec<DriverView> {
        let past = self.past_drivers.iter().map(|p| driver_view(&p.driver, Some(p.reason.clone())));
        past.chain(self.drivers.values().map(|d| driver_view(d, None))).collect()
    }

    /// One driver.
    pub fn driver(&self, id: &DriverId) -> Option<DriverView> {
        if let Some(driver) = self.drivers.get(id) {
            return Some(driver_view(driver, None));
        }
        let past = self.past_drivers.iter().find(|p| p.driver.id == *id)?;
        Some(driver_view(&past.driver, Some(past.reason.clone())))
    }

    /// The driver of a submission.
    pub fn driver_by_nonce(&self, nonce: &Nonce) -> Option<DriverView> {
        self.driver(self.driver_nonces.get(nonce)?)
    }
}

fn driver_view(driver: &Driver, reason: Option<String>) -> DriverView {
    DriverView {
        id: driver.id.clone(),
        name: driver.spec.name.clone(),
        user: driver.spec.user.clone(),
        submitted: driver.spec.submitted,
        state: driver.state,
        reason,
        supervise: driver.spec.supervise,
        resources: driver.spec.resources,
        worker: driver.placed.as_ref().map(|(worker, _)| worker.clone()),
        attempts: driver.next_attempt,
    }
}
