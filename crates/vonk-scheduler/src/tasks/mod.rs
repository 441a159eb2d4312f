//! The task scheduler: places the tasks of task sets on the slots of executors and tries failed ones again.
//!
//! Sets are served in the order of their [`pools`]; a task waits a while for a slot near its data ([`locality`]); slow ones get a copy
//! ([`speculation`]); executors where tasks fail get no more ([`exclusion`]). A slot is given back when its task is reported to have
//! ended, also if it was killed: so an executor is never given more tasks than it has slots. A task that waits for its reader is
//! [parked](parking) and leaves its slot to others meanwhile.
//!
//! Events and offers are apart: [`handle`](TaskScheduler::handle) takes note of what happened, and once the DAG scheduler has had its
//! say as well, [`offer`](TaskScheduler::offer) fills the slots. An offer looks only at what has changed since the last one: an
//! executor with a new free slot is offered to all sets with work, a set with new work is offered all free slots. So an
//! event costs the same whether a thousand tasks wait or a million, and whether ten jobs run or ten thousand.
//!
//! Must not know: stages' dependencies, map outputs, clocks.

mod cluster;
mod ends;
mod exclusion;
mod locality;
mod offers;
mod parking;
mod pools;
mod set;
mod speculation;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{JobFailure, TaskEnd};
use crate::ids::{ExecutorId, JobId, MapId, ShuffleId, StageId, TaskAttempt, TaskId};
use crate::lifecycle::{ExecutorCause, ExecutorState, LaunchState};
use crate::map_outputs::MapStatus;
use crate::options::SchedulerOptions;
use crate::rdd::Location;
use crate::time::Time;

use cluster::Cluster;
use exclusion::{Health, Newly};
use pools::{Listing, Pools};
use set::{Context, TaskSet};

/// Names a task set: there is at most one for a stage. The order is that of service in a FIFO pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetKey {
    /// Older jobs first.
    pub job: JobId,
    /// Then older stages.
    pub stage: StageId,
}

/// What happens to the task scheduler.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum TaskEvent {
    /// A stage wants these partitions computed: a new set, or one that was suspended, or that has lost what it had done. Those
    /// that wait or run already do so on. Preferences go with the partitions, or there are none at all.
    Submit {
        set: SetKey,
        pool: String,
        stage_attempt: u32,
        partitions: Vec<u32>,
        preferred: Vec<Vec<Location>>,
        /// Whether slow tasks may get copies.
        copies: bool,
    },
    /// Outputs of a running stage were lost: these partitions are to be done again when it may launch tasks.
    Redo { set: SetKey, partitions: Vec<u32> },
    /// A partition is done, though not by a task that the set knows of.
    Done { set: SetKey, partition: u32 },
    /// What the stage reads is lost: nothing is to be launched until it is submitted again.
    Suspend { set: SetKey },
    /// The stage is not wanted any more.
    Cancel { set: SetKey },
    /// An executor can run `slots` tasks at once.
    ExecutorAdded { executor: ExecutorId, host: String, slots: u32 },
    /// An executor gets no new tasks.
    ExecutorDraining { executor: ExecutorId },
    /// An executor is gone with all that ran on it.
    ExecutorLost { executor: ExecutorId },
    /// What the stage's tasks give is read in parts.
    Dealt { stage: StageId, parts: u32 },
    /// A launch gives its slot back for now.
    Parked { task: TaskId },
    /// A launch that was parked goes on.
    Resumed { task: TaskId },
    /// A launch ended.
    Ended { task: TaskId, end: TaskEnd },
}

/// What the task scheduler wants done, and what it tells the DAG scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum TaskAction {
    Launch {
        job: JobId,
        task: TaskId,
        attempt: TaskAttempt,
        executor: ExecutorId,
        speculative: bool,
    },
    Kill {
        task: TaskId,
        executor: ExecutorId,
    },
    /// A task succeeded; `late` if its set does not wait for it.
    Succeeded {
        task: TaskId,
        attempt: TaskAttempt,
        map_status: Option<MapStatus>,
        late: bool,
    },
    /// A block was not to be had. The task waits again, if it is wanted.
    FetchFailed {
        attempt: TaskAttempt,
        shuffle: ShuffleId,
        map: MapId,
        executor: ExecutorId,
        unreachable: bool,
        wanted: bool,
    },
    /// A stage cannot go on.
    Failed {
        stage: StageId,
        failure: JobFailure,
    },
    /// A suspended set has tasks that wait: its input is wanted.
    Starved {
        stage: StageId,
    },
    Excluded {
        executor: ExecutorId,
        stage: Option<StageId>,
        until: Time,
    },
}

struct Launched {
    attempt: TaskAttempt,
    executor: ExecutorId,
    set: SetKey,
    serial: u64,
    /// We asked for its end.
    killed: bool,
    state: LaunchState,
}

/// What is to be looked at when a time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A set may have waited long enough for locality.
    Locality(SetKey),
    /// A task that failed may be tried again where it did.
    SamePlace(SetKey),
    /// A task waits that nobody may run.
    Unschedulable(SetKey),
    /// An exclusion is over.
    Include(ExecutorId),
    /// Are there slow tasks?
    Speculation,
}

/// The state machine.
pub struct TaskScheduler {
    options: SchedulerOptions,
    next_task: u64,
    next_set: u64,
    now: Time,
    /// When all slots were last in use.
    busy_at: Time,
    cluster: Cluster,
    sets: BTreeMap<SetKey, TaskSet>,
    pools: Pools,
    launched: BTreeMap<TaskId, Launched>,
    /// How many of them each job has.
    alive: BTreeMap<JobId, u32>,
    health: Health,
    timers: BTreeSet<(Time, Timer)>,
    /// Whether the timer of speculation is set.
    speculation_timer: bool,
    /// Executors that may do what they could not do at the last offer.
    freed: Vec<ExecutorId>,
    /// Sets that may launch what they could not launch at the last offer.
    changed: Vec<SetKey>,
}

impl TaskScheduler {
    /// An idle scheduler without executors.
    pub fn new(options: SchedulerOptions) -> Self {
        TaskScheduler {
            pools: Pools::new(options.mode, &options.pools, options.other_pools),
            cluster: Cluster::new(options.guests),
            options,
            next_task: 0,
            next_set: 0,
            now: Time(0),
            busy_at: Time(0),
            sets: BTreeMap::new(),
            launched: BTreeMap::new(),
            alive: BTreeMap::new(),
            health: Health::default(),
            timers: BTreeSet::new(),
            speculation_timer: false,
            freed: Vec::new(),
            changed: Vec::new(),
        }
    }

    /// The number of the next launch: greater than those of all before it.
    pub fn next_task(&self) -> TaskId {
        TaskId(self.next_task)
    }

    /// Tasks that run now or are parked.
    pub fn running(&self) -> usize {
        self.launched.len()
    }

    /// Tasks that wait for a slot, without those whose input is lost.
    pub fn waiting(&self) -> usize {
        self.sets.values().filter(|s| !s.suspended).map(|s| s.waiting() as usize).sum()
    }

    /// The machine of an executor that is there.
    pub fn host(&self, executor: ExecutorId) -> Option<&str> {
        self.cluster.get(executor).map(|e| &*e.host)
    }

    /// The state of an executor that is there.
    pub fn executor_state(&self, executor: ExecutorId) -> Option<ExecutorState> {
        self.cluster.get(executor).map(|e| e.state)
    }

    /// When time alone may change something.
    pub fn next_timer(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Time goes on, never back; what has come due is done.
    pub fn advance(&mut self, now: Time, out: &mut Vec<TaskAction>) {
        self.now = self.now.max(now);
        if self.cluster.is_busy() {
            self.busy_at = self.now;
        }
        while let Some((at, timer)) = self.timers.first().copied()
            && at <= self.now
        {
            self.timers.pop_first();
            self.ring(timer, out);
        }
    }

    /// Takes one event. What is late, twice or unknown changes nothing. Slots are filled by [`offer`](Self::offer).
    pub fn handle(&mut self, event: TaskEvent, out: &mut Vec<TaskAction>) {
        match event {
            TaskEvent::Submit { set, pool, stage_attempt, partitions, preferred, copies } => {
                self.submit(set, &pool, (stage_attempt, copies), &partitions, preferred);
            }
            TaskEvent::Redo { set, partitions } => self.redo(set, &partitions, out),
            TaskEvent::Done { set, partition } => self.done(set, partition, out),
            TaskEvent::Suspend { set } => self.suspend(set, out),
            TaskEvent::Cancel { set } => self.cancel(set, out),
            TaskEvent::ExecutorAdded { executor, host, slots } => self.add(executor, &host, slots, out),
            TaskEvent::ExecutorDraining { executor } => {
                if self.cluster.step(executor, ExecutorCause::Drain).is_some() {
                    self.places_changed();
                }
            }
            TaskEvent::ExecutorLost { executor } => self.lose(executor, out),
            TaskEvent::Dealt { stage, parts } => {
                let set = self.sets.iter_mut().find(|(key, _)| key.stage == stage);
                set.into_iter().for_each(|(_, set)| set.parts = parts.max(1));
            }
            TaskEvent::Parked { task } => self.parked(task),
            TaskEvent::Resumed { task } => self.resumed(task),
            TaskEvent::Ended { task, end } => self.ended(task, end, out),
        }
    }

    // ---- Sets.

    fn submit(
        &mut self,
        key: SetKey,
        pool: &str,
        (stage_attempt, copies): (u32, bool),
        partitions: &[u32],
        preferred: Vec<Vec<Location>>,
    ) {
        let Self { sets, pools, cluster, next_set, now, .. } = self;
        let set = sets.entry(key).or_insert_with(|| {
            *next_set += 1;
            TaskSet::new(key, *next_set, pools.enter(pool), *now)
        });
        set.stage_attempt = stage_attempt;
        set.may_copy = copies;
        set.suspended = false;
        set.want(partitions, preferred, cluster);
        self.changed(key);
    }

    fn redo(&mut self, key: SetKey, partitions: &[u32], out: &mut Vec<TaskAction>) {
        let Some(set) = self.sets.get_mut(&key) else { return };
        set.want(partitions, Vec::new(), &self.cluster);
        if set.suspended && set.waiting() > 0 {
            out.push(TaskAction::Starved { stage: key.stage });
        }
        self.changed(key);
    }

    fn done(&mut self, key: SetKey, partition: u32, out: &mut Vec<TaskAction>) {
        let Some(set) = self.sets.get_mut(&key) else { return };
        if set.succeeded(partition) {
            self.kill_copies(key, partition, out);
            self.settle(key, out);
        }
    }

    fn suspend(&mut self, key: SetKey, out: &mut Vec<TaskAction>) {
        let Some(set) = self.sets.get_mut(&key) else { return };
        set.suspended = true;
        if set.waiting() > 0 {
            out.push(TaskAction::Starved { stage: key.stage });
        }
        self.list(key);
    }

    fn cancel(&mut self, key: SetKey, out: &mut Vec<TaskAction>) {
        let Some(set) = self.remove_set(key) else { return };
        self.pools.count(set.pool, 0, set.load());
        self.pools.leave(set.pool);
        for (task, copy) in set.running {
            self.kill(task, copy.executor, out);
        }
    }

    fn kill(&mut self, task: TaskId, executor: ExecutorId, out: &mut Vec<TaskAction>) {
        if let Some(launched) = self.launched.get_mut(&task)
            && !std::mem::replace(&mut launched.killed, true)
        {
            out.push(TaskAction::Kill { task, executor });
        }
    }

    fn kill_copies(&mut self, key: SetKey, partition: u32, out: &mut Vec<TaskAction>) {
        let copies = self.sets.get_mut(&key).map(|s| s.give_up(partition)).unwrap_or_default();
        for (task, executor) in copies {
            self.kill(task, executor, out);
        }
    }

    /// Takes a set out of all but its pool's counts.
    fn remove_set(&mut self, key: SetKey) -> Option<TaskSet> {
        let set = self.sets.remove(&key)?;
        self.pools.list(set.pool, key, set.listed.as_ref(), None);
        if let Some(at) = set.timer {
            self.timers.remove(&(at, Timer::Locality(key)));
        }
        if let Some(since) = set.unschedulable {
            self.timers.remove(&(self.unschedulable_at(since), Timer::Unschedulable(key)));
        }
        Some(set)
    }

    /// Ends a set whose tasks are all done, or lists it as it is now.
    fn settle(&mut self, key: SetKey, out: &mut Vec<TaskAction>) {
        if !self.sets.get(&key).is_some_and(TaskSet::is_finished) {
            return self.list(key);
        }
        let Some(set) = self.remove_set(key) else { return };
        // Copies that were killed run until they are reported to have ended; they are no load of the pool's.
        self.pools.count(set.pool, 0, set.load());
        self.pools.leave(set.pool);
        let options = &self.options.exclude_on_failure;
        if options.enabled && !set.exclusion.is_empty() {
            let cluster = &self.cluster;
            let host_of = |e| cluster.get(e).map(|x| x.host.clone());
            let newly = self.health.completed(options, self.now, key.stage, &set.exclusion, host_of);
            self.exclude(newly, out);
        }
    }

    /// Lists a set in its pool if it has work, and sets its timer if it waits for locality.
    fn list(&mut self, key: SetKey) {
        let Self { sets, pools, cluster, options, now, busy_at, timers, changed, .. } = self;
        let Some(set) = sets.get_mut(&key) else { return };
        let cx = Context { options, cluster, now: *now, busy_at: *busy_at };
        let level = set.level(&cx);
        let new = set.has_work().then(|| {
            let (rank, places) = (pools.rank(set.pool, set.load()), set.places(level));
            Listing { rank, level, places }
        });
        if new != set.listed {
            // It may now launch where it would not at the last offer, though nothing was added to it.
            if let (Some(old), Some(new)) = (&set.listed, &new)
                && old.level < new.level
            {
                changed.push(key);
            }
            pools.list(set.pool, key, set.listed.as_ref(), new.as_ref());
            set.listed = new;
        }
        if set.listed.is_some() && set.timer.is_none() && set.waiting() > 0 && level.is_bounded() {
            let at = set.allowed.over(&options.locality, *busy_at).max(now.after(1));
            set.timer = Some(at);
            timers.insert((at, Timer::Locality(key)));
        }
    }

    /// A set may launch what it could not launch before.
    fn changed(&mut self, key: SetKey) {
        self.list(key);
        if !self.changed.contains(&key) {
            self.changed.push(key);
        }
        self.check_schedulable(key);
    }

    /// Executors came, went or were excluded: waits for locality and for possible executors look different.
    fn places_changed(&mut self) {
        for key in self.sets.keys().copied().collect::<Vec<_>>() {
            if self.sets.get(&key).is_some_and(|s| s.listed.is_some()) {
                self.list(key);
                self.changed.push(key);
            }
            self.check_schedulable(key);
        }
    }

    // ---- Executors.

    fn add(&mut self, executor: ExecutorId, host: &str, slots: u32, out: &mut Vec<TaskAction>) {
        if !self.cluster.add(executor, host, slots) {
            return;
        }
        if let Some(until) = self.health.host_until(host, self.now) {
            self.exclude_executor(executor, until, out);
        } else {
            self.freed.push(executor);
        }
        for set in self.sets.values_mut() {
            if set.prefers(executor, host) {
                set.allowed.fall_back(None, self.now);
            }
        }
        self.places_changed();
    }

    fn lose(&mut self, executor: ExecutorId, out: &mut Vec<TaskAction>) {
        let Some(running) = self.cluster.lose(executor) else { return };
        self.health.lost(executor);
        for task in running {
            self.lost_task(task, out);
        }
        self.places_changed();
    }

    fn exclude(&mut self, newly: Vec<Newly>, out: &mut Vec<TaskAction>) {
        let until = self.now.after(self.options.exclude_on_failure.timeout);
        let mut executors = Vec::new();
        for one in newly {
            match one {
                Newly::Executor(executor) => executors.push(executor),
                Newly::Host(host) => {
                    let there = self.cluster.iter().filter(|(_, e)| e.host == host);
                    executors.extend(there.map(|(id, _)| id));
                }
            }
        }
        for executor in executors {
            self.exclude_executor(executor, until, out);
        }
        self.places_changed();
    }

    fn exclude_executor(&mut self, executor: ExecutorId, until: Time, out: &mut Vec<TaskAction>) {
        // One that is excluded, leaves or has left gets no tasks anyway.
        if self.cluster.is_active(executor) && self.cluster.step(executor, ExecutorCause::Exclude).is_some() {
            self.timers.insert((until, Timer::Include(executor)));
            out.push(TaskAction::Excluded { executor, stage: None, until });
        }
    }

    // ---- Time.

    fn ring(&mut self, timer: Timer, out: &mut Vec<TaskAction>) {
        match timer {
            Timer::Locality(key) => {
                if let Some(set) = self.sets.get_mut(&key) {
                    set.timer = None;
                    self.list(key);
                    self.changed.push(key);
                }
            }
            Timer::SamePlace(key) => {
                if self.sets.contains_key(&key) {
                    self.changed.push(key);
                }
            }
            Timer::Unschedulable(key) => self.unschedulable(key, out),
            Timer::Include(executor) => {
                self.health.expire(self.now);
                let excluded = self.executor_state(executor) == Some(ExecutorState::Excluded);
                if excluded && self.cluster.step(executor, ExecutorCause::Include).is_some() {
                    self.freed.push(executor);
                    self.places_changed();
                }
            }
            Timer::Speculation => self.speculate(),
        }
    }

    fn speculate(&mut self) {
        self.speculation_timer = false;
        let keys: Vec<_> = self.sets.keys().copied().collect();
        for key in keys {
            let Some(set) = self.sets.get_mut(&key) else { continue };
            if set.find_slow(&self.options.speculation, self.now) {
                self.list(key);
                self.changed.push(key);
            }
        }
        self.watch_for_slow();
    }

    /// Sets the timer of speculation while there is something that may turn out slow.
    fn watch_for_slow(&mut self) {
        let options = &self.options.speculation;
        if options.enabled && !self.speculation_timer && !self.launched.is_empty() {
            self.speculation_timer = true;
            self.timers.insert((self.now.after(options.interval.max(1)), Timer::Speculation));
        }
    }

    fn unschedulable_at(&self, since: Time) -> Time {
        since.after(self.options.exclude_on_failure.unschedulable_task_set_timeout)
    }

    /// Starts or stops the clock of a set with a task that nobody may run.
    fn check_schedulable(&mut self, key: SetKey) {
        let options = &self.options.exclude_on_failure;
        if !options.enabled {
            return;
        }
        let Some(set) = self.sets.get_mut(&key) else { return };
        let stuck = set.excluded_everywhere(&self.cluster, options).is_some();
        let since = match (set.unschedulable, stuck) {
            (None, true) => self.now,
            (Some(since), false) => since,
            _ => return,
        };
        set.unschedulable = stuck.then_some(since);
        let timer = (self.unschedulable_at(since), Timer::Unschedulable(key));
        if stuck {
            self.timers.insert(timer);
        } else {
            self.timers.remove(&timer);
        }
    }

    fn unschedulable(&mut self, key: SetKey, out: &mut Vec<TaskAction>) {
        let Some(set) = self.sets.get_mut(&key) else { return };
        set.unschedulable = None;
        if let Some(partition) = set.excluded_everywhere(&self.cluster, &self.options.exclude_on_failure) {
            let failure = JobFailure::Unschedulable { stage: key.stage, partition };
            out.push(TaskAction::Failed { stage: key.stage, failure });
        }
    }
}
