//! Expressions: what they are called, and what they give.

use crate::{check, condition, session};
use vonk::functions::*;
use vonk::{Column, DataFrame, Session, Window};

fn wide(s: &Session) -> DataFrame {
    s.sql(
        "SELECT id, id * 2 AS v, CASE WHEN id % 2 = 0 THEN 'a' ELSE 'b' END AS k, named_struct('x', id, 'y', 'q') AS st, \
         array(id, 2L) AS ar, map('m', id) AS mp, double(id) AS d FROM range(2)",
    )
    .unwrap()
}

#[test]
fn names_and_values_are_sparks() {
    let s = session();
    let df = wide(&s);
    let cases: Vec<(Column, &str, [&str; 2])> = vec![
        (-col("id"), "negative(id):bigint", ["0", "-1"]),
        (!col("id").gt(1), "(NOT (id > 1)):boolean", ["true", "true"]),
        (col("id").is_null(), "(id IS NULL):boolean", ["false", "false"]),
        (col("id").is_not_null(), "(id IS NOT NULL):boolean", ["true", "true"]),
        (col("d").is_nan(), "isnan(d):boolean", ["false", "false"]),
        (col("id").between(1, 2), "((id >= 1) AND (id <= 2)):boolean", ["false", "true"]),
        (col("k").like("a%"), "k LIKE a%:boolean", ["true", "false"]),
        (col("k").ilike("A%"), "ilike(k, A%):boolean", ["true", "false"]),
        (col("k").rlike("a"), "RLIKE(k, a):boolean", ["true", "false"]),
        (col("id").isin([1, 2]), "(id IN (1, 2)):boolean", ["false", "true"]),
        (col("id").cast("string"), "id:string", ["0", "1"]),
        ((col("id") + 1).cast("string"), "CAST((id + 1) AS STRING):string", ["1", "2"]),
        (col("k").try_cast("int"), "k:int", ["NULL", "NULL"]),
        (
            when(col("id").gt(0), "x").otherwise("y"),
            "CASE WHEN (id > 0) THEN x ELSE y END:string",
            ["y", "x"],
        ),
        (
            when(col("id").gt(1), "x").when(col("id").gt(0), "z"),
            "CASE WHEN (id > 1) THEN x WHEN (id > 0) THEN z END:string",
            ["NULL", "z"],
        ),
        (col("k").substr(1, 1), "substr(k, 1, 1):string", ["a", "b"]),
        (col("id").eq(1), "(id = 1):boolean", ["false", "true"]),
        (col("id").neq(1), "(NOT (id = 1)):boolean", ["true", "false"]),
        (col("id").eq_null_safe(1), "(id <=> 1):boolean", ["false", "true"]),
        (col("k").contains("a"), "contains(k, a):boolean", ["true", "false"]),
        (col("k").starts_with("a"), "startswith(k, a):boolean", ["true", "false"]),
        (col("k").ends_with("a"), "endswith(k, a):boolean", ["true", "false"]),
        (col("id") / 2, "(id / 2):double", ["0.0", "0.5"]),
        (col("id") % 2, "(id % 2):bigint", ["0", "1"]),
        (col("id").bitwise_and(col("v")), "(id & v):bigint", ["0", "0"]),
        (col("id").bitwise_or(col("v")), "(id | v):bigint", ["0", "3"]),
        (col("id").bitwise_xor(col("v")), "(id ^ v):bigint", ["0", "3"]),
        (col("ar").get_item(0), "ar[0]:bigint", ["0", "1"]),
        (col("mp").get_item("m"), "mp[m]:bigint", ["0", "1"]),
        (col("st").get_field("x"), "st.x:bigint", ["0", "1"]),
        (col("st.x"), "x:bigint", ["0", "1"]),
        (col("id").alias("zz"), "zz:bigint", ["0", "1"]),
        (col("id").gt(1) & col("v").gt(1), "((id > 1) AND (v > 1)):boolean", ["false", "false"]),
        (col("id").gt(1) | col("v").gt(1), "((id > 1) OR (v > 1)):boolean", ["false", "true"]),
        (1 + col("id"), "(1 + id):bigint", ["1", "2"]),
        (expr("id + 1 as q"), "q:bigint", ["1", "2"]),
        (coalesce(("id", "v")), "coalesce(id, v):bigint", ["0", "1"]),
        (concat_ws((lit("-"), "k", lit("x"))), "concat_ws(-, k, x):string", ["a-x", "b-x"]),
        (date_format(lit("2020-01-01"), "yyyy"), "date_format(2020-01-01, yyyy):string", ["2020", "2020"]),
        (
            struct_((col("id"), col("v").alias("w"))),
            "struct(id, v AS w):struct<id:bigint,w:bigint>",
            ["{\"id\":0,\"w\":0}", "{\"id\":1,\"w\":2}"],
        ),
        (round(("d", 1)), "round(d, 1):double", ["0.0", "1.0"]),
        (greatest(("id", "v")), "greatest(id, v):bigint", ["0", "2"]),
        (xxhash64("id"), "xxhash64(id):bigint", ["-5252525462095825812", "-7001672635703045582"]),
        (call_function("abs", col("id")), "abs(id):bigint", ["0", "1"]),
        (
            transform("ar", |x| x + 1),
            "transform(ar, lambdafunction((namedlambdavariable() + 1), namedlambdavariable())):array<bigint>",
            ["[1,3]", "[2,3]"],
        ),
        (
            filter("ar", |x| x.gt(1)),
            "filter(ar, lambdafunction((namedlambdavariable() > 1), namedlambdavariable())):array<bigint>",
            ["[2]", "[2]"],
        ),
        (
            transform("ar", |x| transform(array(("id", "v")), |y| x + y).get_item(1)).alias("n"),
            "n:array<bigint>",
            ["[0,2]", "[3,4]"],
        ),
        (aggregate("ar", lit(0i64), |a, x| a + x).alias("s"), "s:bigint", ["2", "3"]),
        (monotonically_increasing_id().lt(0).alias("m"), "m:boolean", ["false", "false"]),
        (lit(1.5), "1.5:double", ["1.5", "1.5"]),
        (lit("t"), "t:string", ["t", "t"]),
        (lit(None::<i32>).alias("n"), "n:int", ["NULL", "NULL"]),
        (lit(vec![0x61u8, 0x62]).alias("b"), "b:binary", ["ab", "ab"]),
        (
            rank().over(Window::order_by("id")),
            "RANK() OVER (ORDER BY id ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW):int",
            ["1", "2"],
        ),
    ];
    for (column, name, rows) in cases {
        let shown = format!("{column:?}");
        let df = df.select(column).unwrap_or_else(|e| panic!("{shown}: {e}"));
        assert_eq!(df.schema().catalog_string(), format!("struct<{name}>"), "{shown}");
        assert_eq!(df.collect_text().unwrap(), rows, "{shown}");
    }
}

#[test]
fn dates_and_times() {
    let s = session();
    let one = s.range(0, 1).unwrap();
    let date = chrono::NaiveDate::from_ymd_opt(2020, 1, 2).unwrap();
    let time = date.and_hms_opt(3, 4, 5).unwrap();
    check(
        one.select((lit(date), lit(time.and_utc()), lit(time))),
        "struct<DATE '2020-01-02':date,TIMESTAMP '2020-01-02 03:04:05':timestamp,TIMESTAMP_NTZ '2020-01-02 03:04:05':timestamp_ntz>",
        &["2020-01-02\t2020-01-02 03:04:05\t2020-01-02 03:04:05"],
    );
}

#[test]
fn stars_and_odd_names() {
    let s = session();
    let df = wide(&s);
    check(df.select(col("st.*")), "struct<x:bigint,y:string>", &["0\tq", "1\tq"]);
    let dotted = s.sql("SELECT 1 AS `a.b`, 2 AS `c``d`").unwrap();
    check(dotted.select("`a.b`"), "struct<a.b:int>", &["1"]);
    check(dotted.select("`c``d`"), "struct<c`d:int>", &["2"]);
    assert_eq!(condition(dotted.select("a.b")), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
    assert_eq!(condition(dotted.select("a.")), "INVALID_ATTRIBUTE_NAME_SYNTAX");
    check(dotted.drop("a.b"), "struct<c`d:int>", &["2"]);
    check(dotted.select(("*", lit(1).alias("one"))), "struct<a.b:int,c`d:int,one:int>", &["1\t2\t1"]);
    let twins = s.sql("SELECT 1 AS a, 2 AS a").unwrap();
    assert_eq!(condition(twins.select("a")), "AMBIGUOUS_REFERENCE");
    check(twins.with_column("b", lit(3)), "struct<a:int,a:int,b:int>", &["1\t2\t3"]);
    check(twins.with_column("a", lit(3)), "struct<a:int,a:int>", &["3\t3"]);
}

#[test]
fn misuse_is_told() {
    let s = session();
    let df = wide(&s);
    assert_eq!(condition(df.select(col("id").otherwise(1))), "_ILLEGAL_ARGUMENT");
    assert_eq!(condition(df.select(lit(1).over(Window::order_by("id")))), "_ILLEGAL_ARGUMENT");
    assert_eq!(condition(df.select(col("id").cast("nonsense"))), "UNSUPPORTED_DATATYPE");
    assert_eq!(condition(df.select(expr("1 +"))), "PARSE_SYNTAX_ERROR");
    assert_eq!(condition(df.select(upper(expr("1 +")))), "PARSE_SYNTAX_ERROR");
    assert_eq!(condition(df.select(call_function("no_such", "id"))), "UNRESOLVED_ROUTINE");
    assert_eq!(condition(df.select(explode("id"))), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE");
    let division = df.select(lit(1) / col("id")).unwrap();
    assert_eq!(condition(division.collect()), "DIVIDE_BY_ZERO");
}

/// Functions that take more, or fewer, arguments than their usage in SQL begins with.
#[test]
fn functions_take_what_they_must() {
    let s = session();
    let df = wide(&s);
    let window = Window::partition_by("k").order_by("id");
    let column = "ntile(2) OVER (PARTITION BY k ORDER BY id ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)";
    check(df.select(ntile(2).over(window)), &format!("struct<{column}:int>"), &["1", "1"]);
    check(
        df.select(decode(("id", 1, lit("one"), lit("other"))).alias("d")),
        "struct<d:string>",
        &["other", "one"],
    );
    // One column alone, whatever it is.
    let name = String::from("id");
    let id = col("id");
    check(
        df.select(&id).and_then(|d| d.select(&name)).and_then(|d| d.select(name)),
        "struct<id:bigint>",
        &["0", "1"],
    );
    check(df.select(array(1)).and_then(|d| d.limit(1)), "struct<array(1):array<int>>", &["[1]"]);
}
