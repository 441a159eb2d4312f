//! A hundred clients at once in little memory, a third of which lose interest: no error but theirs, and nothing is left.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use vonk::{Control, Session};

/// Statements with what they answer.
const MIX: [(&str, &[&str]); 6] = [
    ("SELECT count(*), sum(id) FROM range(0, 20000, 1, 4)", &["20000\t199990000"]),
    (
        "SELECT k, count(*) FROM (SELECT id % 3 AS k FROM range(0, 30000, 1, 3)) GROUP BY k ORDER BY k",
        &["0\t10000", "1\t10000", "2\t10000"],
    ),
    (
        "SELECT count(*) FROM range(0, 5000, 1, 2) a JOIN range(0, 10000, 1, 2) b ON a.id * 2 = b.id",
        &["5000"],
    ),
    (
        "SELECT max(s) FROM (SELECT CAST(id AS STRING) AS s FROM range(0, 60000, 1, 4) ORDER BY s LIMIT 1000)",
        &["10897"],
    ),
    ("SELECT (SELECT max(id) FROM range(100)) + count(*) FROM range(10)", &["109"]),
    (
        "SELECT max(r) FROM (SELECT row_number() OVER (PARTITION BY id % 10 ORDER BY id) AS r FROM range(0, 20000, 1, 4))",
        &["2000"],
    ),
];

/// Never ends by itself, and gives many rows.
const ENDLESS: &str = "SELECT id, CAST(id AS STRING) FROM range(0, 1000000000000, 1, 6)";
/// Never ends by itself, and gives none.
const SILENT: &str = "SELECT id % 1000, count(*) FROM range(0, 1000000000000, 1, 4) GROUP BY 1";

fn files(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|e| if e.path().is_dir() { files(&e.path()) } else { 1 }).sum()
}

/// Threads of the engine in this process.
fn threads() -> usize {
    let all = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = all.filter_map(|t| std::fs::read_to_string(t.path().join("comm")).ok());
    names.filter(|name| name.starts_with("vonk-")).count()
}

fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One client: its own session, statements one after the other.
fn client(session: &Session, number: usize, until: Instant, done: &AtomicU64) {
    let mut n = number;
    while Instant::now() < until {
        n += 1;
        if !n.is_multiple_of(3) {
            let (sql, expected) = MIX[(n / 3) % MIX.len()];
            let answer = session.execute(sql, &Control::default()).and_then(|mut a| a.rows_as_text());
            assert_eq!(answer.unwrap_or_else(|e| panic!("{sql}: {e}")), expected, "{sql}");
            done.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let control = Control::default();
        let cancel = control.cancel.clone();
        match (n / 3) % 4 {
            // Read for a while, then dropped; in parts of which one is never read.
            0 => {
                let mut answer = session.execute(ENDLESS, &control).unwrap();
                for _ in 0..1 + n % 5 {
                    assert!(answer.next_batch().unwrap().is_some());
                }
            }
            1 => {
                let mut parts = session.execute(ENDLESS, &control).unwrap().into_parts(2);
                assert!(parts[1].next_batch().unwrap().is_some());
                std::thread::sleep(Duration::from_millis(30));
                assert!(parts[1].next_batch().unwrap().is_some());
            }
            // Cancelled by somebody else while it is waited for.
            2 => {
                let mut answer = session.execute(SILENT, &control).unwrap();
                let canceller = std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(n as u64 % 50));
                    cancel.cancel();
                });
                assert_eq!(answer.next_batch().unwrap_err().condition(), "OPERATION_CANCELED");
                canceller.join().unwrap();
            }
            // Never read.
            _ => {
                let answer = session.execute(ENDLESS, &control).unwrap();
                std::thread::sleep(Duration::from_millis(n as u64 % 80));
                drop(answer);
            }
        }
    }
}

#[test]
fn a_hundred_clients_of_which_a_third_lose_interest() {
    let seconds = std::env::var("VONK_CLIENTS_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(6);
    let dir = tempfile::tempdir().unwrap();
    let session = Session::builder()
        .config("spark.master", "local[2]")
        .config("spark.vonk.memory.limit", "512m")
        .config("spark.local.dir", &dir.path().join("spill").to_string_lossy())
        .config("spark.sql.warehouse.dir", &dir.path().join("warehouse").to_string_lossy())
        .build()
        .unwrap();
    let (until, done) = (Instant::now() + Duration::from_secs(seconds), Arc::new(AtomicU64::new(0)));
    let most_threads = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..100)
            .map(|number| {
                let (session, done) = (session.new_session(), done.clone());
                scope.spawn(move || client(&session, number, until, &done))
            })
            .collect();
        let mut most = 0;
        while clients.iter().any(|c| !c.is_finished()) {
            most = most.max(threads());
            std::thread::sleep(Duration::from_millis(20));
        }
        most
    });
    println!("{} statements to their ends, {most_threads} threads at most", done.load(Ordering::Relaxed));
    assert!(done.load(Ordering::Relaxed) >= 100, "{done:?}");
    assert!(most_threads < 20, "{most_threads} threads");
    eventually("no task runs", || session.alive_tasks() == 0);
    eventually("no memory is held", || session.used_memory() == 0);
    eventually("no file is left", || files(&dir.path().join("spill")) == 0);
    assert!(session.peak_memory() <= 512 << 20, "{} bytes", session.peak_memory());
    drop(session);
    eventually("no thread is left", || threads() == 0);
    assert!(!dir.path().join("spill").read_dir().is_ok_and(|mut d| d.next().is_some()), "folders are left");
}
