//! The golden tests of `sql-tests/` (see its README), in several configurations.
//!
//! Environment: `VONK_GOLDEN` runs only files whose path contains this text; `VONK_GOLDEN_VERBOSE=1` prints every difference
//! instead of the first ones; `VONK_GOLDEN_REPORT=FILE` writes one line per difference (`path:line`, a tab, what differs).

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use sqllogictest::{DefaultColumnType, ExpectedError, QueryExpect, Record, SortMode};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use vonk::Session;

const TEST_DIR: &str = "$__TEST_DIR__";
const TPCH: [&str; 8] =
    ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"];

/// One statement with Spark's answer.
struct Case {
    line: u32,
    sql: String,
    gap: Option<String>,
    expected: Expected,
}

enum Expected {
    Rows { sorted: bool, lines: Vec<String> },
    Error { head: String, params: Vec<(String, String)> },
}

struct File {
    path: PathBuf,
    tpch: bool,
    cases: Vec<Case>,
}

/// One line for any text; see "Escapes" in the README.
fn escape(text: &str) -> String {
    if text.is_empty() {
        return "\\e".to_string();
    }
    let last = text.chars().count() - 1;
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        let edge = at == 0 || at == last;
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' if edge => out.push_str("\\t"),
            ' ' if edge => out.push_str("\\s"),
            '\t' => out.push(c),
            c if (c as u32) < 32
                || (127..160).contains(&(c as u32))
                || matches!(c, '\u{ad}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200b}'..='\u{200f}') =>
            {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

fn load(path: &Path) -> File {
    let records = sqllogictest::parse_file::<DefaultColumnType>(path)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (mut tpch, mut gap, mut cases) = (false, None, Vec::new());
    for record in records {
        match record {
            Record::Comment(lines) => {
                tpch |= lines.iter().any(|l| l.trim() == "tpch");
                gap = lines.last().and_then(|l| l.trim().strip_prefix("gap:").map(|g| g.trim().to_string()));
            }
            Record::Query { loc, sql, expected, .. } => {
                let expected = match expected {
                    QueryExpect::Results { sort_mode, results, .. } => {
                        Expected::Rows { sorted: sort_mode == Some(SortMode::RowSort), lines: results }
                    }
                    QueryExpect::Error(ExpectedError::Multiline(text)) => {
                        let mut lines = text.lines();
                        let head = lines.next().unwrap_or_default().to_string();
                        let param = |l: &str| {
                            let (name, value) = l.split_once(':').unwrap_or((l, ""));
                            (name.to_string(), value.strip_prefix(' ').unwrap_or("\\e").to_string())
                        };
                        Expected::Error { head, params: lines.map(param).collect() }
                    }
                    QueryExpect::Error(other) => panic!("{loc}: an error without its text: {other:?}"),
                };
                cases.push(Case { line: loc.line(), sql, gap: gap.take(), expected });
            }
            Record::Newline => {}
            other => panic!("{}: only queries and comments: {other:?}", path.display()),
        }
    }
    File { path: path.to_path_buf(), tpch, cases }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql-tests")
}

fn files() -> Vec<PathBuf> {
    let filter = std::env::var("VONK_GOLDEN").unwrap_or_default();
    let (mut open, mut found) = (vec![folder()], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("sql-tests is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "slt") && path.to_string_lossy().contains(&filter)
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What Vonk answers, as the file would have it.
fn answer(session: &Session, sql: &str, sorted: bool, test_dir: &str) -> Result<Vec<String>, vonk::Error> {
    let hide = |t: &str| {
        t.replace(&format!("file:{test_dir}"), &format!("file:{TEST_DIR}")).replace(test_dir, TEST_DIR)
    };
    let mut answer = session.run(sql)?;
    let mut rows = answer.rows_as_text()?;
    if sorted {
        rows.sort();
    }
    let schema = answer.schema().catalog_string();
    Ok(std::iter::once(escape(&schema)).chain(rows.iter().map(|r| escape(&hide(r)))).collect())
}

/// `None` if the answer is Spark's, else what differs.
fn difference(session: &Session, case: &Case, test_dir: &str) -> Option<String> {
    let sql = case.sql.replace(TEST_DIR, test_dir);
    let sorted = matches!(case.expected, Expected::Rows { sorted: true, .. });
    let got = catch_unwind(AssertUnwindSafe(|| answer(session, &sql, sorted, test_dir)));
    let Ok(got) = got else { return Some("panicked".to_string()) };
    match (&case.expected, got) {
        (Expected::Rows { lines, .. }, Ok(got)) => {
            // The format cannot tell trailing spaces at the end of a line from none; rows are escaped, so there are none.
            let at = (0..lines.len().max(got.len())).find(|i| lines.get(*i) != got.get(*i))?;
            Some(format!("line {at}: Spark {:?}, Vonk {:?}", lines.get(at), got.get(at)))
        }
        (Expected::Rows { .. }, Err(e)) => Some(format!("failed: {}", e.to_string().replace('\n', " / "))),
        (Expected::Error { head, .. }, Ok(_)) => Some(format!("succeeded, Spark {head}")),
        (Expected::Error { head, params }, Err(e)) => {
            let ours = format!("[{}] SQLSTATE: {}", e.condition(), e.sql_state());
            if ours != *head {
                return Some(format!("Spark {head}, Vonk {}", e.to_string().replace('\n', " / ")));
            }
            let hide = |t: &str| {
                t.replace(&format!("file:{test_dir}"), &format!("file:{TEST_DIR}"))
                    .replace(test_dir, TEST_DIR)
            };
            params.iter().find_map(|(name, value)| {
                let found = e.params().find(|(n, _)| n == name).map(|(_, v)| escape(&hide(v)));
                (found.as_ref() != Some(value))
                    .then(|| format!("parameter {name}: Spark {value:?}, Vonk {found:?}"))
            })
        }
    }
}

#[derive(Default)]
struct Tally {
    passed: usize,
    gaps: usize,
    failures: Vec<String>,
}

fn run_file(file: &File, settings: &[(&str, &str)], tally: &Mutex<Tally>) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let test_dir = dir.path().join("data");
    std::fs::create_dir_all(&test_dir).expect("a temporary folder");
    let warehouse = dir.path().join("warehouse");
    let mut builder = Session::builder()
        .config("spark.sql.session.timeZone", "America/Los_Angeles")
        .config("spark.sql.warehouse.dir", &warehouse.to_string_lossy());
    for (key, value) in settings {
        builder = builder.config(key, value);
    }
    let session = builder.build().expect("a session");
    if file.tpch {
        for table in TPCH {
            let sql = format!("CREATE TEMPORARY VIEW {table} AS SELECT * FROM samples.tpch.{table}");
            session.run(&sql).expect("a view of a sample");
        }
    }
    let name = file.path.strip_prefix(folder()).unwrap_or(&file.path).display().to_string();
    for case in &file.cases {
        let difference = difference(&session, case, &test_dir.to_string_lossy());
        let mut tally = tally.lock().expect("not poisoned");
        match (difference, &case.gap) {
            (None, None) => tally.passed += 1,
            (Some(_), Some(_)) => tally.gaps += 1,
            (Some(d), None) => tally.failures.push(format!("{name}:{}\t{d}", case.line)),
            (None, Some(gap)) => {
                tally
                    .failures
                    .push(format!("{name}:{}\tthe gap is mended, remove its comment: {gap}", case.line));
            }
        }
    }
}

fn run(configuration: &str, settings: &[(&str, &str)]) {
    let paths = files();
    let next = AtomicUsize::new(0);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    run_file(&load(path), settings, &tally);
                }
            });
        }
    });
    let Tally { passed, gaps, mut failures } = tally.into_inner().expect("not poisoned");
    failures.sort();
    println!("{configuration}: {passed} as Spark, {gaps} known gaps, {} differ", failures.len());
    if let Ok(path) = std::env::var("VONK_GOLDEN_REPORT") {
        std::fs::write(path, failures.join("\n") + "\n").expect("the report can be written");
    }
    let shown = if std::env::var_os("VONK_GOLDEN_VERBOSE").is_some() { failures.len() } else { 20 };
    for f in failures.iter().take(shown) {
        println!("  {f}");
    }
    assert!(failures.is_empty(), "{} of {} statements differ", failures.len(), passed + failures.len());
    assert!(passed > 0 || std::env::var_os("VONK_GOLDEN").is_some(), "no statement ran");
}

#[test]
fn one_thread() {
    run("local[1]", &[("spark.master", "local[1]")]);
}

#[test]
fn two_threads() {
    run("local[2]", &[("spark.master", "local[2]")]);
}

#[test]
fn every_task_encoded_and_decoded() {
    // Joins are reduced wherever that is allowed: tables are too small for it otherwise.
    let reduced = ("spark.vonk.semiJoinReduction.rows", "0");
    run("wire", &[("spark.master", "local[2]"), ("spark.vonk.wire", "true"), reduced]);
}

#[test]
fn joins_by_sorting_and_merging() {
    let merging = ("spark.sql.join.preferSortMergeJoin", "true");
    let nothing = ("spark.sql.autoBroadcastJoinThreshold", "-1");
    run("sort-merge joins", &[("spark.master", "local[2]"), merging, nothing]);
}

#[test]
fn tiny_memory() {
    run("256k of memory", &[("spark.master", "local[2]"), ("spark.vonk.memory.limit", "256k")]);
}

#[test]
fn batches_of_three_rows() {
    run("batches of three rows", &[("spark.master", "local[2]"), ("spark.vonk.batch.rows", "3")]);
}

/// Not a test but a process: this program is started again as the executors of [`two_executor_processes`]. Without being told to be one
/// it does nothing.
#[test]
fn executor_process() {
    if let Some(executor) = vonk::Executor::from_environment().expect("options that are understood") {
        executor.run().expect("a driver that says when to stop");
    }
}

#[test]
fn two_executor_processes() {
    let this = std::env::current_exe().expect("the file of this program");
    let program = format!("{} --exact executor_process", this.display());
    let settings =
        [("spark.master", "local-cluster[2,1,1g]"), ("spark.vonk.executor.program", program.as_str())];
    run("local-cluster[2,1,1g]", &settings);
}
