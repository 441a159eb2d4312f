//! Drivers with a full disk, and drivers that wait for a cluster.

use crate::common::*;
use std::process::Command;

#[test]
fn a_driver_whose_disk_is_full_fails_the_query_that_needs_it_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (local, events) = (dir.path().join("local"), dir.path().join("events"));
    // Files of at most 100 kB each stand for a disk that fills up: that of results, and that of the event log.
    let script = format!(
        "ulimit -f 200; trap '' XFSZ; exec {} sql --protocol jsonl --master 'local-cluster[2,1,1g]' \
         --conf spark.driver.memory=1m --conf spark.local.dir={} --conf spark.eventLog.enabled=true --conf spark.eventLog.dir={}",
        env!("CARGO_BIN_EXE_vonk"),
        local.display(),
        events.display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]);
    let mut driver = Driver::of(command);
    let small = "SELECT count(*) FROM (SELECT /*+ REPARTITION(2) */ id FROM range(0, 1000, 1, 2))";
    assert!(driver.answer(small).contains("1000"));
    // The rows of all but one task wait.
    let large = driver.answer("SELECT id, sha2(cast(id AS string), 512) FROM range(0, 100000, 1, 8)");
    assert!(
        large.contains("_IO_ERROR") && large.contains("File too large"),
        "{}",
        &large[..large.len().min(500)]
    );
    assert!(driver.answer(small).contains("1000"));
    // Until the event log is full, and beyond.
    let log = || files_below(&events).iter().map(|f| f.metadata().unwrap().len()).sum::<u64>();
    let begun = std::time::Instant::now();
    while log() < 100_000 {
        assert!(driver.answer("SELECT count(*) FROM range(0, 1000, 1, 40)").contains("1000"));
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "{} bytes", log());
    }
    for _ in 0..3 {
        assert!(driver.answer(small).contains("1000"));
    }
    drop(driver);
    assert_eq!(entries(&local), Vec::<String>::new());
}

#[test]
fn a_driver_waits_for_a_cluster_that_has_no_room_and_runs_when_it_has() {
    let mut cluster = Cluster::start(0, &[]);
    let mut query =
        cluster.sql("query", &["spark.app.name=query"], "SELECT count(*) FROM range(0, 1000, 1, 4)");
    eventually("it is known", || cluster.application("query").is_some_and(|a| a["state"] == "Waiting"));
    cluster.add_worker();
    assert!(query.ended().success() && query.said().contains("1000"), "{}", query.said());
}
