//! What is known of statements before they run.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use vonk::{Control, DataType, Literal, Session, StatementKind};

fn session(dir: &std::path::Path) -> Session {
    let session = Session::builder()
        .config("spark.master", "local[1]")
        .config("spark.sql.warehouse.dir", &dir.to_string_lossy())
        .build()
        .unwrap();
    session
        .sql("CREATE TABLE t (i INT, s STRING, d DATE, p DECIMAL(10,2), xs ARRAY<INT>) USING parquet")
        .unwrap();
    session
}

/// Types of the parameters, as text; `?` where nothing asks for one.
fn types(session: &Session, sql: &str) -> Vec<String> {
    let prepared = session.prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    let text = |p: &vonk::PreparedParameter| {
        let t = p.data_type.as_ref().map_or("?".to_string(), DataType::catalog_string);
        p.name.as_ref().map_or(t.clone(), |n| format!("{n}:{t}"))
    };
    prepared.parameters.iter().map(text).collect()
}

#[test]
fn parameters_have_the_types_that_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    for (sql, expected) in [
        ("SELECT 1", vec![]),
        ("SELECT * FROM t WHERE i > ?", vec!["int"]),
        ("SELECT * FROM t WHERE s = ? AND d BETWEEN ? AND ?", vec!["string", "date", "date"]),
        ("SELECT * FROM t WHERE p IN (?, ?) LIMIT ?", vec!["decimal(10,2)", "decimal(10,2)", "int"]),
        ("SELECT coalesce(i, ?), ? FROM t", vec!["int", "?"]),
        ("SELECT CAST(? AS BIGINT), concat('a', ?)", vec!["bigint", "string"]),
        ("SELECT * FROM t WHERE i = :n OR i + 1 = :n OR s LIKE :p", vec!["n:int", "p:string"]),
        (
            "WITH unused AS (SELECT ?), used AS (SELECT ? + 1L AS x) SELECT x FROM used WHERE x < ?",
            vec!["?", "bigint", "bigint"],
        ),
        ("SELECT * FROM t a JOIN t b ON a.i = b.i AND b.d > ?", vec!["date"]),
        ("SELECT i, count(*) FROM t GROUP BY i HAVING count(*) > ? ORDER BY i", vec!["bigint"]),
        (
            "INSERT INTO t VALUES (?, ?, ?, ?, ?)",
            vec!["int", "string", "date", "decimal(10,2)", "array<int>"],
        ),
        ("INSERT INTO t (d, i) VALUES (?, ? + 1)", vec!["date", "int"]),
        ("INSERT INTO t (s, p) SELECT ?, ?", vec!["string", "decimal(10,2)"]),
        ("INSERT INTO t (s, i) SELECT s, ? FROM t WHERE d = ?", vec!["int", "date"]),
    ] {
        assert_eq!(types(&session, sql), expected, "{sql}");
    }
}

#[test]
fn statements_tell_their_columns_and_what_they_change() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    session.run("CREATE TEMPORARY VIEW mine AS SELECT 1 AS x").unwrap();
    session.run("DECLARE statement STRING DEFAULT 'SELECT 42 AS y'").unwrap();
    session.run("DECLARE answer INT").unwrap();
    session.run("SET what = SELECT").unwrap();
    use StatementKind::{Query, Read, Session as Own, Write};
    for (sql, kind, schema) in [
        ("SELECT i + ? AS j, s FROM t", Query, "struct<j:int,s:string>"),
        ("SHOW TABLES", Read, "struct<namespace:string,tableName:string,isTemporary:boolean>"),
        ("EXPLAIN SELECT * FROM t WHERE i = ?", Read, "struct<plan:string>"),
        ("DESCRIBE t", Read, "struct<col_name:string,data_type:string,comment:string>"),
        ("SET spark.sql.ansi.enabled = false", Own, "struct<key:string,value:string>"),
        ("USE default", Own, "struct<>"),
        ("CREATE TEMPORARY VIEW v AS SELECT 1", Own, "struct<>"),
        ("DROP VIEW mine", Own, "struct<>"),
        ("DROP VIEW other", Write, "struct<>"),
        ("CREATE GLOBAL TEMPORARY VIEW v AS SELECT 1", Write, "struct<>"),
        ("CREATE TABLE u USING parquet AS SELECT 1 AS x", Write, "struct<>"),
        ("INSERT INTO t (i) VALUES (1)", Write, "struct<>"),
        ("INSERT INTO t VALUES (DEFAULT, ?, ?, ?, ?)", Write, "struct<>"),
        ("DROP TABLE t", Write, "struct<>"),
        ("EXECUTE IMMEDIATE 'SELECT ? AS x, i FROM t' USING 'a'", Query, "struct<x:string,i:int>"),
        ("EXECUTE IMMEDIATE statement", Query, "struct<y:int>"),
        ("EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE statement'", Query, "struct<y:int>"),
        ("EXECUTE IMMEDIATE statement INTO answer", Own, "struct<>"),
        ("EXECUTE IMMEDIATE 'SHOW DATABASES'", Read, "struct<namespace:string>"),
        ("EXECUTE IMMEDIATE 'DROP ' || 'TABLE t'", Write, "struct<>"),
        ("EXECUTE IMMEDIATE ?", Write, "struct<>"),
        ("EXPLAIN EXECUTE IMMEDIATE statement", Read, "struct<plan:string>"),
        ("${what} 1 AS z", Query, "struct<z:int>"),
    ] {
        let prepared = session.prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        assert_eq!((prepared.kind, prepared.schema.catalog_string().as_str()), (kind, schema), "{sql}");
    }
    // None of them ran.
    assert_eq!(session.run("SELECT answer").unwrap().rows_as_text().unwrap(), ["NULL"]);
    assert!(session.run("SELECT * FROM t, mine").unwrap().collect().unwrap().is_empty());
    assert_eq!(
        session.run("SET spark.sql.ansi.enabled").unwrap().rows_as_text().unwrap(),
        ["spark.sql.ansi.enabled\ttrue"]
    );
}

#[test]
fn errors_are_those_of_running() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    for (sql, condition) in [
        ("SELECT nope FROM t WHERE i = ?", "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        ("SELEC 1", "PARSE_SYNTAX_ERROR"),
        ("SELECT * FROM nowhere", "TABLE_OR_VIEW_NOT_FOUND"),
        ("INSERT INTO nowhere VALUES (?)", "TABLE_OR_VIEW_NOT_FOUND"),
        ("EXECUTE IMMEDIATE 'SELECT nope FROM t'", "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        ("EXECUTE IMMEDIATE 'SELEC 1'", "PARSE_SYNTAX_ERROR"),
        ("DESCRIBE QUERY SELECT nope FROM t", "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
    ] {
        let error = session.prepare(sql).unwrap_err();
        assert_eq!(error.condition(), condition, "{sql}");
        assert!(error.context().is_some(), "{sql}: no place in {error}");
    }
    // Without values a statement does not run.
    let unbound = session.run("SELECT ?").map(drop).unwrap_err();
    assert_eq!(unbound.condition(), "UNBOUND_SQL_PARAMETER");
}

#[test]
fn preparing_runs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    // It would take for ever.
    let prepared =
        session.prepare("EXPLAIN ANALYZE SELECT count(*) FROM range(1000000000) a, range(1000000000) b");
    assert_eq!(prepared.unwrap().schema.catalog_string(), "struct<plan:string>");
}

#[test]
fn a_statement_that_may_only_read_writes_nothing_however_it_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    session.run("DECLARE statement STRING DEFAULT 'DROP TABLE t'").unwrap();
    session.run("SET sly = */ DROP TABLE t --").unwrap();
    let control = Control { read_only: true, ..Control::default() };
    for sql in [
        "DROP TABLE t",
        "EXECUTE IMMEDIATE 'DROP TABLE t'",
        "EXECUTE IMMEDIATE statement",
        "EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE statement'",
        // As it is written, a query.
        "/* ${sly} */ SELECT 1",
        "EXECUTE IMMEDIATE 'INSERT INTO t (i) VALUES (?)' USING 1",
    ] {
        let refused = session.execute(sql, &control).map(drop).unwrap_err();
        assert_eq!(refused.condition(), "_READ_ONLY", "{sql}");
    }
    for (sql, rows) in [
        ("EXECUTE IMMEDIATE 'SELECT count(*) FROM t'", vec!["0"]),
        ("DECLARE n BIGINT", vec![]),
        ("EXECUTE IMMEDIATE 'SELECT count(*) + 1 FROM t' INTO n", vec![]),
        ("EXECUTE IMMEDIATE 'SET VAR n = n + 1'", vec![]),
        ("SELECT n", vec!["2"]),
        ("EXPLAIN DROP TABLE t", vec!["== Physical Plan ==\nExecute Drop\n"]),
    ] {
        let mut answer = session.execute(sql, &control).unwrap_or_else(|e| panic!("{sql}: {e}"));
        assert_eq!(answer.rows_as_text().unwrap(), rows, "{sql}");
    }
}

#[test]
fn written_rows_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path());
    let mut control = Control::default();
    control.parameters.positional.push(Literal::int(7));
    session.execute("INSERT INTO t (i) VALUES (1), (2), (?)", &control).unwrap();
    assert_eq!(control.rows_written.load(std::sync::atomic::Ordering::Relaxed), 3);
    let rows = session.run("SELECT i FROM t ORDER BY i").unwrap().rows_as_text().unwrap();
    assert_eq!(rows, ["1", "2", "7"]);
}
