//! The world: the driver with the real scheduler, executors, and messages between them, in simulated time.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use vonk_scheduler::*;

use crate::checks::Book;
use crate::executor::{Launch, Places, Process, Run, Store, ToDriver, ToExecutor};
use crate::model::Value;
use crate::random::hash;
use crate::scenario::{Fault, Scenario};

/// After so long without a heartbeat an executor is taken for dead.
const HEARTBEAT_TIMEOUT: u64 = 10_000;
/// A read from a process that stands still is given up after so long.
const FETCH_TIMEOUT: u64 = 2_000;
/// Nothing may take longer than this.
const END_OF_TIME: u64 = 5 * 3_600_000;

pub enum Happening {
    Submit(usize),
    Fault(usize),
    ToExecutor(ExecutorId, ToExecutor),
    ToDriver(ExecutorId, ToDriver),
    /// Readers share a stage's results.
    Dealt(StageId, u32),
    /// A task has read its input.
    Read(ExecutorId, TaskId),
    /// A task that is parked goes on.
    Resume(ExecutorId, TaskId),
    /// A task ends.
    Finish(ExecutorId, TaskId),
    /// No heartbeat since the time when it was paused.
    Silent(ExecutorId, u64),
    Drain(ExecutorId),
    Register(String, u32),
}

pub struct World<'a> {
    pub plan: &'a Scenario,
    /// Which faults happen.
    pub active: &'a [bool],
    pub scheduler: Scheduler,
    pub now: u64,
    seq: u64,
    queue: BTreeMap<(u64, u64), Happening>,
    pub processes: BTreeMap<ExecutorId, Process>,
    pub stores: BTreeMap<ExecutorId, Store>,
    /// Executors that the driver is connected to.
    connected: BTreeSet<ExecutorId>,
    /// Executors whose blocks the driver has given up.
    blocks_gone: BTreeSet<ExecutorId>,
    next_executor: u64,
    launches: u64,
    reports: u64,
    places: BTreeMap<(StageId, u32), Rc<Places>>,
    launched: BTreeMap<TaskId, Launch>,
    pub book: Book,
    pub log: Option<Vec<String>>,
}

macro_rules! note {
    ($world:expr, $($arg:tt)*) => {
        if let Some(log) = &mut $world.log {
            log.push(format!("{:>8} {}", $world.now, format!($($arg)*)));
        }
    };
}

impl<'a> World<'a> {
    pub fn new(plan: &'a Scenario, active: &'a [bool], logging: bool) -> World<'a> {
        let mut world = World {
            plan,
            active,
            scheduler: Scheduler::new(plan.options.clone()),
            now: 0,
            seq: 0,
            queue: BTreeMap::new(),
            processes: BTreeMap::new(),
            stores: BTreeMap::new(),
            connected: BTreeSet::new(),
            blocks_gone: BTreeSet::new(),
            next_executor: 0,
            launches: 0,
            reports: 0,
            places: BTreeMap::new(),
            launched: BTreeMap::new(),
            book: Book::default(),
            log: logging.then(Vec::new),
        };
        for (n, (host, slots)) in plan.executors.iter().enumerate() {
            let at = if n == 0 { 0 } else { hash(&[plan.seed, 1, n as u64]) % 500 };
            world.after(at, Happening::Register(host.clone(), *slots));
        }
        for (n, job) in plan.jobs.iter().enumerate().filter(|(_, j)| !j.skip) {
            world.after(job.at, Happening::Submit(n));
        }
        for (n, fault) in plan.faults.iter().enumerate().filter(|(n, _)| active[*n]) {
            use Fault::*;
            match fault {
                Lose { at, .. }
                | Pause { at, .. }
                | Slow { at, .. }
                | Drain { at, .. }
                | Add { at }
                | Damage { at, .. }
                | CancelJob { at, .. }
                | CancelStage { at, .. } => {
                    world.after(*at, Happening::Fault(n));
                }
                _ => {}
            }
        }
        world
    }

    fn after(&mut self, millis: u64, happening: Happening) {
        self.seq += 1;
        self.queue.insert((self.now + millis, self.seq), happening);
    }

    fn faults(&self) -> impl Iterator<Item = &'a Fault> + use<'a> {
        self.plan.faults.iter().zip(self.active).filter(|(_, active)| **active).map(|(f, _)| f)
    }

    /// How long a message takes.
    fn delay(&mut self) -> u64 {
        self.seq += 1;
        hash(&[self.plan.seed, 2, self.seq]) % (self.plan.delay + 1)
    }

    // ---- Time.

    pub fn run(&mut self) {
        let mut steps = 0;
        let mut ticks = 0;
        while !(self.queue.is_empty() && self.over()) {
            steps += 1;
            assert!(steps < 50_000, "no end in sight");
            assert!(self.now < END_OF_TIME, "time runs on and nothing happens");
            let next = self.queue.first_key_value().map(|(k, _)| k.0);
            let timer = self.scheduler.next_timer().map(|t| t.0.max(self.now));
            match (next, timer) {
                (None, _) if self.connected.is_empty() => self.register_one(),
                (None, None) => panic!("a deadlock: nothing will happen"),
                (next, Some(timer)) if next.is_none_or(|n| timer < n) => {
                    ticks = if timer == self.now { ticks + 1 } else { 0 };
                    assert!(ticks < 1000, "timers ring without end");
                    self.now = timer;
                    self.feed(Event::Tick);
                }
                _ => {
                    let ((at, _), happening) = self.queue.pop_first().expect("looked at");
                    self.now = at;
                    self.happen(happening);
                }
            }
        }
        self.finish();
    }

    /// Whether every job that was submitted has ended.
    fn over(&self) -> bool {
        self.scheduler.jobs() == 0
    }

    /// All jobs have ended: everything must have been given back.
    fn finish(&mut self) {
        let kept = self.plan.families.iter().flat_map(|f| f.shuffles()).collect();
        self.feed(Event::ReleaseShuffles { shuffles: kept });
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            self.now = at;
            self.happen(happening);
        }
        assert_eq!(self.scheduler.running(), 0, "a slot was not given back");
        assert_eq!(self.scheduler.waiting(), 0, "a task still waits");
        for family in &self.plan.families {
            for shuffle in family.shuffles() {
                assert!(!self.scheduler.wants(shuffle), "a shuffle is still wanted");
                assert!(self.scheduler.outputs().places(shuffle).is_none(), "outputs are still tracked");
            }
        }
        for (id, store) in &self.stores {
            assert!(store.blocks.is_empty(), "executor {id} still has blocks");
        }
        for (id, process) in &self.processes {
            assert!(process.running.is_empty(), "executor {id} still runs tasks");
        }
        self.book.check_end(self.plan);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Submit(n) => self.submit(n),
            Happening::Fault(n) => self.strike(n),
            Happening::Register(host, slots) => self.register(host, slots),
            Happening::ToDriver(from, message) => self.to_driver(from, message),
            Happening::ToExecutor(to, message) => {
                if !self.postponed(to) {
                    self.to_executor(to, message);
                } else {
                    let until = self.processes[&to].paused_until - self.now;
                    self.after(until, Happening::ToExecutor(to, message));
                }
            }
            Happening::Read(on, task) => match self.postponed(on) {
                false => self.read(on, task),
                true => self.after(self.processes[&on].paused_until - self.now, Happening::Read(on, task)),
            },
            Happening::Resume(on, task) => match self.postponed(on) {
                false => self.resume(on, task),
                true => self.after(self.processes[&on].paused_until - self.now, Happening::Resume(on, task)),
            },
            Happening::Finish(on, task) => match self.postponed(on) {
                false => self.finish_task(on, task),
                true => self.after(self.processes[&on].paused_until - self.now, Happening::Finish(on, task)),
            },
            Happening::Silent(executor, since) => {
                let silent = self.processes.get(&executor).is_some_and(|p| p.paused_until > self.now);
                if silent && self.now >= since + HEARTBEAT_TIMEOUT {
                    self.disconnect(executor, true);
                }
            }
            Happening::Drain(executor) => self.drain(executor),
            Happening::Dealt(stage, parts) => self.feed(Event::ResultsDealt { stage, parts }),
        }
    }

    fn postponed(&self, executor: ExecutorId) -> bool {
        self.processes.get(&executor).is_some_and(|p| p.alive && p.paused_until > self.now)
    }

    // ---- The driver.

    fn submit(&mut self, n: usize) {
        let job = &self.plan.jobs[n];
        note!(self, "job {n} is submitted");
        let graph = self.plan.families[job.family].graph.clone();
        self.book.submitted(JobId(n as u64));
        self.feed(Event::SubmitJob {
            job: JobId(n as u64),
            graph,
            last: job.last,
            keep: job.keep.clone(),
            pool: job.pool.clone(),
        });
    }

    fn register_one(&mut self) {
        let n = self.next_executor;
        let host = format!("host{}", hash(&[self.plan.seed, 3, n]) % self.plan.hosts);
        self.register(host, 1 + (hash(&[self.plan.seed, 4, n]) % 3) as u32);
    }

    fn register(&mut self, host: String, slots: u32) {
        let executor = ExecutorId(self.next_executor);
        self.next_executor += 1;
        let process = Process {
            slots,
            running: BTreeMap::new(),
            slowness: 100,
            cut_until: 0,
            paused_until: 0,
            draining: false,
            alive: true,
            last_in: 0,
            last_out: 0,
        };
        self.processes.insert(executor, process);
        self.stores.insert(executor, Store::default());
        self.connected.insert(executor);
        note!(self, "executor {executor} registers on {host} with {slots} slots");
        self.feed(Event::ExecutorAdded { executor, host, slots });
    }

    /// The driver gives an executor up.
    fn disconnect(&mut self, executor: ExecutorId, blocks_lost: bool) {
        if !self.connected.remove(&executor) {
            return;
        }
        note!(self, "the driver loses executor {executor}, blocks lost: {blocks_lost}");
        self.send(executor, ToExecutor::Goodbye);
        if blocks_lost {
            self.blocks_gone.insert(executor);
        }
        self.book.lost(executor);
        self.feed(Event::ExecutorLost { executor, blocks_lost });
        let n = executor.0;
        if hash(&[self.plan.seed, 5, n]) % 100 < 70 {
            let host = format!("host{}", hash(&[self.plan.seed, 6, n]) % self.plan.hosts);
            let slots = 1 + (hash(&[self.plan.seed, 7, n]) % 3) as u32;
            self.after(hash(&[self.plan.seed, 8, n]) % 2000, Happening::Register(host, slots));
        }
    }

    fn feed(&mut self, event: Event) {
        self.book.before(&event);
        let actions = self.scheduler.handle(Time(self.now), event);
        self.book.after(&self.scheduler, self.plan);
        for action in actions {
            if !matches!(action, Action::StageCompleted { .. }) {
                note!(self, "    {action:?}");
            }
            self.carry_out(action);
        }
    }

    fn carry_out(&mut self, action: Action) {
        self.book.acted(&action, self.plan);
        match action {
            Action::StageSubmitted { job, stage, stage_attempt, fragment, .. } => {
                let plan = &self.plan.jobs[job.0 as usize];
                let parts = hash(&[self.plan.seed, 16, job.0]) % 4;
                if !Book::is_map(fragment, plan) && parts > 0 {
                    self.after(parts, Happening::Dealt(stage, parts as u32));
                }
                let family = &self.plan.families[self.plan.jobs[job.0 as usize].family];
                let mut places = Places::new();
                for shuffle in family.shuffles() {
                    if let Some(known) = self.scheduler.outputs().places(shuffle) {
                        places.insert(shuffle, known.to_vec());
                    }
                }
                self.places.insert((stage, stage_attempt), Rc::new(places));
            }
            Action::Launch { job, task, attempt, fragment, executor, speculative } => {
                assert!(self.connected.contains(&executor), "a launch on an executor that is not there");
                let plan = &self.plan.jobs[job.0 as usize];
                let family = &self.plan.families[plan.family];
                let writes = Book::is_map(fragment, plan).then(|| family.shuffle(fragment));
                let places = self.places.get(&(attempt.stage, attempt.stage_attempt));
                let places = places.expect("launched before its attempt was submitted").clone();
                let launch = Launch { task, job, attempt, fragment, writes, places };
                let slots = |e: &ExecutorId| self.processes[e].slots;
                let all = self.connected.iter().map(slots).sum();
                self.book.launched(&self.scheduler, &launch, executor, speculative, (slots(&executor), all));
                self.launched.insert(task, launch.clone());
                self.send(executor, ToExecutor::Launch(launch));
            }
            Action::Kill { task, executor } => self.send(executor, ToExecutor::Kill(task)),
            Action::ReleaseShuffle { shuffle } => self.release(shuffle),
            Action::JobSucceeded { .. } | Action::JobFailed { .. } | Action::ResultAccepted { .. } => {}
            Action::StageCompleted { .. } | Action::ExecutorExcluded { .. } => {}
            Action::ForgetOutputs { shuffle, before } => {
                for executor in self.stores.keys().copied().collect::<Vec<_>>() {
                    self.send(executor, ToExecutor::RollBack(shuffle, before));
                }
            }
        }
    }

    fn release(&mut self, shuffle: ShuffleId) {
        for executor in self.stores.keys().copied().collect::<Vec<_>>() {
            self.send(executor, ToExecutor::Release(shuffle));
        }
    }

    fn to_driver(&mut self, from: ExecutorId, message: ToDriver) {
        match message {
            ToDriver::Ended { task, end, value } => {
                self.reports += 1;
                let n = self.reports - 1;
                note!(self, "executor {from} reports {task}: {end:?}");
                for fault in self.faults() {
                    if let Fault::Duplicate { report, late } = fault
                        && *report == n
                    {
                        let again = ToDriver::Ended { task, end: end.clone(), value: value.clone() };
                        self.after(*late, Happening::ToDriver(from, again));
                    }
                }
                self.book.ended(task, &end, value);
                self.feed(Event::TaskEnded { task, end });
                // What was made for a shuffle that is gone goes as well.
                if let Some(shuffle) = self.launched.get(&task).and_then(|l| l.writes)
                    && !self.scheduler.wants(shuffle)
                {
                    self.send(from, ToExecutor::Release(shuffle));
                }
            }
            ToDriver::Parked(task) => {
                note!(self, "executor {from} has parked {task}");
                self.book.parked(task, true);
                self.feed(Event::TaskParked { task });
            }
            ToDriver::Resumed(task) => {
                note!(self, "executor {from} has resumed {task}");
                self.book.parked(task, false);
                self.feed(Event::TaskResumed { task });
            }
            ToDriver::Moved { to, outputs } => {
                note!(self, "executor {from} has moved {} outputs to {to}", outputs.len());
                self.feed(Event::OutputsMoved { from, to, outputs: outputs.clone() });
                for (shuffle, _) in outputs {
                    if !self.scheduler.wants(shuffle) {
                        self.send(to, ToExecutor::Release(shuffle));
                    }
                }
            }
            ToDriver::Gone { blocks_lost } => self.disconnect(from, blocks_lost),
        }
    }

    // ---- The network.

    fn send(&mut self, to: ExecutorId, message: ToExecutor) {
        let delay = self.delay();
        let Some(process) = self.processes.get_mut(&to) else { return };
        process.last_in = process.last_in.max(self.now + delay);
        let millis = process.last_in - self.now;
        self.after(millis, Happening::ToExecutor(to, message));
    }

    fn report(&mut self, from: ExecutorId, message: ToDriver) {
        let delay = self.delay();
        let Some(process) = self.processes.get_mut(&from) else { return };
        process.last_out = process.last_out.max(self.now + delay);
        let millis = process.last_out - self.now;
        self.after(millis, Happening::ToDriver(from, message));
    }

    // ---- Executors.

    fn to_executor(&mut self, id: ExecutorId, message: ToExecutor) {
        // These also to the service that serves the blocks of a dead executor.
        if let ToExecutor::Release(shuffle) = message {
            self.stores.get_mut(&id).into_iter().for_each(|store| store.release(shuffle));
            return;
        }
        if let ToExecutor::RollBack(shuffle, before) = message {
            self.stores.get_mut(&id).into_iter().for_each(|store| store.roll_back(shuffle, before));
            return;
        }
        let seed = self.plan.seed;
        let Some(process) = self.processes.get_mut(&id).filter(|p| p.alive) else { return };
        match message {
            ToExecutor::Launch(launch) => {
                let n = self.launches;
                self.launches += 1;
                let a = launch.attempt;
                let parts =
                    [seed, 9, u64::from(launch.fragment.0), u64::from(a.partition), u64::from(a.attempt)];
                let mut millis = 1 + hash(&parts) % self.plan.task_millis;
                millis = millis * process.slowness / 100;
                let (task, mut end, mut slowest) = (launch.task, None, 1);
                for fault in self.plan.faults.iter().zip(self.active).filter(|(_, a)| **a).map(|(f, _)| f) {
                    match fault {
                        Fault::Straggle { launch, factor } if *launch == n => slowest = slowest.max(*factor),
                        Fault::Fail { launch, retry } if *launch == n => {
                            end = Some((TaskEnd::Failed { retry: *retry, error: vec![1] }, None));
                        }
                        Fault::BadExecutor { executor, percent } if ExecutorId(*executor) == id => {
                            if hash(&[seed, 10, task.0]) % 100 < *percent {
                                end = Some((TaskEnd::Failed { retry: true, error: vec![2] }, None));
                            }
                        }
                        _ => {}
                    }
                }
                millis *= slowest;
                let read = millis * (hash(&[seed, 11, task.0]) % 100) / 100;
                // Only tasks that give rows away have a reader to wait for.
                let parks = match launch.writes {
                    None if hash(&[seed, 12, task.0]) % 100 < self.plan.parking => 1 + task.0 % 3,
                    _ => 0,
                };
                process.running.insert(task, Run { launch, millis: millis - read, parks, end });
                self.after(read, Happening::Read(id, task));
            }
            ToExecutor::Kill(task) => {
                if process.running.remove(&task).is_some() {
                    self.report(id, ToDriver::Ended { task, end: TaskEnd::Killed, value: None });
                }
            }
            ToExecutor::Goodbye => {
                note!(self, "executor {id} ends");
                self.die(id, self.blocks_gone.contains(&id));
            }
            ToExecutor::Release(_) | ToExecutor::RollBack(..) => unreachable!("handled above"),
        }
    }

    /// The process is gone, perhaps with its blocks.
    fn die(&mut self, id: ExecutorId, machine: bool) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        process.alive = false;
        process.running.clear();
        if machine {
            self.stores.remove(&id);
        }
    }

    fn read(&mut self, id: ExecutorId, task: TaskId) {
        let Some(run) = self.processes.get(&id).filter(|p| p.alive).and_then(|p| p.running.get(&task)) else {
            return;
        };
        let (launch, millis, failed) = (run.launch.clone(), run.millis, run.end.is_some());
        if self.kills(id, &launch) {
            return;
        }
        let (mut end, mut wait) = (None, 0);
        if !failed {
            let job = &self.plan.jobs[launch.job.0 as usize];
            let family = &self.plan.families[job.family];
            let rdd = RddId(launch.fragment.0);
            let result = family.compute(rdd, launch.attempt.partition, task, &mut |shuffle, map| {
                self.fetch(id, &launch.places, shuffle, map)
            });
            end = Some(match result {
                Ok(value) => match launch.writes {
                    Some(shuffle) => {
                        let value = family.output(shuffle, launch.attempt.partition, task, value);
                        let sizes = vec![1 + value.hash % 1000; 4];
                        let map_status = Some(MapStatus { executor: id, sizes });
                        (TaskEnd::Success { map_status }, Some(value))
                    }
                    None => (TaskEnd::Success { map_status: None }, Some(value)),
                },
                Err(missing) => {
                    wait = if missing.4 { FETCH_TIMEOUT } else { 0 };
                    (
                        TaskEnd::FetchFailed {
                            shuffle: missing.0,
                            map: MapId(missing.1),
                            executor: missing.2,
                            unreachable: missing.3,
                        },
                        None,
                    )
                }
            });
        }
        let run = self.processes.get_mut(&id).and_then(|p| p.running.get_mut(&task)).expect("looked at");
        if end.is_some() {
            run.end = end;
        }
        self.after(millis + wait, Happening::Finish(id, task));
    }

    /// A task finds no room for its rows, if it is one that does, and waits for its reader. Whether it does.
    fn park(&mut self, id: ExecutorId, task: TaskId) -> bool {
        let process = self.processes.get_mut(&id).filter(|p| p.alive);
        let Some(run) = process.and_then(|p| p.running.get_mut(&task)) else { return false };
        if run.parks == 0 || !matches!(run.end, Some((TaskEnd::Success { .. }, _))) {
            return false;
        }
        run.parks -= 1;
        let wait = hash(&[self.plan.seed, 13, task.0, run.parks]) % 3_000;
        self.report(id, ToDriver::Parked(task));
        self.after(wait, Happening::Resume(id, task));
        true
    }

    fn resume(&mut self, id: ExecutorId, task: TaskId) {
        let Some(process) = self.processes.get_mut(&id).filter(|p| p.alive) else { return };
        if process.running.contains_key(&task) {
            self.report(id, ToDriver::Resumed(task));
            let millis = hash(&[self.plan.seed, 14, task.0]) % 50;
            self.after(millis, Happening::Finish(id, task));
        }
    }

    /// Reads a block; or which is missing where, whether nothing can be had from there, and whether that took long to find out.
    fn fetch(
        &self,
        reader: ExecutorId,
        places: &Places,
        shuffle: ShuffleId,
        map: u32,
    ) -> Result<Value, (ShuffleId, u32, ExecutorId, bool, bool)> {
        let place = places.get(&shuffle).and_then(|p| p.get(map as usize).copied().flatten());
        let place = place.expect("a stage was submitted before its parents were complete");
        let stands_still = self.processes.get(&place).is_some_and(|p| p.alive && p.paused_until > self.now);
        let cut = place != reader && self.processes.get(&reader).is_some_and(|p| p.cut_until > self.now);
        let store = self.stores.get(&place).filter(|_| !stands_still && !cut);
        let miss = (shuffle, map, place, store.is_none(), stands_still);
        let store = store.ok_or(miss)?;
        let block = store.blocks.get(&(shuffle, map)).filter(|b| !b.damaged).ok_or(miss)?;
        Ok(block.value.clone())
    }

    /// Some tasks take their executor with them.
    fn kills(&mut self, id: ExecutorId, launch: &Launch) -> bool {
        let family = self.plan.jobs[launch.job.0 as usize].family;
        for fault in self.faults() {
            if let Fault::Killer { family: f, rdd, partition, times } = fault
                && (*f, *rdd, *partition) == (family, launch.fragment.0, launch.attempt.partition)
                && self.book.kills_so_far(family, *rdd, *partition) < *times
            {
                self.book.kill(family, *rdd, *partition);
                note!(self, "task {} kills executor {id}", launch.task);
                self.lose(id, false);
                return true;
            }
        }
        false
    }

    fn finish_task(&mut self, id: ExecutorId, task: TaskId) {
        if self.park(id, task) {
            return;
        }
        let Some(process) = self.processes.get_mut(&id).filter(|p| p.alive) else { return };
        let Some(run) = process.running.remove(&task) else { return };
        let (mut end, mut value) = run.end.expect("it has read its input");
        let launch = run.launch;
        let family = self.plan.jobs[launch.job.0 as usize].family;
        for fault in self.faults() {
            if let Fault::BadTask { family: f, rdd, partition, times } = fault
                && (*f, *rdd, *partition) == (family, launch.fragment.0, launch.attempt.partition)
                && matches!(end, TaskEnd::Success { .. })
                && self.book.fails_so_far(family, *rdd, *partition) < *times
            {
                self.book.fail(family, *rdd, *partition);
                (end, value) = (TaskEnd::Failed { retry: true, error: vec![3] }, None);
            }
        }
        let mut kept = value.clone();
        if let (Some(shuffle), Some(value)) = (launch.writes, &value) {
            let store = self.stores.get_mut(&id).expect("a living process has a store");
            if !store.put(shuffle, launch.attempt.partition, task, value.clone()) {
                (end, kept) = (TaskEnd::Failed { retry: true, error: vec![4] }, None);
            }
        }
        let value = kept;
        self.report(id, ToDriver::Ended { task, end, value });
    }

    // ---- Faults.

    fn strike(&mut self, n: usize) {
        let fault = &self.plan.faults[n];
        let alive: Vec<_> = self.processes.iter().filter(|(_, p)| p.alive).map(|(id, _)| *id).collect();
        let chosen = |pick: u64| alive.get((pick % alive.len().max(1) as u64) as usize).copied();
        note!(self, "FAULT {fault:?}");
        match fault {
            Fault::Lose { pick, machine, .. } => {
                if let Some(id) = chosen(*pick) {
                    self.lose(id, *machine);
                }
            }
            Fault::Pause { pick, millis, .. } => {
                let Some(id) = chosen(*pick) else { return };
                let now = self.now;
                let process = self.processes.get_mut(&id).expect("chosen");
                process.paused_until = process.paused_until.max(now + millis);
                self.after(HEARTBEAT_TIMEOUT, Happening::Silent(id, now));
            }
            Fault::Cut { pick, millis, .. } => {
                if let Some(process) = chosen(*pick).and_then(|id| self.processes.get_mut(&id)) {
                    process.cut_until = self.now + millis;
                }
            }
            Fault::Slow { pick, factor, .. } => {
                if let Some(process) = chosen(*pick).and_then(|id| self.processes.get_mut(&id)) {
                    process.slowness = 100 * factor;
                }
            }
            Fault::Drain { pick, .. } => {
                let Some(id) = chosen(*pick).filter(|id| self.connected.contains(id)) else { return };
                self.processes.get_mut(&id).expect("chosen").draining = true;
                self.feed(Event::ExecutorDraining { executor: id });
                self.after(100, Happening::Drain(id));
            }
            Fault::Add { .. } => self.register_one(),
            Fault::Damage { pick, .. } => {
                let mut blocks: Vec<_> =
                    self.stores.values_mut().flat_map(|s| s.blocks.values_mut()).collect();
                let at = (*pick % blocks.len().max(1) as u64) as usize;
                if let Some(block) = blocks.get_mut(at) {
                    block.damaged = true;
                }
            }
            Fault::CancelJob { job, .. } => {
                self.book.cancelled(JobId(*job as u64));
                self.feed(Event::CancelJob { job: JobId(*job as u64) });
            }
            Fault::CancelStage { pick, .. } => {
                let Some(stage) = self.book.pick_stage(*pick) else { return };
                self.book.stage_cancelled(stage);
                self.feed(Event::CancelStage { stage });
            }
            _ => {}
        }
    }

    /// A process is killed.
    fn lose(&mut self, id: ExecutorId, machine: bool) {
        let blocks_lost = machine || !self.plan.service;
        if blocks_lost {
            self.stores.remove(&id);
        }
        let Some(process) = self.processes.get_mut(&id) else { return };
        process.alive = false;
        process.running.clear();
        process.paused_until = 0;
        self.report(id, ToDriver::Gone { blocks_lost });
    }

    /// An executor that is to leave: when nothing runs there, its blocks are copied and it goes.
    fn drain(&mut self, id: ExecutorId) {
        let Some(process) = self.processes.get(&id).filter(|p| p.alive) else { return };
        if !self.connected.contains(&id) {
            return;
        }
        if !process.running.is_empty() || process.paused_until > self.now {
            return self.after(100, Happening::Drain(id));
        }
        let fits = |(other, p): &(&ExecutorId, &Process)| {
            **other != id
                && p.alive
                && !p.draining
                && p.paused_until <= self.now
                && self.connected.contains(other)
        };
        let to = self.processes.iter().find(fits).map(|(id, _)| *id);
        let Some(store) = self.stores.get(&id) else { return };
        let sound = store.blocks.iter().filter(|(_, b)| !b.damaged);
        let blocks: Vec<_> = sound.map(|((s, m), b)| (*s, *m, b.by, b.value.clone())).collect();
        if let Some(to) = to
            && let Some(target) = self.stores.get_mut(&to)
        {
            let mut outputs = Vec::new();
            for (s, m, by, value) in blocks {
                if target.put(s, m, by, value) {
                    outputs.push((s, MapId(m)));
                }
            }
            self.report(id, ToDriver::Moved { to, outputs });
        }
        self.lose(id, true);
    }
}
