//! Daemons as whole processes: from their start to a signal, and calls to a master for who has no runtime.
//!
//! Must not know: command lines.

use crate::remote::executor::network_runtime;
use crate::standalone::master::{MasterDaemon, MasterDaemonOptions};
use crate::standalone::worker::{WorkerDaemon, WorkerDaemonOptions};
use std::future::Future;
use tokio::signal::unix::{SignalKind, signal};
use vonk_error::{Error, Result};

/// Waits for SIGINT or SIGTERM.
async fn asked_to_end() -> Result<()> {
    let failed = |e| Error::io("cannot listen to signals", e);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Is a master until a signal ends it, or it cannot go on.
pub fn run_master(options: MasterDaemonOptions) -> Result<()> {
    network_runtime()?.block_on(async {
        let daemon = MasterDaemon::start(options).await?;
        tokio::select! {
            ended = daemon.wait() => ended,
            signal = asked_to_end() => signal,
        }
    })
}

/// Is a worker until a signal ends it, or the master does not want it. On SIGUSR1 it leaves once its executors have ended.
pub fn run_worker(options: WorkerDaemonOptions) -> Result<()> {
    network_runtime()?.block_on(async {
        let mut daemon = WorkerDaemon::start(options).await?;
        let failed = |e| Error::io("cannot listen to signals", e);
        let mut drain = signal(SignalKind::user_defined1()).map_err(failed)?;
        loop {
            tokio::select! {
                ended = daemon.wait() => return ended,
                _ = drain.recv() => daemon.drain().await,
                signal = asked_to_end() => {
                    signal?;
                    daemon.stop().await;
                    return daemon.wait().await;
                }
            }
        }
    })
}

/// Waits for a call to a master ([`submit`](super::submit)), for who has no runtime.
pub fn block_on<T>(call: impl Future<Output = Result<T>>) -> Result<T> {
    network_runtime()?.block_on(call)
}
