//! The task scheduler: places the tasks of task sets on the slots of executors and tries failed ones again.
//!
//! Jobs are served first in, first out; within a job, stages in the order they were made. A slot is given back when its task is
//! reported to have ended, also if it was killed: so an executor never runs more tasks than it has slots.
//!
//! Must not know: stages' dependencies, map outputs, clocks.

use std::collections::{BTreeMap, BTreeSet};

use crate::dag::TaskOutcome;
use crate::event::{JobFailure, TaskEnd};
use crate::ids::{ExecutorId, JobId, StageId, TaskAttempt, TaskId};
use crate::rdd::Location;
use crate::task_set::TaskSet;

/// What happens to the task scheduler.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum TaskEvent {
    /// A stage wants these partitions computed.
    Submit { job: JobId, stage: StageId, stage_attempt: u32, tasks: Vec<(u32, Vec<Location>)> },
    /// The stage attempt is not wanted any more.
    Cancel { stage: StageId, stage_attempt: u32 },
    /// An executor can run `slots` tasks at once.
    ExecutorAdded { executor: ExecutorId, host: String, slots: u32 },
    /// An executor gets no new tasks.
    ExecutorDraining { executor: ExecutorId },
    /// An executor is gone with all that ran on it.
    ExecutorLost { executor: ExecutorId },
    /// A launch ended.
    Ended { task: TaskId, end: TaskEnd },
}

/// What the task scheduler wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum TaskAction {
    Launch {
        task: TaskId,
        attempt: TaskAttempt,
        executor: ExecutorId,
    },
    Kill {
        task: TaskId,
        executor: ExecutorId,
    },
    /// For the DAG scheduler.
    Report {
        task: TaskId,
        attempt: TaskAttempt,
        outcome: TaskOutcome,
    },
}

struct Executor {
    host: String,
    slots: u32,
    running: BTreeSet<TaskId>,
    draining: bool,
}

struct Launched {
    attempt: TaskAttempt,
    executor: ExecutorId,
}

/// The state machine.
pub struct TaskScheduler {
    max_failures: u32,
    next_task: u64,
    executors: BTreeMap<ExecutorId, Executor>,
    /// By job, stage and attempt: the order of service.
    sets: BTreeMap<(JobId, StageId, u32), TaskSet>,
    launched: BTreeMap<TaskId, Launched>,
}

impl TaskScheduler {
    /// An idle scheduler without executors; `spark.task.maxFailures` is four by default.
    pub fn new(max_failures: u32) -> Self {
        TaskScheduler {
            max_failures: max_failures.max(1),
            next_task: 0,
            executors: BTreeMap::new(),
            sets: BTreeMap::new(),
            launched: BTreeMap::new(),
        }
    }

    /// Tasks that run now.
    pub fn running(&self) -> usize {
        self.launched.len()
    }

    /// Takes one event. What is late, twice or unknown changes nothing.
    pub fn handle(&mut self, event: TaskEvent) -> Vec<TaskAction> {
        let mut out = Vec::new();
        match event {
            TaskEvent::Submit { job, stage, stage_attempt, tasks } => {
                let set = TaskSet::new(stage, stage_attempt, tasks);
                self.sets.entry((job, stage, stage_attempt)).or_insert(set);
            }
            TaskEvent::Cancel { stage, stage_attempt } => self.cancel(stage, stage_attempt, &mut out),
            TaskEvent::ExecutorAdded { executor, host, slots } => {
                self.executors.entry(executor).or_insert(Executor {
                    host,
                    slots,
                    running: BTreeSet::new(),
                    draining: false,
                });
            }
            TaskEvent::ExecutorDraining { executor } => {
                if let Some(e) = self.executors.get_mut(&executor) {
                    e.draining = true;
                }
            }
            TaskEvent::ExecutorLost { executor } => {
                let Some(lost) = self.executors.remove(&executor) else { return out };
                for task in lost.running {
                    let error = format!("executor {executor} was lost").into_bytes();
                    self.ended(task, TaskEnd::Failed { retry: true, error }, &mut out);
                }
            }
            TaskEvent::Ended { task, end } => self.ended(task, end, &mut out),
        }
        self.offer(&mut out);
        out
    }

    fn cancel(&mut self, stage: StageId, stage_attempt: u32, out: &mut Vec<TaskAction>) {
        let key = self.sets.keys().find(|(_, s, a)| (*s, *a) == (stage, stage_attempt)).copied();
        let Some(set) = key.and_then(|k| self.sets.remove(&k)) else { return };
        for task in set.running.into_keys() {
            if let Some(l) = self.launched.get(&task) {
                out.push(TaskAction::Kill { task, executor: l.executor });
            }
        }
    }

    fn ended(&mut self, task: TaskId, end: TaskEnd, out: &mut Vec<TaskAction>) {
        let Some(Launched { attempt, executor }) = self.launched.remove(&task) else { return };
        if let Some(e) = self.executors.get_mut(&executor) {
            e.running.remove(&task);
        }
        let key =
            self.sets.keys().find(|(_, s, a)| (*s, *a) == (attempt.stage, attempt.stage_attempt)).copied();
        let Some((key, set)) = key.and_then(|k| self.sets.get_mut(&k).map(|s| (k, s))) else {
            // The set is gone; a map output that was made all the same still counts.
            if let TaskEnd::Success { map_status: Some(status) } = end {
                let outcome = TaskOutcome::Success { map_status: Some(status) };
                out.push(TaskAction::Report { task, attempt, outcome });
            }
            return;
        };
        set.running.remove(&task);
        let outcome = match end {
            TaskEnd::Success { map_status } => {
                set.succeeded(attempt.partition).then_some(TaskOutcome::Success { map_status })
            }
            TaskEnd::FetchFailed { shuffle, map, executor } => {
                Some(TaskOutcome::FetchFailed { shuffle, map, executor })
            }
            TaskEnd::Failed { retry, error } => {
                let again = retry && set.failed(attempt.partition, self.max_failures);
                let failure = JobFailure::Task { attempt, failures: set.failures(attempt.partition), error };
                (!again).then_some(TaskOutcome::Failed { failure })
            }
            // Killed without having been asked to, or too late to matter: like a failure that may pass.
            TaskEnd::Killed => {
                let again = set.failed(attempt.partition, self.max_failures);
                let failures = set.failures(attempt.partition);
                let failure = JobFailure::Task { attempt, failures, error: Vec::new() };
                (!again).then_some(TaskOutcome::Failed { failure })
            }
        };
        if set.is_finished() {
            self.sets.remove(&key);
        }
        out.extend(outcome.map(|outcome| TaskAction::Report { task, attempt, outcome }));
    }

    /// Fills free slots: one task an executor in turn, so that work spreads.
    fn offer(&mut self, out: &mut Vec<TaskAction>) {
        for set in self.sets.values_mut() {
            loop {
                let mut placed = false;
                for (id, executor) in &mut self.executors {
                    if executor.draining || executor.running.len() >= executor.slots as usize {
                        continue;
                    }
                    let Some(attempt) = set.take_for(*id, &executor.host) else { break };
                    let task = TaskId(self.next_task);
                    self.next_task += 1;
                    executor.running.insert(task);
                    set.running.insert(task, attempt.partition);
                    self.launched.insert(task, Launched { attempt, executor: *id });
                    out.push(TaskAction::Launch { task, attempt, executor: *id });
                    placed = true;
                }
                if !placed {
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(slots: u32, partitions: u32) -> (TaskScheduler, Vec<TaskAction>) {
        let mut tasks = TaskScheduler::new(4);
        let host = "h".to_string();
        tasks.handle(TaskEvent::ExecutorAdded { executor: ExecutorId(0), host, slots });
        let submit = TaskEvent::Submit {
            job: JobId(0),
            stage: StageId(0),
            stage_attempt: 0,
            tasks: (0..partitions).map(|p| (p, vec![])).collect(),
        };
        let actions = tasks.handle(submit);
        (tasks, actions)
    }

    fn launched(actions: &[TaskAction]) -> Vec<(TaskId, u32)> {
        let pick = |a: &TaskAction| match a {
            TaskAction::Launch { task, attempt, .. } => Some((*task, attempt.partition)),
            _ => None,
        };
        actions.iter().filter_map(pick).collect()
    }

    #[test]
    fn slots_bound_what_runs_and_partitions_go_in_order() {
        let (mut tasks, actions) = started(2, 3);
        assert_eq!(launched(&actions), [(TaskId(0), 0), (TaskId(1), 1)]);
        let end = TaskEnd::Success { map_status: None };
        let actions = tasks.handle(TaskEvent::Ended { task: TaskId(1), end });
        assert_eq!(launched(&actions), [(TaskId(2), 2)]);
    }

    #[test]
    fn a_failure_that_may_pass_is_tried_four_times_and_others_once() {
        let (mut tasks, mut actions) = started(1, 1);
        for n in 0..4 {
            let (task, _) = launched(&actions)[0];
            let end = TaskEnd::Failed { retry: true, error: vec![n] };
            actions = tasks.handle(TaskEvent::Ended { task, end });
        }
        assert!(matches!(
            &actions[..],
            [TaskAction::Report { outcome: TaskOutcome::Failed { failure: JobFailure::Task { error, failures: 4, .. } }, .. }]
                if error == &[3]
        ));
        let (mut tasks, actions) = started(1, 1);
        let end = TaskEnd::Failed { retry: false, error: vec![] };
        let actions = tasks.handle(TaskEvent::Ended { task: launched(&actions)[0].0, end });
        assert!(matches!(&actions[..], [TaskAction::Report { outcome: TaskOutcome::Failed { .. }, .. }]));
    }

    #[test]
    fn a_lost_executor_moves_its_tasks() {
        let (mut tasks, _) = started(2, 2);
        let host = "g".to_string();
        tasks.handle(TaskEvent::ExecutorAdded { executor: ExecutorId(1), host, slots: 2 });
        let actions = tasks.handle(TaskEvent::ExecutorLost { executor: ExecutorId(0) });
        assert_eq!(launched(&actions).len(), 2);
        assert_eq!(tasks.running(), 2);
    }

    #[test]
    fn a_cancelled_set_gives_its_slots_back_once_its_tasks_have_ended() {
        let (mut tasks, _) = started(1, 2);
        let actions = tasks.handle(TaskEvent::Cancel { stage: StageId(0), stage_attempt: 0 });
        assert_eq!(actions, [TaskAction::Kill { task: TaskId(0), executor: ExecutorId(0) }]);
        assert_eq!(tasks.running(), 1);
        assert!(tasks.handle(TaskEvent::Ended { task: TaskId(0), end: TaskEnd::Killed }).is_empty());
        assert_eq!(tasks.running(), 0);
    }
}
