//! Structs, transposed rows, samples and other shapes: what PySpark 4.3 answers to the same calls.

use crate::{check, check_ordered, condition, letters, message, session};
use vonk::functions::*;
use vonk::{DataFrame, DataType, Session, StructField, StructType};

fn nested(s: &Session) -> DataFrame {
    s.sql("SELECT named_struct('a', 1, 'b', named_struct('c', 2, 'd', 3)) AS s, 5 AS x").unwrap()
}

#[test]
fn fields_are_put_in_and_left_out() {
    let s = session();
    let st = nested(&s);
    let cases = [
        (
            col("s").with_field("a", "q"),
            "struct<update_fields(s, WithField(q)):struct<a:string,b:struct<c:int,d:int>>>",
            r#"{"a":"q","b":{"c":2,"d":3}}"#,
        ),
        (
            col("s").with_field("b.c", col("x")),
            "struct<update_fields(s, WithField(update_fields(s.b, WithField(x)))):struct<a:int,b:struct<c:int,d:int>>>",
            r#"{"a":1,"b":{"c":5,"d":3}}"#,
        ),
        (
            col("s").with_field("b.e", col("x")).with_field("b.f", 2).alias("t"),
            "struct<t:struct<a:int,b:struct<c:int,d:int,e:int,f:int>>>",
            r#"{"a":1,"b":{"c":2,"d":3,"e":5,"f":2}}"#,
        ),
        (
            col("s").with_field("y", 2).with_field("z", 3),
            "struct<update_fields(s, WithField(2), WithField(3)):struct<a:int,b:struct<c:int,d:int>,y:int,z:int>>",
            r#"{"a":1,"b":{"c":2,"d":3},"y":2,"z":3}"#,
        ),
        (
            col("s").drop_fields(["a"]).alias("t"),
            "struct<t:struct<b:struct<c:int,d:int>>>",
            r#"{"b":{"c":2,"d":3}}"#,
        ),
        (
            col("s").drop_fields(["b.c", "a"]).alias("t"),
            "struct<t:struct<b:struct<d:int>>>",
            r#"{"b":{"d":3}}"#,
        ),
        (
            col("s").drop_fields(["nope"]),
            "struct<update_fields(s, dropfield()):struct<a:int,b:struct<c:int,d:int>>>",
            r#"{"a":1,"b":{"c":2,"d":3}}"#,
        ),
    ];
    for (column, schema, row) in cases {
        check(st.select(column), schema, &[row]);
    }
    let null = s.sql("SELECT CAST(NULL AS STRUCT<a: INT>) AS s").unwrap();
    check(null.select(col("s").with_field("b", 1).alias("s")), "struct<s:struct<a:int,b:int>>", &["NULL"]);
    let twice = s.sql("SELECT named_struct('a', 1, 'a', 2) AS s").unwrap();
    let both = twice.select(col("s").with_field("A", 5).alias("s"));
    check(both, "struct<s:struct<A:int,A:int>>", &[r#"{"A":5,"A":5}"#]);
    let dotted = s.sql("SELECT named_struct('a.b', 1) AS s").unwrap();
    check(
        dotted.select(col("s").with_field("`a.b`", 2).alias("s")),
        "struct<s:struct<a.b:int>>",
        &[r#"{"a.b":2}"#],
    );
    assert_eq!(
        condition(st.select(col("s").drop_fields(["a", "b"]))),
        "DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS"
    );
    assert_eq!(condition(st.select(col("x").with_field("a", 1))), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE");
    assert_eq!(condition(st.select(col("s").with_field("q.c", 1))), "FIELD_NOT_FOUND");
}

#[test]
fn unions_by_name_look_into_structs() {
    let s = session();
    let union =
        |l: &str, r: &str, missing: bool| s.sql(l).unwrap().union_by_name(&s.sql(r).unwrap(), missing);
    check(
        union(
            "SELECT named_struct('a', 1, 'b', 2) AS s",
            "SELECT named_struct('b', 20, 'c', 'x') AS s",
            true,
        ),
        "struct<s:struct<a:int,b:int,c:string>>",
        &[r#"{"a":1,"b":2,"c":null}"#, r#"{"a":null,"b":20,"c":"x"}"#],
    );
    for missing in [false, true] {
        check(
            union(
                "SELECT named_struct('b', 1, 'a', 2) AS s",
                "SELECT named_struct('a', 20, 'b', 10) AS s",
                missing,
            ),
            "struct<s:struct<b:int,a:int>>",
            &[r#"{"b":1,"a":2}"#, r#"{"b":10,"a":20}"#],
        );
    }
    check(
        union(
            "SELECT named_struct('a', 1, 'n', named_struct('x', 1)) AS s, 1 AS z",
            "SELECT named_struct('n', named_struct('y', 2)) AS s, 2 AS q",
            true,
        ),
        "struct<s:struct<a:int,n:struct<x:int,y:int>>,z:int,q:int>",
        &[
            "{\"a\":1,\"n\":{\"x\":1,\"y\":null}}\t1\tNULL",
            "{\"a\":null,\"n\":{\"x\":null,\"y\":2}}\tNULL\t2",
        ],
    );
    check(
        union("SELECT array(named_struct('a', 1)) AS s", "SELECT array(named_struct('b', 2)) AS s", true),
        "struct<s:array<struct<a:int,b:int>>>",
        &[r#"[{"a":1,"b":null}]"#, r#"[{"a":null,"b":2}]"#],
    );
    check(
        union(
            "SELECT array(named_struct('a', 1, 'b', 2)) AS s",
            "SELECT array(named_struct('b', 3, 'a', 4)) AS s",
            false,
        ),
        "struct<s:array<struct<a:int,b:int>>>",
        &[r#"[{"a":1,"b":2}]"#, r#"[{"a":4,"b":3}]"#],
    );
    check(
        union("SELECT CAST(NULL AS STRUCT<a: INT>) AS s", "SELECT named_struct('b', 2) AS s", true),
        "struct<s:struct<a:int,b:int>>",
        &["NULL", r#"{"a":null,"b":2}"#],
    );
    check(
        union("SELECT named_struct('a', 1) AS s", "SELECT named_struct('a', 2L, 'b', 3) AS s", true),
        "struct<s:struct<a:bigint,b:int>>",
        &[r#"{"a":1,"b":null}"#, r#"{"a":2,"b":3}"#],
    );
    check(
        union("SELECT named_struct('A', 1) AS s", "SELECT named_struct('a', 2, 'c', 3) AS s", true),
        "struct<s:struct<A:int,c:int>>",
        &[r#"{"A":1,"c":null}"#, r#"{"A":2,"c":3}"#],
    );
    let refused = |l: &str, r: &str| condition(union(l, r, false));
    let one = "SELECT named_struct('a', 1) AS s";
    assert_eq!(refused(one, "SELECT named_struct('b', 2) AS s"), "FIELD_NOT_FOUND");
    assert_eq!(refused(one, "SELECT named_struct('a', 2, 'b', 3) AS s"), "INCOMPATIBLE_COLUMN_TYPE");
    assert_eq!(refused("SELECT 1 AS a", "SELECT 2 AS a, 3 AS b"), "NUM_COLUMNS_MISMATCH");
}

#[test]
fn transposed() {
    let s = session();
    let df = letters(&s);
    check_ordered(
        df.select(("k", "id", "v")).and_then(|d| d.limit(3)).and_then(|d| d.transpose()),
        "struct<key:string,a:bigint,a:bigint,b:bigint>",
        &["id\t0\t2\t1", "v\t0\t4\t2"],
    );
    check_ordered(
        df.select(("id", "v")).and_then(|d| d.transpose_by("v")),
        "struct<key:string,0:bigint,2:bigint,4:bigint,6:bigint>",
        &["id\t0\t1\t2\t3"],
    );
    let sql = |sql: &str| s.sql(sql).and_then(|d| d.transpose());
    check_ordered(
        sql("SELECT 'x' AS i, 1 AS z, 2D AS b, NULL AS a"),
        "struct<key:string,x:double>",
        &["z\t1.0", "b\t2.0", "a\tNULL"],
    );
    check_ordered(
        sql("SELECT * FROM VALUES (1, 2), (NULL, 3) AS t(a, b)"),
        "struct<key:string,1:int>",
        &["b\t2"],
    );
    check_ordered(
        sql("SELECT * FROM VALUES (10, 1), (9, 2), (100, 3) AS t(i, z)"),
        "struct<key:string,9:int,10:int,100:int>",
        &["z\t2\t1\t3"],
    );
    check_ordered(
        sql("SELECT 'x' AS i, array(1) AS z, array(2L) AS b"),
        "struct<key:string,x:array<bigint>>",
        &["z\t[1]", "b\t[2]"],
    );
    check(df.select(("id", "v")).and_then(|d| d.limit(0)?.transpose()), "struct<key:string>", &["v"]);
    check(df.select("id").and_then(|d| d.limit(1)?.transpose()), "struct<key:string,0:string>", &[]);
    assert_eq!(condition(df.transpose()), "TRANSPOSE_NO_LEAST_COMMON_TYPE");
    assert_eq!(condition(sql("SELECT 'x' AS i, 1 AS z, 1.5 AS b")), "TRANSPOSE_NO_LEAST_COMMON_TYPE");
    assert_eq!(condition(sql("SELECT array(1) AS a, 2 AS b")), "TRANSPOSE_INVALID_INDEX_COLUMN");
    assert_eq!(condition(df.transpose_by(col("v") + 1)), "TRANSPOSE_INVALID_INDEX_COLUMN");
    let many = s.range(0, 501).unwrap().with_column("x", col("id")).unwrap();
    assert_eq!(condition(many.transpose()), "TRANSPOSE_EXCEED_ROW_LIMIT");
}

#[test]
fn samples_are_sparks() {
    let s = session();
    let range = |end: i64| s.range_step(0, end, 1, Some(2)).unwrap();
    let ids = |df: DataFrame| df.collect_text().unwrap().join(" ");
    let sample =
        |end, replace, fraction, seed| ids(range(end).sample(replace, fraction, Some(seed)).unwrap());
    assert_eq!(sample(20, true, 1.0, 42), "3 4 5 6 7 8 9 10 11 11 12 13 14 15 16 16 18 18");
    assert_eq!(sample(20, true, 0.3, 42), "5 6 12 18 19");
    assert_eq!(sample(10, true, 2.5, 7), "0 0 1 1 2 4 4 4 4 4 4 4 5 5 5 5 5 6 6 7 7 7 7 8 9 9");
    assert_eq!(sample(20, false, 0.5, 42), "3 7 12 13 18 19");
    let parts = range(20).random_split(&[1.0, 2.0], Some(42)).unwrap();
    let parts: Vec<String> = parts.into_iter().map(ids).collect();
    assert_eq!(parts, ["3 7 12 13 19", "0 1 2 4 5 6 8 9 10 11 14 15 16 17 18"]);
    for refused in [
        message(range(3).sample(true, -1.0, None)),
        message(range(3).sample(false, 1.5, None)),
        message(range(3).random_split(&[0.0, 0.0], None)),
        message(range(3).random_split(&[-1.0], None)),
    ] {
        assert!(refused.contains("requirement failed: "), "{refused}");
    }
}

#[test]
fn frequent_items() {
    let s = session();
    let df = s.sql("SELECT id % 3 AS a, IF(id < 60, 'x', string(id)) AS b FROM range(100)").unwrap();
    check(df.stat().freq_items(&["b"], 0.3), "struct<b_freqItems:array<string>>", &[r#"["x"]"#]);
    let sorted = df.stat().freq_items(&["a", "b"], 0.3).and_then(|d| d.select(array_sort("a_freqItems")));
    assert_eq!(sorted.unwrap().collect_text().unwrap(), ["[0,1,2]"]);
    let nulls = s.sql("SELECT * FROM VALUES (1), (NULL), (NULL) AS t(a)").unwrap();
    check(nulls.stat().freq_items(&["a"], 0.5), "struct<a_freqItems:array<int>>", &["[null]"]);
    assert!(message(df.stat().freq_items(&["a"], 1e-5)).contains("Support must be in [1e-4, 1]"));
}

#[test]
fn to_a_schema() {
    let s = session();
    let field = |name: &str, t: DataType| StructField::new(name, t, true);
    let schema = |fields: &[(&str, DataType)]| {
        StructType::new(fields.iter().map(|(n, t)| field(n, t.clone())).collect::<Vec<_>>())
    };
    let df = letters(&s);
    let wanted = schema(&[("V", DataType::Double), ("id", DataType::Long), ("new", DataType::String)]);
    check(
        df.to(&wanted),
        "struct<V:double,id:bigint,new:string>",
        &["0.0\t0\tNULL", "2.0\t1\tNULL", "4.0\t2\tNULL", "6.0\t3\tNULL"],
    );
    let inner = schema(&[("b", DataType::String), ("a", DataType::Long), ("c", DataType::Int)]);
    check(
        s.sql("SELECT named_struct('a', 1, 'b', 'x') AS s")
            .unwrap()
            .to(&schema(&[("s", DataType::Struct(inner))])),
        "struct<s:struct<b:string,a:bigint,c:int>>",
        &[r#"{"b":"x","a":1,"c":null}"#],
    );
    assert_eq!(condition(df.to(&schema(&[("k", DataType::Int)]))), "INVALID_COLUMN_OR_FIELD_DATA_TYPE");
    let required = |name: &str| StructType::new(vec![StructField::new(name, DataType::Int, false)]);
    assert_eq!(condition(df.to(&required("nope"))), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
    let null = s.sql("SELECT CAST(NULL AS INT) AS a").unwrap();
    assert_eq!(condition(null.to(&required("a"))), "NULLABLE_COLUMN_OR_FIELD");
}

#[test]
fn grouping_sets() {
    let df = letters(&session());
    let sets = [vec![col("k"), col("id")], vec![col("k")], vec![]];
    let sums = df
        .grouping_sets(sets, ("k", "id"))
        .agg((sum("v").alias("s"), grouping_id(()).alias("g")))
        .and_then(|d| d.order_by(("g", "k", "id")));
    check_ordered(
        sums,
        "struct<k:string,id:bigint,s:bigint,g:bigint>",
        &[
            "a\t0\t0\t0",
            "a\t2\t4\t0",
            "b\t1\t2\t0",
            "b\t3\t6\t0",
            "a\tNULL\t4\t1",
            "b\tNULL\t8\t1",
            "NULL\tNULL\t12\t3",
        ],
    );
}

#[test]
fn dataframes_as_values() {
    let s = session();
    let df = letters(&s);
    let seven = s.range(0, 1).and_then(|d| d.select(lit(7))).unwrap();
    check(
        df.select(("id", (col("id") + seven.scalar()).alias("q"))),
        "struct<id:bigint,q:bigint>",
        &["0\t7", "1\t8", "2\t9", "3\t10"],
    );
    assert_eq!(df.filter(s.range(0, 1).unwrap().exists()).unwrap().count().unwrap(), 4);
    assert_eq!(df.filter(s.range(0, 0).unwrap().exists()).unwrap().count().unwrap(), 0);
    // Over itself.
    let largest = df.filter(col("id").eq(df.agg(max("id")).unwrap().scalar()));
    check(largest, "struct<id:bigint,v:bigint,k:string>", &["3\t6\tb"]);
    let two = s.range(0, 2).unwrap();
    assert_eq!(condition(df.select(two.scalar()).and_then(|d| d.collect())), "SCALAR_SUBQUERY_TOO_MANY_ROWS");
    assert_eq!(
        condition(df.select(df.scalar())),
        "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN"
    );
}

#[test]
fn other_names() {
    let s = session();
    let df = letters(&s);
    check(
        df.select((
            create_map((lit("a"), "id")),
            bitwise_not("id"),
            call_udf("upper", "k"),
            column("k").name("zz"),
        ))
        .and_then(|d| d.limit(1)),
        "struct<map(a, id):map<string,bigint>,~id:bigint,upper(k):string,zz:string>",
        &["{\"a\":0}\t-1\tA\ta"],
    );
    let distinct = df.select((listagg_distinct("k"), sum_distinct("v"), count_distinct("k")));
    assert_eq!(
        distinct.unwrap().columns(),
        ["listagg(DISTINCT k, NULL)", "sum(DISTINCT v)", "count(DISTINCT k)"]
    );
    let names = |pattern: &str| df.select(df.col_regex(pattern)).unwrap().columns();
    assert_eq!(
        (names("`(i|v).*`"), names("k"), names("`K`")),
        (vec!["id".into(), "v".into()], vec!["k".into()], vec!["k".into()])
    );
    assert!(names("`zz.*`").is_empty());
    assert_eq!(df.dtypes()[2], ("k".to_string(), "string".to_string()));
    check(
        s.sql("SELECT 1 AS a, NULL AS b, named_struct('x', DATE'2020-01-01') AS c").unwrap().to_json(),
        "struct<value:string>",
        &[r#"{"a":1,"c":{"x":"2020-01-01"}}"#],
    );
    check(
        df.limit(1).unwrap().melt("id", "v", "n", "x"),
        "struct<id:bigint,n:string,x:bigint>",
        &["0\tv\t0"],
    );
    let doubled = |d: &DataFrame| d.with_column("id", col("id") * 2);
    assert_eq!(df.transform(doubled).and_then(|d| d.subtract(&df)).unwrap().count().unwrap(), 3);
    let checkpoint = df.local_checkpoint(true).unwrap();
    assert!(checkpoint.is_cached());
    assert_eq!(checkpoint.sort(desc_nulls_last("id")).unwrap().head(1).unwrap()[0].num_rows(), 1);
    assert_eq!(checkpoint.union_all(&df).and_then(|d| d.where_("id = 0")).unwrap().count().unwrap(), 2);
}
