//! Both schedulers together: what a driver feeds with events and whose actions it carries out.
//!
//! Must not know: who runs tasks and how events arrive.

use std::collections::{BTreeMap, VecDeque};

use crate::dag::{DagAction, DagEvent, DagScheduler};
use crate::event::{Action, Event, TaskEnd};
use crate::ids::{Fragment, JobId, ShuffleId, StageId};
use crate::map_outputs::MapOutputs;
use crate::options::SchedulerOptions;
use crate::rdd::RddGraph;
use crate::tasks::{TaskAction, TaskEvent, TaskScheduler};
use crate::time::Time;

/// DAG scheduler and task scheduler as one state machine.
pub struct Scheduler {
    dag: DagScheduler,
    tasks: TaskScheduler,
    graphs: BTreeMap<JobId, RddGraph>,
    /// Job and fragment of the stages that were submitted.
    stages: BTreeMap<StageId, (JobId, Fragment)>,
}

enum Step {
    Dag(DagEvent),
    Task(TaskEvent),
}

impl Scheduler {
    /// Without executors and jobs.
    pub fn new(options: SchedulerOptions) -> Self {
        Scheduler {
            dag: DagScheduler::new(options.dag),
            tasks: TaskScheduler::new(options.max_task_failures),
            graphs: BTreeMap::new(),
            stages: BTreeMap::new(),
        }
    }

    /// Where map outputs live.
    pub fn outputs(&self) -> &MapOutputs {
        self.dag.outputs()
    }

    /// See [`DagScheduler::wants`].
    pub fn wants(&self, shuffle: ShuffleId) -> bool {
        self.dag.wants(shuffle)
    }

    /// Tasks that run now.
    pub fn running(&self) -> usize {
        self.tasks.running()
    }

    /// Jobs that have not ended.
    pub fn jobs(&self) -> usize {
        self.graphs.len()
    }

    /// When [`Event::Tick`] must be fed at the latest; `None` if nothing waits for a time.
    pub fn next_timer(&self) -> Option<Time> {
        None
    }

    /// Takes one event. What is late, twice or unknown changes nothing.
    pub fn handle(&mut self, _now: Time, event: Event) -> Vec<Action> {
        let mut steps = VecDeque::new();
        match event {
            Event::SubmitJob { job, graph, last, keep, pool: _ } => {
                if self.graphs.contains_key(&job) {
                    return Vec::new();
                }
                self.graphs.insert(job, graph.clone());
                steps.push_back(Step::Dag(DagEvent::SubmitJob { job, graph, last, keep }));
            }
            Event::ReleaseShuffles { shuffles } => {
                steps.push_back(Step::Dag(DagEvent::ReleaseShuffles { shuffles }));
            }
            Event::CancelJob { job } => steps.push_back(Step::Dag(DagEvent::CancelJob { job })),
            Event::ExecutorAdded { executor, host, slots } => {
                steps.push_back(Step::Task(TaskEvent::ExecutorAdded { executor, host, slots }));
            }
            Event::ExecutorLost { executor, blocks_lost } => {
                steps.push_back(Step::Dag(DagEvent::ExecutorLost { executor, blocks_lost }));
                steps.push_back(Step::Task(TaskEvent::ExecutorLost { executor }));
            }
            Event::CancelStage { stage } => steps.push_back(Step::Dag(DagEvent::CancelStage { stage })),
            Event::ExecutorDraining { executor } => {
                steps.push_back(Step::Task(TaskEvent::ExecutorDraining { executor }));
            }
            Event::OutputsMoved { from, to, outputs } => {
                steps.push_back(Step::Dag(DagEvent::OutputsMoved { from, to, outputs }));
            }
            Event::Tick => {}
            Event::TaskEnded { task, end } => steps.push_back(Step::Task(TaskEvent::Ended { task, end })),
        }
        let mut out = Vec::new();
        while let Some(step) = steps.pop_front() {
            match step {
                Step::Dag(event) => {
                    for action in self.dag.handle(event) {
                        self.from_dag(action, &mut steps, &mut out);
                    }
                }
                Step::Task(event) => {
                    for action in self.tasks.handle(event) {
                        self.from_tasks(action, &mut steps, &mut out);
                    }
                }
            }
        }
        out
    }

    fn from_dag(&mut self, action: DagAction, steps: &mut VecDeque<Step>, out: &mut Vec<Action>) {
        match action {
            DagAction::SubmitTaskSet { job, stage, stage_attempt, rdd, partitions } => {
                let Some(rdd) = self.graphs.get(&job).and_then(|g| g.get(rdd)) else { return };
                let fragment = rdd.fragment;
                let place = |p: u32| rdd.preferred_locations.get(p as usize).cloned().unwrap_or_default();
                let tasks: Vec<_> = partitions.into_iter().map(|p| (p, place(p))).collect();
                self.stages.insert(stage, (job, fragment));
                let count = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
                out.push(Action::StageSubmitted { job, stage, stage_attempt, fragment, tasks: count });
                steps.push_back(Step::Task(TaskEvent::Submit { job, stage, stage_attempt, tasks }));
            }
            DagAction::CancelTaskSet { stage, stage_attempt } => {
                steps.push_back(Step::Task(TaskEvent::Cancel { stage, stage_attempt }));
            }
            DagAction::ResultAccepted { task, attempt } => {
                if let Some((job, _)) = self.stages.get(&attempt.stage) {
                    out.push(Action::ResultAccepted { job: *job, task, attempt });
                }
            }
            DagAction::StageCompleted { stage } => out.push(Action::StageCompleted { stage }),
            DagAction::ReleaseShuffle { shuffle } => out.push(Action::ReleaseShuffle { shuffle }),
            DagAction::JobSucceeded { job } => {
                self.forget(job);
                out.push(Action::JobSucceeded { job });
            }
            DagAction::JobFailed { job, reason } => {
                self.forget(job);
                out.push(Action::JobFailed { job, reason });
            }
        }
    }

    fn from_tasks(&mut self, action: TaskAction, steps: &mut VecDeque<Step>, out: &mut Vec<Action>) {
        match action {
            TaskAction::Launch { task, attempt, executor } => {
                // A stage of a job that has just ended: its cancellation is on the way.
                if let Some((job, fragment)) = self.stages.get(&attempt.stage) {
                    let (job, fragment) = (*job, *fragment);
                    out.push(Action::Launch { job, task, attempt, fragment, executor, speculative: false });
                } else {
                    steps.push_back(Step::Task(TaskEvent::Ended { task, end: TaskEnd::Killed }));
                }
            }
            TaskAction::Kill { task, executor } => out.push(Action::Kill { task, executor }),
            TaskAction::Report { task, attempt, outcome } => {
                steps.push_back(Step::Dag(DagEvent::TaskFinished { task, attempt, outcome }));
            }
        }
    }

    fn forget(&mut self, job: JobId) {
        self.graphs.remove(&job);
        self.stages.retain(|_, (j, _)| *j != job);
    }
}
