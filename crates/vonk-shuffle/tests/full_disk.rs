//! A full disk, simulated by a limit on the size of files: an I/O error, and nothing left behind. A process of its own, since the limit
//! is the process's.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

#[allow(dead_code)] // The other tests use the rest of it.
#[path = "cluster/support.rs"]
mod support;

use support::*;
use vonk_error::ErrorKind;
use vonk_shuffle::{Keep, ShuffleBlocks, SpillableBlocks};

fn limit_files(bytes: libc::rlim_t) {
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: plain system calls with a valid pointer. The signal would end the process before the call could fail.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
    }
}

#[test]
fn a_full_disk_is_an_io_error_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // With memory the commit fails, without it the spill before.
    for memory in [1 << 40, 100_000, 0] {
        let node = Node::start(0, dir.path(), Keep::Files, &Setup { memory, ..Default::default() });
        let write = || {
            let mut writer = node.blocks.writer(1, 0, 0, 2)?;
            (0..40).try_for_each(|i| {
                writer.push(i % 2, numbers(i64::from(i) * 1000..i64::from(i + 1) * 1000))
            })?;
            writer.commit()
        };
        limit_files(64 << 10);
        let error = write().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Io, "{error}");
        assert!(error.to_string().contains(node.dir.to_str().unwrap()), "{error}");
        assert_eq!((files(dir.path()).len(), node.memory.used()), (0, 0));
        // There is room again.
        limit_files(libc::RLIM_INFINITY);
        assert_eq!(write().unwrap().rows, [20_000, 20_000]);
        assert_eq!(numbers_of(&node.read(1, &places(&[&node], 1), 1).unwrap()).len(), 20_000);
        node.blocks.release(1);
        wait_until("files are removed", || files(dir.path()).is_empty());
    }
    // Blocks in memory that cannot be spilled stay in memory.
    let node = Node::start(1, dir.path(), Keep::Memory, &Setup::default());
    node.write(1, 0, 1, &[(0, numbers(0..100_000)), (0, numbers(100_000..200_000))]);
    limit_files(64 << 10);
    assert_eq!(node.blocks.spill(u64::MAX).unwrap_err().kind(), &ErrorKind::Io);
    let rows = numbers_of(&node.read(1, &places(&[&node], 1), 0).unwrap());
    assert_eq!(rows, (0..200_000).collect::<Vec<_>>());
    limit_files(libc::RLIM_INFINITY);
    node.blocks.spill(u64::MAX).unwrap();
    assert_eq!(node.memory.used(), 0);
    assert_eq!(numbers_of(&node.read(1, &places(&[&node], 1), 0).unwrap()), rows);
}
