//! Files of map outputs: committed whole or not at all, readable by anyone who knows Arrow, gone when released.

use crate::support::*;
use std::sync::Arc;
use vonk_shuffle::{Keep, MapPlaces, ShuffleBlocks, SpillableBlocks};

#[test]
fn the_first_commit_wins_and_an_attempt_that_fails_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(0, dir.path(), Keep::Files, &Setup::default());
    let attempt = |n: u32| node.blocks.writer(1, 0, n, 2).unwrap();
    let (mut a, mut b, mut c) = (attempt(0), attempt(1), attempt(2));
    a.push(1, numbers(0..10)).unwrap();
    b.push(1, numbers(10..20)).unwrap();
    c.push(1, numbers(20..30)).unwrap();
    assert_eq!(b.commit().unwrap().rows, [0, 10]);
    a.commit().unwrap();
    drop(c);
    let names: Vec<_> = files(&node.dir).iter().map(|f| f.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["shuffle-1-0.data", "shuffle-1-0.index"]);
    assert_eq!(numbers_of(&node.read(1, &places(&[&node], 1), 1).unwrap()), (10..20).collect::<Vec<_>>());
    assert_eq!(node.memory.used(), 0);
}

#[test]
fn spilled_runs_become_one_file_sorted_by_partition() {
    for limit in [0, 30_000, 1 << 40] {
        let dir = tempfile::tempdir().unwrap();
        let node = Node::start(0, dir.path(), Keep::Files, &Setup { memory: limit, ..Default::default() });
        let mut writer = node.blocks.writer(1, 0, 0, 4).unwrap();
        for i in 0..200i64 {
            writer.push((i * 7 % 4) as u32, numbers(i * 100..(i + 1) * 100)).unwrap();
            if i == 100 {
                // Memory that others need is given back in the middle.
                node.blocks.spill(u64::MAX).unwrap();
                assert_eq!(node.memory.used(), 0);
            }
        }
        assert!(node.memory.peak() <= limit);
        assert_eq!(writer.commit().unwrap().rows, [5000; 4]);
        assert_eq!((node.memory.used(), files(&node.dir).len()), (0, 2));
        for reduce in 0..4 {
            let rows = numbers_of(&node.read(1, &places(&[&node], 1), reduce).unwrap());
            let expected =
                (0..200).filter(|i| (i * 7 % 4) as u32 == reduce).flat_map(|i| i * 100..(i + 1) * 100);
            assert_eq!(rows, expected.collect::<Vec<i64>>());
        }
    }
}

#[test]
fn the_data_is_an_arrow_stream() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(0, dir.path(), Keep::Files, &Setup::default());
    node.write(1, 0, 3, &[(2, numbers(20..30)), (0, numbers(0..5000)), (2, numbers(30..40))]);
    let file = std::fs::File::open(node.dir.join("shuffle-1-0.data")).unwrap();
    let stream = arrow::ipc::reader::StreamReader::try_new(file, None).unwrap();
    let batches: Vec<_> = stream.map(Result::unwrap).collect();
    assert_eq!(numbers_of(&batches), (0..5000).chain(20..40).collect::<Vec<_>>());
}

#[test]
fn a_folder_that_cannot_be_written_is_an_io_error_and_nothing_stays() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(0, dir.path(), Keep::Files, &Setup::default());
    // A file where the folder should be.
    std::fs::create_dir_all(node.dir.parent().unwrap()).unwrap();
    std::fs::write(&node.dir, "no folder").unwrap();
    let mut writer = node.blocks.writer(1, 0, 0, 1).unwrap();
    writer.push(0, numbers(0..10)).unwrap();
    let error = writer.commit().unwrap_err();
    assert_eq!(error.kind(), &vonk_error::ErrorKind::Io);
    assert!(error.to_string().contains(node.dir.to_str().unwrap()), "{error}");
    assert_eq!(node.memory.used(), 0);
    let poor = Node::start(1, dir.path(), Keep::Files, &Setup { memory: 0, ..Default::default() });
    std::fs::write(&poor.dir, "no folder").unwrap();
    let mut writer = poor.blocks.writer(1, 0, 0, 1).unwrap();
    assert_eq!(writer.push(0, numbers(0..10)).unwrap_err().kind(), &vonk_error::ErrorKind::Io);
}

#[test]
fn outputs_are_taken_over_from_an_executor_that_leaves() {
    for keep in [Keep::Memory, Keep::Files] {
        let dir = tempfile::tempdir().unwrap();
        let mut leaving = Node::start(0, dir.path(), keep.clone(), &Setup::default());
        let heir = Node::start(1, dir.path(), keep, &Setup::default());
        let reader = Node::start(2, dir.path(), Keep::Memory, &Setup::default());
        let big: Vec<_> =
            (0..100).map(|i| (i % 3, numbers(i64::from(i) * 4000..i64::from(i + 1) * 4000))).collect();
        leaving.write(1, 0, 3, &big);
        leaving.write(1, 1, 3, &[]);
        leaving.write(2, 7, 1, &[(0, numbers(0..3))]);
        let before: Vec<_> = (0..3).map(|r| reader.read(1, &places(&[&leaving], 2), r).unwrap()).collect();
        let outputs = leaving.blocks.outputs();
        assert_eq!(outputs, [(1, 0), (1, 1), (2, 7)]);
        let (taken, failed) = heir.blocks.take_over(0, &leaving.server.address, &outputs);
        assert!(failed.is_none(), "{failed:?}");
        assert_eq!(taken, outputs);
        leaving.server.kill();
        let after: Vec<_> = (0..3).map(|r| reader.read(1, &places(&[&heir], 2), r).unwrap()).collect();
        assert_eq!(after, before);
        // One that is not there.
        let (taken, failed) = heir.blocks.take_over(0, &heir.server.address, &[(1, 5)]);
        assert!(taken.is_empty() && failed.is_some());
        heir.blocks.release(1);
        heir.blocks.release(2);
        heir.assert_quiet();
        wait_until("files are removed", || files(&heir.dir).is_empty());
    }
}

#[test]
fn own_outputs_need_no_server() {
    let dir = tempfile::tempdir().unwrap();
    let mut node = Node::start(0, dir.path(), Keep::Memory, &Setup::default());
    node.write(1, 0, 1, &[(0, numbers(0..10))]);
    node.server.kill();
    let places: Arc<MapPlaces> = places(&[&node], 1);
    assert_eq!(numbers_of(&node.read(1, &places, 0).unwrap()).len(), 10);
}

#[test]
fn what_was_rolled_back_is_gone_and_does_not_come_back() {
    for keep in [Keep::Memory, Keep::Files] {
        let dir = tempfile::tempdir().unwrap();
        let node = Node::start(0, dir.path(), keep, &Setup::default());
        let writer = |attempt: u32, from: i64| {
            let mut w = node.blocks.writer(1, 0, attempt, 1).unwrap();
            w.push(0, numbers(from..from + 10)).unwrap();
            w
        };
        let late = writer(1, 100);
        writer(0, 0).commit().unwrap();
        node.blocks.roll_back(1, 5);
        assert_eq!(node.blocks.outputs(), []);
        assert_eq!(late.commit().unwrap_err().kind(), &vonk_error::ErrorKind::Cancelled);
        writer(5, 200).commit().unwrap();
        let rows = numbers_of(&node.read(1, &places(&[&node], 1), 0).unwrap());
        assert_eq!(rows, (200..210).collect::<Vec<_>>());
        node.blocks.release(1);
        node.assert_quiet();
        wait_until("files are removed", || files(dir.path()).is_empty());
    }
}

#[test]
fn what_cannot_be_taken_over_does_not_keep_the_rest_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut leaving = Node::start(0, dir.path(), Keep::Memory, &Setup::default());
    let heir = Node::start(1, dir.path(), Keep::Memory, &Setup::default());
    let write = |map: u32, attempt: u32, rows: i64| {
        let mut w = leaving.blocks.writer(1, map, attempt, 2).unwrap();
        if rows > 0 {
            w.push(0, numbers(0..rows)).unwrap();
        }
        w.commit().unwrap();
    };
    // Of attempts after a roll back, an empty one as well; and one from before it.
    heir.blocks.roll_back(1, 5);
    write(0, 7, 10);
    write(1, 3, 10);
    write(3, 8, 0);
    let (taken, failed) =
        heir.blocks.take_over(0, &leaving.server.address, &[(1, 0), (1, 1), (1, 2), (1, 3)]);
    assert_eq!(taken, [(1, 0), (1, 3)]);
    assert!(failed.is_some());
    leaving.server.kill();
    let (taken, failed) = heir.blocks.take_over(0, &leaving.server.address, &[(1, 0), (1, 3)]);
    assert!(taken.is_empty() && failed.is_some());
}

#[test]
fn a_released_shuffle_can_be_made_again_while_its_files_go() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(0, dir.path(), Keep::Files, &Setup::default());
    let places = places(&[&node], 200);
    for round in 0..5i64 {
        for map in 0..200 {
            node.write(1, map, 1, &[(0, numbers(round..round + 1))]);
        }
        assert_eq!(numbers_of(&node.read(1, &places, 0).unwrap()), vec![round; 200]);
        node.blocks.release(1);
        assert_eq!(node.blocks.outputs(), []);
    }
    wait_until("files are removed", || files(dir.path()).is_empty());
}
