//! Results in one process: rows go out while their task runs.
//!
//! Of each part of a result the first partition that is not complete streams; later ones are held until it is their turn. What is held
//! is bounded: beyond that a task waits for the reader, first with its thread, then without: it is [parked](Parkable), as an object
//! that holds its operators and its next batch, and goes on when half of the room is free again.
//!
//! A reader must get on whatever the others do. Its next partition is running (then its task is let in, however much is held), or will be
//! launched when a task ends. Where no task can end, since all that a query may have alive wait for readers that do not come, they
//! write to disk instead, to their end. That is the only use of the disk: a result that is read in order never comes there.
//!
//! Lock order: the state, then the memory manager. Files are written and read, and tasks resumed and dropped, without the state's lock.

use super::LOOK;
use super::reader::Reader;
use super::room::ResultRoom;
use crate::backend::output_attempt;
use arrow::array::RecordBatch;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};
use vonk_error::{Error, Result};
use vonk_exec::{CancelFlag, SpillQueue};
use vonk_scheduler::TaskId;
use vonk_shuffle::batch_bytes;

/// What became of a batch that a task gave away.
#[derive(Debug)]
pub(crate) enum Pushed {
    /// It is on its way.
    Taken,
    /// There is no room for it now.
    Full(RecordBatch),
    /// Nobody will read the partition: the task can as well end.
    Unwanted,
}

/// A task that can wait without a thread. Dropped, it ends as one that was cancelled.
pub(crate) trait Parkable: Send {
    /// It is parked now: told under a lock, before it can be resumed.
    fn parked(&self);
    /// There may be room for its batch again: not the place for long work.
    fn resume(self: Box<Self>, batch: RecordBatch);
}

/// Batches of the partition that is read now for which there is room whatever later ones hold.
const FIRST_BATCHES: usize = 4;

struct Parked {
    task: TaskId,
    partition: u32,
    batch: RecordBatch,
    parkable: Box<dyn Parkable>,
}

/// Rows of an attempt that did not fit.
struct Overflow {
    queue: Arc<Mutex<SpillQueue>>,
    /// Batches that are there.
    batches: usize,
}

/// One partition of the result.
#[derive(Default)]
struct Partition {
    attempt: Option<u32>,
    /// Those in memory come before those on disk.
    batches: VecDeque<RecordBatch>,
    disk: Option<Overflow>,
    /// Batches of this attempt were read already: another attempt could not take them back.
    read: bool,
    /// Why its last attempt failed.
    error: Option<Error>,
    complete: bool,
}

impl Partition {
    fn drain(&mut self) -> u64 {
        self.disk = None;
        self.batches.drain(..).map(|b| batch_bytes(&b)).sum()
    }

    fn on_disk(&self) -> usize {
        self.disk.as_ref().map_or(0, |d| d.batches)
    }
}

/// One part of the result.
struct Part {
    reader: Reader,
    /// The partition that is read now.
    first: u32,
    /// Bytes in memory.
    held: u64,
}

struct State {
    partitions: BTreeMap<u32, Partition>,
    parts: Vec<Part>,
    /// How many partitions there are.
    count: u32,
    /// Partitions with an attempt that has begun and not ended.
    alive: BTreeSet<u32>,
    parked: Vec<Parked>,
    /// Tasks that wait with their threads.
    blocked: u32,
    end: Option<Result<()>>,
}

/// Where a batch can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Memory,
    Disk,
    /// It does not count: another attempt's rows do.
    Nowhere,
    /// Nobody will read it.
    Unread,
    /// There is no room for it now.
    Wait,
}

/// What a reader gets.
enum Taken {
    Batch(RecordBatch),
    Disk(Arc<Mutex<SpillQueue>>),
    End,
    Nothing,
}

/// What is to be done once the state's lock is given back.
#[derive(Default)]
struct Afterwards {
    waker: Option<Waker>,
    resumed: Vec<Parked>,
}

impl Afterwards {
    fn carry_out(self) {
        self.waker.into_iter().for_each(Waker::wake);
        self.resumed.into_iter().for_each(|p| p.parkable.resume(p.batch));
    }
}

/// Between tasks and readers.
pub(crate) struct StreamedResults {
    state: Mutex<State>,
    /// For tasks that wait with their threads.
    room_made: Condvar,
    /// For readers that do.
    rows_came: Condvar,
    cancel: CancelFlag,
    room: Arc<ResultRoom>,
}

impl State {
    fn part_of(&self, partition: u32) -> usize {
        partition as usize % self.parts.len()
    }

    /// Whether a reader waits for a partition whose task can only be launched when another task of the query has ended.
    fn is_stuck(&self, slots: usize) -> bool {
        self.alive.len() >= slots
            && self.parts.iter().any(|part| {
                let complete = || self.partitions.get(&part.first).is_some_and(|p| p.complete);
                let to_come = part.first < self.count && !self.alive.contains(&part.first);
                part.reader.is_waiting() && to_come && !complete()
            })
    }

    /// Where a batch of an attempt can go. `resuming`: of a task that is parked, which waits for more room than for one batch.
    fn place(
        &self,
        room: &ResultRoom,
        partition: u32,
        attempt: u32,
        batch: &RecordBatch,
        resuming: bool,
    ) -> Place {
        let part = &self.parts[self.part_of(partition)];
        let Some(known) = self.partitions.get(&partition) else { return Place::Nowhere };
        // An attempt that was given up may still run; its rows do not count.
        if known.attempt != Some(attempt) || known.complete {
            return Place::Nowhere;
        }
        if part.reader.closed {
            return Place::Unread;
        }
        if known.on_disk() == 0 {
            let (next, waiting) = (partition == part.first, known.batches.len());
            if next && waiting == 0 {
                return Place::Memory;
            }
            let bound = room.bound(self.parts.len());
            let low = match resuming {
                true => part.held <= bound / 2,
                // What is read now has its few batches even where later partitions have taken all: else it were made while its reader waits.
                false => part.held < bound || next && waiting < FIRST_BATCHES,
            };
            if low && room.fits(batch_bytes(batch)) {
                return Place::Memory;
            }
        }
        if self.is_stuck(room.slots) { Place::Disk } else { Place::Wait }
    }

    /// Takes out the parked tasks that may go on.
    fn resumable(&mut self, room: &ResultRoom, afterwards: &mut Afterwards) {
        let mut at = 0;
        while at < self.parked.len() {
            let p = &self.parked[at];
            match self.place(room, p.partition, output_attempt(p.task), &p.batch, true) {
                Place::Wait => at += 1,
                _ => afterwards.resumed.push(self.parked.swap_remove(at)),
            }
        }
    }
}

impl StreamedResults {
    pub fn new(partitions: u32, cancel: CancelFlag, room: Arc<ResultRoom>) -> Self {
        let state = State {
            partitions: BTreeMap::new(),
            parts: vec![Part { reader: Reader::new(), first: 0, held: 0 }],
            count: partitions,
            alive: BTreeSet::new(),
            parked: Vec::new(),
            blocked: 0,
            end: None,
        };
        let (room_made, rows_came) = (Condvar::new(), Condvar::new());
        StreamedResults { state: Mutex::new(state), room_made, rows_came, cancel, room }
    }

    // ---- For tasks.

    /// An attempt of a partition begins; what an earlier one left is dropped.
    pub fn begin(&self, partition: u32, attempt: u32) -> Result<()> {
        let mut state = self.state.lock();
        if state.end.is_some() {
            return Err(Error::cancelled());
        }
        let known = state.partitions.entry(partition).or_default();
        if known.read {
            // Trying again does not help; what went wrong first is what the reader should hear.
            let unknown =
                || Error::internal(format!("rows of partition {partition} were read before its task failed"));
            return Err(known.error.take().unwrap_or_else(unknown));
        }
        known.attempt = Some(attempt);
        let dropped = known.drain();
        let part = state.part_of(partition);
        state.parts[part].held -= dropped;
        self.room.give_back(dropped);
        state.alive.insert(partition);
        // With all alive, those that are parked may have to go to disk.
        self.settle(state, None);
        Ok(())
    }

    /// See [`Results::push`](super::Results::push).
    pub fn push(
        &self,
        partition: u32,
        attempt: u32,
        batch: RecordBatch,
        patience: Duration,
    ) -> Result<Pushed> {
        let mut state = self.state.lock();
        let mut until = None;
        loop {
            if self.cancel.is_cancelled() || state.end.is_some() {
                return Err(Error::cancelled());
            }
            match state.place(&self.room, partition, attempt, &batch, false) {
                Place::Nowhere => return Ok(Pushed::Taken),
                Place::Unread => return Ok(Pushed::Unwanted),
                Place::Memory if self.keep(&mut state, partition, &batch) => {
                    self.came(state, partition, |known| known.batches.push_back(batch));
                    return Ok(Pushed::Taken);
                }
                Place::Disk => {
                    self.to_disk(state, partition, attempt, &batch)?;
                    return Ok(Pushed::Taken);
                }
                Place::Memory | Place::Wait => {}
            }
            let until = *until.get_or_insert_with(|| Instant::now() + patience);
            if Instant::now() >= until {
                return Ok(Pushed::Full(batch));
            }
            state.blocked += 1;
            self.room_made.wait_until(&mut state, until);
            state.blocked -= 1;
        }
    }

    /// Takes memory for a batch; `false` if there is none after all.
    fn keep(&self, state: &mut State, partition: u32, batch: &RecordBatch) -> bool {
        let (bytes, part) = (batch_bytes(batch), state.part_of(partition));
        let empty = state.partitions.get(&partition).is_some_and(|p| p.batches.is_empty());
        if partition == state.parts[part].first && empty {
            self.room.take(bytes);
        } else if !self.room.try_take(bytes) {
            return false;
        }
        state.parts[part].held += bytes;
        true
    }

    /// Adds a batch, and tells the reader if it waits for it.
    fn came(&self, mut state: MutexGuard<'_, State>, partition: u32, add: impl FnOnce(&mut Partition)) {
        add(state.partitions.entry(partition).or_default());
        let part = state.part_of(partition);
        let part = &mut state.parts[part];
        if part.first != partition || !part.reader.is_waiting() {
            return;
        }
        let waker = part.reader.wake();
        drop(state);
        self.rows_came.notify_all();
        waker.into_iter().for_each(Waker::wake);
    }

    fn to_disk(
        &self,
        mut state: MutexGuard<'_, State>,
        partition: u32,
        attempt: u32,
        batch: &RecordBatch,
    ) -> Result<()> {
        let known = state.partitions.entry(partition).or_default();
        let queue = match &known.disk {
            Some(disk) => disk.queue.clone(),
            None => {
                let queue = SpillQueue::create(&self.room.folder, &batch.schema())?;
                let queue = Arc::new(Mutex::new(queue));
                known.disk = Some(Overflow { queue: queue.clone(), batches: 0 });
                queue
            }
        };
        drop(state);
        queue.lock().push(batch)?;
        let state = self.state.lock();
        if state.partitions.get(&partition).is_some_and(|p| p.attempt == Some(attempt) && p.disk.is_some()) {
            self.came(state, partition, |known| {
                known.disk.iter_mut().for_each(|disk| disk.batches += 1);
            });
        }
        Ok(())
    }

    /// Keeps a task until there is room for its batch. Gives both back if there is some now, or it is not to wait any more.
    pub fn park<T: Parkable + 'static>(
        &self,
        partition: u32,
        task: TaskId,
        batch: RecordBatch,
        parkable: Box<T>,
    ) -> Option<(Box<T>, RecordBatch)> {
        let mut state = self.state.lock();
        let over = self.cancel.is_cancelled() || state.end.is_some();
        if over || state.place(&self.room, partition, output_attempt(task), &batch, true) != Place::Wait {
            return Some((parkable, batch));
        }
        parkable.parked();
        state.parked.push(Parked { task, partition, batch, parkable });
        None
    }

    /// Ends a task that is parked.
    pub fn kill(&self, task: TaskId) {
        let mut state = self.state.lock();
        let killed = state.parked.iter().position(|p| p.task == task).map(|at| state.parked.swap_remove(at));
        drop(state);
        drop(killed);
    }

    /// The partition is complete: the scheduler accepted the attempt.
    pub fn complete(&self, partition: u32) {
        let mut state = self.state.lock();
        state.partitions.entry(partition).or_default().complete = true;
        state.alive.remove(&partition);
        self.settle(state, Some(partition));
    }

    /// An attempt failed: its partition does not run for now.
    pub fn failed(&self, partition: u32, attempt: u32, error: Option<&Error>) {
        let mut state = self.state.lock();
        if let Some(known) = state.partitions.get_mut(&partition) {
            if known.attempt == Some(attempt) && !known.complete {
                known.attempt = None;
                known.error = error.cloned();
                state.alive.remove(&partition);
            }
        }
        self.settle(state, Some(partition));
    }

    /// The job ended. If it failed, nobody will see the rows that are here: they go, though the reader may stay.
    pub fn end(&self, result: Result<()>) {
        let mut state = self.state.lock();
        let failed = state.end.get_or_insert(result).is_err();
        let gone = if failed { std::mem::take(&mut state.partitions) } else { BTreeMap::new() };
        if failed {
            let held = state.parts.iter_mut().map(|p| std::mem::take(&mut p.held)).sum();
            self.room.give_back(held);
        }
        drop(state);
        drop(gone);
        self.cancelled();
    }

    /// Nobody waits any more: readers are told, parked tasks end.
    pub fn cancelled(&self) {
        let mut state = self.state.lock();
        let parked = std::mem::take(&mut state.parked);
        let wakers: Vec<_> = state.parts.iter_mut().filter_map(|p| p.reader.wake()).collect();
        drop(state);
        self.rows_came.notify_all();
        self.room_made.notify_all();
        wakers.into_iter().for_each(Waker::wake);
        drop(parked);
    }

    /// Something has changed that tasks may wait for, and the reader of a partition.
    fn settle(&self, mut state: MutexGuard<'_, State>, partition: Option<u32>) {
        let mut afterwards = Afterwards::default();
        if let Some(partition) = partition {
            let part = state.part_of(partition);
            afterwards.waker = state.parts[part].reader.wake();
        }
        self.make_room(&mut state, &mut afterwards);
        drop(state);
        self.rows_came.notify_all();
        afterwards.carry_out();
    }

    fn make_room(&self, state: &mut State, afterwards: &mut Afterwards) {
        if !state.parked.is_empty() {
            state.resumable(&self.room, afterwards);
        }
        if state.blocked > 0 {
            self.room_made.notify_all();
        }
    }

    // ---- For readers.

    /// See [`Results::split`](super::Results::split).
    pub fn split(&self, parts: usize) -> usize {
        let mut state = self.state.lock();
        let parts = parts.clamp(1, state.count.max(1) as usize);
        let read = state.parts.len() > 1 || state.parts[0].first > 0;
        if parts == 1 || read || state.partitions.values().any(|p| p.read) {
            return state.parts.len();
        }
        let part = |n| Part { reader: Reader::new(), first: n, held: 0 };
        state.parts = (0..parts as u32).map(part).collect();
        let State { partitions, parts: all, .. } = &mut *state;
        for (partition, known) in partitions {
            all[*partition as usize % parts].held += known.batches.iter().map(batch_bytes).sum::<u64>();
        }
        self.settle(state, None);
        parts
    }

    /// The next batch of a part; `None` at its end. Blocks.
    pub fn next(&self, part: usize) -> Result<Option<RecordBatch>> {
        let mut state = self.state.lock();
        loop {
            let mut afterwards = Afterwards::default();
            let taken = self.take(&mut state, part, None, &mut afterwards)?;
            let waits = matches!(taken, Taken::Nothing);
            if !afterwards.resumed.is_empty() {
                drop(state);
                afterwards.carry_out();
                if !waits {
                    return Self::fetch(taken);
                }
                state = self.state.lock();
                continue;
            }
            if !waits {
                drop(state);
                return Self::fetch(taken);
            }
            self.rows_came.wait_for(&mut state, LOOK);
        }
    }

    /// See [`Results::poll`](super::Results::poll).
    pub fn poll(&self, part: usize, waker: &Waker) -> Poll<Result<Option<RecordBatch>>> {
        let mut afterwards = Afterwards::default();
        let taken = self.take(&mut self.state.lock(), part, Some(waker), &mut afterwards);
        afterwards.carry_out();
        match taken {
            Ok(Taken::Nothing) => Poll::Pending,
            Ok(taken) => Poll::Ready(Self::fetch(taken)),
            Err(e) => Poll::Ready(Err(e)),
        }
    }

    fn fetch(taken: Taken) -> Result<Option<RecordBatch>> {
        match taken {
            Taken::Batch(batch) => Ok(Some(batch)),
            Taken::Disk(queue) => {
                let batch = queue.lock().pop()?;
                batch.map(Some).ok_or_else(|| Error::internal("rows on disk are not there"))
            }
            Taken::End | Taken::Nothing => Ok(None),
        }
    }

    /// What there is for a reader, who waits from now on if there is nothing.
    fn take(
        &self,
        state: &mut State,
        part: usize,
        waker: Option<&Waker>,
        afterwards: &mut Afterwards,
    ) -> Result<Taken> {
        loop {
            if let Some(Err(e)) = &state.end {
                return Err(e.clone());
            }
            let step = state.parts.len();
            let first = state.parts[part].first;
            if first >= state.count {
                // The reader of all is told of the end only when the job has ended: its last words may be an error.
                if step > 1 || matches!(state.end, Some(Ok(()))) {
                    state.parts[part].reader.served();
                    return Ok(Taken::End);
                }
            } else if let Some(known) = state.partitions.get_mut(&first) {
                let taken = match known.batches.pop_front() {
                    Some(batch) => {
                        let bytes = batch_bytes(&batch);
                        state.parts[part].held -= bytes;
                        self.room.give_back(bytes);
                        Some(Taken::Batch(batch))
                    }
                    None => known.disk.as_mut().filter(|d| d.batches > 0).map(|disk| {
                        disk.batches -= 1;
                        Taken::Disk(disk.queue.clone())
                    }),
                };
                if let Some(taken) = taken {
                    known.read = true;
                    state.parts[part].reader.served();
                    self.make_room(state, afterwards);
                    return Ok(taken);
                }
                if known.complete {
                    state.partitions.remove(&first);
                    state.parts[part].first += step as u32;
                    self.make_room(state, afterwards);
                    continue;
                }
            }
            self.cancel.check()?;
            if state.parts[part].reader.waits(waker) {
                // Others may have to make way.
                self.make_room(state, afterwards);
            }
            return Ok(Taken::Nothing);
        }
    }

    /// Nobody will read this part any more.
    pub fn close(&self, part: usize) {
        let mut state = self.state.lock();
        state.parts[part].reader.closed = true;
        let step = state.parts.len();
        let of_part = state.partitions.iter_mut().filter(|(p, _)| **p as usize % step == part);
        let dropped = of_part.map(|(_, known)| known.drain()).sum();
        state.parts[part].held -= dropped;
        self.room.give_back(dropped);
        // With the last one the query is cancelled, and its tasks with it.
        if !state.parts.iter().all(|p| p.reader.closed) {
            self.settle(state, None);
        }
    }

    /// See [`Results::last_read`](super::Results::last_read).
    pub fn last_read(&self, part: usize) -> Instant {
        self.state.lock().parts[part].reader.last_read()
    }
}

impl Drop for StreamedResults {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        let held = state.parts.iter().map(|p| p.held).sum();
        self.room.give_back(held);
    }
}

#[cfg(test)]
#[path = "streamed_tests.rs"]
mod tests;
