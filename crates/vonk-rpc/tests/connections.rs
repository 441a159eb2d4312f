//! Real connections on loopback: what gets through, and how the rest is refused.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::codegen::http;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};
use vonk_error::Error;
use vonk_rpc::{Connection, Limits, Listening, Pem, PostcardCodec, Secret, Security, Tls, connect};

const WAIT: Duration = Duration::from_secs(5);

/// Doubles numbers; zero is an error.
#[derive(Clone)]
struct Doubler;

impl tonic::server::NamedService for Doubler {
    const NAME: &'static str = "test.Doubler";
}

impl tonic::server::UnaryService<u64> for Doubler {
    type Response = u64;
    type Future = Pin<Box<dyn Future<Output = Result<Response<u64>, Status>> + Send>>;
    fn call(&mut self, request: Request<u64>) -> Self::Future {
        let n = request.into_inner();
        Box::pin(async move {
            match n {
                0 => Err(vonk_rpc::to_status(&Error::new("DIVIDE_BY_ZERO").with("config", "x"))),
                n => Ok(Response::new(n * 2)),
            }
        })
    }
}

impl tower::Service<http::Request<tonic::body::Body>> for Doubler {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(PostcardCodec::<u64, u64>::default())
                .apply_max_message_size_config(Some(1024), None);
            Ok(grpc.unary(Doubler, request).await)
        })
    }
}

async fn serve(security: &Security) -> SocketAddr {
    let listening = Listening::bind("127.0.0.1", 0, security, Limits::default()).await.unwrap();
    let address = listening.address();
    tokio::spawn(listening.serve(Routes::new(Doubler), std::future::pending()));
    address
}

async fn call_as<T>(connection: Connection, message: T) -> Result<u64, Status>
where
    T: serde::Serialize + Send + Sync + 'static,
{
    let mut grpc = tonic::client::Grpc::new(connection);
    grpc.ready().await.map_err(|e| Status::unknown(e.to_string()))?;
    let path = http::uri::PathAndQuery::from_static("/test.Doubler/Double");
    let codec = PostcardCodec::<T, u64>::default();
    grpc.unary(Request::new(message), path, codec).await.map(Response::into_inner)
}

async fn double(address: SocketAddr, security: &Security, n: u64) -> Result<u64, Status> {
    let connection =
        connect(&address.to_string(), security, WAIT).await.map_err(|e| vonk_rpc::to_status(&e))?;
    call_as(connection, n).await
}

fn secret(text: &str) -> Security {
    Security::new(Some(Secret::new(text).unwrap()), None)
}

#[tokio::test]
async fn messages_and_typed_errors_get_through() {
    let address = serve(&secret("a")).await;
    assert_eq!(double(address, &secret("a"), 21).await.unwrap(), 42);
    let status = double(address, &secret("a"), 0).await.unwrap_err();
    let error = vonk_rpc::from_status("doubling", &status);
    assert_eq!(error.condition(), "DIVIDE_BY_ZERO");
}

#[tokio::test]
async fn a_wrong_or_missing_secret_is_refused_before_anything_is_decoded() {
    let address = serve(&secret("right")).await;
    for wrong in [secret("wrong"), secret("righ"), secret("right1"), Security::none()] {
        let status = double(address, &wrong, 1).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(vonk_rpc::from_status("", &status).condition(), "_UNAUTHENTICATED");
        // A message that could not be decoded is not even looked at.
        let connection = connect(&address.to_string(), &wrong, WAIT).await.unwrap();
        let status = call_as(connection, "no number at all".to_string()).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }
}

#[tokio::test]
async fn garbage_and_large_messages_are_refused_and_the_server_goes_on() {
    let address = serve(&Security::none()).await;
    let connect_to = || async { connect(&address.to_string(), &Security::none(), WAIT).await.unwrap() };
    let trailing = call_as(connect_to().await, "text is not a number".to_string()).await.unwrap_err();
    assert_eq!(trailing.code(), Code::InvalidArgument);
    let empty = call_as(connect_to().await, ()).await.unwrap_err();
    assert_eq!(empty.code(), Code::InvalidArgument);
    let large = call_as(connect_to().await, vec![7u8; 5000]).await.unwrap_err();
    assert_eq!(large.code(), Code::OutOfRange);
    // No HTTP/2 at all: the connection is closed, or an error written; in any case it ends.
    for garbage in [
        &b"\x00\xff garbage \r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        socket.write_all(garbage).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // It may also end with a reset.
        let _ =
            tokio::time::timeout(WAIT, socket.read_to_end(&mut answer)).await.expect("the connection ends");
    }
    assert_eq!(double(address, &Security::none(), 3).await.unwrap(), 6);
}

#[tokio::test]
async fn a_stranger_without_our_protocol_is_told_so() {
    let address = serve(&Security::none()).await;
    let channel =
        tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await;
    let mut grpc = tonic::client::Grpc::new(channel.unwrap());
    grpc.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/test.Doubler/Double");
    let codec = PostcardCodec::<u64, u64>::default();
    let mut request = Request::new(1);
    let status = grpc.unary(Request::new(1), path.clone(), codec).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    request.metadata_mut().insert("vonk-protocol", "999".parse().unwrap());
    request.metadata_mut().insert("vonk-version", "9.9.9".parse().unwrap());
    grpc.ready().await.unwrap();
    let status = grpc.unary(request, path, PostcardCodec::<u64, u64>::default()).await.unwrap_err();
    let error = vonk_rpc::from_status("", &status);
    assert_eq!(error.condition(), "_VERSION_MISMATCH");
    assert!(error.to_string().contains("9.9.9"), "{error}");
}

#[tokio::test]
async fn nothing_listening_a_port_taken_and_open_interfaces_without_a_secret() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = connect(&free.to_string(), &Security::none(), WAIT).await.err().unwrap();
    assert!(error.to_string().contains(&free.to_string()), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    let unknown = connect("no-such-host.invalid:7077", &Security::none(), WAIT).await.err().unwrap();
    assert!(unknown.to_string().contains("no-such-host.invalid"), "{unknown}");

    let taken = serve(&Security::none()).await;
    let bind = |host: &'static str, port, security: Security| async move {
        Listening::bind(host, port, &security, Limits::default()).await.map(|_| ())
    };
    let error = bind("127.0.0.1", taken.port(), Security::none()).await.unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    let error = bind("0.0.0.0", 0, Security::none()).await.unwrap_err();
    assert_eq!(error.condition(), "_INSECURE_ADDRESS");
    bind("0.0.0.0", 0, secret("s")).await.unwrap();
}

/// A certificate authority, and identities that it vouches for.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    fn identity(&self) -> Pem {
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_string(), "127.0.0.1".to_string()];
        let cert = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        Pem { chain: cert.pem().into_bytes(), key: key.serialize_pem().into_bytes() }
    }

    fn security(&self, identity: Option<Pem>, mutual: bool) -> Security {
        let authority = self.issuer.pem().into_bytes();
        Security::new(Some(Secret::new("s").unwrap()), Some(Tls { identity, authority, mutual }))
    }
}

#[tokio::test]
async fn tls_and_mutual_tls() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let address = serve(&ours.security(Some(ours.identity()), false)).await;
    assert_eq!(double(address, &ours.security(None, false), 2).await.unwrap(), 4);
    // A client that believes another authority, or that does not encrypt.
    assert!(double(address, &theirs.security(None, false), 2).await.is_err());
    assert!(double(address, &secret("s"), 2).await.is_err());

    let address = serve(&ours.security(Some(ours.identity()), true)).await;
    assert_eq!(double(address, &ours.security(Some(ours.identity()), true), 2).await.unwrap(), 4);
    assert!(double(address, &ours.security(None, false), 2).await.is_err());
    assert!(double(address, &ours.security(Some(theirs.identity()), true), 2).await.is_err());
    // The server itself goes on.
    assert_eq!(double(address, &ours.security(Some(ours.identity()), true), 5).await.unwrap(), 10);
}

#[test]
fn secrets_are_checked_and_not_printed() {
    assert!(Secret::new("").is_err());
    assert!(Secret::new("two words").is_err());
    assert!(Secret::new("naïve").is_err());
    let security = secret("hush");
    assert!(!format!("{security:?} {:?}", Secret::new("hush").unwrap()).contains("hush"));
}

/// A client of another protocol than gRPC.
async fn tls_client(
    address: SocketAddr,
    believes: &Authority,
) -> std::io::Result<impl AsyncReadExt + AsyncWriteExt + Unpin> {
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(believes.issuer.pem().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(std::sync::Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = tokio::net::TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(std::sync::Arc::new(config)).connect(name, socket).await
}

#[tokio::test]
async fn other_protocols_are_encrypted_with_the_same_certificates() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let bound = async |security: &Security| {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (address, vonk_rpc::Sockets::new(listener, 8).streams(security).unwrap())
    };
    let (address, mut streams) = bound(&ours.security(Some(ours.identity()), false)).await;
    // Who is silent, or speaks no TLS, keeps nobody waiting.
    let _silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut plain = tokio::net::TcpStream::connect(address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(tls_client(address, &theirs).await.is_err(), "another authority's");
    let mut client = tls_client(address, &ours).await.unwrap();
    let (mut served, admission) = tokio::time::timeout(WAIT, streams.recv()).await.unwrap().unwrap();
    admission.admit();
    client.write_all(b"hello").await.unwrap();
    let mut text = [0; 5];
    served.read_exact(&mut text).await.unwrap();
    assert_eq!(&text, b"hello");

    // With mutual TLS a client without a certificate is not heard.
    let (address, mut streams) = bound(&ours.security(Some(ours.identity()), true)).await;
    if let Ok(mut client) = tls_client(address, &ours).await {
        // In TLS 1.3 the refusal comes after the client's last word.
        let _ = client.write_all(b"hello").await;
        assert!(client.read(&mut text).await.is_err());
    }
    assert!(tokio::time::timeout(Duration::from_millis(300), streams.recv()).await.is_err());
    // Without a certificate nothing is served at all.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let without = vonk_rpc::Sockets::new(listener, 8).streams(&ours.security(None, false));
    assert_eq!(without.err().unwrap().condition(), "_INVALID_TLS");
}
