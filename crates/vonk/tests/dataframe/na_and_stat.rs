//! Nulls and statistics.

use crate::{check, check_ordered, condition, letters, nulls, session};
use vonk::{Fill, How};

const COLUMNS: &str = "struct<a:int,b:string,c:double,d:boolean>";

#[test]
fn rows_with_nulls_are_dropped() {
    let s = session();
    let df = nulls(&s);
    check(df.na().drop(How::Any, []), COLUMNS, &["1\ta\t1.5\ttrue"]);
    check(df.na().drop(How::All, []), COLUMNS, &["1\ta\t1.5\ttrue", "3\tNULL\tNaN\tfalse"]);
    check(df.na().drop_below(2, []), COLUMNS, &["1\ta\t1.5\ttrue", "3\tNULL\tNaN\tfalse"]);
    check(df.na().drop_below(3, []), COLUMNS, &["1\ta\t1.5\ttrue"]);
    check(df.na().drop(How::Any, ["a"]), COLUMNS, &["1\ta\t1.5\ttrue", "3\tNULL\tNaN\tfalse"]);
    assert_eq!(condition(df.na().drop(How::Any, ["zz"])), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
}

#[test]
fn nulls_are_filled() {
    let s = session();
    let df = nulls(&s);
    let first = "1\ta\t1.5\ttrue";
    check(df.na().fill(0, []), COLUMNS, &[first, "0\tNULL\t0.0\tNULL", "3\tNULL\t0.0\tfalse"]);
    check(df.na().fill(7.6, []), COLUMNS, &[first, "7\tNULL\t7.6\tNULL", "3\tNULL\t7.6\tfalse"]);
    check(df.na().fill("x", []), COLUMNS, &[first, "NULL\tx\tNULL\tNULL", "3\tx\tNaN\tfalse"]);
    check(df.na().fill(true, []), COLUMNS, &[first, "NULL\tNULL\tNULL\ttrue", "3\tNULL\tNaN\tfalse"]);
    check(
        df.na().fill_each([("a", Fill::from(5)), ("b", Fill::from("q"))]),
        COLUMNS,
        &[first, "5\tq\tNULL\tNULL", "3\tq\tNaN\tfalse"],
    );
    assert_eq!(condition(df.na().fill(0, ["zz"])), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
}

#[test]
fn values_are_replaced() {
    let s = session();
    let df = nulls(&s);
    let rest = ["NULL\tNULL\tNULL\tNULL", "3\tNULL\tNaN\tfalse"];
    check(df.na().replace([], &[(1, Some(10))]), COLUMNS, &["10\ta\t1.5\ttrue", rest[0], rest[1]]);
    check(df.na().replace(["b"], &[("a", Some("z"))]), COLUMNS, &["1\tz\t1.5\ttrue", rest[0], rest[1]]);
    check(df.na().replace(["b"], &[("a", None)]), COLUMNS, &["1\tNULL\t1.5\ttrue", rest[0], rest[1]]);
}

#[test]
fn statistics() {
    let s = session();
    let df = letters(&s);
    assert_eq!(df.stat().corr("id", "v").unwrap(), 1.0);
    assert_eq!(df.stat().cov("id", "v").unwrap(), 3.333_333_333_333_333_5);
    assert_eq!(df.stat().approx_quantile("v", &[0.0, 0.5, 1.0], 0.0).unwrap(), [0.0, 2.0, 6.0]);
    assert_eq!(df.stat().approx_quantile("v", &[], 0.0).unwrap(), [0.0; 0]);
    assert_eq!(condition(df.stat().corr("id", "k")), "_ILLEGAL_ARGUMENT");
    assert_eq!(condition(df.stat().approx_quantile("v", &[1.5], 0.0)), "_ILLEGAL_ARGUMENT");
    check(
        df.stat().crosstab("k", "v"),
        "struct<k_v:string,0:bigint,2:bigint,4:bigint,6:bigint>",
        &["b\t0\t1\t0\t1", "a\t1\t0\t1\t0"],
    );
    check(
        df.stat().sample_by("k", [("a", 1.0)], 1),
        "struct<id:bigint,v:bigint,k:string>",
        &["0\t0\ta", "2\t4\ta"],
    );
}

#[test]
fn describe_and_summary() {
    let s = session();
    let df = letters(&s);
    let all = "struct<summary:string,id:string,v:string,k:string>";
    let (count, mean) = ("count\t4\t4\t4", "mean\t1.5\t3.0\tNULL");
    let (deviation, least) = ("stddev\t1.2909944487358056\t2.581988897471611\tNULL", "min\t0\t0\ta");
    check_ordered(df.describe([]), all, &[count, mean, deviation, least, "max\t3\t6\tb"]);
    check_ordered(
        df.describe(["v", "k"]),
        "struct<summary:string,v:string,k:string>",
        &["count\t4\t4", "mean\t3.0\tNULL", "stddev\t2.581988897471611\tNULL", "min\t0\ta", "max\t6\tb"],
    );
    check_ordered(
        df.summary([]),
        all,
        &[
            count,
            mean,
            deviation,
            least,
            "25%\t0\t0\tNULL",
            "50%\t1\t2\tNULL",
            "75%\t2\t4\tNULL",
            "max\t3\t6\tb",
        ],
    );
    check_ordered(
        df.summary(["count", "33%", "max", "count_distinct", "approx_count_distinct"]),
        all,
        &[
            count,
            "33%\t1\t2\tNULL",
            "max\t3\t6\tb",
            "count_distinct\t4\t4\t2",
            "approx_count_distinct\t4\t4\t2",
        ],
    );
    assert_eq!(condition(df.summary(["median"])), "_ILLEGAL_ARGUMENT");
}
