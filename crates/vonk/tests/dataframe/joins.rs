//! Joins, of different DataFrames and of one with itself.

use crate::{check, condition, letters, message, session};
use vonk::functions::*;

const BOTH: &str = "struct<id:bigint,v:bigint,k:string,id:bigint,v:bigint,k:string>";

#[test]
fn kinds_of_joins() {
    let s = session();
    let df = letters(&s);
    let high = df.filter("id > 1").unwrap();
    let on = |how| df.join_using(&high, ["id"], how);
    check(on("left_anti"), "struct<id:bigint,v:bigint,k:string>", &["0\t0\ta", "1\t2\tb"]);
    check(on("semi"), "struct<id:bigint,v:bigint,k:string>", &["2\t4\ta", "3\t6\tb"]);
    check(
        on("inner"),
        "struct<id:bigint,v:bigint,k:string,v:bigint,k:string>",
        &["2\t4\ta\t4\ta", "3\t6\tb\t6\tb"],
    );
    assert_eq!(on("FULL_OUTER").unwrap().count().unwrap(), 4);
    assert_eq!(on("right").unwrap().count().unwrap(), 2);
    assert_eq!(df.cross_join(&high).unwrap().count().unwrap(), 8);
    assert_eq!(condition(on("foo")), "UNSUPPORTED_JOIN_TYPE");
    assert_eq!(condition(df.join_using(&high, ["zz"], "inner")), "UNRESOLVED_USING_COLUMN_FOR_JOIN");
}

#[test]
fn a_dataframe_with_itself() {
    let s = session();
    let df = letters(&s);
    let high = df.filter("id > 1").unwrap();
    let id = || df.col("id").unwrap();
    check(
        df.join(&df, id().eq(id()), "inner"),
        BOTH,
        &["0\t0\ta\t0\t0\ta", "1\t2\tb\t1\t2\tb", "2\t4\ta\t2\t4\ta", "3\t6\tb\t3\t6\tb"],
    );
    let both = df.join(&high, id().eq(high.col("id").unwrap()), "inner");
    check(both.clone(), BOTH, &["2\t4\ta\t2\t4\ta", "3\t6\tb\t3\t6\tb"]);
    // Which of the two sides' columns is meant cannot be known.
    assert_eq!(
        condition(both.unwrap().select((df.col("v").unwrap(), high.col("v").unwrap()))),
        "_LEGACY_ERROR_TEMP_1182"
    );
    let using = df.join_using(&high, ["id"], "inner").unwrap();
    assert!(message(using.select(df.col("v").unwrap())).contains("Column v, v are ambiguous."));
    assert_eq!(
        condition(df.join(&high, id().gt(high.col("id").unwrap()), "inner")),
        "_LEGACY_ERROR_TEMP_1182"
    );
    let (a, b) = (df.alias("a").unwrap(), high.alias("b").unwrap());
    check(
        a.join(&b, col("a.id").eq(col("b.id")), "inner").and_then(|j| j.select(("a.id", "b.v"))),
        "struct<id:bigint,v:bigint>",
        &["2\t4", "3\t6"],
    );
    check(
        a.join_using(&b, ["id"], "left").and_then(|j| j.select("b.*")),
        "struct<id:bigint,v:bigint,k:string>",
        &["NULL\tNULL\tNULL", "NULL\tNULL\tNULL", "2\t4\ta", "3\t6\tb"],
    );
    check(a.select(("id", "v")).and_then(|d| d.select("a.v")), "struct<v:bigint>", &["0", "2", "4", "6"]);
}

#[test]
fn columns_of_other_dataframes() {
    let s = session();
    let df = letters(&s);
    let other = s.range(0, 3).unwrap();
    let error = message(df.select(other.col("id").unwrap()));
    assert!(error.starts_with("[MISSING_ATTRIBUTES.RESOLVED_ATTRIBUTE_APPEAR_IN_OPERATION] Resolved attribute(s) \"id\" missing from \"id\", \"v\", \"k\" in operator !Project"), "{error}");
    check(
        df.join(&other, df.col("v").unwrap().eq(other.col("id").unwrap()), "inner")
            .and_then(|j| j.select((df.col("id").unwrap(), other.col("id").unwrap().alias("o")))),
        "struct<id:bigint,o:bigint>",
        &["0\t0", "1\t2"],
    );
}

#[test]
fn one_dataframe_many_times() {
    // Columns of its own for each use, through unions and joins.
    let s = session();
    let df = letters(&s);
    let twice = df.union(&df).unwrap();
    let joined = twice.join_using(&twice, ["id"], "inner").unwrap();
    assert_eq!(joined.count().unwrap(), 16);
    let (a, b, c) = (df.alias("a").unwrap(), df.alias("b").unwrap(), df.alias("c").unwrap());
    let three = a
        .join(&b, col("a.id").eq(col("b.v")), "inner")
        .and_then(|ab| ab.join(&c, col("b.id").eq(col("c.v")), "left"))
        .and_then(|abc| abc.select((col("a.id").alias("x"), col("b.id").alias("y"), col("c.id").alias("z"))));
    check(three, "struct<x:bigint,y:bigint,z:bigint>", &["0\t0\t0", "2\t1\tNULL"]);
}
