//! Executors as processes: what goes wrong, and what is seen from outside.
//!
//! The executors are this test program, started again ([`executor_process`]).

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use vonk::{Control, Session, SessionBuilder};

/// Not a test but a process; without being told to be an executor it does nothing.
#[test]
fn executor_process() {
    if let Some(executor) = vonk::Executor::from_environment().expect("options that are understood") {
        executor.run().expect("a driver that says when to stop");
    }
}

fn builder(master: &str, dir: &Path) -> SessionBuilder {
    let this = std::env::current_exe().unwrap();
    let program = format!("{} --exact executor_process", this.display());
    Session::builder()
        .config("spark.master", master)
        .config("spark.vonk.executor.program", &program)
        .config("spark.local.dir", &dir.to_string_lossy())
        .config("spark.sql.warehouse.dir", &dir.join("warehouse").to_string_lossy())
}

fn rows(session: &Session, sql: &str) -> Result<Vec<String>, vonk::Error> {
    session.sql(sql)?.rows_as_text()
}

/// Waits until something is so.
fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A path of the status server; `None` if it is not found.
fn get(session: &Session, path: &str) -> Option<String> {
    let mut socket = TcpStream::connect(session.status_address()?).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_string())
}

fn application(session: &Session) -> String {
    let all: Value = serde_json::from_str(&get(session, "/api/v1/applications").unwrap()).unwrap();
    all[0]["id"].as_str().unwrap().to_string()
}

fn seen(session: &Session, what: &str) -> Vec<Value> {
    let path = format!("/api/v1/applications/{}/{what}", application(session));
    serde_json::from_str(&get(session, &path).unwrap()).unwrap()
}

fn active(session: &Session) -> usize {
    seen(session, "executors").iter().filter(|e| e["isActive"] == true).count()
}

/// The executors of this program that serve from below a folder.
fn executor_pids(dir: &Path) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let text = String::from_utf8_lossy(&environment).into_owned();
        if text.contains("VONK_EXECUTOR=") && text.contains(&*dir.to_string_lossy()) {
            found.push(pid);
        }
    }
    found
}

fn signal(pid: u32, name: &str) {
    // The shell's own `kill`: the program may not be installed. The process may have ended in the meantime.
    let _ = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).output().unwrap();
}

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
    let head =
        "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\nConnection: close\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_cancelled_query_ends_everywhere_and_the_next_one_runs() {
    let dir = tempfile::tempdir().unwrap();
    let session = builder("local-cluster[2,1,1g]", dir.path()).build().unwrap();
    let control = Control::default();
    let cancel = control.cancel.clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        cancel.cancel();
    });
    let begun = Instant::now();
    let endless = "SELECT count(*) FROM range(0, 10000000000000, 1, 4) WHERE id % 3 = 5";
    let error = session.execute(endless, &control).and_then(|mut a| a.rows_as_text()).unwrap_err();
    assert_eq!(error.condition(), "OPERATION_CANCELED");
    canceller.join().unwrap();
    // Both slots are free again: this needs them.
    assert_eq!(rows(&session, "SELECT count(*) FROM range(0, 1000, 1, 2)").unwrap(), ["1000"]);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

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
fn a_plan_that_is_too_large_is_refused_and_the_session_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let session = builder("local-cluster[1,1,1g]", dir.path())
        .config("spark.rpc.message.maxSize", "64k")
        .build()
        .unwrap();
    let list: Vec<String> = (0..20_000).map(|i| (i * 7).to_string()).collect();
    let sql = format!("SELECT count(*) FROM range(100) WHERE id IN ({})", list.join(", "));
    let error = rows(&session, &sql).unwrap_err();
    assert_eq!((error.condition(), error.sql_state()), ("_PLAN_TOO_LARGE", "54000"));
    assert_eq!(rows(&session, "SELECT count(*) FROM range(10)").unwrap(), ["10"]);
}

#[test]
fn a_task_that_fails_names_the_place_and_leaves_the_executor_alone() {
    let dir = tempfile::tempdir().unwrap();
    let session = builder("local-cluster[1,1,1g]", dir.path()).build().unwrap();
    let error = rows(&session, "SELECT id, 10 / (id - 7) FROM range(10)").unwrap_err();
    assert_eq!(error.condition(), "DIVIDE_BY_ZERO");
    assert_eq!(error.context().unwrap().fragment, "10 / (id - 7)");
    let before = executor_pids(dir.path());
    assert_eq!(rows(&session, "SELECT 10 / (id - 70) FROM range(1)").unwrap().len(), 1);
    assert_eq!(executor_pids(dir.path()), before);
}

#[test]
fn many_rows_come_back_in_order_beyond_the_drivers_memory() {
    let dir = tempfile::tempdir().unwrap();
    let session =
        builder("local-cluster[2,1,1g]", dir.path()).config("spark.driver.memory", "1m").build().unwrap();
    let sql = "SELECT id, concat('the text of row number ', id) FROM range(0, 400000, 1, 8)";
    let mut answer = session.sql(sql).unwrap();
    let mut next = 0i64;
    while let Some(batch) = answer.next_batch().unwrap() {
        let ids = batch.column(0).as_any().downcast_ref::<arrow::array::Int64Array>().unwrap();
        for id in ids.values() {
            assert_eq!(*id, next);
            next += 1;
        }
    }
    assert_eq!(next, 400_000);
    drop(answer);
    eventually("memory given back", || session.used_memory() == 0);
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
fn garbage_and_strangers_at_the_drivers_port_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let session = builder("local-cluster[1,1,1g]", dir.path())
        .config("spark.driver.port", &port.to_string())
        .build()
        .unwrap();
    assert_eq!(rows(&session, "SELECT 1").unwrap(), ["1"]);
    let mut noise = 7u64;
    for _ in 0..20 {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let garbage: Vec<u8> = (0..500)
            .map(|_| {
                noise = noise.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (noise >> 56) as u8
            })
            .collect();
        // The driver may have closed it already.
        let _ = socket.write_all(&garbage);
    }
    assert_eq!(rows(&session, "SELECT count(*) FROM range(1000)").unwrap(), ["1000"]);
    // A second driver cannot have the port, and says which.
    let second =
        builder("local-cluster[1,1,1g]", dir.path()).config("spark.driver.port", &port.to_string()).build();
    let error = second.err().expect("a port that is taken");
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}

#[test]
fn an_open_interface_without_a_secret_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let status = |builder: SessionBuilder| {
        builder
            .config("spark.driver.bindAddress", "0.0.0.0")
            .config("spark.ui.enabled", "true")
            .config("spark.ui.port", "0")
            .build()
    };
    let error = status(builder("local[1]", dir.path())).err().expect("no secret");
    assert_eq!(error.condition(), "_INSECURE_ADDRESS");
    let secret = builder("local[1]", dir.path()).config("spark.authenticate.secret", "x");
    assert!(status(secret).is_ok());
}

/// PEM files of an authority and of a certificate that it vouches for.
fn certificates(dir: &Path) -> Vec<(&'static str, String)> {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_string(), "localhost".to_string()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let file = |name: &str, text: String| {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    vec![
        ("spark.ssl.enabled", "true".to_string()),
        ("spark.ssl.needClientAuth", "true".to_string()),
        ("spark.ssl.trustStore", file("ca.pem", authority.pem())),
        ("spark.ssl.certChain", file("node.pem", certificate.pem())),
        ("spark.ssl.privateKey", file("node.key", key.serialize_pem())),
    ]
}

#[test]
fn everything_goes_over_mutual_tls() {
    let dir = tempfile::tempdir().unwrap();
    let pems = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut builder =
        builder("local-cluster[2,1,1g]", dir.path()).config("spark.driver.port", &port.to_string());
    for (key, value) in certificates(pems.path()) {
        builder = builder.config(key, &value);
    }
    let session = builder.build().unwrap();
    let sql = "SELECT k, count(*) FROM (SELECT /*+ REPARTITION(4) */ id % 3 AS k FROM range(0, 3000, 1, 4)) GROUP BY k ORDER BY k";
    assert_eq!(rows(&session, sql).unwrap(), ["0\t1000", "1\t1000", "2\t1000"]);
    // Who does not encrypt gets no answer in clear.
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    // At most an alert of TLS, no settings of HTTP/2.
    assert!(answer.first().is_none_or(|b| *b == 0x15), "{answer:?}");
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
