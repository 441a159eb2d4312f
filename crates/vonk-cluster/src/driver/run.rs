//! The driver's thread: owns the scheduler, carries out its actions and hears what becomes of them.
//!
//! Must not know: where tasks run ([`Backend`]).

use super::{JobMetrics, JobSpec, Message};
use crate::allocating::Allocating;
use crate::backend::{Backend, StageLaunch, TaskLaunch, TaskReport, TaskResult, attempt_number};
use crate::failure;
use crate::results::Results;
use crate::status::{Note, Observer, TaskOutcomeNote};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use vonk_error::{Error, ErrorKind, Result};
use vonk_physical::{PhysicalPlan, PlanNode};
use vonk_scheduler::allocation::{AllocationAction, AllocationOptions};
use vonk_scheduler::{
    Action, Dependency, Event, ExecutorId, Fragment, JobId, MapId, MapStatus, RddId, Scheduler,
    SchedulerOptions, ShuffleId, StageId, TaskAttempt, TaskEnd, TaskId, Time,
};
use vonk_shuffle::{MapPlaces, Place, ShuffleInputs};

struct Job {
    spec: JobSpec,
    metrics: Arc<Mutex<JobMetrics>>,
    /// The newest attempts of its stages.
    stages: HashMap<StageId, Arc<StageLaunch>>,
}

struct Launched {
    attempt: TaskAttempt,
    executor: ExecutorId,
    stage: Arc<StageLaunch>,
}

/// The thread's state.
pub(super) struct Loop {
    scheduler: Scheduler,
    backend: Box<dyn Backend>,
    jobs: HashMap<JobId, Job>,
    launched: HashMap<TaskId, Launched>,
    /// Events that wait for the actions of the one before.
    events: VecDeque<Event>,
    feeding: bool,
    /// Where the rows of tasks are whose end is told to the scheduler.
    ending: HashMap<TaskId, Arc<Results>>,
    /// Why there are no executors and will be none, as long as that is so.
    unavailable: Option<Error>,
    /// Executors that are there.
    executors: HashSet<ExecutorId>,
    /// Executors that are to leave, with those that take their blocks over.
    draining: HashMap<ExecutorId, Option<ExecutorId>>,
    /// Executors come and go with the work.
    allocating: Option<Allocating>,
    /// Tasks to be handed to the backend together, once the scheduler has said all it has to say.
    launches: Vec<TaskLaunch>,
    /// When the scheduler's time began.
    started: Instant,
    observer: Option<Arc<Observer>>,
}

impl Loop {
    /// For those who look, if any do.
    fn note(&self, note: &Note<'_>) {
        if let Some(observer) = &self.observer {
            observer.note(note);
        }
    }

    pub fn new(
        options: SchedulerOptions,
        backend: Box<dyn Backend>,
        observer: Option<Arc<Observer>>,
        allocation: Option<AllocationOptions>,
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
            launches: Vec::new(),
            started: Instant::now(),
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
        }
    }

    /// Hands what was launched to the backend.
    fn send_launches(&mut self) {
        if !self.launches.is_empty() {
            self.backend.launch(std::mem::take(&mut self.launches));
        }
    }

    /// Asks for executors, and lets some go, if they come and go with the work.
    fn allocate(&mut self) {
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

    /// Waits for a message, until a state machine wants to be called at the latest.
    fn receive(&self, inbox: &Receiver<Message>) -> std::result::Result<Message, RecvTimeoutError> {
        let allocating = self.allocating.as_ref().and_then(Allocating::next_timer);
        match [self.scheduler.next_timer(), allocating].into_iter().flatten().min() {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => inbox.recv_timeout(Duration::from_millis(at.since(self.now()))),
        }
    }

    fn now(&self) -> Time {
        Time(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Submit { job, spec, metrics } => {
                let (graph, last, keep, pool) =
                    (spec.graph.clone(), spec.last, spec.keep.clone(), spec.pool.clone());
                self.note(&Note::JobStart { job: job.0, description: &spec.description, pool: &pool });
                self.jobs.insert(job, Job { spec, metrics, stages: HashMap::new() });
                self.feed(Event::SubmitJob { job, graph, last, keep, pool });
                self.fail_if_hopeless();
            }
            Message::Cancel(job) => self.feed(Event::CancelJob { job }),
            Message::Release(shuffles) => self.feed(Event::ReleaseShuffles { shuffles }),
            Message::ExecutorAdded { executor, host, slots } => {
                self.note(&Note::ExecutorAdded { executor: executor.0, host: &host, slots });
                if let Some(allocating) = &mut self.allocating {
                    allocating.added(executor);
                }
                self.unavailable = None;
                self.executors.insert(executor);
                if self.draining.contains_key(&executor) {
                    // It was told to leave before it had come: the scheduler never hears of it.
                    self.backend.drain(executor);
                } else {
                    self.feed(Event::ExecutorAdded { executor, host, slots });
                }
            }
            Message::ExecutorLost { executor, blocks_lost } => self.executor_lost(executor, blocks_lost),
            Message::Unavailable(reason) => {
                self.unavailable = Some(reason);
                self.fail_if_hopeless();
            }
            Message::Drain(executor) => self.drain(executor),
            Message::Drained { executor, outputs } => self.drained(executor, outputs),
            Message::TookOver { from, to, outputs } => {
                // Released while it was on its way: the new owner has not been told.
                let late: BTreeSet<ShuffleId> = outputs.iter().map(|(s, _)| *s).collect();
                late.into_iter().filter(|s| !self.scheduler.wants(*s)).for_each(|s| self.backend.release(s));
                self.feed(Event::OutputsMoved { from, to, outputs });
                self.draining.remove(&from);
                self.backend.dismiss(from);
            }
            Message::Ended { task, result } => self.ended(task, result),
            Message::Stop => {}
        }
    }

    fn executor_lost(&mut self, executor: ExecutorId, blocks_lost: bool) {
        // The scheduler reports no ends of these tasks, and knows none that come late.
        let gone = self.launched.extract_if(|_, l| l.executor == executor);
        for (task, launched) in gone {
            launched.stage.results.failed(launched.attempt.partition, task, None);
        }
        // Not sent out yet: it is lost like the others.
        self.launches.retain(|l| l.executor != executor);
        self.executors.remove(&executor);
        self.backend.executor_lost(executor);
        if let Some(allocating) = &mut self.allocating {
            allocating.lost(executor);
        }
        self.note(&Note::ExecutorLost { executor: executor.0, blocks_lost });
        self.feed(Event::ExecutorLost { executor, blocks_lost });
        self.draining.remove(&executor);
        // Those whose blocks it was to take over try again with another.
        let again: Vec<_> =
            self.draining.iter().filter(|(_, to)| **to == Some(executor)).map(|(e, _)| *e).collect();
        again.into_iter().for_each(|e| self.backend.drain(e));
        self.fail_if_hopeless();
    }

    /// An executor is to leave: it gets no new tasks.
    fn drain(&mut self, executor: ExecutorId) {
        if self.draining.insert(executor, None).is_none() {
            self.note(&Note::ExecutorDraining { executor: executor.0 });
            self.feed(Event::ExecutorDraining { executor });
            // What was launched there goes out first: it has to see all that it runs before it says that nothing runs.
            self.send_launches();
            self.backend.drain(executor);
        }
    }

    /// An executor runs nothing any more: what it has goes to one that stays, then it goes.
    fn drained(&mut self, executor: ExecutorId, outputs: Vec<(ShuffleId, MapId)>) {
        let wanted: Vec<_> = outputs.into_iter().filter(|(s, _)| self.scheduler.wants(*s)).collect();
        let to = if wanted.is_empty() { None } else { self.backend.hand_over(executor, wanted) };
        match to {
            Some(to) => {
                self.draining.insert(executor, Some(to));
            }
            None => {
                self.draining.remove(&executor);
                self.backend.dismiss(executor);
            }
        }
    }

    /// Without executors, and with none to come, jobs fail instead of waiting for ever. Those that are there may do the work alone.
    fn fail_if_hopeless(&mut self) {
        let Some(reason) = self.unavailable.clone().filter(|_| self.executors.is_empty()) else { return };
        for job in self.jobs.keys().copied().collect::<Vec<_>>() {
            if let Some(job) = self.jobs.get(&job) {
                // The first end counts.
                job.spec.results.end(Err(reason.clone()));
            }
            self.feed(Event::CancelJob { job });
        }
    }

    fn ended(&mut self, task: TaskId, result: TaskResult) {
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
        let end = match result {
            Ok(report) => {
                if let Some(job) = self.jobs.get(&stage.job) {
                    let rows = count(&job.metrics, &report, &stage.fragment);
                    job.spec.progress.done(attempt.stage.0, rows);
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
    fn feed(&mut self, event: Event) {
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
                    attempt: attempt.stage_attempt,
                    partition,
                    try_number: attempt.attempt,
                    executor: executor.0,
                    speculative,
                });
                self.launches.push(TaskLaunch { task, partition, executor, stage });
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
                self.backend.forget_outputs(shuffle, attempt_number(before));
            }
            Action::ReleaseShuffle { shuffle } => {
                self.note(&Note::ShuffleReleased { shuffle: shuffle.0 });
                self.backend.release(shuffle);
            }
            Action::JobSucceeded { job } => self.end(job, Ok(())),
            Action::JobFailed { job, reason } => self.end(job, Err(failure::reason_error(reason))),
        }
    }

    fn stage_submitted(
        &mut self,
        job: JobId,
        stage: StageId,
        (stage_attempt, generation): (u32, u32),
        fragment: Fragment,
        tasks: u32,
    ) {
        let Some(state) = self.jobs.get(&job) else { return };
        let Some(root) = state.spec.fragments.get(fragment.0 as usize).cloned() else { return };
        state.spec.progress.begin(stage.0, tasks);
        state.metrics.lock().stages += 1;
        if self.observer.is_some() {
            let name = root.plan.name();
            let (job, stage, attempt) = (job.0, stage.0, stage_attempt);
            self.note(&Note::StageSubmitted { job, stage, attempt, tasks, name });
        }
        let launch = StageLaunch {
            job,
            stage,
            stage_attempt,
            generation,
            fragment: root,
            query: state.spec.query.clone(),
            inputs: Arc::new(self.inputs(&state.spec, fragment)),
            results: state.spec.results.clone(),
        };
        if let Some(state) = self.jobs.get_mut(&job) {
            state.stages.insert(stage, Arc::new(launch));
        }
    }

    /// A task that waits to be sent out ends here; one that was sent out ends where it runs.
    fn kill(&mut self, task: TaskId, executor: ExecutorId) {
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
    }
}

/// Messages that are handled before tasks are sent out.
const MESSAGES_A_ROUND: usize = 256;

/// How a task ended, for those who look.
fn outcome_note(result: &TaskResult, root: &PlanNode) -> TaskOutcomeNote {
    match result {
        Ok(report) => {
            let output = output_of(root);
            let own = report.nodes.iter().find(|n| n.node == output.id.0);
            let spilled = report.nodes.iter().map(|n| n.spilled).sum();
            TaskOutcomeNote::Success {
                rows: own.map_or(0, |n| n.rows),
                bytes: own.map_or(0, |n| n.bytes),
                spilled,
            }
        }
        Err(error) => match error.kind() {
            ErrorKind::FetchFailed(_) => TaskOutcomeNote::FetchFailed { error: error.to_string() },
            ErrorKind::Cancelled => TaskOutcomeNote::Killed,
            _ => TaskOutcomeNote::Failed { error: error.to_string() },
        },
    }
}

/// The node whose rows a fragment puts out.
fn output_of(root: &PlanNode) -> &PlanNode {
    match &root.plan {
        PhysicalPlan::ShuffleWrite(w) => &w.input,
        _ => root,
    }
}

/// Adds a task's counters to the job's; the rows that its root put out.
fn count(job: &Mutex<JobMetrics>, task: &TaskReport, root: &PlanNode) -> u64 {
    let mut job = job.lock();
    job.tasks += 1;
    for n in &task.nodes {
        let sum = job.nodes.nodes.entry(n.node).or_default();
        sum.0 += n.rows;
        sum.1 += n.bytes;
        sum.2 += n.nanos;
    }
    let output = output_of(root);
    task.nodes.iter().find(|n| n.node == output.id.0).map_or(0, |n| n.rows)
}
