//! Drivers as people use them, against a server in this process: `clients/adbc.py`, `clients/alchemy.py` and
//! `clients/VonkJdbc.java` with what belongs to it.
//!
//! They run where `clients/install.sh` has installed them, as CI does; elsewhere they are skipped, and say so. `VONK_CLIENTS=required` makes a
//! driver that is missing a failure.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::sync::oneshot;
use vonk::Session;
use vonk_flight::{Options, Server, Users, hash_password};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A file that a driver needs; `None`, with a word about it, if it is not there and need not be.
fn installed(path: &str) -> Option<PathBuf> {
    let file = here("../../target/clients").join(path);
    if file.exists() {
        return Some(file);
    }
    let missing = format!("skipped: {} is not there; run tests/clients/install.sh", file.display());
    assert_ne!(std::env::var("VONK_CLIENTS").as_deref(), Ok("required"), "{missing}");
    eprintln!("{missing}");
    None
}

/// Runs `command` with the port of a server that knows Ann, whose password is `s3cret`, if `users`.
async fn against_a_server(users: bool, command: impl FnOnce(u16) -> Command) {
    let dir = tempfile::tempdir().unwrap();
    let session = Session::builder()
        .config("spark.master", "local[2]")
        .config("spark.sql.warehouse.dir", &dir.path().join("warehouse").to_string_lossy())
        .config("spark.local.dir", &dir.path().to_string_lossy())
        .build()
        .unwrap();
    let mut options = Options { port: 0, ..Options::default() };
    if users {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "ann:{}", hash_password("s3cret").unwrap()).unwrap();
        options.users = Some(Users::read(file.path()).unwrap());
    }
    let server = Server::bind(session.clone(), options).await.unwrap();
    let port = server.address().port();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async {
        let _ = stopped.await;
    }));
    let mut command = command(port);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && out.contains("all ok"), "{out}\n{err}");
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    assert_eq!(session.used_memory(), 0, "all is given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn adbc_pandas_and_polars() {
    let Some(python) = installed("venv/bin/python") else { return };
    for users in [false, true] {
        against_a_server(users, |port| {
            let mut command = Command::new(&python);
            command.arg(here("tests/clients/adbc.py")).arg(format!("grpc://127.0.0.1:{port}"));
            if users {
                command.args(["username=ann", "password=s3cret"]);
            }
            command
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlalchemy() {
    let Some(python) = installed("alchemy/bin/python") else { return };
    for users in [false, true] {
        against_a_server(users, |port| {
            let mut command = Command::new(&python);
            command.arg(here("tests/clients/alchemy.py")).arg(port.to_string());
            if users {
                command.args(["ann", "s3cret"]);
            }
            command
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jdbc() {
    let Some(jar) = installed("flight-sql-jdbc-driver-18.3.0.jar") else { return };
    let classes = tempfile::tempdir().unwrap();
    let sources = here("tests/clients");
    let mut compile = Command::new("javac");
    compile.arg("-d").arg(classes.path()).arg("-sourcepath").arg(&sources).arg(sources.join("VonkJdbc.java"));
    let compiled = compile.output();
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(e) => {
            assert_ne!(std::env::var("VONK_CLIENTS").as_deref(), Ok("required"), "no javac: {e}");
            return eprintln!("skipped: no javac: {e}");
        }
    };
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let class_path = std::env::join_paths([classes.path(), &jar]).unwrap();
    for users in [false, true] {
        against_a_server(users, |port| {
            let mut command = Command::new("java");
            command
                .arg("--add-opens=java.base/java.nio=ALL-UNNAMED")
                .arg("-cp")
                .arg(&class_path)
                .arg("VonkJdbc");
            command.arg(format!("jdbc:arrow-flight-sql://127.0.0.1:{port}/?useEncryption=false"));
            if users {
                command.args(["ann", "s3cret"]);
            }
            command
        })
        .await;
    }
}
