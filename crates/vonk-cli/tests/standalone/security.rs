//! Daemons that encrypt: all of a cluster over TLS, and nothing for who does not or has no secret.

use crate::common::*;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto};

/// Settings with PEM files of an authority and of a certificate that it vouches for.
fn certificates(dir: &Path) -> Vec<String> {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_string(), "localhost".to_string()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let file = |key: &str, name: &str, text: String| {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        format!("spark.ssl.{key}={}", path.display())
    };
    vec![
        "spark.ssl.enabled=true".to_string(),
        file("trustStore", "ca.pem", authority.pem()),
        file("certChain", "node.pem", certificate.pem()),
        file("privateKey", "node.key", key.serialize_pem()),
    ]
}

/// What a request over TLS is answered; with the certificate of `dir` where clients must show one.
fn https(
    address: SocketAddr,
    dir: &Path,
    show: bool,
    path: &str,
    secret: Option<&str>,
) -> std::io::Result<(String, String)> {
    let certificates = |name: &str| {
        CertificateDer::pem_file_iter(dir.join(name)).unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates("ca.pem"));
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match show {
        false => builder.with_no_client_auth(),
        true => {
            let key = PrivateKeyDer::from_pem_file(dir.join("node.key")).unwrap();
            builder.with_client_auth_cert(certificates("node.pem"), key).unwrap()
        }
    };
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    get_by(StreamOwned::new(connection, TcpStream::connect(address)?), path, secret)
}

/// `vonk submit` with settings.
fn submit(cluster: &Cluster, conf: &[&str], arguments: &[&str]) -> Output {
    let url = cluster.url();
    let mut all = vec!["submit", "--master", &url];
    conf.iter().for_each(|c| all.extend(["--conf", c]));
    all.extend(arguments);
    vonk(cluster.dir.path(), &all).output().unwrap()
}

#[test]
fn a_cluster_over_tls_answers_who_encrypts_and_has_the_secret_and_nobody_else() {
    for mutual in [false, true] {
        let pems = tempfile::tempdir().unwrap();
        let mut conf = certificates(pems.path());
        conf.push(format!("spark.ssl.needClientAuth={mutual}"));
        let conf: Vec<&str> = conf.iter().map(String::as_str).collect();
        let cluster = Cluster::begin(1, &conf);
        let sql = "SELECT k, count(*) FROM (SELECT /*+ REPARTITION(4) */ id % 3 AS k FROM range(0, 3000, 1, 4)) GROUP BY k ORDER BY k";
        std::fs::write(cluster.dir.path().join("q.sql"), sql).unwrap();
        let local = format!("spark.local.dir={}", cluster.dir.path().join("driver").display());
        let mut settings = conf.clone();
        settings.extend([local.as_str(), "spark.cores.max=1"]);

        let output = submit(&cluster, &settings, &["q.sql"]);
        assert!(output.status.success(), "{}", text(&output));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "0\t1000\n1\t1000\n2\t1000\n");
        let output = submit(&cluster, &settings, &["--deploy-mode", "cluster", "--wait", "q.sql"]);
        assert!(output.status.success() && text(&output).contains("FINISHED"), "{}", text(&output));
        let id = text(&output).lines().next().unwrap().to_string();
        let printed = std::fs::read_to_string(cluster.work(0).join(&id).join("attempt-0.stdout"))
            .or_else(|_| std::fs::read_to_string(cluster.work(0).join(&id).join("attempt-1.stdout")));
        assert_eq!(printed.unwrap(), "0\t1000\n1\t1000\n2\t1000\n");

        // The status of master and worker.
        for daemon in [&cluster.master, &cluster.workers[0]] {
            let at = daemon.web();
            let ask = |show, secret| https(at, pems.path(), show, "/api/v1/status", secret);
            let (head, body) = ask(mutual, Some(SECRET)).unwrap();
            assert!(head.contains("200") && body.contains("\"version\""), "{head} {body}");
            for secret in [None, Some("another")] {
                let (head, body) = ask(mutual, secret).unwrap();
                assert!(head.contains("401") && !body.contains("version"), "{head} {body}");
            }
            if mutual {
                // Without a certificate not even that.
                let answer = ask(false, Some(SECRET)).map(|(head, _)| head);
                assert!(answer.is_err() || answer.as_deref().is_ok_and(str::is_empty), "{answer:?}");
            }
            // In clear there is no answer, but perhaps an alert of TLS.
            let answer = get_by(TcpStream::connect(at).unwrap(), "/api/v1/status", Some(SECRET));
            assert!(!answer.is_ok_and(|(head, _)| head.starts_with("HTTP")), "it answers in clear");
        }

        // Who asks the master in clear is told soon, and nothing changes.
        let output = submit(&cluster, &[], &["--status", &id]);
        assert!(!output.status.success() && text(&output).contains("127.0.0.1"), "{}", text(&output));
        let output = submit(&cluster, &settings, &["--status", &id]);
        assert!(output.status.success() && text(&output).contains("FINISHED"), "{}", text(&output));
    }
}
