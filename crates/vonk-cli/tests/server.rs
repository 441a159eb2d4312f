//! `vonk server` as a process.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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

fn terminate(child: &Child) {
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

fn ended(mut child: Child) -> (bool, String) {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (child.wait().unwrap().success(), err)
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

#[test]
fn what_is_wrong_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let users = dir.path().join("users");
    std::fs::write(&users, "ann:plain").unwrap();
    for (arguments, expected) in [
        (vec!["--host", "0.0.0.0"], "_OPEN_SERVER"),
        (vec!["--users", users.to_str().unwrap()], "line 1"),
        (vec!["--users", "/nowhere"], "_IO_ERROR"),
        (vec!["--tls-cert", "/nowhere", "--tls-key", "/nowhere"], "_IO_ERROR"),
        (vec!["--tls-cert", "/nowhere"], "--tls-key"),
        (vec!["--conf", "spark.vonk.server.compression=brotli"], "none, lz4 or zstd"),
        (vec!["--conf", "spark.vonk.server.maxSessions=many"], "maxSessions"),
    ] {
        let output =
            vonk().args(["server", "--port", "0", "--master", "local[1]"]).args(&arguments).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && err.contains(expected), "{arguments:?}: {err}");
    }
}
