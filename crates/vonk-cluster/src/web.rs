//! Serving status over HTTP: for drivers, masters and workers alike.
//!
//! What is served shows and changes nothing. It is bound as everything else is: without a secret for this machine only, and only requests
//! that name it are answered. With a secret, requests carry it (`Authorization: Bearer …`); with TLS it is HTTPS, with the certificates of
//! the other connections.
//!
//! Must not know: what is served.

use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use axum::{Json, Router};
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use vonk_error::{Error, Result};
use vonk_rpc::{Admission, Security, Sockets, Stream};

/// People and programs that look, at once.
const SOCKETS: usize = 256;

/// A bound port that is not served yet.
pub(crate) struct Bound {
    sockets: Web,
    guard: Guard,
}

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebPort {
    /// The port; 0 takes a free one.
    pub first: u16,
    /// How many of those behind it are tried, one after the other, where it is taken (Spark: `spark.port.maxRetries`).
    pub others: u16,
}

impl WebPort {
    /// This one alone.
    pub fn exactly(port: u16) -> WebPort {
        WebPort { first: port, others: 0 }
    }
}

/// Binds. Must be called within a runtime.
pub(crate) async fn bind(host: &str, port: WebPort, security: &Security) -> Result<Bound> {
    let failed =
        |port: u16, e: std::io::Error| Error::io(format!("cannot serve the status on {host}:{port}"), e);
    let address =
        tokio::net::lookup_host((host, port.first)).await.map_err(|e| failed(port.first, e))?.next();
    let address =
        address.ok_or_else(|| failed(port.first, std::io::Error::other("the name has no address")))?;
    security.may_bind(address.ip())?;
    let last = if port.first == 0 { 0 } else { port.first.saturating_add(port.others) };
    let mut at = port.first;
    let listener = loop {
        match TcpListener::bind((address.ip(), at)).await {
            Err(e) if e.kind() == std::io::ErrorKind::AddrInUse && at < last => at += 1,
            result => break result.map_err(|e| failed(at, e))?,
        }
    };
    let address = listener.local_addr().map_err(|e| failed(at, e))?;
    let streams = Sockets::new(listener, SOCKETS).streams(security)?;
    let guard = Guard { security: security.clone(), host: host.into() };
    Ok(Bound { sockets: Web { streams, address }, guard })
}

impl Bound {
    pub fn address(&self) -> SocketAddr {
        self.sockets.address
    }

    /// Serves until it is aborted.
    pub async fn serve(self, router: Router) {
        let router = router.layer(from_fn_with_state(self.guard, guarded));
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

/// Who may see what is served.
#[derive(Clone)]
struct Guard {
    security: Security,
    /// The name that it was bound by.
    host: Arc<str>,
}

impl Guard {
    /// What is wrong with a request, if anything is.
    fn refuses(&self, request: &Request) -> Option<(StatusCode, &'static str)> {
        let given = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        if !self.security.admits(given) {
            return Some((StatusCode::UNAUTHORIZED, "the shared secret is missing or wrong"));
        }
        if !self.security.has_secret() && !self.is_meant(request) {
            let why = "without a secret only requests to localhost or a loopback address are answered";
            return Some((StatusCode::FORBIDDEN, why));
        }
        None
    }

    /// Whether a request speaks of this machine. A page of a stranger can have its own name lead here (DNS rebinding), and its browser on
    /// this machine would show it what it gets: but the request bears that name.
    fn is_meant(&self, request: &Request) -> bool {
        let header = request.headers().get(header::HOST).map(|v| v.to_str().unwrap_or_default());
        let mut names = request.uri().authority().map(Authority::as_str).into_iter().chain(header).peekable();
        names.peek().is_some() && names.all(|name| self.is_here(name))
    }

    fn is_here(&self, authority: &str) -> bool {
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        let host = authority.host();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        address.is_ok_and(|ip| ip.is_loopback())
            || host.eq_ignore_ascii_case("localhost")
            || host.eq_ignore_ascii_case(&self.host)
    }
}

async fn guarded(
    State(guard): State<Guard>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    match guard.refuses(&request) {
        None => {
            peer.0.admit();
            next.run(request).await
        }
        Some((status, why)) => (status, Json(json!({"error": why}))).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use vonk_rpc::Secret;

    #[test]
    fn without_a_secret_only_requests_to_this_machine_are_answered() {
        let guard = |secret: Option<&str>| Guard {
            security: Security::new(secret.map(|s| Secret::new(s).unwrap()), None),
            host: "Own.Name".into(),
        };
        let request = |uri: &str, host: Option<&str>, given: Option<&str>| {
            let mut request = Request::builder().uri(uri);
            if let Some(host) = host {
                request = request.header(header::HOST, host);
            }
            if let Some(given) = given {
                request = request.header(header::AUTHORIZATION, given);
            }
            request.body(Body::empty()).unwrap()
        };
        let status =
            |guard: &Guard, request: &Request| guard.refuses(request).map(|(status, _)| status.as_u16());
        let open = guard(None);
        for host in ["localhost", "LocalHost:4040", "127.0.0.1:4040", "127.8.9.1", "[::1]:80", "own.name:1"] {
            assert_eq!(status(&open, &request("/metrics", Some(host), None)), None, "{host}");
        }
        let strange =
            ["evil.example", "evil.example:4040", "10.0.0.1", "localhost.evil.example", "", "a b", "[::2]"];
        for host in strange {
            assert_eq!(status(&open, &request("/metrics", Some(host), None)), Some(403), "{host}");
        }
        assert_eq!(status(&open, &request("/metrics", None, None)), Some(403), "nowhere");
        let elsewhere = request("http://evil.example/metrics", Some("localhost"), None);
        assert_eq!(status(&open, &elsewhere), Some(403));
        // Who has the secret is not a stranger's page.
        let closed = guard(Some("s"));
        assert_eq!(status(&closed, &request("/", Some("evil.example"), Some("Bearer s"))), None);
        assert_eq!(status(&closed, &request("/", Some("localhost"), Some("Bearer t"))), Some(401));
        assert_eq!(status(&closed, &request("/", Some("localhost"), None)), Some(401));
    }
}
