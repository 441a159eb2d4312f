//! Statements: queries, commands, updates, cancelling, loading.

use crate::running::{Running, condition, fetch, rows, status};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, Any, CommandStatementIngest, ProstMessageExt,
    TableDefinitionOptions, TableExistsOption, TableNotExistOption,
};
use arrow_flight::{Action, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus};
use futures::{StreamExt, stream};
use prost::Message;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn queries_commands_and_updates() {
    let server = Running::new().await;
    let mut client = server.client().await;
    assert_eq!(
        rows(&mut client, "SELECT id, id * 1.5 AS x FROM range(3)").await.unwrap(),
        "0,0.0\n1,1.5\n2,3.0"
    );
    assert_eq!(rows(&mut client, "SELECT 1 AS a WHERE false").await.unwrap(), "");
    assert_eq!(rows(&mut client, "CREATE TABLE t (a INT, s STRING) USING parquet").await.unwrap(), "");
    let inserted =
        client.execute_update("INSERT INTO t VALUES (1, 'x'), (2, NULL)".into(), None).await.unwrap();
    assert_eq!(inserted, 2);
    assert_eq!(rows(&mut client, "SELECT * FROM t ORDER BY a").await.unwrap(), "1,x\n2,");
    // Through GetFlightInfo, once.
    rows(&mut client, "INSERT INTO t VALUES (3, 'z')").await.unwrap();
    assert_eq!(rows(&mut client, "SELECT count(*) FROM t").await.unwrap(), "3");
    assert_eq!(client.execute_update("DROP TABLE t".into(), None).await.unwrap(), 0);
    let gone = rows(&mut client, "SELECT * FROM t").await.unwrap_err();
    assert_eq!(condition(&gone), ("TABLE_OR_VIEW_NOT_FOUND".into(), "42P01".into()));
    assert_eq!(gone.code(), Code::NotFound);
    server.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_results_stream_and_dropped_ones_cancel() {
    let server = Running::new().await;
    let mut client = server.client().await;
    let info = client.execute("SELECT id, uuid() AS u FROM range(1000000)".into(), None).await.unwrap();
    let n: usize = fetch(&mut client, info).await.unwrap().iter().map(RecordBatch::num_rows).sum();
    assert_eq!(n, 1_000_000);
    // Endless, as far as a test can tell.
    let info =
        client.execute("SELECT a.id FROM range(1000000) a, range(1000000) b".into(), None).await.unwrap();
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let mut stream = client.do_get(ticket.clone()).await.unwrap();
    assert!(stream.next().await.unwrap().unwrap().num_rows() > 0);
    drop(stream);
    server.quiet().await;
    // A ticket is good for one use.
    let again = client.do_get(ticket).await.map(drop).map_err(status).unwrap_err();
    assert_eq!((again.code(), condition(&again).0), (Code::NotFound, "_UNKNOWN_HANDLE".into()));
    // Nobody fetches it, and the client goes.
    client.execute("SELECT a.id FROM range(1000000) a, range(1000000) b".into(), None).await.unwrap();
    drop(client);
    server.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling() {
    let server = Running::new().await;
    let mut client = server.client().await;
    let endless = "SELECT a.id FROM range(1000000) a, range(1000000) b";
    // While it is read, by CancelFlightInfo.
    let info = client.execute(endless.into(), None).await.unwrap();
    let mut stream = client.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    let action = Action {
        r#type: "CancelFlightInfo".into(),
        body: CancelFlightInfoRequest { info: Some(info.clone()) }.encode_to_vec().into(),
    };
    let mut other = FlightSqlServiceClient::new_from_inner(client.inner().clone());
    let result = other.do_action(tonic::Request::new(action.clone())).await.unwrap().message().await.unwrap();
    let result = CancelFlightInfoResult::decode(result.unwrap().body).unwrap();
    assert_eq!(result.status(), CancelStatus::Cancelled);
    let mut last = Ok(());
    while let Some(next) = stream.next().await {
        last = next.map(drop);
    }
    let end = status(last.unwrap_err());
    assert_eq!((end.code(), condition(&end).0), (Code::Cancelled, "OPERATION_CANCELED".into()));
    // A second time there is nothing to cancel.
    let nothing = other.do_action(tonic::Request::new(action)).await.map(drop).map_err(status).unwrap_err();
    assert_eq!(nothing.code(), Code::NotFound);
    // Before it is read, by the older CancelQuery.
    let info = client.execute(endless.into(), None).await.unwrap();
    let request = ActionCancelQueryRequest { info: info.encode_to_vec().into() };
    let action = Action { r#type: "CancelQuery".into(), body: request.as_any().encode_to_vec().into() };
    let body =
        other.do_action(tonic::Request::new(action)).await.unwrap().message().await.unwrap().unwrap().body;
    let result: ActionCancelQueryResult = Any::decode(body).unwrap().unpack().unwrap().unwrap();
    assert_eq!(result.result, 1);
    let late = fetch(&mut client, info).await.unwrap_err();
    assert_eq!((late.code(), condition(&late).0), (Code::Cancelled, "OPERATION_CANCELED".into()));
    server.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_while_its_statement_is_planned_and_run_stops_it() {
    let server = Running::new().await;
    let mut client = server.client().await;
    let begun = Instant::now();
    // An update is answered at its end; this one would take for ever.
    let text = "CREATE TABLE huge USING parquet AS SELECT a.id FROM range(100000000) a, range(1000000) b";
    let update = client.execute_update(text.into(), None);
    assert!(tokio::time::timeout(Duration::from_millis(500), update).await.is_err());
    drop(client);
    server.quiet().await;
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_loading() {
    let server = Running::new().await;
    let mut client = server.client().await;
    let batch = |from: i64| {
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(from..from + 1000));
        let names: ArrayRef = Arc::new(StringArray::from_iter(
            (from..from + 1000).map(|i| (i % 7 != 0).then(|| i.to_string())),
        ));
        RecordBatch::try_from_iter_with_nullable([("id", ids, true), ("name", names, true)]).unwrap()
    };
    let ingest = |table: &str, temporary, if_not_exist, if_exists| CommandStatementIngest {
        table_definition_options: Some(TableDefinitionOptions {
            if_not_exist: if_not_exist as i32,
            if_exists: if_exists as i32,
        }),
        table: table.into(),
        schema: None,
        catalog: None,
        temporary,
        transaction_id: None,
        options: Default::default(),
    };
    use TableExistsOption::{Append, Fail, Replace};
    use TableNotExistOption::Create;
    for temporary in [false, true] {
        let mut load = async |command, batches: Vec<RecordBatch>| {
            client.execute_ingest(command, stream::iter(batches).map(Ok)).await
        };
        let name = if temporary { "mine" } else { "loaded" };
        let missing = load(ingest(name, temporary, TableNotExistOption::Fail, Append), vec![batch(0)]).await;
        assert_eq!(condition(&status(missing.unwrap_err())).0, "TABLE_OR_VIEW_NOT_FOUND");
        assert_eq!(
            load(ingest(name, temporary, Create, Fail), vec![batch(0), batch(1000)]).await.unwrap(),
            2000
        );
        let exists = status(load(ingest(name, temporary, Create, Fail), vec![batch(0)]).await.unwrap_err());
        assert_eq!(
            (exists.code(), condition(&exists).0),
            (Code::AlreadyExists, "TABLE_OR_VIEW_ALREADY_EXISTS".into())
        );
        assert_eq!(load(ingest(name, temporary, Create, Append), vec![batch(2000)]).await.unwrap(), 1000);
        let counted = format!("SELECT count(*), count(name), sum(id) FROM {name}");
        assert_eq!(rows(&mut client, &counted).await.unwrap(), format!("3000,2571,{}", 2999 * 3000 / 2));
        let mut load = async |command, batches: Vec<RecordBatch>| {
            client.execute_ingest(command, stream::iter(batches).map(Ok)).await
        };
        assert_eq!(load(ingest(name, temporary, Create, Replace), vec![batch(5)]).await.unwrap(), 1000);
        assert_eq!(rows(&mut client, &counted).await.unwrap().split(',').next(), Some("1000"));
    }
    // Another session sees the table, and not the temporary one.
    let mut other = server.client().await;
    assert_eq!(rows(&mut other, "SELECT count(*) FROM loaded").await.unwrap(), "1000");
    assert!(rows(&mut other, "SELECT count(*) FROM mine").await.is_err());
    // With the session its files go.
    drop((client, other));
    let left = || {
        std::fs::read_dir(server.path())
            .unwrap()
            .flatten()
            .filter(|e| e.file_name().to_string_lossy().starts_with("vonk-ingest"))
            .count()
    };
    let begun = Instant::now();
    while left() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "files are left");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn compression_is_the_sessions_choice() {
    let server = Running::with(|o| o.compression = vonk_flight::Compression::Zstd, &[]).await;
    let mut client = server.client().await;
    let info = client.execute("SELECT 'the same again' AS s FROM range(100000)".into(), None).await.unwrap();
    let mut stream =
        client.inner_mut().do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap().into_inner();
    let mut bytes = 0;
    while let Some(data) = stream.message().await.unwrap() {
        bytes += data.data_body.len();
    }
    assert!(bytes < 200_000, "{bytes}");
    assert_eq!(
        rows(&mut client, "SELECT max(s) FROM (SELECT 'x' AS s FROM range(9999))").await.unwrap(),
        "x"
    );
}
