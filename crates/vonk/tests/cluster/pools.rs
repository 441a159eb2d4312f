//! How queries that run at the same time share executors.

use crate::common::*;
use std::path::Path;
use vonk::Session;

const LONG: &str =
    "SELECT max(length(sha2(repeat(cast(id AS string), 400), 512))), count(*) FROM range(0, 32000, 1, 16)";
const SHORT: &str = "SELECT sum(id), count(*) FROM range(0, 1000, 1, 3)";

/// Two slots, and this way to share them.
fn session(dir: &Path, mode: &str) -> Session {
    let file = dir.join("pools.xml");
    let pools = "<allocations><pool name=\"batch\"><weight>1</weight></pool>\
                 <pool name=\"people\"><schedulingMode>FAIR</schedulingMode><weight>2</weight><minShare>1</minShare></pool></allocations>";
    std::fs::write(&file, pools).unwrap();
    watched("local-cluster[2,1,1g]", dir)
        .config("spark.scheduler.mode", mode)
        .config("spark.scheduler.allocation.file", &file.to_string_lossy())
        .build()
        .unwrap()
}

/// How many tasks of a long query in one pool had been started and were done when a short one in another pool, which began after it, ended.
fn long_tasks_when_short_ends(session: &Session) -> (u64, u64) {
    let count = |name: &str| stages_of(session, 16).first().map_or(0, |s| s[name].as_u64().unwrap());
    let started = || count("numCompleteTasks") + count("numActiveTasks");
    eventually("two executors", || active(session) == 2);
    session.set("spark.scheduler.pool", "batch").unwrap();
    let long = spawn(session, LONG);
    eventually("both slots are taken", || count("numActiveTasks") == 2);
    session.set("spark.scheduler.pool", "people").unwrap();
    assert_eq!(rows(session, SHORT).unwrap(), ["499500\t1000"]);
    let then = (started(), count("numCompleteTasks"));
    assert_eq!(long.join().unwrap().unwrap(), ["128\t32000"]);
    let pools: Vec<_> = seen(session, "jobs").iter().map(|j| j["pool"].clone()).collect();
    assert_eq!(pools, ["people", "batch"], "the newest first");
    then
}

#[test]
fn a_short_query_in_a_fair_pool_does_not_wait_for_a_long_one_in_another() {
    let dir = tempfile::tempdir().unwrap();
    let (started, _) = long_tasks_when_short_ends(&session(dir.path(), "FAIR"));
    assert!(started < 16, "all tasks of the long one were served first");
}

#[test]
fn without_fair_sharing_the_older_query_is_served_first() {
    let dir = tempfile::tempdir().unwrap();
    let (started, done) = long_tasks_when_short_ends(&session(dir.path(), "FIFO"));
    assert!(started == 16 && done >= 14, "{started} {done}");
}

#[test]
fn a_file_of_pools_that_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("no-pools.xml");
    let build = || {
        let builder = builder("local-cluster[1,1,1g]", dir.path());
        builder.config("spark.scheduler.allocation.file", &file.to_string_lossy()).build().err().unwrap()
    };
    assert!(build().to_string().contains("no-pools.xml"));
    std::fs::write(&file, "<allocations><pool name=\"a\"><weight>many</weight></pool></allocations>")
        .unwrap();
    let error = build().to_string();
    assert!(error.contains("no-pools.xml") && error.contains("many"), "{error}");
}
