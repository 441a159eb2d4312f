//! Lost map outputs: who stalls, what is computed again, and what must be undone.
//!
//! Nothing is computed again before somebody waits for it: a stage whose input is lost stalls (what runs may have read it already), and
//! only when one of its tasks has to be launched are the lost outputs made anew, and no others.
//!
//! Must not know: why outputs are lost.

use std::collections::{BTreeMap, BTreeSet};

use crate::dag::{DagAction, DagScheduler, StageInfo};
use crate::event::JobFailure;
use crate::ids::{ExecutorId, JobId, MapId, ShuffleId, StageId, TaskAttempt};
use crate::lifecycle::{StageCause, StageState};

impl DagScheduler {
    /// These outputs are gone.
    pub(super) fn outputs_lost(&mut self, lost: Vec<(ShuffleId, Vec<u32>)>, out: &mut Vec<DagAction>) {
        let mut jobs = BTreeSet::new();
        for (shuffle, partitions) in lost {
            self.stall_readers(shuffle, &mut jobs, out);
            let Some(shared) = self.shuffles.get(&shuffle) else { continue };
            for id in &shared.makers {
                let Some(info) = self.stages.get_mut(id) else { continue };
                jobs.insert(info.job);
                if info.has_set() {
                    out.push(DagAction::Redo { set: info.key(), partitions: partitions.clone() });
                } else if info.state == StageState::Complete {
                    info.state.step(StageCause::OutputLost);
                }
            }
        }
        self.dirty.extend(jobs);
    }

    /// Stages that read a shuffle launch nothing until it is complete again.
    fn stall_readers(&mut self, shuffle: ShuffleId, jobs: &mut BTreeSet<JobId>, out: &mut Vec<DagAction>) {
        let Some(shared) = self.shuffles.get(&shuffle) else { return };
        for id in &shared.readers {
            let Some(info) = self.stages.get_mut(id) else { continue };
            jobs.insert(info.job);
            if info.state == StageState::Running {
                stall(info, out);
            }
        }
    }

    /// A stalled stage has tasks that wait.
    pub(super) fn starved(&mut self, stage: StageId) {
        let Some(info) = self.stages.get_mut(&stage) else { return };
        if info.state == StageState::Stalled {
            info.starved = true;
            self.dirty.insert(info.job);
        }
    }

    /// A task did not get a block. If the block is where the task looked for it, it is forgotten, whoever's task it was: so that one
    /// attempt makes up for all that is known to be lost. If nothing can be had from its executor, or a later attempt finds another
    /// output gone there (a disk that was wiped), all outputs there are forgotten: an attempt per output would be too many.
    ///
    /// A stage gives up after so many attempts that missed a block. Not counted is, for each executor, the attempt that had all its
    /// outputs forgotten first, for the machine of many may be dead long before the driver knows; and others in which one was
    /// unreachable count only until a task of the stage gets through. It ends all the same: executors are finitely many; partitions
    /// of a result are done once; those of a map stage are undone only with an executor, or by a failed attempt of a stage that reads
    /// them, of which there are, in turn, finitely many.
    pub(super) fn fetch_failed(
        &mut self,
        attempt: TaskAttempt,
        (shuffle, map, executor): (ShuffleId, MapId, ExecutorId),
        (unreachable, wanted): (bool, bool),
        out: &mut Vec<DagAction>,
    ) {
        let removed = self.outputs.remove(shuffle, map, executor);
        let mut lost = BTreeMap::new();
        if removed {
            lost.insert(shuffle, vec![map.0]);
        }
        // Before anything is made anew: this may have been one attempt too many.
        if let Some(info) = self
            .stages
            .get_mut(&attempt.stage)
            .filter(|info| wanted && info.has_set() && attempt.stage_attempt >= info.valid_from)
        {
            // An earlier attempt's task may have looked where the block was then; the current attempt's knows better.
            let current = attempt.stage_attempt + 1 == info.attempts;
            if current && info.state == StageState::Running {
                stall(info, out);
            }
            // What an earlier attempt's task did not reach may be back by now.
            let unreachable = unreachable && current;
            let number = attempt.stage_attempt;
            let (since, of, first) = *info.lacking.entry(executor).or_insert((number, shuffle, map));
            let wiped = current && !unreachable && since != number && (of, first) != (shuffle, map);
            if (unreachable || wiped) && removed {
                for (of, maps) in self.outputs.remove_executor(executor) {
                    lost.entry(of).or_insert_with(Vec::new).extend(maps);
                }
            }
            let forgiven =
                (unreachable || wiped) && *info.unreachable.entry(executor).or_insert(number) == number;
            if (current || removed) && !forgiven {
                *info.failed.entry(number).or_insert(unreachable) &= unreachable;
            }
            let attempts = u32::try_from(info.failed.len()).unwrap_or(u32::MAX);
            let (job, stage) = (info.job, attempt.stage);
            if attempts >= self.options.max_consecutive_stage_attempts.max(1) {
                let reason = JobFailure::StageAttempts { stage, attempts, shuffle, map, executor };
                self.end(job, Some(reason), out);
            } else if !removed {
                self.dirty.insert(job);
            }
        }
        if removed {
            self.outputs_lost(lost.into_iter().collect(), out);
        }
    }

    /// Outputs are served by another executor now. Stages that read them begin a new attempt, whose tasks know where.
    pub(super) fn moved(
        &mut self,
        from: ExecutorId,
        to: ExecutorId,
        outputs: &[(ShuffleId, MapId)],
        out: &mut Vec<DagAction>,
    ) {
        if self.gone.contains(&to) {
            return; // They are still where they were, if that executor is.
        }
        let mut shuffles = BTreeSet::new();
        for (shuffle, map) in outputs {
            if self.outputs.moved(*shuffle, *map, from, to) {
                shuffles.insert(*shuffle);
            }
        }
        let readers: BTreeSet<StageId> = shuffles
            .iter()
            .filter_map(|s| self.shuffles.get(s))
            .flat_map(|s| s.readers.iter().copied())
            .collect();
        for id in readers {
            if self.stages.get(&id).is_some_and(|s| s.state == StageState::Running) {
                self.submit_stage(id, out);
            }
        }
    }

    /// An indeterminate stage is about to make outputs anew that may come out otherwise: whatever was computed from its earlier ones
    /// is undone, and what was computed from that. `false` if a job had given rows away: it has failed.
    pub(super) fn roll_back_readers(
        &mut self,
        origin: StageId,
        shuffle: ShuffleId,
        out: &mut Vec<DagAction>,
    ) -> bool {
        let job = self.stages.get(&origin).map(|s| s.job);
        let (mut open, mut seen, mut failed) = (vec![shuffle], BTreeSet::new(), BTreeSet::new());
        while let Some(read) = open.pop() {
            if !seen.insert(read) {
                continue;
            }
            let readers: Vec<_> =
                self.shuffles.get(&read).map(|s| s.readers.iter().copied().collect()).unwrap_or_default();
            for id in readers {
                let Some(info) = self.stages.get(&id) else { continue };
                let made = info.shuffle();
                // Even below a stage that has done nothing: another job's may have made its outputs, all lost since, and others
                // have read them.
                open.extend(made);
                let started =
                    info.attempts > info.valid_from || made.is_some_and(|s| self.outputs.has_any(s));
                if !started {
                    continue;
                }
                if made.is_none() && !info.results.is_full() {
                    failed.insert(info.job);
                }
                self.dirty.insert(info.job);
                self.undo(id, out);
            }
        }
        if !failed.is_empty() {
            // If the origin goes with its job, others may have to make the shuffle.
            let makers = self.shuffles.get(&shuffle).into_iter().flat_map(|s| &s.makers);
            self.dirty.extend(makers.filter_map(|id| self.stages.get(id)).map(|s| s.job));
        }
        for job in &failed {
            let reason = JobFailure::Indeterminate { stage: origin, shuffle };
            self.end(*job, Some(reason), out);
        }
        job.is_some_and(|job| self.jobs.contains_key(&job))
    }

    /// The rows of a shuffle are made anew.
    pub(super) fn new_epoch(&mut self, shuffle: ShuffleId) {
        self.next_epoch += 1;
        let shared = self.shuffles.entry(shuffle).or_default();
        shared.epoch = self.next_epoch;
        shared.inputs.clear();
    }

    /// A stage is submitted: takes note of what its shuffle is made from.
    pub(super) fn note_inputs(&mut self, id: StageId) {
        let Some(info) = self.stages.get(&id).filter(|s| s.tainted) else { return };
        let (Some(shuffle), determinate) = (info.shuffle(), info.determinate) else { return };
        let epoch = |p: &StageId| {
            let shuffle = self.stages.get(p)?.shuffle()?;
            Some((shuffle, self.shuffles.get(&shuffle)?.epoch))
        };
        let inputs: BTreeMap<_, _> = info.stage.parents.iter().filter_map(epoch).collect();
        if !determinate {
            self.new_epoch(shuffle);
        }
        self.shuffles.entry(shuffle).or_default().inputs = inputs;
    }

    /// Outputs that were kept from an earlier job may come from rows that another job has made anew since, in ignorance of them: they
    /// do not go together, so the kept ones are made anew too.
    pub(super) fn forget_stale(&mut self, id: StageId, out: &mut Vec<DagAction>) {
        let Some(info) = self.stages.get(&id).filter(|s| s.tainted) else { return };
        let Some(shuffle) = info.shuffle().filter(|s| self.outputs.has_any(*s)) else { return };
        let Some(shared) = self.shuffles.get(&shuffle) else { return };
        let changed = |parent: &StageId| {
            let Some(parent) = self.stages.get(parent).filter(|p| p.tainted) else { return false };
            let Some(read) = parent.shuffle() else { return false };
            let Some(now) = self.shuffles.get(&read) else { return false };
            let made = now.runner.is_some() || self.outputs.has_any(read);
            made && shared.inputs.get(&read) != Some(&now.epoch)
        };
        if info.stage.parents.iter().any(changed) {
            shared.makers.clone().into_iter().for_each(|maker| self.undo(maker, out));
            self.roll_back_readers(id, shuffle, out);
        }
    }

    /// Nothing that a stage has done counts any more.
    fn undo(&mut self, id: StageId, out: &mut Vec<DagAction>) {
        let Some(info) = self.stages.get_mut(&id) else { return };
        info.valid_from = info.attempts;
        info.starved = false;
        if info.has_set() {
            out.push(DagAction::CancelTaskSet { set: info.key() });
        }
        if info.state != StageState::Waiting {
            info.state.step(StageCause::RolledBack);
        }
        let Some(shuffle) = info.shuffle() else { return };
        self.outputs.clear(shuffle);
        out.push(DagAction::ForgetOutputs { shuffle });
        self.new_epoch(shuffle);
        let Some(shared) = self.shuffles.get_mut(&shuffle) else { return };
        if shared.runner == Some(id) {
            shared.runner = None;
        }
        // Other jobs' stages for the same shuffle: one that runs works on the same outputs.
        for other in shared.makers.clone() {
            let Some(info) = self.stages.get_mut(&other) else { continue };
            if info.state == StageState::Complete {
                info.state.step(StageCause::RolledBack);
            }
        }
    }
}

/// A running stage launches nothing for the time being.
fn stall(info: &mut StageInfo, out: &mut Vec<DagAction>) {
    info.state.step(StageCause::InputLost);
    out.push(DagAction::Suspend { set: info.key() });
}
