//! The tasks of one stage attempt: which wait, which run, how often each failed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::ids::{ExecutorId, StageId, TaskAttempt, TaskId};
use crate::rdd::Location;

/// One submission of a stage.
pub(crate) struct TaskSet {
    pub stage: StageId,
    pub stage_attempt: u32,
    /// Partitions that wait, in order.
    waiting: VecDeque<u32>,
    /// Launches of partitions that are not done, by task.
    pub running: BTreeMap<TaskId, u32>,
    done: BTreeSet<u32>,
    failures: BTreeMap<u32, u32>,
    launches: BTreeMap<u32, u32>,
    preferred: BTreeMap<u32, Vec<Location>>,
}

impl TaskSet {
    pub fn new(stage: StageId, stage_attempt: u32, tasks: Vec<(u32, Vec<Location>)>) -> TaskSet {
        TaskSet {
            stage,
            stage_attempt,
            waiting: tasks.iter().map(|(p, _)| *p).collect(),
            running: BTreeMap::new(),
            done: BTreeSet::new(),
            failures: BTreeMap::new(),
            launches: BTreeMap::new(),
            preferred: tasks.into_iter().filter(|(_, l)| !l.is_empty()).collect(),
        }
    }

    /// Nothing left to launch or to wait for.
    pub fn is_finished(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Takes the best waiting task for an executor: the first whose data is there, else the first.
    pub fn take_for(&mut self, executor: ExecutorId, host: &str) -> Option<TaskAttempt> {
        let near = |p: &u32| {
            self.preferred.get(p).is_some_and(|places| {
                places.iter().any(|l| match l {
                    Location::Executor(e) => *e == executor,
                    Location::Host(h) => h == host,
                })
            })
        };
        let at = if self.preferred.is_empty() { 0 } else { self.waiting.iter().position(near).unwrap_or(0) };
        let partition = self.waiting.remove(at)?;
        let launches = self.launches.entry(partition).or_default();
        let attempt = *launches;
        *launches += 1;
        Some(TaskAttempt { stage: self.stage, stage_attempt: self.stage_attempt, partition, attempt })
    }

    /// The task is done. `false` if another attempt was earlier.
    pub fn succeeded(&mut self, partition: u32) -> bool {
        self.done.insert(partition)
    }

    /// How often it failed.
    pub fn failures(&self, partition: u32) -> u32 {
        self.failures.get(&partition).copied().unwrap_or_default()
    }

    /// The task failed in a way that may pass; it waits again unless it failed too often: `false` then.
    pub fn failed(&mut self, partition: u32, max_failures: u32) -> bool {
        let failures = self.failures.entry(partition).or_default();
        *failures += 1;
        if *failures >= max_failures {
            return false;
        }
        if !self.done.contains(&partition) {
            self.waiting.push_front(partition);
        }
        true
    }
}
