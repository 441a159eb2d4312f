//! SIGTERM and SIGHUP: the statement is cancelled, its files are removed, and the process dies of the signal. And SIGINT of scripts.

use crate::terminal::{Terminal, command};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const SPILLS: &str = "SELECT id FROM range(300000000) ORDER BY hash(id), id";

/// Files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return vec![] };
    let entries = entries.flatten().map(|e| e.path());
    entries.flat_map(|p| if p.is_dir() { files(&p) } else { vec![p] }).collect()
}

fn until(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < crate::terminal::PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn left(home: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(home.join("local")).unwrap().flatten();
    entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_shell_that_is_terminated_in_the_middle_of_a_spill_leaves_nothing() {
    for signal in [libc::SIGTERM, libc::SIGHUP] {
        let home = tempfile::tempdir().unwrap();
        let mut t = Terminal::shell(home.path(), (24, 80), &["--memory", "64m", "--master", "local[2]"]);
        t.enter(&format!("{SPILLS};"));
        until("a spill file", || !files(&home.path().join("local")).is_empty());
        t.signal(signal);
        assert_eq!(t.ended().signal(), Some(signal));
        assert_eq!(left(home.path()), Vec::<String>::new());
    }
}

#[test]
fn a_shell_at_its_prompt_dies_of_the_signal() {
    let home = tempfile::tempdir().unwrap();
    let mut t = Terminal::shell(home.path(), (24, 80), &[]);
    t.run("SELECT 1;");
    t.keys("SELECT half a");
    t.shows("half a");
    t.signal(libc::SIGTERM);
    assert_eq!(t.ended().signal(), Some(libc::SIGTERM));
    assert_eq!(left(home.path()), Vec::<String>::new());
}

#[test]
fn a_script_that_waits_for_its_input_leaves_nothing_behind() {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let home = tempfile::tempdir().unwrap();
        let mut command = command(home.path(), &[]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        until("a session", || !left(home.path()).is_empty());
        // Its handlers come a moment after its folder: a signal before that is one to a process that has hardly begun.
        until("handlers of signals", || is_caught(child.id(), signal));
        // Open to the end: an input that ends would end it, too.
        let input = child.stdin.take();
        send(&child, signal);
        let status = child.wait().unwrap();
        drop(input);
        let ended = (status.code(), status.signal());
        assert_eq!(ended, if signal == libc::SIGINT { (Some(130), None) } else { (None, Some(signal)) });
        assert_eq!(left(home.path()), Vec::<String>::new());
    }
}

/// Whether a process has a handler for a signal, as the system tells.
fn is_caught(pid: u32, signal: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|l| l.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(mask.trim(), 16).unwrap() >> (signal - 1) & 1 == 1
}

fn send(child: &Child, signal: i32) {
    let pid = i32::try_from(child.id()).unwrap();
    // SAFETY: sends a signal to a child that was not waited for.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

fn script(home: &Path) -> Child {
    let mut command = command(
        home,
        &["--memory", "64m", "--master", "local[2]", "-e", &format!("{SPILLS}; SELECT 'more'")],
    );
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_script_that_is_interrupted_exits_with_130_and_leaves_nothing() {
    for (signal, code, died) in [(libc::SIGINT, Some(130), None), (libc::SIGTERM, None, Some(libc::SIGTERM))]
    {
        let home = tempfile::tempdir().unwrap();
        let child = script(home.path());
        until("a spill file", || !files(&home.path().join("local")).is_empty());
        send(&child, signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.status.signal()), (code, died), "{output:?}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("more"));
        assert_eq!(left(home.path()), Vec::<String>::new());
    }
}
