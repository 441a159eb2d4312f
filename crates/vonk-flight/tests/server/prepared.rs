//! Prepared statements.

use crate::running::{Client, Running, condition, fetch, status, table};
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use arrow_flight::sql::client::PreparedStatement;
use std::sync::Arc;
use tonic::Code;
use tonic::transport::Channel;

async fn run(
    client: &mut Client,
    statement: &mut PreparedStatement<Channel>,
) -> Result<String, tonic::Status> {
    let info = statement.execute().await.map_err(status)?;
    Ok(table(&fetch(client, info).await?))
}

fn values(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_told_bound_and_used() {
    let server = Running::new().await;
    let mut client = server.client().await;
    let mut p =
        client.prepare("SELECT id, ? AS s FROM range(10) WHERE id > ? LIMIT ?".into(), None).await.unwrap();
    let types: Vec<DataType> =
        p.parameter_schema().unwrap().fields().iter().map(|f| f.data_type().clone()).collect();
    assert_eq!(types, [DataType::Utf8, DataType::Int64, DataType::Int32]);
    let names: Vec<String> = p.dataset_schema().unwrap().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(names, ["id", "s"]);
    // Python's integers are 64 bits wide; the limit takes 32.
    let bound = |s: &str, id: i64, limit: i64| {
        values(vec![
            ("0", Arc::new(StringArray::from(vec![s])) as ArrayRef),
            ("1", Arc::new(Int64Array::from(vec![id]))),
            ("2", Arc::new(Int64Array::from(vec![limit]))),
        ])
    };
    p.set_parameters(bound("x", 3, 2)).unwrap();
    assert_eq!(run(&mut client, &mut p).await.unwrap(), "4,x\n5,x");
    p.set_parameters(bound("y'--", 7, 5)).unwrap();
    assert_eq!(run(&mut client, &mut p).await.unwrap(), "8,y'--\n9,y'--");
    // A value that does not fit the type stays what it is.
    p.set_parameters(values(vec![
        ("0", Arc::new(StringArray::from(vec!["z"])) as ArrayRef),
        ("1", Arc::new(Float64Array::from(vec![7.5]))),
        ("2", Arc::new(Int64Array::from(vec![1]))),
    ]))
    .unwrap();
    assert_eq!(run(&mut client, &mut p).await.unwrap(), "8,z");
    // Too few.
    p.set_parameters(values(vec![("0", Arc::new(Int64Array::from(vec![1])) as ArrayRef)])).unwrap();
    let few = run(&mut client, &mut p).await.unwrap_err();
    assert_eq!((few.code(), condition(&few).0), (Code::InvalidArgument, "_INVALID_REQUEST".into()));
    p.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_batches_and_updates() {
    let server = Running::new().await;
    let mut client = server.client().await;
    let mut p = client.prepare("SELECT :b || :a AS x, :a AS y".into(), None).await.unwrap();
    let names: Vec<&str> = p.parameter_schema().unwrap().fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    p.set_parameters(values(vec![
        (":b", Arc::new(StringArray::from(vec!["1", "3"])) as ArrayRef),
        ("a", Arc::new(StringArray::from(vec!["2", "4"]))),
    ]))
    .unwrap();
    // Once for each row.
    assert_eq!(run(&mut client, &mut p).await.unwrap(), "12,2\n34,4");
    client.execute_update("CREATE TABLE t (i INT, s STRING) USING parquet".into(), None).await.unwrap();
    let mut insert = client.prepare("INSERT INTO t VALUES (?, ?)".into(), None).await.unwrap();
    assert!(insert.dataset_schema().unwrap().fields().is_empty());
    insert
        .set_parameters(values(vec![
            ("i", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
            ("s", Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]))),
        ]))
        .unwrap();
    assert_eq!(insert.execute_update().await.unwrap(), 3);
    let mut all = client.prepare("SELECT * FROM t ORDER BY i".into(), None).await.unwrap();
    assert_eq!(run(&mut client, &mut all).await.unwrap(), "1,a\n2,\n3,c");
    server.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_when_it_is_prepared() {
    let server = Running::new().await;
    let mut client = server.client().await;
    let wrong = client.prepare("SELECT nope FROM range(1) WHERE id = ?".into(), None).await.map(drop);
    let wrong = status(wrong.unwrap_err());
    assert_eq!(condition(&wrong), ("UNRESOLVED_COLUMN.WITH_SUGGESTION".into(), "42703".into()));
    // Without values.
    let mut p = client.prepare("SELECT ?".into(), None).await.unwrap();
    let unbound = run(&mut client, &mut p).await.unwrap_err();
    assert_eq!(condition(&unbound).0, "UNBOUND_SQL_PARAMETER");
}
