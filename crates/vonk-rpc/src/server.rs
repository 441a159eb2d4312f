//! Listening.
//!
//! Must not know: services.

use crate::security::Security;
use crate::sockets::{Admission, Sockets};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::{Interceptor, InterceptorLayer, Routes};
use tonic::transport::Server;
use tonic::{Request, Status};
use vonk_error::{Error, Result};

/// How long a peer may take to agree on encryption.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Bounds of a server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one message; services pass it to their `max_decoding_message_size`.
    pub message_bytes: usize,
    /// Calls at once on one connection.
    pub streams: u32,
    /// Connections at once.
    pub sockets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { message_bytes: 128 << 20, streams: 1024, sockets: 16_384 }
    }
}

/// Lets calls with the right secret and protocol pass.
#[derive(Clone)]
pub struct Gate(Security);

impl Interceptor for Gate {
    fn call(&mut self, request: Request<()>) -> std::result::Result<Request<()>, Status> {
        self.0.check(&request)?;
        if let Some(admission) = request.extensions().get::<Admission>() {
            admission.admit();
        }
        Ok(request)
    }
}

/// A bound socket that does not serve yet, so that its port is known before anyone is told of it.
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    security: Security,
    limits: Limits,
}

impl Listening {
    /// Binds `host:port`; port 0 takes a free one. Refused on other interfaces than loopback when there is no secret. Must be called
    /// within a tokio runtime.
    pub async fn bind(host: &str, port: u16, security: &Security, limits: Limits) -> Result<Listening> {
        let failed = |e| Error::io(format!("cannot listen on {host}:{port}"), e);
        let address = tokio::net::lookup_host((host, port)).await.map_err(failed)?.next();
        let address = address.ok_or_else(|| failed(std::io::Error::other("the name has no address")))?;
        security.may_bind(address.ip())?;
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Listening { listener, address, security: security.clone(), limits })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `host:port` as others reach it: an unspecified address (`0.0.0.0`) is not one, so `public_host` stands for it.
    pub fn public_address(&self, public_host: &str) -> String {
        match self.address.ip() {
            ip if ip.is_unspecified() => format!("{public_host}:{}", self.address.port()),
            IpAddr::V6(ip) => format!("[{ip}]:{}", self.address.port()),
            IpAddr::V4(ip) => format!("{ip}:{}", self.address.port()),
        }
    }

    /// Its bounds.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Serves `routes` until `stop` is ready; calls that run then are given no more time.
    pub async fn serve(self, routes: Routes, stop: impl Future<Output = ()> + Send) -> Result<()> {
        let failed = |e: tonic::transport::Error| Error::io("a server failed", e);
        let mut server = Server::builder()
            .max_concurrent_streams(self.limits.streams)
            .http2_keepalive_interval(Some(Duration::from_secs(10)))
            .http2_keepalive_timeout(Some(Duration::from_secs(20)))
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(16 << 20)
            .max_frame_size(1 << 20);
        if let Some(tls) = self.security.server_tls()? {
            let tls = tls.timeout(HANDSHAKE);
            server = server.tls_config(tls).map_err(failed)?;
        }
        let sockets = Sockets::new(self.listener, self.limits.sockets);
        let (sender, incoming) = mpsc::channel(1);
        let accepting = async move {
            // The server ends first.
            while sender.send(Ok::<_, std::io::Error>(sockets.accept().await)).await.is_ok() {}
        };
        let gate = InterceptorLayer::new(Gate(self.security));
        let serving =
            server.layer(gate).add_routes(routes).serve_with_incoming(ReceiverStream::new(incoming));
        tokio::select! {
            served = serving => served.map_err(failed),
            () = accepting => Ok(()),
            () = stop => Ok(()),
        }
    }
}
