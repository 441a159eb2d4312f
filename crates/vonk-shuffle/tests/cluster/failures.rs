//! Lost and corrupt blocks, dead and silent peers, strangers.

use crate::support::*;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::{Action, Criteria, Ticket};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vonk_rpc::tonic::Code;
use vonk_rpc::{Secret, Security};
use vonk_shuffle::{
    Connections, FetchOptions, Keep, MapPlaces, Place, ServerOptions, ShuffleBlocks, Source, release_remote,
};

fn flip_byte(path: &Path, at: u64) {
    let bytes = std::fs::read(path).unwrap();
    let mut file = std::fs::File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[bytes[at as usize] ^ 1]).unwrap();
}

#[test]
fn a_missing_output_is_told_after_those_before_it() {
    for keep in [Keep::Memory, Keep::Files] {
        let dir = tempfile::tempdir().unwrap();
        let nodes = [0, 1].map(|id| Node::start(id, dir.path(), keep.clone(), &Setup::default()));
        nodes[0].write(5, 0, 2, &[(0, numbers(0..10))]);
        nodes[0].write(5, 1, 2, &[(0, numbers(10..20))]);
        nodes[0].write(5, 2, 2, &[]);
        let places = places(&[&nodes[0]], 4);
        for (node, reduce) in [(&nodes[0], 0), (&nodes[1], 0), (&nodes[1], 1)] {
            let mut reader = node.blocks.reader(5, 4, reduce, Some(&places)).unwrap();
            let mut rows = vec![];
            let failed = loop {
                match reader.next(&|| Ok(())) {
                    Ok(batch) => rows.extend(numbers_of(&[batch.expect("a failure before the end")])),
                    Err(e) => break Err::<(), _>(e),
                }
            };
            assert_eq!(rows, (0..20).filter(|_| reduce == 0).collect::<Vec<_>>());
            let (failure, _) = fetch_failure(failed);
            assert_eq!((failure.shuffle, failure.map, failure.reduce, failure.executor), (5, 3, reduce, 0));
            assert!(!failure.unreachable);
        }
        // A place that the driver did not name.
        let unknown = Arc::new(MapPlaces { places: vec![nodes[0].place()], maps: vec![0, 7] });
        assert_eq!(fetch_failure(nodes[1].read(5, &unknown, 0)).0.map, 1);
    }
}

#[test]
fn a_flipped_byte_is_found_and_another_attempt_may_commit() {
    let dir = tempfile::tempdir().unwrap();
    let nodes = [0, 1].map(|id| Node::start(id, dir.path(), Keep::Files, &Setup::default()));
    let data = nodes[0].dir.join("shuffle-1-0.data");
    for at in [3, 40, 900, 5000, u64::MAX] {
        nodes[0].write(1, 0, 1, &[(0, numbers(0..2000)), (0, numbers(2000..4000))]);
        let length = std::fs::metadata(&data).unwrap().len();
        let at = at.min(length - 70); // The last bytes are padding, of the body too.
        flip_byte(&data, at);
        let places = places(&[&nodes[0]], 1);
        // The marker before a message is not read: lengths come from the index.
        match nodes[1].read(1, &places, 0) {
            Ok(batches) => assert!(at < 8 && numbers_of(&batches) == (0..4000).collect::<Vec<_>>(), "{at}"),
            failed => {
                let (failure, text) = fetch_failure(failed);
                assert_eq!((failure.map, failure.executor), (0, 0));
                assert!(text.contains("corrupt"), "{text}");
                assert_eq!(nodes[0].blocks.outputs(), [], "{at}: forgotten");
                assert_eq!(files(&nodes[0].dir).len(), 0);
            }
        }
        nodes[0].write(1, 0, 1, &[(0, numbers(0..2000)), (0, numbers(2000..4000))]);
        assert_eq!(numbers_of(&nodes[1].read(1, &places, 0).unwrap()), (0..4000).collect::<Vec<_>>());
        // The executor itself notices as well.
        flip_byte(&data, length - 500);
        assert_eq!(fetch_failure(nodes[0].read(1, &places, 0)).0.map, 0);
    }
}

#[test]
fn a_deleted_or_shortened_file_is_a_fetch_failure() {
    let dir = tempfile::tempdir().unwrap();
    let nodes = [0, 1].map(|id| Node::start(id, dir.path(), Keep::Files, &Setup::default()));
    let data = nodes[0].dir.join("shuffle-1-0.data");
    let places = places(&[&nodes[0]], 1);
    for round in 0..4 {
        nodes[0].write(1, 0, 1, &[(0, numbers(0..2000))]);
        if round % 2 == 0 {
            std::fs::remove_file(&data).unwrap();
        } else {
            std::fs::File::options().write(true).open(&data).unwrap().set_len(1000).unwrap();
        }
        if round < 2 {
            assert_eq!(fetch_failure(nodes[1].read(1, &places, 0)).0.map, 0);
        }
        // The map task runs again, whether the loss was noticed by a reader or not: what it commits counts.
        nodes[0].write(1, 0, 1, &[(0, numbers(0..2000))]);
        assert_eq!(numbers_of(&nodes[1].read(1, &places, 0).unwrap()).len(), 2000);
        nodes[0].blocks.release(1);
    }
}

#[test]
fn a_server_that_dies_in_the_middle_is_a_fetch_failure() {
    let dir = tempfile::tempdir().unwrap();
    let fetch = FetchOptions { max_bytes_in_flight: 1 << 20, ..Setup::default().fetch };
    let setup = Setup { fetch, ..Default::default() };
    let mut nodes = [0, 1, 2].map(|id| Node::start(id, dir.path(), Keep::Memory, &setup));
    for map in 0..8 {
        let batches: Vec<_> = (0..20).map(|_| (0, numbers(0..10_000))).collect();
        nodes[map as usize % 2].write(1, map, 1, &batches);
    }
    let places = places(&[&nodes[0], &nodes[1]], 8);
    let mut reader = nodes[2].blocks.reader(1, 8, 0, Some(&places)).unwrap();
    for _ in 0..10 {
        reader.next(&|| Ok(())).unwrap().unwrap();
    }
    nodes[0].server.kill();
    let start = Instant::now();
    let failed = loop {
        match reader.next(&|| Ok(())) {
            Ok(batch) => assert!(batch.is_some()),
            Err(e) => break Err::<(), _>(e),
        }
    };
    let (failure, _) = fetch_failure(failed);
    assert_eq!((failure.executor, failure.unreachable), (0, true));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    drop(reader);
    nodes[2].assert_quiet();
    // Twenty readers of a dead address do not wait one after the other.
    let start = Instant::now();
    std::thread::scope(|s| {
        for _ in 0..20 {
            s.spawn(|| assert_eq!(fetch_failure(nodes[2].read(1, &places, 0)).0.executor, 0));
        }
    });
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn a_silent_peer_does_not_hang_a_reader() {
    let dir = tempfile::tempdir().unwrap();
    let fetch = FetchOptions { idle_timeout: Duration::from_millis(400), ..Setup::default().fetch };
    let node = Node::start(1, dir.path(), Keep::Memory, &Setup { fetch, ..Default::default() });
    // Accepts, reads, says nothing: as a process that is stopped.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place { executor: 3, source: Source::Flight(silent.local_addr().unwrap().to_string()) };
    let places = Arc::new(MapPlaces { places: vec![place], maps: vec![0] });
    let start = Instant::now();
    let (failure, _) = fetch_failure(node.read(1, &places, 0));
    assert_eq!((failure.executor, failure.unreachable), (3, true));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn a_peer_that_speaks_something_else_is_a_fetch_failure() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(1, dir.path(), Keep::Memory, &Setup::default());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\ngarbage garbage garbage");
        }
    });
    let place = Place { executor: 3, source: Source::Flight(address) };
    let places = Arc::new(MapPlaces { places: vec![place], maps: vec![0] });
    assert_eq!(fetch_failure(node.read(1, &places, 0)).0.executor, 3);
}

#[test]
fn garbage_tickets_and_other_methods_get_a_clear_status() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(0, dir.path(), Keep::Memory, &Setup::default());
    node.runtime.block_on(async {
        let connection =
            vonk_rpc::connect(&node.server.address, &Security::none(), Duration::from_secs(2)).await.unwrap();
        let mut client = FlightServiceClient::new(connection);
        for garbage in [vec![], vec![0xff; 100], b"select 1".to_vec(), vec![7; 1 << 20]] {
            let status = client.do_get(Ticket { ticket: garbage.into() }).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        }
        let huge = client.do_get(Ticket { ticket: vec![0; 20 << 20].into() }).await.unwrap_err();
        assert_eq!(huge.code(), Code::OutOfRange, "{huge}");
        let status = client.list_flights(Criteria::default()).await.map(|_| ()).unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
        let action =
            |kind: &str, body: &[u8]| Action { r#type: kind.to_string(), body: body.to_vec().into() };
        let status = client.do_action(action("drop everything", b"")).await.map(|_| ()).unwrap_err();
        assert_eq!(status.code(), Code::Unimplemented);
        let status = client.do_action(action("release", b"\xff\xff\xff")).await.map(|_| ()).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    });
    // An application's name that would leave the folder.
    let released =
        release_remote(&node.connections, &node.server.address, "../..", None, Duration::from_secs(2));
    assert!(node.runtime.block_on(released).is_err());
    // It goes on.
    node.write(1, 0, 1, &[(0, numbers(0..5))]);
    let other = Node::start(1, dir.path(), Keep::Memory, &Setup::default());
    assert_eq!(numbers_of(&other.read(1, &places(&[&node], 1), 0).unwrap()).len(), 5);
}

#[test]
fn nobody_without_the_secret_reads_or_releases_a_block() {
    let dir = tempfile::tempdir().unwrap();
    let secret = |text: &str| Security::new(Some(Secret::new(text).unwrap()), None);
    let with = |security| Setup { security, ..Default::default() };
    let owner = Node::start(0, dir.path(), Keep::Files, &with(secret("right")));
    owner.write(1, 0, 1, &[(0, numbers(0..5))]);
    let places = places(&[&owner], 1);
    for wrong in [secret("wrong"), Security::none()] {
        let stranger = Node::start(1, dir.path(), Keep::Memory, &with(wrong.clone()));
        let error = stranger.read(1, &places, 0).unwrap_err();
        assert_eq!(error.condition(), "_UNAUTHENTICATED", "{error}");
        let connections = Connections::new(wrong, Duration::from_secs(2), Duration::from_millis(10));
        let address = &owner.server.address;
        let released = release_remote(&connections, address, APPLICATION, None, Duration::from_secs(2));
        assert_eq!(owner.runtime.block_on(released).unwrap_err().condition(), "_UNAUTHENTICATED");
    }
    let friend = Node::start(2, dir.path(), Keep::Memory, &with(secret("right")));
    assert_eq!(numbers_of(&friend.read(1, &places, 0).unwrap()).len(), 5);
}

#[test]
fn a_released_shuffle_is_gone_for_those_who_read_it() {
    for keep in [Keep::Memory, Keep::Files] {
        let dir = tempfile::tempdir().unwrap();
        let fetch = FetchOptions { max_bytes_in_flight: 1 << 20, ..Setup::default().fetch };
        let setup = Setup { fetch, ..Default::default() };
        let nodes = [0, 1].map(|id| Node::start(id, dir.path(), keep.clone(), &setup));
        for map in 0..20 {
            nodes[0].write(1, map, 1, &[(0, numbers(0..50_000)), (0, numbers(0..50_000))]);
        }
        let places = places(&[&nodes[0]], 20);
        let mut readers = [&nodes[0], &nodes[1]].map(|n| n.blocks.reader(1, 20, 0, Some(&places)).unwrap());
        for reader in &mut readers {
            reader.next(&|| Ok(())).unwrap().unwrap();
        }
        nodes[0].blocks.release(1);
        for reader in &mut readers {
            let failed = loop {
                match reader.next(&|| Ok(())) {
                    Ok(batch) => assert!(batch.is_some()),
                    Err(e) => break Err::<(), _>(e),
                }
            };
            assert_eq!(fetch_failure(failed).0.executor, 0);
        }
        drop(readers);
        nodes.iter().for_each(Node::assert_quiet);
        wait_until("files are removed", || files(dir.path()).is_empty());
    }
}

#[test]
fn a_server_with_too_many_streams_is_asked_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = ServerOptions { streams: 1, reads: 1, ..Default::default() };
    let fetch = FetchOptions { max_retries: 200, ..Setup::default().fetch };
    let setup = Setup { server, fetch, ..Default::default() };
    let nodes = [0, 1].map(|id| Node::start(id, dir.path(), Keep::Memory, &setup));
    for map in 0..4 {
        nodes[0].write(1, map, 1, &[(0, numbers(0..20_000))]);
    }
    let places = places(&[&nodes[0]], 4);
    std::thread::scope(|s| {
        for _ in 0..8 {
            s.spawn(|| assert_eq!(numbers_of(&nodes[1].read(1, &places, 0).unwrap()).len(), 80_000));
        }
    });
}

#[test]
fn an_output_that_was_replaced_in_the_middle_of_reading_is_missed_and_the_new_one_stays() {
    for keep in [Keep::Memory, Keep::Files] {
        let dir = tempfile::tempdir().unwrap();
        let fetch = FetchOptions { max_bytes_in_flight: 100 << 10, ..Setup::default().fetch };
        let setup = Setup { fetch, ..Default::default() };
        let nodes = [0, 1].map(|id| Node::start(id, dir.path(), keep.clone(), &setup));
        let write = |attempt: u32| {
            let mut w = nodes[0].blocks.writer(1, 0, attempt, 1).unwrap();
            (0..40).for_each(|_| w.push(0, numbers(0..1000)).unwrap());
            w.commit().unwrap();
        };
        write(1);
        let places = places(&[&nodes[0]], 1);
        let mut reader = nodes[1].blocks.reader(1, 1, 0, Some(&places)).unwrap();
        reader.next(&|| Ok(())).unwrap().unwrap();
        nodes[0].blocks.roll_back(1, 5);
        write(5);
        let failed = loop {
            match reader.next(&|| Ok(())) {
                Ok(batch) => assert!(batch.is_some()),
                Err(e) => break Err::<(), _>(e),
            }
        };
        let (failure, _) = fetch_failure(failed);
        assert_eq!((failure.map, failure.unreachable), (0, false));
        assert_eq!(nodes[0].blocks.outputs(), [(1, 0)], "the tracker points to it");
        assert_eq!(nodes[1].read(1, &places, 0).unwrap().len(), 40);
    }
}
