//! A worker's shuffle service: blocks outlive their executor.

use crate::support::*;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vonk_rpc::Security;
use vonk_shuffle::{
    BlockServer, Keep, MapPlaces, Place, ServerOptions, ServiceFiles, Source, release_remote,
};

fn service(root: &Path) -> Server {
    let files = ServiceFiles::new(root.to_path_buf());
    Server::start(BlockServer::of_worker(files, ServerOptions::default()), &Security::none())
}

fn at(service: &Server, executor: u64, maps: u32) -> Arc<MapPlaces> {
    let place = Place { executor, source: Source::Flight(service.address.clone()) };
    Arc::new(MapPlaces { places: vec![place], maps: vec![0; maps as usize] })
}

#[test]
fn blocks_outlive_their_executor_until_they_are_released() {
    let dir = tempfile::tempdir().unwrap();
    let service = service(dir.path());
    let reader = Node::start(9, dir.path(), Keep::Files, &Setup::default());
    for executor in [0, 1] {
        let mut node = Node::start(executor, dir.path(), Keep::Files, &Setup::default());
        node.write(1, 0, 2, &[(0, numbers(0..1000)), (1, numbers(5..6))]);
        node.write(1, 1, 2, &[(0, numbers(1000..2000))]);
        node.write(2, 0, 1, &[(0, numbers(0..3))]);
        node.server.kill();
    }
    let read = |executor, shuffle, maps| reader.read(shuffle, &at(&service, executor, maps), 0);
    for executor in [0, 1] {
        assert_eq!(numbers_of(&read(executor, 1, 2).unwrap()), (0..2000).collect::<Vec<_>>());
    }
    let release = |shuffle| {
        let wait = Duration::from_secs(2);
        let done = release_remote(&reader.connections, &service.address, APPLICATION, shuffle, wait);
        reader.runtime.block_on(done).unwrap();
    };
    release(Some(1));
    assert_eq!(fetch_failure(read(0, 1, 2)).0.map, 0);
    assert_eq!(numbers_of(&read(1, 2, 1).unwrap()), [0, 1, 2]);
    assert_eq!(files(dir.path()).len(), 4);
    release(None);
    release(None);
    assert_eq!(fetch_failure(read(1, 2, 1)).0.executor, 1);
    assert!(!dir.path().join(APPLICATION).exists());
}

#[test]
fn damage_is_found_and_the_output_written_again_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let service = service(dir.path());
    let reader = Node::start(9, dir.path(), Keep::Memory, &Setup::default());
    let node = Node::start(0, dir.path(), Keep::Files, &Setup::default());
    let read = || reader.read(1, &at(&service, 0, 1), 0);
    for (round, file) in ["shuffle-1-0.data", "shuffle-1-0.index"].iter().cycle().take(4).enumerate() {
        let rows = 1000 + round as i64;
        node.write(1, 0, 1, &[(0, numbers(0..rows))]);
        if round >= 2 {
            assert_eq!(numbers_of(&read().unwrap()).len() as i64, rows, "the service knows it before");
        }
        let path = node.dir.join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.len() * 2 / 3;
        bytes[at] ^= 4;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(fetch_failure(read()).0.map, 0);
        assert_eq!(files(&node.dir).len(), 0, "the executor may commit again");
    }
    // Replaced behind the service's back.
    for i in 0..3 {
        files(&node.dir).into_iter().for_each(|f| std::fs::remove_file(f).unwrap());
        node.write(1, 0, 1, &[(0, numbers(i..5000)), (0, numbers(0..i))]);
        assert_eq!(numbers_of(&read().unwrap())[0], i);
    }
}
