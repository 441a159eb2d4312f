//! The tasks of one stage: which wait and where they would like to run, which run, how often each failed.
//!
//! A set outlives an attempt of its stage: when input is lost, the set is suspended (what runs goes on) and resumed by the next
//! attempt, so that nothing runs again that was not lost.
//!
//! Must not know: the executors' slots, other sets.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::{ExecutorId, TaskAttempt, TaskId};
use crate::lifecycle::{TaskCause, TaskState};
use crate::options::{ExclusionOptions, SpeculationOptions};
use crate::rdd::Location;
use crate::tasks::SetKey;
use crate::tasks::cluster::{Cluster, Host};
use crate::tasks::exclusion::SetExclusion;
use crate::tasks::locality::{Allowed, Level};
use crate::tasks::pools::{Listing, Place, PoolId};
use crate::tasks::speculation::{Median, threshold};
use crate::time::Time;

/// One partition. There may be a million.
#[derive(Clone, Copy)]
struct Task {
    state: TaskState,
    /// Running copies, without those that were killed.
    copies: u8,
    failures: u16,
    losses: u16,
    launches: u16,
}

const ABSENT: Task = Task { state: TaskState::Absent, copies: 0, failures: 0, losses: 0, launches: 0 };

/// One running copy of a task.
pub(crate) struct Copy {
    pub partition: u32,
    pub executor: ExecutorId,
    since: Time,
    /// Asked to end: nobody counts on it.
    killed: bool,
    /// Since when it has no slot, if it has none.
    parked: Option<Time>,
}

impl Copy {
    /// The slots that it has.
    pub fn load(&self) -> u32 {
        u32::from(self.parked.is_none())
    }

    /// Whether it is the task's own fault how long it takes.
    fn may_be_slow(&self) -> bool {
        !self.killed && self.parked.is_none()
    }
}

/// Where a task failed last. Until a time it is not tried there again, as long as another executor could: what made it fail may
/// well be the place, and all its attempts would be used up there at once.
struct FailedOn {
    executor: ExecutorId,
    /// The executor that it did not get its input from: if the fault is between the two, it has to run on a third.
    unreached: Option<ExecutorId>,
    until: Time,
}

/// What the set gives an executor to do.
pub(crate) struct Pick {
    pub partition: u32,
    pub speculative: bool,
    /// `None` if the task does not care.
    pub level: Option<Level>,
}

/// Partitions in order of launch. Entries whose task does not wait any more are skipped when they come up.
type Queue = VecDeque<u32>;

pub(crate) struct TaskSet {
    pub key: SetKey,
    /// Tells this set from an earlier one of the same stage.
    pub serial: u64,
    pub stage_attempt: u32,
    pub pool: PoolId,
    pub suspended: bool,
    /// Whether slow tasks may get copies.
    pub may_copy: bool,
    /// In how many parts the rows of its tasks are read, partition `p` with part `p % parts`.
    pub parts: u32,
    /// How the pool lists the set.
    pub listed: Option<Listing>,
    pub allowed: Allowed,
    /// When the locality timer rings, if it is set.
    pub timer: Option<Time>,
    /// Since when a task waits that no executor may run.
    pub unschedulable: Option<Time>,
    pub exclusion: SetExclusion,
    /// Running copies, those that are parked among them.
    pub running: BTreeMap<TaskId, Copy>,
    /// How many are parked.
    parked: u32,
    /// By partition.
    tasks: Vec<Task>,
    waiting: u32,
    /// Neither absent nor done.
    remaining: u32,
    wanted: u32,
    preferred: BTreeMap<u32, Vec<Location>>,
    by_executor: BTreeMap<ExecutorId, Queue>,
    by_host: BTreeMap<Host, Queue>,
    /// Those without preferences.
    anywhere: Queue,
    /// Those with preferences.
    choosy: Queue,
    failed_on: BTreeMap<u32, FailedOn>,
    durations: Median,
    /// Slow tasks that shall get a copy.
    slow: Vec<u32>,
}

impl TaskSet {
    pub fn new(key: SetKey, serial: u64, pool: PoolId, now: Time) -> TaskSet {
        TaskSet {
            key,
            serial,
            stage_attempt: 0,
            pool,
            suspended: false,
            may_copy: true,
            parts: 1,
            listed: None,
            allowed: Allowed::new(now),
            timer: None,
            unschedulable: None,
            exclusion: SetExclusion::default(),
            running: BTreeMap::new(),
            parked: 0,
            tasks: Vec::new(),
            waiting: 0,
            remaining: 0,
            wanted: 0,
            preferred: BTreeMap::new(),
            by_executor: BTreeMap::new(),
            by_host: BTreeMap::new(),
            anywhere: Queue::new(),
            choosy: Queue::new(),
            failed_on: BTreeMap::new(),
            durations: Median::default(),
            slow: Vec::new(),
        }
    }

    /// Every task is done.
    pub fn is_finished(&self) -> bool {
        self.remaining == 0
    }

    pub fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Whether there is something to launch.
    pub fn has_work(&self) -> bool {
        !self.suspended && (self.waiting > 0 || !self.slow.is_empty())
    }

    /// Where something of the set may be launched.
    pub fn places(&mut self, level: Level) -> Vec<Place> {
        let tasks = &self.tasks;
        drop_stale(&mut self.anywhere, tasks);
        if level == Level::Any || !self.anywhere.is_empty() || !self.slow.is_empty() {
            return vec![Place::Anywhere];
        }
        let mut places: Vec<_> = self.by_executor.keys().map(|e| Place::Executor(*e)).collect();
        if level >= Level::Node {
            places.extend(self.by_host.keys().map(|h| Place::Host(h.clone())));
        }
        places
    }

    /// The number of copies that have slots.
    pub fn load(&self) -> u32 {
        u32::try_from(self.running.len()).unwrap_or(u32::MAX) - self.parked
    }

    /// A copy gives its slot back for now.
    pub fn park(&mut self, task: TaskId, now: Time) {
        if let Some(copy) = self.running.get_mut(&task).filter(|c| c.parked.is_none()) {
            copy.parked = Some(now);
            self.parked += 1;
        }
    }

    /// A copy that was parked goes on. The time between does not count for how long it runs.
    pub fn resume(&mut self, task: TaskId, now: Time) {
        let Some(copy) = self.running.get_mut(&task) else { return };
        if let Some(parked) = copy.parked.take() {
            copy.since = copy.since.after(now.since(parked));
            self.parked -= 1;
        }
    }

    /// These partitions are wanted: those that are done are to be done again.
    pub fn want(&mut self, partitions: &[u32], preferred: Vec<Vec<Location>>, cluster: &Cluster) {
        let end = partitions.iter().max().map_or(0, |p| *p as usize + 1);
        if self.tasks.len() < end {
            self.tasks.resize(end, ABSENT);
        }
        for (p, places) in partitions.iter().zip(preferred) {
            if !places.is_empty() {
                self.preferred.insert(*p, places);
            }
        }
        for p in partitions {
            let task = &mut self.tasks[*p as usize];
            match task.state {
                TaskState::Waiting | TaskState::Running => continue,
                TaskState::Absent => {
                    task.state.step(TaskCause::Wanted);
                    self.wanted += 1;
                }
                TaskState::Done => task.state.step(TaskCause::OutputLost),
            }
            self.remaining += 1;
            self.enqueue(*p, false, cluster);
        }
    }

    /// A task that waits enters the queues.
    fn enqueue(&mut self, partition: u32, first: bool, cluster: &Cluster) {
        self.waiting += 1;
        let push = |queue: &mut Queue| {
            if first { queue.push_front(partition) } else { queue.push_back(partition) }
        };
        let Some(places) = self.preferred.get(&partition) else { return push(&mut self.anywhere) };
        push(&mut self.choosy);
        for place in places {
            match place {
                Location::Executor(e) => {
                    push(self.by_executor.entry(*e).or_default());
                    if let Some(executor) = cluster.get(*e) {
                        push(self.by_host.entry(executor.host.clone()).or_default());
                    }
                }
                Location::Host(h) => push(self.by_host.entry(h.as_str().into()).or_default()),
            }
        }
    }

    /// Whether a waiting task would like to run on this executor.
    pub fn prefers(&self, executor: ExecutorId, host: &str) -> bool {
        self.by_executor.contains_key(&executor) || self.by_host.contains_key(host)
    }

    /// The level at which tasks may be launched.
    pub fn level(&mut self, cx: &Context<'_>) -> Level {
        let TaskSet { allowed, by_executor, by_host, tasks, exclusion, .. } = self;
        if by_executor.is_empty() && by_host.is_empty() {
            return Level::Any;
        }
        allowed.level(&cx.options.locality, cx.now, cx.busy_at, |level| match level {
            Level::Process => any_waits(by_executor, tasks, |e| {
                cx.cluster.is_active(*e) && cx.cluster.get(*e).is_some_and(|x| exclusion.allows(*e, &x.host))
            }),
            Level::Node => any_waits(by_host, tasks, |host| cx.cluster.is_host_active(host)),
            Level::Any => true,
        })
    }

    /// What an executor may do now.
    pub fn pick(&mut self, cx: &Context<'_>, executor: ExecutorId, host: &Host) -> Option<Pick> {
        if !self.exclusion.allows(executor, host) {
            return None;
        }
        let level = self.level(cx);
        let TaskSet { tasks, exclusion, failed_on, by_executor, by_host, anywhere, choosy, .. } = self;
        let open = exclusion.is_empty();
        let may =
            |e: ExecutorId, host: &str, p: u32| open || exclusion.allows_task(cx.exclusion(), e, host, p);
        let others = |p: u32, unreached: Option<ExecutorId>| {
            let other = |id| id != executor && Some(id) != unreached && cx.cluster.is_active(id);
            let mut all = cx.cluster.iter().filter(|(id, _)| other(*id));
            all.any(|(id, e)| exclusion.allows(id, &e.host) && may(id, &e.host, p))
        };
        let avoids = |p: u32| {
            let failed = failed_on.get(&p).filter(|f| f.executor == executor && cx.now < f.until);
            failed.is_some_and(|f| others(p, f.unreached))
        };
        let allows = |p: u32| may(executor, host, p) && !avoids(p);
        let take = |queue: &mut Queue| take(queue, tasks, allows);
        let in_process = |p| (p, Some(Level::Process));
        let mut found = by_executor.get_mut(&executor).and_then(take).map(in_process);
        if found.is_none() && level >= Level::Node {
            found = by_host.get_mut(host).and_then(take).map(|p| (p, Some(Level::Node)));
        }
        if found.is_none() {
            found = match self.parts {
                1 => take(anywhere),
                parts => take_dealt(anywhere, tasks, &self.running, parts, allows),
            }
            .map(|p| (p, None));
        }
        if found.is_none() && level == Level::Any {
            found = take(choosy).map(|p| (p, Some(Level::Any)));
        }
        if let Some((partition, level)) = found {
            return Some(Pick { partition, speculative: false, level });
        }
        // A copy does not wait for locality: its original has taken too long already.
        let elsewhere = |p: &u32| {
            allows(*p) && self.running.values().all(|c| c.partition != *p || c.executor != executor)
        };
        let at = self.slow.iter().position(elsewhere)?;
        let partition = self.slow.swap_remove(at);
        Some(Pick { partition, speculative: true, level: None })
    }

    /// A pick is launched.
    pub fn launched(&mut self, task: TaskId, pick: &Pick, executor: ExecutorId, now: Time) -> TaskAttempt {
        let partition = pick.partition;
        let t = &mut self.tasks[partition as usize];
        let attempt = u32::from(t.launches);
        if pick.speculative {
            t.state.step(TaskCause::CopyLaunched);
        } else {
            t.state.step(TaskCause::Launched);
            self.waiting -= 1;
        }
        t.launches = t.launches.saturating_add(1);
        t.copies += 1;
        self.running.insert(task, Copy { partition, executor, since: now, killed: false, parked: None });
        TaskAttempt { stage: self.key.stage, stage_attempt: self.stage_attempt, partition, attempt }
    }

    /// A copy has ended, somehow.
    pub fn remove(&mut self, task: TaskId) -> Option<Copy> {
        let copy = self.running.remove(&task)?;
        self.parked -= u32::from(copy.parked.is_some());
        self.tasks[copy.partition as usize].copies -= u8::from(!copy.killed);
        Some(copy)
    }

    /// Gives up the copies of a task that still run, and gives them.
    pub fn give_up(&mut self, partition: u32) -> Vec<(TaskId, ExecutorId)> {
        let Some(task) = self.tasks.get_mut(partition as usize).filter(|t| t.copies > 0) else {
            return Vec::new();
        };
        task.copies = 0;
        let of = self.running.iter_mut().filter(|(_, c)| c.partition == partition && !c.killed);
        of.map(|(task, copy)| {
            copy.killed = true;
            (*task, copy.executor)
        })
        .collect()
    }

    /// The first success of a task; `false` if it is not the first.
    pub fn succeeded(&mut self, partition: u32) -> bool {
        let Some(task) = self.tasks.get_mut(partition as usize) else { return false };
        match task.state {
            TaskState::Absent | TaskState::Done => return false,
            TaskState::Waiting => self.waiting -= 1,
            TaskState::Running => {}
        }
        task.state.step(TaskCause::Succeeded);
        self.remaining -= 1;
        self.failed_on.remove(&partition);
        if !self.slow.is_empty() {
            self.slow.retain(|p| *p != partition);
        }
        true
    }

    /// How long a successful copy took, for the comparison with others.
    pub fn took(&mut self, copy: &Copy, now: Time) {
        self.durations.push(now.since(copy.since));
    }

    /// Whether the end of a copy is of no interest: its task is done.
    pub fn is_done(&self, partition: u32) -> bool {
        self.tasks.get(partition as usize).is_some_and(|t| t.state == TaskState::Done)
    }

    /// A copy ended without success: its task waits again, unless another copy runs. Whether it waits.
    pub fn again(&mut self, partition: u32, cluster: &Cluster) -> bool {
        let task = &mut self.tasks[partition as usize];
        match (task.state, task.copies) {
            (TaskState::Running, 0) => {
                task.state.step(TaskCause::Failed);
                self.slow.retain(|p| *p != partition);
                self.enqueue(partition, true, cluster);
                true
            }
            (TaskState::Running, _) => {
                task.state.step(TaskCause::CopyEnded);
                false
            }
            (state, _) => state == TaskState::Waiting,
        }
    }

    /// Counts a failure of a task; how many it makes.
    pub fn count_failure(&mut self, partition: u32) -> u32 {
        let task = &mut self.tasks[partition as usize];
        task.failures = task.failures.saturating_add(1);
        u32::from(task.failures)
    }

    /// Takes note of where a task failed. It does not care any more where it runs, as long as that is elsewhere.
    pub fn failed_on(
        &mut self,
        partition: u32,
        executor: ExecutorId,
        unreached: Option<ExecutorId>,
        until: Time,
    ) {
        self.preferred.remove(&partition);
        self.failed_on.insert(partition, FailedOn { executor, unreached, until });
    }

    /// Counts an executor lost under a task; how many it makes.
    pub fn count_loss(&mut self, partition: u32) -> u32 {
        let task = &mut self.tasks[partition as usize];
        task.losses = task.losses.saturating_add(1);
        u32::from(task.losses)
    }

    /// Looks for slow tasks; whether there are new ones.
    pub fn find_slow(&mut self, options: &SpeculationOptions, now: Time) -> bool {
        if !self.may_copy {
            return false;
        }
        let Some(limit) = threshold(options, self.wanted as usize, &self.durations) else { return false };
        let before = self.slow.len();
        for copy in self.running.values() {
            let task = &self.tasks[copy.partition as usize];
            let single = task.state == TaskState::Running && task.copies == 1 && copy.may_be_slow();
            if single && now.since(copy.since) > limit && !self.slow.contains(&copy.partition) {
                self.slow.push(copy.partition);
            }
        }
        self.slow.len() > before
    }

    /// A waiting task that none of the executors may run, if there are executors.
    pub fn excluded_everywhere(&self, cluster: &Cluster, options: &ExclusionOptions) -> Option<u32> {
        use crate::lifecycle::ExecutorState::{Active, Excluded};
        if self.waiting == 0 || cluster.iter().all(|(_, e)| !matches!(e.state, Active | Excluded)) {
            return None;
        }
        let usable: Vec<_> = cluster
            .iter()
            .filter(|(id, e)| e.state == Active && self.exclusion.allows(*id, &e.host))
            .collect();
        let waits = |p: &u32| self.tasks.get(*p as usize).is_some_and(|t| t.state == TaskState::Waiting);
        if usable.is_empty() {
            return (0u32..).take(self.tasks.len()).find(waits);
        }
        let stuck = |p: &u32| {
            waits(p) && !usable.iter().any(|(id, e)| self.exclusion.allows_task(options, *id, &e.host, *p))
        };
        self.exclusion.partitions().into_iter().find(stuck)
    }
}

/// What a set has to know of the rest to pick a task.
pub(crate) struct Context<'a> {
    pub options: &'a crate::options::SchedulerOptions,
    pub cluster: &'a Cluster,
    pub now: Time,
    /// When all slots were last in use.
    pub busy_at: Time,
}

impl Context<'_> {
    pub fn exclusion(&self) -> &ExclusionOptions {
        &self.options.exclude_on_failure
    }
}

/// Drops entries that do not wait from the front of a queue.
fn drop_stale(queue: &mut Queue, tasks: &[Task]) {
    while queue.front().is_some_and(|p| tasks[*p as usize].state != TaskState::Waiting) {
        queue.pop_front();
    }
}

/// Takes the first waiting task out of a queue that is allowed, and drops entries that do not wait before it.
fn take(queue: &mut Queue, tasks: &[Task], allows: impl Fn(u32) -> bool) -> Option<u32> {
    let waits = |p: &u32| tasks[*p as usize].state == TaskState::Waiting;
    drop_stale(queue, tasks);
    let at = queue.iter().position(|p| waits(p) && allows(*p))?;
    queue.remove(at)
}

/// As [`take`], for tasks whose rows are read in parts: of the next ones the first whose part has the fewest tasks that are alive, so that
/// a part that is not read, and whose tasks wait, does not take the turns of the others.
fn take_dealt(
    queue: &mut Queue,
    tasks: &[Task],
    running: &BTreeMap<TaskId, Copy>,
    parts: u32,
    allows: impl Fn(u32) -> bool,
) -> Option<u32> {
    drop_stale(queue, tasks);
    let alive = |p: u32| running.values().filter(|c| c.partition % parts == p % parts).count();
    let waits = |p: u32| tasks[p as usize].state == TaskState::Waiting;
    let next = queue.iter().enumerate().filter(|(_, p)| waits(**p) && allows(**p));
    // In order, as they mostly are, the parts come in turn.
    let (at, _) = next.take(2 * parts as usize).min_by_key(|(_, p)| alive(**p))?;
    queue.remove(at)
}

/// Whether a task waits in a queue whose place is usable. Empty queues are dropped.
fn any_waits<K: Ord + Clone>(
    queues: &mut BTreeMap<K, Queue>,
    tasks: &[Task],
    usable: impl Fn(&K) -> bool,
) -> bool {
    let mut empty = Vec::new();
    let mut found = false;
    for (place, queue) in queues.iter_mut() {
        drop_stale(queue, tasks);
        if queue.is_empty() {
            empty.push(place.clone());
        } else if usable(place) {
            found = true;
            break;
        }
    }
    for place in empty {
        queues.remove(&place);
    }
    found
}
