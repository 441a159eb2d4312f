//! Parses and analyzes the statements of `sql-tests`, and checks schemas and analysis errors against Spark's recorded answers.
//!
//! Nothing is executed: a statement that Spark refused at run time passes if it resolves.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::PathBuf;
use support::{Outcome, Suite};

fn folder(name: &str) -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../sql-tests").join(name);
    let mut files: Vec<PathBuf> = Vec::new();
    let mut todo = vec![root];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|e| e == "slt") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Runs a folder's files; prints what differs; returns how many passed and how many did not.
fn check(name: &str) -> (usize, usize) {
    let only = std::env::var("GOLDEN").unwrap_or_default();
    let (mut passed, mut failed) = (0, 0);
    for file in folder(name) {
        if !file.to_string_lossy().contains(&only) {
            continue;
        }
        let outcomes = Suite::run(&file);
        let (mut good, mut bad) = (0, 0);
        for (sql, outcome) in outcomes {
            match outcome {
                Outcome::Passed => good += 1,
                Outcome::Skipped => {}
                Outcome::Failed { expected, got } => {
                    bad += 1;
                    println!("--- {}\n{sql}\n  expected {expected}\n  got      {got}", file.display());
                }
            }
        }
        println!("{}: {good} of {}", file.file_name().unwrap().to_string_lossy(), good + bad);
        passed += good;
        failed += bad;
    }
    println!("{name}: {passed} of {}", passed + failed);
    (passed, failed)
}

/// Nearly all: a name, type or text that is not Spark's yet is for the tests of the parser, of types and of functions to fail on; a
/// mistake in names or clauses fails many statements.
fn nearly_all((passed, failed): (usize, usize)) {
    assert!(failed * 33 <= passed, "{failed} of {} differ", passed + failed);
}

#[test]
fn tpch() {
    nearly_all(check("tpch"));
}

#[test]
fn queries() {
    nearly_all(check("queries"));
}

#[test]
fn types() {
    nearly_all(check("types"));
}

#[test]
fn functions() {
    nearly_all(check("functions"));
}

/// Our own statements, answered by Spark: what the analyzer says about clauses, names and calls.
#[test]
fn statements() {
    assert_eq!(check("../crates/vonk-analyzer/tests/statements").1, 0);
}
