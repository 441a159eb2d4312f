//! How much a server takes on, and how it stops.

use crate::running::{Running, condition, fetch, rows, status};
use futures::StreamExt;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
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
    for sql in ["DECLARE statement STRING DEFAULT 'CREATE DATABASE d'", "SET sly = */ CREATE DATABASE d --"] {
        rows(&mut client, sql).await.unwrap();
    }
    for sql in [
        "CREATE TABLE t (i INT) USING parquet",
        "CREATE VIEW v AS SELECT 1",
        "CREATE DATABASE d",
        "EXECUTE IMMEDIATE 'CREATE DATABASE d'",
        "EXECUTE IMMEDIATE statement",
        // What it is once variables are replaced.
        "/* ${sly} */ SELECT 1",
        "ALTER VIEW v AS SELECT 2",
        "ALTER TABLE t RENAME TO u",
        "DROP TABLE IF EXISTS t",
        "DROP FUNCTION IF EXISTS f",
        "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "DROP DATABASE IF EXISTS d",
        "TRUNCATE TABLE t",
        "CREATE GLOBAL TEMPORARY VIEW g AS SELECT 1",
        "CREATE TABLE t USING parquet AS SELECT 1 AS i",
        "INSERT INTO t VALUES (1)",
        "ANALYZE TABLE t COMPUTE STATISTICS",
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
        "SET",
        "SET -v",
        "RESET spark.sql.ansi.enabled",
        "SET TIME ZONE 'UTC'",
        "SHOW TABLES",
        "SHOW FUNCTIONS",
        "DESCRIBE v",
        "DESCRIBE QUERY SELECT * FROM v",
        "DESCRIBE FUNCTION abs",
        "EXPLAIN SELECT * FROM v",
        "EXPLAIN ANALYZE SELECT * FROM v",
        "EXPLAIN DROP VIEW v",
        "EXECUTE IMMEDIATE 'SELECT x + ? FROM v' USING 1",
        "DECLARE n INT",
        "EXECUTE IMMEDIATE 'SELECT x FROM v' INTO n",
        "SET VAR n = n + 1",
        "EXECUTE IMMEDIATE 'SHOW TABLES'",
        "EXECUTE IMMEDIATE 'DROP TEMPORARY VARIABLE n'",
        "CREATE TEMPORARY FUNCTION f() RETURNS INT RETURN 1",
        "DROP TEMPORARY FUNCTION f",
        "CACHE TABLE kept AS SELECT * FROM v",
        "REFRESH TABLE kept",
        "UNCACHE TABLE kept",
        "CLEAR CACHE",
        "USE default",
        "SET CATALOG spark_catalog",
        "VALUES (1)",
        "TABLE v",
        "DROP VIEW v",
    ] {
        let prepared = client.prepare(sql.into(), None).await.map_err(status);
        let columns = prepared.unwrap_or_else(|e| panic!("{sql}: {e}")).dataset_schema().unwrap().clone();
        let info = client.execute(sql.into(), None).await.map_err(status);
        let info = info.unwrap_or_else(|e| panic!("{sql}: {e}"));
        // What was said of its columns when it was prepared is so.
        assert_eq!(info.clone().try_decode_schema().unwrap(), columns, "{sql}");
        fetch(&mut client, info).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
    assert_eq!(rows(&mut client, "SHOW DATABASES").await.unwrap(), "default");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_session_is_a_pool_unless_it_says_otherwise() {
    // The status server's threads begin and end in this program, which is asynchronous.
    let conf = [("spark.scheduler.mode", "FAIR"), ("spark.ui.enabled", "true"), ("spark.ui.port", "0")];
    let server = Running::with(|_| {}, &conf).await;
    let (mut one, mut other) = (server.client().await, server.client().await);
    for client in [&mut one, &mut other] {
        rows(client, "SELECT 'unnamed', count(*) FROM range(10)").await.unwrap();
    }
    rows(&mut one, "SET spark.scheduler.pool = mine").await.unwrap();
    rows(&mut one, "SELECT 'named', count(*) FROM range(10)").await.unwrap();
    let seen = async |path: &str| {
        let mut socket = TcpStream::connect(server.session.status_address().unwrap()).await.unwrap();
        let request = format!(
            "GET /api/v1/applications{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    };
    // What stands behind a key, each time it occurs.
    let all = |text: &str, key: &str| -> Vec<String> {
        let key = format!("\"{key}\":\"");
        text.split(&key).skip(1).map(|rest| rest.split('"').next().unwrap().to_string()).collect()
    };
    let application = all(&seen("").await, "id").remove(0);
    let jobs = seen(&format!("/{application}/jobs")).await;
    let (names, pools) = (all(&jobs, "name"), all(&jobs, "pool"));
    let of = |what: &str| -> Vec<&String> {
        names.iter().zip(&pools).filter(|(name, _)| name.contains(what)).map(|(_, pool)| pool).collect()
    };
    assert_eq!(of("'named'"), ["mine"]);
    let unnamed = of("'unnamed'");
    assert!(
        unnamed.iter().all(|pool| pool.starts_with("session-")) && unnamed[0] != unnamed[1],
        "{unnamed:?}"
    );
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
