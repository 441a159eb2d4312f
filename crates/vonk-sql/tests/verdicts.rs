//! Statements of ours and the verdict of Spark's parser on each (`verdicts.tsv`: condition or `ok`, the offending token and the hint of
//! a syntax error, the statement). Verdicts are Spark 4.3's, never ours.

#![allow(clippy::unwrap_used)]

use vonk_plan::unresolved::Statement;
use vonk_sql::{ParseOptions, parse_statement};

struct Verdict<'a> {
    condition: &'a str,
    error: &'a str,
    hint: &'a str,
    sql: &'a str,
}

fn verdicts() -> Vec<Verdict<'static>> {
    let lines = include_str!("verdicts.tsv").lines();
    let verdict = |line: &'static str| {
        let mut parts = line.splitn(4, '\t');
        let mut next = || parts.next().unwrap();
        Verdict { condition: next(), error: next(), hint: next(), sql: next() }
    };
    lines.map(verdict).collect()
}

/// Our condition, and the parameters of a syntax error.
fn ours(sql: &str) -> (String, String, String) {
    match parse_statement(sql, &ParseOptions::default()) {
        Ok(Statement::Unsupported { .. }) => ("_UNSUPPORTED".into(), String::new(), String::new()),
        Ok(_) => ("ok".into(), String::new(), String::new()),
        Err(e) => {
            let param = |name: &str| {
                let found = e.params().find(|(k, _)| *k == name && e.condition() == "PARSE_SYNTAX_ERROR");
                found.map_or(String::new(), |(_, v)| v.to_string())
            };
            (e.condition().to_string(), param("error"), param("hint"))
        }
    }
}

/// Conditions that the parser leaves to later phases, and features that Vonk names as missing.
fn excused(spark: &str, ours: &str) -> bool {
    ours.starts_with("_UNSUPPORTED")
        || ours == "ok" && spark == "INVALID_TYPED_LITERAL"
        || spark == "ok"
            && matches!(ours, "TRAILING_COMMA_IN_SELECT" | "NOT_SUPPORTED_COMMAND_WITHOUT_HIVE_SUPPORT")
}

/// Statements Spark's parser accepts only to fail later, and ours refuses at once.
const REFUSED_EARLY: &[&str] = &["SELECT 1 GROUP BY ROLLUP (a) WITH CUBE"];

#[test]
fn conditions_are_sparks() {
    let mut wrong = Vec::new();
    for v in verdicts() {
        let (condition, ..) = ours(v.sql);
        if condition != v.condition && !REFUSED_EARLY.contains(&v.sql) && !excused(v.condition, &condition) {
            wrong.push(format!("{condition} instead of {}: {}", v.condition, v.sql));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Syntax errors that we report at another token than Spark does: its parser explores readings of a clause that ours does not take.
const OTHER_TOKENS: &[&str] = &[
    "SELECT CASE a WHEN 1 THEN 2",
    "SELECT CAST(1 AS map<int,int>",
    "SELECT * FROM a AS b(c",
    "SELECT 1 GROUP BY",
    "SELECT 1 GROUP BY a HAVING",
    "SELECT 1 ORDER BY a NULLS",
    "SELECT 1 ORDER BY",
    "SELECT 1 WINDOW w",
    "SELECT 1 WINDOW w (ORDER BY a)",
    "SELECT * FROM t UNPIVOT (a IN (c))",
    "SELECT f(() -> 1)",
];

#[test]
fn offending_tokens_and_hints_are_sparks() {
    let mut wrong = Vec::new();
    for v in verdicts() {
        let (condition, error, hint) = ours(v.sql);
        if condition != "PARSE_SYNTAX_ERROR" || v.condition != condition {
            continue;
        }
        let same = error == v.error && hint == v.hint;
        if same == OTHER_TOKENS.contains(&v.sql) {
            wrong.push(format!("{error}{hint} instead of {}{}: {}", v.error, v.hint, v.sql));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Statements with words left out, doubled, swapped (`mutants.tsv`: condition or `ok`, statement): some of Spark's readings of such texts
/// are not ours, but few.
#[test]
fn verdicts_on_broken_statements_are_sparks_but_for_a_percent() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for (condition, sql) in include_str!("mutants.tsv").lines().filter_map(|l| l.split_once('\t')) {
        let (found, ..) = ours(sql);
        count += 1;
        if found != condition && !excused(condition, &found) {
            wrong.push(format!("{found} instead of {condition}: {sql}"));
        }
    }
    assert!(wrong.len() * 100 <= count, "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
