//! The DAG scheduler: turns a job into stages, submits those whose parents are there, and
//! recovers lost map outputs by lineage.
//!
//! Must not know: executors' slots, retries of single tasks, clocks.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::JobFailure;
use crate::ids::{ExecutorId, JobId, MapId, RddId, ShuffleId, StageId, TaskAttempt, TaskId};
use crate::map_outputs::{MapOutputs, MapStatus};
use crate::options::DagOptions;
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
    Failed { failure: JobFailure },
}

/// What happens to the DAG scheduler.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum DagEvent {
    /// An action on `last`. Of the shuffles in the graph, those in `keep` are still there when the job has ended, for the next job
    /// that names them: a job that does not keep them, or [`ReleaseShuffles`](Self::ReleaseShuffles), ends that.
    SubmitJob { job: JobId, graph: RddGraph, last: RddId, keep: Vec<ShuffleId> },
    /// A task ended.
    TaskFinished { task: TaskId, attempt: TaskAttempt, outcome: TaskOutcome },
    /// An executor is gone, perhaps with the blocks it served.
    ExecutorLost { executor: ExecutorId, blocks_lost: bool },
    /// The job is not wanted any more.
    CancelJob { job: JobId },
    /// The jobs that need this stage are not wanted any more.
    CancelStage { stage: StageId },
    /// Blocks were copied to another executor, which serves them now.
    OutputsMoved { from: ExecutorId, to: ExecutorId, outputs: Vec<(ShuffleId, MapId)> },
    /// No job to come reads these.
    ReleaseShuffles { shuffles: Vec<ShuffleId> },
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

/// The state machine. Shuffles are released with the last job that names them, or before ([`DagOptions::release_consumed`]), unless
/// one of these keeps them for later jobs: a map stage whose outputs are there is skipped, whichever job made them.
pub struct DagScheduler {
    options: DagOptions,
    next_stage: u64,
    outputs: MapOutputs,
    stages: BTreeMap<StageId, StageState>,
    jobs: BTreeMap<JobId, Vec<StageId>>,
    lost: BTreeSet<ExecutorId>,
    /// Shuffles that later jobs will read.
    kept: BTreeSet<ShuffleId>,
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
            kept: BTreeSet::new(),
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
            DagEvent::SubmitJob { job, graph, last, keep } => self.submit(job, &graph, last, &keep, &mut out),
            DagEvent::TaskFinished { task, attempt, outcome } => {
                self.finished(task, attempt, outcome, &mut out)
            }
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
            DagEvent::CancelStage { stage } => {
                if let Some(job) = self.stages.get(&stage).map(|s| s.job) {
                    self.end(job, Some(JobFailure::StageCancelled { stage }), &mut out);
                }
            }
            DagEvent::OutputsMoved { from, to, outputs } => {
                if !self.lost.contains(&to) {
                    outputs.iter().for_each(|(shuffle, map)| self.outputs.moved(*shuffle, *map, from, to));
                }
            }
            DagEvent::ReleaseShuffles { shuffles } => {
                for shuffle in shuffles {
                    self.kept.remove(&shuffle);
                    self.release(shuffle, &mut out);
                }
            }
        }
        out
    }

    fn submit(
        &mut self,
        job: JobId,
        graph: &RddGraph,
        last: RddId,
        keep: &[ShuffleId],
        out: &mut Vec<DagAction>,
    ) {
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
                StageKind::ShuffleMap(s) => {
                    self.outputs.register(s.shuffle, stage.num_partitions);
                    self.kept.remove(&s.shuffle);
                    if keep.contains(&s.shuffle) {
                        self.kept.insert(s.shuffle);
                    }
                }
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

    fn finished(&mut self, id: TaskId, task: TaskAttempt, outcome: TaskOutcome, out: &mut Vec<DagAction>) {
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
                        out.push(DagAction::ResultAccepted { task: id, attempt: task });
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
                let attempts = state.failures;
                let failed = attempts >= self.options.max_consecutive_stage_attempts;
                let (stage, stage_attempt) = (task.stage, task.stage_attempt);
                out.push(DagAction::CancelTaskSet { stage, stage_attempt });
                self.outputs.remove(shuffle, map, executor);
                if failed {
                    self.end(
                        job,
                        Some(JobFailure::StageAttempts { stage, attempts, shuffle, map, executor }),
                        out,
                    );
                } else {
                    self.advance(job, out);
                }
            }
            TaskOutcome::Failed { failure } if current => {
                self.end(job, Some(failure), out);
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
            if !wanted && !self.kept.contains(&shuffle) && self.outputs.release(shuffle) {
                out.push(DagAction::ReleaseShuffle { shuffle });
            }
        }
    }

    /// Whether a job names a shuffle, now or later.
    pub fn wants(&self, shuffle: ShuffleId) -> bool {
        let makes =
            |s: &StageState| matches!(&s.stage.kind, StageKind::ShuffleMap(d) if d.shuffle == shuffle);
        self.kept.contains(&shuffle) || self.stages.values().any(makes)
    }

    /// Releases a shuffle that no job wants any more.
    fn release(&mut self, shuffle: ShuffleId, out: &mut Vec<DagAction>) {
        if !self.wants(shuffle) && self.outputs.release(shuffle) {
            out.push(DagAction::ReleaseShuffle { shuffle });
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
                self.release(s.shuffle, out);
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
    use crate::ids::Fragment;
    use crate::rdd::{Dependency, Partitioner, Rdd, ShuffleDependency};

    #[test]
    fn an_unknown_job_or_task_changes_nothing() {
        let mut dag = DagScheduler::new(DagOptions::default());
        assert!(dag.handle(DagEvent::CancelJob { job: JobId(1) }).is_empty());
        let attempt = TaskAttempt { stage: StageId(9), stage_attempt: 0, partition: 0, attempt: 0 };
        let outcome = TaskOutcome::Success { map_status: None };
        assert!(dag.handle(DagEvent::TaskFinished { task: TaskId(0), attempt, outcome }).is_empty());
    }

    /// One map task, one result task.
    fn two_stages(shuffle: ShuffleId) -> (RddGraph, RddId) {
        let rdd = |dependencies| Rdd {
            id: RddId(0),
            num_partitions: 1,
            dependencies,
            partitioner: None,
            preferred_locations: vec![],
            fragment: Fragment(0),
            determinate: true,
        };
        let mut graph = RddGraph::default();
        let map = graph.add(rdd(vec![])).unwrap();
        let read = ShuffleDependency { shuffle, rdd: map, num_reduce: 1, partitioner: Partitioner::Single };
        let last = graph.add(rdd(vec![Dependency::Shuffle(read)])).unwrap();
        (graph, last)
    }

    /// Ends all tasks that are asked for, and those asked for then; gives all actions.
    fn run(dag: &mut DagScheduler, event: DagEvent) -> Vec<DagAction> {
        let (mut all, mut open) = (vec![], vec![event]);
        while let Some(event) = open.pop() {
            for action in dag.handle(event) {
                if let DagAction::SubmitTaskSet { stage, stage_attempt, rdd, .. } = action {
                    let attempt = TaskAttempt { stage, stage_attempt, partition: 0, attempt: 0 };
                    let status = MapStatus { executor: ExecutorId(1), sizes: vec![1] };
                    let map_status = (rdd == RddId(0)).then_some(status);
                    open.push(DagEvent::TaskFinished {
                        task: TaskId(0),
                        attempt,
                        outcome: TaskOutcome::Success { map_status },
                    });
                }
                all.push(action);
            }
        }
        all
    }

    #[test]
    fn a_kept_shuffle_is_made_once_and_released_with_the_last_job() {
        let shuffle = ShuffleId(7);
        let (graph, last) = two_stages(shuffle);
        for release_consumed in [false, true] {
            let mut dag = DagScheduler::new(DagOptions { release_consumed, ..DagOptions::default() });
            let mut submit = |job, keep| {
                let event = DagEvent::SubmitJob { job: JobId(job), graph: graph.clone(), last, keep };
                let actions = run(&mut dag, event);
                let sets = actions.iter().filter(|a| matches!(a, DagAction::SubmitTaskSet { .. })).count();
                let released = actions.contains(&DagAction::ReleaseShuffle { shuffle });
                assert!(actions.contains(&DagAction::JobSucceeded { job: JobId(job) }));
                (sets, released)
            };
            assert_eq!(submit(1, vec![shuffle]), (2, false));
            assert_eq!(submit(2, vec![shuffle]), (1, false));
            assert_eq!(submit(3, vec![]), (1, true));
            assert_eq!(submit(4, vec![shuffle]), (2, false));
            let actions = dag.handle(DagEvent::ReleaseShuffles { shuffles: vec![shuffle] });
            assert_eq!(actions, [DagAction::ReleaseShuffle { shuffle }]);
        }
    }

    #[test]
    fn a_kept_shuffle_that_is_lost_is_made_again() {
        let shuffle = ShuffleId(7);
        let (graph, last) = two_stages(shuffle);
        let mut dag = DagScheduler::new(DagOptions::default());
        let submit = |job, keep| DagEvent::SubmitJob { job: JobId(job), graph: graph.clone(), last, keep };
        run(&mut dag, submit(1, vec![shuffle]));
        dag.handle(DagEvent::ExecutorLost { executor: ExecutorId(1), blocks_lost: true });
        let actions = dag.handle(submit(2, vec![]));
        assert!(matches!(actions[..], [DagAction::SubmitTaskSet { rdd: RddId(0), .. }]), "{actions:?}");
    }
}
