//! Where errors of expressions point: at the call in the program, as Spark's do at the line that called, or into a piece of SQL.
//!
//! Which errors have a place and what they name is PySpark's answer to the same calls; names are those of the methods in Rust
//! (`div`, where Python says `__truediv__`).

use crate::{condition, message, session};
use vonk::functions::*;
use vonk::{Column, DataFrame, Error, QueryContext, Window};

/// What the place of an error names, and the line in this file; line 0 for SQL.
#[track_caller]
fn place(error: &Error) -> (String, u32) {
    match error.context() {
        Some(QueryContext::Call(c)) => {
            assert!(c.file.ends_with("places.rs"), "{}", c.file);
            (c.name.clone(), c.line)
        }
        Some(QueryContext::Sql(c)) => (c.fragment.clone(), 0),
        None => panic!("no place: {error}"),
    }
}

#[test]
fn errors_of_the_analysis_name_the_call() {
    let df = session().range(0, 3).unwrap();
    let cases: Vec<(Column, &str)> = vec![
        (col("nope"), "col"),
        (col("nope") + 1, "col"),
        (col("nope").alias("x"), "col"),
        (col("id").cast("array<int>").eq(1), "cast"),
        (date_add(("id", 1)), "date_add"),
        (sum(array("id")), "sum"),
        (sum(sum("id")), "sum"),
        (when(col("id"), 1), "when"),
        (!col("id"), "not"),
        (call_function("nopef", "id"), "call_function"),
        (col("id").is_nan() & col("id"), "bitand"),
    ];
    let first = line!() - 13;
    for (i, (column, name)) in cases.into_iter().enumerate() {
        let error = df.select(column).unwrap_err();
        assert_eq!(place(&error), (name.to_string(), first + i as u32 + 1), "{error}");
    }
}

#[test]
fn names_of_columns_are_the_step_that_takes_them() {
    let df = session().range(0, 3).unwrap();
    let here = |error: Error, line: u32| assert_eq!(place(&error), ("col".to_string(), line));
    here(df.select("nope").unwrap_err(), line!());
    here(df.select(("id", "nope")).unwrap_err(), line!());
    here(df.select(["id", "nope"]).unwrap_err(), line!());
    here(df.select(vec!["nope"]).unwrap_err(), line!());
    here(df.group_by("nope").count().unwrap_err(), line!());
    here(df.order_by("nope").unwrap_err(), line!());
    here(df.order_by((col("id"), col("nope").desc())).unwrap_err(), line!());
    here(df.with_column("x", col("nope")).unwrap_err(), line!());
    here(df.filter(col("nope").eq(1)).unwrap_err(), line!());
    here(df.col("nope").unwrap_err(), line!());
    here(df.select(round(("nope", 2))).unwrap_err(), line!());
    here(df.select(transform(array("id"), |x| x + col("nope"))).unwrap_err(), line!());
    here(df.select(row_number().over(Window::order_by("nope"))).unwrap_err(), line!());
    // Steps that build nothing of their own have none, as in Spark.
    let wide = df.select(("id", "id")).unwrap();
    assert!(df.union(&wide).unwrap_err().context().is_none());
}

#[test]
fn errors_at_run_time_name_the_call() {
    let s = session();
    let df = s.range(0, 3).unwrap();
    let cases: Vec<(Column, &str, &str)> = vec![
        (lit(1) / col("id"), "DIVIDE_BY_ZERO", "div"),
        ((col("id") / 0).alias("q"), "DIVIDE_BY_ZERO", "div"),
        (1 / col("id"), "DIVIDE_BY_ZERO", "div"),
        (lit("x").cast("int") + 1, "CAST_INVALID_INPUT", "cast"),
        (lit("x") + 1, "CAST_INVALID_INPUT", "add"),
        (lit("x").eq(1), "CAST_INVALID_INPUT", "eq"),
        (lit(1).isin(["x"]), "CAST_INVALID_INPUT", "isin"),
        (coalesce((lit("x"), 1)), "CAST_INVALID_INPUT", "coalesce"),
        (sum(lit("x")), "CAST_INVALID_INPUT", "sum"),
        (abs(lit("x")), "CAST_INVALID_INPUT", "abs"),
        (to_date(lit("xx")), "CAST_INVALID_INPUT", "to_date"),
        (element_at(array("id"), 5), "INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "element_at"),
        (array("id").get_item(5), "INVALID_ARRAY_INDEX", "get_item"),
        (col("id") + i64::MAX, "ARITHMETIC_OVERFLOW", "add"),
        (array_insert(array("id"), 0, 1), "INVALID_INDEX_OF_ZERO", "array_insert"),
    ];
    let first = line!() - 17;
    for (i, (column, condition, name)) in cases.into_iter().enumerate() {
        let error = df.select(column).and_then(|d| d.collect()).unwrap_err();
        assert_eq!(error.condition(), condition);
        assert_eq!(place(&error), (name.to_string(), first + i as u32 + 1), "{error}");
    }
}

#[test]
fn places_are_written_as_spark_does() {
    let df = session().range(0, 3).unwrap();
    let line = line!() + 1;
    let failing = df.select((lit(1) / col("id")).alias("q")).unwrap();
    let shown = message(failing.collect());
    let place =
        format!("== DataFrame ==\n\"div\" was called from\ncrates/vonk/tests/dataframe/places.rs:{line}:");
    assert!(shown.contains(&place), "{shown}");
    // They stay with what is made of it.
    failing.create_or_replace_temp_view("failing").unwrap();
    let above = failing.session().sql("SELECT * FROM failing WHERE q > 0").unwrap();
    assert!(message(above.collect()).contains(&place));
}

#[test]
fn pieces_of_sql_show_their_text() {
    let s = session();
    let df = s.range(0, 2).unwrap();
    let sql = |result: vonk::Result<DataFrame>| {
        let error = result.and_then(|d| d.collect()).unwrap_err();
        (error.condition().to_string(), place(&error))
    };
    let divided = ("DIVIDE_BY_ZERO".to_string(), ("1/id".to_string(), 0));
    assert_eq!(sql(df.select(expr("1/id"))), divided);
    assert_eq!(sql(df.select_expr(["id", "1/id AS q"])), divided);
    assert_eq!(sql(df.filter("1/id > 1")), divided);
    assert_eq!(sql(df.filter("nope > 1")).1, ("nope".to_string(), 0));
    assert_eq!(sql(df.select(expr("id + (SELECT max(nope) FROM range(1))"))).1, ("nope".to_string(), 0));
    // A statement that a DataFrame stands over keeps its own.
    let above = s.sql("SELECT 1 / id AS q FROM range(2)").unwrap().filter(col("q").gt(0));
    assert_eq!(sql(above).1, ("1 / id".to_string(), 0));
    assert_eq!(condition(df.select(expr("id +"))), "PARSE_SYNTAX_ERROR");
    assert!(message(df.select(expr("id +"))).contains("== SQL (line 1, position 4) =="));
}
