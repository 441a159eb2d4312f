//! DataFrames from batches, values, ranges and views.

use crate::{check, check_ordered, condition, letters, session};
use arrow::array::{
    ArrayRef, Date32Array, Int32Array, Int64Array, LargeStringArray, RecordBatch, Time32SecondArray,
    UInt64Array,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vonk::functions::*;
use vonk::{DataFrame, QueryContext};

#[test]
fn ranges() {
    let s = session();
    check(s.range(2, 5), "struct<id:bigint>", &["2", "3", "4"]);
    check_ordered(s.range_step(10, 0, -3, Some(1)), "struct<id:bigint>", &["10", "7", "4", "1"]);
    assert_eq!(condition(s.range_step(0, 1, 0, None)), "_ILLEGAL_ARGUMENT");
    assert_eq!(condition(s.range_step(0, 1, 1, Some(0))), "_ILLEGAL_ARGUMENT");
}

#[test]
fn batches() {
    let s = session();
    let batch = |ids: Vec<i32>, names: Vec<Option<&str>>| {
        let days: ArrayRef = Arc::new(Date32Array::from(vec![18_262; ids.len()]));
        let ids: ArrayRef = Arc::new(Int32Array::from(ids));
        let names: ArrayRef = Arc::new(LargeStringArray::from(names));
        RecordBatch::try_from_iter([("id", ids), ("name", names), ("day", days)]).unwrap()
    };
    let df = s.create_dataframe([batch(vec![1], vec![Some("x")]), batch(vec![2, 3], vec![None, Some("z")])]);
    check(
        df,
        "struct<id:int,name:string,day:date>",
        &["1\tx\t2020-01-01", "2\tNULL\t2020-01-01", "3\tz\t2020-01-01"],
    );
    assert_eq!(condition(s.create_dataframe([])), "_ILLEGAL_ARGUMENT");
    let other: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let other = RecordBatch::try_from_iter([("id", other)]).unwrap();
    assert_eq!(condition(s.create_dataframe([batch(vec![1], vec![None]), other])), "_ILLEGAL_ARGUMENT");
    let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    let unsigned = RecordBatch::try_from_iter([("n", unsigned)]).unwrap();
    check(s.create_dataframe([unsigned]), "struct<n:decimal(20,0)>", &["18446744073709551615"]);
    let time: ArrayRef = Arc::new(Time32SecondArray::from(vec![1]));
    let time = RecordBatch::try_from_iter([("t", time)]).unwrap();
    assert_eq!(condition(s.create_dataframe([time])), "UNSUPPORTED_DATATYPE");
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct City {
    name: String,
    population: Option<i64>,
    position: Position,
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Position {
    latitude: f64,
    longitude: f64,
}

#[test]
fn values_of_rust_there_and_back() {
    let s = session();
    let cities = vec![
        City {
            name: "Delft".into(),
            population: Some(109_573),
            position: Position { latitude: 52.0, longitude: 4.4 },
            tags: vec!["blue".into(), "old".into()],
        },
        City {
            name: "Atlantis".into(),
            population: None,
            position: Position { latitude: 0.0, longitude: -25.0 },
            tags: vec![],
        },
    ];
    let df = s.create_dataframe_from(&cities).unwrap();
    assert_eq!(
        df.schema().catalog_string(),
        "struct<name:string,population:bigint,position:struct<latitude:double,longitude:double>,tags:array<string>>"
    );
    check(
        df.filter(col("position.latitude").gt(1)).and_then(|d| d.select("name")),
        "struct<name:string>",
        &["Delft"],
    );
    let back: Vec<City> = df.order_by(col("name").desc()).unwrap().collect_as().unwrap();
    assert_eq!(back, cities);
    let pairs: Vec<(String, i64)> = df
        .na()
        .drop(vonk::How::Any, ["population"])
        .unwrap()
        .select(("name", "population"))
        .unwrap()
        .collect_as()
        .unwrap();
    assert_eq!(pairs, [("Delft".to_string(), 109_573)]);
    assert_eq!(condition(df.select("name").unwrap().collect_as::<City>()), "_ROWS_DO_NOT_FIT");
    assert_eq!(condition(s.create_dataframe_from(&[] as &[City])), "_ILLEGAL_ARGUMENT");
}

#[test]
fn views() {
    let s = session();
    let df = letters(&s);
    df.create_temp_view("letters").unwrap();
    check(
        s.sql("SELECT k, sum(v) AS s FROM letters GROUP BY k"),
        "struct<k:string,s:bigint>",
        &["a\t4", "b\t8"],
    );
    // The same columns from two sides, and beside the DataFrame they come from.
    check(
        s.sql("SELECT l.id, r.v FROM letters l JOIN letters r ON l.id = r.v WHERE l.k = 'a'"),
        "struct<id:bigint,v:bigint>",
        &["0\t0", "2\t2"],
    );
    let view = s.table("letters").unwrap();
    assert_eq!(view.join_using(&df, ["id"], "inner").unwrap().count().unwrap(), 4);
    assert_eq!(condition(df.create_temp_view("LETTERS")), "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS");
    df.filter("id = 0").unwrap().create_or_replace_temp_view("letters").unwrap();
    assert_eq!(s.table("letters").unwrap().count().unwrap(), 1);
    assert_eq!(condition(df.create_temp_view("a.b")), "TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS");
    df.create_global_temp_view("shared").unwrap();
    assert_eq!(s.table("global_temp.shared").unwrap().count().unwrap(), 4);
    assert_eq!(condition(s.table("nowhere")), "TABLE_OR_VIEW_NOT_FOUND");
}

#[test]
fn commands_run_at_once() {
    let s = session();
    let set = s.sql("SET spark.sql.session.timeZone = Europe/Amsterdam").unwrap();
    check(Ok(set), "struct<key:string,value:string>", &["spark.sql.session.timeZone\tEurope/Amsterdam"]);
    assert_eq!(s.conf().get(&vonk::conf::SESSION_TIME_ZONE), "Europe/Amsterdam");
    s.sql("CREATE TEMPORARY VIEW one AS SELECT 1 AS x").unwrap();
    check(s.table("one"), "struct<x:int>", &["1"]);
    // Variables are replaced, as in any statement.
    s.sql("SET greeting = 'hello'").unwrap();
    check(s.sql("SELECT ${greeting} AS g"), "struct<g:string>", &["hello"]);
    // Queries wait until they are asked.
    let failing = s.sql("SELECT 1 / 0").unwrap();
    let error = failing.collect().unwrap_err();
    assert_eq!(
        (error.condition(), error.context().map(QueryContext::fragment)),
        ("DIVIDE_BY_ZERO", Some("1 / 0"))
    );
    let above = failing.select(col("*")).and_then(|d| d.union(&s.sql("SELECT 2.5D")?)).unwrap();
    assert_eq!(above.collect().unwrap_err().context().map(QueryContext::place).as_deref(), Some("1:8"));
}

#[test]
fn many_rows_are_read_where_they_are() {
    let s = session();
    let column = |from: i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(from..from + 1000)) };
    let batch =
        |from: i64| RecordBatch::try_from_iter([("n", column(from)), ("m", column(from + 1))]).unwrap();
    let df = s.create_dataframe((0..200).map(|i| batch(i * 1000))).unwrap();
    let plan = df.explain_text("simple").unwrap();
    assert!(plan.contains("Scan (1) rows"), "{plan}");
    // As many partitions as tasks want, not one for each batch; rows in order.
    let partitions = df.select(spark_partition_id()).and_then(|d| d.distinct()).unwrap();
    assert_eq!(partitions.count().unwrap(), 2);
    assert_eq!(df.collect().unwrap().iter().map(RecordBatch::num_rows).sum::<usize>(), 200_000);
    assert_eq!(df.select("m").and_then(|d| d.limit(3)).unwrap().collect_text().unwrap(), ["1", "2", "3"]);
    check(
        df.filter(col("n").geq(199_998)).and_then(|d| d.select((sum("n"), sum("m")))),
        "struct<sum(n):bigint,sum(m):bigint>",
        &["399997\t399999"],
    );
    // An answer keeps what it reads.
    let mut answer = df.filter(col("n").lt(150_000)).unwrap().execute(&Default::default()).unwrap();
    drop(df);
    let mut rows = 0;
    while let Some(batch) = answer.next_batch().unwrap() {
        rows += batch.num_rows();
    }
    assert_eq!(rows, 150_000);
}

#[test]
fn many_rows_of_all_types_are_what_they_were() {
    let s = session();
    let sql = "SELECT id, named_struct('a', id, 'b', array(string(id), NULL)) AS s, map(string(id), date_add(DATE'2000-01-01', int(id))) AS m, \
         CAST(id AS DECIMAL(10, 2)) AS d, CAST(id AS DECIMAL(30, 2)) AS e, timestamp_micros(id) AS t, timestamp_micros(id)::timestamp_ntz AS n, \
         CAST(string(id) AS BINARY) AS b, float(id) AS f, id % 2 = 0 AS o, IF(id % 3 = 0, NULL, string(id)) AS z, \
         make_dt_interval(int(id % 100)) AS i, make_ym_interval(int(id % 100)) AS y FROM range(0, 12000, 1, 3)";
    let rows = s.sql(sql).unwrap();
    let copied = s.create_dataframe(rows.collect().unwrap()).unwrap();
    assert!(copied.explain_text("simple").unwrap().contains("Scan (1) rows"));
    assert_eq!(copied.schema().catalog_string(), rows.schema().catalog_string());
    assert_eq!(copied.collect_text().unwrap(), rows.collect_text().unwrap());
    let some = |d: &DataFrame| {
        d.filter("id = 11999 AND z IS NOT NULL").and_then(|d| d.select(("m", "s.b", "y"))).unwrap()
    };
    assert_eq!(some(&copied).collect_text().unwrap(), some(&rows).collect_text().unwrap());
}
