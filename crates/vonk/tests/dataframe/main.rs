//! DataFrames against what Apache Spark's (PySpark 4.3) answer to the same calls, and against the SQL that says the same.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

mod actions;
mod caching;
mod columns;
mod create;
mod joins;
mod na_and_stat;
#[path = "../numbering/mod.rs"]
mod numbering;
mod places;
mod plans;
mod providers;
mod shapes;
mod steps;
mod udfs;
mod writes;

use vonk::{DataFrame, Error, Result, Session};

/// A session of its own.
fn session() -> Session {
    Session::builder().config("spark.master", "local[2]").build().unwrap()
}

/// Four rows: a bigint, its double, and a letter that two rows each have.
fn letters(session: &Session) -> DataFrame {
    let sql = "SELECT id, id * 2 AS v, CASE WHEN id % 2 = 0 THEN 'a' ELSE 'b' END AS k FROM range(4)";
    session.sql(sql).unwrap()
}

/// Three rows of an int, a string, a double and a boolean, with nulls and a NaN.
fn nulls(session: &Session) -> DataFrame {
    let sql = "SELECT * FROM VALUES (1, 'a', 1.5D, true), (NULL, NULL, NULL, NULL), (3, NULL, double('NaN'), false) AS t(a, b, c, d)";
    session.sql(sql).unwrap()
}

/// Columns and sorted rows.
#[track_caller]
fn check(df: Result<DataFrame>, schema: &str, rows: &[&str]) {
    let df = df.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(df.schema().catalog_string(), schema);
    let mut found = df.collect_text().unwrap_or_else(|e| panic!("{e}"));
    found.sort();
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    assert_eq!(found, rows);
}

/// Columns and rows in order.
#[track_caller]
fn check_ordered(df: Result<DataFrame>, schema: &str, rows: &[&str]) {
    let df = df.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(df.schema().catalog_string(), schema);
    assert_eq!(df.collect_text().unwrap_or_else(|e| panic!("{e}")), rows);
}

/// The condition of an error.
#[track_caller]
fn condition<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(e) => e.condition().to_string(),
    }
}

/// The whole message.
#[track_caller]
fn message<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(e) => Error::to_string(&e),
    }
}
