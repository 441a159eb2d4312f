//! A session whose executors are this program, and ways to look at it.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use vonk::{Session, SessionBuilder};

pub fn builder(master: &str, dir: &Path) -> SessionBuilder {
    let this = std::env::current_exe().unwrap();
    let program = format!("{} --exact executor_process", this.display());
    Session::builder()
        .config("spark.master", master)
        .config("spark.vonk.executor.program", &program)
        .config("spark.local.dir", &dir.to_string_lossy())
        .config("spark.sql.warehouse.dir", &dir.join("warehouse").to_string_lossy())
}

pub fn rows(session: &Session, sql: &str) -> Result<Vec<String>, vonk::Error> {
    session.run(sql)?.rows_as_text()
}

/// Waits until something is so.
pub fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A path of the status server; `None` if it is not found.
pub fn get(session: &Session, path: &str) -> Option<String> {
    let mut socket = TcpStream::connect(session.status_address()?).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_string())
}

pub fn application(session: &Session) -> String {
    let all: Value = serde_json::from_str(&get(session, "/api/v1/applications").unwrap()).unwrap();
    all[0]["id"].as_str().unwrap().to_string()
}

pub fn seen(session: &Session, what: &str) -> Vec<Value> {
    let path = format!("/api/v1/applications/{}/{what}", application(session));
    serde_json::from_str(&get(session, &path).unwrap()).unwrap()
}

pub fn active(session: &Session) -> usize {
    seen(session, "executors").iter().filter(|e| e["isActive"] == true).count()
}

/// The executors of this program that serve from below a folder.
pub fn executor_pids(dir: &Path) -> Vec<u32> {
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

pub fn signal(pid: u32, name: &str) {
    // The shell's own `kill`: the program may not be installed. The process may have ended in the meantime.
    let _ = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).output().unwrap();
}

/// A session whose state can be seen ([`seen`]) and whose events are in `dir/events`.
pub fn watched(master: &str, dir: &Path) -> SessionBuilder {
    builder(master, dir)
        .config("spark.ui.enabled", "true")
        .config("spark.ui.port", "0")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.dir", &dir.join("events").to_string_lossy())
}

/// What became of a query.
pub type Outcome = Result<Vec<String>, vonk::Error>;

/// Runs a query on a thread of its own.
pub fn spawn(session: &Session, sql: &str) -> std::thread::JoinHandle<Outcome> {
    let (session, sql) = (session.clone(), sql.to_string());
    std::thread::spawn(move || rows(&session, &sql))
}

/// The process of an executor, by its number; `None` if it has ended.
pub fn executor_pid(dir: &Path, number: u64) -> Option<u32> {
    let needle = format!("\"executor\":{number},");
    let has = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&needle)
    };
    executor_pids(dir).into_iter().find(has)
}

/// All tasks of all attempts of a stage that have been launched.
pub fn tasks_of(session: &Session, stage: &Value) -> Vec<Value> {
    let attempts = seen(session, &format!("stages/{}", stage["stageId"]));
    let list = |a: &Value| seen(session, &format!("stages/{}/{}/taskList", a["stageId"], a["attemptId"]));
    attempts.iter().flat_map(list).collect()
}

/// The latest attempts of stages of so many tasks, the oldest stage first.
pub fn stages_of(session: &Session, tasks: u64) -> Vec<Value> {
    let mut all = seen(session, "stages");
    all.retain(|s| s["numTasks"] == tasks);
    all.sort_by_key(|s| (s["stageId"].as_u64(), std::cmp::Reverse(s["attemptId"].as_u64())));
    all.dedup_by_key(|s| s["stageId"].clone());
    all
}

/// What an event log of a session that has ended says.
pub fn events(dir: &Path) -> Vec<Value> {
    let logs = std::fs::read_dir(dir.join("events")).unwrap();
    let text = |log: std::fs::DirEntry| std::fs::read_to_string(log.path()).unwrap();
    let lines = |text: String| text.lines().map(|l| serde_json::from_str(l).unwrap()).collect::<Vec<_>>();
    logs.flatten().flat_map(|log| lines(text(log))).collect()
}

/// Files in a folder and below.
pub fn files_below(dir: &Path) -> Vec<std::path::PathBuf> {
    let (mut open, mut found) = (vec![dir.to_path_buf()], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => open.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found
}
