//! Parts of a standalone cluster that die or stand still while a query runs: its answer is right, and nothing is done twice that need not be.

use crate::common::*;
use serde_json::Value;
use std::path::PathBuf;

/// Of 64 groups with 1000 rows each, by four tasks and then eight, which take a second or two for a work of 100.
fn query(work: u32) -> String {
    let work = work * SPEED;
    format!(
        "SELECT count(*), min(n), max(n), max(l) FROM (SELECT k, max(length(repeat(sha2(s, 512), {work}))) AS l, count(*) AS n FROM \
         (SELECT /*+ REPARTITION(8, k) */ id % 64 AS k, cast(id AS string) AS s FROM range(0, 64000, 1, 4)) GROUP BY k)"
    )
}

fn answer(work: u32) -> String {
    format!("64\t1000\t1000\t{}", 128 * work * SPEED)
}

/// How much faster a build with optimisation is.
const SPEED: u32 = if cfg!(debug_assertions) { 1 } else { 8 };

/// A query under way.
struct Running {
    driver: Daemon,
    events: PathBuf,
    work: u32,
}

impl Running {
    fn start(cluster: &Cluster, name: &str, work: u32, conf: &[&str]) -> Running {
        let events = cluster.dir.path().join(format!("events-{name}"));
        let log = format!("spark.eventLog.dir={}", events.display());
        let name_of = format!("spark.app.name={name}");
        let mut all = vec![log.as_str(), "spark.eventLog.enabled=true", &name_of];
        all.extend(conf);
        Running { driver: cluster.sql(name, &all, &query(work)), events, work }
    }

    fn events(&self, name: &str) -> Vec<Value> {
        let files = files_below(&self.events);
        let text = files.iter().map(|f| std::fs::read_to_string(f).unwrap()).collect::<String>();
        // The last line may be half written.
        let all = text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
        all.filter(|e| e["event"] == name).collect()
    }

    /// Waits until tasks of the second stage run, and both workers' executors are there.
    fn half_way(&self) {
        eventually("two executors", || self.events("ExecutorAdded").len() >= 2);
        eventually("tasks of the second stage", || self.started(1) > 0);
    }

    /// Tasks that were started of a stage.
    fn started(&self, stage: u64) -> usize {
        self.events("TaskStart").iter().filter(|e| e["stage"] == stage).count()
    }

    /// Waits for the right answer.
    fn succeeds(&mut self) {
        let status = self.driver.ended();
        let said = self.driver.said();
        assert!(status.success() && said.contains(&answer(self.work)), "{said}");
    }
}

#[test]
fn map_outputs_that_a_worker_serves_are_not_made_again_when_their_executor_dies() {
    let service = "spark.shuffle.service.enabled=true";
    let cluster = Cluster::start(2, &[service]);
    let mut running = Running::start(&cluster, "served", 100, &[service, "spark.executor.cores=1"]);
    running.half_way();
    let executors = executors_in(cluster.dir.path());
    assert!(executors.len() > 1, "{executors:?}");
    executors.iter().take(2).for_each(|pid| signal(*pid, "KILL"));
    running.succeeds();
    assert_eq!(running.started(0), 4, "no task of the first stage ran twice");
    let lost = running.events("ExecutorLost");
    assert!(lost.len() >= 2 && lost.iter().all(|e| e["blocks_lost"] == false), "{lost:?}");
    // The blocks go with the application.
    for worker in 0..2 {
        eventually("no files", || files_below(&cluster.work(worker)).is_empty());
    }
}

#[test]
fn a_worker_that_stands_still_is_lost_and_comes_back_as_another() {
    let cluster = Cluster::start(2, &["spark.worker.timeout=2"]);
    let workers = || seen(cluster.master.web(), "/api/v1/workers");
    let alive = || workers().as_array().unwrap().iter().filter(|w| w["state"] == "Alive").count();
    let mut running = Running::start(&cluster, "first", 200, &["spark.network.timeout=3s"]);
    running.half_way();
    let stopped = cluster.workers[0].pid();
    signal(stopped, "STOP");
    eventually("it is lost", || alive() == 1);
    running.succeeds();
    // One that begins now does so with what there is.
    Running::start(&cluster, "second", 1, &[]).succeeds();
    signal(stopped, "CONT");
    eventually("it is back", || alive() == 2);
    let mut third = Running::start(&cluster, "third", 30, &[]);
    third.succeeds();
    let hosts: std::collections::BTreeSet<_> =
        third.events("ExecutorAdded").iter().map(|e| e["executor"].as_u64()).collect();
    assert_eq!(hosts.len(), 2, "both lend executors");
    for worker in 0..2 {
        eventually("no files", || files_below(&cluster.work(worker)).is_empty());
    }
}

#[test]
fn a_master_that_stands_still_is_not_missed_by_queries_that_have_executors() {
    let cluster = Cluster::start(2, &["spark.worker.timeout=30"]);
    let mut running = Running::start(&cluster, "first", 100, &[]);
    running.half_way();
    let before = executors_in(cluster.dir.path());
    signal(cluster.master.pid(), "STOP");
    // Nobody starts another one now.
    signal(before[0], "KILL");
    running.succeeds();
    assert_eq!(running.events("ExecutorAdded").len(), 2);
    signal(cluster.master.pid(), "CONT");
    let mut next = Running::start(&cluster, "next", 10, &[]);
    next.succeeds();
    eventually("the first is over", || cluster.application("first").unwrap()["state"] != "Running");
    eventually("no core is used", || seen(cluster.master.web(), "/api/v1/status")["used"]["cores"] == 0);
}

#[test]
fn a_master_that_is_started_again_has_the_executors_of_a_query_that_runs() {
    let mut cluster = Cluster::start(2, &["spark.worker.timeout=30"]);
    let mut running = Running::start(&cluster, "first", 150, &[]);
    running.half_way();
    cluster.restart_master();
    let state = || cluster.application("first").map(|a| (a["state"].clone(), a["cores"].clone()));
    eventually("it is known", || state() == Some(("Running".into(), 4.into())));
    let killed = executors_in(cluster.dir.path())[0];
    signal(killed, "KILL");
    running.succeeds();
    assert_eq!(running.events("ExecutorAdded").len(), 3, "another one came");
    eventually("it is over", || state().unwrap().0 == "Finished");
}

#[test]
fn a_worker_that_is_asked_to_leave_hands_over_what_its_executors_have_made() {
    for service in ["spark.shuffle.service.enabled=false", "spark.shuffle.service.enabled=true"] {
        let mut cluster = Cluster::start(2, &[service]);
        let mut running = Running::start(&cluster, "query", 150, &[service]);
        running.half_way();
        signal(cluster.workers[0].pid(), "USR1");
        let status = cluster.workers[0].ended();
        assert!(status.success(), "{}", cluster.workers[0].said());
        assert_eq!(entries(&cluster.work(0)), Vec::<String>::new());
        running.succeeds();
        assert_eq!(running.started(0), 4, "no task of the first stage ran twice");
        assert!(running.events("ExecutorDraining").len() == 1);
        let failed = running.events("TaskEnd").iter().filter(|e| e["outcome"] != "success").count();
        assert_eq!(failed, 0, "no task was lost");
    }
}
