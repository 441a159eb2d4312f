//! The command as scripts call it: options, variables, commands in files, exit codes.

use crate::terminal::command;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

/// Exit code, standard output and standard error.
fn vonk(home: &Path, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut command = command(home, arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who has what it needs may not read its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let out = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

#[test]
fn standard_input_runs_as_a_file_does() {
    let home = tempfile::tempdir().unwrap();
    let script =
        "SELECT 1 AS a;\n.mode csv\nSELECT 2 AS b, NULL AS c;\n.print done\nSELECT nope;\nSELECT 3;\n";
    let file = home.path().join("script.sql");
    std::fs::write(&file, script).unwrap();
    let piped = vonk(home.path(), &[], script);
    let read = vonk(home.path(), &["-f", "script.sql"], "");
    assert_eq!(piped, read);
    assert_eq!((piped.0, piped.1.as_str()), (Some(1), "1\nb,c\n2,\ndone\n"));
    assert!(piped.2.starts_with("[UNRESOLVED_COLUMN"), "{}", piped.2);
}

#[test]
fn marks_in_front_and_ends_of_lines_of_windows() {
    let home = tempfile::tempdir().unwrap();
    let script = "\u{feff}SELECT 1 AS a,\r\n 2 AS b;\r\n.mode csv\r\nSELECT 3 AS c;\r\n";
    let (code, out, err) = vonk(home.path(), &[], script);
    assert_eq!((code, out.as_str()), (Some(0), "1\t2\nc\n3\n"), "{err}");
}

#[test]
fn variables_as_spark_sql_has_them() {
    let home = tempfile::tempdir().unwrap();
    let sql = "SELECT '${k}', '${hivevar:k}', '${hivevar:h}', '${h}', '${hiveconf:c}', '${c}', '${env:HOME}', '[${nope}]'";
    let (code, out, _) =
        vonk(home.path(), &["-d", "k=v", "--hivevar", "h=w", "--hiveconf", "c=x", "-S", "-e", sql], "");
    let expected = format!("v\tv\tw\tw\tx\tx\t{}\t[]\n", home.path().display());
    assert_eq!((code, out), (Some(0), expected));
    let sql = "SET spark.sql.variable.substitute=false; SELECT '${k}'";
    let (_, out, _) = vonk(home.path(), &["-d", "k=v", "-e", sql], "");
    assert!(out.ends_with("${k}\n"), "{out}");
    let (code, _, err) = vonk(home.path(), &["-d", "k", "-e", "SELECT 1"], "");
    assert!(code == Some(1) && err.contains("_INVALID_ARGUMENT"), "{err}");
}

#[test]
fn init_files_databases_and_echo() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join("init.sql"),
        "CREATE TEMPORARY VIEW v AS SELECT 5 AS five;\n.nullvalue -\n",
    )
    .unwrap();
    let (code, out, _) = vonk(home.path(), &["-i", "init.sql", "-e", "SELECT five, NULL FROM v"], "");
    assert_eq!((code, out.as_str()), (Some(0), "5\t-\n"));
    let (code, out, _) =
        vonk(home.path(), &["--database", "samples.tpch", "-e", "SELECT count(*) FROM nation"], "");
    assert_eq!((code, out.as_str()), (Some(0), "25\n"));
    let (code, _, err) = vonk(home.path(), &["--database", "nope", "-e", "SELECT 1"], "");
    assert!(code == Some(1) && err.contains("SCHEMA_NOT_FOUND"), "{err}");
    let (_, out, _) = vonk(home.path(), &["-v", "-e", "SELECT 1; SELECT 2"], "");
    assert_eq!(out, "SELECT 1\n1\nSELECT 2\n2\n");
    let (code, _, err) = vonk(home.path(), &["-i", "missing.sql", "-e", "SELECT 1"], "");
    assert!(code == Some(1) && err.contains("missing.sql"), "{err}");
    let (_, out, _) =
        vonk(home.path(), &["-c", "spark.sql.cli.print.header=true", "-e", "SELECT 1 AS a, 2 AS b"], "");
    assert_eq!(out, "a\tb\n1\t2\n");
}

#[test]
fn exit_source_and_files_within_files() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("inner.sql"), "SELECT 'inner'; exit; SELECT 'not this'").unwrap();
    let (code, out, _) = vonk(home.path(), &["-e", "SELECT 1; source inner.sql; SELECT 'nor this'"], "");
    assert_eq!((code, out.as_str()), (Some(0), "1\ninner\n"));
    std::fs::write(home.path().join("itself.sql"), ".read itself.sql\n").unwrap();
    let (code, _, err) = vonk(home.path(), &["-f", "itself.sql"], "");
    assert!(code == Some(1) && err.contains("itself.sql is read within"), "{err}");
    let (code, out, _) = vonk(home.path(), &[], "!echo from the system;\nSELECT 1;");
    assert_eq!((code, out.as_str()), (Some(0), "from the system\n1\n"));
    let (code, _, err) = vonk(home.path(), &[], ".nonsense\nSELECT 1;");
    assert!(code == Some(1) && err.starts_with("There is no command .nonsense."), "{err}");
    let (code, out, _) = vonk(home.path(), &[], "quit;\nSELECT 1;");
    assert_eq!((code, out.as_str()), (Some(0), ""));
}

#[test]
fn who_reads_no_further_ends_a_script_without_an_error() {
    let home = tempfile::tempdir().unwrap();
    let mut command = command(home.path(), &["-e", "SELECT id FROM range(100000000000); SELECT 'never'"]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 2];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    assert_eq!(&first, b"0\n");
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    assert_eq!((out.status.code(), out.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn nobody_reads_anything() {
    let home = tempfile::tempdir().unwrap();
    for statement in ["SELECT 1", ".print x", "\\d samples.tpch.nation"] {
        let mut command = command(home.path(), &["-v", "-f", "/dev/stdin"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Gone before the first statement comes.
        drop(child.stdout.take());
        child.stdin.take().unwrap().write_all(statement.as_bytes()).unwrap();
        let out = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(!said.contains("panicked"), "{said}");
        assert_eq!(out.status.code(), Some(0), "{statement}: {said}");
    }
}

#[test]
fn long_tables_in_files_say_what_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let sql = "SELECT id FROM range(0, 1000, 1, 1)";
    let (_, out, _) = vonk(home.path(), &["--format", "table", "-e", sql], "");
    assert!(out.ends_with("│    999 │\n└────────┘\n1000 rows (40 shown)\n"), "{out}");
    let (_, out, _) = vonk(home.path(), &["--format", "table"], &format!(".maxrows 0\n{sql};"));
    assert_eq!(out.lines().filter(|l| l.starts_with('│')).count(), 1002, "{out}");
}

#[test]
fn wrong_options_exit_with_2() {
    let home = tempfile::tempdir().unwrap();
    let (code, _, err) = vonk(home.path(), &["--formt", "csv"], "");
    assert!(code == Some(2) && err.contains("--format"), "{err}");
}
