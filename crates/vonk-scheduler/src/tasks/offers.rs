//! Offers: free slots meet waiting tasks.
//!
//! Invariant: after an offer, no set would launch anything on any free slot. So the next offer need not ask again what nothing
//! has changed for.
//!
//! Tasks are not interrupted: where they are long, a job that comes while they run would wait for the end of one, however little it has to do.
//! Where guests are allowed, a job that has no task alive gets one at once, beyond the slots.
//!
//! Must not know: why slots became free.

use crate::ids::{ExecutorId, TaskId};
use crate::lifecycle::LaunchState;
use crate::tasks::set::{Context, Pick};
use crate::tasks::{Launched, SetKey, TaskAction, TaskScheduler};

impl TaskScheduler {
    /// Fills free slots as far as anything has changed.
    pub fn offer(&mut self, out: &mut Vec<TaskAction>) {
        let mut freed = std::mem::take(&mut self.freed);
        freed.sort_unstable();
        freed.dedup();
        for executor in freed.drain(..) {
            while !self.pools.is_empty() && self.cluster.has_room(executor) {
                let Some((key, pick)) = self.find(executor, None, false) else { break };
                self.launch(key, &pick, executor, out);
            }
        }
        self.freed = freed;
        // A launch may bring its set to a further level: so once more, until nothing changes.
        while !self.changed.is_empty() {
            // The order of service is that of the pools; a single set needs no comparing.
            let only = self.changed.iter().all(|key| *key == self.changed[0]).then(|| self.changed[0]);
            self.changed.clear();
            self.spread(only, out);
        }
        self.let_in_guests(out);
        self.watch_for_slow();
    }

    /// A task each for jobs that have none alive, as far as guests are allowed.
    fn let_in_guests(&mut self, out: &mut Vec<TaskAction>) {
        if self.options.guests == 0 || self.pools.is_empty() {
            return;
        }
        for executor in self.cluster.with_room_for_guests().collect::<Vec<_>>() {
            while self.cluster.with_room_for_guests().any(|e| e == executor) {
                let Some((key, pick)) = self.find(executor, None, true) else { break };
                self.launch(key, &pick, executor, out);
            }
        }
    }

    /// Offers all free slots, one task an executor in turn, the least busy executor first.
    fn spread(&mut self, only: Option<SetKey>, out: &mut Vec<TaskAction>) {
        let mut after = None;
        while let Some((load, executor)) = self.cluster.next_free(after) {
            let done = match only {
                Some(key) => self.sets.get(&key).is_none_or(|s| !s.has_work()),
                None => self.pools.is_empty(),
            };
            if done {
                break;
            }
            if let Some((key, pick)) = self.find(executor, only, false) {
                self.launch(key, &pick, executor, out);
            }
            after = Some((load, executor));
        }
    }

    /// The first set, in the order of service, that has something for an executor; as a guest, of a job that has nothing alive.
    fn find(&mut self, executor: ExecutorId, only: Option<SetKey>, guest: bool) -> Option<(SetKey, Pick)> {
        let Self { pools, sets, cluster, options, now, busy_at, alive, .. } = self;
        let host = cluster.get(executor)?.host.clone();
        let cx = Context { options, cluster, now: *now, busy_at: *busy_at };
        let mut try_set = |key: SetKey| {
            // See [`may_launch`](Self::may_launch).
            let most = if guest { 1 } else { cluster.slots() };
            if alive.get(&key.job).is_some_and(|alive| *alive >= most) {
                return None;
            }
            let set = sets.get_mut(&key).filter(|s| s.has_work())?;
            set.pick(&cx, executor, &host).map(|pick| (key, pick))
        };
        match only {
            Some(key) => try_set(key),
            None => pools.find(executor, &host, try_set),
        }
    }

    fn launch(&mut self, key: SetKey, pick: &Pick, executor: ExecutorId, out: &mut Vec<TaskAction>) {
        let Some(set) = self.sets.get_mut(&key) else { return };
        let task = TaskId(self.next_task);
        self.next_task += 1;
        let attempt = set.launched(task, pick, executor, self.now);
        let (serial, speculative) = (set.serial, pick.speculative);
        self.pools.count(set.pool, 1, 0);
        self.cluster.occupy(executor, task);
        if pick.level.is_some() && self.cluster.is_busy() {
            set.allowed.fall_back(pick.level, self.now);
        }
        let state = LaunchState::Running;
        self.enter_launch(task, Launched { attempt, executor, set: key, serial, killed: false, state });
        out.push(TaskAction::Launch { job: key.job, task, attempt, executor, speculative });
        self.list(key);
    }
}
