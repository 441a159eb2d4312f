//! Connecting.
//!
//! Must not know: services.

use crate::security::{Credentials, Security};
use std::time::Duration;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use vonk_error::{Error, Result};

/// A connection whose calls carry this process's credentials. Cheap to clone; clones share the socket.
pub type Connection = InterceptedService<Channel, Credentials>;

/// Window of one stream and of the connection: large enough for loopback and fast networks at their delays.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// Bytes of an HTTP/2 frame: blocks and rows come in large messages.
const FRAME: u32 = 1 << 20;

/// Connects to `address` (`host:port`). An error names the address and says what is wrong: nothing listens, a wrong name, TLS refused, or
/// no answer within `timeout`.
///
/// A peer that stops answering without closing its socket (a pulled cable) is noticed by HTTP/2 pings.
pub async fn connect(address: &str, security: &Security, timeout: Duration) -> Result<Connection> {
    let failed = |cause: String| Error::io(format!("cannot connect to {address}"), cause);
    let tls = security.client_tls();
    let scheme = if tls.is_some() { "https" } else { "http" };
    let mut endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
        .map_err(|e| failed(text_of(&e)))?
        .connect_timeout(timeout)
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(20))
        .keep_alive_while_idle(true);
    if let Some(tls) = tls {
        endpoint = endpoint.tls_config(tls).map_err(|e| failed(text_of(&e)))?;
    }
    let channel = tokio::time::timeout(timeout, endpoint.connect())
        .await
        .map_err(|_| failed(format!("no answer within {} ms", timeout.as_millis())))?
        .map_err(|e| failed(text_of(&e)))?;
    Ok(InterceptedService::new(channel, security.credentials()))
}

/// An error with all its causes: tonic's own text is just "transport error".
fn text_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
