//! Serving status over HTTP.
//!
//! It is read-only, and bound as the daemon is: without a secret to this machine only.
//!
//! Must not know: what is served.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use vonk_error::{Error, Result};
use vonk_rpc::Security;

/// A bound port that is not served yet.
pub(crate) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

/// Binds; port 0 takes a free one.
pub(crate) async fn bind(host: &str, port: u16, security: &Security) -> Result<Bound> {
    let failed = |e| Error::io(format!("cannot listen on {host}:{port}"), e);
    let address = tokio::net::lookup_host((host, port)).await.map_err(failed)?.next();
    let address = address.ok_or_else(|| failed(std::io::Error::other("the name has no address")))?;
    security.may_bind(address.ip())?;
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Bound { listener, address })
}

impl Bound {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until it is aborted.
    pub async fn serve(self, router: Router) {
        if let Err(error) = axum::serve(self.listener, router).await {
            tracing::error!(%error, "the status server ended");
        }
    }
}

/// JSON, or 404 for what is not there.
pub(crate) fn json<T: serde::Serialize>(value: Option<T>) -> Response {
    match value {
        Some(value) => axum::Json(value).into_response(),
        None => (StatusCode::NOT_FOUND, "not found\n").into_response(),
    }
}

/// One metric in Prometheus's text format: its name, what it counts, and its values by labels.
pub(crate) fn gauge(out: &mut String, name: &str, help: &str, values: &[(&str, f64)]) {
    out.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
    for (labels, value) in values {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        out.push_str(&format!("{name}{labels} {value}\n"));
    }
}
