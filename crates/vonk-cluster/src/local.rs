//! Local mode: tasks run on a pool of threads of this process.

use crate::backend::{Backend, TaskLaunch, TaskPlace, TaskReport, TaskResult, task_span};
use crate::driver::Mailbox;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_exec::{CancelFlag, ExecutorEnv, TaskSpec, run_task};
use vonk_scheduler::{ExecutorId, JobId, MapId, ShuffleId, TaskId};
use vonk_shuffle::Place;

/// Stack of a task's thread: operators of deep plans nest.
const STACK_BYTES: usize = 16 << 20;

/// The threads on which an executor runs its tasks.
pub(crate) fn task_pool(slots: u32) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(slots as usize)
        .stack_size(STACK_BYTES)
        .thread_name(|i| format!("vonk-task-{i}"))
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

pub(crate) struct LocalBackend {
    pool: rayon::ThreadPool,
    slots: u32,
    exec: Arc<ExecutorEnv>,
    wire: bool,
    mailbox: Option<Mailbox>,
    /// The flags of the tasks that run or wait for a thread.
    running: Arc<Mutex<HashMap<TaskId, CancelFlag>>>,
}

impl LocalBackend {
    pub fn new(slots: u32, exec: Arc<ExecutorEnv>, wire: bool) -> Result<Self> {
        let pool = task_pool(slots)?;
        Ok(LocalBackend { pool, slots, exec, wire, mailbox: None, running: Arc::default() })
    }
}

impl Backend for LocalBackend {
    fn start(&mut self, mailbox: Mailbox) -> Result<()> {
        mailbox.executor_added(EXECUTOR, "localhost".to_string(), self.slots);
        self.mailbox = Some(mailbox);
        Ok(())
    }

    fn launch(&mut self, tasks: Vec<TaskLaunch>) {
        for launch in tasks {
            let Some(mailbox) = self.mailbox.clone() else { return };
            let (exec, wire, running) = (self.exec.clone(), self.wire, self.running.clone());
            let cancel = launch.stage.query.cancel.child();
            running.lock().insert(launch.task, cancel.clone());
            self.pool.spawn_fifo(move || {
                let result = spanned(&launch, || caught(|| run(&exec, wire, &launch, cancel)));
                running.lock().remove(&launch.task);
                mailbox.ended(launch.task, result);
            });
        }
    }

    fn kill(&mut self, task: TaskId, _: ExecutorId) {
        if let Some(flag) = self.running.lock().get(&task) {
            flag.cancel();
        }
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
        self.exec.shuffle.release(shuffle.0);
    }

    fn place(&self, _: ExecutorId) -> Option<Place> {
        None
    }

    fn stop(&mut self) {}
}

fn spanned(launch: &TaskLaunch, run: impl FnOnce() -> TaskResult) -> TaskResult {
    let stage = &launch.stage;
    let span = task_span(TaskPlace {
        executor: EXECUTOR,
        query: stage.query.number,
        job: stage.job,
        stage: stage.stage,
        stage_attempt: stage.stage_attempt,
        task: launch.task,
        partition: launch.partition,
    });
    span.in_scope(|| run().inspect_err(|error| tracing::info!(%error, "failed")))
}

fn run(exec: &Arc<ExecutorEnv>, wire: bool, launch: &TaskLaunch, cancel: CancelFlag) -> TaskResult {
    let stage = &launch.stage;
    let fragment = if wire {
        Arc::new(vonk_physical::decode(&vonk_physical::encode(&stage.fragment)?)?)
    } else {
        stage.fragment.clone()
    };
    let (partition, attempt, inputs) = (launch.partition, launch.output_attempt(), stage.inputs.clone());
    let generation = stage.generation;
    let task = TaskSpec { fragment, partition, attempt, generation, inputs, cancel: Some(cancel) };
    if stage.is_result() {
        stage.results.begin(partition, attempt)?;
    }
    let sink = &mut |batch| stage.results.push(partition, attempt, batch);
    let output = run_task(exec, &stage.query, &task, sink)?;
    Ok(TaskReport { map_output: output.map_output, nodes: output.metrics.counts() })
}
