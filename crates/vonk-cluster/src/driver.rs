//! The driver: one thread that owns the scheduler, carries out its actions and hears how tasks end.

use crate::progress::Progress;
use crate::results::Results;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use vonk_error::{Error, ErrorKind, Result};
use vonk_exec::{NodeMetrics, QueryContext, TaskMetrics, TaskOutput};
use vonk_physical::{Exchange, ExplainMetrics, PhysicalPlan, PlanNode};
use vonk_scheduler::{
    Action, Event, ExecutorId, JobFailure, JobId, MapId, MapStatus, RddGraph, RddId, Scheduler,
    SchedulerOptions, ShuffleId, TaskAttempt, TaskEnd, TaskId, Time,
};
use vonk_shuffle::ShuffleBlocks;

/// A job: lineage, fragments and what its tasks share.
pub struct JobSpec {
    /// The lineage.
    pub graph: RddGraph,
    /// The RDD whose partitions are the result.
    pub last: RddId,
    /// Fragments by number.
    pub fragments: Vec<Arc<PlanNode>>,
    /// What its tasks share in this process.
    pub query: Arc<QueryContext>,
    /// Where to tell how far it is.
    pub progress: Arc<Progress>,
    /// Shuffles that later jobs of the query will read.
    pub keep: Vec<ShuffleId>,
}

/// A task to be run.
pub struct TaskLaunch {
    /// Its identity.
    pub task: TaskId,
    /// What is run.
    pub fragment: Arc<PlanNode>,
    /// Which partition.
    pub partition: u32,
    /// What the job's tasks share.
    pub query: Arc<QueryContext>,
    pub(crate) results: Arc<Results>,
    pub(crate) done: Sender<Message>,
}

impl TaskLaunch {
    /// The attempt's number, unique within the driver: names files.
    pub fn attempt(&self) -> u32 {
        // Wraps after four thousand million tasks, by when the files of the first have long been committed.
        self.task.0 as u32
    }

    /// Tells the driver how the task ended.
    pub fn ended(self, result: Result<TaskOutput>) {
        // The driver may be gone: then nobody wants to know.
        let _ = self.done.send(Message::Ended { task: self.task, result });
    }
}

/// Where tasks run.
pub trait TaskRunner: Send {
    /// Executors to begin with: number, host, slots.
    fn executors(&self) -> Vec<(ExecutorId, String, u32)>;
    /// Begins a task; [`TaskLaunch::ended`] is called when it has ended, whatever happens.
    fn launch(&mut self, executor: ExecutorId, launch: TaskLaunch);
}

pub(crate) enum Message {
    Submit { job: JobId, spec: JobSpec, results: Arc<Results>, metrics: Arc<Mutex<JobMetrics>> },
    Cancel(JobId),
    Release(Vec<ShuffleId>),
    Ended { task: TaskId, result: Result<TaskOutput> },
    Stop,
}

/// What a job's tasks counted.
#[derive(Debug, Default, Clone)]
pub(crate) struct JobMetrics {
    pub nodes: ExplainMetrics,
    pub tasks: u32,
    pub stages: u32,
}

struct Job {
    spec: JobSpec,
    results: Arc<Results>,
    metrics: Arc<Mutex<JobMetrics>>,
}

struct Launched {
    job: JobId,
    attempt: TaskAttempt,
    executor: ExecutorId,
    /// The root of a result fragment, or of a shuffle's.
    root: Arc<PlanNode>,
}

/// A handle to the driver's thread. Dropping it stops the thread; jobs that run then are cancelled.
pub struct Driver {
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
    next_job: std::sync::atomic::AtomicU64,
}

impl Driver {
    /// Starts the driver's thread.
    pub fn start(
        options: SchedulerOptions,
        runner: Box<dyn TaskRunner>,
        blocks: Arc<dyn ShuffleBlocks>,
    ) -> Result<Driver> {
        let (messages, inbox) = channel();
        let to_self = messages.clone();
        let thread = std::thread::Builder::new()
            .name("vonk-driver".to_string())
            .spawn(move || Loop::new(options, runner, blocks, to_self).run(&inbox))
            .map_err(|e| Error::io("cannot start the driver's thread", e))?;
        Ok(Driver { messages, thread: Some(thread), next_job: Default::default() })
    }

    /// A guard over shuffles that a query's jobs keep for its later ones.
    pub(crate) fn kept_shuffles(&self) -> KeptShuffles {
        KeptShuffles { ids: HashMap::new(), messages: self.messages.clone() }
    }

    /// Submits a job whose result has so many partitions.
    pub(crate) fn submit(&self, spec: JobSpec, partitions: u32) -> RunningJob {
        let job = JobId(self.next_job.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let results = Arc::new(Results::new(partitions, spec.query.cancel.clone()));
        let metrics = Arc::<Mutex<JobMetrics>>::default();
        let query = spec.query.clone();
        let running = RunningJob { job, results, metrics, query, messages: self.messages.clone() };
        let submit =
            Message::Submit { job, spec, results: running.results.clone(), metrics: running.metrics.clone() };
        if self.messages.send(submit).is_err() {
            running.results.end(Err(Error::internal("the driver has stopped")));
        }
        running
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // A stopped thread hears nothing, which is as well.
        let _ = self.messages.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Shuffles of a query that several of its jobs read, by the exchange they come from. Dropped with the query, it releases those
/// that are still there.
pub(crate) struct KeptShuffles {
    pub ids: HashMap<Exchange, u64>,
    messages: Sender<Message>,
}

impl Drop for KeptShuffles {
    fn drop(&mut self) {
        if !self.ids.is_empty() {
            let shuffles = self.ids.values().map(|id| ShuffleId(*id)).collect();
            // A driver that has stopped keeps nothing.
            let _ = self.messages.send(Message::Release(shuffles));
        }
    }
}

/// A submitted job. Dropping it cancels it.
pub(crate) struct RunningJob {
    job: JobId,
    pub results: Arc<Results>,
    pub metrics: Arc<Mutex<JobMetrics>>,
    query: Arc<QueryContext>,
    messages: Sender<Message>,
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        self.query.cancel.cancel();
        let _ = self.messages.send(Message::Cancel(self.job));
    }
}

struct Loop {
    scheduler: Scheduler,
    runner: Box<dyn TaskRunner>,
    blocks: Arc<dyn ShuffleBlocks>,
    to_self: Sender<Message>,
    jobs: HashMap<JobId, Job>,
    launched: HashMap<TaskId, Launched>,
    /// When the scheduler's time began.
    started: Instant,
}

impl Loop {
    fn new(
        options: SchedulerOptions,
        runner: Box<dyn TaskRunner>,
        blocks: Arc<dyn ShuffleBlocks>,
        to_self: Sender<Message>,
    ) -> Self {
        let scheduler = Scheduler::new(options);
        let (jobs, launched, started) = (HashMap::new(), HashMap::new(), Instant::now());
        Loop { scheduler, runner, blocks, to_self, jobs, launched, started }
    }

    fn run(mut self, inbox: &Receiver<Message>) {
        for (executor, host, slots) in self.runner.executors() {
            self.feed(Event::ExecutorAdded { executor, host, slots });
        }
        loop {
            let message = match self.receive(inbox) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => {
                    self.feed(Event::Tick);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            match message {
                Message::Submit { job, spec, results, metrics } => {
                    let (graph, last, keep) = (spec.graph.clone(), spec.last, spec.keep.clone());
                    self.jobs.insert(job, Job { spec, results, metrics });
                    self.feed(Event::SubmitJob { job, graph, last, keep, pool: String::new() });
                }
                Message::Cancel(job) => self.feed(Event::CancelJob { job }),
                Message::Release(shuffles) => self.feed(Event::ReleaseShuffles { shuffles }),
                Message::Ended { task, result } => self.ended(task, result),
                Message::Stop => break,
            }
        }
        for (_, job) in self.jobs.drain() {
            job.spec.query.cancel.cancel();
            job.results.end(Err(Error::cancelled()));
        }
    }

    /// Waits for a message, until the scheduler wants to be called at the latest.
    fn receive(&self, inbox: &Receiver<Message>) -> std::result::Result<Message, RecvTimeoutError> {
        match self.scheduler.next_timer() {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => inbox.recv_timeout(Duration::from_millis(at.since(self.now()))),
        }
    }

    fn now(&self) -> Time {
        Time(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn ended(&mut self, task: TaskId, result: Result<TaskOutput>) {
        let Some(launched) = self.launched.remove(&task) else { return };
        let attempt = launched.attempt;
        let job = self.jobs.get(&launched.job);
        if job.is_none() {
            // The job is over and its shuffles are released; this task may have committed its output after that.
            self.release_output(&launched.root);
        }
        let end = match result {
            Ok(output) => {
                if let Some(job) = job {
                    let rows = count(&job.metrics, &output.metrics, &launched.root);
                    job.spec.progress.done(attempt.stage.0, rows);
                }
                let status = |m: vonk_shuffle::MapOutputSizes| MapStatus {
                    executor: launched.executor,
                    sizes: m.bytes,
                };
                TaskEnd::Success { map_status: output.map_output.map(status) }
            }
            Err(error) => {
                if let Some(job) = job {
                    // Its number as the results know it: see `TaskLaunch::attempt`.
                    job.results.failed(attempt.partition, task.0 as u32);
                }
                failure(&error)
            }
        };
        self.feed(Event::TaskEnded { task, end });
    }

    fn feed(&mut self, event: Event) {
        for action in self.scheduler.handle(self.now(), event) {
            self.carry_out(action);
        }
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Launch { job, task, attempt, fragment, executor, .. } => {
                let Some(state) = self.jobs.get(&job) else { return };
                let Some(root) = state.spec.fragments.get(fragment.0 as usize).cloned() else { return };
                self.launched.insert(task, Launched { job, attempt, executor, root: root.clone() });
                let launch = TaskLaunch {
                    task,
                    fragment: root,
                    partition: attempt.partition,
                    query: state.spec.query.clone(),
                    results: state.results.clone(),
                    done: self.to_self.clone(),
                };
                self.runner.launch(executor, launch);
            }
            // Tasks watch their job's flag; one that is merely not wanted any more runs to its end, unheard.
            Action::Kill { .. } | Action::StageCompleted { .. } | Action::ExecutorExcluded { .. } => {}
            Action::StageSubmitted { job, stage, tasks, .. } => {
                if let Some(job) = self.jobs.get(&job) {
                    job.spec.progress.begin(stage.0, tasks);
                    job.metrics.lock().stages += 1;
                }
            }
            Action::ResultAccepted { job, attempt, .. } => {
                if let Some(job) = self.jobs.get(&job) {
                    job.results.complete(attempt.partition);
                }
            }
            Action::ReleaseShuffle { shuffle } => self.blocks.release(shuffle.0),
            Action::JobSucceeded { job } => self.end(job, Ok(())),
            Action::JobFailed { job, reason } => self.end(job, Err(reason_error(reason))),
        }
    }

    fn end(&mut self, job: JobId, result: Result<()>) {
        if let Some(job) = self.jobs.remove(&job) {
            // The reason first: whoever sees the flag must find it.
            let failed = result.is_err();
            job.results.end(result);
            if failed {
                job.spec.query.cancel.cancel();
            }
            // Those that were released when they were consumed, too: a second attempt of a task may have ended since.
            job.spec.fragments.iter().for_each(|root| self.release_output(root));
        }
    }

    /// Releases the shuffle that a fragment writes, if it does and no other job wants it.
    fn release_output(&self, root: &PlanNode) {
        if let PhysicalPlan::ShuffleWrite(w) = &root.plan {
            if !self.scheduler.wants(ShuffleId(w.shuffle)) {
                self.blocks.release(w.shuffle);
            }
        }
    }
}

/// How a task's error looks to the scheduler. It stays typed: the scheduler passes the bytes on.
fn failure(error: &Error) -> TaskEnd {
    match error.kind() {
        ErrorKind::FetchFailed(f) => TaskEnd::FetchFailed {
            shuffle: ShuffleId(f.shuffle),
            map: MapId(f.map),
            executor: ExecutorId(f.executor),
        },
        kind => {
            let retry = matches!(kind, ErrorKind::Io);
            // An error is plain data; should it not encode, its text is still an error.
            let error = postcard::to_stdvec(error).unwrap_or_else(|_| error.to_string().into_bytes());
            TaskEnd::Failed { retry, error }
        }
    }
}

fn reason_error(reason: JobFailure) -> Error {
    match reason {
        JobFailure::Cancelled => Error::cancelled(),
        JobFailure::StageCancelled { stage } => Error::internal(format!("stage {stage} was cancelled")),
        JobFailure::InvalidGraph => Error::internal("the job's RDD graph is not one"),
        JobFailure::StageAttempts { stage, attempts, shuffle, map, executor } => Error::internal(format!(
            "stage {stage} lost its input {attempts} times, at last map output {map} of shuffle {shuffle} on executor {executor}"
        )),
        JobFailure::ExecutorLosses { attempt, losses } => Error::internal(format!(
            "{losses} executors were lost while they ran partition {} of stage {}",
            attempt.partition, attempt.stage
        )),
        JobFailure::Unschedulable { stage, partition } => Error::internal(format!(
            "partition {partition} of stage {stage} is excluded from every executor because of failures there"
        )),
        JobFailure::Indeterminate { stage, shuffle } => Error::internal(format!(
            "stage {stage} (shuffle {shuffle}) was lost and gives other rows when computed again, after rows from it were returned"
        )),
        JobFailure::Task { error, .. } => postcard::from_bytes(&error)
            .unwrap_or_else(|_| Error::internal(String::from_utf8_lossy(&error).into_owned())),
    }
}

/// Adds a task's counters to the job's; the rows that its root put out.
fn count(job: &Mutex<JobMetrics>, task: &TaskMetrics, root: &PlanNode) -> u64 {
    use std::sync::atomic::Ordering::Relaxed;
    let mut job = job.lock();
    job.tasks += 1;
    for (id, node) in task.nodes() {
        let NodeMetrics { rows, bytes, nanos, .. } = &*node;
        let sum = job.nodes.nodes.entry(id).or_default();
        sum.0 += rows.load(Relaxed);
        sum.1 += bytes.load(Relaxed);
        sum.2 += nanos.load(Relaxed);
    }
    let output = match &root.plan {
        PhysicalPlan::ShuffleWrite(w) => &w.input,
        _ => root,
    };
    task.node(output.id).rows.load(Relaxed)
}
