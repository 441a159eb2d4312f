//! Random fault schedules against the real state machines.
//!
//! A seed makes a job (a random DAG of shuffles), executors, and then a random interleaving of task ends, failures, lost and
//! new executors, duplicated and late reports, and cancellations. `VONK_SIMULATIONS` sets how many seeds run (5,000 by default),
//! `VONK_SEED` runs a single one again.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::collections::{BTreeMap, BTreeSet};
use vonk_scheduler::*;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

struct Running {
    attempt: TaskAttempt,
    fragment: Fragment,
    executor: ExecutorId,
}

struct World {
    random: Random,
    scheduler: Scheduler,
    graph: RddGraph,
    last: RddId,
    running: BTreeMap<TaskId, Running>,
    alive: BTreeMap<ExecutorId, u32>,
    next_executor: u64,
    accepted: BTreeSet<u32>,
    ended: Option<bool>,
    released: BTreeSet<ShuffleId>,
    /// Map outputs that exist: who holds them.
    held: BTreeMap<(ShuffleId, u32), BTreeSet<ExecutorId>>,
    /// Task failures and executor losses so far, which excuse recomputation.
    faults: u64,
    launches: BTreeMap<(Fragment, u32), u64>,
    release_consumed: bool,
}

const JOB: JobId = JobId(7);

fn job(random: &mut Random) -> (RddGraph, RddId) {
    let mut graph = RddGraph::default();
    let mut last = RddId(0);
    let rdds = 1 + random.below(5);
    for i in 0..rdds {
        let num_partitions = 1 + random.below(4) as u32;
        let mut parents: BTreeSet<u64> = BTreeSet::new();
        if i > 0 {
            parents.insert(i - 1);
            if random.chance(40) {
                parents.insert(random.below(i));
            }
        }
        let dependencies = parents
            .iter()
            .map(|p| {
                Dependency::Shuffle(ShuffleDependency {
                    shuffle: ShuffleId(100 + p),
                    rdd: RddId(*p as u32),
                    num_reduce: num_partitions,
                    partitioner: Partitioner::Hash { num_partitions },
                })
            })
            .collect();
        let rdd = Rdd {
            id: RddId(0),
            num_partitions,
            dependencies,
            partitioner: None,
            preferred_locations: vec![],
            fragment: Fragment(i as u32),
            determinate: true,
        };
        last = graph.add(rdd).expect("parents come first");
    }
    (graph, last)
}

impl World {
    fn new(seed: u64) -> World {
        let mut random = Random(seed);
        let (graph, last) = job(&mut random);
        let release_consumed = random.chance(30);
        let dag = DagOptions { release_consumed, ..DagOptions::default() };
        World {
            scheduler: Scheduler::new(SchedulerOptions { dag, ..SchedulerOptions::default() }),
            random,
            graph,
            last,
            running: BTreeMap::new(),
            alive: BTreeMap::new(),
            next_executor: 0,
            accepted: BTreeSet::new(),
            ended: None,
            released: BTreeSet::new(),
            held: BTreeMap::new(),
            faults: 0,
            launches: BTreeMap::new(),
            release_consumed,
        }
    }

    fn feed(&mut self, event: Event) {
        for action in self.scheduler.handle(Time(0), event) {
            match action {
                Action::Launch { task, attempt, fragment, executor, .. } => {
                    assert!(self.ended.is_none(), "a launch after the end");
                    let slots = *self.alive.get(&executor).expect("a launch on a dead executor");
                    let busy = self.running.values().filter(|r| r.executor == executor).count();
                    assert!(busy < slots as usize, "more tasks than slots");
                    *self.launches.entry((fragment, attempt.partition)).or_default() += 1;
                    self.running.insert(task, Running { attempt, fragment, executor });
                }
                Action::Kill { task, executor } => {
                    assert!(self.running.get(&task).is_none_or(|r| r.executor == executor));
                }
                Action::ResultAccepted { attempt, .. } => {
                    assert!(self.accepted.insert(attempt.partition), "a result counted twice");
                }
                Action::JobSucceeded { .. } => {
                    let all = self.graph.get(self.last).expect("known").num_partitions;
                    assert_eq!(self.accepted.len(), all as usize, "a success without all results");
                    assert!(self.ended.replace(true).is_none(), "ended twice");
                }
                Action::JobFailed { .. } => assert!(self.ended.replace(false).is_none(), "ended twice"),
                Action::ReleaseShuffle { shuffle } => {
                    assert!(self.released.insert(shuffle), "released twice");
                    self.held.retain(|(s, _), _| *s != shuffle);
                }
                Action::StageSubmitted { tasks, .. } => assert!(tasks > 0),
                Action::StageCompleted { .. } | Action::ExecutorExcluded { .. } => {}
            }
        }
    }

    fn add_executor(&mut self) {
        let executor = ExecutorId(self.next_executor);
        self.next_executor += 1;
        let slots = 1 + self.random.below(3) as u32;
        self.alive.insert(executor, slots);
        self.feed(Event::ExecutorAdded { executor, host: format!("host{}", executor.0 % 2), slots });
    }

    fn lose_executor(&mut self) {
        let Some(executor) =
            self.alive.keys().nth(self.random.below(self.alive.len() as u64) as usize).copied()
        else {
            return;
        };
        self.alive.remove(&executor);
        self.faults += 1;
        self.running.retain(|_, r| r.executor != executor);
        for holders in self.held.values_mut() {
            holders.remove(&executor);
        }
        self.feed(Event::ExecutorLost { executor, blocks_lost: true });
    }

    /// The first block that a task would miss, and who the map output tracker says has it.
    fn missing_block(&self, fragment: Fragment) -> Option<(ShuffleId, MapId, ExecutorId)> {
        let rdd = self.graph.get(RddId(fragment.0)).expect("known");
        for d in &rdd.dependencies {
            let Dependency::Shuffle(s) = d else { continue };
            let outputs = self.scheduler.outputs().places(s.shuffle)?;
            for (map, status) in outputs.iter().enumerate() {
                let map = map as u32;
                // The reader was told of some output; it may have died since.
                let Some(status) = status else { return Some((s.shuffle, MapId(map), ExecutorId(u64::MAX))) };
                let holders = self.held.get(&(s.shuffle, map));
                if !holders.is_some_and(|h| h.contains(status)) {
                    return Some((s.shuffle, MapId(map), *status));
                }
            }
        }
        None
    }

    fn end_task(&mut self) {
        let at = self.random.below(self.running.len() as u64) as usize;
        let Some(task) = self.running.keys().nth(at).copied() else { return };
        let r = self.running.remove(&task).expect("just found");
        let end = if self.random.chance(5) {
            self.faults += 1;
            TaskEnd::Failed { retry: self.random.chance(95), error: vec![1] }
        } else if let Some((shuffle, map, executor)) = self.missing_block(r.fragment) {
            self.faults += 1;
            TaskEnd::FetchFailed { shuffle, map, executor }
        } else {
            let shuffle = ShuffleId(100 + u64::from(r.fragment.0));
            let map_status = (RddId(r.fragment.0) != self.last).then(|| {
                if !self.released.contains(&shuffle) {
                    self.held.entry((shuffle, r.attempt.partition)).or_default().insert(r.executor);
                }
                MapStatus { executor: r.executor, sizes: vec![1] }
            });
            TaskEnd::Success { map_status }
        };
        self.feed(Event::TaskEnded { task, end: end.clone() });
        if self.random.chance(10) {
            self.feed(Event::TaskEnded { task, end }); // A duplicate changes nothing.
        }
    }

    fn run(&mut self) {
        let faulty = self.random.chance(80);
        for _ in 0..1 + self.random.below(3) {
            self.add_executor();
        }
        self.feed(Event::SubmitJob {
            job: JOB,
            graph: self.graph.clone(),
            last: self.last,
            keep: vec![],
            pool: String::new(),
        });
        let mut steps = 0;
        while self.ended.is_none() || !self.running.is_empty() {
            steps += 1;
            assert!(steps < 20_000, "no end in sight");
            if faulty && !self.release_consumed && self.random.chance(3) {
                self.lose_executor();
            } else if self.alive.is_empty() || self.random.chance(3) {
                self.add_executor();
            } else if faulty && self.random.below(1000) < 3 {
                self.feed(Event::CancelJob { job: JOB });
            } else if self.running.is_empty() {
                assert!(self.ended.is_some(), "nothing runs, nothing ended");
            } else {
                self.end_task();
            }
        }
        self.check();
    }

    fn check(&self) {
        assert_eq!(self.scheduler.running(), 0, "a slot was not given back");
        assert_eq!(self.scheduler.jobs(), 0);
        let shuffles: BTreeSet<ShuffleId> = (0..self.last.0).map(|r| ShuffleId(100 + u64::from(r))).collect();
        assert_eq!(self.released, shuffles, "a shuffle was not released");
        if self.faults == 0 {
            assert!(self.launches.values().all(|n| *n == 1), "recomputed without need");
        }
    }
}

#[test]
fn random_fault_schedules_hold_the_invariants() {
    let read = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let seeds = match read("VONK_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..read("VONK_SIMULATIONS").unwrap_or(5_000),
    };
    let mut succeeded = 0;
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let mut world = World::new(seed);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            world.run();
            world.ended
        }));
        match result {
            Ok(ended) => succeeded += u64::from(ended == Some(true)),
            Err(_) => panic!("seed {seed}: run again with VONK_SEED={seed}"),
        }
    }
    assert!(count < 100 || succeeded > count / 4, "too few jobs get through: {succeeded} of {count}");
}
