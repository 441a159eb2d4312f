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
    /// Tasks that have given their slots back for now.
    parked: BTreeSet<TaskId>,
    pub state: ExecutorState,
}

impl Executor {
    fn has_room(&self) -> bool {
        self.state == ExecutorState::Active && self.load() < self.slots
    }

    fn has_room_for_guest(&self, guests: u32) -> bool {
        self.state == ExecutorState::Active && self.load() < self.slots.saturating_add(guests)
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
    /// Of all executors.
    slots: u32,
    /// Tasks beyond its slots that each executor may run.
    guests: u32,
}

impl Cluster {
    /// Without executors, each of which may have so many guests.
    pub fn new(guests: u32) -> Cluster {
        Cluster { guests, ..Cluster::default() }
    }

    /// Executors that may take a task beyond their slots.
    pub fn with_room_for_guests(&self) -> impl Iterator<Item = ExecutorId> {
        self.iter().filter(|(_, e)| e.has_room_for_guest(self.guests)).map(|(id, _)| id)
    }

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

    /// The slots of all executors, of those that get no tasks, too.
    pub fn slots(&self) -> u32 {
        self.slots
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
        let (running, parked) = (BTreeSet::new(), BTreeSet::new());
        let executor = Executor { host, slots, running, parked, state: ExecutorState::Active };
        self.slots += slots;
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

    /// Forgets an executor; the tasks that it ran, and those that were parked there.
    pub fn lose(&mut self, id: ExecutorId) -> Option<BTreeSet<TaskId>> {
        self.step(id, ExecutorCause::Lose)?;
        let Executor { slots, mut running, parked, .. } = self.executors.remove(&id)?;
        self.slots -= slots;
        running.extend(parked);
        Some(running)
    }

    /// A task is launched.
    pub fn occupy(&mut self, id: ExecutorId, task: TaskId) {
        debug_assert!(
            self.get(id).is_some_and(|e| e.has_room_for_guest(self.guests)),
            "more tasks than slots and guests"
        );
        self.change(id, |e| {
            e.running.insert(task);
        });
    }

    /// A task has ended.
    pub fn vacate(&mut self, id: ExecutorId, task: TaskId) {
        self.change(id, |e| {
            let _ = e.running.remove(&task) || e.parked.remove(&task);
        });
    }

    /// A task gives its slot back for now.
    pub fn park(&mut self, id: ExecutorId, task: TaskId) {
        self.change(id, |e| {
            if e.running.remove(&task) {
                e.parked.insert(task);
            }
        });
    }

    /// A task that was parked goes on, whether there is a slot or not.
    pub fn resume(&mut self, id: ExecutorId, task: TaskId) {
        self.change(id, |e| {
            if e.parked.remove(&task) {
                e.running.insert(task);
            }
        });
    }

    fn change(&mut self, id: ExecutorId, change: impl FnOnce(&mut Executor)) {
        let Some(executor) = self.executors.get_mut(&id) else { return };
        let (before, had_room) = (executor.load(), executor.has_room());
        change(executor);
        if had_room {
            self.free.remove(&(before, id));
        }
        if executor.has_room() {
            self.free.insert((executor.load(), id));
        }
    }
}
