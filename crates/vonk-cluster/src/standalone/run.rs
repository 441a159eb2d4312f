//! Daemons as whole processes: from their start to a signal, and calls to a master for who has no runtime.
//!
//! Must not know: command lines.

use crate::remote::executor::network_runtime;
use crate::standalone::client::MasterAddress;
use crate::standalone::master::{MasterDaemon, MasterDaemonOptions};
use crate::standalone::protocol::DriverCommand;
use crate::standalone::protocol::DriverStatus;
use crate::standalone::submit;
use crate::standalone::worker::{WorkerDaemon, WorkerDaemonOptions};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use vonk_error::{Error, Result};
use vonk_rpc::Security;
use vonk_scheduler::master::Resources;

/// How often to ask how a driver is.
const ASK: Duration = Duration::from_millis(500);

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

/// See [`submit::submit`].
pub fn submit_driver(
    master: &MasterAddress,
    security: &Security,
    name: &str,
    resources: Resources,
    supervise: bool,
    driver: &DriverCommand,
) -> Result<DriverStatus> {
    network_runtime()?.block_on(submit::submit(master, security, name, resources, supervise, driver))
}

/// Waits until a driver or an application is over, with patience for a master that is being started again.
pub fn wait_for(master: &MasterAddress, security: &Security, id: &str) -> Result<Option<DriverStatus>> {
    const PATIENCE: u32 = 120;
    network_runtime()?.block_on(async {
        let mut failures = 0;
        loop {
            match submit::status(master, security, id).await {
                Ok(Some(status)) if !status.over => failures = 0,
                Ok(over) => return Ok(over),
                Err(error) if failures >= PATIENCE => return Err(error),
                Err(_) => failures += 1,
            }
            tokio::time::sleep(ASK).await;
        }
    })
}

/// See [`submit::status`].
pub fn status_of(master: &MasterAddress, security: &Security, id: &str) -> Result<Option<DriverStatus>> {
    network_runtime()?.block_on(submit::status(master, security, id))
}

/// See [`submit::kill`].
pub fn kill(master: &MasterAddress, security: &Security, id: &str) -> Result<Option<DriverStatus>> {
    network_runtime()?.block_on(submit::kill(master, security, id))
}

/// See [`submit::drain`].
pub fn drain(master: &MasterAddress, security: &Security, worker: &str) -> Result<Option<DriverStatus>> {
    network_runtime()?.block_on(submit::drain(master, security, worker))
}
