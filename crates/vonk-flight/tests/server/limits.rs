//! How much a server takes on, and how it stops.

use crate::running::{Running, condition, fetch, rows, status};
use futures::StreamExt;
use std::time::{Duration, Instant};
use tonic::Code;
use vonk_flight::{Options, Server};

const ENDLESS: &str = "SELECT a.id FROM range(1000000) a, range(1000000) b";

#[tokio::test(flavor = "multi_thread")]
async fn statements_wait_for_their_turn_but_not_for_ever() {
    let narrow = |o: &mut Options| {
        o.queries = 1;
        o.queued = 1;
        o.queue_patience = Duration::from_secs(30);
    };
    let server = Running::with(narrow, &[]).await;
    let mut first = server.client().await;
    let info = first.execute(ENDLESS.into(), None).await.unwrap();
    let mut stream = first.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    let mut second = server.client().await;
    let waits = tokio::spawn(async move { rows(&mut second, "SELECT 2").await });
    let mut third = server.client().await;
    let begun = Instant::now();
    let busy = loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        // Until the second one waits, this one would.
        match tokio::time::timeout(Duration::from_millis(200), rows(&mut third, "SELECT 3")).await {
            Ok(Err(busy)) => break busy,
            _ => assert!(begun.elapsed() < Duration::from_secs(10)),
        }
    };
    assert_eq!(
        (busy.code(), condition(&busy)),
        (Code::ResourceExhausted, ("_SERVER_BUSY".into(), "53400".into()))
    );
    drop(stream);
    assert_eq!(waits.await.unwrap().unwrap(), "2", "its turn came");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_counted() {
    let server = Running::with(|o| o.sessions = 2, &[]).await;
    let (mut one, mut two, mut three) = (server.client().await, server.client().await, server.client().await);
    rows(&mut one, "SELECT 1").await.unwrap();
    rows(&mut two, "SELECT 1").await.unwrap();
    let busy = rows(&mut three, "SELECT 1").await.unwrap_err();
    assert_eq!((busy.code(), condition(&busy).0), (Code::ResourceExhausted, "_SERVER_BUSY".into()));
    // Whose connection is gone makes room.
    drop(one);
    let begun = Instant::now();
    while rows(&mut three, "SELECT 1").await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(rows(&mut two, "SELECT 1").await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_nobody_fetches_are_given_up() {
    let server = Running::with(|o| o.result_patience = Duration::from_millis(300), &[]).await;
    let mut client = server.client().await;
    let info = client.execute(ENDLESS.into(), None).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    server.quiet().await;
    let late = fetch(&mut client, info).await.unwrap_err();
    assert_eq!(condition(&late).0, "_UNKNOWN_HANDLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_servers_change_nothing() {
    let server = Running::with(|o| o.read_only = true, &[]).await;
    let mut client = server.client().await;
    for sql in [
        "CREATE TABLE t (i INT) USING parquet",
        "CREATE VIEW v AS SELECT 1",
        "CREATE DATABASE d",
        "EXECUTE IMMEDIATE 'CREATE DATABASE d'",
        "INSERT OVERWRITE DIRECTORY '/tmp/vonk-never' USING parquet SELECT 1",
    ] {
        let refused = rows(&mut client, sql).await.unwrap_err();
        assert_eq!(
            (refused.code(), condition(&refused).0),
            (Code::PermissionDenied, "_READ_ONLY".into()),
            "{sql}"
        );
        let refused = status(client.execute_update(sql.into(), None).await.unwrap_err());
        assert_eq!(refused.code(), Code::PermissionDenied, "{sql}");
    }
    for sql in [
        "CREATE TEMPORARY VIEW v AS SELECT 1 AS x",
        "SET spark.sql.ansi.enabled = true",
        "SHOW TABLES",
        "DROP VIEW v",
    ] {
        rows(&mut client, sql).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_lets_what_runs_end() {
    let mut server = Running::with(|o| o.grace = Duration::from_secs(20), &[]).await;
    let mut client = server.client().await;
    let info = client.execute("SELECT id FROM range(3000000)".into(), None).await.unwrap();
    let (first, others) = info.endpoint.split_first().unwrap();
    let mut stream = client.do_get(first.ticket.clone().unwrap()).await.unwrap();
    let mut n = stream.next().await.unwrap().unwrap().num_rows();
    server.stop();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = rows(&mut client, "SELECT 1").await.unwrap_err();
    assert_eq!((refused.code(), condition(&refused).0), (Code::Unavailable, "_SERVER_STOPPING".into()));
    while let Some(batch) = stream.next().await {
        n += batch.unwrap().num_rows();
    }
    // What was executed before can be fetched.
    for endpoint in others {
        let mut stream = client.do_get(endpoint.ticket.clone().unwrap()).await.unwrap();
        while let Some(batch) = stream.next().await {
            n += batch.unwrap().num_rows();
        }
    }
    assert_eq!(n, 3_000_000);
    server.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_cancels_what_takes_too_long() {
    let mut server = Running::with(|o| o.grace = Duration::from_millis(300), &[]).await;
    let mut client = server.client().await;
    let info = client.execute(ENDLESS.into(), None).await.unwrap();
    let mut stream = client.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    server.stop();
    let begun = Instant::now();
    tokio::spawn(async move { while stream.next().await.is_some_and(|b| b.is_ok()) {} });
    server.ended().await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    server.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_users_only_this_machine_gets_in() {
    let session = vonk::Session::builder().config("spark.master", "local[1]").build().unwrap();
    let options = Options { host: "0.0.0.0".into(), port: 0, ..Options::default() };
    let refused = Server::bind(session, options).await.map(drop).unwrap_err();
    assert_eq!(refused.condition(), "_OPEN_SERVER");
}
