//! Clients of a master: drivers to be run by the cluster, and questions about them.
//!
//! Must not know: command lines.

use crate::standalone::client::MasterAddress;
use crate::standalone::protocol::{
    Command, CommandAnswer, DriverCommand, DriverStatus, encode, fresh_name, unix_millis,
};
use crate::standalone::service::master_client::MasterClient as Service;
use std::sync::Arc;
use std::time::Duration;
use vonk_error::{Error, ErrorKind, Result};
use vonk_rpc::Security;
use vonk_scheduler::master::{DriverSpec, Nonce, Resources};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Tries to submit: the same submission again is no second one.
const TRIES: u32 = 3;
/// How often to ask how a driver is, and how often in a row there may be no answer.
const ASK: Duration = Duration::from_millis(500);
const PATIENCE: u32 = 120;

async fn command(
    master: &MasterAddress,
    security: &Security,
    command: Command,
) -> Result<Option<DriverStatus>> {
    let connection = vonk_rpc::connect(&master.host_and_port(), security, TIMEOUT).await?;
    let mut service = Service::new(connection);
    let refused = |s: tonic::Status| vonk_rpc::from_status(&format!("the master at {master} refused"), &s);
    let answer = tokio::time::timeout(TIMEOUT, service.command(command)).await.map_err(|_| {
        let cause = format!("no answer within {} ms", TIMEOUT.as_millis());
        Error::io(format!("cannot ask the master at {master}"), cause)
    })?;
    let CommandAnswer(answer) = answer.map_err(refused)?.into_inner();
    Ok(answer)
}

/// Submits a driver. Should the answer be lost, it is asked for again: there is one driver all the same.
pub async fn submit(
    master: &MasterAddress,
    security: &Security,
    name: &str,
    resources: Resources,
    supervise: bool,
    driver: &DriverCommand,
) -> Result<DriverStatus> {
    let spec = Arc::new(DriverSpec {
        name: name.to_string(),
        user: crate::user::name(),
        submitted: unix_millis(),
        resources,
        supervise,
        command: encode(driver)?,
    });
    let nonce = Nonce::from(fresh_name("submission")?.as_str());
    let mut tries = 0;
    loop {
        tries += 1;
        let submit = Command::Submit { nonce: nonce.clone(), spec: spec.clone() };
        match command(master, security, submit).await {
            Ok(Some(status)) => return Ok(status),
            Ok(None) => return Err(Error::internal("the master knows nothing of what was submitted")),
            Err(error) if tries < TRIES && matches!(error.kind(), ErrorKind::Io) => {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// How a driver or an application is; `None` if the master does not know it.
pub async fn status(master: &MasterAddress, security: &Security, id: &str) -> Result<Option<DriverStatus>> {
    command(master, security, Command::Status { id: id.to_string() }).await
}

/// Waits until a driver or an application is over, with patience for a master that is being started again.
pub async fn wait(master: &MasterAddress, security: &Security, id: &str) -> Result<Option<DriverStatus>> {
    let mut failures = 0;
    loop {
        match status(master, security, id).await {
            Ok(Some(status)) if !status.over => failures = 0,
            Ok(over) => return Ok(over),
            Err(error) if failures >= PATIENCE || !matches!(error.kind(), ErrorKind::Io) => {
                return Err(error);
            }
            Err(_) => failures += 1,
        }
        tokio::time::sleep(ASK).await;
    }
}

/// Ends a driver or an application; `None` if the master does not know it.
pub async fn kill(master: &MasterAddress, security: &Security, id: &str) -> Result<Option<DriverStatus>> {
    command(master, security, Command::Kill { id: id.to_string() }).await
}

/// Asks a worker to leave once its executors have ended; `None` if the master does not know it.
pub async fn drain(
    master: &MasterAddress,
    security: &Security,
    worker: &str,
) -> Result<Option<DriverStatus>> {
    command(master, security, Command::Drain { worker: worker.to_string() }).await
}
