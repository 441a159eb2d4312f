//! Results in one process: rows go out while their task runs.
//!
//! The first partition that is not complete streams; later ones are held until it is their turn.
//! Beyond [`HELD_BYTES`] tasks wait for the reader, but a task that is not first never waits while the first is not running:
//! it may have to be tried again on the very thread.

use arrow::array::RecordBatch;
use parking_lot::{Condvar, Mutex};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use vonk_error::{Error, Result};
use vonk_exec::CancelFlag;
use vonk_shuffle::batch_bytes;

/// Bytes of results that are held before tasks wait.
const HELD_BYTES: u64 = 32 << 20;
/// How often waiting looks at the cancel flag.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Default)]
struct Part {
    attempt: Option<u32>,
    batches: VecDeque<RecordBatch>,
    /// Batches of this attempt were read already: another attempt could not take them back.
    read: bool,
    /// Why its last attempt failed.
    error: Option<Error>,
    complete: bool,
}

struct State {
    parts: BTreeMap<u32, Part>,
    first: u32,
    partitions: u32,
    held: u64,
    end: Option<Result<()>>,
}

/// Between tasks and reader.
pub(crate) struct StreamedResults {
    state: Mutex<State>,
    changed: Condvar,
    cancel: CancelFlag,
}

impl StreamedResults {
    pub fn new(partitions: u32, cancel: CancelFlag) -> Self {
        let state = State { parts: BTreeMap::new(), first: 0, partitions, held: 0, end: None };
        StreamedResults { state: Mutex::new(state), changed: Condvar::new(), cancel }
    }

    /// An attempt of a partition begins; what an earlier one left is dropped.
    pub fn begin(&self, partition: u32, attempt: u32) -> Result<()> {
        let mut state = self.state.lock();
        let part = state.parts.entry(partition).or_default();
        if part.read {
            // Trying again does not help; what went wrong first is what the reader should hear.
            let unknown =
                || Error::internal(format!("rows of partition {partition} were read before its task failed"));
            return Err(part.error.take().unwrap_or_else(unknown));
        }
        part.attempt = Some(attempt);
        let dropped: u64 = part.batches.drain(..).map(|b| batch_bytes(&b)).sum();
        state.held -= dropped;
        Ok(())
    }

    /// Adds a batch of an attempt; waits while too much is held.
    pub fn push(&self, partition: u32, attempt: u32, batch: RecordBatch) -> Result<()> {
        let bytes = batch_bytes(&batch);
        let mut state = self.state.lock();
        loop {
            if self.cancel.is_cancelled() || state.end.is_some() {
                return Err(Error::cancelled());
            }
            let first_runs = state.parts.get(&state.first).is_some_and(|p| p.attempt.is_some());
            let empty = state.parts.get(&partition).is_none_or(|p| p.batches.is_empty());
            let must_go_on = if partition == state.first { empty } else { !first_runs };
            if state.held < HELD_BYTES || must_go_on {
                break;
            }
            self.changed.wait_for(&mut state, LOOK);
        }
        let part = state.parts.entry(partition).or_default();
        // An attempt that was given up may still run; its rows do not count.
        if part.attempt == Some(attempt) && !part.complete {
            part.batches.push_back(batch);
            state.held += bytes;
            self.changed.notify_all();
        }
        Ok(())
    }

    /// The partition is complete: the scheduler accepted the attempt.
    pub fn complete(&self, partition: u32) {
        self.state.lock().parts.entry(partition).or_default().complete = true;
        self.changed.notify_all();
    }

    /// An attempt failed: its partition does not run for now.
    pub fn failed(&self, partition: u32, attempt: u32, error: Option<&Error>) {
        let mut state = self.state.lock();
        if let Some(part) = state.parts.get_mut(&partition) {
            if part.attempt == Some(attempt) && !part.complete {
                part.attempt = None;
                part.error = error.cloned();
            }
        }
        self.changed.notify_all();
    }

    /// The job ended.
    pub fn end(&self, result: Result<()>) {
        self.state.lock().end.get_or_insert(result);
        self.changed.notify_all();
    }

    /// The next batch, in the order of partitions; `None` at the end.
    pub fn next(&self) -> Result<Option<RecordBatch>> {
        let mut guard = self.state.lock();
        loop {
            let state = &mut *guard;
            if let Some(Err(e)) = &state.end {
                return Err(e.clone());
            }
            if state.first >= state.partitions {
                // The reader is told of the end only when the job has ended: its last words may be an error.
                if let Some(Ok(())) = state.end {
                    return Ok(None);
                }
            } else if let Some(part) = state.parts.get_mut(&state.first) {
                if let Some(batch) = part.batches.pop_front() {
                    part.read = true;
                    state.held -= batch_bytes(&batch);
                    self.changed.notify_all();
                    return Ok(Some(batch));
                }
                if part.complete {
                    let first = state.first;
                    state.parts.remove(&first);
                    state.first += 1;
                    self.changed.notify_all();
                    continue;
                }
            }
            if self.cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            self.changed.wait_for(&mut guard, LOOK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;
    use std::sync::Arc;

    fn batch(n: i64) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![n]));
        RecordBatch::try_from_iter([("a", column)]).unwrap()
    }

    #[test]
    fn partitions_come_in_order_and_a_second_attempt_replaces_the_first() {
        let results = StreamedResults::new(2, CancelFlag::new());
        results.begin(1, 0).unwrap();
        results.push(1, 0, batch(10)).unwrap();
        results.begin(0, 0).unwrap();
        results.push(0, 0, batch(99)).unwrap();
        results.failed(0, 0, None);
        results.begin(0, 1).unwrap();
        results.push(0, 0, batch(98)).unwrap();
        results.push(0, 1, batch(1)).unwrap();
        results.complete(0);
        results.complete(1);
        results.end(Ok(()));
        let mut read = vec![];
        while let Some(b) = results.next().unwrap() {
            read.push(b.column(0).as_primitive::<Int64Type>().value(0));
        }
        assert_eq!(read, [1, 10]);
    }

    #[test]
    fn rows_that_were_read_cannot_be_made_again() {
        let results = StreamedResults::new(1, CancelFlag::new());
        results.begin(0, 0).unwrap();
        results.push(0, 0, batch(1)).unwrap();
        results.next().unwrap();
        results.failed(0, 0, Some(&Error::io("cannot read", "the disk")));
        assert_eq!(results.begin(0, 1).unwrap_err().condition(), "_IO_ERROR");
        results.end(Err(Error::cancelled()));
        assert_eq!(results.next().unwrap_err().condition(), "OPERATION_CANCELED");
    }
}
