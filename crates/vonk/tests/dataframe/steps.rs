//! Projections, filters, groups, sets, sorts and limits.

use crate::{check, check_ordered, condition, letters, message, session};
use vonk::Window;
use vonk::functions::*;

#[test]
fn columns_are_added_replaced_renamed_and_dropped() {
    let s = session();
    let df = letters(&s);
    let rows = ["0\t1\ta", "1\t2\tb", "2\t3\ta", "3\t4\tb"];
    check(df.with_column("V", col("id") + 1), "struct<id:bigint,V:bigint,k:string>", &rows);
    check(
        df.with_columns([("a", col("id") + 1), ("v", col("v") + 1)]),
        "struct<id:bigint,v:bigint,k:string,a:bigint>",
        &["0\t1\ta\t1", "1\t3\tb\t2", "2\t5\ta\t3", "3\t7\tb\t4"],
    );
    let rows = ["0\t0\ta", "1\t2\tb", "2\t4\ta", "3\t6\tb"];
    check(df.with_column_renamed("ID", "x"), "struct<x:bigint,v:bigint,k:string>", &rows);
    check(df.with_column_renamed("zz", "x"), "struct<id:bigint,v:bigint,k:string>", &rows);
    check(df.to_df(["a", "b", "c"]), "struct<a:bigint,b:bigint,c:string>", &rows);
    check(df.drop(["V", "zz"]), "struct<id:bigint,k:string>", &["0\ta", "1\tb", "2\ta", "3\tb"]);
    check(df.drop(df.col("v").unwrap()), "struct<id:bigint,k:string>", &["0\ta", "1\tb", "2\ta", "3\tb"]);
    assert_eq!(condition(df.to_df(["a", "b"])), "ASSIGNMENT_ARITY_MISMATCH");
    assert_eq!(condition(df.with_columns([("x", lit(1)), ("X", lit(2))])), "COLUMN_ALREADY_EXISTS");
    assert_eq!(df.drop(("id", "v", "k")).unwrap().count().unwrap(), 4);
}

#[test]
fn windows() {
    let s = session();
    let df = letters(&s);
    let by = Window::partition_by("k").order_by(col("id").desc());
    check(
        df.with_column("r", row_number().over(by)),
        "struct<id:bigint,v:bigint,k:string,r:int>",
        &["2\t4\ta\t1", "0\t0\ta\t2", "3\t6\tb\t1", "1\t2\tb\t2"],
    );
    let so_far = Window::partition_by("k").order_by("id").rows_between(Window::UNBOUNDED_PRECEDING, 0);
    check(
        df.select((
            "id",
            sum("v").over(so_far).alias("s"),
            lag(("id", 1, -1)).over(Window::order_by("id")).alias("l"),
        )),
        "struct<id:bigint,s:bigint,l:bigint>",
        &["0\t0\t-1", "1\t2\t0", "2\t4\t1", "3\t8\t2"],
    );
    let around = Window::order_by("id").range_between(-1, 1);
    check(
        df.select((col("id"), sum("id").over(around))),
        "struct<id:bigint,sum(id) OVER (ORDER BY id ASC NULLS FIRST RANGE BETWEEN -1 FOLLOWING AND 1 FOLLOWING):bigint>",
        &["0\t1", "1\t3", "2\t6", "3\t5"],
    );
}

#[test]
fn groups() {
    let s = session();
    let df = letters(&s);
    check(df.group_by("k").sum([]), "struct<k:string,sum(id):bigint,sum(v):bigint>", &["b\t4\t8", "a\t2\t4"]);
    check(
        df.group_by("k").avg(["v", "id"]),
        "struct<k:string,avg(v):double,avg(id):double>",
        &["b\t4.0\t2.0", "a\t2.0\t1.0"],
    );
    check(df.group_by("k").count(), "struct<k:string,count:bigint>", &["a\t2", "b\t2"]);
    check(df.group_by("k").max([]), "struct<k:string,max(id):bigint,max(v):bigint>", &["b\t3\t6", "a\t2\t4"]);
    assert_eq!(
        message(df.group_by("id").sum(["k"])),
        "[_ILLEGAL_ARGUMENT] \"k\" is not a numeric column. Aggregation function can only be applied on a numeric column. SQLSTATE: 22023"
    );
    check(
        df.group_by((col("id") % 2).alias("m")).agg((sum("v"), count("*"))),
        "struct<m:bigint,sum(v):bigint,count(1):bigint>",
        &["0\t4\t2", "1\t8\t2"],
    );
    check(df.rollup("k").count(), "struct<k:string,count:bigint>", &["b\t2", "NULL\t4", "a\t2"]);
    assert_eq!(df.cube(("k", "id")).agg((grouping_id(()), sum("v"))).unwrap().count().unwrap(), 11);
    check(
        df.agg((sum("v"), count_distinct("k"))),
        "struct<sum(v):bigint,count(DISTINCT k):bigint>",
        &["12\t2"],
    );
    check(df.group_by(()).agg(lit(1).alias("one")), "struct<one:int>", &["1"]);
    check(df.group_by(lit(7).alias("x")).count(), "struct<x:int,count:bigint>", &["7\t4"]);
    check(df.select((sum("v"), lit(1))), "struct<sum(v):bigint,1:int>", &["12\t1"]);
}

#[test]
fn pivots() {
    let s = session();
    let df = letters(&s);
    check(
        df.group_by("id").pivot("k").and_then(|p| p.sum(["v"])),
        "struct<id:bigint,a:bigint,b:bigint>",
        &["0\t0\tNULL", "1\tNULL\t2", "2\t4\tNULL", "3\tNULL\t6"],
    );
    check(
        df.group_by("id").pivot_values("k", ["b"]).and_then(|p| p.agg((sum("v").alias("s"), max("v")))),
        "struct<id:bigint,b_s:bigint,b_max(v):bigint>",
        &["0\tNULL\tNULL", "1\t2\t2", "2\tNULL\tNULL", "3\t6\t6"],
    );
}

#[test]
fn filters() {
    let s = session();
    let df = letters(&s);
    check(df.filter("v > 2 AND k = 'a'"), "struct<id:bigint,v:bigint,k:string>", &["2\t4\ta"]);
    check(df.filter(col("v").gt(2) & col("k").eq("a")), "struct<id:bigint,v:bigint,k:string>", &["2\t4\ta"]);
    assert_eq!(condition(df.filter(sum("v").gt(1))), "INVALID_WHERE_CONDITION");
    assert_eq!(condition(df.filter("v >")), "PARSE_SYNTAX_ERROR");
    // What the last projection left out can still be asked for, and is not shown.
    let ids = df.select("id").unwrap();
    check(ids.filter(col("v").gt(2)), "struct<id:bigint>", &["2", "3"]);
    let shifted = df.select(("k", (col("v") + 1).alias("v"))).unwrap();
    check(shifted.filter("v = 5 AND id = 2"), "struct<k:string,v:bigint>", &["a\t5"]);
    assert_eq!(condition(ids.filter("nope = 1")), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
    assert_eq!(
        condition(df.agg(sum("v").alias("s")).unwrap().filter("id = 1")),
        "UNRESOLVED_COLUMN.WITH_SUGGESTION"
    );
    let grouped = df.group_by("k").agg(sum("v").alias("s")).unwrap();
    check(grouped.filter(col("s").gt(4)), "struct<k:string,s:bigint>", &["b\t8"]);
    assert_eq!(condition(grouped.filter(col("v").gt(2))), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
}

#[test]
fn sorts_and_limits() {
    let s = session();
    let df = letters(&s);
    check_ordered(
        df.order_by((col("k").desc_nulls_last(), "id")),
        "struct<id:bigint,v:bigint,k:string>",
        &["1\t2\tb", "3\t6\tb", "0\t0\ta", "2\t4\ta"],
    );
    let ids = df.select("id").unwrap();
    check_ordered(ids.order_by(col("v").desc()), "struct<id:bigint>", &["3", "2", "1", "0"]);
    assert_eq!(condition(ids.order_by("nope")), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
    let sorted = df.order_by("id").unwrap();
    check_ordered(sorted.offset(2), "struct<id:bigint,v:bigint,k:string>", &["2\t4\ta", "3\t6\tb"]);
    check_ordered(sorted.limit(1), "struct<id:bigint,v:bigint,k:string>", &["0\t0\ta"]);
    assert_eq!(sorted.limit(0).unwrap().count().unwrap(), 0);
    assert_eq!(condition(df.limit(3_000_000_000)), "_ILLEGAL_ARGUMENT");
    assert_eq!(df.sort_within_partitions("id").unwrap().count().unwrap(), 4);
}

#[test]
fn sets() {
    let s = session();
    let df = letters(&s);
    let high = df.filter("id > 1").unwrap();
    let schema = "struct<id:bigint,v:bigint,k:string>";
    check(df.except_all(&high), schema, &["0\t0\ta", "1\t2\tb"]);
    check(df.except(&high), schema, &["0\t0\ta", "1\t2\tb"]);
    check(df.intersect(&high), schema, &["2\t4\ta", "3\t6\tb"]);
    assert_eq!(df.union(&high).unwrap().count().unwrap(), 6);
    assert_eq!(df.union(&high).unwrap().distinct().unwrap().count().unwrap(), 4);
    assert_eq!(condition(df.union(&df.select("id").unwrap())), "NUM_COLUMNS_MISMATCH");
    let (a, b) = (df.select(("id", "v")).unwrap(), df.select(("k", "id")).unwrap());
    check(
        a.union_by_name(&b, true),
        schema,
        &[
            "0\t0\tNULL",
            "1\t2\tNULL",
            "2\t4\tNULL",
            "3\t6\tNULL",
            "0\tNULL\ta",
            "1\tNULL\tb",
            "2\tNULL\ta",
            "3\tNULL\tb",
        ],
    );
    assert_eq!(
        message(a.union_by_name(&b, false)),
        "[UNRESOLVED_COLUMN_AMONG_FIELD_NAMES] Cannot resolve column name \"v\" among (k, id). SQLSTATE: 42703"
    );
    assert_eq!(df.drop_duplicates(["k"]).unwrap().count().unwrap(), 2);
    assert_eq!(df.drop_duplicates([]).unwrap().count().unwrap(), 4);
    assert_eq!(condition(df.drop_duplicates(["zz"])), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
}

#[test]
fn rows_of_columns() {
    let s = session();
    let df = letters(&s);
    check(
        df.unpivot("id", "v", "var", "val"),
        "struct<id:bigint,var:string,val:bigint>",
        &["0\tv\t0", "1\tv\t2", "2\tv\t4", "3\tv\t6"],
    );
    let numbers = df.select(("id", "v")).unwrap();
    assert_eq!(numbers.unpivot("id", (), "n", "x").unwrap().count().unwrap(), 4);
    check(
        df.limit(2).and_then(|d| d.select((col("id"), explode(array(("id", "v"))).alias("e")))),
        "struct<id:bigint,e:bigint>",
        &["0\t0", "0\t0", "1\t1", "1\t2"],
    );
    check(
        df.limit(1).and_then(|d| d.select(posexplode(array(("id", "v"))).aliases(["p", "x"]))),
        "struct<p:int,x:bigint>",
        &["0\t0", "1\t0"],
    );
}

#[test]
fn partitions() {
    let s = session();
    let df = letters(&s);
    assert_eq!(df.repartition(3).unwrap().count().unwrap(), 4);
    let spread = df.repartition_by(Some(3), col("id") % 2).unwrap();
    assert!(
        spread.explain_text("simple").unwrap().contains("hash of 1 key into 3"),
        "{}",
        spread.explain_text("").unwrap()
    );
    assert_eq!(df.repartition_by_range(Some(2), col("id").desc()).unwrap().count().unwrap(), 4);
    assert_eq!(df.repartition(8).unwrap().coalesce(1).unwrap().count().unwrap(), 4);
    assert_eq!(condition(df.repartition(0)), "_ILLEGAL_ARGUMENT");
    assert_eq!(condition(df.repartition_by_range(None, [] as [&str; 0])), "_ILLEGAL_ARGUMENT");
    let sample = s.range(0, 10_000).unwrap().sample(false, 0.5, Some(3)).unwrap();
    let (n, again) = (sample.count().unwrap(), sample.count().unwrap());
    assert!((4_700..5_300).contains(&n) && n == again, "{n} {again}");
    assert_eq!(condition(df.sample(false, 1.5, None)), "_ILLEGAL_ARGUMENT");
}

#[test]
fn steps_are_not_resolved_again() {
    // A thousand steps: were each to resolve all before it, this would take minutes.
    let s = session();
    let mut df = s.range(0, 3).unwrap();
    for i in 0..1_000 {
        df = df.with_column("id", col("id") + (i % 3)).unwrap();
    }
    check(Ok(df), "struct<id:bigint>", &["999", "1000", "1001"]);
}
