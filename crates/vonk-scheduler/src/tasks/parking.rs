//! Parking: a task whose rows nobody reads for now gives its slot back, and goes on when its reader comes back.
//!
//! It goes on at once, whether a slot is free or not: what it has to do is to fill what its reader has emptied, which is short, and a
//! reader must not wait for the end of others' tasks. Nothing is launched on an executor that runs more than it has slots, so the excess
//! is over with the next ends.
//!
//! Invariant: a job has no more tasks alive, running or parked, than all executors have slots. So what is parked is bounded by the number
//! of jobs, and a job that is not read does not go on behind its reader's back. Without parked tasks this never holds a launch back.
//!
//! Must not know: who reads, and what.

use crate::ids::{ExecutorId, JobId, StageId, TaskId};
use crate::lifecycle::{LaunchCause, LaunchState};
use crate::tasks::{Launched, SetKey, TaskScheduler};

impl TaskScheduler {
    /// Tasks that are parked now.
    pub fn parked_now(&self) -> usize {
        self.launched.values().filter(|l| l.state == LaunchState::Parked).count()
    }

    /// A launch gives its slot back for now. One that is parked already, or unknown, changes nothing.
    pub(super) fn parked(&mut self, task: TaskId) {
        let Some((executor, key, serial)) = self.step_launch(task, LaunchCause::Parked) else { return };
        self.cluster.park(executor, task);
        self.freed.push(executor);
        if let Some(set) = self.sets.get_mut(&key).filter(|s| s.serial == serial) {
            set.park(task, self.now);
            self.pools.count(set.pool, 0, 1);
            self.list(key);
        }
    }

    /// A launch that was parked goes on.
    pub(super) fn resumed(&mut self, task: TaskId) {
        let Some((executor, key, serial)) = self.step_launch(task, LaunchCause::Resumed) else { return };
        self.cluster.resume(executor, task);
        if let Some(set) = self.sets.get_mut(&key).filter(|s| s.serial == serial) {
            set.resume(task, self.now);
            self.pools.count(set.pool, 1, 0);
            self.list(key);
        }
    }

    /// Changes the state of a launch if it can go there.
    fn step_launch(&mut self, task: TaskId, cause: LaunchCause) -> Option<(ExecutorId, SetKey, u64)> {
        let launched = self.launched.get_mut(&task)?;
        launched.state.next(cause)?;
        launched.state.step(cause);
        Some((launched.executor, launched.set, launched.serial))
    }

    /// A launch is counted.
    pub(super) fn enter_launch(&mut self, task: TaskId, launched: Launched) {
        *self.alive.entry(launched.set.job).or_default() += 1;
        self.launched.insert(task, launched);
    }

    /// A launch is over: takes it out. Its job may be able to launch elsewhere what its limit held back.
    pub(super) fn leave_launch(&mut self, task: TaskId) -> Option<Launched> {
        let mut launched = self.launched.remove(&task)?;
        launched.state.step(LaunchCause::Ended);
        let job = launched.set.job;
        let limited = !self.may_launch(job);
        if let Some(alive) = self.alive.get_mut(&job) {
            *alive -= 1;
            if *alive == 0 {
                self.alive.remove(&job);
            }
        }
        if limited {
            let of_job = SetKey { job, stage: StageId(0) }..=SetKey { job, stage: StageId(u64::MAX) };
            self.changed.extend(self.sets.range(of_job).map(|(key, _)| *key));
        }
        Some(launched)
    }

    /// Whether a job may have one more task alive.
    pub(super) fn may_launch(&self, job: JobId) -> bool {
        self.alive.get(&job).is_none_or(|alive| *alive < self.cluster.slots())
    }
}
