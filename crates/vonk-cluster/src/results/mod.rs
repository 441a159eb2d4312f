//! The results of a job on their way from its tasks to whoever asked.
//!
//! A result is read as one, its partitions in order, or in parts that are read on their own: of `n` parts, part `i` has the partitions
//! `i`, `i + n`, `i + 2n` and so on, in this order, so that the tasks that run at the same time feed different parts. Of each partition
//! come out just the rows of the attempt that the scheduler accepted.
//!
//! Must not know: what the rows mean, and who schedules tasks.

mod reader;
mod room;
mod streamed;
mod whole;

use crate::backend::output_attempt;
use arrow::array::RecordBatch;
pub(crate) use room::ResultRoom;
use std::sync::{Arc, Weak};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};
pub(crate) use streamed::{Parkable, Pushed, StreamedResults};
use vonk_error::{Error, Result};
use vonk_exec::{CancelFlag, CancelWatcher};
use vonk_scheduler::TaskId;
pub(crate) use whole::{ResultStore, WholeResults};

/// How often a thread that waits looks at the cancel flag, should nobody have told it.
const LOOK: Duration = Duration::from_millis(100);

/// Between tasks and readers.
pub(crate) enum Results {
    /// In one process, where a task that has given rows away does not vanish.
    Streamed(StreamedResults),
    /// From executors that may be lost: rows go out when their task is accepted.
    Whole(WholeResults),
}

impl Results {
    /// Has its readers and its tasks told when the flag is set.
    pub fn watching(self, cancel: &CancelFlag) -> Arc<Results> {
        let results = Arc::new(self);
        let watcher: Arc<dyn CancelWatcher> = results.clone();
        let watcher: Weak<dyn CancelWatcher> = Arc::downgrade(&watcher);
        cancel.watch(&watcher);
        results
    }

    fn streamed(&self) -> Result<&StreamedResults> {
        match self {
            Results::Streamed(r) => Ok(r),
            Results::Whole(_) => Err(Error::internal("rows of executors come through their connection")),
        }
    }

    /// An attempt of a partition begins in this process.
    pub fn begin(&self, partition: u32, attempt: u32) -> Result<()> {
        self.streamed()?.begin(partition, attempt)
    }

    /// Adds a batch of an attempt in this process. Where there is no room for it, waits for some; if there is none after that, gives the
    /// batch back.
    pub fn push(
        &self,
        partition: u32,
        attempt: u32,
        batch: RecordBatch,
        patience: Duration,
    ) -> Result<Pushed> {
        self.streamed()?.push(partition, attempt, batch, patience)
    }

    /// Keeps a task in this process, which runs no more, until there is room for its batch. Gives both back if there is some now.
    pub fn park<T: Parkable + 'static>(
        &self,
        partition: u32,
        task: TaskId,
        batch: RecordBatch,
        parkable: Box<T>,
    ) -> Option<(Box<T>, RecordBatch)> {
        match self {
            Results::Streamed(r) => r.park(partition, task, batch, parkable),
            Results::Whole(_) => Some((parkable, batch)),
        }
    }

    /// Ends a task that is kept.
    pub fn kill(&self, task: TaskId) {
        if let Results::Streamed(r) = self {
            r.kill(task);
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

    /// Makes so many parts of it, but no more than it has partitions; how many. One that was read from stays whole.
    pub fn split(&self, parts: usize) -> usize {
        match self {
            Results::Streamed(r) => r.split(parts),
            Results::Whole(r) => r.split(parts),
        }
    }

    /// The next batch of a part; `None` at its end. Blocks.
    pub fn next(&self, part: usize) -> Result<Option<RecordBatch>> {
        match self {
            Results::Streamed(r) => r.next(part),
            Results::Whole(r) => r.next(part),
        }
    }

    /// As [`next`](Self::next) without blocking, but for what comes from disk: wakes when it is worth asking again.
    pub fn poll(&self, part: usize, waker: &Waker) -> Poll<Result<Option<RecordBatch>>> {
        match self {
            Results::Streamed(r) => r.poll(part, waker),
            Results::Whole(r) => r.poll(part, waker),
        }
    }

    /// Nobody will read this part any more.
    pub fn close(&self, part: usize) {
        match self {
            Results::Streamed(r) => r.close(part),
            Results::Whole(r) => r.close(part),
        }
    }

    /// When the part was last read, or waited for: now, while somebody waits.
    pub fn last_read(&self, part: usize) -> Instant {
        match self {
            Results::Streamed(r) => r.last_read(part),
            Results::Whole(r) => r.last_read(part),
        }
    }
}

impl CancelWatcher for Results {
    fn cancelled(&self) {
        match self {
            Results::Streamed(r) => r.cancelled(),
            Results::Whole(r) => r.cancelled(),
        }
    }
}
