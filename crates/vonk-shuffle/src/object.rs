//! Map outputs in an object store: they outlive the machine.
//!
//! An executor has a prefix of its own. Its output of a map partition is `shuffle-<S>/<map>-<attempt>.data`, the data file of
//! [`map_file`](crate::map_file) as it is, and `shuffle-<S>/<map>.index`, which is put last and only if there is none: so the first
//! commit wins. Readers keep indexes and ask for ranges.

use crate::fetch::{Arrived, Failure, StreamEnd};
use crate::file::{Frame, read_exact_at};
use crate::flight::protocol::Resume;
use crate::map_file::{Damage, Finished, MapIndex, schema_of};
use crate::message::Message;
use arrow::datatypes::SchemaRef;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use vonk_error::{Error, FetchFailure, Result};

/// Gets at once, so that the delays of many small ones do not add up.
const GETS: usize = 16;
/// Bytes of a part of an upload; stores want at least five megabytes.
const PART: u64 = 8 << 20;

/// An object store below a URL.
pub struct Stores {
    url: String,
    store: Arc<dyn ObjectStore>,
    root: Path,
    /// Where it is, if it is a folder.
    folder: Option<PathBuf>,
    known: Mutex<HashMap<String, Arc<StoreOutputs>>>,
}

impl Stores {
    /// Takes `root` in a store for what `url` names: `url/a/b` is `root/a/b`.
    pub fn new(url: &str, store: Arc<dyn ObjectStore>, root: Path) -> Arc<Self> {
        Arc::new(Stores::of(url, store, root, None))
    }

    fn of(url: &str, store: Arc<dyn ObjectStore>, root: Path, folder: Option<PathBuf>) -> Self {
        Stores { url: url.trim_end_matches('/').to_string(), store, root, folder, known: Mutex::default() }
    }

    /// A folder that all machines see: `file:///…`, which is made if it is not there.
    pub fn open(url: &str) -> Result<Arc<Self>> {
        let Some(folder) = url.strip_prefix("file://").filter(|f| f.starts_with('/')) else {
            return Err(Error::unsupported(format!("shuffle blocks in {url}")));
        };
        let failed = |e: &dyn std::fmt::Display| Error::io(format!("cannot keep shuffle blocks in {url}"), e);
        // Whoever else has made it says who may read it: several users' processes may share it.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|e| failed(&e))?;
        let store = object_store::local::LocalFileSystem::new_with_prefix(folder).map_err(|e| failed(&e))?;
        let store = Arc::new(store.with_automatic_cleanup(true));
        Ok(Arc::new(Stores::of(url, store, Path::default(), Some(folder.into()))))
    }

    /// The outputs below a URL.
    pub(crate) fn outputs(&self, url: &str) -> Result<Arc<StoreOutputs>> {
        let mut known = self.known.lock();
        if let Some(outputs) = known.get(url) {
            return Ok(outputs.clone());
        }
        let rest = url.strip_prefix(&self.url).filter(|r| r.is_empty() || r.starts_with('/'));
        let rest = rest.ok_or_else(|| Error::unsupported(format!("the object store of {url}")))?;
        let parts = rest.split('/').filter(|p| !p.is_empty());
        let prefix = parts.fold(self.root.clone(), |path, part| path.join(part));
        let outputs = StoreOutputs {
            store: self.store.clone(),
            prefix,
            indexes: Mutex::default(),
            suspects: Mutex::default(),
            roll_back: tokio::sync::RwLock::default(),
        };
        let outputs = Arc::new(outputs);
        known.insert(url.to_string(), outputs.clone());
        Ok(outputs)
    }

    /// Deletes a shuffle's outputs of the executor whose outputs are below a URL.
    pub async fn release_shuffle(&self, url: &str, shuffle: u64) -> Result<()> {
        self.outputs(url)?.release(shuffle).await
    }

    /// Forgets what is known of a shuffle's outputs, of all executors: they are released, or made anew.
    pub(crate) fn forget(&self, shuffle: u64) {
        self.known.lock().retain(|_, outputs| {
            outputs.forget(shuffle);
            // One that is in use keeps what stands between its commits and roll backs.
            Arc::strong_count(outputs) > 1 || !outputs.indexes.lock().is_empty()
        });
    }

    /// Indexes that are kept in memory; for tests that nothing is left behind.
    pub fn indexes(&self) -> usize {
        self.known.lock().values().map(|outputs| outputs.indexes.lock().len()).sum()
    }

    /// Deletes all that is below a URL: of an application, or of one executor.
    pub async fn release(&self, url: &str) -> Result<()> {
        let outputs = self.outputs(url)?;
        self.known.lock().retain(|known, _| !known.starts_with(url));
        outputs.delete(&outputs.prefix).await?;
        // In a folder there may be more than the store lists: what a process that was killed has not uploaded to its end.
        let Some(folder) = &self.folder else { return Ok(()) };
        let folder = outputs.prefix.parts().fold(folder.clone(), |path, part| path.join(part.as_ref()));
        match tokio::fs::remove_dir_all(&folder).await {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io(format!("cannot delete the map outputs in {}", folder.display()), e))
            }
            _ => Ok(()),
        }
    }
}

/// The outputs of one executor.
pub(crate) struct StoreOutputs {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    indexes: Mutex<HashMap<(u64, u32), Arc<Stored>>>,
    /// Outputs of which a range came back corrupt once.
    suspects: Mutex<HashSet<(u64, u32)>>,
    /// Held by commits while they put their index, shared, and by a roll back while it deletes.
    roll_back: tokio::sync::RwLock<()>,
}

struct Stored {
    index: MapIndex,
    data: Path,
    schema: Option<SchemaRef>,
}

/// Messages to get: of the output at this position.
struct Block {
    position: u32,
    map: u32,
    stored: Arc<Stored>,
    frames: Vec<Frame>,
    /// Messages before the first.
    from: u32,
}

impl StoreOutputs {
    fn index_path(&self, shuffle: u64, map: u32) -> Path {
        self.folder(shuffle).join(format!("{map}.index"))
    }

    fn folder(&self, shuffle: u64) -> Path {
        self.prefix.clone().join(format!("shuffle-{shuffle}"))
    }

    fn data_path(&self, shuffle: u64, map: u32, attempt: u32) -> Path {
        self.folder(shuffle).join(format!("{map}-{attempt}.data"))
    }

    /// Puts an output, unless there is one that is whole. `from_attempt` tells the first attempt whose outputs are taken: it is asked
    /// when the data is there, which takes a while, for there may have been a roll back meanwhile.
    pub async fn commit(
        &self,
        shuffle: u64,
        map: u32,
        finished: &Finished,
        from_attempt: impl Fn() -> u32,
    ) -> Result<()> {
        let failed =
            |e: object_store::Error| Error::io(format!("cannot put a map output into {}", self.prefix), e);
        let index = &finished.index;
        let data = self.data_path(shuffle, map, index.attempt);
        self.upload(finished, &data).await?;
        // A roll back comes either before the question or after the index, which it then deletes.
        let _committing = self.roll_back.read().await;
        let from_attempt = from_attempt();
        if index.attempt < from_attempt {
            let _ = self.store.delete(&data).await; // The roll back may have deleted it.
            return Err(Error::cancelled());
        }
        let payload = PutPayload::from(index.encode());
        let path = self.index_path(shuffle, map);
        let options = PutOptions { mode: PutMode::Create, ..Default::default() };
        match self.store.put_opts(&path, payload.clone(), options).await {
            Ok(_) => Ok(()),
            Err(object_store::Error::AlreadyExists { .. }) => {
                self.indexes.lock().remove(&(shuffle, map));
                match self.whole_index(shuffle, map).await {
                    // The first commit wins.
                    Some(first) if first.attempt != index.attempt && first.attempt >= from_attempt => {
                        self.store.delete(&data).await.map_err(failed)
                    }
                    Some(first) if first.attempt == index.attempt => Ok(()),
                    // None, or one that was rolled back: a put that was given up may still arrive.
                    _ => self.store.put(&path, payload).await.map(|_| ()).map_err(failed),
                }
            }
            Err(e) => Err(failed(e)),
        }
    }

    /// The index of a committed output whose data is there.
    async fn whole_index(&self, shuffle: u64, map: u32) -> Option<MapIndex> {
        let bytes = self.store.get(&self.index_path(shuffle, map)).await.ok()?.bytes().await.ok()?;
        let index = MapIndex::decode(&bytes).ok()?;
        let data = self.store.head(&self.data_path(shuffle, map, index.attempt)).await.ok()?;
        (data.size == index.data_bytes()).then_some(index)
    }

    async fn upload(&self, finished: &Finished, to: &Path) -> Result<()> {
        let path = finished.data();
        let unreadable = |e: std::io::Error| Error::io(format!("cannot read {}", path.display()), e);
        let failed = |e: object_store::Error| Error::io(format!("cannot put a map output to {to}"), e);
        let (file, length) = (File::open(path).map_err(unreadable)?, finished.index.data_bytes());
        if length <= PART {
            let bytes = read_exact_at(&file, 0, length).map_err(unreadable)?;
            return self.store.put(to, bytes.into()).await.map(|_| ()).map_err(failed);
        }
        let mut upload = self.store.put_multipart(to).await.map_err(failed)?;
        for from in (0..length).step_by(PART as usize) {
            let bytes = read_exact_at(&file, from, PART.min(length - from)).map_err(unreadable)?;
            if let Err(e) = upload.put_part(bytes.into()).await {
                let _ = upload.abort().await; // The first error is the one to tell.
                return Err(failed(e));
            }
        }
        upload.complete().await.map(|_| ()).map_err(failed)
    }

    /// Gets what a request asks for.
    pub async fn fetch(
        &self,
        (shuffle, reduce, executor): (u64, u32, u64),
        (maps, resume, max_bytes): (&[u32], Option<Resume>, u64),
        mut take: impl FnMut(Arrived) -> Result<()>,
    ) -> Result<StreamEnd, Failure> {
        let lost = |map, damage: Damage| {
            Failure::Final(Error::fetch_failed(
                FetchFailure { shuffle, map, reduce, executor, unreachable: false },
                damage,
            ))
        };
        let (blocks, end) = self.blocks(shuffle, reduce, maps, resume, max_bytes, &lost).await?;
        let gets = blocks.into_iter().map(|block| async {
            let messages = self.get(&block).await;
            (block, messages)
        });
        let mut gets = stream::iter(gets).buffered(GETS);
        while let Some((block, messages)) = gets.next().await {
            let messages = match messages {
                Ok(messages) => messages,
                Err(Got::Damaged(damage)) => {
                    return Err(self.damaged(shuffle, &block, damage, &lost).await);
                }
                Err(Got::Failed(e)) => return Err(Failure::Unreadable(e)),
            };
            let schema = block.stored.schema.clone();
            let schema = schema.ok_or_else(|| lost(block.map, Damage::Corrupt("it has no schema".into())))?;
            for (message, n) in messages.into_iter().zip(block.from + 1..) {
                let at = Resume { reduce, message: n, attempt: block.stored.index.attempt };
                take(Arrived { position: block.position, at, schema: schema.clone(), message })
                    .map_err(Failure::Final)?;
            }
        }
        Ok(end)
    }

    /// The blocks of a request that fit into its bytes, and where it ends with them.
    async fn blocks(
        &self,
        shuffle: u64,
        reduce: u32,
        maps: &[u32],
        mut resume: Option<Resume>,
        max_bytes: u64,
        lost: &impl Fn(u32, Damage) -> Failure,
    ) -> Result<(Vec<Block>, StreamEnd), Failure> {
        let (mut blocks, mut bytes, mut of) = (vec![], 0, (0, 0));
        let ended =
            |position, resume, (partitions, attempt)| StreamEnd { position, resume, partitions, attempt };
        let indexes = maps.iter().copied().map(|map| async move { (map, self.index(shuffle, map).await) });
        let mut indexes = stream::iter(indexes).buffered(GETS).zip(stream::iter(0u32..));
        while let Some(((map, stored), position)) = indexes.next().await {
            let stored = match stored {
                Ok(stored) => stored,
                Err(Got::Failed(e)) => return Err(Failure::Unreadable(e)),
                // What is before it has to arrive first; the next request begins with the damage.
                Err(Got::Damaged(_)) if position > 0 => {
                    return Ok((blocks, ended(position, None, of)));
                }
                Err(Got::Damaged(d)) => return Err(lost(map, d)),
            };
            let attempt = stored.index.attempt;
            of = (stored.index.partitions(), attempt);
            let from = match resume.take() {
                Some(r) if r.attempt != attempt => return Err(lost(map, Damage::Gone)),
                Some(r) => r.message,
                None => 0,
            };
            if bytes >= max_bytes && bytes > 0 {
                return Ok((blocks, ended(position, None, of)));
            }
            let frames = stored.index.frames(reduce, from, max_bytes.saturating_sub(bytes));
            bytes += frames.iter().map(Frame::bytes).sum::<u64>();
            let next = from + frames.len() as u32;
            let more = next < stored.index.count(reduce);
            if !frames.is_empty() {
                blocks.push(Block { position, map, stored, frames, from });
            }
            if more {
                let resume = Resume { reduce, message: next, attempt };
                return Ok((blocks, ended(position, Some(resume), of)));
            }
        }
        Ok((blocks, ended(maps.len() as u32, None, of)))
    }

    async fn index(&self, shuffle: u64, map: u32) -> Result<Arc<Stored>, Got> {
        if let Some(known) = self.indexes.lock().get(&(shuffle, map)) {
            return Ok(known.clone());
        }
        let bytes = self.store.get(&self.index_path(shuffle, map)).await.map_err(Got::of)?;
        let index = MapIndex::decode(&bytes.bytes().await.map_err(Got::of)?).map_err(Got::Damaged)?;
        let data = self.data_path(shuffle, map, index.attempt);
        let schema = match u64::from(index.schema_bytes) {
            0 => None,
            n => {
                let bytes = self.store.get_range(&data, 0..n).await.map_err(Got::of)?;
                Some(schema_of(&bytes, index.schema_crc).map_err(Got::Damaged)?.1)
            }
        };
        let stored = Arc::new(Stored { index, data, schema });
        self.indexes.lock().insert((shuffle, map), stored.clone());
        Ok(stored)
    }

    async fn get(&self, block: &Block) -> Result<Vec<Message>, Got> {
        let (Some(first), Some(last)) = (block.frames.first(), block.frames.last()) else {
            return Ok(vec![]);
        };
        let range = first.offset..last.offset + last.bytes();
        let bytes = self.store.get_range(&block.stored.data, range).await.map_err(Got::of)?;
        block.stored.index.messages(&block.frames, &bytes).map_err(Got::Damaged)
    }

    /// A block is not what it was, or not there: looked for once more, by the index that is there now, then given up. If it is corrupt,
    /// it is forgotten, so that another attempt can put it.
    async fn damaged(
        &self,
        shuffle: u64,
        block: &Block,
        damage: Damage,
        lost: &impl Fn(u32, Damage) -> Failure,
    ) -> Failure {
        let map = block.map;
        self.indexes.lock().remove(&(shuffle, map));
        let first = self.suspects.lock().insert((shuffle, map));
        if first {
            return Failure::Corrupt(format!("a block of map output {map}"));
        }
        self.suspects.lock().remove(&(shuffle, map));
        let corrupt = matches!(damage, Damage::Corrupt(_));
        if corrupt && self.whole_index(shuffle, map).await.is_some_and(|now| now == block.stored.index) {
            let _ = self.store.delete(&self.index_path(shuffle, map)).await; // It may be gone.
        }
        lost(map, damage)
    }

    /// Deletes the outputs of a shuffle. From before on, commits are told that their attempts are not taken any more.
    pub async fn roll_back(&self, shuffle: u64) -> Result<()> {
        let _alone = self.roll_back.write().await;
        self.release(shuffle).await
    }

    /// Deletes a shuffle.
    pub async fn release(&self, shuffle: u64) -> Result<()> {
        self.forget(shuffle);
        self.delete(&self.folder(shuffle)).await
    }

    fn forget(&self, shuffle: u64) {
        self.indexes.lock().retain(|(s, _), _| *s != shuffle);
        self.suspects.lock().retain(|(s, _)| *s != shuffle);
    }

    async fn delete(&self, prefix: &Path) -> Result<()> {
        let failed =
            |e: object_store::Error| Error::io(format!("cannot delete the map outputs in {prefix}"), e);
        let files = self.store.list(Some(prefix)).map_ok(|f| f.location).boxed();
        let deleted = self.store.delete_stream(files).filter(|d| {
            let gone = matches!(d, Err(object_store::Error::NotFound { .. }));
            std::future::ready(!gone)
        });
        deleted.try_for_each(|_| std::future::ready(Ok(()))).await.map_err(failed)
    }
}

/// Why something was not got.
enum Got {
    Damaged(Damage),
    Failed(Error),
}

impl Got {
    fn of(e: object_store::Error) -> Got {
        match e {
            object_store::Error::NotFound { .. } => Got::Damaged(Damage::Gone),
            e => Got::Failed(Error::io("cannot get a shuffle block", e)),
        }
    }
}
