//! Both schedulers together: what a driver feeds with events and whose actions it carries out.
//!
//! Must not know: who runs tasks and how events arrive.

use std::collections::VecDeque;

use crate::dag::{DagAction, DagEvent, DagScheduler};
use crate::event::{Action, Event, TaskEnd};
use crate::ids::{ExecutorId, Fragment, JobId, ShuffleId, StageId, TaskId};
use crate::lifecycle::{ExecutorState, StageState};
use crate::map_outputs::MapOutputs;
use crate::options::SchedulerOptions;
use crate::preferences::preferred;
use crate::tasks::{TaskAction, TaskEvent, TaskScheduler};
use crate::time::Time;

enum Step {
    Dag(DagEvent),
    Task(TaskEvent),
}

/// DAG scheduler and task scheduler as one state machine.
///
/// An event goes to the one that it concerns; what that one says to the other follows at once, and only when both are done are
/// free slots filled: so no task is launched that the same event makes useless.
pub struct Scheduler {
    dag: DagScheduler,
    tasks: TaskScheduler,
    steps: VecDeque<Step>,
    // Kept to be used again: an event costs no allocation but that of its actions.
    dag_actions: Vec<DagAction>,
    task_actions: Vec<TaskAction>,
}

impl Scheduler {
    /// Without executors and jobs.
    pub fn new(options: SchedulerOptions) -> Self {
        Scheduler {
            dag: DagScheduler::new(options.dag),
            tasks: TaskScheduler::new(options),
            steps: VecDeque::new(),
            dag_actions: Vec::new(),
            task_actions: Vec::new(),
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

    /// Tasks that are parked now.
    pub fn parked(&self) -> usize {
        self.tasks.parked_now()
    }

    /// Tasks that run now or are parked, those that were killed and have not been reported to have ended among them.
    pub fn running(&self) -> usize {
        self.tasks.running()
    }

    /// Tasks that could run if there were slots: the backlog, for whoever asks for more executors.
    pub fn waiting(&self) -> usize {
        self.tasks.waiting()
    }

    /// Jobs that have not ended.
    pub fn jobs(&self) -> usize {
        self.dag.jobs()
    }

    /// The state of a stage whose job has not ended.
    pub fn stage_state(&self, stage: StageId) -> Option<StageState> {
        self.dag.stage_state(stage)
    }

    /// The state of an executor that is not lost.
    pub fn executor_state(&self, executor: ExecutorId) -> Option<ExecutorState> {
        self.tasks.executor_state(executor)
    }

    /// When [`Event::Tick`] must be fed at the latest; `None` if nothing waits for a time.
    pub fn next_timer(&self) -> Option<Time> {
        self.tasks.next_timer()
    }

    /// Takes one event. What is late, twice or unknown changes nothing. Time may stand still but does not go back.
    pub fn handle(&mut self, now: Time, event: Event) -> Vec<Action> {
        let mut out = Vec::new();
        self.tasks.advance(now, &mut self.task_actions);
        self.drain_tasks(&mut out);
        self.take(event);
        self.run(&mut out);
        self.tasks.offer(&mut self.task_actions);
        self.drain_tasks(&mut out);
        self.run(&mut out);
        out
    }

    fn take(&mut self, event: Event) {
        let steps = &mut self.steps;
        match event {
            Event::SubmitJob { job, graph, last, keep, pool } => {
                steps.push_back(Step::Dag(DagEvent::SubmitJob { job, graph, last, keep, pool }));
            }
            Event::ReleaseShuffles { shuffles } => {
                steps.push_back(Step::Dag(DagEvent::ReleaseShuffles { shuffles }));
            }
            Event::CancelJob { job } => steps.push_back(Step::Dag(DagEvent::CancelJob { job })),
            Event::CancelStage { stage } => steps.push_back(Step::Dag(DagEvent::CancelStage { stage })),
            Event::ExecutorAdded { executor, host, slots } => {
                steps.push_back(Step::Task(TaskEvent::ExecutorAdded { executor, host, slots }));
            }
            Event::ExecutorDraining { executor } => {
                steps.push_back(Step::Task(TaskEvent::ExecutorDraining { executor }));
            }
            Event::ExecutorLost { executor, blocks_lost } => {
                steps.push_back(Step::Dag(DagEvent::ExecutorLost { executor, blocks_lost }));
                steps.push_back(Step::Task(TaskEvent::ExecutorLost { executor }));
            }
            Event::OutputsMoved { from, to, outputs } => {
                steps.push_back(Step::Dag(DagEvent::OutputsMoved { from, to, outputs }));
            }
            Event::ResultsDealt { stage, parts } => {
                steps.push_back(Step::Task(TaskEvent::Dealt { stage, parts }));
            }
            Event::TaskParked { task } => steps.push_back(Step::Task(TaskEvent::Parked { task })),
            Event::TaskResumed { task } => steps.push_back(Step::Task(TaskEvent::Resumed { task })),
            Event::TaskEnded { task, end } => steps.push_back(Step::Task(TaskEvent::Ended { task, end })),
            Event::Tick => {}
        }
    }

    fn run(&mut self, out: &mut Vec<Action>) {
        while let Some(step) = self.steps.pop_front() {
            match step {
                Step::Dag(event) => {
                    let mut actions = std::mem::take(&mut self.dag_actions);
                    self.dag.handle(event, &mut actions);
                    actions.drain(..).for_each(|action| self.from_dag(action, out));
                    self.dag_actions = actions;
                }
                Step::Task(event) => {
                    self.tasks.handle(event, &mut self.task_actions);
                    self.drain_tasks(out);
                }
            }
        }
    }

    fn drain_tasks(&mut self, out: &mut Vec<Action>) {
        let mut actions = std::mem::take(&mut self.task_actions);
        actions.drain(..).for_each(|action| self.from_tasks(action, out));
        self.task_actions = actions;
    }

    fn from_dag(&mut self, action: DagAction, out: &mut Vec<Action>) {
        let event = match action {
            DagAction::SubmitTaskSet { set, stage_attempt, rdd, partitions, generation, copies } => {
                let Some((graph, pool)) = self.dag.job(set.job) else { return };
                let host = |e| self.tasks.host(e);
                let preferred = preferred(graph, rdd, &partitions, self.dag.outputs(), host);
                let tasks = u32::try_from(partitions.len()).unwrap_or(u32::MAX);
                let fragment = graph.get(rdd).map_or(Fragment(0), |r| r.fragment);
                let (job, stage) = (set.job, set.stage);
                out.push(Action::StageSubmitted { job, stage, stage_attempt, fragment, tasks, generation });
                let pool = pool.to_string();
                TaskEvent::Submit { set, pool, stage_attempt, partitions, preferred, copies }
            }
            DagAction::Redo { set, partitions } => TaskEvent::Redo { set, partitions },
            DagAction::Done { set, partition } => TaskEvent::Done { set, partition },
            DagAction::Suspend { set } => TaskEvent::Suspend { set },
            DagAction::CancelTaskSet { set } => TaskEvent::Cancel { set },
            DagAction::ResultAccepted { job, task, attempt } => {
                return out.push(Action::ResultAccepted { job, task, attempt });
            }
            DagAction::StageCompleted { stage } => return out.push(Action::StageCompleted { stage }),
            DagAction::ForgetOutputs { shuffle } => {
                let before = self.tasks.next_task();
                return out.push(Action::ForgetOutputs { shuffle, before });
            }
            DagAction::ReleaseShuffle { shuffle } => return out.push(Action::ReleaseShuffle { shuffle }),
            DagAction::JobSucceeded { job } => return out.push(Action::JobSucceeded { job }),
            DagAction::JobFailed { job, reason } => return out.push(Action::JobFailed { job, reason }),
        };
        self.steps.push_back(Step::Task(event));
    }

    fn from_tasks(&mut self, action: TaskAction, out: &mut Vec<Action>) {
        let event = match action {
            TaskAction::Launch { job, task, attempt, executor, speculative } => {
                return match self.fragment(job, attempt.stage) {
                    Some(fragment) => {
                        out.push(Action::Launch { job, task, attempt, fragment, executor, speculative });
                    }
                    // Cannot be: a set is gone before slots are filled, if its job is.
                    None => self.give_back(task),
                };
            }
            TaskAction::Kill { task, executor } => return out.push(Action::Kill { task, executor }),
            TaskAction::Excluded { executor, stage, until } => {
                return out.push(Action::ExecutorExcluded { executor, stage, until });
            }
            TaskAction::Succeeded { task, attempt, map_status, late } => {
                DagEvent::Succeeded { task, attempt, map_status, late }
            }
            TaskAction::FetchFailed { attempt, shuffle, map, executor, unreachable, wanted } => {
                DagEvent::FetchFailed { attempt, shuffle, map, executor, unreachable, wanted }
            }
            TaskAction::Failed { stage, failure } => DagEvent::StageFailed { stage, failure },
            TaskAction::Starved { stage } => DagEvent::Starved { stage },
        };
        self.steps.push_back(Step::Dag(event));
    }

    fn fragment(&self, job: JobId, stage: StageId) -> Option<Fragment> {
        let (_, rdd) = self.dag.stage(stage)?;
        self.dag.job(job)?.0.get(rdd).map(|r| r.fragment)
    }

    fn give_back(&mut self, task: TaskId) {
        debug_assert!(false, "a launch for a job that has ended");
        self.steps.push_back(Step::Task(TaskEvent::Ended { task, end: TaskEnd::Killed }));
    }
}
