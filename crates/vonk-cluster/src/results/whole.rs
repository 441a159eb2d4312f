//! Results from executors that may be lost: the rows of a task wait in the driver, in memory or on disk, until the task has ended
//! and the scheduler has accepted it.
//!
//! So a task can be tried again at any time: none of its rows have been given away. What a second attempt leaves, or one that was given
//! up, is dropped.

use arrow::array::RecordBatch;
use parking_lot::{Condvar, Mutex};
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use vonk_error::Result;
use vonk_exec::{CancelFlag, MemoryManager};
use vonk_scheduler::TaskId;
use vonk_shuffle::{BlockMemory, BlockReader, LocalBlocks, MapWriter, ShuffleBlocks, SpillableBlocks};

/// How often waiting looks at the cancel flag.
const LOOK: Duration = Duration::from_millis(20);

/// Where the rows of tasks wait: blocks in the driver's memory, spilled when there are too many. Shared by all jobs of a driver; a task's
/// rows are one block under the task's number.
///
/// Invariant: a task's rows are taken only while they are expected, so that an executor that was given up leaves nothing here.
pub(crate) struct ResultStore {
    blocks: Arc<LocalBlocks>,
    expected: Mutex<HashSet<TaskId>>,
}

impl ResultStore {
    /// Under a memory manager, with a folder to spill to.
    pub fn new(memory: &Arc<MemoryManager>, dir: PathBuf) -> ResultStore {
        let blocks = Arc::new(LocalBlocks::new(memory.clone() as Arc<dyn BlockMemory>, dir, 0));
        let spillable: Arc<dyn SpillableBlocks> = blocks.clone();
        memory.set_blocks(Arc::downgrade(&spillable));
        ResultStore { blocks, expected: Mutex::default() }
    }

    /// A result task was sent out.
    pub fn expect(&self, task: TaskId) {
        self.expected.lock().insert(task);
    }

    /// Takes the rows of a task. Uncommitted, it leaves nothing.
    pub fn writer(&self, task: TaskId) -> Result<Box<dyn MapWriter>> {
        self.blocks.writer(task.0, 0, 0, 1)
    }

    /// The task has given all its rows; they are dropped if nobody expects them any more.
    pub fn commit(&self, task: TaskId, writer: Box<dyn MapWriter>) -> Result<()> {
        // Held meanwhile: a task that is given up now is released after its rows have come.
        let expected = self.expected.lock();
        if expected.contains(&task) {
            writer.commit()?;
        }
        Ok(())
    }

    fn reader(&self, task: TaskId) -> Result<Box<dyn BlockReader>> {
        self.blocks.reader(task.0, 1, 0, None)
    }

    fn release(&self, task: TaskId) {
        self.expected.lock().remove(&task);
        self.blocks.release(task.0);
    }

    /// What comes of this task from now on is dropped.
    fn close(&self, task: TaskId) {
        self.expected.lock().remove(&task);
    }

    /// Tasks whose rows are held; for tests that nothing is left behind.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.blocks.shuffles() + self.expected.lock().len()
    }
}

struct State {
    /// Whose rows count, by partition.
    accepted: BTreeMap<u32, TaskId>,
    /// The same tasks.
    tasks: HashSet<TaskId>,
    first: u32,
    partitions: u32,
    end: Option<Result<()>>,
}

/// Between a job's tasks and its reader.
pub(crate) struct WholeResults {
    store: Arc<ResultStore>,
    state: Mutex<State>,
    /// The rows of the first partition. Has a lock of its own: the driver's thread must not wait while rows are read from disk.
    reader: Mutex<Option<Box<dyn BlockReader>>>,
    changed: Condvar,
    cancel: CancelFlag,
}

impl WholeResults {
    pub fn new(store: Arc<ResultStore>, partitions: u32, cancel: CancelFlag) -> Self {
        let (accepted, tasks) = (BTreeMap::new(), HashSet::new());
        let state = State { accepted, tasks, first: 0, partitions, end: None };
        let (state, reader) = (Mutex::new(state), Mutex::default());
        WholeResults { store, state, reader, changed: Condvar::new(), cancel }
    }

    /// The scheduler accepted a task, whose rows are in the store.
    pub fn accepted(&self, partition: u32, task: TaskId) {
        let mut state = self.state.lock();
        if partition >= state.first && state.accepted.insert(partition, task).is_none() {
            state.tasks.insert(task);
        }
        self.changed.notify_all();
    }

    /// Drops the rows of a task unless it was accepted.
    pub fn discard(&self, task: TaskId) {
        match self.state.lock().tasks.contains(&task) {
            true => self.store.close(task),
            false => self.store.release(task),
        }
    }

    /// The job ended.
    pub fn end(&self, result: Result<()>) {
        self.state.lock().end.get_or_insert(result);
        self.changed.notify_all();
    }

    /// The next batch, in the order of partitions; `None` at the end.
    pub fn next(&self) -> Result<Option<RecordBatch>> {
        let mut reader = self.reader.lock();
        while let Some(task) = self.first()? {
            let open = match &mut *reader {
                Some(open) => open,
                None => reader.insert(self.store.reader(task)?),
            };
            if let Some(batch) = open.next(&|| self.cancel.check())? {
                return Ok(Some(batch));
            }
            *reader = None;
            let mut state = self.state.lock();
            let first = state.first;
            state.accepted.remove(&first);
            state.tasks.remove(&task);
            state.first += 1;
            drop(state);
            self.store.release(task);
        }
        Ok(None)
    }

    /// Waits for the task whose rows are next; `None` at the end.
    fn first(&self) -> Result<Option<TaskId>> {
        let mut state = self.state.lock();
        loop {
            if let Some(Err(e)) = &state.end {
                return Err(e.clone());
            }
            self.cancel.check()?;
            if state.first >= state.partitions {
                // The reader is told of the end only when the job has ended: its last words may be an error.
                if let Some(Ok(())) = state.end {
                    return Ok(None);
                }
            } else if let Some(task) = state.accepted.get(&state.first) {
                return Ok(Some(*task));
            }
            self.changed.wait_for(&mut state, LOOK);
        }
    }
}

impl Drop for WholeResults {
    fn drop(&mut self) {
        *self.reader.get_mut() = None;
        self.state.get_mut().tasks.iter().for_each(|task| self.store.release(*task));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    fn put(store: &ResultStore, task: u64, values: &[i64]) {
        store.expect(TaskId(task));
        let mut writer = store.writer(TaskId(task)).unwrap();
        for v in values {
            let column: ArrayRef = Arc::new(Int64Array::from(vec![*v]));
            writer.push(0, RecordBatch::try_from_iter([("a", column)]).unwrap()).unwrap();
        }
        store.commit(TaskId(task), writer).unwrap();
    }

    #[test]
    fn just_the_rows_of_accepted_tasks_come_out_and_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        for limit in [None, Some(8)] {
            let memory = MemoryManager::new(limit);
            let store = Arc::new(ResultStore::new(&memory, dir.path().join("spill")));
            let results = WholeResults::new(store.clone(), 3, CancelFlag::new());
            put(&store, 11, &[30, 31]);
            results.accepted(2, TaskId(11));
            put(&store, 12, &[99]);
            results.discard(TaskId(12));
            put(&store, 13, &[10, 11]);
            put(&store, 14, &[98]);
            results.accepted(0, TaskId(13));
            results.discard(TaskId(13));
            results.discard(TaskId(14));
            // Too late: nobody waits for it.
            let late = store.writer(TaskId(14)).unwrap();
            store.commit(TaskId(14), late).unwrap();
            // A partition without rows.
            put(&store, 15, &[]);
            results.accepted(1, TaskId(15));
            results.end(Ok(()));
            let mut read = vec![];
            while let Some(b) = results.next().unwrap() {
                read.push(b.column(0).as_primitive::<Int64Type>().value(0));
            }
            assert_eq!(read, [10, 11, 30, 31]);
            assert_eq!((store.held(), memory.used()), (0, 0));
        }
    }

    #[test]
    fn a_job_that_is_dropped_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let memory = MemoryManager::new(None);
        let store = Arc::new(ResultStore::new(&memory, dir.path().join("spill")));
        let results = WholeResults::new(store.clone(), 2, CancelFlag::new());
        put(&store, 1, &[1, 2]);
        results.accepted(0, TaskId(1));
        results.next().unwrap();
        drop(results);
        assert_eq!((store.held(), memory.used()), (0, 0));
    }
}
