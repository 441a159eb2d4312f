//! Statements that are cancelled while they are parsed, analyzed, optimized and planned, or while a command is carried out: they stop at once,
//! wherever they are, and leave nothing half done. Those that are cancelled while their tasks run are elsewhere (`cluster/cancel.rs`).

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use vonk::{Control, Error, Session};

/// How soon a statement must be over: a build without optimisation on a loaded machine.
const SOON: Duration = Duration::from_secs(20);
/// How long after its begin a statement is cancelled, in milliseconds.
const AFTER: [u64; 6] = [0, 30, 200, 700, 1_500, 4_000];
const N: usize = 10_000;

fn session(folder: &Path) -> Session {
    Session::builder()
        .config("spark.master", "local[2]")
        .config("spark.sql.warehouse.dir", &folder.join("warehouse").to_string_lossy())
        .build()
        .unwrap()
}

fn chain(n: usize, separator: &str, term: impl Fn(usize) -> String) -> String {
    (0..n).map(term).collect::<Vec<_>>().join(separator)
}

/// Runs a statement to its last row, cancelling it after a while: how it ended, and how long after that.
fn cancelled(session: &Session, sql: &str, after: Duration) -> (Result<(), Error>, Duration) {
    let control = Control::default();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| session.execute(sql, &control)?.collect().map(drop));
        let begun = Instant::now();
        while begun.elapsed() < after && !running.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let at = Instant::now();
        control.cancel.cancel();
        (running.join().unwrap(), at.elapsed())
    })
}

/// Cancels a statement at several times after its begin; true if it was over before one of them.
fn stops(session: &Session, sql: &str, times: &[u64]) -> bool {
    let head: String = sql.chars().take(70).collect();
    for after in times {
        let (result, took) = cancelled(session, sql, Duration::from_millis(*after));
        println!("{after:>5} ms, then {took:>12.3?}: {head}");
        assert!(took < SOON, "{took:?} after {after} ms: {head}");
        match result {
            Ok(()) => return true,
            Err(e) => {
                assert_eq!((e.condition(), e.sql_state()), ("OPERATION_CANCELED", "HY008"), "{head}: {e}")
            }
        }
    }
    false
}

#[test]
fn long_statements() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    let unions = chain(N, " UNION ALL ", |i| format!("SELECT {i} AS a"));
    let distinct = chain(2_000, " UNION ", |i| format!("SELECT {i} AS a"));
    let many = chain(1_000, ", ", |i| format!("(SELECT 1 AS a{i}) t{i}"));
    let star = chain(150, " ", |i| format!("JOIN range(10) t{i} ON t{i}.id = t.id"));
    let path = chain(10, " ", |i| format!("JOIN range(1000) t{} ON t{}.id = t{i}.id + 1", i + 1, i + 1));
    let list = chain(500_000, ", ", |i| (i * 2).to_string());
    let and = chain(N, " AND ", |i| format!("id <> {i}"));
    let columns = chain(N, ", ", |i| format!("id + {i} AS c{i}"));
    let ctes = chain(390, ", ", |i| match i {
        0 => "c0 AS (SELECT 1 AS a)".to_string(),
        i => format!("c{i} AS (SELECT a FROM c{})", i - 1),
    });
    let exists = format!("{}SELECT 5{}", "SELECT 1 WHERE EXISTS (".repeat(100), ")".repeat(100));
    for sql in [
        format!("SELECT count(*), sum(a) FROM ({unions})"),
        format!("SELECT count(*) FROM ({distinct})"),
        format!("SELECT count(*) FROM {many}"),
        format!("SELECT count(*) FROM range(10) t {star}"),
        format!("SELECT count(*) FROM range(1000) t0 {path}"),
        format!("SELECT count(*) FROM range(1000) WHERE id IN ({list})"),
        format!("SELECT count(*) FROM range(20000) WHERE {and}"),
        format!("SELECT c0 + c9999 FROM (SELECT {columns} FROM range(1))"),
        format!("WITH {ctes} SELECT a FROM c389"),
        exists,
    ] {
        stops(&session, &sql, &AFTER);
        assert_eq!(session.run("SELECT 1 + 1").unwrap().rows_as_text().unwrap(), ["2"]);
    }
}

/// A folder of many Parquet files: one, under many names.
fn many_files(session: &Session, folder: &Path, files: usize) -> String {
    let many = folder.join("many");
    session
        .run(&format!(
            "INSERT OVERWRITE DIRECTORY '{}' USING parquet SELECT 1 AS a, 'x' AS b",
            many.display()
        ))
        .unwrap();
    let first = std::fs::read_dir(&many).unwrap().flatten().find(|e| e.path().is_file()).unwrap().path();
    for i in 0..files {
        std::fs::hard_link(&first, many.join(format!("part-{i:06}.parquet"))).unwrap();
    }
    many.to_string_lossy().into_owned()
}

#[test]
fn many_files_are_listed_and_looked_into() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    let many = many_files(&session, dir.path(), 20_000);
    let before = std::fs::read_dir(&many).unwrap().count();
    for sql in [
        format!("SELECT count(*) FROM parquet.`{many}` WHERE a = 1"),
        format!("CREATE TABLE copied AS SELECT * FROM parquet.`{many}`"),
        format!("INSERT OVERWRITE DIRECTORY '{many}' USING parquet SELECT * FROM parquet.`{many}`"),
        format!("CACHE TABLE kept AS SELECT * FROM parquet.`{many}`"),
    ] {
        if stops(&session, &sql, &AFTER[..4]) {
            println!("all was done in time, on so fast a machine");
            return;
        }
    }
    // Nothing of it has happened.
    assert_eq!(session.run("SHOW TABLES").unwrap().rows_as_text().unwrap(), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(&many).unwrap().count(), before);
}

#[test]
fn tables_that_were_to_be_replaced_are_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    session.run("CREATE TABLE t AS SELECT 'before' AS a").unwrap();
    let long = "SELECT concat('after', sum(hash(id))) AS a FROM range(100000000000)";
    for sql in [format!("CREATE OR REPLACE TABLE t AS {long}"), format!("INSERT OVERWRITE t {long}")] {
        assert!(!stops(&session, &sql, &AFTER), "{sql}");
        assert_eq!(session.run("SELECT * FROM t").unwrap().rows_as_text().unwrap(), ["before"], "{sql}");
    }
    let failing = session.run("CREATE OR REPLACE TABLE t AS SELECT 1 / id AS a FROM range(2)");
    assert_eq!(failing.err().unwrap().condition(), "DIVIDE_BY_ZERO");
    assert_eq!(session.run("SELECT * FROM t").unwrap().rows_as_text().unwrap(), ["before"]);
    session.run("CREATE OR REPLACE TABLE t AS SELECT concat(a, ' and after') AS b FROM t").unwrap();
    assert_eq!(session.run("SELECT b FROM t").unwrap().rows_as_text().unwrap(), ["before and after"]);
    let mut left = String::new();
    for entry in std::fs::read_dir(dir.path().join("warehouse/t")).unwrap().flatten() {
        let _ = write!(left, "{} ", entry.file_name().display());
    }
    assert_eq!(left.matches("part-").count(), 1, "{left}");
    assert!(!left.contains("staging") && !left.contains(".vonk-removed"), "{left}");
}
