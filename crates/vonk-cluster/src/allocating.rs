//! Executors that come and go with the work: feeds the allocation state machine from what the driver does, and carries its wishes out.
//!
//! Must not know: who starts executors.

use std::collections::HashMap;
use vonk_scheduler::allocation::{Allocation, AllocationAction, AllocationEvent, AllocationOptions};
use vonk_scheduler::{ExecutorId, Time};

/// The state machine, and what it was told.
pub(crate) struct Allocating {
    machine: Allocation,
    /// Tasks on each executor.
    busy: HashMap<ExecutorId, u32>,
    load: (u64, u64),
    events: Vec<AllocationEvent>,
}

impl Allocating {
    pub fn new(options: AllocationOptions) -> Allocating {
        // The first look asks for the initial executors.
        let events = vec![AllocationEvent::Tick];
        Allocating { machine: Allocation::new(options), busy: HashMap::new(), load: (0, 0), events }
    }

    pub fn added(&mut self, executor: ExecutorId) {
        self.events.push(AllocationEvent::ExecutorAdded { executor });
    }

    pub fn lost(&mut self, executor: ExecutorId) {
        self.busy.remove(&executor);
        self.events.push(AllocationEvent::ExecutorLost { executor });
    }

    pub fn launched(&mut self, executor: ExecutorId) {
        let tasks = self.busy.entry(executor).or_default();
        *tasks += 1;
        if *tasks == 1 {
            self.events.push(AllocationEvent::ExecutorBusy { executor });
        }
    }

    pub fn ended(&mut self, executor: ExecutorId) {
        if let Some(tasks) = self.busy.get_mut(&executor) {
            *tasks = tasks.saturating_sub(1);
            if *tasks == 0 {
                self.events.push(AllocationEvent::ExecutorIdle { executor });
            }
        }
    }

    /// What is to be done now, with so many tasks waiting and running.
    pub fn look(&mut self, now: Time, waiting: usize, running: usize) -> Vec<AllocationAction> {
        let load = (waiting as u64, running as u64);
        if load != self.load {
            self.load = load;
            self.events.push(AllocationEvent::Load { waiting: load.0, running: load.1 });
        }
        if self.machine.next_timer().is_some_and(|at| at <= now) {
            self.events.push(AllocationEvent::Tick);
        }
        let events = std::mem::take(&mut self.events);
        events.into_iter().flat_map(|event| self.machine.handle(now, event)).collect()
    }

    /// When to look at the latest.
    pub fn next_timer(&self) -> Option<Time> {
        if self.events.is_empty() { self.machine.next_timer() } else { Some(Time(0)) }
    }
}
