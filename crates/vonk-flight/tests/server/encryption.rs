//! TLS.

use crate::running::{Client, Running, rows};
use arrow_flight::sql::client::FlightSqlServiceClient;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::PathBuf;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};
use vonk_flight::TlsFiles;

struct Files {
    dir: tempfile::TempDir,
    authority: String,
    client: (String, String),
}

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn tls(&self, mutual: bool) -> TlsFiles {
        TlsFiles {
            certificate: self.path("server.pem"),
            key: self.path("server.key"),
            client_authority: mutual.then(|| self.path("ca.pem")),
        }
    }
}

fn files() -> Files {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let issue = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_string()]).unwrap().signed_by(&key, &ca).unwrap();
        (certificate.pem(), key.serialize_pem())
    };
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = issue("localhost");
    std::fs::write(dir.path().join("server.pem"), certificate).unwrap();
    std::fs::write(dir.path().join("server.key"), key).unwrap();
    std::fs::write(dir.path().join("ca.pem"), ca.pem()).unwrap();
    Files { dir, authority: ca.pem(), client: issue("a client") }
}

/// `None` where not even a connection is made.
async fn connect(server: &Running, files: &Files, certified: bool) -> Option<Client> {
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&files.authority))
        .domain_name("localhost");
    let tls = match certified {
        true => tls.identity(Identity::from_pem(&files.client.0, &files.client.1)),
        false => tls,
    };
    let endpoint = Endpoint::new(format!("https://{}", server.address)).unwrap().tls_config(tls).unwrap();
    Some(FlightSqlServiceClient::new(endpoint.connect().await.ok()?))
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_encrypted() {
    let files = files();
    let server = Running::with(|o| o.tls = Some(files.tls(false)), &[]).await;
    let mut client = connect(&server, &files, false).await.unwrap();
    assert_eq!(rows(&mut client, "SELECT 1").await.unwrap(), "1");
    // The session is that of the connection, through TLS as well.
    rows(&mut client, "CREATE TEMPORARY VIEW v AS SELECT 2 AS x").await.unwrap();
    assert_eq!(rows(&mut client, "SELECT x FROM v").await.unwrap(), "2");
    let plain = Endpoint::new(format!("http://{}", server.address)).unwrap().connect().await;
    let refused = match plain {
        Err(_) => true,
        Ok(channel) => rows(&mut FlightSqlServiceClient::new(channel), "SELECT 1").await.is_err(),
    };
    assert!(refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_clients() {
    let files = files();
    let server = Running::with(|o| o.tls = Some(files.tls(true)), &[]).await;
    let mut known = connect(&server, &files, true).await.unwrap();
    assert_eq!(rows(&mut known, "SELECT 1").await.unwrap(), "1");
    let refused = match connect(&server, &files, false).await {
        None => true,
        Some(mut stranger) => rows(&mut stranger, "SELECT 1").await.is_err(),
    };
    assert!(refused);
}
