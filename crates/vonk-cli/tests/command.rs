//! The command as a script calls it: output, exit codes, bad input.

#![allow(clippy::unwrap_used)] // A test fails by panicking.

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn vonk(arguments: &[&str], input: &[u8]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_vonk"))
        .args(arguments)
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn statements_run_until_the_first_error() {
    let out = vonk(&["sql", "-e", "SELECT 1 AS a, 'x' AS b; SELECT 1 / 0; SELECT 2"], b"");
    assert_eq!((out.status.code(), text(&out.stdout)), (Some(1), "1\tx\n"));
    assert!(text(&out.stderr).starts_with("[DIVIDE_BY_ZERO"), "{}", text(&out.stderr));
    let out = vonk(&["sql", "--format", "csv", "-e", "SELECT 1 AS a, 'x' AS b"], b"");
    assert_eq!((out.status.code(), text(&out.stdout)), (Some(0), "a,b\n1,x\n"));
}

#[test]
fn scripts_that_are_no_text_are_refused_before_anything_runs() {
    let script: &[u8] = b"SELECT 1;\nSELECT \xff\xfe;\n";
    let out = vonk(&["sql"], script);
    assert_eq!((out.status.code(), text(&out.stdout)), (Some(1), ""));
    assert!(text(&out.stderr).contains("invalid UTF-8 at byte 17"), "{}", text(&out.stderr));
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(script).unwrap();
    let out = vonk(&["sql", "-f", &file.path().to_string_lossy()], b"");
    assert_eq!((out.status.code(), text(&out.stdout)), (Some(1), ""));
    assert!(text(&out.stderr).contains("invalid UTF-8 at byte 17"), "{}", text(&out.stderr));
}

#[test]
fn a_session_of_json_lines_goes_on_after_bad_input() {
    let input = b"{\"sql\": \"SELECT 1 AS a\"}\nno json\n\xff\xfe\n{\"sql\": \"SELECT nope\"}\n{\"sql\": \"SELECT 2 AS b\"}\n";
    let out = vonk(&["sql", "--protocol", "jsonl"], input);
    let lines: Vec<&str> = text(&out.stdout).lines().collect();
    assert_eq!((out.status.code(), lines.len()), (Some(0), 5), "{lines:?}");
    assert_eq!(lines[0], r#"{"schema":"struct<a:int>","rows":["1"]}"#);
    assert!(lines[1..3].iter().all(|l| l.contains("\"error\"")), "{lines:?}");
    assert!(lines[3].contains("UNRESOLVED_COLUMN"), "{lines:?}");
    assert_eq!(lines[4], r#"{"schema":"struct<b:int>","rows":["2"]}"#);
}

#[test]
fn masters_that_are_none_or_not_there_are_named() {
    for master in ["foo", "local[x]", "local-cluster[1,2]", "vonk://", "vonk://host:99999"] {
        let out = vonk(&["sql", "--master", master, "-e", "SELECT 1"], b"");
        let said = text(&out.stderr);
        assert!(!out.status.success() && said.contains("_INVALID_MASTER") && said.contains(master), "{said}");
        assert_eq!(text(&out.stdout), "");
    }
    // Port 1 is nobody's; a name below .invalid never exists (RFC 2606).
    for address in ["127.0.0.1:1", "nowhere.invalid:7077"] {
        let out = vonk(&["sql", "--master", &format!("vonk://{address}"), "-e", "SELECT 1"], b"");
        let said = text(&out.stderr);
        assert!(!out.status.success() && said.contains("[_IO_ERROR]") && said.contains(address), "{said}");
    }
}
