//! Which driver and which executor go to which worker.
//!
//! As Spark's `Master.schedule` and `scheduleExecutorsOnWorkers`: drivers first; then applications, first come, first served, each as
//! much as it wants and there is; over as many workers as possible, or as few. One difference: drivers go to the worker with most free
//! cores, not to the next in turn.
//!
//! Must not know: messages other than to start something.

use super::entities::{Application, Placed, Worker};
use super::ids::{ApplicationId, DriverId, Process, WorkerId};
use super::message::{Resources, ToApplication, ToWorker};
use super::record::Record;
use super::transitions::{DriverState, ProcessState, assert_allowed, step};
use super::{Action, Master, Out};
use crate::ids::ExecutorId;
use crate::time::Time;

/// What executors of an application may be like.
#[derive(Clone, Copy, Debug)]
struct Demand {
    /// Cores that it may still get.
    cores: u32,
    /// Cores of an executor; `None`: one executor a worker, as large as can be.
    each: Option<u32>,
    /// Bytes of an executor.
    memory: u64,
    /// Executors that it may still get.
    executors: u32,
}

/// How many executors, with how many cores together, go to a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    cores: u32,
    executors: u32,
}

/// Shares out executors over what workers have free.
fn share_out(free: &[Resources], demand: Demand, spread_out: bool) -> Vec<Share> {
    let mut shares = vec![Share::default(); free.len()];
    let step = demand.each.unwrap_or(1).max(1);
    let (mut cores, mut executors) = (demand.cores, demand.executors);
    loop {
        let mut given = false;
        for (free, share) in free.iter().zip(&mut shares) {
            loop {
                let new = demand.each.is_some() || share.executors == 0;
                let taken = demand.memory.saturating_mul(u64::from(share.executors) + 1);
                let fits = cores >= step && free.cores - share.cores >= step;
                if !fits || (new && (executors == 0 || free.memory < taken)) {
                    break;
                }
                cores -= step;
                share.cores += step;
                if new {
                    executors -= 1;
                    share.executors += 1;
                }
                given = true;
                if spread_out {
                    break;
                }
            }
        }
        if !given {
            return shares;
        }
    }
}

impl Master {
    /// Places all that can be placed.
    pub(super) fn place(&mut self, now: Time, out: &mut Out) {
        let waits = |d: &&super::entities::Driver| {
            d.state == DriverState::Submitted && d.not_before.is_none_or(|t| t <= now)
        };
        for id in self.drivers.values().filter(waits).map(|d| d.id.clone()).collect::<Vec<_>>() {
            self.place_driver(now, &id, out);
        }
        for id in self.queue.clone() {
            self.place_executors(now, &id, out);
        }
    }

    fn place_driver(&mut self, now: Time, id: &DriverId, out: &mut Out) {
        let Some(driver) = self.drivers.get_mut(id) else { return };
        let resources = driver.spec.resources;
        let fits = |w: &&mut Worker| w.takes_work() && w.free().holds(resources);
        let best = self.workers.values_mut().filter(fits).max_by_key(|w| w.free().cores);
        let Some(worker) = best else { return };
        let attempt = driver.next_attempt;
        driver.next_attempt += 1;
        driver.placed = Some((worker.spec.id.clone(), attempt));
        step(&mut driver.state, DriverState::Launching);
        let name = worker.spec.id.clone();
        out.records.push(Record::DriverPlaced { driver: id.clone(), attempt, worker: name });
        let process = Process::Driver { driver: id.clone(), attempt };
        start(now, worker, process, resources, driver.spec.command.clone(), out);
    }

    /// What an application may still be given; `None` if nothing.
    fn demand(&self, app: &Application) -> Option<Demand> {
        let most = app.spec.cores_max.or(self.options.default_cores).unwrap_or(u32::MAX);
        let held = u32::try_from(app.executors.len()).unwrap_or(u32::MAX);
        let demand = Demand {
            cores: most.saturating_sub(app.cores),
            each: app.spec.executor_cores,
            memory: app.spec.executor_memory,
            executors: app.limit.unwrap_or(u32::MAX).saturating_sub(held),
        };
        let some = demand.executors > 0 && demand.cores >= demand.each.unwrap_or(1);
        (some && app.session.is_some()).then_some(demand)
    }

    /// Workers that may get an executor of an application, those with most free cores first.
    fn candidates(&self, now: Time, app: &Application, demand: Demand) -> Vec<&Worker> {
        let least = Resources { cores: demand.each.unwrap_or(1).max(1), memory: demand.memory };
        let paused = |id: &WorkerId| app.paused.get(id).is_some_and(|p| p.until.is_some_and(|t| now < t));
        let fit = |w: &&Worker| w.takes_work() && w.free().holds(least) && !paused(&w.spec.id);
        let mut workers: Vec<&Worker> = self.workers.values().filter(fit).collect();
        workers.sort_by_key(|w| std::cmp::Reverse(w.free().cores));
        workers
    }

    fn place_executors(&mut self, now: Time, id: &ApplicationId, out: &mut Out) {
        let Some(app) = self.applications.get(id) else { return };
        let Some(demand) = self.demand(app) else { return };
        let workers = self.candidates(now, app, demand);
        let free: Vec<Resources> = workers.iter().map(|w| w.free()).collect();
        let shares = share_out(&free, demand, self.options.spread_out);
        let names = workers.iter().map(|w| w.spec.id.clone());
        let plan: Vec<_> = names.zip(shares).filter(|(_, s)| s.executors > 0).collect();
        for (worker, share) in plan {
            let resources = Resources { cores: share.cores / share.executors, memory: demand.memory };
            for _ in 0..share.executors {
                self.start_executor(now, id, &worker, resources, out);
            }
        }
    }

    fn start_executor(
        &mut self,
        now: Time,
        id: &ApplicationId,
        worker: &WorkerId,
        resources: Resources,
        out: &mut Out,
    ) {
        let Some(app) = self.applications.get_mut(id) else { return };
        let Some(worker) = self.workers.get_mut(worker) else { return };
        let executor = ExecutorId(app.next_executor);
        app.next_executor += 1;
        app.cores += resources.cores;
        app.executors.insert(executor, worker.spec.id.clone());
        let (application, name) = (id.clone(), worker.spec.id.clone());
        out.records.push(Record::Executor { application, executor, worker: name, resources });
        let process = Process::Executor { application: id.clone(), executor };
        start(now, worker, process, resources, app.spec.command.clone(), out);
        if let Some(session) = app.session {
            let message = ToApplication::ExecutorAdded(worker.granted(executor, resources));
            out.actions.push(Action::ToApplication { session, message });
        }
    }

    /// Whether something could be placed that is not: what must never be so after an event.
    pub fn is_idle_in_vain(&self, now: Time) -> bool {
        let app = |a: &Application| self.demand(a).is_some_and(|d| !self.candidates(now, a, d).is_empty());
        let driver = |d: &super::entities::Driver| {
            let fits = |w: &Worker| w.takes_work() && w.free().holds(d.spec.resources);
            d.state == DriverState::Submitted
                && d.not_before.is_none_or(|t| t <= now)
                && self.workers.values().any(fits)
        };
        self.applications.values().any(app) || self.drivers.values().any(driver)
    }
}

fn start(
    now: Time,
    worker: &mut Worker,
    process: Process,
    resources: Resources,
    command: std::sync::Arc<[u8]>,
    out: &mut Out,
) {
    assert_allowed(None, Some(ProcessState::Launching));
    debug_assert!(worker.free().holds(resources), "{} is given more than it has", worker.spec.id);
    let message = ToWorker::Launch { process: process.clone(), resources, command };
    let mut placed = Placed::new(resources, ProcessState::Launching, now);
    placed.launch = worker.say(message, out);
    worker.insert(process, placed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(free: &[(u32, u64)], demand: Demand, spread_out: bool) -> Vec<(u32, u32)> {
        let free: Vec<_> =
            free.iter().map(|(cores, memory)| Resources { cores: *cores, memory: *memory }).collect();
        share_out(&free, demand, spread_out).iter().map(|s| (s.cores, s.executors)).collect()
    }

    const ALL: Demand = Demand { cores: u32::MAX, each: None, memory: 10, executors: u32::MAX };

    #[test]
    fn without_cores_of_an_executor_each_worker_gets_one_with_all_its_cores() {
        assert_eq!(shares(&[(4, 100), (2, 100)], ALL, true), [(4, 1), (2, 1)]);
        assert_eq!(shares(&[(4, 9), (2, 10)], ALL, true), [(0, 0), (2, 1)]);
    }

    #[test]
    fn few_cores_are_spread_or_kept_together() {
        let demand = Demand { cores: 4, ..ALL };
        assert_eq!(shares(&[(4, 100), (4, 100), (4, 100)], demand, true), [(2, 1), (1, 1), (1, 1)]);
        assert_eq!(shares(&[(4, 100), (4, 100), (4, 100)], demand, false), [(4, 1), (0, 0), (0, 0)]);
    }

    #[test]
    fn executors_of_a_size_share_a_worker_as_cores_memory_and_number_allow() {
        let demand = Demand { each: Some(2), ..ALL };
        assert_eq!(shares(&[(7, 100), (4, 15)], demand, true), [(6, 3), (2, 1)]);
        let demand = Demand { each: Some(2), executors: 3, ..ALL };
        assert_eq!(shares(&[(8, 100), (8, 100)], demand, true), [(4, 2), (2, 1)]);
        assert_eq!(shares(&[(8, 100), (8, 100)], demand, false), [(6, 3), (0, 0)]);
        // Three cores are no whole number of executors: one core stays.
        let demand = Demand { each: Some(2), cores: 3, ..ALL };
        assert_eq!(shares(&[(8, 100)], demand, true), [(2, 1)]);
    }
}
