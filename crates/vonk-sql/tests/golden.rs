//! Every statement of the golden tests: what Spark answered must parse, what Spark's parser refused must be refused alike.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use vonk_sql::{ParseOptions, parse_statement};

/// A record of a `.slt` file: the statement, and the condition it failed with.
struct Record {
    sql: String,
    condition: Option<String>,
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "slt") {
            out.push(path);
        }
    }
}

fn records(text: &str) -> Vec<Record> {
    let mut out = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if !line.starts_with("query ") {
            continue;
        }
        let is_error = line.starts_with("query error");
        let sql: Vec<&str> = lines.by_ref().take_while(|l| *l != "----").collect();
        let first = lines.next().unwrap_or("");
        let condition =
            is_error.then(|| first.trim_start_matches('[').split(']').next().unwrap_or("").to_string());
        out.push(Record { sql: sql.join("\n"), condition });
    }
    out
}

/// Whether Spark's parser refuses what is known only later here: of a text that is parsed when it is executed, of functions and
/// window frames whose arguments have been resolved.
fn is_found_later(sql: &str, condition: &str) -> bool {
    sql.starts_with("EXECUTE IMMEDIATE")
        || condition == "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX"
        || condition == "INVALID_SQL_SYNTAX.INVALID_WINDOW_FRAME_BOUND"
}

#[test]
fn golden_statements_parse_as_in_spark() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sql-tests");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    paths.sort();
    let mut count = 0;
    let mut wrong = Vec::new();
    for path in paths {
        for record in records(&fs::read_to_string(&path).unwrap()) {
            count += 1;
            let parsed = parse_statement(&record.sql, &ParseOptions::default());
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match (&record.condition, parsed) {
                (Some(c), Ok(_)) if is_found_later(&record.sql, c) => {}
                (None, Err(e)) => wrong.push(format!("{name}: refused: {}\n    {e}", record.sql)),
                (Some(c), Ok(_)) if c.starts_with("PARSE_") || c.starts_with("INVALID_SQL_SYNTAX") => {
                    wrong.push(format!("{name}: accepted, but {c}: {}", record.sql));
                }
                (Some(c), Err(e)) if e.condition() != c && !e.condition().starts_with("_UNSUPPORTED") => {
                    wrong.push(format!("{name}: {} instead of {c}: {}", e.condition(), record.sql));
                }
                _ => {}
            }
        }
    }
    assert!(count > 500, "only {count} statements found");
    assert!(wrong.is_empty(), "{} of {count} statements:\n{}", wrong.len(), wrong.join("\n"));
}
