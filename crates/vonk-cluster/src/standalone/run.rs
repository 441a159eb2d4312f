//! Daemons as whole processes: from their start to a signal, and calls to a master for who has no runtime.
//!
//! Must not know: command lines.

use crate::network::network_runtime;
use crate::standalone::master::{MasterDaemon, MasterDaemonOptions};
use crate::standalone::worker::{WorkerDaemon, WorkerDaemonOptions};
use std::future::Future;
use std::pin::pin;
use tokio::signal::unix::{Signal, SignalKind, signal};
use vonk_error::{Error, Result};

/// What a user asks of a daemon by signals. None that comes is missed, whatever the daemon does meanwhile.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    drain: Signal,
}

impl Signals {
    fn new() -> Result<Signals> {
        let of = |kind| signal(kind).map_err(|e| Error::io("cannot listen to signals", e));
        Ok(Signals {
            interrupt: of(SignalKind::interrupt())?,
            terminate: of(SignalKind::terminate())?,
            drain: of(SignalKind::user_defined1())?,
        })
    }
}

/// Is a master until SIGINT or SIGTERM ends it, or it cannot go on.
pub fn run_master(options: MasterDaemonOptions) -> Result<()> {
    network_runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let mut ended = pin!(MasterDaemon::start(options).await?.wait());
        loop {
            tokio::select! {
                ended = &mut ended => return ended,
                _ = signals.interrupt.recv() => return Ok(()),
                _ = signals.terminate.recv() => return Ok(()),
                // Of workers only.
                _ = signals.drain.recv() => {}
            }
        }
    })
}

/// Is a worker until SIGINT or SIGTERM ends it, or the master does not want it. On SIGUSR1 it leaves once its executors have ended.
pub fn run_worker(options: WorkerDaemonOptions) -> Result<()> {
    network_runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let mut daemon = WorkerDaemon::start(options).await?;
        loop {
            tokio::select! {
                ended = daemon.wait() => return ended,
                _ = signals.drain.recv() => daemon.drain().await,
                _ = signals.interrupt.recv() => daemon.stop().await,
                _ = signals.terminate.recv() => daemon.stop().await,
            }
        }
    })
}

/// Waits for a call to a master ([`submit`](mod@super::submit)), for who has no runtime.
pub fn block_on<T>(call: impl Future<Output = Result<T>>) -> Result<T> {
    network_runtime()?.block_on(call)
}
