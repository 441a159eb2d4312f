//! A server that runs, and what tests say to it.

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::{FlightInfo, Ticket};
use futures::TryStreamExt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};
use vonk::Session;
use vonk_flight::{Options, Server};

pub type Client = FlightSqlServiceClient<Channel>;

/// A server and all that belongs to it.
pub struct Running {
    pub address: SocketAddr,
    pub session: Session,
    pub dir: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<vonk::Result<()>>>,
}

impl Running {
    /// With the usual options.
    pub async fn new() -> Running {
        Running::with(|_| {}, &[]).await
    }

    /// With other options and settings.
    pub async fn with(change: impl FnOnce(&mut Options), conf: &[(&str, &str)]) -> Running {
        let dir = tempfile::tempdir().unwrap();
        let mut builder = Session::builder()
            .config("spark.master", "local[2]")
            .config("spark.sql.warehouse.dir", &dir.path().join("warehouse").to_string_lossy())
            .config("spark.local.dir", &dir.path().to_string_lossy());
        for (key, value) in conf {
            builder = builder.config(key, value);
        }
        let session = builder.build().unwrap();
        let mut options = Options { port: 0, ..Options::default() };
        change(&mut options);
        let server = Server::bind(session.clone(), options).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(async {
            let _ = stopped.await;
        }));
        Running { address, session, dir, stop: Some(stop), serving: Some(serving) }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub async fn channel(&self) -> Channel {
        Endpoint::new(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    /// A client with a connection of its own.
    pub async fn client(&self) -> Client {
        FlightSqlServiceClient::new(self.channel().await)
    }

    /// Asks it to stop.
    pub fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits for its end.
    pub async fn ended(&mut self) {
        self.serving.take().unwrap().await.unwrap().unwrap();
    }

    /// No memory is held and nothing runs, soon.
    pub async fn quiet(&self) {
        let begun = Instant::now();
        while self.session.used_memory() > 0 {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{} bytes are held",
                self.session.used_memory()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The rows that an answer speaks of.
pub async fn fetch(client: &mut Client, info: FlightInfo) -> Result<Vec<RecordBatch>, Status> {
    let mut batches = Vec::new();
    for endpoint in info.endpoint {
        let stream = client.do_get(endpoint.ticket.unwrap_or(Ticket::default())).await.map_err(status)?;
        batches.extend(stream.try_collect::<Vec<_>>().await.map_err(Status::from)?);
    }
    Ok(batches)
}

/// The rows of a statement, as a table.
pub async fn rows(client: &mut Client, sql: &str) -> Result<String, Status> {
    let info = client.execute(sql.to_string(), None).await.map_err(status)?;
    let schema = info.clone().try_decode_schema().unwrap();
    let batches = fetch(client, info).await?;
    for batch in &batches {
        assert_eq!(batch.schema().as_ref(), &schema, "{sql}");
    }
    Ok(table(&batches))
}

pub fn table(batches: &[RecordBatch]) -> String {
    let text = pretty_format_batches(batches).unwrap().to_string();
    let lines = text.lines().filter(|l| l.starts_with('|')).skip(1);
    lines
        .map(|l| l.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join(","))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The status within an error of the client.
pub fn status(e: arrow_flight::error::FlightError) -> Status {
    Status::from(e)
}

/// Condition and SQLSTATE of a status.
pub fn condition(s: &Status) -> (String, String) {
    let text = |key| s.metadata().get(key).map(|v| v.to_str().unwrap().to_string()).unwrap_or_default();
    (text("x-vonk-condition"), text("x-vonk-sqlstate"))
}
