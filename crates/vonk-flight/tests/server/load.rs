//! Many clients at once, a third of whose statements are dropped or cancelled; the long form is `benches/flight.py load`.

use crate::running::{Client, Running, fetch, rows, status};
use futures::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tonic::Status;

const CLIENTS: u64 = 32;
const SECONDS: u64 = 4;
const ENDLESS: &str = "SELECT a.id FROM range(1000000) a, range(1000000) b";
const QUERIES: [(&str, &str); 4] = [
    ("SELECT 1", "1"),
    ("SELECT count(*) FROM samples.tpch.nation", "25"),
    ("SELECT sum(id), count(*) FROM range(20000)", "199990000,20000"),
    ("SELECT id % 3 AS k, count(*) FROM range(999) GROUP BY id % 3 ORDER BY k", "0,333\n1,333\n2,333"),
];

/// Reads a batch, and drops the rest.
async fn dropped(client: &mut Client, sql: &str) -> Result<(), Status> {
    let info = client.execute(sql.into(), None).await.map_err(status)?;
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let mut stream = client.do_get(ticket).await.map_err(status)?;
    stream.next().await.unwrap().map(drop).map_err(status)
}

async fn one_client(server: Arc<Running>, seed: u64, until: Instant, done: Arc<AtomicUsize>) {
    let mut client = server.client().await;
    let mut n = seed;
    while Instant::now() < until {
        // Numbers that look random.
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        match (n >> 33) % 12 {
            0 | 1 => dropped(&mut client, ENDLESS).await.unwrap(),
            2 => dropped(&mut client, "SELECT id, uuid() AS u FROM range(300000)").await.unwrap(),
            3 => {
                // Never fetched, and the connection is gone.
                client.execute(ENDLESS.into(), None).await.unwrap();
                client = server.client().await;
            }
            4 => {
                let info = client.execute("SELECT id FROM range(100000)".into(), None).await.unwrap();
                let n: usize = fetch(&mut client, info).await.unwrap().iter().map(|b| b.num_rows()).sum();
                assert_eq!(n, 100_000);
            }
            k => {
                let (sql, expected) = QUERIES[k as usize % QUERIES.len()];
                assert_eq!(rows(&mut client, sql).await.unwrap(), expected, "{sql}");
            }
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_leave_nothing_behind() {
    let server = Arc::new(Running::new().await);
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let done = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|seed| tokio::spawn(one_client(server.clone(), seed, until, done.clone())))
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    assert!(done.load(Ordering::Relaxed) > CLIENTS as usize);
    server.quiet().await;
}
