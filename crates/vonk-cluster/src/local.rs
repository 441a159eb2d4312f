//! Local mode: tasks run on a pool of threads of this process.

use crate::driver::{TaskLaunch, TaskRunner};
use std::path::PathBuf;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_exec::{ExecutorEnv, TaskSpec, run_task};
use vonk_scheduler::ExecutorId;
use vonk_sources::Formats;

/// Stack of a task's thread: operators of deep plans nest.
const STACK_BYTES: usize = 16 << 20;

/// How local mode is set up.
pub struct LocalOptions {
    /// Tasks at once.
    pub slots: u32,
    /// Bytes that operators and blocks may hold together.
    pub memory_limit: Option<u64>,
    /// Folder of spill files; a folder of this process's own is made in it when first needed.
    pub local_dir: PathBuf,
    /// Readers and writers.
    pub formats: Formats,
    /// Encode and decode every task, as if it travelled.
    pub wire: bool,
    /// `spark.task.maxFailures`.
    pub max_task_failures: u32,
}

pub(crate) struct LocalRunner {
    pool: rayon::ThreadPool,
    slots: u32,
    exec: Arc<ExecutorEnv>,
    wire: bool,
}

impl LocalRunner {
    pub fn new(slots: u32, exec: Arc<ExecutorEnv>, wire: bool) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(slots as usize)
            .stack_size(STACK_BYTES)
            .thread_name(|i| format!("vonk-task-{i}"))
            .build()
            .map_err(|e| Error::io("cannot start the threads of tasks", e))?;
        Ok(LocalRunner { pool, slots, exec, wire })
    }
}

impl TaskRunner for LocalRunner {
    fn executors(&self) -> Vec<(ExecutorId, String, u32)> {
        vec![(ExecutorId(0), "localhost".to_string(), self.slots)]
    }

    fn launch(&mut self, _executor: ExecutorId, launch: TaskLaunch) {
        let (exec, wire) = (self.exec.clone(), self.wire);
        self.pool.spawn_fifo(move || {
            let result = run(&exec, wire, &launch);
            launch.ended(result);
        });
    }
}

fn run(exec: &Arc<ExecutorEnv>, wire: bool, launch: &TaskLaunch) -> Result<vonk_exec::TaskOutput> {
    let fragment = if wire {
        Arc::new(vonk_physical::decode(&vonk_physical::encode(&launch.fragment)?)?)
    } else {
        launch.fragment.clone()
    };
    let (partition, attempt) = (launch.partition, launch.attempt());
    let task = TaskSpec { fragment, partition, attempt, inputs: Default::default() };
    let results = &launch.results;
    if !matches!(task.fragment.plan, vonk_physical::PhysicalPlan::ShuffleWrite(_)) {
        results.begin(partition, attempt)?;
    }
    run_task(exec, &launch.query, &task, &mut |batch| results.push(partition, attempt, batch))
}
