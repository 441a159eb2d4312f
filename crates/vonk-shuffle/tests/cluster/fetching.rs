//! What is fetched, in which order, within which bounds.

use crate::support::*;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vonk_error::Error;
use vonk_shuffle::{FetchOptions, Keep, MapPlaces, ShuffleBlocks};

#[test]
fn batches_come_in_the_order_of_the_maps_wherever_they_are() {
    for keep in [Keep::Memory, Keep::Files] {
        for limit in [0, 20_000, 1 << 40] {
            let dir = tempfile::tempdir().unwrap();
            let setup = Setup { memory: limit, ..Default::default() };
            let nodes = [0, 1, 2].map(|id| Node::start(id, dir.path(), keep.clone(), &setup));
            // Map 4 has nothing at all, map 5 nothing for partition 1, map 6 a batch without rows.
            for map in 0..9u32 {
                let from = i64::from(map) * 1000;
                let mut batches = vec![];
                for i in 0..3 {
                    let start = from + i * 100;
                    batches.push((i as u32 % 2, numbers(start..start + 50)));
                    batches.push((1 - i as u32 % 2, numbers(start + 50..start + 100)));
                }
                match map {
                    4 => batches.clear(),
                    5 => batches.retain(|(r, _)| *r == 0),
                    6 => batches.push((0, numbers(0..0))),
                    _ => {}
                }
                nodes[map as usize % 3].write(7, map, 3, &batches);
            }
            let places = places(&nodes.each_ref(), 9);
            let expected = |reduce: i64| -> Vec<i64> {
                let part = |m: i64, i: i64| {
                    let start = m * 1000 + i * 100 + if i % 2 == reduce { 0 } else { 50 };
                    start..start + 50
                };
                (0..9)
                    .filter(|m| *m != 4 && (*m != 5 || reduce == 0))
                    .flat_map(|m| (0..3).flat_map(move |i| part(m, i)))
                    .collect()
            };
            for node in &nodes {
                for reduce in 0..2 {
                    let batches = node.read(7, &places, reduce).unwrap();
                    assert_eq!(numbers_of(&batches), expected(i64::from(reduce)));
                }
                assert_eq!(node.read(7, &places, 2).unwrap().len(), 0);
                // Asked to spill in between, they read as before.
                vonk_shuffle::SpillableBlocks::spill(&node.blocks, u64::MAX).unwrap();
            }
            assert_eq!(numbers_of(&nodes[0].read(7, &places, 1).unwrap()), expected(1));
            for node in &nodes {
                node.blocks.release(7);
                node.assert_quiet();
            }
            wait_until("files are removed", || files(dir.path()).is_empty());
        }
    }
}

#[test]
fn a_thousand_maps_and_two_hundred_partitions_of_tiny_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let nodes = [Keep::Memory, Keep::Files, Keep::Files]
        .into_iter()
        .zip(0..)
        .map(|(keep, id)| Node::start(id, dir.path(), keep, &Setup::default()));
    let nodes: Vec<Node> = nodes.collect();
    let (maps, reduces) = (1000, 200);
    for map in 0..maps {
        // Every eighth block is empty.
        let blocks = (0..reduces).filter(|r| (map + r) % 8 != 0);
        let blocks: Vec<_> =
            blocks.map(|r| (r, numbers(std::iter::once(i64::from(map * reduces + r))))).collect();
        nodes[map as usize % 3].write(1, map, reduces, &blocks);
    }
    let places = places(&[&nodes[0], &nodes[1], &nodes[2]], maps);
    let start = Instant::now();
    for reduce in [0, 1, 17, 199] {
        let expected: Vec<i64> =
            (0..maps).filter(|m| (m + reduce) % 8 != 0).map(|m| i64::from(m * reduces + reduce)).collect();
        assert_eq!(numbers_of(&nodes[reduce as usize % 3].read(1, &places, reduce).unwrap()), expected);
    }
    println!("four partitions of {maps} maps read in {:?}", start.elapsed());
}

#[test]
fn messages_larger_than_a_part_arrive_whole() {
    let dir = tempfile::tempdir().unwrap();
    // Uncompressible, so that the file is as large as the rows.
    let mut word = 1u64;
    let mut noise = || {
        word = word.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (word >> 1) as i64
    };
    let big = numbers(std::iter::repeat_with(&mut noise).take(300_000));
    for keep in [Keep::Memory, Keep::Files] {
        let nodes = [0, 1].map(|id| Node::start(id, dir.path(), keep.clone(), &Setup::default()));
        nodes[0].write(1, 0, 1, &[(0, big.clone()), (0, numbers(0..3)), (0, big.clone())]);
        let places = places(&[&nodes[0]], 1);
        let batches = nodes[1].read(1, &places, 0).unwrap();
        assert_eq!(batches, [big.clone(), numbers(0..3), big.clone()]);
        nodes[1].assert_quiet();
    }
}

#[test]
fn a_slow_reader_holds_no_more_than_its_bound() {
    let dir = tempfile::tempdir().unwrap();
    let fetch = FetchOptions { max_bytes_in_flight: 1 << 20, ..Setup::default().fetch };
    let setup = Setup { fetch, ..Default::default() };
    let nodes = [0, 1, 2].map(|id| Node::start(id, dir.path(), Keep::Files, &setup));
    for map in 0..40u32 {
        let rows =
            |i: i64| numbers(i64::from(map) * 10_000 + i * 1000..i64::from(map) * 10_000 + (i + 1) * 1000);
        let batches: Vec<_> = (0..10).map(|i| (0, rows(i))).collect();
        nodes[map as usize % 2].write(1, map, 1, &batches);
    }
    let places = places(&[&nodes[0], &nodes[1]], 40);
    let mut reader = nodes[2].blocks.reader(1, 40, 0, Some(&places)).unwrap();
    let mut rows = vec![];
    while let Some(batch) = reader.next(&|| Ok(())).unwrap() {
        rows.extend(numbers_of(&[batch]));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(rows, (0..400_000).collect::<Vec<_>>());
    let peak = nodes[2].memory.peak();
    // One request may be sent for the place that is waited for, whatever is there already.
    assert!((100_000..(1 << 20) * 6 / 5 + 100_000).contains(&peak), "{peak}");
    drop(reader);
    nodes[2].assert_quiet();
}

#[test]
fn a_reader_that_stands_still_does_not_hold_up_others() {
    let dir = tempfile::tempdir().unwrap();
    let fetch = FetchOptions { max_bytes_in_flight: 8 << 20, ..Setup::default().fetch };
    let setup = Setup { fetch, ..Default::default() };
    let nodes = [0, 1].map(|id| Node::start(id, dir.path(), Keep::Memory, &setup));
    let big = numbers(0..40_000);
    for map in 0..10 {
        nodes[0].write(1, map, 1, &[(0, big.clone()), (0, big.clone())]);
    }
    let places = places(&[&nodes[0]], 10);
    // More of them than the window of the connection, which they share, would hold.
    let mut still: Vec<_> =
        (0..30).map(|_| nodes[1].blocks.reader(1, 10, 0, Some(&places)).unwrap()).collect();
    for reader in &mut still {
        assert!(reader.next(&|| Ok(())).unwrap().is_some());
    }
    let rows: usize = nodes[1].read(1, &places, 0).unwrap().iter().map(|b| b.num_rows()).sum();
    assert_eq!(rows, 800_000);
    drop(still);
    nodes[1].assert_quiet();
}

#[test]
fn a_cancelled_reader_stops_at_once_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let nodes = [0, 1].map(|id| Node::start(id, dir.path(), Keep::Memory, &Setup::default()));
    nodes[0].write(1, 0, 1, &[(0, numbers(0..10))]);
    // A peer that accepts connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut places = MapPlaces::clone(&places(&[&nodes[0]], 1));
    places.places.push(vonk_shuffle::Place {
        executor: 9,
        source: vonk_shuffle::Source::Flight(silent.local_addr().unwrap().to_string()),
    });
    places.maps.push(1);
    let places = Arc::new(places);
    let mut reader = nodes[1].blocks.reader(1, 2, 0, Some(&places)).unwrap();
    assert_eq!(numbers_of(&[reader.next(&|| Ok(())).unwrap().unwrap()]).len(), 10);
    let start = Instant::now();
    let cancelled =
        move || if start.elapsed() > Duration::from_millis(100) { Err(Error::cancelled()) } else { Ok(()) };
    let error = reader.next(&cancelled).unwrap_err();
    assert_eq!(error.kind(), &vonk_error::ErrorKind::Cancelled);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    drop(reader);
    let tasks = || nodes[1].runtime.metrics().num_alive_tasks();
    nodes[1].assert_quiet();
    wait_until("no task is left", || {
        nodes[1].connections.forget_idle(Duration::ZERO);
        tasks() == 0
    });
}
