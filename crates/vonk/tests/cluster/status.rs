//! Jobs, stages, tasks and executors as they are seen from outside.

use crate::common::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

#[test]
fn jobs_stages_tasks_and_executors_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    let events = dir.path().join("events");
    let session = builder("local-cluster[2,1,1g]", dir.path())
        .config("spark.ui.enabled", "true")
        .config("spark.ui.port", "0")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.dir", &events.to_string_lossy())
        .build()
        .unwrap();
    let two_jobs = "SELECT (SELECT max(id) FROM range(0, 5, 1, 2)) + id FROM range(0, 1, 1, 1)";
    assert_eq!(rows(&session, two_jobs).unwrap(), ["4"]);
    let sql = "SELECT id % 7 AS k, count(*) FROM range(0, 1000, 1, 4) GROUP BY 1 ORDER BY 1";
    assert_eq!(rows(&session, sql).unwrap().len(), 7);
    let error = rows(&session, "SELECT 1 / (id - 3) FROM range(5)").unwrap_err();
    assert_eq!(error.condition(), "DIVIDE_BY_ZERO");
    // The end of a job is noted just after its rows are there.
    eventually("two ends", || seen(&session, "jobs").iter().all(|j| j["status"] != "RUNNING"));

    let jobs = seen(&session, "jobs");
    let statuses: Vec<&str> = jobs.iter().map(|j| j["status"].as_str().unwrap()).collect();
    assert_eq!(statuses[0], "FAILED");
    assert!(jobs[0]["failureReason"].as_str().unwrap().contains("DIVIDE_BY_ZERO"));
    assert!(jobs.iter().any(|j| j["status"] == "SUCCEEDED" && j["name"] == sql));
    let queries = |name: &str| -> Vec<u64> {
        let of = jobs.iter().filter(|j| j["name"] == name);
        of.map(|j| j["queryId"].as_u64().unwrap()).collect()
    };
    assert_eq!((queries(two_jobs), queries(sql)), (vec![0, 0], vec![1]));
    let stages = seen(&session, "stages");
    let first = stages.iter().find(|s| s["numTasks"] == 4).expect("a stage of four tasks");
    assert_eq!((&first["numCompleteTasks"], &first["status"]), (&4.into(), &"COMPLETE".into()));
    let tasks = seen(&session, &format!("stages/{}/0/taskList", first["stageId"]));
    assert_eq!(tasks.len(), 4);
    let partitions: BTreeSet<u64> = tasks.iter().map(|t| t["index"].as_u64().unwrap()).collect();
    assert_eq!(partitions, BTreeSet::from([0, 1, 2, 3]));
    assert!(tasks.iter().all(|t| t["status"] == "SUCCESS"));
    eventually("two executors", || active(&session) == 2);
    assert!(get(&session, "/api/v1/applications/other/jobs").is_none());
    assert!(get(&session, "/metrics").unwrap().contains("\nvonk_executors 2\n"));

    let log = events.join(format!("{}.jsonl", application(&session)));
    drop(session);
    let text = std::fs::read_to_string(log).unwrap();
    let events: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let count = |name: &str| events.iter().filter(|e| e["event"] == name).count();
    assert_eq!((count("ApplicationStart"), count("ApplicationEnd"), count("ExecutorAdded")), (1, 1, 2));
    assert_eq!(count("JobStart"), count("JobEnd"));
    assert!(count("TaskStart") >= count("TaskEnd") && count("TaskEnd") >= 5);
}

#[test]
fn tasks_that_wait_for_their_reader_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    let session = watched("local[2]", dir.path()).build().unwrap();
    let mut answer = session.run("SELECT id, uuid() FROM range(0, 40000000, 1, 4)").unwrap();
    assert!(answer.next_batch().unwrap().is_some());
    let counts = |what: &str, parked: &str, running: &str| {
        seen(&session, what)
            .first()
            .map(|one| (one[parked].as_u64().unwrap(), one[running].as_u64().unwrap()))
    };
    // Both, for there are two slots: a query has no more tasks alive than that.
    eventually("two tasks wait", || counts("executors", "parkedTasks", "activeTasks") == Some((2, 0)));
    assert_eq!(counts("jobs", "numParkedTasks", "numActiveTasks"), Some((2, 0)));
    assert_eq!(counts("stages", "numParkedTasks", "numActiveTasks"), Some((2, 0)));
    let tasks = tasks_of(&session, &seen(&session, "stages")[0]);
    assert!(tasks.len() == 2 && tasks.iter().all(|t| t["status"] == "PARKED"), "{tasks:?}");
    assert!(get(&session, "/metrics").unwrap().contains("\nvonk_tasks_parked 2\n"));
    // Others have the slots meanwhile.
    assert_eq!(rows(&session, "SELECT count(*) FROM range(0, 1000, 1, 8)").unwrap(), ["1000"]);
    drop(answer);
    eventually("none waits", || counts("executors", "parkedTasks", "activeTasks") == Some((0, 0)));
    drop(session);
    let said = events(dir.path());
    assert!(said.iter().all(|e| e["event"] != "TaskParked"), "the log is for what the schedulers decided");
}

#[test]
fn the_status_asks_for_the_secret() {
    let dir = tempfile::tempdir().unwrap();
    let session = builder("local[1]", dir.path())
        .config("spark.ui.enabled", "true")
        .config("spark.ui.port", "0")
        .config("spark.authenticate.secret", "s3cret")
        .build()
        .unwrap();
    assert!(get(&session, "/api/v1/applications").is_none());
    assert_eq!(
        rows(&session, "SET spark.authenticate.secret").unwrap(),
        ["spark.authenticate.secret\t*********(redacted)"]
    );
    let mut socket = TcpStream::connect(session.status_address().unwrap()).unwrap();
    let head = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\nConnection: close\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
