//! Telling a block server that map outputs are not needed any more.

use crate::fetch::Connections;
use crate::flight::protocol::{RELEASE, Release, encode};
use arrow_flight::Action;
use arrow_flight::flight_service_client::FlightServiceClient;
use std::time::Duration;
use vonk_error::{Error, Result};
use vonk_rpc::from_status;

/// Asks the server at `address` to delete an application's map outputs, or those of one shuffle of it.
pub async fn release_remote(
    connections: &Connections,
    address: &str,
    application: &str,
    shuffle: Option<u64>,
    timeout: Duration,
) -> Result<()> {
    let what = format!("cannot release map outputs at {address}");
    let pooled = connections.get(address).await?;
    let body = encode(&Release { application: application.to_string(), shuffle })?;
    let mut client = FlightServiceClient::new(pooled.connection.clone());
    let call = client.do_action(Action { r#type: RELEASE.to_string(), body });
    match tokio::time::timeout(timeout, call).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(status)) => {
            connections.broken(&pooled).await;
            Err(from_status(&what, &status))
        }
        Err(_) => {
            connections.broken(&pooled).await;
            Err(Error::io(what, format!("no answer within {} ms", timeout.as_millis())))
        }
    }
}
