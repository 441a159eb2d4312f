//! Exclusion: executors and machines where tasks fail get no more of them.
//!
//! Spark's `TaskSetExcludelist` (within one stage) and `HealthTracker` (for the whole application, from the failures of stages that
//! got through in the end: a stage that fails everywhere says nothing about machines).
//!
//! Must not know: slots, waiting tasks.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{ExecutorId, StageId};
use crate::options::ExclusionOptions;
use crate::tasks::cluster::Host;
use crate::time::Time;

/// What failed where, within one task set.
#[derive(Default)]
pub(crate) struct SetExclusion {
    /// Failures by executor and partition.
    failures: BTreeMap<ExecutorId, BTreeMap<u32, u32>>,
    /// Executors with failures by machine.
    on_host: BTreeMap<Host, BTreeSet<ExecutorId>>,
    /// Partitions that no executor of a machine may run.
    host_tasks: BTreeMap<Host, BTreeSet<u32>>,
    executors: BTreeSet<ExecutorId>,
    hosts: BTreeSet<Host>,
}

impl SetExclusion {
    /// Takes note of a failure; whether the executor is excluded for the stage because of it.
    pub fn failed(
        &mut self,
        o: &ExclusionOptions,
        executor: ExecutorId,
        host: &Host,
        partition: u32,
    ) -> bool {
        let of_executor = self.failures.entry(executor).or_default();
        *of_executor.entry(partition).or_default() += 1;
        let failed_tasks = of_executor.len();
        let on_host = self.on_host.entry(host.clone()).or_default();
        on_host.insert(executor);
        let failures = &self.failures;
        let of_task = |e: &ExecutorId| failures.get(e).and_then(|f| f.get(&partition)).copied().unwrap_or(0);
        if on_host.iter().map(of_task).sum::<u32>() >= o.max_task_attempts_per_node {
            self.host_tasks.entry(host.clone()).or_default().insert(partition);
        }
        let newly =
            failed_tasks >= o.max_failed_tasks_per_executor_stage as usize && self.executors.insert(executor);
        if newly {
            let excluded = on_host.iter().filter(|e| self.executors.contains(e)).count();
            if excluded >= o.max_failed_executors_per_node_stage as usize {
                self.hosts.insert(host.clone());
            }
        }
        newly
    }

    pub fn is_empty(&self) -> bool {
        self.failures.is_empty()
    }

    /// Whether the executor may run any task of the set.
    pub fn allows(&self, executor: ExecutorId, host: &str) -> bool {
        self.is_empty() || !(self.executors.contains(&executor) || self.hosts.contains(host))
    }

    /// Whether the executor, which the set [allows](Self::allows), may run this task.
    pub fn allows_task(
        &self,
        o: &ExclusionOptions,
        executor: ExecutorId,
        host: &str,
        partition: u32,
    ) -> bool {
        let here = self.failures.get(&executor).and_then(|f| f.get(&partition)).copied().unwrap_or(0);
        here < o.max_task_attempts_per_executor.max(1)
            && !self.host_tasks.get(host).is_some_and(|tasks| tasks.contains(&partition))
    }

    /// Partitions that failed somewhere.
    pub fn partitions(&self) -> BTreeSet<u32> {
        self.failures.values().flat_map(|f| f.keys().copied()).collect()
    }
}

/// What is excluded for all stages, and until when.
#[derive(Default)]
pub(crate) struct Health {
    /// Failed tasks by executor, each until it is forgotten.
    failures: BTreeMap<ExecutorId, BTreeMap<(StageId, u32), Time>>,
    hosts: BTreeMap<Host, Time>,
    on_host: BTreeMap<Host, BTreeMap<ExecutorId, Time>>,
}

/// An executor or a machine that has just been excluded.
pub(crate) enum Newly {
    Executor(ExecutorId),
    Host(Host),
}

impl Health {
    /// A stage got through: its failures count for the application.
    pub fn completed(
        &mut self,
        o: &ExclusionOptions,
        now: Time,
        stage: StageId,
        set: &SetExclusion,
        host_of: impl Fn(ExecutorId) -> Option<Host>,
    ) -> Vec<Newly> {
        let mut newly = Vec::new();
        let until = now.after(o.timeout);
        for (executor, tasks) in &set.failures {
            let known = self.failures.entry(*executor).or_default();
            known.retain(|_, end| *end > now);
            known.extend(tasks.keys().map(|p| ((stage, *p), until)));
            if known.len() < o.max_failed_tasks_per_executor as usize {
                continue;
            }
            let Some(host) = host_of(*executor) else { continue };
            newly.push(Newly::Executor(*executor));
            let on_host = self.on_host.entry(host.clone()).or_default();
            on_host.retain(|_, end| *end > now);
            on_host.insert(*executor, until);
            let many = on_host.len() >= o.max_failed_executors_per_node as usize;
            if many && self.hosts.insert(host.clone(), until).is_none() {
                newly.push(Newly::Host(host));
            }
        }
        newly
    }

    /// Whether a machine is excluded, and until when.
    pub fn host_until(&self, host: &str, now: Time) -> Option<Time> {
        self.hosts.get(host).copied().filter(|until| *until > now)
    }

    /// Forgets what is over.
    pub fn expire(&mut self, now: Time) {
        self.hosts.retain(|_, until| *until > now);
        self.on_host.values_mut().for_each(|executors| executors.retain(|_, until| *until > now));
        self.on_host.retain(|_, executors| !executors.is_empty());
    }

    /// Forgets an executor's failures; what was excluded with it stays.
    pub fn lost(&mut self, executor: ExecutorId) {
        self.failures.remove(&executor);
    }
}
