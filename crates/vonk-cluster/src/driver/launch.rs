//! The driver's launches: what becomes a task on its way out, what a stage's tasks are told, and tasks that are not wanted any more.
//!
//! Must not know: which tasks run where, and why (the scheduler), how they are sent out ([`Backend`](crate::backend::Backend)).

use super::JobSpec;
use super::run::Loop;
use crate::backend::{StageLaunch, TaskLaunch};
use crate::failure;
use crate::progress::leaves;
use crate::status::Note;
use std::collections::BTreeMap;
use std::sync::Arc;
use vonk_error::Error;
use vonk_scheduler::{
    Dependency, Event, ExecutorId, Fragment, JobId, RddId, ShuffleId, StageId, TaskAttempt, TaskId,
};
use vonk_shuffle::{MapPlaces, Place, ShuffleInputs};

/// A task that was launched and has not ended.
pub(super) struct Launched {
    pub attempt: TaskAttempt,
    pub executor: ExecutorId,
    pub stage: Arc<StageLaunch>,
}

impl Loop {
    /// A task is to run: it is sent out with the others of this round.
    pub(super) fn launch(
        &mut self,
        job: JobId,
        task: TaskId,
        attempt: TaskAttempt,
        executor: ExecutorId,
        speculative: bool,
    ) {
        let stage = self.jobs.get(&job).and_then(|j| j.stages.get(&attempt.stage)).cloned();
        let Some(stage) = stage else {
            // A launch without its stage is a bug; its slot must be given back all the same.
            let error = Error::internal("a task was launched before its stage");
            self.feed(Event::TaskEnded { task, end: failure::task_end(&error, false) });
            return;
        };
        if let Some(allocating) = &mut self.allocating {
            allocating.launched(executor);
        }
        self.launched.insert(task, Launched { attempt, executor, stage: stage.clone() });
        let partition = attempt.partition;
        self.note(&Note::TaskStart {
            task: task.0,
            stage: attempt.stage.0,
            stage_attempt: attempt.stage_attempt,
            partition,
            task_attempt: attempt.attempt,
            executor: executor.0,
            speculative,
        });
        self.launches.push(TaskLaunch { task, partition, executor, stage });
    }

    /// Hands what was launched to the backend.
    pub(super) fn send_launches(&mut self) {
        if !self.launches.is_empty() {
            self.backend.launch(std::mem::take(&mut self.launches));
        }
    }

    pub(super) fn stage_submitted(
        &mut self,
        job: JobId,
        stage: StageId,
        (stage_attempt, generation): (u32, u32),
        fragment: Fragment,
        tasks: u32,
    ) {
        let Some(state) = self.jobs.get(&job) else { return };
        let Some(root) = state.spec.fragments.get(fragment.0 as usize).cloned() else { return };
        state.spec.progress.begin(stage, tasks);
        state.metrics.lock().stages += 1;
        if self.observer.is_some() {
            let name = root.plan.name();
            let (job, stage) = (job.0, stage.0);
            self.note(&Note::StageSubmitted { job, stage, stage_attempt, tasks, name });
        }
        let launch = StageLaunch {
            job,
            stage,
            stage_attempt,
            generation,
            progress: state.spec.progress.clone(),
            leaves: leaves(&root),
            fragment: root,
            query: state.spec.query.clone(),
            inputs: Arc::new(self.inputs(&state.spec, fragment)),
            results: state.spec.results.clone(),
        };
        let (dealt, parts) = (launch.is_result() && state.parts > 1, state.parts);
        if let Some(state) = self.jobs.get_mut(&job) {
            state.stages.insert(stage, Arc::new(launch));
        }
        if dealt {
            self.feed(Event::ResultsDealt { stage, parts });
        }
    }

    /// The results of a job are read in parts: its tasks are to serve all of them.
    pub(super) fn dealt(&mut self, job: JobId, parts: u32) {
        let Some(state) = self.jobs.get_mut(&job) else { return };
        state.parts = parts;
        let result = state.stages.iter().find(|(_, launch)| launch.is_result()).map(|(stage, _)| *stage);
        if let Some(stage) = result {
            self.feed(Event::ResultsDealt { stage, parts });
        }
    }

    /// A task that waits to be sent out ends here; one that was sent out ends where it runs.
    pub(super) fn kill(&mut self, task: TaskId, executor: ExecutorId) {
        let before = self.launches.len();
        self.launches.retain(|l| l.task != task);
        match self.launches.len() < before {
            true => self.ended(task, Err(Error::cancelled())),
            false => self.backend.kill(task, executor),
        }
    }

    /// Where the map outputs are that a fragment reads, as the scheduler knows now.
    fn inputs(&self, spec: &JobSpec, fragment: Fragment) -> ShuffleInputs {
        // The RDDs of a graph have a fragment each, in the same order.
        let Some(rdd) = spec.graph.get(RddId(fragment.0)) else { return ShuffleInputs::default() };
        let places = rdd.dependencies.iter().filter_map(|d| match d {
            Dependency::Shuffle(s) => Some((s.shuffle.0, Arc::new(self.places(s.shuffle)?))),
            Dependency::Narrow { .. } => None,
        });
        places.collect()
    }

    /// `None` if all blocks are in this process.
    fn places(&self, shuffle: ShuffleId) -> Option<MapPlaces> {
        let mut known: BTreeMap<ExecutorId, u32> = BTreeMap::new();
        let mut places: Vec<Place> = Vec::new();
        let mut maps = Vec::new();
        for executor in self.scheduler.outputs().places(shuffle)? {
            // A stage is submitted when its inputs are complete; should one be missing all the same, the reader will say so.
            let Some(executor) = *executor else {
                maps.push(u32::MAX);
                continue;
            };
            let index = match known.get(&executor) {
                Some(index) => *index,
                None => {
                    let index = u32::try_from(places.len()).ok()?;
                    places.push(self.backend.place(executor)?);
                    known.insert(executor, index);
                    index
                }
            };
            maps.push(index);
        }
        Some(MapPlaces { places, maps })
    }
}
