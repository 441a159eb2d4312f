//! Executors of one process: a store, a Flight server on loopback, counted memory.

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::Int64Type;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use vonk_error::{ErrorKind, FetchFailure, Result};
use vonk_rpc::tonic::service::Routes;
use vonk_rpc::{Limits, Listening, Security};
use vonk_shuffle::{
    BlockMemory, BlockServer, ClusterBlocks, ClusterOptions, Compression, Connections, FetchOptions, Keep,
    MapPlaces, Place, ServerOptions, ServiceFiles, ShuffleBlocks, Source, Stores,
};

pub const APPLICATION: &str = "app-20260101000000-0a1b2c3d";

/// Counts, with a limit.
#[derive(Default)]
pub struct Memory {
    limit: u64,
    used: AtomicU64,
    peak: AtomicU64,
}

impl Memory {
    pub fn new(limit: u64) -> Arc<Memory> {
        Arc::new(Memory { limit, ..Default::default() })
    }

    pub fn used(&self) -> u64 {
        self.used.load(Ordering::SeqCst)
    }

    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::SeqCst)
    }
}

impl BlockMemory for Memory {
    fn try_grow(&self, bytes: u64) -> bool {
        let fits = |used: u64| (used + bytes <= self.limit).then_some(used + bytes);
        let grown = self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fits).is_ok();
        self.peak.fetch_max(self.used(), Ordering::SeqCst);
        grown
    }
    fn grow(&self, bytes: u64) {
        let now = self.used.fetch_add(bytes, Ordering::SeqCst) + bytes;
        self.peak.fetch_max(now, Ordering::SeqCst);
    }
    fn shrink(&self, bytes: u64) {
        let before = self.used.fetch_sub(bytes, Ordering::SeqCst);
        assert!(before >= bytes, "{bytes} given back of {before}");
    }
}

pub fn runtime() -> Arc<Runtime> {
    Arc::new(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

/// A server with threads of its own.
pub struct Server {
    pub address: String,
    runtime: Option<Runtime>,
}

impl Server {
    pub fn start(server: BlockServer, security: &Security) -> Server {
        let runtime = Arc::into_inner(runtime()).unwrap();
        let listening =
            runtime.block_on(Listening::bind("127.0.0.1", 0, security, Limits::default())).unwrap();
        let address = listening.address().to_string();
        runtime.spawn(listening.serve(Routes::new(server.into_service()), std::future::pending()));
        Server { address, runtime: Some(runtime) }
    }

    /// As if the process died: every connection breaks.
    pub fn kill(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub struct Setup {
    pub memory: u64,
    pub fetch: FetchOptions,
    pub compression: Compression,
    pub security: Security,
    pub server: ServerOptions,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            memory: 1 << 40,
            fetch: FetchOptions {
                retry_wait: Duration::from_millis(20),
                idle_timeout: Duration::from_secs(20),
                ..Default::default()
            },
            compression: Compression::Lz4,
            security: Security::none(),
            server: ServerOptions::default(),
        }
    }
}

/// An executor.
pub struct Node {
    pub id: u64,
    pub blocks: ClusterBlocks,
    pub memory: Arc<Memory>,
    pub server: Server,
    pub runtime: Arc<Runtime>,
    pub dir: PathBuf,
    pub connections: Arc<Connections>,
    store: Option<String>,
}

impl Node {
    pub fn start(id: u64, root: &Path, keep: Keep, setup: &Setup) -> Node {
        let (runtime, memory) = (runtime(), Memory::new(setup.memory));
        let dir = ServiceFiles::folder(root, APPLICATION, id);
        let retry_wait = setup.fetch.retry_wait;
        let connections = Connections::new(setup.security.clone(), Duration::from_secs(2), retry_wait);
        let store = match &keep {
            Keep::Store(_, url) => Some(url.clone()),
            _ => None,
        };
        let stores: Option<Arc<Stores>> = None;
        let blocks = ClusterBlocks::new(ClusterOptions {
            application: APPLICATION.to_string(),
            executor: id,
            memory: memory.clone(),
            dir: dir.clone(),
            keep,
            stores,
            compression: setup.compression,
            runtime: runtime.handle().clone(),
            connections: connections.clone(),
            fetch: setup.fetch,
        });
        let server = Server::start(BlockServer::of_executor(&blocks, setup.server), &setup.security);
        Node { id, blocks, memory, server, runtime, dir, connections, store }
    }

    pub fn place(&self) -> Place {
        let source = match &self.store {
            Some(url) => Source::Store(url.clone()),
            None => Source::Flight(self.server.address.clone()),
        };
        Place { executor: self.id, source }
    }

    /// Writes a map output: batches with their reduce partitions.
    pub fn write(&self, shuffle: u64, map: u32, partitions: u32, batches: &[(u32, RecordBatch)]) {
        let mut writer = self.blocks.writer(shuffle, map, map, partitions).unwrap();
        batches.iter().for_each(|(reduce, batch)| writer.push(*reduce, batch.clone()).unwrap());
        writer.commit().unwrap();
    }

    pub fn read(&self, shuffle: u64, places: &Arc<MapPlaces>, reduce: u32) -> Result<Vec<RecordBatch>> {
        let mut reader = self.blocks.reader(shuffle, places.maps.len() as u32, reduce, Some(places))?;
        let mut batches = vec![];
        while let Some(batch) = reader.next(&|| Ok(()))? {
            batches.push(batch);
        }
        Ok(batches)
    }

    /// Waits until no block memory is held and no request runs.
    pub fn assert_quiet(&self) {
        wait_until("memory is given back", || self.memory.used() == 0);
    }
}

/// Map `m` is at node `m % nodes`.
pub fn places(nodes: &[&Node], maps: u32) -> Arc<MapPlaces> {
    let places = nodes.iter().map(|n| n.place()).collect();
    Arc::new(MapPlaces { places, maps: (0..maps).map(|m| m % nodes.len() as u32).collect() })
}

pub fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Numbers with their text.
pub fn numbers(values: impl Iterator<Item = i64>) -> RecordBatch {
    let numbers = Int64Array::from_iter_values(values);
    let texts = numbers.values().iter().map(|n| format!("the text of number {n}"));
    let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
    RecordBatch::try_from_iter([("n", Arc::new(numbers) as ArrayRef), ("t", texts)]).unwrap()
}

/// The numbers of batches that [`numbers`] made, whose texts are checked.
pub fn numbers_of(batches: &[RecordBatch]) -> Vec<i64> {
    let mut all = vec![];
    for b in batches {
        let numbers = b.column(0).as_primitive::<Int64Type>().values();
        let texts = b.column(1).as_string_view();
        numbers
            .iter()
            .enumerate()
            .for_each(|(i, n)| assert_eq!(texts.value(i), format!("the text of number {n}")));
        all.extend(numbers);
    }
    all
}

pub fn fetch_failure<T>(result: Result<T>) -> (FetchFailure, String) {
    let error = result.err().expect("a fetch failure");
    match error.kind() {
        ErrorKind::FetchFailed(f) => (f.clone(), error.to_string()),
        other => panic!("{other:?}: {error}"),
    }
}

/// All files below a folder.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    let Ok(entries) = std::fs::read_dir(dir) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
