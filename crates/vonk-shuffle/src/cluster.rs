//! The block store of an executor: keeps what its tasks make, and reads what the tasks of all executors made.
//!
//! Outputs stay in memory as far as it goes ([`LocalBlocks`]), or become files that outlive the process, or go to an object store
//! ([`Keep`]). Outputs of this process are handed over without a copy; those of others come over the network.
//!
//! Must not know: who told it the places, or what becomes of a fetch failure.

use crate::blocks::{BlockMemory, BlockReader, MapOutputSizes, MapWriter, ShuffleBlocks, SpillableBlocks};
use crate::fetch::{Arrived, Connections, Failure, FetchEnv, FetchOptions, FetchReader, fetch_stream};
use crate::file_blocks::FileBlocks;
use crate::flight::protocol::BlockTicket;
use crate::local::LocalBlocks;
use crate::map_file::{Damage, PartsWriter};
use crate::message::Compression;
use crate::object::{StoreOutputs, Stores};
use crate::outputs::{Output, OutputKey, OutputSource};
use crate::places::MapPlaces;
use arrow::array::RecordBatch;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::Handle;
use vonk_error::{Error, Result};

/// Where an executor keeps its map outputs.
#[derive(Clone)]
pub enum Keep {
    /// In memory, spilled to files that go with the process.
    Memory,
    /// In files that a worker's shuffle service serves when the process is gone.
    Files,
    /// In an object store, below this URL, which must be the executor's own.
    Store(Arc<Stores>, String),
}

/// How a [`ClusterBlocks`] is made.
pub struct ClusterOptions {
    /// The application's id.
    pub application: String,
    /// This executor.
    pub executor: u64,
    /// What blocks are reserved from.
    pub memory: Arc<dyn BlockMemory>,
    /// Folder of this executor's files ([`ServiceFiles::folder`](crate::ServiceFiles::folder)); made when first needed.
    pub dir: PathBuf,
    /// Where outputs are kept.
    pub keep: Keep,
    /// The object store that the outputs of others may be in.
    pub stores: Option<Arc<Stores>>,
    /// Of files and large blocks.
    pub compression: Compression,
    /// Runs the network.
    pub runtime: Handle,
    /// To other executors and shuffle services.
    pub connections: Arc<Connections>,
    /// How blocks are fetched.
    pub fetch: FetchOptions,
}

/// The block store of an executor. Cheap to clone.
#[derive(Clone)]
pub struct ClusterBlocks(Arc<Inner>);

struct Inner {
    options: ClusterOptions,
    application: Arc<str>,
    local: LocalBlocks,
    files: Arc<FileBlocks>,
}

impl ClusterBlocks {
    /// An empty store.
    pub fn new(options: ClusterOptions) -> Self {
        let (memory, dir) = (options.memory.clone(), options.dir.clone());
        let local =
            LocalBlocks::with_compression(memory.clone(), dir.clone(), options.executor, options.compression);
        let files = Arc::new(FileBlocks::new(memory, dir, options.compression));
        ClusterBlocks(Arc::new(Inner {
            application: options.application.as_str().into(),
            options,
            local,
            files,
        }))
    }

    /// The committed outputs that this process holds: shuffle and map.
    pub fn outputs(&self) -> Vec<(u64, u32)> {
        let mut outputs = self.0.local.outputs();
        outputs.extend(self.0.files.outputs());
        outputs.sort_unstable();
        outputs
    }

    /// Forgets the output of one map partition, as if it were lost.
    pub fn lose(&self, shuffle: u64, map: u32) -> bool {
        let local = self.0.local.lose(shuffle, map);
        self.0.files.lose(shuffle, map) || local
    }

    /// The map stage of a shuffle runs again because its rows may come out otherwise this time: forgets its outputs of attempts before
    /// `attempt`, and refuses those that are still on their way. A reader must not see some of both.
    pub fn roll_back(&self, shuffle: u64, attempt: u32) {
        self.0.local.roll_back(shuffle, attempt);
        self.0.files.roll_back(shuffle, attempt);
        self.forget_indexes(shuffle);
        if let Ok(Some(outputs)) = self.store() {
            if let Err(error) = self.0.options.runtime.block_on(outputs.roll_back(shuffle)) {
                tracing::warn!(shuffle, %error, "map outputs stay behind");
            }
        }
    }

    /// Takes map outputs over from an executor that is about to leave: from now on this one has them, as files. Blocks its thread;
    /// those that could be had are told, and of the others the last error, if any. Without a connection no more are tried.
    pub fn take_over(
        &self,
        executor: u64,
        address: &str,
        outputs: &[(u64, u32)],
    ) -> (Vec<(u64, u32)>, Option<Error>) {
        let (mut taken, mut failed) = (vec![], None);
        for (shuffle, map) in outputs {
            let one = self.take_one(executor, address, *shuffle, *map);
            match self.0.options.runtime.block_on(one) {
                Ok(()) => taken.push((*shuffle, *map)),
                Err(NotTaken::Unreachable(e)) => return (taken, Some(e)),
                Err(NotTaken::Other(e)) => failed = Some(e),
            }
        }
        (taken, failed)
    }

    async fn take_one(
        &self,
        executor: u64,
        address: &str,
        shuffle: u64,
        map: u32,
    ) -> std::result::Result<(), NotTaken> {
        let options = &self.0.options;
        // The number of partitions comes with the end of the stream, so batches wait here; a writer may be told more than there are.
        let mut writer: Option<PartsWriter> = None;
        let mut ticket = BlockTicket {
            application: options.application.clone(),
            executor,
            shuffle,
            reduces: (0, u32::MAX),
            maps: vec![map],
            resume: None,
            max_bytes: options.fetch.request_bytes(),
        };
        let attempt = loop {
            let mut arrived: Vec<Arrived> = vec![];
            let take = |a| {
                arrived.push(a);
                Ok(())
            };
            let idle = options.fetch.idle_timeout;
            let end = fetch_stream(&options.connections, address, &ticket, idle, take).await;
            let end = end.map_err(|f| match f {
                Failure::Transient(e) | Failure::Silent(e) => NotTaken::Unreachable(e),
                Failure::Unreadable(e) | Failure::Busy(e) | Failure::Final(e) => NotTaken::Other(e),
                Failure::Corrupt(what) => {
                    NotTaken::Other(Error::io(format!("cannot take over blocks from {address}"), what))
                }
            })?;
            let parts = writer.get_or_insert_with(|| self.0.files.parts(end.partitions));
            for a in arrived {
                parts.push_message(a.at.reduce, &a.schema, a.message)?;
            }
            if end.position > 0 {
                break end.attempt;
            }
            ticket.resume = end.resume;
        };
        let writer = writer.ok_or_else(|| Error::internal("a map output without an end"))?;
        self.0.files.commit(shuffle, map, writer.finish(attempt)?)?;
        Ok(())
    }

    pub(crate) fn source(&self) -> Arc<dyn OutputSource> {
        Arc::new(self.clone())
    }

    /// The object store that outputs of others may be in.
    fn stores(&self) -> Option<&Arc<Stores>> {
        match &self.0.options.keep {
            Keep::Store(stores, _) => Some(stores),
            _ => self.0.options.stores.as_ref(),
        }
    }

    fn forget_indexes(&self, shuffle: u64) {
        if let Some(stores) = self.stores() {
            stores.forget(shuffle);
        }
    }

    fn store(&self) -> Result<Option<Arc<StoreOutputs>>> {
        match &self.0.options.keep {
            Keep::Store(stores, url) => stores.outputs(url).map(Some),
            _ => Ok(None),
        }
    }
}

impl OutputSource for ClusterBlocks {
    fn find(&self, key: &OutputKey) -> Result<Output, Damage> {
        if key.application != self.0.application || key.executor != self.0.options.executor {
            return Err(Damage::Gone);
        }
        if let Some(output) = self.0.local.output(key.shuffle, key.map) {
            return Ok(Output::Memory(output));
        }
        self.0.files.find(key.shuffle, key.map).map(Output::File).ok_or(Damage::Gone)
    }

    fn discard(&self, key: &OutputKey, found: Option<&Output>) {
        let Some(found) = found else { return };
        if self.find(key).is_ok_and(|now| now.is(found)) {
            self.lose(key.shuffle, key.map);
        }
    }

    fn release(&self, application: &str, shuffle: Option<u64>) -> Result<()> {
        if application != &*self.0.application {
            return Ok(());
        }
        let shuffles = match shuffle {
            Some(one) => vec![one],
            None => self.outputs().into_iter().map(|(s, _)| s).collect(),
        };
        for shuffle in shuffles {
            ShuffleBlocks::release(self, shuffle);
            self.0.files.remove_files(shuffle);
        }
        Ok(())
    }
}

impl ShuffleBlocks for ClusterBlocks {
    fn writer(&self, shuffle: u64, map: u32, attempt: u32, partitions: u32) -> Result<Box<dyn MapWriter>> {
        let (files, runtime) = (&self.0.files, &self.0.options.runtime);
        match &self.0.options.keep {
            Keep::Memory => self.0.local.writer(shuffle, map, attempt, partitions),
            Keep::Files => Ok(files.writer(shuffle, map, attempt, partitions)),
            Keep::Store(stores, url) => {
                let outputs = stores.outputs(url)?;
                let (parts, runtime, files) = (files.parts(partitions), runtime.clone(), files.clone());
                Ok(Box::new(StoreWriter { parts, files, outputs, runtime, shuffle, map, attempt }))
            }
        }
    }

    fn reader(
        &self,
        shuffle: u64,
        maps: u32,
        reduce: u32,
        places: Option<&Arc<MapPlaces>>,
    ) -> Result<Box<dyn BlockReader>> {
        let Some(places) = places else {
            return self.0.local.reader(shuffle, maps, reduce, None);
        };
        let options = &self.0.options;
        let store = self.stores().cloned();
        let env = FetchEnv {
            application: self.0.application.clone(),
            executor: options.executor,
            local: self.source(),
            memory: options.memory.clone(),
            runtime: options.runtime.clone(),
            connections: options.connections.clone(),
            store,
            options: options.fetch,
        };
        Ok(Box::new(FetchReader::new(env, shuffle, maps, reduce, places)?))
    }

    fn release(&self, shuffle: u64) {
        // Thousands of files take a while, and the thread that calls has other things to do.
        let (batches, files) = (self.0.local.take(shuffle), self.0.files.clone());
        files.forget(shuffle);
        self.forget_indexes(shuffle);
        self.0.options.runtime.spawn_blocking(move || {
            drop(batches);
            files.remove_files(shuffle);
        });
        if let Ok(Some(outputs)) = self.store() {
            // Nobody waits for it: what cannot be deleted now goes with the application.
            self.0.options.runtime.spawn(async move {
                if let Err(error) = outputs.release(shuffle).await {
                    tracing::warn!(shuffle, %error, "map outputs stay behind");
                }
            });
        }
    }
}

impl SpillableBlocks for ClusterBlocks {
    fn spill(&self, bytes: u64) -> Result<u64> {
        let freed = self.0.local.spill(bytes)?;
        if freed >= bytes {
            return Ok(freed);
        }
        Ok(freed + self.0.files.spill(bytes - freed)?)
    }
}

/// Why an output was not taken over.
enum NotTaken {
    /// Nor can any other be.
    Unreachable(Error),
    Other(Error),
}

impl From<Error> for NotTaken {
    fn from(e: Error) -> Self {
        NotTaken::Other(e)
    }
}

struct StoreWriter {
    parts: PartsWriter,
    files: Arc<FileBlocks>,
    outputs: Arc<StoreOutputs>,
    runtime: Handle,
    shuffle: u64,
    map: u32,
    attempt: u32,
}

impl MapWriter for StoreWriter {
    fn push(&mut self, reduce: u32, batch: RecordBatch) -> Result<()> {
        self.parts.push(reduce, &batch)
    }

    fn commit(self: Box<Self>) -> Result<MapOutputSizes> {
        if self.attempt < self.files.from_attempt(self.shuffle) {
            return Err(Error::cancelled());
        }
        let finished = self.parts.finish(self.attempt)?;
        let from_attempt = || self.files.from_attempt(self.shuffle);
        let commit = self.outputs.commit(self.shuffle, self.map, &finished, from_attempt);
        self.runtime.block_on(commit)?;
        Ok(finished.sizes.clone())
    }
}
