//! Stages that give other rows when they are computed again: whatever was computed of the first rows is computed again, too.
//!
//! Chance is `uuid(NULL)`: a null for its seed is drawn by each task, where a call without one gets its seed with the plan.

use crate::common::*;
use std::path::Path;
use vonk::Session;

/// Values drawn by chance, broadcast to all tasks of a join: each key has one value, whatever happened, if the tables of all tasks are of the
/// same rows.
const DRAWN_VALUES: &str = "SELECT max(n), count(*), sum(c) FROM (
    SELECT k, count(DISTINCT v) AS n, count(*) AS c FROM
        (SELECT id % 40 AS k, sha2(repeat(cast(id AS string), 200), 512) AS s FROM range(0, 40000, 1, 10)) f
        JOIN (SELECT /*+ BROADCAST(r) */ * FROM (SELECT id AS k, crc32(uuid(NULL)) / 4294967296D AS v FROM range(0, 40, 1, 3)) r) d USING (k)
    WHERE length(s) > 3 GROUP BY k)";

/// Keys drawn by chance, one of each 25, and known to the scan: all rows with these keys, and no others, are there if the filters of all
/// scans are of the same keys.
const DRAWN_KEYS: &str = "SELECT count(*), min(c), max(c), max(l) FROM (
    SELECT k, count(*) AS c, max(length(sha2(repeat(concat(s, v), 3500), 512))) AS l FROM facts
        JOIN (SELECT /*+ BROADCAST(r) */ * FROM (SELECT id * 25 + cast(floor(crc32(uuid(NULL)) / 4294967296D * 25) AS bigint) AS k, 'v' AS v FROM range(0, 40, 1, 3)) r) d USING (k)
    GROUP BY k)";

/// The values go straight to the user.
const GIVEN_AWAY: &str = "SELECT id, v, sha2(repeat(cast(id AS string), 1000), 512) AS s FROM
    (SELECT /*+ REPARTITION(10, id) */ id, v FROM (SELECT id, crc32(uuid(NULL)) / 4294967296D AS v FROM range(0, 20000, 1, 3)))";

/// Ends a session; whether outputs that were there were forgotten.
fn drop_rolled_back(session: Session, dir: &Path) -> bool {
    drop(session);
    events(dir).iter().any(|e| e["event"] == "OutputsRolledBack")
}

/// Kills an executor that has outputs of the stage of three tasks, when the one that reads them is under way.
fn robbed(session: &Session, dir: &Path, sql: &str) -> Outcome {
    under_way(session, sql, || {
        let drawn = stages_of(session, 3).pop().unwrap();
        assert_eq!(drawn["status"], "COMPLETE");
        let made = tasks_of(session, &drawn)[0]["executorId"].as_u64().unwrap();
        signal(executor_pid(dir, made).expect("it lives"), "KILL");
    })
}

/// Does something when the large stage of a query is under way: one task in three is done, another runs.
fn under_way(session: &Session, sql: &str, what: impl FnOnce()) -> Outcome {
    let query = spawn(session, sql);
    eventually("a stage under way", || {
        seen(session, "stages").iter().any(|s| {
            let count = |name: &str| s[name].as_u64().unwrap();
            let (all, done) = (count("numTasks"), count("numCompleteTasks"));
            all > 4 && done * 3 >= all && done + 1 < all && count("numActiveTasks") > 0
        })
    });
    what();
    query.join().unwrap()
}

#[test]
fn a_broadcast_table_does_not_outlive_the_rows_that_it_was_built_of() {
    let dir = tempfile::tempdir().unwrap();
    let session = watched("local-cluster[2,1,1g]", dir.path()).build().unwrap();
    assert_eq!(robbed(&session, dir.path(), DRAWN_VALUES).unwrap(), ["1\t40\t40000"]);
    assert!(drop_rolled_back(session, dir.path()));
}

#[test]
fn a_runtime_filter_does_not_outlive_the_keys_that_it_was_built_of() {
    let dir = tempfile::tempdir().unwrap();
    // Files are not put together.
    let session = watched("local-cluster[2,1,1g]", dir.path())
        .config("spark.sql.files.maxPartitionBytes", "1k")
        .build()
        .unwrap();
    rows(&session, "CREATE TABLE facts (k BIGINT, s STRING) USING parquet").unwrap();
    rows(&session, "INSERT INTO facts SELECT id % 1000, cast(id AS string) FROM range(0, 100000, 1, 10)")
        .unwrap();
    let plan = rows(&session, &format!("EXPLAIN {DRAWN_KEYS}")).unwrap().join("\n");
    assert!(plan.contains("fills runtime filter 0") && plan.contains("runtime filter 0 on k"), "{plan}");
    assert_eq!(robbed(&session, dir.path(), DRAWN_KEYS).unwrap(), ["40\t100\t100\t128"]);
    assert!(drop_rolled_back(session, dir.path()));
}

#[test]
fn rows_that_were_given_away_are_not_taken_back_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let session = watched("local-cluster[2,1,1g]", dir.path()).build().unwrap();
    let error = robbed(&session, dir.path(), GIVEN_AWAY).unwrap_err();
    assert_eq!((error.condition(), error.sql_state()), ("_RESULT_LOST", "58030"), "{error}");
    assert_eq!(rows(&session, "SELECT count(*) FROM range(0, 100, 1, 4)").unwrap(), ["100"]);
}

#[test]
fn a_store_that_loses_all_it_has_gets_one_making_of_the_rows_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    std::fs::create_dir_all(&store).unwrap();
    let session = watched("local-cluster[2,1,1g]", dir.path())
        .config("spark.vonk.shuffle.store", &format!("file://{}", store.display()))
        .build()
        .unwrap();
    let answer = under_way(&session, DRAWN_VALUES, || {
        let files = files_below(&store);
        assert!(!files.is_empty());
        files.iter().for_each(|file| std::fs::remove_file(file).unwrap());
    });
    assert_eq!(answer.unwrap(), ["1\t40\t40000"]);
    assert!(drop_rolled_back(session, dir.path()));
    assert_eq!(std::fs::read_dir(&store).unwrap().count(), 0, "something is left");
}
