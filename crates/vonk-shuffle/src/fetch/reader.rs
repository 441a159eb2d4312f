//! The reader of a task: outputs of this process straight from its store, those of others as they arrive.

use crate::blocks::{BlockMemory, BlockReader};
use crate::fetch::connections::Connections;
use crate::fetch::progress::{Next, Progress, Request};
use crate::fetch::{Arrived, FetchOptions, request};
use crate::flight::protocol::Resume;
use crate::map_file::Damage;
use crate::message::decode;
use crate::object::Stores;
use crate::outputs::{Batches, Output, OutputKey, OutputSource};
use crate::places::{MapPlaces, Place, Source};
use arrow::array::RecordBatch;
use parking_lot::{Condvar, Mutex};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use vonk_error::{Error, ErrorKind, FetchFailure, Result};

/// How long a reader waits before it asks whether its task is cancelled.
const CHECK_EVERY: Duration = Duration::from_millis(50);

/// What the readers of a process share.
#[derive(Clone)]
pub(crate) struct FetchEnv {
    pub application: Arc<str>,
    pub executor: u64,
    pub local: Arc<dyn OutputSource>,
    pub memory: Arc<dyn BlockMemory>,
    pub runtime: Handle,
    pub connections: Arc<Connections>,
    pub store: Option<Arc<Stores>>,
    pub options: FetchOptions,
}

/// What a reader shares with the tasks that fetch for it.
pub(crate) struct Shared {
    pub application: Arc<str>,
    pub shuffle: u64,
    pub reduce: u32,
    pub connections: Arc<Connections>,
    pub store: Option<Arc<Stores>>,
    pub options: FetchOptions,
    memory: Arc<dyn BlockMemory>,
    runtime: Handle,
    state: Mutex<State>,
    ready: Condvar,
    arrivals: AtomicU64,
}

struct State {
    progress: Progress,
    /// Per place the task of its request.
    tasks: Vec<Option<AbortHandle>>,
    /// The reader is dropped: what arrives now is no one's.
    closed: bool,
}

impl Shared {
    /// What the request of a place has still to ask for.
    pub fn again(&self, remote: usize) -> (Request, Place) {
        let state = self.state.lock();
        (state.progress.again(remote), state.progress.remotes[remote].place.clone())
    }

    /// Counts what has arrived.
    pub fn arrivals(&self) -> u64 {
        self.arrivals.load(Ordering::Relaxed)
    }

    /// The map output that a place is at, and its executor.
    pub fn current(&self, remote: usize) -> (u32, u64) {
        let state = self.state.lock();
        (state.progress.current_map(remote), state.progress.remotes[remote].place.executor)
    }

    /// A batch has come.
    pub fn arrived(&self, remote: usize, from: usize, arrived: Arrived) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        self.memory.grow(arrived.message.stored_bytes());
        self.arrivals.fetch_add(1, Ordering::Relaxed);
        state.progress.arrived(remote, from, arrived);
        drop(state);
        self.ready.notify_one();
    }

    /// A stream has ended well.
    pub fn advanced(&self, remote: usize, position: usize, resume: Option<Resume>) {
        self.arrivals.fetch_add(1, Ordering::Relaxed);
        self.state.lock().progress.advanced(remote, position, resume);
    }

    /// A request is over.
    pub fn ended(self: &Arc<Self>, remote: usize, failed: Option<Error>) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        if let Some(ErrorKind::FetchFailed(f)) = failed.as_ref().map(Error::kind) {
            state.progress.lost(remote, f.map);
        }
        state.progress.ended(remote, failed);
        state.tasks[remote] = None;
        self.pump(&mut state, None);
        drop(state);
        self.ready.notify_one();
    }

    /// Sends the requests that may be sent.
    fn pump(self: &Arc<Self>, state: &mut State, waiting: Option<usize>) {
        while !state.closed {
            let Some(request) = state.progress.request(waiting) else { return };
            let task = self.runtime.spawn(request::run(self.clone(), request.remote));
            state.tasks[request.remote] = Some(task.abort_handle());
        }
    }
}

/// Reads one reduce partition of the outputs at many places.
pub(crate) struct FetchReader {
    env: FetchEnv,
    shared: Arc<Shared>,
    /// Per map output, where it comes from.
    maps: Vec<From>,
    map: usize,
    local: Option<Batches>,
}

#[derive(Clone, Copy)]
enum From {
    Here,
    /// Place, and position among its outputs.
    There(usize, usize),
}

impl FetchReader {
    /// Begins to fetch.
    pub fn new(env: FetchEnv, shuffle: u64, maps: u32, reduce: u32, places: &MapPlaces) -> Result<Self> {
        let mut remotes: Vec<(Place, Vec<u32>)> = vec![];
        let mut known: HashMap<&Place, usize> = HashMap::new();
        let mut from = Vec::with_capacity(maps as usize);
        for map in 0..maps {
            let Some(place) = places.of(map) else {
                let executor = u64::MAX; // None is known to have it.
                let failure = FetchFailure { shuffle, map, reduce, executor, unreachable: false };
                return Err(Error::fetch_failed(failure, "no executor is known to have the map output"));
            };
            if place.executor == env.executor && matches!(place.source, Source::Flight(_)) {
                from.push(From::Here);
                continue;
            }
            let remote = *known.entry(place).or_insert_with(|| {
                remotes.push((place.clone(), vec![]));
                remotes.len() - 1
            });
            from.push(From::There(remote, remotes[remote].1.len()));
            remotes[remote].1.push(map);
        }
        let tasks = vec![None; remotes.len()];
        let progress = Progress::new(remotes, &env.options);
        let shared = Arc::new(Shared {
            application: env.application.clone(),
            shuffle,
            reduce,
            connections: env.connections.clone(),
            store: env.store.clone(),
            options: env.options,
            memory: env.memory.clone(),
            runtime: env.runtime.clone(),
            state: Mutex::new(State { progress, tasks, closed: false }),
            ready: Condvar::new(),
            arrivals: AtomicU64::new(0),
        });
        shared.pump(&mut shared.state.lock(), None);
        Ok(FetchReader { env, shared, maps: from, map: 0, local: None })
    }

    /// The next batch of an output of this process.
    fn here(&mut self) -> Result<Option<RecordBatch>> {
        let (shuffle, map, reduce) = (self.shared.shuffle, self.map as u32, self.shared.reduce);
        let (application, executor) = (self.env.application.clone(), self.env.executor);
        let key = OutputKey { application, executor, shuffle, map };
        let failed = |d: Damage, output: Option<&Output>| {
            if matches!(d, Damage::Corrupt(_)) {
                self.env.local.discard(&key, output);
            }
            Error::fetch_failed(FetchFailure { shuffle, map, reduce, executor, unreachable: false }, d)
        };
        let batches = match &mut self.local {
            Some(batches) => batches,
            None => {
                let output = self.env.local.find(&key).map_err(|d| failed(d, None))?;
                if reduce >= output.partitions() {
                    return vonk_error::internal_err!("reduce partition {reduce} is not there");
                }
                self.local.insert(output.batches(reduce))
            }
        };
        let batch = batches.next().map_err(|d| failed(d, Some(batches.output())))?;
        if batch.is_none() {
            self.local = None;
        }
        Ok(batch)
    }

    /// The next batch of an output of another process; waits for it.
    fn there(
        &mut self,
        remote: usize,
        position: usize,
        check: &dyn Fn() -> Result<()>,
    ) -> Result<Option<RecordBatch>> {
        let mut asked = Instant::now();
        let mut state = self.shared.state.lock();
        loop {
            match state.progress.next(remote, position) {
                Next::Batch(schema, message) => {
                    self.shared.pump(&mut state, None);
                    drop(state);
                    self.env.memory.shrink(message.stored_bytes());
                    return decode(&schema, &message.header, message.body).map(Some);
                }
                Next::Done => return Ok(None),
                Next::Failed(error) => return Err(error),
                Next::Wait => {}
            }
            self.shared.pump(&mut state, Some(remote));
            self.shared.ready.wait_for(&mut state, CHECK_EVERY);
            if asked.elapsed() >= CHECK_EVERY {
                drop(state);
                check()?;
                asked = Instant::now();
                state = self.shared.state.lock();
            }
        }
    }
}

impl BlockReader for FetchReader {
    fn next(&mut self, check: &dyn Fn() -> Result<()>) -> Result<Option<RecordBatch>> {
        while let Some(from) = self.maps.get(self.map).copied() {
            let batch = match from {
                From::Here => self.here()?,
                From::There(remote, position) => self.there(remote, position, check)?,
            };
            if batch.is_some() {
                return Ok(batch);
            }
            self.map += 1;
        }
        Ok(None)
    }
}

impl Drop for FetchReader {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.closed = true;
        let tasks = std::mem::take(&mut state.tasks);
        self.env.memory.shrink(state.progress.buffered());
        tracing::trace!(
            shuffle = self.shared.shuffle,
            reduce = self.shared.reduce,
            most_buffered = state.progress.most_buffered(),
            "blocks read"
        );
        drop(state); // Which a task that ends wants.
        tasks.iter().flatten().for_each(AbortHandle::abort);
    }
}
