//! Map outputs in an object store (`spark.vonk.shuffle.store`): they outlive whoever made them.

use crate::common::*;
use std::path::Path;
use vonk::{Session, SessionBuilder};

fn stored(dir: &Path) -> SessionBuilder {
    let url = format!("file://{}", dir.join("store").display());
    std::fs::create_dir_all(dir.join("store")).unwrap();
    watched("local-cluster[2,1,1g]", dir).config("spark.vonk.shuffle.store", &url)
}

#[test]
fn queries_through_an_object_store_answer_as_those_without() {
    let dir = tempfile::tempdir().unwrap();
    let local = Session::builder().config("spark.master", "local[2]").build().unwrap();
    let session = stored(dir.path())
        .config("spark.sql.autoBroadcastJoinThreshold", "-1")
        .config("spark.sql.shuffle.partitions", "5")
        .build()
        .unwrap();
    let queries = [
        "SELECT a.id, b.id FROM range(0, 3000, 1, 4) a JOIN range(0, 6000, 2, 3) b ON a.id = b.id WHERE a.id % 7 = 3 ORDER BY a.id",
        "SELECT /*+ REPARTITION(7) */ id % 13 AS k, concat('row ', id) FROM range(0, 5000, 1, 4) ORDER BY 2 DESC, 1",
        "SELECT k, count(*), sum(id) FROM (SELECT /*+ REPARTITION(6, k) */ id % 11 AS k, id FROM range(0, 9000, 1, 3)) GROUP BY k ORDER BY k",
        "SELECT count(*) FROM (SELECT id FROM range(100) WHERE id < 0) a FULL JOIN range(0) b USING (id)",
    ];
    for sql in queries {
        assert_eq!(rows(&session, sql).unwrap(), rows(&local, sql).unwrap(), "{sql}");
    }
    let stages = seen(&session, "stages");
    assert!(stages.len() >= 8 && stages.iter().all(|s| s["attemptId"] == 0), "{stages:?}");
    drop(session);
    assert_eq!(files_below(&dir.path().join("store")), Vec::<std::path::PathBuf>::new());
    assert_eq!(std::fs::read_dir(dir.path().join("store")).unwrap().count(), 0, "folders are left");
}

#[test]
fn nothing_that_the_store_has_is_computed_again_when_all_executors_die() {
    let dir = tempfile::tempdir().unwrap();
    let session = stored(dir.path()).config("spark.shuffle.io.retryWait", "50ms").build().unwrap();
    let slow = "SELECT k, max(length(repeat(sha2(s, 512), 100))), count(*) FROM \
                (SELECT /*+ REPARTITION(8, k) */ id % 64 AS k, cast(id AS string) AS s FROM range(0, 64000, 1, 4)) GROUP BY k";
    let query = spawn(&session, slow);
    eventually("a stage of eight tasks, half way", || {
        stages_of(&session, 8).iter().any(|s| {
            let done = s["numCompleteTasks"].as_u64().unwrap();
            (1..7).contains(&done) && s["numActiveTasks"] != 0
        })
    });
    assert!(!files_below(&dir.path().join("store")).is_empty(), "blocks are in the store");
    // As an executor leaves it that is killed while it uploads.
    let half = files_below(&dir.path().join("store"))[0].with_file_name("3-99.data#1");
    std::fs::write(half, "half an output").unwrap();
    let killed = executor_pids(dir.path());
    assert_eq!(killed.len(), 2);
    killed.iter().for_each(|pid| signal(*pid, "KILL"));
    let rows = query.join().unwrap().unwrap();
    assert_eq!(rows.len(), 64);
    assert!(rows.iter().all(|r| r.ends_with("\t12800\t1000")), "{rows:?}");
    // The map stage ran once, each of its tasks too; of the other one only what was running ran again.
    let made = &stages_of(&session, 4)[0];
    assert_eq!((&made["attemptId"], tasks_of(&session, made).len()), (&0.into(), 4));
    let read = &stages_of(&session, 8)[0];
    let tasks = tasks_of(&session, read);
    let count = |status: &str| tasks.iter().filter(|t| t["status"] == status).count();
    assert_eq!(read["attemptId"], 0, "{read}");
    assert_eq!(count("SUCCESS"), 8);
    assert!((1..=2).contains(&count("FAILED")), "{tasks:?}");
    drop(session);
    assert_eq!(std::fs::read_dir(dir.path().join("store")).unwrap().count(), 0, "something is left");
    let lost: Vec<_> = events(dir.path()).into_iter().filter(|e| e["event"] == "ExecutorLost").collect();
    assert!(lost.iter().all(|e| e["blocks_lost"] == false), "{lost:?}");
}
