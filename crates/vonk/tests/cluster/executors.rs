//! Executors that do not come, die, leave, come and go.

use crate::common::*;
use std::time::Duration;
use vonk::{Control, Session};

#[test]
fn executors_that_cannot_be_started_are_reported_with_their_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let session = Session::builder()
        .config("spark.master", "local-cluster[1,1,1g]")
        .config("spark.vonk.executor.program", "ls /no/such/folder/for/executors")
        .config("spark.local.dir", &dir.path().to_string_lossy())
        .build()
        .unwrap();
    let error = rows(&session, "SELECT count(*) FROM range(10)").unwrap_err();
    assert_eq!(error.condition(), "_EXECUTOR_START_FAILED");
    assert!(error.to_string().contains("/no/such/folder/for/executors"), "{error}");
    drop(session);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "something is left on disk");
}

#[test]
fn an_executor_that_is_asked_to_leave_hands_its_blocks_over() {
    let dir = tempfile::tempdir().unwrap();
    let session = builder("local-cluster[2,1,1g]", dir.path())
        .config("spark.ui.enabled", "true")
        .config("spark.ui.port", "0")
        .build()
        .unwrap();
    // Map outputs on both; then the reduce side takes its time, so that one can leave in the middle.
    let slow = "SELECT k, max(length(repeat(sha2(s, 512), 200))), count(*) FROM \
                (SELECT /*+ REPARTITION(8, k) */ id % 64 AS k, cast(id AS string) AS s FROM range(0, 64000, 1, 4)) GROUP BY k";
    let control = Control::default();
    let runner = {
        let (session, control) = (session.clone(), control.clone());
        std::thread::spawn(move || session.execute(slow, &control).and_then(|mut a| a.rows_as_text()))
    };
    eventually("a stage of eight tasks", || {
        seen(&session, "stages").iter().any(|s| s["numTasks"] == 8 && s["numActiveTasks"] != 0)
    });
    let leaver = executor_pids(dir.path())[0];
    signal(leaver, "TERM");
    let rows = runner.join().unwrap().unwrap();
    assert_eq!(rows.len(), 64);
    assert!(rows.iter().all(|r| r.ends_with("\t1000")), "{rows:?}");
    eventually("it left", || !executor_pids(dir.path()).contains(&leaver));
    // Nothing was lost: no stage was submitted twice.
    assert!(seen(&session, "stages").iter().all(|s| s["attemptId"] == 0 || s["numFailedTasks"] == 0));
    assert!(seen(&session, "jobs").iter().all(|j| j["numFailedTasks"] == 0));
}

#[test]
fn executors_come_and_go_with_the_work() {
    let dir = tempfile::tempdir().unwrap();
    let session = builder("local-cluster[3,1,1g]", dir.path())
        .config("spark.dynamicAllocation.enabled", "true")
        .config("spark.dynamicAllocation.executorIdleTimeout", "500ms")
        .config("spark.dynamicAllocation.schedulerBacklogTimeout", "20ms")
        .config("spark.ui.enabled", "true")
        .config("spark.ui.port", "0")
        .build()
        .unwrap();
    assert_eq!(active(&session), 0);
    let work = "SELECT sum(length(sha2(cast(id AS string), 512))) FROM range(0, 600000, 1, 12)";
    assert_eq!(rows(&session, work).unwrap(), ["76800000"]);
    assert!(!seen(&session, "executors").is_empty());
    eventually("all are given back", || active(&session) == 0);
    assert_eq!(rows(&session, work).unwrap(), ["76800000"]);
}

#[test]
fn an_insert_while_executors_die_leaves_exactly_the_right_files() {
    let dir = tempfile::tempdir().unwrap();
    let session = builder("local-cluster[3,1,1g]", dir.path())
        .config("spark.executor.heartbeatInterval", "100ms")
        .config("spark.network.timeout", "2s")
        .build()
        .unwrap();
    rows(&session, "CREATE TABLE t (id BIGINT, s STRING) USING parquet").unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(300));
                if let Some(pid) = executor_pids(dir.path()).get(turn % 3) {
                    signal(*pid, "KILL");
                }
                turn += 1;
            }
        });
        for _ in 0..5 {
            let sql = "INSERT INTO t SELECT id, sha2(cast(id AS string), 512) FROM range(0, 60000, 1, 6)";
            let result = rows(&session, sql);
            if result.is_err() {
                done.store(true, std::sync::atomic::Ordering::Relaxed);
            }
            result.unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let counted = rows(
        &session,
        "SELECT count(*), count(DISTINCT id), min(n), max(n) FROM (SELECT id, count(*) AS n FROM t GROUP BY id) JOIN (SELECT 1) ON true",
    );
    assert_eq!(counted.unwrap(), ["60000\t60000\t5\t5"]);
    let files: Vec<String> = std::fs::read_dir(dir.path().join("warehouse/t"))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(files.len(), 30, "{files:?}");
    assert!(files.iter().all(|f| f.starts_with("part-")), "{files:?}");
}

#[test]
fn an_executors_full_disk_fails_its_task_and_not_the_cluster() {
    let dir = tempfile::tempdir().unwrap();
    let this = std::env::current_exe().unwrap();
    // Files of at most a megabyte each stand for a disk that fills up; blocks are files because the shuffle service is on.
    let program = dir.path().join("limited.sh");
    std::fs::write(
        &program,
        format!("ulimit -f 1024\ntrap '' XFSZ\nexec {} --exact executor_process\n", this.display()),
    )
    .unwrap();
    let session = builder("local-cluster[1,2,1g]", dir.path())
        .config("spark.vonk.executor.program", &format!("sh {}", program.display()))
        .config("spark.shuffle.service.enabled", "true")
        .build()
        .unwrap();
    let large = "SELECT count(DISTINCT s) FROM (SELECT /*+ REPARTITION(2) */ sha2(cast(id AS string), 512) AS s FROM range(0, 400000, 1, 2))";
    let error = rows(&session, large).unwrap_err();
    assert_eq!(error.condition(), "_IO_ERROR", "{error}");
    assert!(error.to_string().contains("File too large"), "{error}");
    let small = "SELECT count(*) FROM (SELECT /*+ REPARTITION(2) */ id FROM range(0, 1000, 1, 2))";
    assert_eq!(rows(&session, small).unwrap(), ["1000"]);
}

#[test]
fn executors_that_could_only_be_lost_are_not_started() {
    let dir = tempfile::tempdir().unwrap();
    let build = builder("local-cluster[1,1,1g]", dir.path())
        .config("spark.executor.heartbeatInterval", "5s")
        .config("spark.network.timeout", "2s")
        .build();
    let error = build.err().expect("each of them would be lost before it can say that it lives");
    let text = error.to_string();
    assert!(
        text.contains("spark.executor.heartbeatInterval") && text.contains("spark.network.timeout"),
        "{text}"
    );
    assert_eq!(error.sql_state(), "22023");
}
