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
        let pid = i32::try_from(child.id()).unwrap();
        // SAFETY: sends a signal to a child that was not waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.status.signal()), (code, died), "{output:?}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("more"));
        assert_eq!(left(home.path()), Vec::<String>::new());
    }
}
