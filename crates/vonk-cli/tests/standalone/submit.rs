//! `vonk submit` as a user types it.

use crate::common::*;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[test]
fn statements_run_in_both_modes_with_a_relative_work_folder_and_settings_stay_off_command_lines() {
    let dir = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let master = format!("vonk://127.0.0.1:{port}");
    let at_master = Daemon::start(
        dir.path(),
        "master",
        &["master", "--port", &port, "--webui-port", "0", "--recovery-dir", "log"],
    );
    // The work folder is `work`, below the one in which the worker is started.
    let worker = Daemon::start(
        dir.path(),
        "worker",
        &["worker", &master, "--cores", "2", "--memory", "2g", "--webui-port", "0"],
    );
    std::fs::write(
        dir.path().join("q.sql"),
        "SELECT count(*) AS n FROM samples.tpch.nation GROUP BY n_regionkey ORDER BY 1 LIMIT 1;\n\
         SET spark.sql.shuffle.partitions; SET my.marker;",
    )
    .unwrap();
    let local = format!("spark.local.dir={}", dir.path().join("local").display());
    let settings =
        ["spark.sql.shuffle.partitions=3", "my.marker=visible-to-nobody", "spark.cores.max=1", &local];
    let mut arguments = vec!["submit", "--master", &master, "--executor-memory", "1g"];
    settings.iter().for_each(|s| arguments.extend(["--conf", s]));

    let mut client = arguments.clone();
    client.push("q.sql");
    let output = vonk(dir.path(), &client).output().unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("5\n") && said.contains("visible-to-nobody"), "{said}");

    let mut cluster = arguments;
    cluster.extend(["--deploy-mode", "cluster", "--wait", "q.sql"]);
    let child = vonk(dir.path(), &cluster).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Of the processes that belong to it only the one that was typed says the setting.
    let typed = child.id();
    let mut output = None;
    let waiting = std::thread::spawn(move || child.wait_with_output().unwrap());
    while output.is_none() {
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let shows = String::from_utf8_lossy(&line).contains("visible-to-nobody");
            assert!(!shows || pid == typed, "{}", String::from_utf8_lossy(&line));
        }
        if waiting.is_finished() {
            output = Some(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = waiting.join().unwrap();
    let said = text(&output);
    assert!(output.status.success() && said.contains("FINISHED"), "{said}");
    let id = said.lines().next().unwrap();
    let home = dir.path().join("work").join(id);
    let printed = std::fs::read_to_string(home.join("attempt-1.stdout"))
        .or_else(|_| std::fs::read_to_string(home.join("attempt-0.stdout")))
        .unwrap();
    assert!(printed.contains('5') && printed.contains("visible-to-nobody"), "{printed}");
    // What they leave is for their user only.
    for path in ["work", "log", "log/master.log"] {
        let mode = std::fs::metadata(dir.path().join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path}");
    }
    worker.end();
    at_master.end();
    let left = std::fs::read_dir(dir.path().join("work")).unwrap().flatten();
    let left: Vec<_> = left.map(|e| e.file_name()).filter(|n| n.to_string_lossy() != id).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A way to a server that loses the answer to the first call: it closes the connection instead. Its port, and the connections so far.
fn way_that_loses_an_answer(to: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, connections) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = connections.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            let server = TcpStream::connect(&to).unwrap();
            let (mut up, mut down) =
                ((client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client));
            std::thread::spawn(move || std::io::copy(&mut up.0, &mut up.1));
            std::thread::spawn(move || {
                // Frame by frame of HTTP/2: length, kind, flags, stream. The answer begins with headers, which are of the kind 1.
                let mut head = [0; 9];
                while down.0.read_exact(&mut head).is_ok() && !(first && head[3] == 1) {
                    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                    let mut payload = vec![0; length];
                    if down.0.read_exact(&mut payload).is_err() {
                        break;
                    }
                    let _ = down.1.write_all(&[&head[..], &payload].concat());
                }
                let _ = down.0.shutdown(Shutdown::Both);
                let _ = down.1.shutdown(Shutdown::Both);
            });
        }
    });
    (port, connections)
}

#[test]
fn a_driver_that_is_submitted_again_since_the_answer_was_lost_runs_once() {
    let cluster = Cluster::start(1, &[]);
    let (port, connections) = way_that_loses_an_answer(cluster.url().replace("vonk://", ""));
    let way = format!("vonk://127.0.0.1:{port}");
    std::fs::write(cluster.dir.path().join("q.sql"), "SELECT 40 + 2").unwrap();
    let arguments =
        ["submit", "--master", &way, "--deploy-mode", "cluster", "--conf", "spark.cores.max=1", "q.sql"];
    let output = vonk(cluster.dir.path(), &arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(connections.load(Ordering::SeqCst), 2, "it was asked for twice");
    let id = String::from_utf8_lossy(&output.stdout).trim().to_string();
    let drivers = || seen(cluster.master.web(), "/api/v1/drivers");
    eventually("its end", || drivers()[0]["state"] == "Finished");
    let drivers = drivers();
    assert_eq!(drivers.as_array().unwrap().len(), 1, "{drivers}");
    assert_eq!((&drivers[0]["id"], &drivers[0]["attempts"]), (&id.as_str().into(), &1.into()), "{drivers}");
    let printed: Vec<_> = files_below(&cluster.work(0))
        .into_iter()
        .filter(|f| f.ends_with("attempt-0.stdout") || f.ends_with("attempt-1.stdout"))
        .collect();
    assert_eq!(printed.len(), 1, "{printed:?}");
    assert_eq!(std::fs::read_to_string(&printed[0]).unwrap(), "42\n");
}

#[test]
fn a_signal_to_submit_ends_the_driver_that_it_runs_here() {
    let cluster = Cluster::start(1, &[]);
    std::fs::write(
        cluster.dir.path().join("q.sql"),
        "SELECT count(*) FROM range(0, 10000000000000, 1, 4) WHERE id % 3 = 5",
    )
    .unwrap();
    let url = cluster.url();
    let mut submit = Daemon::start(
        cluster.dir.path(),
        "submit",
        &["submit", "--master", &url, "--name", "endless", "q.sql"],
    );
    let application = || cluster.application("endless");
    eventually("an executor", || executors_in(cluster.dir.path()).len() == 1);
    signal(submit.pid(), "TERM");
    submit.ended();
    eventually("the end of its executors", || executors_in(cluster.dir.path()).is_empty());
    eventually("no core is used", || application().unwrap()["cores"] == 0);
}

/// All that processes and files of a cluster say, except the process that was typed: command lines, environments, files of daemons.
fn all_that_can_be_read(cluster: &Cluster, typed: u32) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for pid in processes_with(&[&cluster.dir.path().to_string_lossy()]) {
        if pid == std::process::id() || pid == typed {
            continue;
        }
        for what in ["cmdline", "environ"] {
            let path = format!("/proc/{pid}/{what}");
            let text = std::fs::read(&path).unwrap_or_default();
            // The shared secret has a variable of its own.
            let shown =
                String::from_utf8_lossy(&text).replace(&format!("VONK_AUTHENTICATE_SECRET={SECRET}"), "");
            all.push((path, shown));
        }
    }
    for file in files_below(cluster.dir.path()) {
        let text = std::fs::read(&file).unwrap_or_default();
        all.push((file.display().to_string(), String::from_utf8_lossy(&text).into_owned()));
    }
    for path in ["status", "applications", "drivers", "workers"] {
        all.push((path.to_string(), seen(cluster.master.web(), &format!("/api/v1/{path}")).to_string()));
    }
    for path in ["status", "processes"] {
        all.push((path.to_string(), seen(cluster.workers[0].web(), &format!("/api/v1/{path}")).to_string()));
    }
    all
}

#[test]
fn settings_reach_the_application_and_secrets_are_nowhere_to_be_read() {
    let cluster = Cluster::start(1, &[]);
    let (dir, keys) = (cluster.dir.path(), tempfile::tempdir().unwrap());
    let (web, secret_file) = (free_port(), keys.path().join("secret"));
    std::fs::write(&secret_file, SECRET).unwrap();
    std::fs::set_permissions(&secret_file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(
        dir.join("q.sql"),
        "SET my.marker; SET my.password; SET spark.authenticate.secret; \
         SELECT count(*) FROM range(0, 20000000, 1, 4) WHERE sha2(cast(id AS string), 512) = 'x';",
    )
    .unwrap();
    let (url, local) = (cluster.url(), format!("spark.local.dir={}", dir.join("driver").display()));
    let file = format!("spark.authenticate.secret.file={}", secret_file.display());
    let ui = format!("spark.ui.port={web}");
    let settings = ["my.marker=seen", "my.password=hunter2", "spark.cores.max=1", "spark.ui.enabled=true"];
    for mode in ["client", "cluster"] {
        let mut arguments = vec!["submit", "--master", &url, "--deploy-mode", mode, "--name", mode];
        settings.iter().chain([&&*local, &&*file, &&*ui]).for_each(|s| arguments.extend(["--conf", s]));
        arguments.push("q.sql");
        let mut command = vonk(dir, &arguments);
        command.env_remove("VONK_AUTHENTICATE_SECRET");
        let typed = Daemon::of(dir, mode, command);
        eventually("an executor", || !executors_in(dir).is_empty());
        eventually("its status", || TcpStream::connect(("127.0.0.1", web)).is_ok());
        // In mode client the process that was typed is the driver, and says what was typed no more.
        for (place, text) in all_that_can_be_read(&cluster, if mode == "client" { 0 } else { typed.pid() }) {
            assert!(!text.contains("hunter2") && !text.contains(SECRET), "{place}: {text}");
        }
        let at = format!("127.0.0.1:{web}").parse().unwrap();
        let application = seen(at, "/api/v1/applications")[0]["id"].as_str().unwrap().to_string();
        for path in ["", "/jobs", "/stages", "/executors", "/environment"] {
            let (head, body) = get(at, &format!("/api/v1/applications/{application}{path}"));
            assert!(path == "/environment" || head.contains("200"), "{path}: {head}");
            assert!(!body.contains("hunter2") && !body.contains(SECRET), "{path}: {body}");
        }
        if mode == "cluster" {
            typed.says("driver-");
        }
        // What it keeps to itself is said before.
        let driver = || typed.said().lines().last().unwrap_or_default().to_string();
        assert!(typed.said().contains("my.password is not handed on"));
        let mut printed = String::new();
        eventually("what it prints", || {
            let home = cluster.work(0).join(driver());
            let of_worker =
                files_below(&home).into_iter().find(|f| f.extension().is_some_and(|e| e == "stdout"));
            printed = match (mode, of_worker) {
                ("client", _) => typed.said(),
                (_, file) => file.map(|f| std::fs::read_to_string(f).unwrap()).unwrap_or_default(),
            };
            printed.contains("spark.authenticate.secret\t")
        });
        assert!(printed.contains("my.marker\tseen"), "{printed}");
        assert!(!printed.contains("hunter2") && !printed.contains(SECRET), "{printed}");
        if mode == "cluster" {
            let kill = ["submit", "--master", &url, "--kill", &driver()].map(str::to_string);
            let kill = vonk(dir, &kill.each_ref().map(String::as_str)).output().unwrap();
            assert!(kill.status.success(), "{}", text(&kill));
        }
        drop(typed);
        eventually("its end", || executors_in(dir).is_empty());
    }
}
