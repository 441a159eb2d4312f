//! The DAG scheduler: turns a job into stages, submits those whose parents are there, and
//! recovers lost map outputs by lineage.
//!
//! Every job has stages of its own, for the graphs of two jobs may reach a shuffle on different ways; what they share is the
//! shuffle: its outputs count for all, and one stage at a time computes it.
//!
//! Invariants: a map stage that runs has as many partitions to do as its shuffle lacks outputs; a shuffle is computed by the stage
//! in `runner` only; what a stage of a job that has ended reports changes nothing but what is known of lost blocks.
//!
//! Must not know: executors' slots, retries of single tasks, clocks.

mod missing;
mod recovery;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::event::JobFailure;
use crate::ids::{ExecutorId, JobId, MapId, RddId, ShuffleId, StageId, TaskAttempt, TaskId};
use crate::lifecycle::{JobCause, JobState, StageCause, StageState};
use crate::map_outputs::{MapOutputs, MapStatus};
use crate::options::DagOptions;
use crate::rdd::RddGraph;
use crate::stage::{Stage, StageKind, cut_stages, is_determinate};
use crate::tasks::SetKey;

use missing::Missing;

/// What happens to the DAG scheduler.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum DagEvent {
    /// See [`crate::Event::SubmitJob`].
    SubmitJob { job: JobId, graph: RddGraph, last: RddId, keep: Vec<ShuffleId>, pool: String },
    /// A task succeeded; `late` if its task set does not know of it any more.
    Succeeded { task: TaskId, attempt: TaskAttempt, map_status: Option<MapStatus>, late: bool },
    /// A block was not to be had; `unreachable` if nothing is from that executor, `wanted` if the task that missed it still has to be
    /// done.
    FetchFailed {
        attempt: TaskAttempt,
        shuffle: ShuffleId,
        map: MapId,
        executor: ExecutorId,
        unreachable: bool,
        wanted: bool,
    },
    /// A stage cannot go on.
    StageFailed { stage: StageId, failure: JobFailure },
    /// A stalled stage has tasks that wait for its input.
    Starved { stage: StageId },
    /// An executor is gone, perhaps with the blocks it served.
    ExecutorLost { executor: ExecutorId, blocks_lost: bool },
    /// Blocks were copied to another executor, which serves them now.
    OutputsMoved { from: ExecutorId, to: ExecutorId, outputs: Vec<(ShuffleId, MapId)> },
    /// The job is not wanted any more.
    CancelJob { job: JobId },
    /// The jobs that need this stage are not wanted any more.
    CancelStage { stage: StageId },
    /// No job to come reads these.
    ReleaseShuffles { shuffles: Vec<ShuffleId> },
}

/// What the DAG scheduler wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum DagAction {
    SubmitTaskSet {
        set: SetKey,
        stage_attempt: u32,
        rdd: RddId,
        partitions: Vec<u32>,
        /// See [`crate::Action::StageSubmitted`].
        generation: u32,
        /// Whether a slow task may get a copy. Not where two copies leave different outputs behind: executors know an output
        /// by its shuffle and partition, and one that is moved must not meet the other.
        copies: bool,
    },
    /// Outputs of a running stage are lost: to be made again.
    Redo {
        set: SetKey,
        partitions: Vec<u32>,
    },
    /// A partition is done, by a task that the set does not know.
    Done {
        set: SetKey,
        partition: u32,
    },
    Suspend {
        set: SetKey,
    },
    CancelTaskSet {
        set: SetKey,
    },
    /// The result of this attempt, and of no other for its partition, counts.
    ResultAccepted {
        job: JobId,
        task: TaskId,
        attempt: TaskAttempt,
    },
    StageCompleted {
        stage: StageId,
    },
    JobSucceeded {
        job: JobId,
    },
    JobFailed {
        job: JobId,
        reason: JobFailure,
    },
    /// No output of this shuffle that was made so far counts any more.
    ForgetOutputs {
        shuffle: ShuffleId,
    },
    ReleaseShuffle {
        shuffle: ShuffleId,
    },
}

/// A stage of a job.
struct StageInfo {
    stage: Stage,
    job: JobId,
    state: StageState,
    /// Submissions so far; the current attempt is one less.
    attempts: u32,
    /// What attempts before this one report does not count: they read what was rolled back.
    valid_from: u32,
    /// Attempts since the last completion in which a block was missing, and whether only because nobody was to be reached: those are
    /// forgiven when a task of the stage gets through.
    failed: BTreeMap<u32, bool>,
    /// Executors that were found unreachable since the last completion, and in which attempt first: that one is forgiven.
    unreachable: BTreeMap<ExecutorId, u32>,
    /// Executors that were found to lack an output since the last completion; which first, and in which attempt.
    lacking: BTreeMap<ExecutorId, (u32, ShuffleId, MapId)>,
    /// Stalled with tasks that wait.
    starved: bool,
    determinate: bool,
    /// It, or a stage that its input comes from, is not determinate.
    tainted: bool,
    /// Result partitions still to come.
    results: Missing,
}

impl StageInfo {
    fn key(&self) -> SetKey {
        SetKey { job: self.job, stage: self.stage.id }
    }

    /// The shuffle that it writes.
    fn shuffle(&self) -> Option<ShuffleId> {
        match &self.stage.kind {
            StageKind::ShuffleMap(s) => Some(s.shuffle),
            StageKind::Result => None,
        }
    }

    /// One of its tasks has succeeded.
    fn got_through(&mut self) {
        self.failed.retain(|_, unreachable| !*unreachable);
    }

    fn has_set(&self) -> bool {
        matches!(self.state, StageState::Running | StageState::Stalled)
    }
}

/// Who has to do with a shuffle.
#[derive(Default)]
struct ShuffleInfo {
    makers: BTreeSet<StageId>,
    readers: BTreeSet<StageId>,
    /// The one of the makers whose tasks run.
    runner: Option<StageId>,
    /// Which making of the rows this is, should another come out otherwise.
    epoch: u64,
    /// The epochs of the shuffles that it was made from.
    inputs: BTreeMap<ShuffleId, u64>,
}

struct Job {
    /// Parents first; the result stage is last.
    stages: Vec<StageId>,
    graph: RddGraph,
    pool: String,
    state: JobState,
}

/// The state machine. Shuffles are released with the last job that names them, or before ([`DagOptions::release_consumed`]), unless
/// one of these keeps them for later jobs: a map stage whose outputs are there is skipped, whichever job made them.
pub struct DagScheduler {
    options: DagOptions,
    next_stage: u64,
    next_epoch: u64,
    outputs: MapOutputs,
    stages: BTreeMap<StageId, StageInfo>,
    shuffles: BTreeMap<ShuffleId, ShuffleInfo>,
    jobs: BTreeMap<JobId, Job>,
    /// Executors that are gone with their blocks.
    gone: BTreeSet<ExecutorId>,
    /// Shuffles that later jobs will read.
    kept: BTreeSet<ShuffleId>,
    /// Jobs of which some stage may have to be submitted: looked at when an event has had all its other effects.
    dirty: BTreeSet<JobId>,
}

impl DagScheduler {
    /// An idle scheduler.
    pub fn new(options: DagOptions) -> Self {
        Self {
            options,
            next_stage: 0,
            next_epoch: 0,
            outputs: MapOutputs::default(),
            stages: BTreeMap::new(),
            shuffles: BTreeMap::new(),
            jobs: BTreeMap::new(),
            gone: BTreeSet::new(),
            kept: BTreeSet::new(),
            dirty: BTreeSet::new(),
        }
    }

    /// Where map outputs live.
    pub fn outputs(&self) -> &MapOutputs {
        &self.outputs
    }

    /// Jobs that have not ended.
    pub fn jobs(&self) -> usize {
        self.jobs.len()
    }

    /// The graph of a job that has not ended, and its pool.
    pub fn job(&self, job: JobId) -> Option<(&RddGraph, &str)> {
        self.jobs.get(&job).map(|j| (&j.graph, j.pool.as_str()))
    }

    /// The job of a stage and the RDD that it computes.
    pub fn stage(&self, stage: StageId) -> Option<(JobId, RddId)> {
        self.stages.get(&stage).map(|s| (s.job, s.stage.rdd))
    }

    /// The state of a stage whose job has not ended.
    pub fn stage_state(&self, stage: StageId) -> Option<StageState> {
        self.stages.get(&stage).map(|s| s.state)
    }

    /// Whether a job names a shuffle, now or later.
    pub fn wants(&self, shuffle: ShuffleId) -> bool {
        self.kept.contains(&shuffle) || self.shuffles.get(&shuffle).is_some_and(|s| !s.makers.is_empty())
    }

    /// Takes one event. What is late, twice or unknown changes nothing.
    pub fn handle(&mut self, event: DagEvent, out: &mut Vec<DagAction>) {
        self.take(event, out);
        while let Some(job) = self.dirty.pop_first() {
            self.advance(job, out);
        }
    }

    fn take(&mut self, event: DagEvent, out: &mut Vec<DagAction>) {
        match event {
            DagEvent::SubmitJob { job, graph, last, keep, pool } => {
                self.submit_job(job, graph, last, &keep, pool, out);
            }
            DagEvent::Succeeded { task, attempt, map_status, late } => {
                self.succeeded(task, attempt, map_status, late, out);
            }
            DagEvent::FetchFailed { attempt, shuffle, map, executor, unreachable, wanted } => {
                self.fetch_failed(attempt, (shuffle, map, executor), (unreachable, wanted), out);
            }
            DagEvent::StageFailed { stage, failure } => {
                if let Some(job) = self.stages.get(&stage).map(|s| s.job) {
                    self.end(job, Some(failure), out);
                }
            }
            DagEvent::Starved { stage } => self.starved(stage),
            DagEvent::ExecutorLost { executor, blocks_lost } => {
                if blocks_lost && self.gone.insert(executor) {
                    let lost = self.outputs.remove_executor(executor);
                    self.outputs_lost(lost, out);
                }
            }
            DagEvent::OutputsMoved { from, to, outputs } => self.moved(from, to, &outputs, out),
            DagEvent::CancelJob { job } => self.end(job, Some(JobFailure::Cancelled), out),
            DagEvent::CancelStage { stage } => {
                if let Some(job) = self.stages.get(&stage).map(|s| s.job) {
                    self.end(job, Some(JobFailure::StageCancelled { stage }), out);
                }
            }
            DagEvent::ReleaseShuffles { shuffles } => {
                for shuffle in shuffles {
                    self.kept.remove(&shuffle);
                    self.release(shuffle, out);
                }
            }
        }
    }

    fn submit_job(
        &mut self,
        job: JobId,
        graph: RddGraph,
        last: RddId,
        keep: &[ShuffleId],
        pool: String,
        out: &mut Vec<DagAction>,
    ) {
        if self.jobs.contains_key(&job) {
            return;
        }
        let stages = cut_stages(&graph, last, &mut self.next_stage);
        let fits = |s: &Stage| match &s.kind {
            StageKind::ShuffleMap(d) => {
                let places = self.outputs.places(d.shuffle);
                places.is_none_or(|p| p.len() == s.num_partitions as usize)
            }
            StageKind::Result => true,
        };
        let Some(stages) = stages.filter(|all| all.iter().all(fits) && makes_each_once(all)) else {
            out.push(DagAction::JobFailed { job, reason: JobFailure::InvalidGraph });
            return;
        };
        let ids: Vec<_> = stages.iter().map(|s| s.id).collect();
        for stage in stages {
            let determinate = is_determinate(&graph, stage.rdd);
            self.add_stage(job, stage, determinate, keep);
        }
        self.jobs.insert(job, Job { stages: ids.clone(), graph, pool, state: JobState::Running });
        ids.into_iter().for_each(|id| self.forget_stale(id, out));
        self.dirty.insert(job);
    }

    fn add_stage(&mut self, job: JobId, stage: Stage, determinate: bool, keep: &[ShuffleId]) {
        let (id, mut state, mut results) = (stage.id, StageState::Waiting, 0);
        match &stage.kind {
            StageKind::ShuffleMap(s) => {
                if self.outputs.places(s.shuffle).is_none() {
                    self.outputs.register(s.shuffle, stage.num_partitions);
                    self.new_epoch(s.shuffle);
                }
                self.shuffles.entry(s.shuffle).or_default().makers.insert(id);
                self.kept.remove(&s.shuffle);
                if keep.contains(&s.shuffle) {
                    self.kept.insert(s.shuffle);
                }
                if self.outputs.is_complete(s.shuffle) {
                    state.step(StageCause::OutputsFound);
                }
            }
            StageKind::Result => results = stage.num_partitions,
        }
        for parent in &stage.parents {
            if let Some(shuffle) = self.stages.get(parent).and_then(StageInfo::shuffle) {
                self.shuffles.entry(shuffle).or_default().readers.insert(id);
            }
        }
        let tainted = |p: &StageId| self.stages.get(p).is_some_and(|s| s.tainted);
        let info = StageInfo {
            tainted: !determinate || stage.parents.iter().any(tainted),
            stage,
            job,
            state,
            attempts: 0,
            valid_from: 0,
            failed: BTreeMap::new(),
            unreachable: BTreeMap::new(),
            lacking: BTreeMap::new(),
            starved: false,
            determinate,
            results: Missing::all(results),
        };
        self.stages.insert(id, info);
    }

    /// Submits every stage that is needed, does not run, and whose parents are complete.
    fn advance(&mut self, job: JobId, out: &mut Vec<DagAction>) {
        let Some(last) = self.jobs.get(&job).and_then(|j| j.stages.last().copied()) else { return };
        let (mut open, mut seen) = (vec![last], BTreeSet::new());
        while let Some(id) = open.pop() {
            let Some(info) = self.stages.get(&id).filter(|_| seen.insert(id)) else { continue };
            if !matches!(info.state, StageState::Waiting | StageState::Stalled) {
                continue;
            }
            let runner = info.shuffle().and_then(|s| self.shuffles.get(&s)).and_then(|s| s.runner);
            if runner.is_some_and(|r| r != id) {
                continue; // Another job's stage makes the same shuffle: this job goes on when that is complete, or over.
            }
            let lacking: Vec<_> =
                info.stage.parents.iter().copied().filter(|p| !self.is_complete(*p)).collect();
            if lacking.is_empty() {
                self.submit_stage(id, out);
            } else if info.state == StageState::Waiting || info.starved {
                open.extend(lacking);
            }
        }
    }

    /// Whether all that a map stage makes is there.
    fn is_complete(&self, stage: StageId) -> bool {
        self.stages.get(&stage).and_then(StageInfo::shuffle).is_none_or(|s| self.outputs.is_complete(s))
    }

    /// Hands what a stage lacks to the task scheduler.
    fn submit_stage(&mut self, id: StageId, out: &mut Vec<DagAction>) {
        let Some(info) = self.stages.get(&id) else { return };
        if info.shuffle().is_none() && info.results.is_empty() {
            return self.complete_result(id, out); // Of no partitions.
        }
        if !info.determinate
            && let Some(shuffle) = info.shuffle()
            && !self.roll_back_readers(id, shuffle, out)
        {
            return;
        }
        self.note_inputs(id);
        let Some(info) = self.stages.get_mut(&id) else { return };
        let cause = match info.state {
            StageState::Waiting => StageCause::Submitted,
            StageState::Running => StageCause::InputsMoved,
            _ => StageCause::InputsBack,
        };
        info.state.step(cause);
        info.starved = false;
        let (set, rdd, stage_attempt) = (info.key(), info.stage.rdd, info.attempts);
        let generation = info.valid_from;
        info.attempts += 1;
        let info = &*info;
        let partitions = match info.shuffle() {
            Some(shuffle) => {
                self.shuffles.entry(shuffle).or_default().runner = Some(id);
                self.outputs.missing(shuffle)
            }
            None => info.results.list(),
        };
        let copies = info.determinate || info.shuffle().is_none();
        out.push(DagAction::SubmitTaskSet { set, stage_attempt, rdd, partitions, generation, copies });
    }

    fn succeeded(
        &mut self,
        task: TaskId,
        attempt: TaskAttempt,
        map_status: Option<MapStatus>,
        late: bool,
        out: &mut Vec<DagAction>,
    ) {
        let Some(info) = self.stages.get_mut(&attempt.stage) else { return };
        if attempt.stage_attempt < info.valid_from {
            return;
        }
        let (set, job, partition) = (info.key(), info.job, attempt.partition);
        match (info.shuffle(), map_status) {
            (Some(_), Some(status)) if self.gone.contains(&status.executor) => {
                out.push(DagAction::Redo { set, partitions: vec![partition] });
            }
            (Some(shuffle), Some(status)) => {
                if !self.outputs.add(shuffle, MapId(partition), &status) {
                    return;
                }
                info.got_through();
                // Perhaps another job's stage is about to compute it.
                let runner = self.shuffles.get(&shuffle).and_then(|s| s.runner);
                if (late || runner != Some(attempt.stage))
                    && let Some(runner) = runner.and_then(|r| self.stages.get(&r))
                {
                    out.push(DagAction::Done { set: runner.key(), partition });
                }
                if self.outputs.is_complete(shuffle) {
                    self.complete_shuffle(shuffle, out);
                }
            }
            (None, _) if info.results.remove(partition) => {
                info.got_through();
                out.push(DagAction::ResultAccepted { job, task, attempt });
                if info.results.is_empty() {
                    self.complete_result(attempt.stage, out);
                }
            }
            // A map task without a status is none; its partition stays missing.
            (Some(_), None) => out.push(DagAction::Redo { set, partitions: vec![partition] }),
            (None, _) => {}
        }
    }

    /// The last output of a shuffle has come.
    fn complete_shuffle(&mut self, shuffle: ShuffleId, out: &mut Vec<DagAction>) {
        let Some(shared) = self.shuffles.get_mut(&shuffle) else { return };
        shared.runner = None;
        let makers: Vec<_> = shared.makers.iter().copied().collect();
        let mut jobs = BTreeSet::new();
        for id in &makers {
            let Some(info) = self.stages.get_mut(id) else { continue };
            jobs.insert(info.job);
            if info.has_set() {
                info.state.step(StageCause::AllDone);
                info.failed.clear();
                info.unreachable.clear();
                info.lacking.clear();
                out.push(DagAction::StageCompleted { stage: *id });
            } else if info.state == StageState::Waiting {
                info.state.step(StageCause::OutputsFound);
            }
        }
        makers.into_iter().for_each(|id| self.release_consumed_by(id, out));
        self.dirty.extend(jobs);
    }

    /// The last result has come.
    fn complete_result(&mut self, stage: StageId, out: &mut Vec<DagAction>) {
        let Some(info) = self.stages.get_mut(&stage) else { return };
        let job = info.job;
        if info.has_set() {
            info.state.step(StageCause::AllDone);
            out.push(DagAction::StageCompleted { stage });
        } else {
            info.state.step(StageCause::OutputsFound);
        }
        self.release_consumed_by(stage, out);
        self.end(job, None, out);
    }

    /// Releases the shuffles that a complete stage read, unless another stage still has to read them.
    fn release_consumed_by(&mut self, stage: StageId, out: &mut Vec<DagAction>) {
        if !self.options.release_consumed {
            return;
        }
        let Some(parents) = self.stages.get(&stage).map(|s| s.stage.parents.clone()) else { return };
        for parent in parents {
            let Some(shuffle) = self.stages.get(&parent).and_then(StageInfo::shuffle) else { continue };
            let Some(shared) = self.shuffles.get(&shuffle) else { continue };
            let reads = |s: &StageId| self.stages.get(s).is_some_and(|s| s.state != StageState::Complete);
            let wanted = self.kept.contains(&shuffle) || shared.readers.iter().any(reads);
            if !wanted && self.outputs.release(shuffle) {
                out.push(DagAction::ReleaseShuffle { shuffle });
            }
        }
    }

    /// Releases a shuffle that no job wants any more.
    fn release(&mut self, shuffle: ShuffleId, out: &mut Vec<DagAction>) {
        if self.wants(shuffle) {
            return;
        }
        self.shuffles.remove(&shuffle);
        if self.outputs.release(shuffle) {
            out.push(DagAction::ReleaseShuffle { shuffle });
        }
    }

    fn end(&mut self, job: JobId, failure: Option<JobFailure>, out: &mut Vec<DagAction>) {
        let Some(mut ended) = self.jobs.remove(&job) else { return };
        ended.state.step(failure.as_ref().map_or(JobCause::AllResults, cause));
        let mut shuffles = Vec::new();
        // Jobs that waited for a stage of this one to make their shuffle.
        let mut others = BTreeSet::new();
        for id in &ended.stages {
            let Some(mut info) = self.stages.remove(id) else { continue };
            if info.has_set() {
                out.push(DagAction::CancelTaskSet { set: info.key() });
            }
            info.state.step(StageCause::JobEnded);
            let Some(shuffle) = info.shuffle() else { continue };
            shuffles.push(shuffle);
            let Some(shared) = self.shuffles.get_mut(&shuffle) else { continue };
            shared.makers.remove(id);
            if shared.runner == Some(*id) {
                shared.runner = None;
                others.extend(shared.makers.iter().filter_map(|s| self.stages.get(s)).map(|s| s.job));
            }
        }
        for shuffle in shuffles {
            if let Some(shared) = self.shuffles.get_mut(&shuffle) {
                shared.readers.retain(|s| self.stages.contains_key(s));
            }
            self.release(shuffle, out);
        }
        out.push(match failure {
            None => DagAction::JobSucceeded { job },
            Some(reason) => DagAction::JobFailed { job, reason },
        });
        self.dirty.extend(others);
    }
}

/// Whether no two stages make the same shuffle.
fn makes_each_once(stages: &[Stage]) -> bool {
    let mut seen = BTreeSet::new();
    stages.iter().all(|s| match &s.kind {
        StageKind::ShuffleMap(d) => seen.insert(d.shuffle),
        StageKind::Result => true,
    })
}

fn cause(failure: &JobFailure) -> JobCause {
    match failure {
        JobFailure::Cancelled | JobFailure::StageCancelled { .. } => JobCause::Cancelled,
        JobFailure::InvalidGraph => JobCause::InvalidGraph,
        JobFailure::Task { .. } => JobCause::TaskFailed,
        JobFailure::ExecutorLosses { .. } => JobCause::ExecutorsLost,
        JobFailure::StageAttempts { .. } => JobCause::StageAttemptsUsed,
        JobFailure::Unschedulable { .. } => JobCause::Unschedulable,
        JobFailure::Indeterminate { .. } => JobCause::Indeterminate,
    }
}
