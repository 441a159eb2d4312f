//! Functions in Rust, called from SQL and DataFrames.

use crate::{check, condition, letters, message, session};
use arrow::array::{ArrayRef, AsArray, Int32Array, StringViewArray};
use arrow::datatypes::Int64Type;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vonk::functions::*;
use vonk::udf::{Aggregator, Determinism};
use vonk::{DataType, Session};

#[test]
fn of_values() {
    let s = session();
    let add = s.udf().register("add_up", |a: i64, b: i64| a + b).unwrap();
    check(letters(&s).select(add.call(("id", "v")).alias("s")), "struct<s:bigint>", &["0", "3", "6", "9"]);
    // Nulls: without Option the result is null, with Option the function sees them.
    check(s.sql("SELECT add_up(1, NULL) AS s"), "struct<s:bigint>", &["NULL"]);
    s.udf().register("or_zero", |a: Option<i32>| a.unwrap_or(0)).unwrap();
    check(s.sql("SELECT or_zero(NULL) AS a, or_zero(7) AS b"), "struct<a:int,b:int>", &["0\t7"]);
    s.udf().register("even_half", |a: i64| (a % 2 == 0).then_some(a / 2)).unwrap();
    check(s.sql("SELECT even_half(id) AS h FROM range(3)"), "struct<h:bigint>", &["0", "NULL", "1"]);
    s.udf().register("tomorrow", |d: NaiveDate| d.checked_add_days(Days::new(1))).unwrap();
    s.udf().register("reversed", |t: String| t.chars().rev().collect::<String>()).unwrap();
    s.udf().register("bytes", |b: Vec<u8>| b.len() as i32).unwrap();
    s.udf().register("micros", |t: DateTime<Utc>| t.timestamp_micros()).unwrap();
    check(
        s.sql("SELECT tomorrow(DATE '2023-12-31') AS d, reversed('spark ✓') AS r, bytes(X'0102') AS b, micros(TIMESTAMP '1970-01-01 00:00:01') AS m"),
        "struct<d:date,r:string,b:int,m:bigint>",
        &["2024-01-01\t✓ kraps\t2\t1000000"],
    );
    // Narrower numbers are widened, others refused.
    check(s.sql("SELECT add_up(1Y, 2) AS s"), "struct<s:bigint>", &["3"]);
    assert_eq!(condition(s.sql("SELECT add_up('a', 2)")), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE");
    assert_eq!(condition(s.sql("SELECT add_up(1)")), "WRONG_NUM_ARGS.WITHOUT_SUGGESTION");
}

#[test]
fn failures_and_panics_end_the_query_alone() {
    let s = session();
    s.udf().register("picky", |n: i64| if n < 3 { Ok(n) } else { Err(format!("{n} is too much")) }).unwrap();
    let error = message(s.sql("SELECT picky(id) FROM range(10)").and_then(|d| d.collect()));
    assert!(error.starts_with("[FAILED_EXECUTE_UDF]") && error.contains("is too much"), "{error}");
    s.udf()
        .register("dying", |n: i64| -> i64 {
            if n == 5 { panic!("five") } else { n }
        })
        .unwrap();
    let error = s.sql("SELECT dying(id) FROM range(10)").and_then(|d| d.collect()).unwrap_err();
    assert!(error.to_string().contains("five"), "{error}");
    check(s.sql("SELECT dying(id) AS n FROM range(2)"), "struct<n:bigint>", &["0", "1"]);
}

#[test]
fn of_arrays() {
    let s = session();
    let twice = |args: &[ArrayRef]| -> vonk::Result<ArrayRef> {
        Ok(Arc::new(args[0].as_primitive::<Int64Type>().unary::<_, Int64Type>(|n| n.wrapping_mul(2))))
    };
    let twice = s
        .udf()
        .register_vectorized("twice", &[DataType::Long], DataType::Long, Determinism::Deterministic, twice)
        .unwrap();
    check(
        s.range(0, 3).and_then(|d| d.select(twice.call("id").alias("t"))),
        "struct<t:bigint>",
        &["0", "2", "4"],
    );
    let wrong = |_: &[ArrayRef]| -> vonk::Result<ArrayRef> { Ok(Arc::new(Int32Array::from(vec![1]))) };
    s.udf()
        .register_vectorized("short", &[DataType::Long], DataType::Int, Determinism::Deterministic, wrong)
        .unwrap();
    assert_eq!(
        condition(s.sql("SELECT short(id) FROM range(3)").and_then(|d| d.collect())),
        "FAILED_EXECUTE_UDF"
    );
    let texts = |args: &[ArrayRef]| -> vonk::Result<ArrayRef> {
        Ok(Arc::new(StringViewArray::from(vec!["x"; args[0].len()])))
    };
    s.udf()
        .register_vectorized("texts", &[DataType::Long], DataType::Int, Determinism::Deterministic, texts)
        .unwrap();
    assert_eq!(
        condition(s.sql("SELECT texts(id) FROM range(3)").and_then(|d| d.collect())),
        "FAILED_EXECUTE_UDF"
    );
}

/// The longest text, and how many there were.
#[derive(Serialize, Deserialize)]
struct Longest {
    text: String,
    rows: u64,
}

struct LongestText;

impl Aggregator for LongestText {
    type Input = String;
    type State = Longest;
    type Output = Option<String>;

    fn zero(&self) -> Longest {
        Longest { text: String::new(), rows: 0 }
    }

    fn reduce(&self, state: Longest, text: String) -> Longest {
        self.merge(state, Longest { text, rows: 1 })
    }

    fn merge(&self, a: Longest, b: Longest) -> Longest {
        let rows = a.rows + b.rows;
        let longer = if b.text.len() > a.text.len() { b.text } else { a.text };
        Longest { text: longer, rows }
    }

    fn finish(&self, state: Longest) -> Option<String> {
        (state.rows > 0).then(|| format!("{} of {}", state.text, state.rows))
    }

    fn size(&self, state: &Longest) -> usize {
        std::mem::size_of::<Longest>() + state.text.capacity()
    }
}

#[test]
fn aggregates() {
    let s = session();
    s.udf().register_aggregator("longest", LongestText).unwrap();
    let texts = "VALUES (1, 'a'), (1, 'abc'), (2, NULL), (1, NULL), (3, 'zz') AS t(k, x)";
    check(
        s.sql(&format!("SELECT k, longest(x) AS l FROM {texts} GROUP BY k")),
        "struct<k:int,l:string>",
        &["1\tabc of 2", "2\tNULL", "3\tzz of 1"],
    );
    check(s.sql(&format!("SELECT longest(x) AS l FROM {texts} WHERE k > 5")), "struct<l:string>", &["NULL"]);
    check(
        s.sql(&format!(
            "SELECT k, longest(x) FILTER (WHERE x <> 'abc') OVER (PARTITION BY k) AS l FROM {texts}"
        )),
        "struct<k:int,l:string>",
        &["1\ta of 1", "1\ta of 1", "1\ta of 1", "2\tNULL", "3\tzz of 1"],
    );
    let weighted = s
        .udf()
        .register_aggregate(
            "weighted",
            || (0.0f64, 0.0f64),
            |(sum, weights), (x, w): (f64, f64)| (sum + x * w, weights + w),
            |(a, v), (b, w)| (a + b, v + w),
            |(sum, weights)| (weights != 0.0).then(|| sum / weights),
        )
        .unwrap();
    // Many groups and tasks: states are merged.
    let many = s.sql("SELECT id % 1000 AS k, double(id) AS x FROM range(0, 100000, 1, 8)").unwrap();
    let means = many.group_by("k").agg(weighted.call((col("x"), lit(2.0))).alias("w")).unwrap();
    check(means.filter("k = 7"), "struct<k:bigint,w:double>", &["7\t49507.0"]);
    assert_eq!(means.count().unwrap(), 1000);
}

#[test]
fn states_go_to_disk() {
    let s = Session::builder()
        .config("spark.master", "local[2]")
        .config("spark.vonk.memory.limit", "4m")
        .build()
        .unwrap();
    s.udf().register_aggregator("longest", LongestText).unwrap();
    let df = s
        .sql(
            "SELECT longest(repeat('x', int(id % 50))) AS l FROM range(0, 400000, 1, 4) GROUP BY id % 100000",
        )
        .unwrap();
    assert_eq!(df.filter("l LIKE '% of 4'").unwrap().count().unwrap(), 100_000);
}

#[test]
fn names() {
    let s = session();
    s.udf().register("Mixed_Case1", |a: i32| a).unwrap();
    check(s.sql("SELECT MIXED_case1(1) AS a"), "struct<a:int>", &["1"]);
    // One that is built in gives way, in this session alone.
    s.udf().register("abs", |a: i32| a * 1000).unwrap();
    check(s.sql("SELECT abs(-1) AS a"), "struct<a:int>", &["-1000"]);
    check(s.new_session().sql("SELECT abs(-1) AS a"), "struct<a:int>", &["1"]);
    assert_eq!(condition(s.udf().register("no name", |a: i32| a)), "_ILLEGAL_ARGUMENT");
    assert_eq!(condition(s.sql("SELECT no_such(1)")), "UNRESOLVED_ROUTINE");
    let described = s.sql("DESCRIBE FUNCTION mixed_case1").unwrap().collect_text().unwrap().join("\n");
    assert!(described.contains("written in Rust"), "{described}");
}

#[test]
fn what_may_differ_each_time_is_not_folded() {
    use std::sync::atomic::{AtomicI64, Ordering};
    let s = session();
    let calls = Arc::new(AtomicI64::new(0));
    let counted = calls.clone();
    s.udf()
        .register_nondeterministic("ticket", move |_: i32| counted.fetch_add(1, Ordering::Relaxed))
        .unwrap();
    let tickets = s.sql("SELECT ticket(1) AS t FROM range(0, 10, 1, 1)").unwrap().collect_text().unwrap();
    assert_eq!(tickets.len(), 10);
    assert_eq!(calls.load(Ordering::Relaxed), 10, "once for each row");
}
