//! Map outputs in an object store.

use crate::support::*;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path as StorePath;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use vonk_rpc::tonic::async_trait;
use vonk_shuffle::{FetchOptions, Keep, ShuffleBlocks, Stores};

fn node(id: u64, dir: &std::path::Path, stores: &Arc<Stores>, url: &str, setup: &Setup) -> Node {
    Node::start(id, dir, Keep::Store(stores.clone(), format!("{url}/{APPLICATION}/{id}")), setup)
}

#[test]
fn outputs_outlive_their_machine_and_go_with_their_shuffle() {
    let (dir, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = format!("file://{}/blocks", shared.path().display());
    let stores = [
        (Stores::open(&folder).unwrap(), folder.as_str()),
        (Stores::new("memory://x", Arc::new(InMemory::new()), StorePath::from("some/prefix")), "memory://x"),
    ];
    for (stores, url) in stores {
        // Requests of about 20 KB: outputs are read in many.
        let fetch = FetchOptions { max_bytes_in_flight: 100 << 10, ..Setup::default().fetch };
        let setup = Setup { fetch, ..Default::default() };
        let nodes = [0, 1].map(|id| node(id, dir.path(), &stores, url, &setup));
        for map in 0..30u32 {
            let start = i64::from(map) * 1000;
            let parts: Vec<_> =
                (0..4).map(|i| (1, numbers(start + i * 250..start + (i + 1) * 250))).collect();
            nodes[map as usize % 2].write(1, map, 3, if map == 7 { &[] } else { &parts });
        }
        nodes[0].write(2, 0, 1, &[(0, numbers(0..5))]);
        let reader = node(2, dir.path(), &stores, url, &setup);
        let both = places(&[&nodes[0], &nodes[1]], 30);
        let only = places(&[&nodes[0]], 1);
        let expected: Vec<i64> = (0..30_000).filter(|n| n / 1000 != 7).collect();
        for n in [&reader, &nodes[0]] {
            assert_eq!(numbers_of(&n.read(1, &both, 1).unwrap()), expected);
            assert_eq!(n.read(1, &both, 0).unwrap().len(), 0);
        }
        // Spill and temporary files are gone; blocks are in the store only.
        assert_eq!(files(dir.path()).len(), 0);
        nodes.iter().for_each(|n| n.blocks.release(1));
        wait_until("released", || reader.read(1, &both, 1).is_err());
        assert_eq!(numbers_of(&reader.read(2, &only, 0).unwrap()), [0, 1, 2, 3, 4]);
        // Of the first shuffle, it may have read indexes again while they were being deleted.
        reader.blocks.release(1);
        assert_eq!(stores.indexes(), 1);
        reader.runtime.block_on(stores.release_shuffle(&format!("{url}/{APPLICATION}/0"), 7)).unwrap();
        reader.blocks.release(2);
        assert_eq!(stores.indexes(), 0, "those of others' outputs, too");
        drop(nodes);
        assert_eq!(numbers_of(&reader.read(2, &only, 0).unwrap()), [0, 1, 2, 3, 4]);
        reader.runtime.block_on(stores.release(&format!("{url}/{APPLICATION}"))).unwrap();
        assert_eq!(fetch_failure(reader.read(2, &only, 0)).0.executor, 0);
        assert_eq!(files(shared.path()).len(), 0);
        reader.assert_quiet();
    }
    assert!(Stores::open("s3://bucket").is_err());
}

#[test]
fn the_first_commit_wins_and_damage_is_told_and_mended() {
    let (dir, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let url = format!("file://{}", shared.path().display());
    let stores = Stores::open(&url).unwrap();
    let setup = Setup::default();
    let (owner, reader) =
        (node(0, dir.path(), &stores, &url, &setup), node(1, dir.path(), &stores, &url, &setup));
    let write = |attempt: u32, from: i64| {
        let mut w = owner.blocks.writer(1, 0, attempt, 1).unwrap();
        w.push(0, numbers(from..from + 1000)).unwrap();
        w.commit().unwrap();
    };
    let places = places(&[&owner], 1);
    let first = || numbers_of(&reader.read(1, &places, 0).unwrap())[0];
    write(0, 0);
    write(1, 5000);
    assert_eq!(first(), 0);
    let data: Vec<_> = files(shared.path());
    assert_eq!(data.len(), 2, "{data:?}");
    // A changed byte.
    let path = data.iter().find(|f| f.extension().unwrap() == "data").unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
    let (failure, text) = fetch_failure(reader.read(1, &places, 0));
    assert_eq!((failure.map, failure.executor), (0, 0));
    assert!(text.contains("corrupt"), "{text}");
    write(2, 7000);
    assert_eq!(first(), 7000);
    // Data without which the index is worth nothing: the next attempt replaces both.
    let gone = files(shared.path()).into_iter().filter(|f| f.to_str().unwrap().contains("-2.data"));
    gone.for_each(|f| std::fs::remove_file(f).unwrap());
    write(3, 9000);
    let _ = reader.read(1, &places, 0); // The reader may still know the old index.
    write(4, 9000);
    assert_eq!(first(), 9000);
}

#[test]
fn large_outputs_are_put_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let stores = Stores::new("memory://x", Arc::new(InMemory::new()), StorePath::default());
    let setup = Setup::default();
    let nodes = [0, 1].map(|id| node(id, dir.path(), &stores, "memory://x", &setup));
    let batches: Vec<_> = (0..40)
        .map(|i: i64| {
            (0, numbers((0..50_000).map(move |n: i64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64) ^ i)))
        })
        .collect();
    nodes[0].write(1, 0, 1, &batches);
    let rows: usize =
        nodes[1].read(1, &places(&[&nodes[0]], 1), 0).unwrap().iter().map(|b| b.num_rows()).sum();
    assert_eq!(rows, 2_000_000);
}

/// A store in which puts of one object wait.
#[derive(Debug)]
struct Gated {
    store: InMemory,
    /// The end of the name of what waits.
    what: &'static str,
    waits: AtomicBool,
    gate: tokio::sync::Semaphore,
}

impl std::fmt::Display for Gated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("gated")
    }
}

type Stored<T> = object_store::Result<T>;

#[async_trait]
impl ObjectStore for Gated {
    async fn put_opts(&self, to: &StorePath, what: PutPayload, options: PutOptions) -> Stored<PutResult> {
        if to.as_ref().ends_with(self.what) {
            self.waits.store(true, Ordering::SeqCst);
            let _open = self.gate.acquire().await.unwrap();
        }
        self.store.put_opts(to, what, options).await
    }
    async fn put_multipart_opts(
        &self,
        to: &StorePath,
        options: PutMultipartOptions,
    ) -> Stored<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(to, options).await
    }
    async fn get_opts(&self, from: &StorePath, options: GetOptions) -> Stored<GetResult> {
        self.store.get_opts(from, options).await
    }
    fn delete_stream(
        &self,
        what: BoxStream<'static, Stored<StorePath>>,
    ) -> BoxStream<'static, Stored<StorePath>> {
        self.store.delete_stream(what)
    }
    fn list(&self, prefix: Option<&StorePath>) -> BoxStream<'static, Stored<ObjectMeta>> {
        self.store.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&StorePath>) -> Stored<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &StorePath, to: &StorePath, options: CopyOptions) -> Stored<()> {
        self.store.copy_opts(from, to, options).await
    }
}

#[test]
fn a_commit_that_a_roll_back_overtakes_does_not_count() {
    // The data is on its way, or the index is.
    for what in ["-1.data", "0.index"] {
        let dir = tempfile::tempdir().unwrap();
        let gate = tokio::sync::Semaphore::new(0);
        let gated = Arc::new(Gated { store: InMemory::new(), what, waits: AtomicBool::new(false), gate });
        let stores = Stores::new("memory://x", gated.clone(), StorePath::default());
        let owner = node(0, dir.path(), &stores, "memory://x", &Setup::default());
        let reader = node(1, dir.path(), &stores, "memory://x", &Setup::default());
        let writer = |attempt: u32, from: i64| {
            let mut w = owner.blocks.writer(1, 0, attempt, 1).unwrap();
            w.push(0, numbers(from..from + 10)).unwrap();
            w
        };
        let late = writer(1, 100);
        std::thread::scope(|s| {
            let late = s.spawn(move || late.commit());
            wait_until("it is put", || gated.waits.load(Ordering::SeqCst));
            let roll_back = s.spawn(|| owner.blocks.roll_back(1, 5));
            std::thread::sleep(Duration::from_millis(50));
            gated.gate.add_permits(100);
            roll_back.join().unwrap();
            // An index that was before the roll back is deleted with it.
            assert_eq!(late.join().unwrap().is_err(), what == "-1.data", "{what}");
        });
        let places = places(&[&owner], 1);
        assert_eq!(fetch_failure(reader.read(1, &places, 0)).0.map, 0);
        writer(5, 200).commit().unwrap();
        assert_eq!(numbers_of(&reader.read(1, &places, 0).unwrap()), (200..210).collect::<Vec<_>>());
        let left = reader.runtime.block_on(gated.store.list(None).count());
        assert_eq!(left, 2, "data and index");
    }
}

#[test]
fn an_index_that_was_known_before_a_roll_back_is_looked_up_again() {
    let dir = tempfile::tempdir().unwrap();
    let memory = Arc::new(InMemory::new());
    let stores = Stores::new("memory://x", memory.clone(), StorePath::default());
    let nodes = [0, 1].map(|id| node(id, dir.path(), &stores, "memory://x", &Setup::default()));
    // Another process, which knows by itself.
    let other = Stores::new("memory://x", memory.clone(), StorePath::default());
    let reader = node(2, dir.path(), &other, "memory://x", &Setup::default());
    let places = places(&[&nodes[0]], 1);
    for attempt in [1, 5] {
        nodes[0].blocks.roll_back(1, attempt);
        let mut w = nodes[0].blocks.writer(1, 0, attempt, 1).unwrap();
        w.push(0, numbers(0..i64::from(attempt))).unwrap();
        w.commit().unwrap();
        assert_eq!(numbers_of(&reader.read(1, &places, 0).unwrap()).len() as u32, attempt);
        assert_eq!(numbers_of(&nodes[1].read(1, &places, 0).unwrap()).len() as u32, attempt);
    }
}
