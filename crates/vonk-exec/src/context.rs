//! What tasks are given.

use crate::memory::MemoryManager;
use crate::metrics::TaskMetrics;
use std::path::PathBuf;
use std::sync::Arc;
use vonk_error::{CancelFlag, Result};
use vonk_eval::EvalEnv;
use vonk_shuffle::{ShuffleBlocks, ShuffleInputs};
use vonk_sources::Formats;

/// What all tasks of an executor process share.
pub struct ExecutorEnv {
    /// Readers and writers.
    pub formats: Formats,
    /// Memory of the process.
    pub memory: Arc<MemoryManager>,
    /// Shuffle blocks within reach.
    pub shuffle: Arc<dyn ShuffleBlocks>,
    /// Folder of spill files; made when first needed.
    pub spill_dir: PathBuf,
}

/// What the tasks of one job share on an executor. Dropped with the job: so are its join tables and filters.
pub struct QueryContext {
    /// The query's number within its driver, for logs: a query may be several jobs.
    pub number: u64,
    /// Settings, functions, values of scalar subqueries.
    pub env: EvalEnv,
    /// Rows of a batch aimed at.
    pub batch_rows: usize,
    /// Set when the job ends or is cancelled.
    pub cancel: CancelFlag,
    /// Join tables of broadcasts and runtime filters, made by whichever task comes first.
    pub shared: crate::shared::Shared,
}

impl QueryContext {
    /// For a job, of query 0.
    pub fn new(env: EvalEnv, batch_rows: usize, cancel: CancelFlag) -> Self {
        QueryContext { number: 0, env, batch_rows: batch_rows.max(1), cancel, shared: Default::default() }
    }

    /// The same of a query.
    #[must_use]
    pub fn of_query(self, number: u64) -> Self {
        QueryContext { number, ..self }
    }
}

/// What one task attempt is given. Cheap to clone: operators keep it.
#[derive(Clone)]
pub struct TaskContext {
    /// The process.
    pub exec: Arc<ExecutorEnv>,
    /// The job.
    pub query: Arc<QueryContext>,
    /// Partition of the fragment.
    pub partition: u32,
    /// Number of the attempt, unique within the job: names files.
    pub attempt: u32,
    /// Of what its stage reads: another once that was rolled back. What tasks share they share within it.
    pub generation: u32,
    /// Where the map outputs are that it reads; empty in local mode.
    pub inputs: Arc<ShuffleInputs>,
    /// Set when this attempt is not wanted any more; follows the job's.
    pub cancel: CancelFlag,
    /// Counters.
    pub metrics: TaskMetrics,
}

impl TaskContext {
    /// An error if the task should stop.
    pub fn check_cancelled(&self) -> Result<()> {
        self.cancel.check()
    }
}
