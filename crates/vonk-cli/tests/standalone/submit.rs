//! `vonk submit` as a user types it.

use crate::common::*;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
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
