//! The executors: who is there, on which machine, with how many free slots.
//!
//! Must not know: stages, partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::{ExecutorId, TaskId};
use crate::lifecycle::{ExecutorCause, ExecutorState};

/// The name of a machine.
pub(crate) type Host = Arc<str>;

pub(crate) struct Executor {
    pub host: Host,
    pub slots: u32,
    pub running: BTreeSet<TaskId>,
    pub state: ExecutorState,
}

impl Executor {
    fn has_room(&self) -> bool {
        self.state == ExecutorState::Active && self.load() < self.slots
    }

    fn load(&self) -> u32 {
        u32::try_from(self.running.len()).unwrap_or(u32::MAX)
    }
}

/// All executors that are not lost.
#[derive(Default)]
pub(crate) struct Cluster {
    executors: BTreeMap<ExecutorId, Executor>,
    /// Machines with executors that get tasks.
    active_on: BTreeMap<Host, u32>,
    /// Those with a free slot, the least busy first: so work spreads.
    free: BTreeSet<(u32, ExecutorId)>,
}

impl Cluster {
    pub fn get(&self, executor: ExecutorId) -> Option<&Executor> {
        self.executors.get(&executor)
    }

    pub fn iter(&self) -> impl Iterator<Item = (ExecutorId, &Executor)> {
        self.executors.iter().map(|(id, e)| (*id, e))
    }

    pub fn is_active(&self, executor: ExecutorId) -> bool {
        self.get(executor).is_some_and(|e| e.state == ExecutorState::Active)
    }

    pub fn is_host_active(&self, host: &str) -> bool {
        self.active_on.contains_key(host)
    }

    /// Whether every slot that may be used is in use.
    pub fn is_busy(&self) -> bool {
        self.free.is_empty()
    }

    pub fn has_room(&self, executor: ExecutorId) -> bool {
        self.get(executor).is_some_and(Executor::has_room)
    }

    /// The first executor with a free slot after one of such a load.
    pub fn next_free(&self, after: Option<(u32, ExecutorId)>) -> Option<(u32, ExecutorId)> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.free.range((after.map_or(Unbounded, Excluded), Unbounded)).next().copied()
    }

    /// `false` if it is known already.
    pub fn add(&mut self, id: ExecutorId, host: &str, slots: u32) -> bool {
        if self.executors.contains_key(&id) {
            return false;
        }
        let host: Host = host.into();
        let executor = Executor { host, slots, running: BTreeSet::new(), state: ExecutorState::Active };
        self.enter(id, &executor);
        self.executors.insert(id, executor);
        true
    }

    fn enter(&mut self, id: ExecutorId, executor: &Executor) {
        *self.active_on.entry(executor.host.clone()).or_default() += 1;
        if executor.has_room() {
            self.free.insert((executor.load(), id));
        }
    }

    /// An active executor becomes something else.
    fn leave(&mut self, id: ExecutorId, executor: &Executor) {
        self.free.remove(&(executor.load(), id));
        if let Some(n) = self.active_on.get_mut(&executor.host) {
            *n -= 1;
            if *n == 0 {
                self.active_on.remove(&executor.host);
            }
        }
    }

    /// Changes an executor's state; one that is lost is forgotten and given back. `None` if it is unknown or cannot go there.
    pub fn step(&mut self, id: ExecutorId, cause: ExecutorCause) -> Option<&Executor> {
        let next = self.executors.get(&id)?.state.next(cause)?;
        let mut executor = self.executors.remove(&id)?;
        if executor.state == ExecutorState::Active {
            self.leave(id, &executor);
        }
        executor.state.step(cause);
        if next == ExecutorState::Active {
            self.enter(id, &executor);
        }
        Some(self.executors.entry(id).or_insert(executor))
    }

    /// Forgets an executor; the tasks that it ran.
    pub fn lose(&mut self, id: ExecutorId) -> Option<BTreeSet<TaskId>> {
        self.step(id, ExecutorCause::Lose)?;
        self.executors.remove(&id).map(|e| e.running)
    }

    pub fn occupy(&mut self, id: ExecutorId, task: TaskId) {
        self.change(id, |running| running.insert(task));
    }

    pub fn vacate(&mut self, id: ExecutorId, task: TaskId) {
        self.change(id, |running| running.remove(&task));
    }

    fn change(&mut self, id: ExecutorId, change: impl FnOnce(&mut BTreeSet<TaskId>) -> bool) {
        let Some(executor) = self.executors.get_mut(&id) else { return };
        let (before, had_room) = (executor.load(), executor.has_room());
        change(&mut executor.running);
        debug_assert!(executor.load() <= executor.slots, "more tasks than slots");
        if had_room {
            self.free.remove(&(before, id));
        }
        if executor.has_room() {
            self.free.insert((executor.load(), id));
        }
    }
}
