//! Results from executors that may be lost: the rows of a task wait in the driver, in memory or on disk, until the task has ended
//! and the scheduler has accepted it.
//!
//! So a task can be tried again at any time: none of its rows have been given away. What a second attempt leaves, or one that was given
//! up, is dropped.

use super::LOOK;
use super::reader::Reader;
use arrow::array::RecordBatch;
use parking_lot::{Condvar, Mutex};
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Instant;
use vonk_error::Result;
use vonk_exec::{CancelFlag, MemoryManager};
use vonk_scheduler::TaskId;
use vonk_shuffle::{BlockMemory, BlockReader, LocalBlocks, MapWriter, ShuffleBlocks, SpillableBlocks};

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

/// One part of a result.
struct Part {
    reader: Reader,
    /// The partition that is read now.
    first: u32,
    /// Its rows. Has a lock of its own: the driver's thread must not wait while rows are read from disk.
    rows: Arc<Mutex<Option<Box<dyn BlockReader>>>>,
}

impl Part {
    fn new(first: u32) -> Part {
        Part { reader: Reader::new(), first, rows: Arc::default() }
    }
}

struct State {
    /// Whose rows count, by partition.
    accepted: BTreeMap<u32, TaskId>,
    /// The same tasks.
    tasks: HashSet<TaskId>,
    parts: Vec<Part>,
    /// How many partitions there are.
    count: u32,
    end: Option<Result<()>>,
}

/// What a reader has to do next.
enum Next {
    /// Read the rows of this task.
    Read(TaskId, Arc<Mutex<Option<Box<dyn BlockReader>>>>),
    End,
    Wait,
}

/// Between a job's tasks and its readers.
pub(crate) struct WholeResults {
    store: Arc<ResultStore>,
    state: Mutex<State>,
    /// For readers that wait with their threads.
    changed: Condvar,
    cancel: CancelFlag,
}

impl WholeResults {
    pub fn new(store: Arc<ResultStore>, partitions: u32, cancel: CancelFlag) -> Self {
        let (accepted, tasks) = (BTreeMap::new(), HashSet::new());
        let state = State { accepted, tasks, parts: vec![Part::new(0)], count: partitions, end: None };
        WholeResults { store, state: Mutex::new(state), changed: Condvar::new(), cancel }
    }

    /// The scheduler accepted a task, whose rows are in the store.
    pub fn accepted(&self, partition: u32, task: TaskId) {
        let mut state = self.state.lock();
        let part = partition as usize % state.parts.len();
        let wanted = partition >= state.parts[part].first && !state.parts[part].reader.closed;
        if wanted && state.accepted.insert(partition, task).is_none() {
            state.tasks.insert(task);
        }
        let waker = state.parts[part].reader.wake();
        drop(state);
        self.changed.notify_all();
        waker.into_iter().for_each(Waker::wake);
    }

    /// Drops the rows of a task unless it was accepted.
    pub fn discard(&self, task: TaskId) {
        match self.state.lock().tasks.contains(&task) {
            true => self.store.close(task),
            false => self.store.release(task),
        }
    }

    /// The job ended. If it failed, nobody will see the rows that are here: they go, though the reader may stay.
    pub fn end(&self, result: Result<()>) {
        let mut state = self.state.lock();
        let gone = match state.end.get_or_insert(result).is_err() {
            true => {
                state.accepted.clear();
                std::mem::take(&mut state.tasks)
            }
            false => HashSet::new(),
        };
        drop(state);
        gone.into_iter().for_each(|task| self.store.release(task));
        self.cancelled();
    }

    /// Readers wait no more.
    pub fn cancelled(&self) {
        let mut state = self.state.lock();
        let wakers: Vec<_> = state.parts.iter_mut().filter_map(|p| p.reader.wake()).collect();
        drop(state);
        self.changed.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// See [`Results::split`](super::Results::split).
    pub fn split(&self, parts: usize) -> usize {
        let mut state = self.state.lock();
        let parts = parts.clamp(1, state.count.max(1) as usize);
        let first = &state.parts[0];
        let read = state.parts.len() > 1 || first.first > 0 || first.rows.lock().is_some();
        if parts > 1 && !read {
            state.parts = (0..parts as u32).map(Part::new).collect();
        }
        state.parts.len()
    }

    /// The next batch of a part; `None` at its end.
    pub fn next(&self, part: usize) -> Result<Option<RecordBatch>> {
        loop {
            let mut state = self.state.lock();
            let next = loop {
                match self.look(&mut state, part, None)? {
                    Next::Wait => self.changed.wait_for(&mut state, LOOK),
                    next => break next,
                };
            };
            drop(state);
            let Next::Read(task, rows) = next else { return Ok(None) };
            if let Some(batch) = self.read(part, task, &rows)? {
                return Ok(Some(batch));
            }
        }
    }

    /// See [`Results::poll`](super::Results::poll).
    pub fn poll(&self, part: usize, waker: &Waker) -> Poll<Result<Option<RecordBatch>>> {
        loop {
            let next = self.look(&mut self.state.lock(), part, Some(waker));
            match next {
                Err(e) => return Poll::Ready(Err(e)),
                Ok(Next::Wait) => return Poll::Pending,
                Ok(Next::End) => return Poll::Ready(Ok(None)),
                Ok(Next::Read(task, rows)) => {
                    if let Some(done) = self.read(part, task, &rows).transpose() {
                        return Poll::Ready(done.map(Some));
                    }
                }
            }
        }
    }

    /// What a reader has to do next. It waits from now on if that is to wait.
    fn look(&self, state: &mut State, part: usize, waker: Option<&Waker>) -> Result<Next> {
        if let Some(Err(e)) = &state.end {
            return Err(e.clone());
        }
        self.cancel.check()?;
        let whole = state.parts.len() == 1;
        let Part { reader, first, rows } = &mut state.parts[part];
        if *first >= state.count {
            // The reader of all is told of the end only when the job has ended: its last words may be an error.
            if !whole || matches!(state.end, Some(Ok(()))) {
                reader.served();
                return Ok(Next::End);
            }
        } else if let Some(task) = state.accepted.get(first) {
            reader.served();
            return Ok(Next::Read(*task, rows.clone()));
        }
        reader.waits(waker);
        Ok(Next::Wait)
    }

    /// The next batch of a task's rows; `None` if there are no more: then the next partition's are to be read.
    fn read(
        &self,
        part: usize,
        task: TaskId,
        rows: &Mutex<Option<Box<dyn BlockReader>>>,
    ) -> Result<Option<RecordBatch>> {
        let mut rows = rows.lock();
        let open = match &mut *rows {
            Some(open) => open,
            None => rows.insert(self.store.reader(task)?),
        };
        let next = open.next(&|| self.cancel.check()).map_err(|error| {
            // Rows that went because the job failed are not what went wrong.
            let end = self.state.lock().end.clone();
            end.and_then(Result::err).unwrap_or(error)
        });
        if let Some(batch) = next? {
            return Ok(Some(batch));
        }
        *rows = None;
        let mut state = self.state.lock();
        let (step, first) = (state.parts.len() as u32, state.parts[part].first);
        state.accepted.remove(&first);
        state.tasks.remove(&task);
        state.parts[part].first += step;
        drop(state);
        self.store.release(task);
        Ok(None)
    }

    /// Nobody will read this part any more.
    pub fn close(&self, part: usize) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        state.parts[part].reader.closed = true;
        let (rows, step) = (state.parts[part].rows.clone(), state.parts.len());
        let gone: Vec<TaskId> =
            state.accepted.extract_if(.., |p, _| *p as usize % step == part).map(|(_, task)| task).collect();
        gone.iter().for_each(|task| {
            state.tasks.remove(task);
        });
        drop(guard);
        *rows.lock() = None;
        gone.into_iter().for_each(|task| self.store.release(task));
    }

    /// See [`Results::last_read`](super::Results::last_read).
    pub fn last_read(&self, part: usize) -> Instant {
        self.state.lock().parts[part].reader.last_read()
    }
}

impl Drop for WholeResults {
    fn drop(&mut self) {
        self.state.get_mut().parts.clear();
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
            while let Some(b) = results.next(0).unwrap() {
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
        results.next(0).unwrap();
        drop(results);
        assert_eq!((store.held(), memory.used()), (0, 0));
    }
}
