//! What clients do that they should not: each gets a clear answer, and the others notice nothing.

use crate::running::{Running, condition, fetch, rows};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use arrow_flight::sql::{CommandPreparedStatementQuery, CommandStatementUpdate, ProstMessageExt};
use arrow_flight::{Action, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, Ticket};
use futures::{StreamExt, TryStreamExt, stream};
use prost::Message;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use vonk_flight::Options;

const ENDLESS: &str = "SELECT a.id FROM range(1000000) a, range(1000000) b";

#[tokio::test(flavor = "multi_thread")]
async fn errors_in_statements_say_what_and_where() {
    let server = Running::new().await;
    let mut client = server.client().await;
    let syntax = rows(&mut client, "SELECT 1 +\n )").await.unwrap_err();
    assert_eq!(syntax.code(), Code::InvalidArgument);
    assert_eq!(condition(&syntax), ("PARSE_SYNTAX_ERROR".into(), "42601".into()));
    assert!(syntax.message().starts_with("[PARSE_SYNTAX_ERROR]"), "{}", syntax.message());
    assert!(syntax.message().contains("SQLSTATE: 42601"));
    assert!(syntax.metadata().get("x-vonk-place").unwrap() == "2:2");
    // At run time, behind rows that were sent.
    let late = rows(&mut client, "SELECT 1 / (id - 500000) FROM range(1000000)").await.unwrap_err();
    assert_eq!(condition(&late), ("DIVIDE_BY_ZERO".into(), "22012".into()));
    assert_eq!(rows(&mut client, "SELECT 1").await.unwrap(), "1");
    server.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_refused() {
    let server = Running::new().await;
    let mut client = server.client().await;
    let inner = client.inner_mut();
    for bytes in [&b"\xff\xff\xff\xff"[..], b"", b"\x0a\x03abc", &[0x0a; 4096]] {
        let ticket = Ticket { ticket: bytes.to_vec().into() };
        let refused = inner.do_get(ticket).await.map(drop).unwrap_err();
        assert!(matches!(refused.code(), Code::InvalidArgument | Code::Unimplemented), "{refused:?}");
        let refused =
            inner.get_flight_info(FlightDescriptor::new_cmd(bytes.to_vec())).await.map(drop).unwrap_err();
        assert!(matches!(refused.code(), Code::InvalidArgument | Code::Unimplemented), "{refused:?}");
        let refused =
            inner.get_schema(FlightDescriptor::new_cmd(bytes.to_vec())).await.map(drop).unwrap_err();
        assert!(matches!(refused.code(), Code::InvalidArgument | Code::Unimplemented), "{refused:?}");
        for action in
            ["CreatePreparedStatement", "ClosePreparedStatement", "CancelQuery", "CancelFlightInfo", "nope"]
        {
            let action = Action { r#type: action.into(), body: bytes.to_vec().into() };
            let refused = inner.do_action(action).await.map(drop).unwrap_err();
            assert!(
                matches!(refused.code(), Code::InvalidArgument | Code::Unimplemented | Code::NotFound),
                "{refused:?}"
            );
        }
        let data = FlightData {
            flight_descriptor: Some(FlightDescriptor::new_cmd(bytes.to_vec())),
            data_header: bytes.to_vec().into(),
            ..FlightData::default()
        };
        assert!(inner.do_put(stream::iter([data])).await.is_err());
    }
    // A stream without a message, without a command, with a batch that is none.
    assert!(inner.do_put(stream::iter([])).await.is_err());
    assert!(inner.do_put(stream::iter([FlightData::default()])).await.is_err());
    assert!(
        inner
            .handshake(stream::iter([HandshakeRequest {
                protocol_version: 0,
                payload: vec![0xff; 9].into()
            }]))
            .await
            .is_err()
    );
    let command = CommandPreparedStatementQuery { prepared_statement_handle: b"\xff\x00".to_vec().into() };
    let data = FlightData {
        flight_descriptor: Some(FlightDescriptor::new_cmd(command.as_any().encode_to_vec())),
        data_header: vec![1, 2, 3, 4].into(),
        ..FlightData::default()
    };
    assert!(inner.do_put(stream::iter([data])).await.is_err());
    assert_eq!(rows(&mut client, "SELECT 1").await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_messages_are_refused() {
    let server = Running::with(|o| o.message_bytes = 1 << 20, &[]).await;
    let mut client = server.client().await;
    let update =
        CommandStatementUpdate { query: format!("SELECT '{}'", "x".repeat(2 << 20)), transaction_id: None };
    let descriptor = FlightDescriptor::new_cmd(update.as_any().encode_to_vec());
    let refused = client.inner_mut().get_flight_info(descriptor).await.map(drop).unwrap_err();
    assert!(matches!(refused.code(), Code::OutOfRange | Code::ResourceExhausted), "{refused:?}");
    let mut client = server.client().await;
    assert_eq!(rows(&mut client, "SELECT 1").await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_another_session_is_not_there() {
    let server = Running::new().await;
    let (mut ann, mut bob) = (server.client().await, server.client().await);
    let info = ann.execute(ENDLESS.into(), None).await.unwrap();
    let stolen = fetch(&mut bob, info.clone()).await.unwrap_err();
    assert_eq!(
        (stolen.code(), condition(&stolen)),
        (Code::NotFound, ("_UNKNOWN_HANDLE".into(), "26000".into()))
    );
    let body = arrow_flight::CancelFlightInfoRequest { info: Some(info.clone()) }.encode_to_vec().into();
    let cancel = Action { r#type: "CancelFlightInfo".into(), body };
    let refused = bob.inner_mut().do_action(cancel).await.map(drop).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    // Ann's is still there.
    let mut stream = ann.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    // The handle of a prepared statement.
    let command =
        CommandPreparedStatementQuery { prepared_statement_handle: prepared_handle(&mut ann).await };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let refused = bob.inner_mut().get_flight_info(descriptor.clone()).await.map(drop).unwrap_err();
    assert_eq!((refused.code(), condition(&refused).0), (Code::NotFound, "_UNKNOWN_HANDLE".into()));
    let own: FlightInfo = ann.inner_mut().get_flight_info(descriptor).await.unwrap().into_inner();
    assert_eq!(own.endpoint.len(), 1);
    // It is given up with her connection.
    drop((ann, bob));
    server.quiet().await;
}

/// The handle of a statement that was prepared by hand.
async fn prepared_handle(client: &mut crate::running::Client) -> prost::bytes::Bytes {
    use arrow_flight::sql::{ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult, Any};
    let request =
        ActionCreatePreparedStatementRequest { query: "SELECT 1 AS a".into(), transaction_id: None };
    let action =
        Action { r#type: "CreatePreparedStatement".into(), body: request.as_any().encode_to_vec().into() };
    let body = client
        .inner_mut()
        .do_action(action)
        .await
        .unwrap()
        .into_inner()
        .message()
        .await
        .unwrap()
        .unwrap()
        .body;
    let result: ActionCreatePreparedStatementResult = Any::decode(body).unwrap().unpack().unwrap().unwrap();
    result.prepared_statement_handle
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_readers_keep_nobody_waiting_and_take_little_memory() {
    let server = Running::new().await;
    let mut slow = Vec::new();
    for _ in 0..4 {
        let mut client = server.client().await;
        let info = client
            .execute("SELECT id, id + 1 AS b, id * 2 AS c FROM range(50000000)".into(), None)
            .await
            .unwrap();
        let stream = client.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
        slow.push((client, stream));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    for (_, stream) in &mut slow {
        assert!(stream.next().await.unwrap().unwrap().num_rows() > 0);
    }
    assert!(server.session.used_memory() < 256 << 20, "{} bytes", server.session.used_memory());
    drop(slow);
    let mut client = server.client().await;
    assert_eq!(rows(&mut client, "SELECT sum(id) FROM range(1000)").await.unwrap(), "499500");
    server.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_a_sort_who_stalls_keeps_nobody_waiting_and_gets_its_rows_after_all() {
    const ROWS: usize = 2_000_000;
    const LIMIT: u64 = 64 << 20;
    let server = Running::with(|_| {}, &[("spark.vonk.memory.limit", "64m")]).await;
    let mut slow = Vec::new();
    for _ in 0..2 {
        let mut client = server.client().await;
        let sql = format!("SELECT hash(id) AS h, id, uuid() AS u FROM range({ROWS}) ORDER BY h");
        let info = client.execute(sql, None).await.unwrap();
        assert_eq!(info.endpoint.len(), 1, "rows in an order come in one part");
        let mut stream = client.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
        let first = stream.next().await.unwrap().unwrap();
        slow.push((client, stream, first));
    }
    // Others go on, those that sort among them.
    let mut client = server.client().await;
    let (begun, mut done) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(3) {
        assert_eq!(rows(&mut client, "SELECT sum(id) FROM range(1000)").await.unwrap(), "499500");
        let sorted =
            "SELECT id FROM (SELECT id, hash(id) AS h FROM range(300000)) ORDER BY h LIMIT 1 OFFSET 299999";
        assert_eq!(rows(&mut client, sorted).await.unwrap().lines().count(), 1);
        let used = server.session.used_memory();
        assert!(used <= LIMIT, "{used} bytes are held");
        done += 1;
    }
    assert!(done > 1, "{done}");
    // One comes back, one does not.
    slow.pop();
    let (_client, stream, first) = slow.pop().unwrap();
    let rest: Vec<RecordBatch> = stream.try_collect().await.unwrap();
    let hashes = |b: &RecordBatch| b.column(0).as_primitive::<Int32Type>().values().to_vec();
    let all: Vec<i32> = std::iter::once(&first).chain(&rest).flat_map(hashes).collect();
    assert_eq!(all.len(), ROWS);
    assert!(all.is_sorted());
    server.quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_end() {
    let server = Running::with(
        |o: &mut Options| {
            o.connections = 4;
            o.patience = Duration::from_millis(500);
        },
        &[],
    )
    .await;
    // Silent ones, ones that speak another protocol, ones that stop in the middle of a greeting.
    let mut sockets = Vec::new();
    for i in 0..4 {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        match i % 3 {
            0 => {}
            1 => socket.write_all(b"GET / HTTP/1.1\r\n").await.unwrap(),
            _ => socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM").await.unwrap(),
        }
        sockets.push(socket);
    }
    let begun = Instant::now();
    let mut client = server.client().await;
    assert_eq!(rows(&mut client, "SELECT 1").await.unwrap(), "1");
    assert!(begun.elapsed() < Duration::from_secs(10));
    for mut socket in sockets {
        let mut rest = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(10), socket.read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "the server has closed it");
    }
    // One that has shown itself stays.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(rows(&mut client, "SELECT 2").await.unwrap(), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_memory_is_one_statements_trouble() {
    let server = Running::with(|o| o.endpoints = 1, &[("spark.vonk.memory.limit", "32m")]).await;
    let (mut greedy, mut modest) = (server.client().await, server.client().await);
    let info = modest.execute("SELECT id FROM range(20000000)".into(), None).await.unwrap();
    let mut stream = modest.do_get(info.endpoint[0].ticket.clone().unwrap()).await.unwrap();
    let mut n = stream.next().await.unwrap().unwrap().num_rows();
    // One value that cannot be spilled.
    let sql = "SELECT length(repeat('ab', 2147483647 - cast(id AS int))) FROM range(0, 8, 1, 4)";
    let refused = rows(&mut greedy, sql).await.unwrap_err();
    assert_eq!(
        (refused.code(), condition(&refused)),
        (Code::ResourceExhausted, ("_OUT_OF_MEMORY".into(), "53200".into()))
    );
    while let Some(batch) = stream.next().await {
        n += batch.unwrap().num_rows();
    }
    assert_eq!(n, 20_000_000, "the other went on");
    assert_eq!(rows(&mut greedy, "SELECT 1").await.unwrap(), "1");
    drop(stream);
    server.quiet().await;
}
