//! The driver's thread: owns the scheduler, carries out its actions and hears what becomes of them. What is about launching is in
//! [`launch`](super::launch), what is about executors that come and go in [`executors`](super::executors).
//!
//! Must not know: where tasks run ([`Backend`]).

use super::launch::Launched;
use super::notes::{count, outcome_note};
use super::{JobMetrics, JobSpec, Message};
use crate::allocating::Allocating;
use crate::backend::{Backend, StageLaunch, TaskLaunch, TaskResult, output_attempt};
use crate::failure;
use crate::results::Results;
use crate::status::{Note, Observer};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use vonk_error::{Error, Result};
use vonk_physical::{PhysicalPlan, PlanNode};
use vonk_scheduler::allocation::AllocationOptions;
use vonk_scheduler::{
    Action, Event, ExecutorId, JobId, MapStatus, Scheduler, SchedulerOptions, ShuffleId, StageId, TaskEnd,
    TaskId, Time,
};

/// A job that runs.
pub(super) struct Job {
    pub(super) spec: JobSpec,
    pub(super) metrics: Arc<Mutex<JobMetrics>>,
    /// In how many parts its results are read.
    pub(super) parts: u32,
    /// The newest attempts of its stages.
    pub(super) stages: HashMap<StageId, Arc<StageLaunch>>,
}

/// The thread's state.
pub(super) struct Loop {
    pub(super) scheduler: Scheduler,
    pub(super) backend: Box<dyn Backend>,
    pub(super) jobs: HashMap<JobId, Job>,
    pub(super) launched: HashMap<TaskId, Launched>,
    /// Events that wait for the actions of the one before.
    events: VecDeque<Event>,
    feeding: bool,
    /// Where the rows of tasks are whose end is told to the scheduler.
    ending: HashMap<TaskId, Arc<Results>>,
    /// Why there are no executors and will be none, as long as that is so.
    pub(super) unavailable: Option<Error>,
    /// Executors that are there.
    pub(super) executors: HashSet<ExecutorId>,
    /// Executors that are to leave, with those that take their blocks over.
    pub(super) draining: HashMap<ExecutorId, Option<ExecutorId>>,
    /// Executors that were told to go: that they are gone then is no loss.
    pub(super) dismissed: HashSet<ExecutorId>,
    /// Executors come and go with the work.
    pub(super) allocating: Option<Allocating>,
    /// Tasks to be handed to the backend together, once the scheduler has said all it has to say.
    pub(super) launches: Vec<TaskLaunch>,
    /// When the scheduler's time began.
    started: Instant,
    /// How many tasks are launched, for those who ask.
    alive: Arc<AtomicUsize>,
    pub(super) observer: Option<Arc<Observer>>,
}

impl Loop {
    pub fn new(
        options: SchedulerOptions,
        backend: Box<dyn Backend>,
        observer: Option<Arc<Observer>>,
        allocation: Option<AllocationOptions>,
        alive: Arc<AtomicUsize>,
    ) -> Self {
        Loop {
            allocating: allocation.map(Allocating::new),
            observer,
            scheduler: Scheduler::new(options),
            backend,
            jobs: HashMap::new(),
            launched: HashMap::new(),
            events: VecDeque::new(),
            feeding: false,
            ending: HashMap::new(),
            unavailable: None,
            executors: HashSet::new(),
            draining: HashMap::new(),
            dismissed: HashSet::new(),
            launches: Vec::new(),
            started: Instant::now(),
            alive,
        }
    }

    /// Until it is told to stop.
    pub fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            match self.receive(inbox) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(message) => self.handle(message),
                Err(RecvTimeoutError::Timeout) => self.feed(Event::Tick),
            }
            // What has come in the meantime may fill more slots: it is handled before tasks are sent out.
            for _ in 0..MESSAGES_A_ROUND {
                match inbox.try_recv() {
                    Ok(Message::Stop) => return,
                    Ok(message) => self.handle(message),
                    Err(_) => break,
                }
            }
            self.allocate();
            self.send_launches();
            self.alive.store(self.launched.len(), Ordering::Relaxed);
        }
    }

    /// Waits for a message, until a state machine wants to be called at the latest.
    fn receive(&self, inbox: &Receiver<Message>) -> std::result::Result<Message, RecvTimeoutError> {
        let allocating = self.allocating.as_ref().and_then(Allocating::next_timer);
        match [self.scheduler.next_timer(), allocating].into_iter().flatten().min() {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => inbox.recv_timeout(Duration::from_millis(at.since(self.now()))),
        }
    }

    pub(super) fn now(&self) -> Time {
        Time(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Submit { job, spec, metrics } => {
                let (graph, last, keep, pool) =
                    (spec.graph.clone(), spec.last, spec.keep.clone(), spec.pool.clone());
                let (query, description) = (spec.query.number, &spec.description);
                self.note(&Note::JobStart { job: job.0, query, description, pool: &pool });
                spec.progress.set_without_executors(self.executors.is_empty());
                self.jobs.insert(job, Job { spec, metrics, parts: 1, stages: HashMap::new() });
                self.feed(Event::SubmitJob { job, graph, last, keep, pool });
                self.fail_if_hopeless();
            }
            Message::Cancel(job) => self.feed(Event::CancelJob { job }),
            Message::CancelStage(stage) => self.feed(Event::CancelStage { stage }),
            Message::Dealt { job, parts } => self.dealt(job, parts),
            Message::Release(shuffles) => self.feed(Event::ReleaseShuffles { shuffles }),
            Message::ExecutorAdded { executor, host, slots } => self.executor_added(executor, host, slots),
            Message::ExecutorLost { executor, blocks_lost } => self.executor_lost(executor, blocks_lost),
            Message::Unavailable(reason) => {
                self.unavailable = Some(reason);
                self.fail_if_hopeless();
            }
            Message::Drain(executor) => self.drain(executor),
            Message::Drained { executor, outputs } => self.drained(executor, outputs),
            Message::TookOver { from, to, outputs } => self.took_over(from, to, outputs),
            Message::Parked(task) => {
                self.note(&Note::TaskParked { task: task.0 });
                self.feed(Event::TaskParked { task });
            }
            Message::Resumed(task) => {
                self.note(&Note::TaskResumed { task: task.0 });
                self.feed(Event::TaskResumed { task });
            }
            Message::Ended { task, result } => self.ended(task, result),
            Message::Stop => {}
        }
    }

    /// Without executors, and with none to come, jobs fail instead of waiting for ever. Those that are there may do the work alone.
    pub(super) fn fail_if_hopeless(&mut self) {
        let Some(reason) = self.unavailable.clone().filter(|_| self.executors.is_empty()) else { return };
        for job in self.jobs.keys().copied().collect::<Vec<_>>() {
            if let Some(job) = self.jobs.get(&job) {
                // The first end counts.
                job.spec.results.end(Err(reason.clone()));
            }
            self.feed(Event::CancelJob { job });
        }
    }

    pub(super) fn ended(&mut self, task: TaskId, result: TaskResult) {
        let Some(Launched { attempt, executor, stage }) = self.launched.remove(&task) else { return };
        if let Some(allocating) = &mut self.allocating {
            allocating.ended(executor);
        }
        if !self.jobs.contains_key(&stage.job) {
            // The job is over and its shuffles are released; this task may have committed its output after that.
            self.release_output(&stage.fragment);
        }
        if self.observer.is_some() {
            let outcome = outcome_note(&result, &stage.fragment);
            self.note(&Note::TaskEnd { task: task.0, outcome });
        }
        let counts = result.as_ref().ok().map(|report| report.nodes.as_slice());
        stage.progress.ended(attempt.stage, task, &stage.leaves, counts);
        let end = match result {
            Ok(report) => {
                if let Some(job) = self.jobs.get(&stage.job) {
                    count(&job.metrics, &report);
                }
                let status = |m: vonk_shuffle::MapOutputSizes| MapStatus { executor, sizes: m.bytes };
                TaskEnd::Success { map_status: report.map_output.map(status) }
            }
            Err(error) => {
                stage.results.failed(attempt.partition, task, Some(&error));
                failure::task_end(&error, stage.query.cancel.is_cancelled())
            }
        };
        self.ending.insert(task, stage.results.clone());
        self.feed(Event::TaskEnded { task, end });
    }

    /// Hands an event to the scheduler and carries out its actions. An event that comes up while actions are carried out waits until all
    /// of them are: what the scheduler says next builds on them.
    pub(super) fn feed(&mut self, event: Event) {
        self.events.push_back(event);
        if std::mem::replace(&mut self.feeding, true) {
            return;
        }
        while let Some(event) = self.events.pop_front() {
            let ended = match &event {
                Event::TaskEnded { task, .. } => self.ending.remove_entry(task),
                _ => None,
            };
            for action in self.scheduler.handle(self.now(), event) {
                self.carry_out(action);
            }
            if let Some((task, results)) = ended {
                // Only now is it known whether its rows count.
                results.ended(task);
            }
        }
        self.feeding = false;
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Launch { job, task, attempt, executor, speculative, .. } => {
                self.launch(job, task, attempt, executor, speculative);
            }
            Action::Kill { task, executor } => {
                self.note(&Note::TaskKill { task: task.0, executor: executor.0 });
                self.kill(task, executor);
            }
            Action::StageCompleted { stage } => self.note(&Note::StageCompleted { stage: stage.0 }),
            Action::ExecutorExcluded { executor, stage, .. } => {
                self.note(&Note::ExecutorExcluded { executor: executor.0, stage: stage.map(|s| s.0) });
            }
            Action::StageSubmitted { job, stage, stage_attempt, fragment, tasks, generation } => {
                self.stage_submitted(job, stage, (stage_attempt, generation), fragment, tasks);
            }
            Action::ResultAccepted { job, task, attempt } => {
                self.note(&Note::ResultAccepted { job: job.0, task: task.0, partition: attempt.partition });
                if let Some(job) = self.jobs.get(&job) {
                    job.spec.results.accepted(attempt.partition, task);
                }
            }
            Action::ForgetOutputs { shuffle, before } => {
                self.note(&Note::OutputsRolledBack { shuffle: shuffle.0 });
                self.backend.forget_outputs(shuffle, output_attempt(before));
            }
            Action::ReleaseShuffle { shuffle } => {
                self.note(&Note::ShuffleReleased { shuffle: shuffle.0 });
                self.backend.release(shuffle);
            }
            Action::JobSucceeded { job } => self.end(job, Ok(())),
            Action::JobFailed { job, reason } => self.end(job, Err(failure::reason_error(reason))),
        }
    }

    fn end(&mut self, job: JobId, result: Result<()>) {
        if let Some(state) = self.jobs.remove(&job) {
            // The reason first: whoever sees the flag must find it.
            let failed = result.is_err();
            let error = result.as_ref().err().map(Error::to_string);
            self.note(&Note::JobEnd { job: job.0, error });
            state.spec.results.end(result);
            if failed {
                state.spec.query.cancel.cancel();
            }
            self.backend.job_ended(job);
            // Those that were released when they were consumed, too: a second attempt of a task may have ended since.
            state.spec.fragments.iter().for_each(|root| self.release_output(root));
        }
    }

    /// Releases the shuffle that a fragment writes, if it does and no other job wants it.
    fn release_output(&mut self, root: &PlanNode) {
        if let PhysicalPlan::ShuffleWrite(w) = &root.plan {
            if !self.scheduler.wants(ShuffleId(w.shuffle)) {
                self.backend.release(ShuffleId(w.shuffle));
            }
        }
    }
}

/// However the loop ends, a panic among the ways: nobody waits for it any more.
impl Drop for Loop {
    fn drop(&mut self) {
        let why = if std::thread::panicking() {
            Error::internal("the driver's thread panicked")
        } else {
            Error::cancelled()
        };
        for (_, job) in self.jobs.drain() {
            job.spec.results.end(Err(why.clone()));
            job.spec.query.cancel.cancel();
        }
        self.backend.stop();
        self.alive.store(0, Ordering::Relaxed);
        // The status server may still hold it for a while.
        if let Some(observer) = &self.observer {
            observer.end();
        }
    }
}

/// Messages that are handled before tasks are sent out.
const MESSAGES_A_ROUND: usize = 256;
