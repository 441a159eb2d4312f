//! Deep, long and large statements through the whole pipeline: the right answer or a clear error, in time and in memory, and the
//! session answers the next statement. What the parser alone does with them is tested in `vonk-sql/tests/limits.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::fmt::Write;
use std::time::{Duration, Instant};
use vonk::{Error, Session};

/// No statement may take longer, in a build without optimisation on a busy machine. The longest, 1.2 million literals, takes 40 s
/// on such a machine; an algorithm that is quadratic in it would not end.
const LONGEST: Duration = Duration::from_secs(150);
const N: usize = 10_000;

fn session() -> Session {
    Session::builder().config("spark.master", "local[2]").build().unwrap()
}

fn rows(session: &Session, sql: &str) -> Result<Vec<String>, Error> {
    session.run(sql)?.rows_as_text()
}

fn head(sql: &str) -> String {
    sql.chars().take(60).collect()
}

/// Runs a statement, in time; the session answers the next one.
fn run(session: &Session, sql: &str) -> Result<Vec<String>, Error> {
    let begun = Instant::now();
    let result = rows(session, sql);
    let took = begun.elapsed();
    println!("{took:>12.3?} {} bytes: {}…", sql.len(), head(sql));
    assert!(took < LONGEST, "took {took:?}: {}", head(sql));
    assert_eq!(rows(session, "SELECT 1 + 1").unwrap(), ["2"], "after {}", head(sql));
    result
}

fn answers(session: &Session, sql: &str, expected: &[&str]) {
    let got = run(session, sql).unwrap_or_else(|e| panic!("{}: {e}", head(sql)));
    assert_eq!(got, expected, "{}", head(sql));
}

/// The answer is right, or the statement is refused as too complex: 54001 is SQL's state for that.
fn answers_or_refuses(session: &Session, sql: &str, expected: &[&str]) {
    match run(session, sql) {
        Ok(got) => assert_eq!(got, expected, "{}", head(sql)),
        Err(e) => {
            assert_eq!(
                (e.condition(), e.sql_state()),
                ("_STATEMENT_TOO_COMPLEX", "54001"),
                "{}: {e}",
                head(sql)
            );
        }
    }
}

fn chain(n: usize, separator: &str, term: impl Fn(usize) -> String) -> String {
    (0..n).map(term).collect::<Vec<_>>().join(separator)
}

#[test]
fn deep_nesting() {
    let s = session();
    for n in [100, 390, N] {
        let wrap =
            |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(n), close.repeat(n));
        let even = n.is_multiple_of(2);
        let from = "FROM range(1, 2)";
        answers_or_refuses(&s, &format!("SELECT {}", wrap("(", "1", ")")), &["1"]);
        answers_or_refuses(&s, &format!("SELECT {} {from}", wrap("abs(", "id", ")")), &["1"]);
        answers_or_refuses(&s, &format!("SELECT {} {from}", wrap("(1 * ", "id", ")")), &["1"]);
        let not = wrap("NOT ", "id = 1", "");
        answers_or_refuses(&s, &format!("SELECT {not} {from}"), &[if even { "true" } else { "false" }]);
        let case = wrap("CASE WHEN id = 1 THEN ", "7", " END");
        answers_or_refuses(&s, &format!("SELECT {case} {from}"), &["7"]);
        let case = wrap("CASE WHEN id = 2 THEN 0 ELSE ", "7", " END");
        answers_or_refuses(&s, &format!("SELECT {case} {from}"), &["7"]);
        answers_or_refuses(
            &s,
            &format!("SELECT element_at({}, 1) IS NOT NULL", wrap("array(", "1", ")")),
            &["true"],
        );
        answers_or_refuses(&s, &wrap("SELECT * FROM (", "SELECT 5", ")"), &["5"]);
        answers_or_refuses(&s, &wrap("SELECT (", "SELECT 5", ")"), &["5"]);
        let exists = wrap("SELECT 1 WHERE EXISTS (", "SELECT 5", ")");
        answers_or_refuses(&s, &exists, &["1"]);
        let inside = wrap("SELECT id FROM range(3) WHERE id IN (", "SELECT 2L", ")");
        answers_or_refuses(&s, &inside, &["2"]);
        let ctes = chain(n, ", ", |i| match i {
            0 => "c0 AS (SELECT 1 AS a)".to_string(),
            i => format!("c{i} AS (SELECT a FROM c{})", i - 1),
        });
        answers_or_refuses(&s, &format!("WITH {ctes} SELECT a FROM c{}", n - 1), &["1"]);
    }
}

#[test]
fn views_on_views() {
    let s = session();
    s.run("CREATE TEMPORARY VIEW v0 AS SELECT 1 AS a").unwrap();
    for i in 1..=100 {
        s.run(&format!("CREATE TEMPORARY VIEW v{i} AS SELECT a FROM v{}", i - 1))
            .unwrap_or_else(|e| panic!("v{i}: {e}"));
    }
    answers(&s, "SELECT a FROM v99", &["1"]);
    // As in Spark, by spark.sql.view.maxNestedViewDepth.
    let error = run(&s, "CREATE TEMPORARY VIEW v101 AS SELECT a FROM v100").unwrap_err();
    assert_eq!((error.condition(), error.sql_state()), ("VIEW_EXCEED_MAX_NESTED_DEPTH", "54K00"), "{error}");
}

#[test]
fn long_chains_of_conditions() {
    let s = session();
    let from = "FROM range(0, 20000)";
    let and = chain(N, " AND ", |i| format!("id <> {i}"));
    answers(&s, &format!("SELECT count(*) {from} WHERE {and}"), &["10000"]);
    let or = chain(N, " OR ", |i| format!("id = {}", i * 2));
    answers(&s, &format!("SELECT count(*) FROM range(0, 100) WHERE {or}"), &["50"]);
    let mixed = chain(N, " OR ", |i| format!("(id = {i} AND id % 2 = 1)"));
    answers(&s, &format!("SELECT count(*) FROM range(0, 100) WHERE {mixed}"), &["50"]);
    let list = chain(N, ", ", |i| (i * 2).to_string());
    answers(&s, &format!("SELECT count(*) {from} WHERE id IN ({list})"), &["10000"]);
    answers(&s, &format!("SELECT count(*) {from} WHERE id NOT IN ({list})"), &["10000"]);
    let branches = chain(N, " ", |i| format!("WHEN {i} THEN {}", i + 1));
    answers(&s, &format!("SELECT sum(CASE id {branches} END) FROM range(0, 100)"), &["5050"]);
    let branches = chain(N, " ", |i| format!("WHEN id = {i} THEN {}", i + 1));
    answers(&s, &format!("SELECT sum(CASE {branches} END) FROM range(0, 100)"), &["5050"]);
}

#[test]
fn long_chains_of_operators() {
    let s = session();
    let from = "FROM range(1, 3)";
    let expected = [&N.to_string()[..], &(2 * N).to_string()];
    answers_or_refuses(&s, &format!("SELECT {} {from}", chain(N, " + ", |_| "id".into())), &expected);
    answers_or_refuses(&s, &format!("SELECT {} FROM range(1)", chain(N, " - ", |_| "id".into())), &["0"]);
    answers_or_refuses(&s, &format!("SELECT {}", chain(N, " + ", |_| "1".into())), &["10000"]);
    let text = "x".repeat(N);
    answers_or_refuses(
        &s,
        &format!("SELECT {} FROM VALUES ('x') AS t(s)", chain(N, " || ", |_| "s".into())),
        &[&text],
    );
    answers_or_refuses(
        &s,
        &format!("SELECT concat({}) FROM VALUES ('x') AS t(s)", chain(N, ", ", |_| "s".into())),
        &[&text],
    );
    answers_or_refuses(&s, &format!("SELECT greatest({})", chain(N, ", ", |i| i.to_string())), &["9999"]);
    answers_or_refuses(&s, &format!("SELECT coalesce({}, 1)", chain(N, ", ", |_| "NULL".into())), &["1"]);
    answers_or_refuses(&s, &format!("SELECT size(array({}))", chain(N, ", ", |i| i.to_string())), &["10000"]);
}

#[test]
fn long_chains_of_relations() {
    let s = session();
    let unions = chain(N, " UNION ALL ", |i| format!("SELECT {i} AS a"));
    answers_or_refuses(&s, &format!("SELECT count(*), sum(a) FROM ({unions})"), &["10000\t49995000"]);
    let unions = chain(1_000, " UNION ", |i| format!("SELECT {} AS a", i % 10));
    answers_or_refuses(&s, &format!("SELECT count(*) FROM ({unions})"), &["10"]);
    let joins = chain(60, ", ", |i| format!("(SELECT 1 AS a{i}) t{i}"));
    answers_or_refuses(&s, &format!("SELECT count(*) FROM {joins}"), &["1"]);
    let joins = chain(60, " ", |i| format!("JOIN range(10) t{i} ON t{i}.id = t.id"));
    answers_or_refuses(&s, &format!("SELECT count(*) FROM range(10) t {joins}"), &["10"]);
}

#[test]
fn wide_rows() {
    let s = session();
    let columns = chain(N, ", ", |i| format!("id + {i} AS c{i}"));
    answers(&s, &format!("SELECT c0 + c9999 FROM (SELECT {columns} FROM range(1))"), &["9999"]);
    let sums = chain(1_000, ", ", |i| format!("sum(id + {i})"));
    let expected: Vec<String> = (0..1_000).map(|i| (45 + 10 * i).to_string()).collect();
    answers(&s, &format!("SELECT {sums} FROM range(10)"), &[&expected.join("\t")]);
}

/// The most memory that this process ever had, in bytes; nothing where `/proc` does not say.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[test]
fn ten_megabytes_of_text() {
    let s = session();
    let long = "é".repeat(5_000_000);
    answers(&s, &format!("SELECT length('{long}')"), &["5000000"]);
    let mut list = String::new();
    for i in 0..1_200_000 {
        let _ = write!(list, "{}{}", if i == 0 { "" } else { ", " }, i * 2);
    }
    assert!(list.len() > 10_000_000);
    answers(&s, &format!("SELECT count(*) FROM range(0, 1000) WHERE id IN ({list})"), &["500"]);
    let mut values = String::new();
    for i in 0..500_000 {
        let _ = write!(values, "{}({i}, 'name {i}')", if i == 0 { "" } else { ", " });
    }
    assert!(values.len() > 10_000_000);
    answers(
        &s,
        &format!("SELECT count(*), sum(a), max(b) FROM VALUES {values} AS t(a, b)"),
        &["500000\t124999750000\tname 99999"],
    );
    // Other tests of this file run in the same process at the same time: a bound against waste, not a measurement.
    if let Some(peak) = peak_memory() {
        println!("peak: {} MB", peak >> 20);
        assert!(peak < 6 << 30, "{} MB", peak >> 20);
    }
}
