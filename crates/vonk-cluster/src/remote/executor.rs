//! The executor's process: attaches to its driver, runs the tasks it is given, serves its blocks, and ends with the connection.
//!
//! Invariant: an executor without its driver does not live on. What it leaves on disk is in its own folder, which whoever started it
//! removes should it be killed.

use crate::files::make_folder;
use crate::network::network_runtime;
use crate::remote::orders::{Orders, RunningTasks};
use crate::remote::protocol::{FromExecutor, Heartbeat, Registration, ToExecutor};
use crate::remote::service::driver_client::DriverClient;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::SignalKind;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use vonk_conf::{self as conf, Conf};
use vonk_error::{Error, Result};
use vonk_exec::{ExecutorEnv, MemoryManager};
use vonk_rpc::{Connection, Limits, Listening, Security};
use vonk_scheduler::ExecutorId;
use vonk_sources::Formats;

/// The environment variable by which a process is told to be an executor.
pub const EXECUTOR_VARIABLE: &str = "VONK_EXECUTOR";

/// How long a driver that was there when the executor was started may take to answer.
const CONNECT: Duration = Duration::from_secs(10);
/// Messages to the driver that wait to be sent.
const OUTBOX: usize = 1024;

/// What an executor is told when it is started: JSON in [`EXECUTOR_VARIABLE`]. The secret has a variable of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExecutorOptions {
    /// `host:port` of the driver.
    pub driver: String,
    /// The application it works for.
    pub application: String,
    /// Its number.
    pub executor: u64,
    /// The interface on which it serves its blocks.
    pub bind: String,
    /// The name by which others reach it, and by which locations of data name its machine.
    pub host: String,
    /// Tasks at once.
    pub slots: u32,
    /// Bytes that operators and blocks may hold together.
    pub memory: u64,
    /// Folder of its own for blocks and spill files.
    pub dir: PathBuf,
    /// `host:port` of the shuffle service that serves its blocks, which then are files.
    pub service: Option<String>,
    /// Where that service looks for them.
    pub blocks_dir: Option<PathBuf>,
    /// The application's settings, secrets left out.
    pub conf: BTreeMap<String, String>,
}

impl ExecutorOptions {
    /// What this process was told, if it was told to be an executor.
    pub fn from_environment() -> Result<Option<ExecutorOptions>> {
        let Ok(text) = std::env::var(EXECUTOR_VARIABLE) else { return Ok(None) };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|e| Error::internal(format!("{EXECUTOR_VARIABLE} is not understood: {e}")))
    }

    fn conf(&self) -> Result<Conf> {
        let mut conf = Conf::new();
        self.conf.iter().try_for_each(|(k, v)| conf.set(k, v))?;
        Ok(conf)
    }
}

/// Bytes that operators and blocks of an executor hold, and may hold.
#[derive(Debug, Clone, Copy)]
pub struct MemoryUse {
    /// Now.
    pub used: u64,
    /// At most; `None` is no limit.
    pub limit: Option<u64>,
}

/// Told now and then how much memory is held, so that an allocator can be told how much to keep.
pub type MemoryWatch<'a> = &'a (dyn Fn(MemoryUse) + Sync);

/// Is an executor until its driver has no more use for it or is gone. `watch` is told of the memory in use several times a second.
pub fn run(options: &ExecutorOptions, formats: Formats, watch: MemoryWatch<'_>) -> Result<()> {
    let runtime = network_runtime()?;
    make_folder(&options.dir)?;
    let result = runtime.block_on(attached(options, formats, watch));
    // Tasks may still run: their jobs are over, and the process ends with this thread.
    runtime.shutdown_background();
    // Whoever started this process removes it if this does not.
    let _ = std::fs::remove_dir_all(&options.dir);
    result
}

/// A client of a driver. Messages may be as large as the settings say.
pub(crate) type Client = DriverClient<Connection>;

async fn attached(options: &ExecutorOptions, formats: Formats, watch: MemoryWatch<'_>) -> Result<()> {
    let conf = options.conf()?;
    let security = Security::of_child(&conf)?;
    let message_bytes = usize::try_from(conf.get(&conf::RPC_MESSAGE_MAX_SIZE).0).unwrap_or(usize::MAX);
    let limits = Limits { message_bytes, ..Limits::default() };
    let listening = Listening::bind(&options.bind, 0, &security, limits).await?;
    let limit = crate::cluster::executor_share(options.memory, &conf);
    let memory = MemoryManager::new((options.memory > 0).then_some(limit));
    let blocks = crate::remote::blocks::start(options, &conf, &security, &memory, listening)?;
    let exec = Arc::new(ExecutorEnv {
        formats,
        memory: memory.clone(),
        shuffle: blocks.store.clone(),
        spill_dir: options.dir.join("spill"),
    });

    let connection = vonk_rpc::connect(&options.driver, &security, CONNECT).await?;
    let client = DriverClient::new(connection)
        .max_decoding_message_size(message_bytes)
        .max_encoding_message_size(message_bytes);
    let (outbox, outgoing) = mpsc::channel(OUTBOX);
    let registration = Registration {
        application: options.application.clone(),
        executor: options.executor,
        host: options.host.clone(),
        blocks: blocks.source.clone(),
        slots: options.slots,
    };
    let closed = || Error::io("the driver is gone", "the connection is closed");
    outbox.send(FromExecutor::Register(registration)).await.map_err(|_| closed())?;
    let attaching = client.clone().attach(ReceiverStream::new(outgoing)).await;
    let mut incoming = attaching.map_err(|s| vonk_rpc::from_status("the driver refused", &s))?.into_inner();
    let heartbeat = match incoming.message().await {
        Ok(Some(ToExecutor::Registered { heartbeat })) => Duration::from_millis(heartbeat.max(10)),
        Ok(_) => return Err(closed()),
        Err(status) => return Err(vonk_rpc::from_status("the driver refused", &status)),
    };
    tracing::info!(executor = options.executor, driver = options.driver, "registered");

    // Half of a message: the news of a task's end carries some frames together with its counters.
    let frame_bytes = message_bytes / 2;
    let mut orders = Orders::new(
        ExecutorId(options.executor),
        exec.clone(),
        blocks.store.clone(),
        options.slots,
        outbox.clone(),
        client,
        frame_bytes,
    )?;
    // On its own: whatever the loop below is busy with, the executor lives.
    tokio::spawn(beat(heartbeat, memory.clone(), orders.tasks(), outbox.clone()));
    let mut terminate = tokio::signal::unix::signal(SignalKind::terminate())
        .map_err(|e| Error::io("cannot listen for signals", e))?;
    let mut draining = None;
    let mut look = tokio::time::interval(MEMORY_LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = incoming.message() => match message {
                Ok(Some(ToExecutor::Stop)) => break,
                Ok(Some(ToExecutor::Drain)) => draining = Some(tokio::time::interval(DRAIN_LOOK)),
                Ok(Some(message)) => orders.take(message),
                // The driver ended, or the network between.
                Ok(None) => break,
                Err(status) => {
                    orders.cancel_all();
                    return Err(vonk_rpc::from_status("the connection to the driver broke", &status));
                }
            },
            _ = look.tick() => watch(MemoryUse { used: memory.used(), limit: memory.limit() }),
            _ = terminate.recv() => {
                // The driver decides; should it be gone, the next message finds out.
                let _ = outbox.try_send(FromExecutor::Leaving);
            }
            () = looked(&mut draining) => {
                if orders.tasks().lock().is_empty() {
                    draining = None;
                    let outputs = blocks.store.outputs();
                    let _ = outbox.send(FromExecutor::Drained { outputs }).await;
                }
            }
        }
    }
    orders.cancel_all();
    Ok(())
}

/// Says again and again that the executor lives, until nobody hears it.
async fn beat(
    interval: Duration,
    memory: Arc<MemoryManager>,
    tasks: RunningTasks,
    outbox: mpsc::Sender<FromExecutor>,
) {
    let mut beat = tokio::time::interval(interval);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let health = Heartbeat {
            memory_used: memory.used(),
            memory_peak: memory.peak(),
            running: u32::try_from(tasks.lock().len()).unwrap_or(u32::MAX),
        };
        // A full outbox is a sign of life, too.
        if let Err(mpsc::error::TrySendError::Closed(_)) = outbox.try_send(FromExecutor::Heartbeat(health)) {
            return;
        }
    }
}

/// How often the memory in use is looked at.
const MEMORY_LOOK: Duration = Duration::from_millis(50);

/// How often an executor that is to leave looks whether anything still runs.
const DRAIN_LOOK: Duration = Duration::from_millis(20);

/// Never, if there is nothing to wait for.
async fn looked(interval: &mut Option<tokio::time::Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}
