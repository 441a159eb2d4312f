//! Drivers that are killed in the middle of a query: no process of theirs is left, and what is on disk goes with the next session.

use crate::common::*;
use std::path::Path;

/// Takes a minute, with map outputs on all executors right at the beginning.
const LONG: &str = "SELECT k, max(length(repeat(sha2(s, 512), 20000))), count(*) FROM \
    (SELECT /*+ REPARTITION(8, k) */ id % 64 AS k, cast(id AS string) AS s FROM range(0, 640000, 1, 4)) GROUP BY k";

/// Waits until tasks of the second stage run.
fn half_way(events: &Path) {
    eventually("tasks of the second stage", || {
        let text =
            files_below(events).iter().map(|f| std::fs::read_to_string(f).unwrap()).collect::<String>();
        text.lines().any(|l| l.contains("\"TaskStart\"") && l.contains("\"stage\":1,"))
    });
}

#[test]
fn a_driver_that_is_killed_leaves_no_executors_and_its_files_to_the_next() {
    for service in ["false", "true"] {
        let dir = tempfile::tempdir().unwrap();
        let (local, events) = (dir.path().join("local"), dir.path().join("events"));
        let conf = [
            format!("spark.local.dir={}", local.display()),
            format!("spark.eventLog.dir={}", events.display()),
            "spark.eventLog.enabled=true".to_string(),
            format!("spark.shuffle.service.enabled={service}"),
        ];
        let mut arguments = vec!["sql", "--master", "local-cluster[2,1,1g]", "-e", LONG];
        conf.iter().for_each(|c| arguments.extend(["--conf", c]));
        let mut driver = Daemon::start(dir.path(), "driver", &arguments);
        half_way(&events);
        let executors = executors_in(&local);
        assert_eq!(executors.len(), 2);
        driver.kill();
        eventually("the end of the executors", || !executors.iter().any(|pid| lives(*pid)));
        // Killed like that, it could remove nothing; the next session in the folder does.
        assert!(!entries(&local).is_empty());
        let left = entries(&local);
        let next = Driver::start(dir.path(), &["sql", "--protocol", "jsonl", "--conf", &conf[0]]);
        eventually("its files go", || !entries(&local).iter().any(|e| left.contains(e)));
        drop(next);
        assert_eq!(entries(&local), Vec::<String>::new());
    }
}

/// One that stands still hears of it all the same.
#[test]
fn an_executor_that_is_stopped_does_not_outlive_its_driver() {
    let dir = tempfile::tempdir().unwrap();
    let local = dir.path().join("local");
    let conf = format!("spark.local.dir={}", local.display());
    let arguments = ["sql", "--master", "local-cluster[2,1,1g]", "--conf", &conf, "-e", LONG];
    let mut driver = Daemon::start(dir.path(), "driver", &arguments);
    eventually("two executors", || executors_in(&local).len() == 2);
    let executors = executors_in(&local);
    signal(executors[0], "STOP");
    driver.kill();
    eventually("the end of the executors", || !executors.iter().any(|pid| lives(*pid)));
}

#[test]
fn a_driver_of_a_standalone_cluster_that_is_killed_gives_its_cores_to_the_next() {
    let service = "spark.shuffle.service.enabled=true";
    let cluster = Cluster::start(2, &[service]);
    let events = format!("spark.eventLog.dir={}", cluster.dir.path().join("events").display());
    let conf = [service, &events, "spark.eventLog.enabled=true", "spark.app.name=killed"];
    let mut driver = cluster.sql("killed", &conf, LONG);
    half_way(&cluster.dir.path().join("events"));
    let executors = executors_in(cluster.dir.path());
    assert_eq!(executors.len(), 2);
    driver.kill();
    eventually("the end of the executors", || !executors.iter().any(|pid| lives(*pid)));
    // All cores are free for the next one, though the master still waits for the first: its connection may have broken only.
    let mut next = cluster.sql("next", &["spark.app.name=next"], "SELECT count(*) FROM range(0, 1000, 1, 8)");
    let status = next.ended();
    assert!(status.success() && next.said().contains("1000"), "{}", next.said());
    let killed = cluster.application("killed").unwrap();
    assert_eq!((&killed["state"], &killed["cores"]), (&"Unknown".into(), &0.into()), "{killed}");
    assert_eq!(cluster.application("next").unwrap()["state"], "Finished");
    let used = || seen(cluster.master.web(), "/api/v1/status")["used"]["cores"].clone();
    eventually("no core is used", || used() == 0);
    // A worker that ends removes what there is of it.
    let Cluster { dir, workers, master, .. } = cluster;
    workers.into_iter().for_each(Daemon::end);
    for worker in ["work-0", "work-1"] {
        assert_eq!(entries(&dir.path().join(worker)), Vec::<String>::new());
    }
    master.end();
    assert_eq!(files_below(&dir.path().join("driver")), Vec::<std::path::PathBuf>::new());
}
