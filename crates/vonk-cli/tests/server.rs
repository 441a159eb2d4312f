//! `vonk server` as a process.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use arrow_flight::sql::client::FlightSqlServiceClient;
use futures::StreamExt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint};

fn vonk() -> Command {
    Command::new(env!("CARGO_BIN_EXE_vonk"))
}

/// A server and the address that it tells.
fn start(arguments: &[&str]) -> (Child, String) {
    let dir = std::env::temp_dir();
    let mut child = vonk()
        .args(["server", "--port", "0", "--master", "local[1]"])
        .args(arguments)
        .current_dir(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().to_string())
}

fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

fn terminate(child: &Child) {
    signal(child, "TERM");
}

fn ended(child: Child) -> (bool, String) {
    let (code, err) = ended_with(child);
    (code == Some(0), err)
}

/// The code that it ended with, and what it said on standard error.
fn ended_with(mut child: Child) -> (Option<i32>, String) {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (child.wait().unwrap().code(), err)
}

/// A client of a server.
async fn client(line: &str) -> FlightSqlServiceClient<Channel> {
    let address = line.strip_prefix("listening on grpc://").unwrap();
    let channel = Endpoint::new(format!("http://{address}")).unwrap().connect().await.unwrap();
    FlightSqlServiceClient::new(channel)
}

const ENDLESS: &str = "SELECT a.id FROM range(1000000) a, range(1000000) b";

#[tokio::test(flavor = "multi_thread")]
async fn stopping_waits_for_streams_for_a_time_and_not_for_clients_that_do_nothing() {
    // Clients that do nothing, one of which has rows that it never came for.
    let (child, line) = start(&["--conf", "spark.vonk.server.graceTimeout=1s"]);
    let (mut idle, _other) = (client(&line).await, client(&line).await);
    idle.execute("SELECT 1".into(), None).await.unwrap();
    let begun = Instant::now();
    signal(&child, "INT");
    let (code, err) = tokio::task::spawn_blocking(|| ended_with(child)).await.unwrap();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("stopping: statements that run have 1 s to end"), "{err}");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    // One that reads what has no end: it is told.
    let (child, line) = start(&["--conf", "spark.vonk.server.graceTimeout=1s"]);
    let mut reading = client(&line).await;
    let info = reading.execute(ENDLESS.into(), None).await.unwrap();
    let mut stream = reading.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    signal(&child, "TERM");
    let mut last = None;
    while let Some(next) = stream.next().await {
        last = next.err();
    }
    assert!(
        last.unwrap().to_string().contains("OPERATION_CANCELED"),
        "it is told why there are no more rows"
    );
    let (code, err) = tokio::task::spawn_blocking(|| ended_with(child)).await.unwrap();
    assert_eq!(code, Some(0), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_ends_it_at_once() {
    let (child, line) = start(&[]);
    let mut reading = client(&line).await;
    let info = reading.execute(ENDLESS.into(), None).await.unwrap();
    let mut stream = reading.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    let begun = Instant::now();
    signal(&child, "INT");
    tokio::time::sleep(Duration::from_millis(500)).await;
    signal(&child, "INT");
    let (code, err) = tokio::task::spawn_blocking(|| ended_with(child)).await.unwrap();
    assert_eq!(code, Some(130), "{err}");
    assert!(err.contains("a second Ctrl-C ends them at once"), "{err}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn it_tells_its_address_and_ends_when_asked() {
    let (child, line) = start(&[]);
    let address = line.strip_prefix("listening on grpc://").unwrap().to_string();
    TcpStream::connect(&address).unwrap();
    terminate(&child);
    let (well, err) = ended(child);
    assert!(well, "{err}");
    assert!(err.contains("anyone on this machine may use this server"), "{err}");
    assert!(err.contains("stopping"), "{err}");
}

#[test]
fn passwords_are_hashed_and_users_read() {
    let mut child = vonk()
        .args(["server", "hash-password"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"s3cret\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let hash = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && hash.starts_with("$argon2id$"), "{hash}");
    let dir = tempfile::tempdir().unwrap();
    let users = dir.path().join("users");
    std::fs::write(&users, format!("ann:{hash}")).unwrap();
    let (child, line) = start(&["--users", users.to_str().unwrap(), "--host", "0.0.0.0"]);
    assert!(line.starts_with("listening on grpc://0.0.0.0:"), "{line}");
    terminate(&child);
    let (well, err) = ended(child);
    assert!(well && !err.contains("anyone"), "{err}");
}

/// A certificate and its key.
fn pair() -> (String, String) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    (signed.cert.pem(), signed.signing_key.serialize_pem())
}

#[test]
fn what_is_wrong_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let users = dir.path().join("users");
    std::fs::write(&users, "ann:plain").unwrap();
    let nobody = dir.path().join("nobody");
    std::fs::write(&nobody, "# nobody yet\n").unwrap();
    let pem = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let (one, other) = (pair(), pair());
    let (certificate, key) = (pem("one.pem", &one.0), pem("other.key", &other.1));
    let nonsense = pem("nonsense.pem", "no certificate");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, expected) in [
        (vec!["--port", &port], "in use"),
        (vec!["--users", nobody.to_str().unwrap()], "nobody"),
        (vec!["--tls-cert", &certificate, "--tls-key", &key], "belong together"),
        (vec!["--tls-cert", &nonsense, "--tls-key", &nonsense], "PEM"),
        (vec!["--tls-client-ca", &certificate], "--tls-cert"),
        (vec!["--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid"),
        (vec!["--memory", "plenty"], "plenty"),
        (vec!["--master", "nowhere"], "nowhere"),
        (vec!["--conf", "spark.scheduler.mode"], "KEY=VALUE"),
        (vec!["--host", "0.0.0.0"], "_OPEN_SERVER"),
        (vec!["--users", users.to_str().unwrap()], "line 1"),
        (vec!["--users", "/nowhere"], "_IO_ERROR"),
        (vec!["--tls-cert", "/nowhere", "--tls-key", "/nowhere"], "_IO_ERROR"),
        (vec!["--tls-cert", "/nowhere"], "--tls-key"),
        (vec!["--conf", "spark.vonk.server.compression=brotli"], "none, lz4 or zstd"),
        (vec!["--conf", "spark.vonk.server.maxSessions=many"], "maxSessions"),
    ] {
        let defaults = [("--port", "0"), ("--master", "local[1]")];
        let given = |name: &str| arguments.contains(&name);
        let defaults = defaults.iter().filter(|(name, _)| !given(name)).flat_map(|(n, v)| [*n, *v]);
        let output = vonk().arg("server").args(defaults).args(&arguments).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && err.contains(expected), "{arguments:?}: {err}");
        assert!(output.stdout.is_empty(), "{arguments:?}: it says that it listens");
    }
}
