//! The driver's end of its executors' connections.
//!
//! Must not know: what the driver decides.

use crate::backend::TaskReport;
use crate::driver::Mailbox;
use crate::remote::frames;
use crate::remote::protocol::{Frame, FromExecutor, Outcome, ResultFrame, Taken, ToExecutor};
use crate::remote::registry::Registry;
use crate::remote::service::driver_server::{Driver, DriverServer};
use crate::results::ResultStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use vonk_error::{Error, Result};
use vonk_scheduler::{ExecutorId, MapId, ShuffleId, TaskId};

/// How long who connects may take to say who it is.
const FIRST_WORDS: Duration = Duration::from_secs(10);

/// Rows of so many bytes are decoded right where they come in.
const FEW_BYTES: usize = 32 << 10;

/// What all connections share.
pub(crate) struct Endpoint {
    pub registry: Arc<Registry>,
    pub results: Arc<ResultStore>,
    pub mailbox: Mailbox,
    /// How often executors are to say that they live.
    pub heartbeat: Duration,
    /// After this long without a word an executor is lost.
    pub silence: Duration,
}

impl Endpoint {
    /// As a service whose messages have at most so many bytes.
    pub fn service(self, message_bytes: usize) -> DriverServer<Endpoint> {
        DriverServer::new(self)
            .max_decoding_message_size(message_bytes)
            .max_encoding_message_size(message_bytes)
    }
}

#[tonic::async_trait]
impl Driver for Endpoint {
    type AttachStream = ReceiverStream<std::result::Result<ToExecutor, Status>>;

    async fn attach(
        &self,
        request: Request<Streaming<FromExecutor>>,
    ) -> std::result::Result<Response<Self::AttachStream>, Status> {
        let mut incoming = request.into_inner();
        let registration = match timeout(FIRST_WORDS, incoming.message()).await {
            Ok(Ok(Some(FromExecutor::Register(registration)))) => registration,
            Ok(Err(status)) => return Err(status),
            _ => return Err(Status::invalid_argument("an executor must say first who it is")),
        };
        let heartbeat = u64::try_from(self.heartbeat.as_millis()).unwrap_or(u64::MAX);
        let first = ToExecutor::Registered { heartbeat };
        let outgoing = self.registry.attach(&registration, first).map_err(|e| vonk_rpc::to_status(&e))?;
        let listener = Listener {
            executor: ExecutorId(registration.executor),
            registry: self.registry.clone(),
            results: self.results.clone(),
            mailbox: self.mailbox.clone(),
        };
        tokio::spawn(listener.listen(incoming, self.silence));
        Ok(Response::new(ReceiverStream::new(outgoing)))
    }

    async fn results(
        &self,
        request: Request<Streaming<ResultFrame>>,
    ) -> std::result::Result<Response<Taken>, Status> {
        let mut incoming = request.into_inner();
        let mut taking = None;
        while let Some(ResultFrame { task, frame }) = incoming.message().await? {
            if taking.is_none() {
                let writer = self.results.writer(TaskId(task)).map_err(|e| vonk_rpc::to_status(&e))?;
                taking = Some((task, writer));
            }
            let Some((_, writer)) = taking.as_mut().filter(|(of, _)| *of == task) else {
                return Err(Status::invalid_argument("rows of two tasks in one call"));
            };
            // Decoding takes a while, and writing may go to disk.
            tokio::task::block_in_place(|| frames::decode(&frame).and_then(|batch| writer.push(0, batch)))
                .map_err(|e| vonk_rpc::to_status(&e))?;
        }
        if let Some((task, writer)) = taking {
            tokio::task::block_in_place(|| self.results.commit(TaskId(task), writer))
                .map_err(|e| vonk_rpc::to_status(&e))?;
        }
        Ok(Response::new(Taken))
    }
}

/// Hears one executor.
struct Listener {
    executor: ExecutorId,
    registry: Arc<Registry>,
    results: Arc<ResultStore>,
    mailbox: Mailbox,
}

impl Listener {
    async fn listen(self, mut incoming: Streaming<FromExecutor>, silence: Duration) {
        let reason = loop {
            match timeout(silence, incoming.message()).await {
                Ok(Ok(Some(message))) => self.hear(message),
                Ok(Ok(None)) => break "it closed its connection".to_string(),
                Ok(Err(status)) => break format!("its connection broke: {}", status.message()),
                Err(_) => break format!("no heartbeat for {} ms", silence.as_millis()),
            }
        };
        self.registry.lost(self.executor, &reason);
    }

    fn hear(&self, message: FromExecutor) {
        match message {
            FromExecutor::Heartbeat(health) => self.registry.heard(self.executor, health),
            FromExecutor::Ended { task, outcome } => {
                let task = TaskId(task);
                let result = match outcome {
                    Outcome::Map { sizes, nodes } => Ok(TaskReport { map_output: Some(sizes), nodes }),
                    Outcome::Rows { inline, nodes } => {
                        let kept = inline.map_or(Ok(()), |rows| {
                            // Handing this thread's other work over takes longer than a few rows do.
                            match rows.iter().map(|f| f.0.len()).sum::<usize>() < FEW_BYTES {
                                true => self.keep(task, &rows),
                                false => tokio::task::block_in_place(|| self.keep(task, &rows)),
                            }
                        });
                        kept.map(|()| TaskReport { map_output: None, nodes })
                    }
                    Outcome::Failed(error) => Err(error),
                };
                self.mailbox.ended(task, result);
            }
            FromExecutor::Leaving => self.registry.drain(self.executor),
            FromExecutor::Drained { outputs } => self.mailbox.drained(self.executor, typed(outputs)),
            FromExecutor::TookOver { from, outputs } => {
                self.mailbox.took_over(ExecutorId(from), self.executor, typed(outputs));
            }
            // Said twice.
            FromExecutor::Register(_) => {}
        }
    }

    /// Keeps the rows that came with the news of a task's end.
    fn keep(&self, task: TaskId, rows: &[Frame]) -> Result<()> {
        let mut writer = self.results.writer(task)?;
        for frame in rows {
            let batch = frames::decode(frame).map_err(|e| Error::io("rows cannot be read", e))?;
            writer.push(0, batch)?;
        }
        self.results.commit(task, writer)
    }
}

fn typed(outputs: Vec<(u64, u32)>) -> Vec<(ShuffleId, MapId)> {
    outputs.into_iter().map(|(shuffle, map)| (ShuffleId(shuffle), MapId(map))).collect()
}
