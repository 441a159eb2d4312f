//! The DAG scheduler: turns a job into stages, submits those whose parents are there, and
//! recovers lost map outputs by lineage.
//!
//! Must not know: executors' slots, retries of single tasks, clocks.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{ExecutorId, JobId, MapId, RddId, ShuffleId, StageId, TaskAttempt};
use crate::map_outputs::{MapOutputs, MapStatus};
use crate::rdd::RddGraph;
use crate::stage::{Stage, StageKind, cut_stages};

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum TaskOutcome {
    /// Done; with a map status if it is a shuffle-map task.
    Success { map_status: Option<MapStatus> },
    /// A block it had to read is gone.
    FetchFailed { shuffle: ShuffleId, map: MapId, executor: ExecutorId },
    /// Failed for good: the retries are used up or would not help. The error is opaque.
    Failed { error: Vec<u8> },
}

/// What happens to the DAG scheduler.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum DagEvent {
    /// An action on `last`.
    SubmitJob { job: JobId, graph: RddGraph, last: RddId },
    /// A task ended.
    TaskFinished { attempt: TaskAttempt, outcome: TaskOutcome },
    /// An executor is gone, perhaps with the blocks it served.
    ExecutorLost { executor: ExecutorId, blocks_lost: bool },
    /// The job is not wanted any more.
    CancelJob { job: JobId },
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum JobFailure {
    Cancelled,
    InvalidGraph,
    Task { error: Vec<u8> },
    StageAttempts { stage: StageId },
}

/// What the DAG scheduler wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum DagAction {
    SubmitTaskSet {
        job: JobId,
        stage: StageId,
        stage_attempt: u32,
        rdd: RddId,
        partitions: Vec<u32>,
    },
    CancelTaskSet {
        stage: StageId,
        stage_attempt: u32,
    },
    /// The result of this attempt, and of no other for its partition, counts.
    ResultAccepted {
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
    ReleaseShuffle {
        shuffle: ShuffleId,
    },
}

struct StageState {
    stage: Stage,
    job: JobId,
    /// Submissions so far; the current attempt is one less.
    attempts: u32,
    failures: u32,
    /// Partitions of the current attempt not yet done; empty when it does not run.
    pending: BTreeSet<u32>,
    /// Result partitions still to come.
    results_missing: BTreeSet<u32>,
}

/// What a DAG scheduler may decide on its own.
#[derive(Clone, Copy, Debug)]
pub struct DagOptions {
    /// Fetch failures of a stage after which its job fails; Spark's default is four.
    pub max_stage_failures: u32,
    /// Release a shuffle once every stage that reads it is complete: right where blocks cannot be lost (one process), since a
    /// later recomputation would have to begin below it.
    pub release_consumed: bool,
}

impl Default for DagOptions {
    fn default() -> Self {
        DagOptions { max_stage_failures: 4, release_consumed: false }
    }
}

/// The state machine. Shuffles belong to one job and are released with it, or before ([`DagOptions::release_consumed`]).
pub struct DagScheduler {
    options: DagOptions,
    next_stage: u64,
    outputs: MapOutputs,
    stages: BTreeMap<StageId, StageState>,
    jobs: BTreeMap<JobId, Vec<StageId>>,
    lost: BTreeSet<ExecutorId>,
}

impl DagScheduler {
    /// An idle scheduler.
    pub fn new(options: DagOptions) -> Self {
        Self {
            options,
            next_stage: 0,
            outputs: MapOutputs::default(),
            stages: BTreeMap::new(),
            jobs: BTreeMap::new(),
            lost: BTreeSet::new(),
        }
    }

    /// Where map outputs live.
    pub fn outputs(&self) -> &MapOutputs {
        &self.outputs
    }

    /// Takes one event. What is late, twice or unknown changes nothing.
    pub fn handle(&mut self, event: DagEvent) -> Vec<DagAction> {
        let mut out = Vec::new();
        match event {
            DagEvent::SubmitJob { job, graph, last } => self.submit(job, &graph, last, &mut out),
            DagEvent::TaskFinished { attempt, outcome } => self.finished(attempt, outcome, &mut out),
            DagEvent::ExecutorLost { executor, blocks_lost } => {
                if blocks_lost {
                    self.lost.insert(executor);
                    self.outputs.remove_executor(executor);
                    for job in self.jobs.keys().copied().collect::<Vec<_>>() {
                        self.advance(job, &mut out);
                    }
                }
            }
            DagEvent::CancelJob { job } => self.end(job, Some(JobFailure::Cancelled), &mut out),
        }
        out
    }

    fn submit(&mut self, job: JobId, graph: &RddGraph, last: RddId, out: &mut Vec<DagAction>) {
        if self.jobs.contains_key(&job) {
            return;
        }
        let Some(stages) = cut_stages(graph, last, &mut self.next_stage) else {
            out.push(DagAction::JobFailed { job, reason: JobFailure::InvalidGraph });
            return;
        };
        self.jobs.insert(job, stages.iter().map(|s| s.id).collect());
        for stage in stages {
            let mut results_missing = BTreeSet::new();
            match &stage.kind {
                StageKind::ShuffleMap(s) => self.outputs.register(s.shuffle, stage.num_partitions),
                StageKind::Result => results_missing.extend(0..stage.num_partitions),
            }
            let pending = BTreeSet::new();
            let state = StageState { stage, job, attempts: 0, failures: 0, pending, results_missing };
            self.stages.insert(state.stage.id, state);
        }
        self.advance(job, out);
    }

    fn missing(&self, state: &StageState) -> Vec<u32> {
        match &state.stage.kind {
            StageKind::ShuffleMap(s) => self.outputs.missing(s.shuffle),
            StageKind::Result => state.results_missing.iter().copied().collect(),
        }
    }

    /// Whether nothing is [missing](Self::missing).
    fn is_complete(&self, state: &StageState) -> bool {
        match &state.stage.kind {
            StageKind::ShuffleMap(s) => self.outputs.is_complete(s.shuffle),
            StageKind::Result => state.results_missing.is_empty(),
        }
    }

    /// Submits every stage that is needed, does not run, and whose parents are complete.
    fn advance(&mut self, job: JobId, out: &mut Vec<DagAction>) {
        let Some(last) = self.jobs.get(&job).and_then(|s| s.last().copied()) else { return };
        let (mut open, mut seen) = (vec![last], BTreeSet::new());
        while let Some(id) = open.pop() {
            let Some(state) = self.stages.get(&id).filter(|_| seen.insert(id)) else { continue };
            let complete = self.is_complete(state);
            if complete && id == last {
                return self.end(job, None, out);
            }
            if complete || !state.pending.is_empty() {
                continue;
            }
            let incomplete = |p: &StageId| self.stages.get(p).is_some_and(|s| !self.is_complete(s));
            let parents: Vec<_> = state.stage.parents.iter().copied().filter(incomplete).collect();
            let missing = self.missing(state);
            if !parents.is_empty() {
                open.extend(parents);
            } else if let Some(state) = self.stages.get_mut(&id) {
                state.pending = missing.iter().copied().collect();
                let (stage_attempt, rdd) = (state.attempts, state.stage.rdd);
                state.attempts += 1;
                out.push(DagAction::SubmitTaskSet {
                    job,
                    stage: id,
                    stage_attempt,
                    rdd,
                    partitions: missing,
                });
            }
        }
    }

    fn finished(&mut self, task: TaskAttempt, outcome: TaskOutcome, out: &mut Vec<DagAction>) {
        let Some(state) = self.stages.get_mut(&task.stage) else { return };
        let (job, current) = (state.job, task.stage_attempt + 1 == state.attempts);
        match outcome {
            TaskOutcome::Success { map_status } => {
                let first = current && state.pending.remove(&task.partition);
                match (&state.stage.kind, map_status) {
                    (StageKind::ShuffleMap(s), Some(status)) if !self.lost.contains(&status.executor) => {
                        self.outputs.add(s.shuffle, MapId(task.partition), status);
                    }
                    (StageKind::Result, _) if state.results_missing.remove(&task.partition) => {
                        out.push(DagAction::ResultAccepted { attempt: task });
                    }
                    _ => {}
                }
                if first && state.pending.is_empty() {
                    out.push(DagAction::StageCompleted { stage: task.stage });
                    self.release_consumed_by(task.stage, out);
                }
                self.advance(job, out);
            }
            TaskOutcome::FetchFailed { shuffle, map, executor } if current && !state.pending.is_empty() => {
                state.pending.clear();
                state.failures += 1;
                let failed = state.failures >= self.options.max_stage_failures;
                let (stage, stage_attempt) = (task.stage, task.stage_attempt);
                out.push(DagAction::CancelTaskSet { stage, stage_attempt });
                self.outputs.remove(shuffle, map, executor);
                if failed {
                    self.end(job, Some(JobFailure::StageAttempts { stage }), out);
                } else {
                    self.advance(job, out);
                }
            }
            TaskOutcome::Failed { error } if current => {
                self.end(job, Some(JobFailure::Task { error }), out);
            }
            _ => {}
        }
    }

    /// Releases the shuffles that a complete stage read, unless another stage still has to read them.
    fn release_consumed_by(&mut self, stage: StageId, out: &mut Vec<DagAction>) {
        if !self.options.release_consumed {
            return;
        }
        let Some(parents) = self.stages.get(&stage).map(|s| s.stage.parents.clone()) else { return };
        for parent in parents {
            let complete = |s: &StageState| s.attempts > 0 && s.pending.is_empty() && self.is_complete(s);
            let wanted = self.stages.values().any(|s| s.stage.parents.contains(&parent) && !complete(s));
            let Some(StageKind::ShuffleMap(shuffle)) = self.stages.get(&parent).map(|s| &s.stage.kind) else {
                continue;
            };
            let shuffle = shuffle.shuffle;
            if !wanted && self.outputs.release(shuffle) {
                out.push(DagAction::ReleaseShuffle { shuffle });
            }
        }
    }

    fn end(&mut self, job: JobId, failure: Option<JobFailure>, out: &mut Vec<DagAction>) {
        let Some(stages) = self.jobs.remove(&job) else { return };
        for id in stages {
            let Some(state) = self.stages.remove(&id) else { continue };
            if !state.pending.is_empty() {
                out.push(DagAction::CancelTaskSet { stage: id, stage_attempt: state.attempts - 1 });
            }
            if let StageKind::ShuffleMap(s) = state.stage.kind {
                if self.outputs.release(s.shuffle) {
                    out.push(DagAction::ReleaseShuffle { shuffle: s.shuffle });
                }
            }
        }
        out.push(match failure {
            None => DagAction::JobSucceeded { job },
            Some(reason) => DagAction::JobFailed { job, reason },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_job_or_task_changes_nothing() {
        let mut dag = DagScheduler::new(DagOptions::default());
        assert!(dag.handle(DagEvent::CancelJob { job: JobId(1) }).is_empty());
        let attempt = TaskAttempt { stage: StageId(9), stage_attempt: 0, partition: 0, attempt: 0 };
        let outcome = TaskOutcome::Success { map_status: None };
        assert!(dag.handle(DagEvent::TaskFinished { attempt, outcome }).is_empty());
    }
}
