//! Serving status over HTTP: for drivers, masters and workers alike.
//!
//! What is served shows and changes nothing. It is bound as everything else is: without a secret for this machine only. With a secret,
//! requests carry it (`Authorization: Bearer …`); with TLS it is HTTPS, with the certificates of the other connections.
//!
//! Must not know: what is served.

use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use axum::{Json, Router};
use serde_json::json;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use vonk_error::{Error, Result};
use vonk_rpc::{Admission, Security, Sockets, Stream};

/// People and programs that look, at once.
const SOCKETS: usize = 256;

/// A bound port that is not served yet.
pub(crate) struct Bound {
    sockets: Web,
    security: Security,
}

/// Binds; port 0 takes a free one. Must be called within a runtime.
pub(crate) async fn bind(host: &str, port: u16, security: &Security) -> Result<Bound> {
    let failed = |e| Error::io(format!("cannot serve the status on {host}:{port}"), e);
    let address = tokio::net::lookup_host((host, port)).await.map_err(failed)?.next();
    let address = address.ok_or_else(|| failed(std::io::Error::other("the name has no address")))?;
    security.may_bind(address.ip())?;
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let streams = Sockets::new(listener, SOCKETS).streams(security)?;
    Ok(Bound { sockets: Web { streams, address }, security: security.clone() })
}

impl Bound {
    pub fn address(&self) -> SocketAddr {
        self.sockets.address
    }

    /// Serves until it is aborted.
    pub async fn serve(self, router: Router) {
        let router = router.layer(from_fn_with_state(self.security, authorised));
        let service = router.into_make_service_with_connect_info::<Peer>();
        if let Err(error) = axum::serve(self.sockets, service).await {
            tracing::error!(%error, "the status server ended");
        }
    }
}

/// Sockets for axum.
struct Web {
    streams: mpsc::Receiver<(Box<dyn Stream>, Admission)>,
    address: SocketAddr,
}

/// Who is at the other end, as axum has it: the "address" of a connection is whether its peer may stay.
#[derive(Clone, Debug)]
struct Peer(Admission);

impl Listener for Web {
    type Io = Box<dyn Stream>;
    type Addr = Peer;

    async fn accept(&mut self) -> (Box<dyn Stream>, Peer) {
        match self.streams.recv().await {
            Some((stream, admission)) => (stream, Peer(admission)),
            // The task that accepts ends with this one only.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Peer> {
        Ok(Peer(Admission::default()))
    }
}

impl Connected<IncomingStream<'_, Web>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Web>) -> Peer {
        stream.remote_addr().clone()
    }
}

async fn authorised(
    State(security): State<Security>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    if security.admits(given) {
        peer.0.admit();
        return next.run(request).await;
    }
    let body = Json(json!({"error": "the shared secret is missing or wrong"}));
    (StatusCode::UNAUTHORIZED, body).into_response()
}
