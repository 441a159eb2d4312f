//! A master after a restart: made again from its records, it waits for workers and applications to come back.
//!
//! Spark's master places nothing until all have answered or the time is up. This one does: a worker that has come back has said all
//! that it runs, and one that has not is given nothing, so nothing can be given away twice; and an application that has just lost an
//! executor need not wait for a worker that will never answer.
//!
//! Must not know: where records are kept.

use super::Master;
use super::ids::Process;
use super::message::MasterOptions;
use super::record::Record;
use super::transitions::{ApplicationState, DriverState, ProcessState, WorkerState, step};
use crate::time::Time;

impl Master {
    /// A master that knows what these records say, which an earlier one wrote down, in this order. A record that is missing at the end
    /// is one of which nobody has heard.
    pub fn recover(options: MasterOptions, now: Time, records: impl IntoIterator<Item = Record>) -> Master {
        let mut master = Master::new(options);
        for record in records {
            master.replay(now, record);
        }
        master.mend();
        if !master.workers.is_empty() || !master.applications.is_empty() {
            master.recovering = Some(now.after(master.options.recovery_timeout));
        }
        master.placeable = true;
        master
    }

    /// Makes one whole of the facts: they may end in the middle of what an event made.
    fn mend(&mut self) {
        for worker in self.workers.values_mut() {
            for (process, placed) in &mut worker.processes {
                let wanted = match process {
                    Process::Executor { application, executor } => {
                        self.applications.get(application).is_some_and(|a| a.executors.contains_key(executor))
                    }
                    Process::Driver { driver, attempt } => self.drivers.get(driver).is_some_and(|d| {
                        let here =
                            d.placed.as_ref().is_some_and(|(w, a)| *w == worker.spec.id && a == attempt);
                        here && d.state != DriverState::Killing
                    }),
                };
                if !wanted {
                    step(&mut placed.state, ProcessState::Killing);
                }
                placed.asked = None;
            }
        }
        for (id, app) in &mut self.applications {
            app.cores = 0;
            app.executors.retain(|executor, worker| {
                let process = Process::Executor { application: id.clone(), executor: *executor };
                let placed = self.workers.get(worker).and_then(|w| w.processes.get(&process));
                app.cores = app.cores.saturating_add(placed.map_or(0, |p| p.resources.cores));
                placed.is_some()
            });
        }
        let mut killed = Vec::new();
        for (id, driver) in &mut self.drivers {
            let there = driver.placed.as_ref().is_some_and(|(worker, attempt)| {
                let process = Process::Driver { driver: id.clone(), attempt: *attempt };
                self.workers.get(worker).is_some_and(|w| w.processes.contains_key(&process))
            });
            if !there {
                // Its worker's end was written down, and what becomes of the driver was not any more.
                driver.placed = None;
                match driver.state {
                    DriverState::Killing => killed.push(id.clone()),
                    _ => driver.state = DriverState::Submitted,
                }
            }
        }
        for id in killed {
            self.retire_driver(&id, DriverState::Killed, "the driver was killed".to_string());
        }
    }

    /// Ends the recovery once everybody is back.
    pub(super) fn check_recovered(&mut self) {
        if self.recovering.is_none() {
            return;
        }
        let worker = self.workers.values().any(|w| w.state == WorkerState::Unknown && w.seq == 0);
        let application =
            self.applications.values().any(|a| a.state == ApplicationState::Unknown && a.wish == 0);
        if !worker && !application {
            self.recovering = None;
        }
    }
}
