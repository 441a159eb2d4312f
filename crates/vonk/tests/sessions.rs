//! Sessions of one application: what they share, and what each has of its own.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use tempfile::TempDir;
use vonk::Session;

fn session() -> (TempDir, Session) {
    let dir = tempfile::tempdir().unwrap();
    let builder = Session::builder()
        .config("spark.master", "local[2]")
        .config("spark.sql.ansi.enabled", "false")
        .config("spark.local.dir", &dir.path().join("spill").to_string_lossy())
        .config("spark.sql.warehouse.dir", &dir.path().join("warehouse").to_string_lossy());
    (dir, builder.build().unwrap())
}

fn rows(session: &Session, sql: &str) -> Vec<String> {
    let answer = session.run(sql).and_then(|mut a| a.rows_as_text());
    answer.unwrap_or_else(|e| panic!("{sql}: {e}"))
}

fn condition(session: &Session, sql: &str) -> String {
    let answer = session.run(sql).and_then(|mut a| a.rows_as_text());
    answer.expect_err(sql).condition().to_string()
}

#[test]
fn a_new_session_shares_catalogs_and_has_settings_views_and_variables_of_its_own() {
    let (_dir, first) = session();
    for sql in [
        "SET spark.sql.shuffle.partitions = 7",
        "SET spark.sql.ansi.enabled = true",
        "CREATE DATABASE other",
        "CREATE TABLE other.t (a INT) USING parquet",
        "INSERT INTO other.t VALUES (1), (2)",
        "USE other",
        "CREATE TEMPORARY VIEW mine AS SELECT 1 AS a",
        "CREATE GLOBAL TEMPORARY VIEW everybodys AS SELECT 2 AS a",
        "DECLARE VARIABLE v INT DEFAULT 3",
        "CREATE TEMPORARY FUNCTION one(x INT) RETURNS INT RETURN x + 1",
        "CREATE FUNCTION other.two(x INT) RETURNS INT RETURN x + 2",
    ] {
        rows(&first, sql);
    }
    let second = first.new_session();
    // Shared.
    assert_eq!(rows(&second, "SELECT sum(a) FROM other.t"), ["3"]);
    assert_eq!(rows(&second, "SELECT a FROM global_temp.everybodys"), ["2"]);
    assert_eq!(rows(&second, "SELECT other.two(1)"), ["3"]);
    rows(&second, "CREATE GLOBAL TEMPORARY VIEW of_second AS SELECT 4 AS a");
    assert_eq!(rows(&first, "SELECT a FROM global_temp.of_second"), ["4"]);
    rows(&second, "CREATE TABLE of_second (a INT) USING parquet");
    assert_eq!(rows(&first, "SELECT count(*) FROM default.of_second"), ["0"]);
    // Its own, beginning with what the builder was told.
    assert_eq!(rows(&second, "SELECT current_database()"), ["default"]);
    assert_eq!(rows(&second, "SET spark.sql.ansi.enabled"), ["spark.sql.ansi.enabled\tfalse"]);
    assert_ne!(rows(&second, "SET spark.sql.shuffle.partitions"), ["spark.sql.shuffle.partitions\t7"]);
    assert_eq!(condition(&second, "SELECT * FROM mine"), "TABLE_OR_VIEW_NOT_FOUND");
    assert_eq!(condition(&second, "SELECT v"), "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION");
    assert_eq!(condition(&second, "SELECT one(1)"), "UNRESOLVED_ROUTINE");
    rows(&second, "CREATE TEMPORARY VIEW mine AS SELECT 5 AS a");
    rows(&second, "SET spark.sql.session.timeZone = Asia/Tokyo");
    assert_eq!(rows(&first, "SELECT a FROM mine"), ["1"]);
    assert_ne!(rows(&first, "SELECT current_timezone()"), ["Asia/Tokyo"]);
    // A session outlives the one that it was made of.
    drop(first);
    assert_eq!(rows(&second, "SELECT sum(id) FROM range(10)"), ["45"]);
    assert_eq!(rows(&second.new_session(), "SELECT a FROM global_temp.everybodys"), ["2"]);
}
