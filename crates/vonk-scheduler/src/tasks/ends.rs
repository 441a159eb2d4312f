//! How copies of tasks end, and what becomes of their tasks then.
//!
//! Must not know: slots to fill.

use crate::event::{JobFailure, TaskEnd};
use crate::ids::{ExecutorId, TaskAttempt, TaskId};
use crate::tasks::{Launched, SetKey, TaskAction, TaskScheduler, Timer};

/// A task that failed waits for another executor at least so long, also where nothing waits for locality.
const ELSEWHERE_MILLIS: u64 = 1_000;

/// The same for a task that did not reach the executor that has its input. What is there will be made anew first, and the one that
/// did not reach it may be cut off from all the others: if it got the task again, the stage would soon be out of attempts.
const UNREACHED_MILLIS: u64 = 30_000;

impl TaskScheduler {
    /// A copy is reported to have ended.
    pub(super) fn ended(&mut self, task: TaskId, end: TaskEnd, out: &mut Vec<TaskAction>) {
        let Some(launched) = self.leave_launch(task) else { return };
        let Launched { attempt, executor: reader, set: key, serial, killed, .. } = launched;
        self.cluster.vacate(reader, task);
        self.freed.push(reader);
        let set = self.sets.get_mut(&key).filter(|s| s.serial == serial);
        let Some(set) = set else {
            return Self::orphan(task, attempt, end, out);
        };
        let Some(copy) = set.remove(task) else { return };
        self.pools.count(set.pool, 0, copy.load());
        let partition = copy.partition;
        match end {
            TaskEnd::Success { map_status } => {
                let late = !set.succeeded(partition);
                if !late {
                    set.took(&copy, self.now);
                }
                out.push(TaskAction::Succeeded { task, attempt, map_status, late });
                if !late {
                    self.kill_copies(key, partition, out);
                }
            }
            TaskEnd::FetchFailed { shuffle, map, executor, unreachable } => {
                let wanted = !set.is_done(partition);
                if unreachable && wanted {
                    let until = self.now.after(UNREACHED_MILLIS);
                    set.failed_on(partition, reader, Some(executor), until);
                    self.timers.insert((until, Timer::SamePlace(key)));
                }
                self.again(key, partition, out);
                out.push(TaskAction::FetchFailed { attempt, shuffle, map, executor, unreachable, wanted });
            }
            // Nobody waits for it any more: how it ended does not matter.
            _ if killed || set.is_done(partition) => self.again(key, partition, out),
            TaskEnd::Failed { retry, error } => {
                self.failed(key, attempt, reader, retry, error, out);
                self.again(key, partition, out);
            }
            // Killed without having been asked to: counted, so that it ends.
            TaskEnd::Killed => {
                self.failed(key, attempt, reader, true, Vec::new(), out);
                self.again(key, partition, out);
            }
        }
        self.settle(key, out);
    }

    /// A copy of a set that is gone has ended: what it made or missed is still worth knowing.
    fn orphan(task: TaskId, attempt: TaskAttempt, end: TaskEnd, out: &mut Vec<TaskAction>) {
        match end {
            TaskEnd::Success { map_status } => {
                out.push(TaskAction::Succeeded { task, attempt, map_status, late: true });
            }
            TaskEnd::FetchFailed { shuffle, map, executor, unreachable } => {
                out.push(TaskAction::FetchFailed {
                    attempt,
                    shuffle,
                    map,
                    executor,
                    unreachable,
                    wanted: false,
                });
            }
            TaskEnd::Failed { .. } | TaskEnd::Killed => {}
        }
    }

    /// A copy is gone with its executor.
    pub(super) fn lost_task(&mut self, task: TaskId, out: &mut Vec<TaskAction>) {
        let Some(Launched { attempt, set: key, serial, killed, .. }) = self.leave_launch(task) else {
            return;
        };
        let Some(set) = self.sets.get_mut(&key).filter(|s| s.serial == serial) else { return };
        let Some(copy) = set.remove(task) else { return };
        self.pools.count(set.pool, 0, copy.load());
        if !killed && !set.is_done(copy.partition) {
            let losses = set.count_loss(copy.partition);
            if losses >= self.options.max_executor_losses.max(1) {
                let failure = JobFailure::ExecutorLosses { attempt, losses };
                out.push(TaskAction::Failed { stage: key.stage, failure });
            }
        }
        self.again(key, copy.partition, out);
        self.settle(key, out);
    }

    /// Counts a failure, with the executor too.
    fn failed(
        &mut self,
        key: SetKey,
        attempt: TaskAttempt,
        executor: ExecutorId,
        retry: bool,
        error: Vec<u8>,
        out: &mut Vec<TaskAction>,
    ) {
        let Some(set) = self.sets.get_mut(&key) else { return };
        let failures = set.count_failure(attempt.partition);
        if !retry || failures >= self.options.max_task_failures.max(1) {
            let failure = JobFailure::Task { attempt, failures, error };
            out.push(TaskAction::Failed { stage: key.stage, failure });
            return;
        }
        let until = self.now.after(self.options.locality.wait_node.max(ELSEWHERE_MILLIS));
        set.failed_on(attempt.partition, executor, None, until);
        self.timers.insert((until, Timer::SamePlace(key)));
        let options = &self.options.exclude_on_failure;
        let Some(host) = self.cluster.get(executor).map(|e| e.host.clone()).filter(|_| options.enabled)
        else {
            return;
        };
        if set.exclusion.failed(options, executor, &host, attempt.partition) {
            let until = crate::time::Time(u64::MAX);
            out.push(TaskAction::Excluded { executor, stage: Some(key.stage), until });
        }
    }

    /// A copy ended without success: its task may have to wait again.
    fn again(&mut self, key: SetKey, partition: u32, out: &mut Vec<TaskAction>) {
        let Some(set) = self.sets.get_mut(&key) else { return };
        if set.again(partition, &self.cluster) {
            if set.suspended {
                out.push(TaskAction::Starved { stage: key.stage });
            }
            self.changed(key);
        }
    }
}
