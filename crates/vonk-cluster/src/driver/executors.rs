//! The driver's executors: those that come, those that are lost, and those that leave in order, whose map outputs others take over first.
//!
//! Must not know: who starts and ends them ([`Backend`](crate::backend::Backend)).

use super::run::Loop;
use crate::status::Note;
use std::collections::BTreeSet;
use vonk_scheduler::allocation::AllocationAction;
use vonk_scheduler::{Event, ExecutorId, MapId, ShuffleId};

impl Loop {
    /// Asks for executors, and lets some go, if they come and go with the work.
    pub(super) fn allocate(&mut self) {
        let now = self.now();
        let (waiting, running) = (self.scheduler.waiting(), self.launched.len());
        let Some(allocating) = &mut self.allocating else { return };
        for action in allocating.look(now, waiting, running) {
            match action {
                AllocationAction::RequestTotal(total) => {
                    self.note(&Note::ExecutorsRequested { total });
                    self.backend.request_executors(total);
                }
                AllocationAction::Release(executor) => self.drain(executor),
            }
        }
    }

    /// An executor can run tasks.
    pub(super) fn executor_added(&mut self, executor: ExecutorId, host: String, slots: u32) {
        self.note(&Note::ExecutorAdded { executor: executor.0, host: &host, slots });
        if let Some(allocating) = &mut self.allocating {
            allocating.added(executor);
        }
        self.unavailable = None;
        self.executors.insert(executor);
        self.tell_of_executors();
        if self.draining.contains_key(&executor) {
            // It was told to leave before it had come: the scheduler never hears of it.
            self.backend.drain(executor);
        } else {
            self.feed(Event::ExecutorAdded { executor, host, slots });
        }
    }

    /// An executor is gone with all that runs there.
    pub(super) fn executor_lost(&mut self, executor: ExecutorId, blocks_lost: bool) {
        // The scheduler reports no ends of these tasks, and knows none that come late.
        let gone = self.launched.extract_if(|_, l| l.executor == executor);
        for (task, launched) in gone {
            launched.stage.results.failed(launched.attempt.partition, task, None);
        }
        // Not sent out yet: it is lost like the others.
        self.launches.retain(|l| l.executor != executor);
        self.executors.remove(&executor);
        self.tell_of_executors();
        let dismissed = self.dismissed.remove(&executor);
        self.backend.executor_lost(executor, blocks_lost);
        if let Some(allocating) = &mut self.allocating {
            allocating.lost(executor);
        }
        self.note(&match dismissed {
            true => Note::ExecutorLeft { executor: executor.0 },
            false => Note::ExecutorLost { executor: executor.0, blocks_lost },
        });
        self.feed(Event::ExecutorLost { executor, blocks_lost });
        self.draining.remove(&executor);
        // Those whose blocks it was to take over try again with another.
        let again: Vec<_> =
            self.draining.iter().filter(|(_, to)| **to == Some(executor)).map(|(e, _)| *e).collect();
        again.into_iter().for_each(|e| self.backend.drain(e));
        self.fail_if_hopeless();
    }

    /// Tells those who look at jobs whether there is anybody to run them.
    fn tell_of_executors(&self) {
        let none = self.executors.is_empty();
        self.jobs.values().for_each(|job| job.spec.progress.set_without_executors(none));
    }

    /// An executor is to leave: it gets no new tasks.
    pub(super) fn drain(&mut self, executor: ExecutorId) {
        if self.draining.insert(executor, None).is_none() {
            self.note(&Note::ExecutorDraining { executor: executor.0 });
            self.feed(Event::ExecutorDraining { executor });
            // What was launched there goes out first: it has to see all that it runs before it says that nothing runs.
            self.send_launches();
            self.backend.drain(executor);
        }
    }

    /// An executor runs nothing any more: what it has goes to one that stays, then it goes.
    pub(super) fn drained(&mut self, executor: ExecutorId, outputs: Vec<(ShuffleId, MapId)>) {
        if !self.executors.contains(&executor) {
            // Said before it was lost.
            return;
        }
        let wanted: Vec<_> = outputs.into_iter().filter(|(s, _)| self.scheduler.wants(*s)).collect();
        let to = if wanted.is_empty() { None } else { self.backend.hand_over(executor, wanted) };
        match to {
            Some(to) => {
                self.draining.insert(executor, Some(to));
            }
            None => self.dismiss(executor),
        }
    }

    /// An executor has nothing left to do, and nothing that anybody wants.
    fn dismiss(&mut self, executor: ExecutorId) {
        self.draining.remove(&executor);
        if self.executors.contains(&executor) {
            self.dismissed.insert(executor);
            self.backend.dismiss(executor);
        }
    }

    /// An executor has taken map outputs over: the one that had them can go.
    pub(super) fn took_over(&mut self, from: ExecutorId, to: ExecutorId, outputs: Vec<(ShuffleId, MapId)>) {
        // Released while it was on its way: the new owner has not been told.
        let late: BTreeSet<ShuffleId> = outputs.iter().map(|(s, _)| *s).collect();
        late.into_iter().filter(|s| !self.scheduler.wants(*s)).for_each(|s| self.backend.release(s));
        self.feed(Event::OutputsMoved { from, to, outputs });
        self.dismiss(from);
    }
}
