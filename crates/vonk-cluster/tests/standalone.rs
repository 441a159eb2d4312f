//! Real masters, workers and clients on free ports of this machine, with real processes. What they run are small programs of the system:
//! what an executor does is tested elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vonk_cluster::standalone::submit::{kill, status};
use vonk_cluster::standalone::*;
use vonk_conf::Conf;
use vonk_scheduler::ExecutorId;
use vonk_scheduler::master::{Allocation, ApplicationSpec, ExecutorEnd};

fn security(secret: Option<&str>) -> Security {
    let mut conf = Conf::new();
    if let Some(secret) = secret {
        conf.set("spark.authenticate.secret", secret).unwrap();
    }
    Security::from_conf(&conf).unwrap()
}

fn master_options(port: u16, recovery: Option<&Path>, secret: Option<&str>) -> MasterDaemonOptions {
    MasterDaemonOptions {
        host: "127.0.0.1".to_string(),
        port,
        webui_port: Some(WebPort::exactly(0)),
        recovery_dir: recovery.map(Path::to_path_buf),
        security: security(secret),
        options: MasterOptions::default(),
    }
}

fn address(master: &MasterDaemon) -> MasterAddress {
    format!("vonk://{}", master.address()).parse().unwrap()
}

fn worker_options(
    master: &MasterAddress,
    dir: &Path,
    program: &str,
    secret: Option<&str>,
) -> WorkerDaemonOptions {
    WorkerDaemonOptions {
        master: master.clone(),
        host: "127.0.0.1".to_string(),
        cores: 4,
        memory: 4 << 30,
        work_dir: dir.to_path_buf(),
        webui_port: Some(WebPort::exactly(0)),
        security: security(secret),
        heartbeat: 500,
        program: program.to_string(),
        conf: BTreeMap::new(),
        shuffle_service: false,
        log_bytes: 1 << 20,
        kept_drivers: Some(KeptDrivers { millis: 3_600_000, most: 100 }),
        retained_executors: 100,
    }
}

type Notices = Arc<Mutex<Vec<MasterNotice>>>;

async fn application(
    master: &MasterAddress,
    name: &str,
    total: Option<u32>,
    secret: Option<&str>,
) -> vonk_error::Result<(MasterClient, Notices)> {
    let command = ExecutorCommand {
        driver: "127.0.0.1:1".to_string(),
        task_cpus: 1,
        shuffle_service: false,
        conf: BTreeMap::new(),
    };
    let spec = ApplicationSpec {
        name: name.to_string(),
        user: "test".to_string(),
        submitted: 0,
        cores_max: None,
        executor_cores: Some(1),
        executor_memory: 1 << 30,
        allocation: if total.is_some() { Allocation::FineGrained } else { Allocation::CoarseGrained },
        first_executor: 0,
        driver: None,
        command: postcard::to_stdvec(&command).unwrap().into(),
    };
    let options = MasterClientOptions {
        master: master.clone(),
        security: security(secret),
        application: format!("app-{name}"),
        spec,
        total,
        timeout: Duration::from_secs(3),
    };
    let notices = Notices::default();
    let heard = notices.clone();
    let client = MasterClient::start(options, move |notice| heard.lock().unwrap().push(notice)).await?;
    Ok((client, notices))
}

/// Waits until something is so.
async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what} takes too long");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Processes whose environment names an application.
fn processes_of(application: &str) -> Vec<u32> {
    let needle = format!("\"application\":\"{application}\"");
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_string_lossy().parse::<u32>().ok());
    let is_one = |pid: &u32| {
        let text = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&text).contains(&needle)
    };
    pids.filter(is_one).collect()
}

fn added(notices: &Notices) -> Vec<ExecutorId> {
    let pick = |n: &MasterNotice| match n {
        MasterNotice::Added(granted) => Some(granted.executor),
        _ => None,
    };
    notices.lock().unwrap().iter().filter_map(pick).collect()
}

fn ended(notices: &Notices) -> Vec<(ExecutorId, ExecutorEnd)> {
    let pick = |n: &MasterNotice| match n {
        MasterNotice::Ended(executor, end) => Some((*executor, end.clone())),
        _ => None,
    };
    notices.lock().unwrap().iter().filter_map(pick).collect()
}

/// What a GET with the secret of these tests answers: the status and the body.
async fn get(address: std::net::SocketAddr, path: &str) -> (String, String) {
    get_as(address, path, "s").await
}

async fn get_as(address: std::net::SocketAddr, path: &str, secret: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {secret}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_string(), body.to_string())
}

fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).unwrap().next().is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_gets_executors_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let master = MasterDaemon::start(master_options(0, None, Some("s"))).await.unwrap();
    let at = address(&master);
    let options = worker_options(&at, dir.path(), "sleep 1000", Some("s"));
    let mut worker = WorkerDaemon::start(options).await.unwrap();
    let (client, notices) = application(&at, "one", Some(2), Some("s")).await.unwrap();
    until("two executors", || processes_of("app-one").len() == 2).await;
    until("the news", || added(&notices) == [ExecutorId(0), ExecutorId(1)]).await;
    // The secret is nowhere to be read on the command line.
    for pid in processes_of("app-one") {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        assert_eq!(String::from_utf8_lossy(&line), "sleep\x001000\0");
    }
    let web = master.web_address().unwrap();
    let mut running = 0;
    for _ in 0..100 {
        let (status, body) = get(web, "/api/v1/applications/app-one/executors").await;
        assert!(status.contains("200"), "{status} {body}");
        running = body.matches("\"Running\"").count();
        if running == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(running, 2);
    assert!(get(web, "/api/v1/applications").await.1.contains("\"app-one\""));
    assert!(get(web, "/api/v1/workers").await.1.contains(worker.id()));
    assert!(get(web, "/metrics").await.1.contains("vonk_master_cores{kind=\"used\"} 2"));
    assert!(get(web, "/api/v1/applications/app-none").await.0.contains("404"));
    assert!(get(worker.web_address().unwrap(), "/metrics").await.1.contains("vonk_worker_processes 2"));

    // Who does not know the secret sees nothing of either.
    for at in [web, worker.web_address().unwrap()] {
        for path in ["/metrics", "/api/v1/status", "/none"] {
            let (status, body) = get_as(at, path, "t").await;
            assert!(status.contains("401") && !body.contains("127.0.0.1"), "{path}: {status} {body}");
        }
    }

    // More, and one that is killed: another takes its place.
    client.want(Some(3));
    until("a third executor", || processes_of("app-one").len() == 3).await;
    client.kill(vec![ExecutorId(1)]);
    until("another executor", || added(&notices).contains(&ExecutorId(3))).await;
    assert_eq!(ended(&notices), [(ExecutorId(1), ExecutorEnd::Killed)]);

    client.end(true).await;
    until("the end of all executors", || processes_of("app-one").is_empty()).await;
    until("the removal of files", || is_empty(dir.path())).await;
    let (_, body) = get(web, "/api/v1/applications/app-one").await;
    assert!(body.contains("\"Finished\""), "{body}");
    worker.stop().await;
    worker.wait().await.unwrap();
}

/// Starts a master on a port that an earlier one may not have given back yet.
async fn start_again(port: u16, recovery: &Path) -> MasterDaemon {
    for _ in 0..200 {
        if let Ok(master) = MasterDaemon::start(master_options(port, Some(recovery), None)).await {
            return master;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the master does not start again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_survives_its_master_with_its_executors() {
    let (dir, recovery) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let master = MasterDaemon::start(master_options(0, Some(recovery.path()), None)).await.unwrap();
    let (at, port) = (address(&master), master.address().port());
    let worker = WorkerDaemon::start(worker_options(&at, dir.path(), "sleep 1000", None)).await.unwrap();
    let (client, notices) = application(&at, "two", Some(2), None).await.unwrap();
    until("two executors", || processes_of("app-two").len() == 2).await;
    let before = processes_of("app-two");

    // Without a word to anybody.
    drop(master);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let master = start_again(port, recovery.path()).await;
    client.want(Some(3));
    until("a third executor", || processes_of("app-two").len() == 3).await;
    assert!(before.iter().all(|pid| processes_of("app-two").contains(pid)));
    until("the news", || added(&notices).len() == 3).await;
    assert_eq!(added(&notices), [ExecutorId(0), ExecutorId(1), ExecutorId(2)], "no number is used twice");
    assert!(ended(&notices).is_empty());
    let (_, body) = get(master.web_address().unwrap(), "/api/v1/status").await;
    assert!(body.contains("\"ALIVE\""), "{body}");

    // A worker that is gone takes its processes with it.
    drop(worker);
    until("the end of its executors", || processes_of("app-two").is_empty()).await;
    client.end(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn executors_that_do_not_start_end_their_application_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = master_options(0, None, None);
    options.options.max_executor_retries = Some(3);
    let master = MasterDaemon::start(options).await.unwrap();
    let at = address(&master);
    let program = "ls /this/is/not/there";
    let _worker = WorkerDaemon::start(worker_options(&at, dir.path(), program, None)).await.unwrap();
    let (_client, notices) = application(&at, "three", Some(1), None).await.unwrap();
    let reason = |n: &MasterNotice| match n {
        MasterNotice::Removed { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    until("the removal", || notices.lock().unwrap().iter().any(|n| reason(n).is_some())).await;
    let reason = notices.lock().unwrap().iter().find_map(reason).unwrap();
    assert!(reason.contains("3 executors failed to start"), "{reason}");
    assert!(reason.contains("/this/is/not/there"), "its last words are told: {reason}");
    until("the removal of files", || is_empty(dir.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_was_removed_does_not_come_back() {
    let master = MasterDaemon::start(master_options(0, None, Some("s"))).await.unwrap();
    let at = address(&master);
    let (_client, notices) = application(&at, "five", Some(1), Some("s")).await.unwrap();
    kill(&at, &security(Some("s")), "app-five").await.unwrap().unwrap();
    let removals = || {
        let all = notices.lock().unwrap();
        all.iter().filter(|n| matches!(n, MasterNotice::Removed { .. })).count()
    };
    until("the removal", || removals() == 1).await;
    // Those that it would make by now, had it gone on.
    let port = master.address().port();
    drop(master);
    let listener = loop {
        match tokio::net::TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => break listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let comes = tokio::time::timeout(Duration::from_secs(3), listener.accept()).await;
    assert!(comes.is_err(), "it connects again");
}

#[tokio::test(flavor = "multi_thread")]
async fn drivers_are_run_started_again_and_killed() {
    let dir = tempfile::tempdir().unwrap();
    let master = MasterDaemon::start(master_options(0, None, Some("s"))).await.unwrap();
    let (at, security) = (address(&master), security(Some("s")));
    let _worker = WorkerDaemon::start(worker_options(&at, dir.path(), "", Some("s"))).await.unwrap();
    let shell = |script: String| DriverCommand {
        program: DriverProgram::Binary { file: "/bin/sh".to_string(), arguments: vec!["-c".into(), script] },
        conf: BTreeMap::from([("spark.app.name".to_string(), "x".to_string())]),
    };
    let resources = Resources { cores: 1, memory: 1 << 20 };
    let over = async |id: &str| {
        let begun = Instant::now();
        loop {
            let known = status(&at, &security, id).await.unwrap().unwrap();
            if known.over {
                return known;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{known:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };

    let well = submit(&at, &security, "well", resources, false, &shell("exit 0".into())).await.unwrap();
    assert_eq!(over(&well.id).await.state, "FINISHED");
    let badly = shell("echo what went wrong >&2; exit 3".into());
    let badly = submit(&at, &security, "badly", resources, false, &badly).await.unwrap();
    let badly = over(&badly.id).await;
    assert_eq!(badly.state, "FAILED");
    let reason = badly.reason.unwrap();
    assert!(reason.contains("code 3") && reason.contains("what went wrong"), "{reason}");

    // Supervised: it fails the first time. It is told its settings, and the secret.
    let file = dir.path().join("tried");
    let script = format!(
        "test -e {0} && test \"$VONK_AUTHENTICATE_SECRET\" = s && echo \"$VONK_SUBMITTED_CONF\" | grep -q vonk:// \
         && exit 0; touch {0}; exit 1",
        file.display()
    );
    let again = submit(&at, &security, "again", resources, true, &shell(script)).await.unwrap();
    assert_eq!(over(&again.id).await.state, "FINISHED");

    let long = shell("sleep 1000".into());
    let long = submit(&at, &security, "long", resources, true, &long).await.unwrap();
    while status(&at, &security, &long.id).await.unwrap().unwrap().state != "RUNNING" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    kill(&at, &security, &long.id).await.unwrap().unwrap();
    assert_eq!(over(&long.id).await.state, "KILLED");
    assert_eq!(status(&at, &security, "driver-none").await.unwrap(), None);
    assert_eq!(kill(&at, &security, "driver-none").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_drivers_leave_is_kept_for_a_while_and_then_removed() {
    let dir = tempfile::tempdir().unwrap();
    let master = MasterDaemon::start(master_options(0, None, Some("s"))).await.unwrap();
    let (at, security) = (address(&master), security(Some("s")));
    let mut options = worker_options(&at, dir.path(), "", Some("s"));
    options.kept_drivers = Some(KeptDrivers { millis: 1_500, most: 100 });
    let _worker = WorkerDaemon::start(options).await.unwrap();
    let script = "echo said; echo left > file".to_string();
    let driver = DriverCommand {
        program: DriverProgram::Binary { file: "/bin/sh".to_string(), arguments: vec!["-c".into(), script] },
        conf: BTreeMap::new(),
    };
    let resources = Resources { cores: 1, memory: 1 << 20 };
    let driver = submit(&at, &security, "leaves", resources, false, &driver).await.unwrap();
    while !status(&at, &security, &driver.id).await.unwrap().unwrap().over {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let home = dir.path().join(&driver.id);
    let text = |name: &str| std::fs::read_to_string(home.join(name)).unwrap_or_default();
    assert_eq!((text("attempt-0.stdout"), text("attempt-0/file")), ("said\n".into(), "left\n".into()));
    for path in ["", "attempt-0", "attempt-0.stdout", "attempt-0.log"] {
        let mode = std::fs::metadata(home.join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path} is for its user only");
    }
    until("the removal of the driver's folder", || is_empty(dir.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_said_at_once() {
    let (dir, recovery) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let begun = Instant::now();
    // No master there.
    let nobody: MasterAddress = "vonk://127.0.0.1:1".parse().unwrap();
    let error = application(&nobody, "none", None, None).await.err().unwrap();
    assert_eq!(error.condition(), "_IO_ERROR");
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");

    let options = master_options(0, Some(recovery.path()), Some("right"));
    let master = MasterDaemon::start(options).await.unwrap();
    let at = address(&master);
    // A wrong secret, and none.
    for secret in [Some("wrong"), None] {
        let error = application(&at, "intruder", None, secret).await.err().unwrap();
        assert_eq!(error.condition(), "_UNAUTHENTICATED", "{error}");
        let error = status(&at, &security(secret), "driver-1").await.unwrap_err();
        assert_eq!(error.condition(), "_UNAUTHENTICATED", "{error}");
        let intruder = worker_options(&at, &dir.path().join("intruder"), "sleep 1000", secret);
        let mut worker = WorkerDaemon::start(intruder).await.unwrap();
        assert_eq!(worker.wait().await.unwrap_err().condition(), "_UNAUTHENTICATED");
    }
    // A port that is taken, a folder that is in use, an interface that others reach without a secret.
    let port = master.address().port();
    let taken = MasterDaemon::start(master_options(port, None, None)).await.err().unwrap();
    assert!(taken.to_string().contains("cannot listen on 127.0.0.1"), "{taken}");
    let second = MasterDaemon::start(master_options(0, Some(recovery.path()), None)).await.err().unwrap();
    assert!(second.to_string().contains("another process uses it"), "{second}");
    let mut open = master_options(0, None, None);
    open.host = "0.0.0.0".to_string();
    assert_eq!(MasterDaemon::start(open).await.err().unwrap().condition(), "_INSECURE_ADDRESS");
    let options = worker_options(&at, &dir.path().join("work"), "sleep 1000", Some("right"));
    let _worker = WorkerDaemon::start(options.clone()).await.unwrap();
    let other = WorkerDaemon::start(options).await.err().unwrap();
    assert!(other.to_string().contains("another process uses it"), "{other}");
    assert!(begun.elapsed() < Duration::from_secs(20), "errors come fast");

    // Garbage on both ports; names that are paths.
    for port in [master.address(), master.web_address().unwrap()] {
        let mut stream = TcpStream::connect(port).await.unwrap();
        let _ = stream.write_all(&[0xff; 4096]).await;
        let _ = stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
    }
    assert!(application(&at, "../../../tmp/x", None, Some("right")).await.is_err());
    // It is as well as before.
    let (client, _) = application(&at, "four", Some(1), Some("right")).await.unwrap();
    until("an executor", || processes_of("app-four").len() == 1).await;
    client.end(true).await;
    until("the end of its executor", || processes_of("app-four").is_empty()).await;
}
