//! What actions give, and what is printed.

use crate::{letters, nulls, session};
use vonk::functions::*;

#[test]
fn rows() {
    let s = session();
    let df = letters(&s).order_by("id").unwrap();
    let rows = |batches: Vec<arrow::array::RecordBatch>| batches.iter().map(|b| b.num_rows()).sum::<usize>();
    assert_eq!(df.count().unwrap(), 4);
    assert_eq!(rows(df.collect().unwrap()), 4);
    assert_eq!(rows(df.take(3).unwrap()), 3);
    assert_eq!(df.first().unwrap().unwrap().num_rows(), 1);
    assert!(df.filter("id > 9").unwrap().first().unwrap().is_none());
    assert!(df.filter("id > 9").unwrap().is_empty().unwrap());
    assert!(!df.is_empty().unwrap());
    let last = df.tail(2).unwrap();
    assert_eq!(rows(last.clone()), 2);
    let ids: Vec<i64> = last
        .iter()
        .flat_map(|b| {
            arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(b.column(0)).values().to_vec()
        })
        .collect();
    assert_eq!(ids, [2, 3]);
    assert_eq!(rows(df.tail(0).unwrap()), 0);
    assert_eq!(rows(s.range(0, 100_000).unwrap().tail(10_000).unwrap()), 10_000);
}

#[test]
fn shown_as_spark_shows() {
    let s = session();
    let df = letters(&s).order_by("id").unwrap();
    assert_eq!(
        df.show_text(2, 20, false).unwrap(),
        "+---+---+---+\n| id|  v|  k|\n+---+---+---+\n|  0|  0|  a|\n|  1|  2|  b|\n+---+---+---+\nonly showing top 2 rows\n"
    );
    let n = nulls(&s);
    assert_eq!(
        n.show_text(20, 3, false).unwrap(),
        "+---+---+---+---+\n|  a|  b|  c|  d|\n+---+---+---+---+\n|  1|  a|1.5|tru|\n|NUL|NUL|NUL|NUL|\n|  3|NUL|NaN|fal|\n+---+---+---+---+\n\n"
    );
    assert_eq!(
        n.show_text(20, 20, true).unwrap(),
        "-RECORD 0----\n a   | 1     \n b   | a     \n c   | 1.5   \n d   | true  \n\
         -RECORD 1----\n a   | NULL  \n b   | NULL  \n c   | NULL  \n d   | NULL  \n\
         -RECORD 2----\n a   | 3     \n b   | NULL  \n c   | NaN   \n d   | false \n\n"
    );
    let nested = df.limit(1).unwrap().select((
        col("k"),
        array("id"),
        struct_(("id", "k")),
        map(("k", "id")),
        lit(vec![0x61u8, 0x62]).alias("bytes"),
        lit("line\none").alias("text"),
    ));
    assert_eq!(
        nested.unwrap().show_text(20, 0, false).unwrap(),
        "+---+---------+-------------+----------+-------+---------+\n\
         |k  |array(id)|struct(id, k)|map(k, id)|bytes  |text     |\n\
         +---+---------+-------------+----------+-------+---------+\n\
         |a  |[0]      |{0, a}       |{a -> 0}  |[61 62]|line\\none|\n\
         +---+---------+-------------+----------+-------+---------+\n\n"
    );
}

#[test]
fn schemas_as_spark_shows() {
    let s = session();
    let df = s.sql("SELECT 1 AS i, 2L AS l, array(named_struct('x', map('k', array(1.5)))) AS n, CAST(NULL AS decimal(9, 2)) AS d").unwrap();
    assert_eq!(
        df.schema_text(),
        "root\n |-- i: integer (nullable = false)\n |-- l: long (nullable = false)\n |-- n: array (nullable = false)\n \
         |    |-- element: struct (containsNull = false)\n |    |    |-- x: map (nullable = false)\n \
         |    |    |    |-- key: string\n |    |    |    |-- value: array (valueContainsNull = false)\n \
         |    |    |    |    |-- element: decimal(2,1) (containsNull = false)\n |-- d: decimal(9,2) (nullable = true)\n"
    );
    assert_eq!(
        format!("{df:?}"),
        "DataFrame[i: int, l: bigint, n: array<struct<x:map<string,array<decimal(2,1)>>>>, d: decimal(9,2)]"
    );
}
