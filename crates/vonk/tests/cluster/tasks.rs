//! Tasks that are slow, fail where they are, or do not fit.

use crate::common::*;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use vonk::{Session, SessionBuilder};
use vonk_sources::{Formats, OpenScan, ScanReader, ScanStream, parquet::ParquetReader};

/// Set for executors that panic when they read a file with `panics` in its path, and end with one with `dies`.
const TRAPS: &str = "VONK_TEST_TRAPS";

/// What an executor of these tests can read.
pub fn formats() -> Formats {
    let mut formats = Formats::builtin();
    if std::env::var_os(TRAPS).is_some() {
        formats.add_reader(Arc::new(Trapped));
    }
    formats
}

struct Trapped;

impl ScanReader for Trapped {
    fn name(&self) -> &'static str {
        ParquetReader.name()
    }

    fn open(&self, scan: OpenScan<'_>) -> vonk::Result<Box<dyn ScanStream>> {
        let place = [scan.shared, scan.partition].concat();
        let place = String::from_utf8_lossy(&place);
        assert!(!place.contains("panics"), "a bug in a reader");
        if place.contains("dies") {
            // As the system does it where memory is short.
            std::process::abort();
        }
        ParquetReader.open(scan)
    }
}

/// A session with executors that have [`TRAPS`], and three tables; two of them have one.
fn trapped(dir: &Path) -> Session {
    let this = std::env::current_exe().unwrap();
    let program = format!("env {TRAPS}=1 {} --exact executor_process", this.display());
    let builder = watched("local-cluster[2,1,1g]", dir).config("spark.vonk.executor.program", &program);
    let session = builder.build().unwrap();
    for table in ["panics", "dies", "whole"] {
        rows(&session, &format!("CREATE TABLE {table} (id BIGINT) USING parquet")).unwrap();
        rows(&session, &format!("INSERT INTO {table} SELECT id FROM range(0, 1000, 1, 4)")).unwrap();
    }
    session
}

fn of<'a>(events: &'a [Value], name: &'a str) -> impl Iterator<Item = &'a Value> {
    events.iter().filter(move |e| e["event"] == name)
}

#[test]
fn a_task_on_an_executor_that_stands_still_gets_a_copy_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    // The executor must not be taken for lost: that would start its task again, too.
    let session = watched("local-cluster[2,1,1g]", dir.path())
        .config("spark.network.timeout", "120s")
        .config("spark.speculation", "true")
        .config("spark.speculation.quantile", "0.5")
        .config("spark.speculation.multiplier", "1.5")
        .build()
        .unwrap();
    eventually("two executors", || active(&session) == 2);
    let sql =
        "SELECT max(length(sha2(repeat(cast(id AS string), 400), 512))), count(*) FROM range(0, 48000, 1, 8)";
    let query = spawn(&session, sql);
    let mut stopped = None;
    eventually("a task that runs on an executor that has done nothing yet", || {
        // Map outputs that it has could not be read.
        let stage = &stages_of(&session, 8);
        let tasks = stage.first().map(|s| tasks_of(&session, s)).unwrap_or_default();
        let on = |e: u64| tasks.iter().filter(move |t| t["executorId"] == e).map(|t| t["status"].clone());
        stopped = (0..2).find(|e| on(*e).collect::<Vec<_>>() == ["RUNNING"]);
        stopped.is_some()
    });
    let pid = executor_pid(dir.path(), stopped.unwrap()).unwrap();
    signal(pid, "STOP");
    assert_eq!(query.join().unwrap().unwrap(), ["128\t48000"]);
    let tasks = tasks_of(&session, &stages_of(&session, 8)[0]);
    let copy = tasks.iter().find(|t| t["speculative"] == true).expect("a copy");
    assert_eq!(copy["status"], "SUCCESS");
    let first = tasks.iter().find(|t| t["index"] == copy["index"] && t["speculative"] == false).unwrap();
    assert_eq!((&first["executorId"], &first["status"]), (&stopped.unwrap().into(), &"RUNNING".into()));
    assert_eq!(active(&session), 2, "nobody was lost");
    // It goes on, and is as good as the other one.
    signal(pid, "CONT");
    assert_eq!(rows(&session, "SELECT count(*) FROM range(0, 1000, 1, 8)").unwrap(), ["1000"]);
    eventually("the end of the first", || {
        let tasks = tasks_of(&session, &stages_of(&session, 8)[0]);
        tasks.iter().all(|t| t["status"] == "SUCCESS" || t["status"] == "KILLED")
    });
    drop(session);
    let events = events(dir.path());
    assert!(of(&events, "TaskStart").any(|e| e["speculative"] == true));
    assert_eq!(of(&events, "ExecutorLost").count(), 0);
}

/// Executors of which the first cannot write more than a kilobyte into a file; map outputs are files.
fn with_a_broken_disk(dir: &Path) -> SessionBuilder {
    let this = std::env::current_exe().unwrap();
    let program = dir.join("broken.sh");
    let script = format!(
        "case \"$VONK_EXECUTOR\" in *'\"executor\":0,'*) ulimit -f 2; trap '' XFSZ;; esac\n\
         exec {} --exact executor_process\n",
        this.display()
    );
    std::fs::write(&program, script).unwrap();
    watched("local-cluster[2,1,1g]", dir)
        .config("spark.vonk.executor.program", &format!("sh {}", program.display()))
        .config("spark.shuffle.service.enabled", "true")
}

#[test]
fn an_executor_with_a_broken_disk_is_excluded_and_the_query_succeeds() {
    let dir = tempfile::tempdir().unwrap();
    let session = with_a_broken_disk(dir.path())
        .config("spark.excludeOnFailure.enabled", "true")
        .config("spark.locality.wait", "0")
        .build()
        .unwrap();
    eventually("two executors", || active(&session) == 2);
    let sql = "SELECT count(*), sum(length(s)) FROM \
               (SELECT /*+ REPARTITION(3, s) */ sha2(repeat(cast(id AS string), 20), 512) AS s FROM range(0, 64000, 1, 16))";
    assert_eq!(rows(&session, sql).unwrap(), ["64000\t8192000"]);
    let broken = |session| seen(session, "executors").into_iter().find(|e| e["id"] == 0).unwrap();
    assert_eq!(broken(&session)["isExcluded"], true, "{}", broken(&session));
    assert!(broken(&session)["failedTasks"].as_u64() >= Some(2));
    // Whatever comes next goes to the other one alone.
    let failed = broken(&session)["failedTasks"].clone();
    assert_eq!(rows(&session, sql).unwrap(), ["64000\t8192000"]);
    let stage = stages_of(&session, 16).pop().unwrap();
    assert!(tasks_of(&session, &stage).iter().all(|t| t["executorId"] == 1));
    assert_eq!(broken(&session)["failedTasks"], failed);
    drop(session);
    let events = events(dir.path());
    let excluded: Vec<_> = of(&events, "ExecutorExcluded").collect();
    assert!(excluded.iter().all(|e| e["executor"] == 0), "{excluded:?}");
    assert!(excluded.iter().any(|e| e["stage"].is_u64()) && excluded.iter().any(|e| e["stage"].is_null()));
}

#[test]
fn without_exclusion_a_broken_disk_costs_tries_and_no_query() {
    let dir = tempfile::tempdir().unwrap();
    let session = with_a_broken_disk(dir.path()).build().unwrap();
    eventually("two executors", || active(&session) == 2);
    let sql = "SELECT count(*), sum(length(s)) FROM \
               (SELECT /*+ REPARTITION(3, s) */ sha2(repeat(cast(id AS string), 20), 512) AS s FROM range(0, 64000, 1, 16))";
    assert_eq!(rows(&session, sql).unwrap(), ["64000\t8192000"]);
}

#[test]
fn a_value_that_would_take_all_memory_is_refused_and_the_executor_stays() {
    let dir = tempfile::tempdir().unwrap();
    let session = watched("local-cluster[2,1,1g]", dir.path()).build().unwrap();
    eventually("two executors", || active(&session) == 2);
    let before = executor_pids(dir.path());
    let error = rows(&session, "SELECT repeat('ab', 2147483647 - cast(id AS int)) FROM range(0, 8, 1, 4)");
    let error = error.unwrap_err();
    assert_eq!((error.condition(), error.sql_state()), ("_OUT_OF_MEMORY", "53200"), "{error}");
    assert_eq!(executor_pids(dir.path()), before, "they stay");
    assert_eq!(rows(&session, "SELECT count(*) FROM range(0, 1000, 1, 8)").unwrap(), ["1000"]);
}

#[test]
fn a_task_that_kills_whoever_runs_it_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let session = trapped(dir.path());
    let good = "SELECT count(*), sum(id) FROM whole";
    let error = rows(&session, "SELECT count(DISTINCT id) FROM dies").unwrap_err();
    assert_eq!((error.condition(), error.sql_state()), ("_TASK_KILLED_EXECUTORS", "58030"), "{error}");
    assert!(error.to_string().contains("16 executors were lost"), "{error}");
    assert_eq!(rows(&session, good).unwrap(), ["1000\t499500"]);
}

#[test]
fn a_task_that_panics_fails_its_query_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let session = trapped(dir.path());
    let before = executor_pids(dir.path());
    assert_eq!(before.len(), 2);
    let good = spawn(
        &session,
        "SELECT max(length(sha2(repeat(cast(id AS string), 400), 512))), count(*) FROM range(0, 12000, 1, 8)",
    );
    let error = rows(&session, "SELECT count(DISTINCT id) FROM panics").unwrap_err();
    assert_eq!((error.condition(), error.sql_state()), ("INTERNAL_ERROR", "XX000"), "{error}");
    assert!(error.to_string().contains("a task panicked: a bug in a reader"), "{error}");
    assert_eq!(good.join().unwrap().unwrap(), ["128\t12000"], "a query at the same time");
    assert_eq!(rows(&session, "SELECT count(*), sum(id) FROM whole").unwrap(), ["1000\t499500"]);
    assert_eq!(executor_pids(dir.path()), before, "they stay");
    // It was not tried again: the same would come of it.
    let failed = seen(&session, "executors").iter().map(|e| e["failedTasks"].as_u64().unwrap()).sum::<u64>();
    assert!((1..=2).contains(&failed), "{failed}");
}
