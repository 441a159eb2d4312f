//! Local mode: tasks run on a pool of threads of this process.
//!
//! A task whose rows nobody takes for a while is parked: it gives its thread and its slot back and is an object until its reader comes
//! back. Then it goes on at once, on a thread of a second pool, so that readers that come back never wait for the end of others' tasks;
//! the scheduler launches the less until as many have ended.

use crate::backend::{Backend, TaskLaunch, TaskPlace, TaskReport, task_span};
use crate::driver::Mailbox;
use crate::results::{Parkable, Pushed, Results};
use arrow::array::RecordBatch;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use vonk_error::{Error, Result};
use vonk_exec::{CancelFlag, ExecutorEnv, Task, TaskSpec};
use vonk_scheduler::{ExecutorId, JobId, MapId, ShuffleId, TaskId};
use vonk_shuffle::Place;

/// Stack of a task's thread: operators of deep plans nest.
const STACK_BYTES: usize = 16 << 20;

/// The threads on which an executor runs its tasks.
pub(crate) fn task_pool(slots: u32, name: &'static str) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(slots as usize)
        .stack_size(STACK_BYTES)
        .thread_name(move |i| format!("vonk-{name}-{i}"))
        .build()
        .map_err(|e| Error::io("cannot start the threads of tasks", e))
}

/// Runs a task's code on a thread of a pool, which a panic would end with the process: it becomes an error. (Operators' panics have become
/// errors before, by [`run_task`].)
pub(crate) fn caught<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(Error::internal("a task panicked")))
}

/// The only executor of local mode.
const EXECUTOR: ExecutorId = ExecutorId(0);

/// How long a task that finds no room for its rows waits with its thread and its slot before it gives both back: readers that keep up are
/// not waited for longer, and whoever waits for a slot hardly notices.
const PATIENCE: Duration = Duration::from_millis(20);

/// The same for one that was parked before: it had its turn, and threads for those that go on are few.
const LATER_PATIENCE: Duration = Duration::from_millis(2);

/// How long tasks that were cancelled are waited for when the session ends.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the tasks of this process have in common.
struct Tasks {
    /// Has a thread for each slot and each guest.
    pool: rayon::ThreadPool,
    /// Threads of tasks that were parked and go on: they do so at once, beside those that have taken their slots meanwhile. Made when first
    /// needed.
    resumed: OnceLock<rayon::ThreadPool>,
    slots: u32,
    exec: Arc<ExecutorEnv>,
    wire: bool,
    /// Those that run, are parked or wait for a thread.
    alive: Mutex<HashMap<TaskId, Alive>>,
}

/// How to end a task.
struct Alive {
    cancel: CancelFlag,
    results: Arc<Results>,
}

impl Tasks {
    fn resume(&self, run: impl FnOnce() + Send + 'static) {
        let resumed = match self.resumed.get() {
            Some(pool) => Some(pool),
            None => task_pool(self.slots, "resumed").ok().map(|pool| self.resumed.get_or_init(|| pool)),
        };
        resumed.unwrap_or(&self.pool).spawn_fifo(run);
    }
}

pub(crate) struct LocalBackend {
    tasks: Arc<Tasks>,
    mailbox: Option<Mailbox>,
}

impl LocalBackend {
    /// With so many slots, and threads for so many tasks beyond them.
    pub fn new(slots: u32, guests: u32, exec: Arc<ExecutorEnv>, wire: bool) -> Result<Self> {
        let pool = task_pool(slots.saturating_add(guests), "task")?;
        let (resumed, alive) = (OnceLock::new(), Mutex::default());
        let tasks = Arc::new(Tasks { pool, resumed, slots, exec, wire, alive });
        Ok(LocalBackend { tasks, mailbox: None })
    }
}

impl Backend for LocalBackend {
    fn start(&mut self, mailbox: Mailbox) -> Result<()> {
        mailbox.executor_added(EXECUTOR, "localhost".to_string(), self.tasks.slots);
        self.mailbox = Some(mailbox);
        Ok(())
    }

    fn launch(&mut self, tasks: Vec<TaskLaunch>) {
        for launch in tasks {
            let Some(mailbox) = self.mailbox.clone() else { return };
            let task = LocalTask::new(self.tasks.clone(), mailbox, launch);
            self.tasks.pool.spawn_fifo(move || task.begin());
        }
    }

    fn kill(&mut self, task: TaskId, _: ExecutorId) {
        let Some(results) = self.tasks.alive.lock().get(&task).map(|alive| {
            alive.cancel.cancel();
            alive.results.clone()
        }) else {
            return;
        };
        results.kill(task);
    }

    /// Its tasks watch the job's flag.
    fn job_ended(&mut self, _: JobId) {}

    fn executor_lost(&mut self, _: ExecutorId, _: bool) {}

    // The only executor is this process: it stays.

    fn request_executors(&mut self, _: u32) {}

    fn drain(&mut self, _: ExecutorId) {}

    fn hand_over(&mut self, _: ExecutorId, _: Vec<(ShuffleId, MapId)>) -> Option<ExecutorId> {
        None
    }

    fn dismiss(&mut self, _: ExecutorId) {}

    /// Blocks of one process are not lost on their own, so nothing is rolled back.
    fn forget_outputs(&mut self, _: ShuffleId, _: u32) {}

    fn release(&mut self, shuffle: ShuffleId) {
        self.tasks.exec.shuffle.release(shuffle.0);
    }

    fn place(&self, _: ExecutorId) -> Option<Place> {
        None
    }

    /// What runs is cancelled, and notices soon: who removes the folder after this finds nobody in it.
    fn stop(&mut self) {
        let deadline = Instant::now() + LAST_WORDS;
        while !self.tasks.alive.lock().is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A task of this process, from its launch to its end. Dropped before, it ends as one that was cancelled.
///
/// It runs on a thread, or is parked: then it is an object among the results that it has no room in, and uses neither thread nor slot.
struct LocalTask {
    tasks: Arc<Tasks>,
    mailbox: Mailbox,
    launch: TaskLaunch,
    cancel: CancelFlag,
    span: tracing::Span,
    /// Once it has begun.
    task: Option<Task>,
    /// How long it waits for room before it is parked.
    patience: Duration,
    ended: bool,
}

impl LocalTask {
    fn new(tasks: Arc<Tasks>, mailbox: Mailbox, launch: TaskLaunch) -> Box<LocalTask> {
        let stage = &launch.stage;
        let cancel = stage.query.cancel.child();
        let alive = Alive { cancel: cancel.clone(), results: stage.results.clone() };
        tasks.alive.lock().insert(launch.task, alive);
        let span = task_span(TaskPlace {
            executor: EXECUTOR,
            query: stage.query.number,
            job: stage.job,
            stage: stage.stage,
            stage_attempt: stage.stage_attempt,
            task: launch.task,
            partition: launch.partition,
        });
        Box::new(LocalTask {
            tasks,
            mailbox,
            launch,
            cancel,
            span,
            task: None,
            patience: PATIENCE,
            ended: false,
        })
    }

    /// Runs on this thread.
    fn begin(mut self: Box<Self>) {
        let span = self.span.clone();
        span.in_scope(|| match caught(|| self.made()) {
            Ok(task) => {
                self.task = Some(task);
                self.go_on(None);
            }
            Err(error) => self.end(Err(error)),
        });
    }

    fn made(&self) -> Result<Task> {
        let stage = &self.launch.stage;
        let fragment = if self.tasks.wire {
            Arc::new(vonk_physical::decode(&vonk_physical::encode(&stage.fragment)?)?)
        } else {
            stage.fragment.clone()
        };
        let (partition, attempt) = (self.launch.partition, self.launch.output_attempt());
        let (generation, inputs) = (stage.generation, stage.inputs.clone());
        if stage.is_result() {
            stage.results.begin(partition, attempt)?;
        }
        let cancel = Some(self.cancel.clone());
        let spec = TaskSpec { fragment, partition, attempt, generation, inputs, cancel };
        let task = Task::new(&self.tasks.exec, &stage.query, &spec);
        stage.progress.runs(stage.stage, self.launch.task, &stage.leaves, task.metrics());
        Ok(task)
    }

    /// Gives a batch away that it has, and then those that it makes, to its end or until it is parked.
    fn go_on(mut self: Box<Self>, mut batch: Option<RecordBatch>) {
        let results = self.launch.stage.results.clone();
        let (partition, attempt) = (self.launch.partition, self.launch.output_attempt());
        loop {
            let next = match batch.take() {
                Some(batch) => Ok(Some(batch)),
                None => self.task.as_mut().map_or(Ok(None), |task| caught(|| task.next())),
            };
            let pushed = match next {
                Ok(Some(batch)) => results.push(partition, attempt, batch, self.patience),
                Ok(None) => return self.end(Ok(())),
                Err(error) => return self.end(Err(error)),
            };
            match pushed {
                Ok(Pushed::Taken) => {}
                Ok(Pushed::Unwanted) => return self.end(Ok(())),
                Ok(Pushed::Full(full)) => match results.park(partition, self.launch.task, full, self) {
                    None => return,
                    Some((task, full)) => (self, batch) = (task, Some(full)),
                },
                Err(error) => return self.end(Err(error)),
            }
        }
    }

    /// Ends it: what it holds goes, then the driver is told.
    fn end(mut self: Box<Self>, result: Result<()>) {
        self.report(result);
    }

    fn report(&mut self, result: Result<()>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let output = self.task.take().map(Task::finish);
        let result = result.map(|()| {
            output.map_or_else(TaskReport::default, |output| TaskReport {
                map_output: output.map_output,
                nodes: output.metrics.counts(),
            })
        });
        if let Err(error) = &result {
            tracing::info!(%error, "failed");
        }
        self.tasks.alive.lock().remove(&self.launch.task);
        self.mailbox.ended(self.launch.task, result);
    }
}

impl Parkable for LocalTask {
    fn parked(&self) {
        self.mailbox.parked(self.launch.task);
    }

    fn resume(mut self: Box<Self>, batch: RecordBatch) {
        self.patience = LATER_PATIENCE;
        self.mailbox.resumed(self.launch.task);
        let tasks = self.tasks.clone();
        tasks.resume(move || {
            let span = self.span.clone();
            span.in_scope(|| self.go_on(Some(batch)));
        });
    }
}

impl Drop for LocalTask {
    fn drop(&mut self) {
        let span = self.span.clone();
        span.in_scope(|| self.report(Err(Error::cancelled())));
    }
}
