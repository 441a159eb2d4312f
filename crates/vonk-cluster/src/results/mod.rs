//! The results of a job on their way from its tasks to whoever asked.
//!
//! Partitions come out in order, and of each just the rows of the attempt that the scheduler accepted.

mod streamed;
mod whole;

use crate::backend::output_attempt;
use arrow::array::RecordBatch;
pub(crate) use streamed::StreamedResults;
use vonk_error::{Error, Result};
use vonk_scheduler::TaskId;
pub(crate) use whole::{ResultStore, WholeResults};

/// Between tasks and reader.
pub(crate) enum Results {
    /// In one process, where a task that has given rows away does not vanish.
    Streamed(StreamedResults),
    /// From executors that may be lost: rows go out when their task is accepted.
    Whole(WholeResults),
}

impl Results {
    /// An attempt of a partition begins in this process.
    pub fn begin(&self, partition: u32, attempt: u32) -> Result<()> {
        match self {
            Results::Streamed(r) => r.begin(partition, attempt),
            Results::Whole(_) => Err(Error::internal("rows of executors come through their connection")),
        }
    }

    /// Adds a batch of an attempt in this process; waits while too much is held.
    pub fn push(&self, partition: u32, attempt: u32, batch: RecordBatch) -> Result<()> {
        match self {
            Results::Streamed(r) => r.push(partition, attempt, batch),
            Results::Whole(_) => Err(Error::internal("rows of executors come through their connection")),
        }
    }

    /// The scheduler accepted the rows of this task for the partition.
    pub fn accepted(&self, partition: u32, task: TaskId) {
        match self {
            Results::Streamed(r) => r.complete(partition),
            Results::Whole(r) => r.accepted(partition, task),
        }
    }

    /// A task failed, or was lost without an error of its own: it gives no rows.
    pub fn failed(&self, partition: u32, task: TaskId, error: Option<&Error>) {
        match self {
            Results::Streamed(r) => r.failed(partition, output_attempt(task), error),
            Results::Whole(r) => r.discard(task),
        }
    }

    /// A task ended, and the scheduler has accepted its rows if it wants them.
    pub fn ended(&self, task: TaskId) {
        match self {
            Results::Streamed(_) => {}
            Results::Whole(r) => r.discard(task),
        }
    }

    /// The job ended.
    pub fn end(&self, result: Result<()>) {
        match self {
            Results::Streamed(r) => r.end(result),
            Results::Whole(r) => r.end(result),
        }
    }

    /// The next batch, in the order of partitions; `None` at the end. Blocks.
    pub fn next(&self) -> Result<Option<RecordBatch>> {
        match self {
            Results::Streamed(r) => r.next(),
            Results::Whole(r) => r.next(),
        }
    }
}
