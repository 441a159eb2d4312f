//! `vonk server` whose statements run on executors: what drivers see is what they see of one process.
//!
//! The drivers are those of `vonk-flight/tests/clients/install.sh`; without them there is nothing to do, which is said.

use crate::common::*;
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// A file of a driver; `None` if it is not installed and need not be.
fn installed(path: &str) -> Option<PathBuf> {
    let file = repository("target/clients").join(path);
    if file.exists() {
        return Some(file);
    }
    let missing =
        format!("skipped: {} is not there; run tests/clients/install.sh of vonk-flight", file.display());
    assert_ne!(std::env::var("VONK_CLIENTS").as_deref(), Ok("required"), "{missing}");
    eprintln!("{missing}");
    None
}

/// Runs a program, which is to say that all is well.
fn runs(mut command: Command, well: &str) {
    let output = command.env("VONK_AUTHENTICATE_SECRET", SECRET).output().unwrap();
    let said = text(&output);
    assert!(output.status.success() && said.contains(well), "{said}");
}

/// Runs the test programs of the drivers against a server with this master, and many clients at once against another one. The servers have
/// the secret of the cluster, and their files below `dir`.
fn drivers_and_many_clients(dir: &Path, master: &str) {
    let python = installed("venv/bin/python");
    let local = format!("spark.local.dir={}", dir.join("driver").display());
    let warehouse = format!("spark.sql.warehouse.dir={}", dir.join("warehouse").display());
    let arguments = ["server", "--port", "0", "--master", master, "--conf", &local, "--conf", &warehouse];
    let server = Daemon::start(dir, "server", &arguments);
    let address = server.said_after("listening on grpc://");
    if let Some(python) = &python {
        let mut command = Command::new(python);
        command.arg(repository("crates/vonk-flight/tests/clients/adbc.py")).arg(format!("grpc://{address}"));
        runs(command, "all ok");
    }
    if let Some(jar) = installed("flight-sql-jdbc-driver-18.3.0.jar") {
        let mut compile = Command::new("javac");
        let source = repository("crates/vonk-flight/tests/clients");
        compile.arg("-d").arg(dir.join("classes")).arg("-sourcepath").arg(&source);
        runs(
            {
                compile.arg(source.join("VonkJdbc.java"));
                compile
            },
            "",
        );
        let mut command = Command::new("java");
        let class_path = std::env::join_paths([dir.join("classes"), jar]).unwrap();
        command.arg("--add-opens=java.base/java.nio=ALL-UNNAMED").arg("-cp").arg(class_path).arg("VonkJdbc");
        command.arg(format!("jdbc:arrow-flight-sql://{address}/?useEncryption=false")).arg("--executors");
        runs(command, "all ok");
    }
    server.end();
    if let Some(python) = &python {
        let mut command = Command::new(python);
        command.arg(repository("benches/flight.py")).arg("load").args(["--vonk", env!("CARGO_BIN_EXE_vonk")]);
        command.args(["--master", master, "--conf", &local]);
        // Memory is measured where there is time for it.
        command.args(["--clients", "8", "--seconds", "5", "--rest", "3", "--slack", "1000"]);
        runs(command, " 0 errors");
    }
    eventually("no executor of the servers is left", || executors_in(&dir.join("driver")).is_empty());
    assert_eq!(files_below(&dir.join("driver")), Vec::<PathBuf>::new(), "files are left");
}

#[test]
fn drivers_of_a_server_with_executors_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    drivers_and_many_clients(dir.path(), "local-cluster[2,1,1g]");
}

#[test]
fn drivers_of_a_server_on_a_cluster() {
    let cluster = Cluster::start(2, &[]);
    drivers_and_many_clients(cluster.dir.path(), &cluster.url());
    eventually("its applications are over", || {
        cluster.application("vonk server").is_none_or(|a| a["state"] != "Running")
    });
}
