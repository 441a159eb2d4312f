//! The driver as others see it: jobs go in, results come out, a backend tells what happens. What is done about it is in [`run`].
//!
//! Must not know: where tasks run ([`Backend`]).

mod executors;
mod launch;
mod notes;
mod run;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::Heard;

use crate::backend::{Backend, TaskResult};
use crate::progress::Progress;
use crate::results::Results;
use crate::status::Observer;
use parking_lot::Mutex;
use run::Loop;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use vonk_error::{Error, Result};
use vonk_exec::QueryContext;
use vonk_physical::{Exchange, ExplainMetrics, PlanNode};
use vonk_scheduler::allocation::AllocationOptions;
use vonk_scheduler::{
    ExecutorId, JobId, MapId, RddGraph, RddId, SchedulerOptions, ShuffleId, StageId, TaskId,
};

/// A job: lineage, fragments and what its tasks share.
pub(crate) struct JobSpec {
    /// The lineage.
    pub graph: RddGraph,
    /// The RDD whose partitions are the result.
    pub last: RddId,
    /// Fragments by number.
    pub fragments: Vec<Arc<PlanNode>>,
    /// What its tasks share in this process.
    pub query: Arc<QueryContext>,
    /// Where its rows go.
    pub results: Arc<Results>,
    /// Where to tell how far it is.
    pub progress: Arc<Progress>,
    /// Shuffles that later jobs of the query will read.
    pub keep: Vec<ShuffleId>,
    /// The pool that it shares executors in.
    pub pool: String,
    /// The statement it is part of, for those who look.
    pub description: Arc<str>,
}

enum Message {
    Submit { job: JobId, spec: JobSpec, metrics: Arc<Mutex<JobMetrics>> },
    Cancel(JobId),
    CancelStage(StageId),
    Dealt { job: JobId, parts: u32 },
    Release(Vec<ShuffleId>),
    ExecutorAdded { executor: ExecutorId, host: String, slots: u32 },
    ExecutorLost { executor: ExecutorId, blocks_lost: bool },
    Unavailable(Error),
    Drain(ExecutorId),
    Drained { executor: ExecutorId, outputs: Vec<(ShuffleId, MapId)> },
    TookOver { from: ExecutorId, to: ExecutorId, outputs: Vec<(ShuffleId, MapId)> },
    Parked(TaskId),
    Resumed(TaskId),
    Ended { task: TaskId, result: TaskResult },
    Stop,
}

/// Where a backend tells the driver what happens. Cheap to clone; a driver that has stopped hears nothing.
#[derive(Clone)]
pub struct Mailbox(Sender<Message>);

impl Mailbox {
    /// One without a driver.
    #[cfg(test)]
    pub(crate) fn for_test() -> (Mailbox, Heard) {
        let (sender, receiver) = channel();
        (Mailbox(sender), Heard(receiver))
    }

    fn send(&self, message: Message) {
        // The driver may be gone: then nobody wants to know.
        let _ = self.0.send(message);
    }

    /// An executor can run `slots` tasks at once.
    pub fn executor_added(&self, executor: ExecutorId, host: String, slots: u32) {
        self.send(Message::ExecutorAdded { executor, host, slots });
    }

    /// An executor is gone with what ran on it, and perhaps with its blocks.
    pub fn executor_lost(&self, executor: ExecutorId, blocks_lost: bool) {
        self.send(Message::ExecutorLost { executor, blocks_lost });
    }

    /// There are no executors and will be none: the jobs that wait fail for this reason.
    pub fn unavailable(&self, reason: Error) {
        self.send(Message::Unavailable(reason));
    }

    /// An executor is to leave in order: it gets no more tasks, and its blocks are handed over.
    pub fn drain(&self, executor: ExecutorId) {
        self.send(Message::Drain(executor));
    }

    /// An executor that is to leave runs nothing any more; it has these map outputs.
    pub fn drained(&self, executor: ExecutorId, outputs: Vec<(ShuffleId, MapId)>) {
        self.send(Message::Drained { executor, outputs });
    }

    /// An executor has taken map outputs over.
    pub fn took_over(&self, from: ExecutorId, to: ExecutorId, outputs: Vec<(ShuffleId, MapId)>) {
        self.send(Message::TookOver { from, to, outputs });
    }

    /// A task waits for who reads its rows, and leaves its slot to others.
    pub fn parked(&self, task: TaskId) {
        self.send(Message::Parked(task));
    }

    /// A task that was parked goes on.
    pub fn resumed(&self, task: TaskId) {
        self.send(Message::Resumed(task));
    }

    /// A task ended.
    pub fn ended(&self, task: TaskId, result: TaskResult) {
        self.send(Message::Ended { task, result });
    }
}

/// What a job's tasks counted.
#[derive(Debug, Default, Clone)]
pub(crate) struct JobMetrics {
    pub nodes: ExplainMetrics,
    pub tasks: u32,
    pub stages: u32,
}

/// A handle to the driver's thread. Dropping it stops the thread; jobs that run then are cancelled.
pub(crate) struct Driver {
    mailbox: Mailbox,
    thread: Mutex<Option<JoinHandle<()>>>,
    next_job: AtomicU64,
    /// Tasks that were launched and have not ended.
    alive: Arc<AtomicUsize>,
}

impl Driver {
    /// Starts the driver's thread, and executors.
    pub fn start(
        options: SchedulerOptions,
        mut backend: Box<dyn Backend>,
        observer: Option<Arc<Observer>>,
        allocation: Option<AllocationOptions>,
    ) -> Result<Driver> {
        let (messages, inbox) = channel();
        let mailbox = Mailbox(messages);
        let alive = Arc::new(AtomicUsize::new(0));
        let count = alive.clone();
        backend.start(mailbox.clone())?;
        let thread = std::thread::Builder::new()
            .name("vonk-driver".to_string())
            .spawn(move || Loop::new(options, backend, observer, allocation, count).run(&inbox))
            .map_err(|e| Error::io("cannot start the driver's thread", e))?;
        Ok(Driver { mailbox, thread: Mutex::new(Some(thread)), next_job: AtomicU64::new(0), alive })
    }

    /// Tasks that were launched and have not ended, those that are parked among them, as of the last messages.
    pub fn alive_tasks(&self) -> usize {
        self.alive.load(Ordering::Relaxed)
    }

    /// A guard over shuffles that a query's jobs keep for its later ones.
    pub fn kept_shuffles(&self) -> KeptShuffles {
        KeptShuffles { ids: HashMap::new(), mailbox: self.mailbox.clone() }
    }

    /// Stops the thread: jobs that run end as cancelled, executors end. Later jobs fail.
    pub fn stop(&self) {
        self.mailbox.send(Message::Stop);
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }

    /// Cancels a job by its number, if it runs.
    pub fn cancel_job(&self, job: JobId) {
        self.mailbox.send(Message::Cancel(job));
    }

    /// Cancels the job of a stage, if it runs.
    pub fn cancel_stage(&self, stage: StageId) {
        self.mailbox.send(Message::CancelStage(stage));
    }

    /// Submits a job.
    pub fn submit(&self, spec: JobSpec) -> RunningJob {
        let job = JobId(self.next_job.fetch_add(1, Ordering::Relaxed));
        let metrics = Arc::<Mutex<JobMetrics>>::default();
        let running = RunningJob {
            job,
            results: spec.results.clone(),
            metrics: metrics.clone(),
            query: spec.query.clone(),
            mailbox: self.mailbox.clone(),
        };
        if self.mailbox.0.send(Message::Submit { job, spec, metrics }).is_err() {
            running.results.end(Err(Error::internal("the driver has stopped")));
        }
        running
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Shuffles of a query that several of its jobs read, by the exchange they come from. Dropped with the query, it releases those
/// that are still there.
pub(crate) struct KeptShuffles {
    pub ids: HashMap<Exchange, u64>,
    mailbox: Mailbox,
}

impl Drop for KeptShuffles {
    fn drop(&mut self) {
        if !self.ids.is_empty() {
            let shuffles = self.ids.values().map(|id| ShuffleId(*id)).collect();
            self.mailbox.send(Message::Release(shuffles));
        }
    }
}

/// A submitted job. Dropping it cancels it.
pub(crate) struct RunningJob {
    job: JobId,
    pub results: Arc<Results>,
    pub metrics: Arc<Mutex<JobMetrics>>,
    query: Arc<QueryContext>,
    mailbox: Mailbox,
}

impl RunningJob {
    /// Deals the results to so many readers, or fewer; to how many. See [`Results::split`].
    pub fn split(&self, parts: usize) -> usize {
        let parts = self.results.split(parts);
        if let (true, Ok(parts)) = (parts > 1, u32::try_from(parts)) {
            self.mailbox.send(Message::Dealt { job: self.job, parts });
        }
        parts
    }
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        self.query.cancel.cancel();
        self.mailbox.send(Message::Cancel(self.job));
    }
}
