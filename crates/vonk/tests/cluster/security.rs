//! Strangers at the ports, secrets, TLS.

use crate::common::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use vonk::SessionBuilder;

#[test]
fn garbage_and_strangers_at_the_drivers_port_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let session = builder("local-cluster[1,1,1g]", dir.path())
        .config("spark.driver.port", &port.to_string())
        .build()
        .unwrap();
    assert_eq!(rows(&session, "SELECT 1").unwrap(), ["1"]);
    let mut noise = 7u64;
    for _ in 0..20 {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let garbage: Vec<u8> = (0..500)
            .map(|_| {
                noise = noise.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (noise >> 56) as u8
            })
            .collect();
        // The driver may have closed it already.
        let _ = socket.write_all(&garbage);
    }
    assert_eq!(rows(&session, "SELECT count(*) FROM range(1000)").unwrap(), ["1000"]);
    // A second driver cannot have the port, and says which.
    let second =
        builder("local-cluster[1,1,1g]", dir.path()).config("spark.driver.port", &port.to_string()).build();
    let error = second.err().expect("a port that is taken");
    assert!(error.to_string().contains(&port.to_string()), "{error}");
}

#[test]
fn an_open_interface_without_a_secret_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let status = |builder: SessionBuilder| {
        builder
            .config("spark.driver.bindAddress", "0.0.0.0")
            .config("spark.ui.enabled", "true")
            .config("spark.ui.port", "0")
            .build()
    };
    let error = status(builder("local[1]", dir.path())).err().expect("no secret");
    assert_eq!(error.condition(), "_INSECURE_ADDRESS");
    let secret = builder("local[1]", dir.path()).config("spark.authenticate.secret", "x");
    assert!(status(secret).is_ok());
}

/// PEM files of an authority and of a certificate that it vouches for.
fn certificates(dir: &Path) -> Vec<(&'static str, String)> {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_string(), "localhost".to_string()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let file = |name: &str, text: String| {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    vec![
        ("spark.ssl.enabled", "true".to_string()),
        ("spark.ssl.needClientAuth", "true".to_string()),
        ("spark.ssl.trustStore", file("ca.pem", authority.pem())),
        ("spark.ssl.certChain", file("node.pem", certificate.pem())),
        ("spark.ssl.privateKey", file("node.key", key.serialize_pem())),
    ]
}

#[test]
fn everything_goes_over_mutual_tls() {
    let dir = tempfile::tempdir().unwrap();
    let pems = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut builder =
        builder("local-cluster[2,1,1g]", dir.path()).config("spark.driver.port", &port.to_string());
    for (key, value) in certificates(pems.path()) {
        builder = builder.config(key, &value);
    }
    let session = builder.build().unwrap();
    let sql = "SELECT k, count(*) FROM (SELECT /*+ REPARTITION(4) */ id % 3 AS k FROM range(0, 3000, 1, 4)) GROUP BY k ORDER BY k";
    assert_eq!(rows(&session, sql).unwrap(), ["0\t1000", "1\t1000", "2\t1000"]);
    // Who does not encrypt gets no answer in clear.
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    // At most an alert of TLS, no settings of HTTP/2.
    assert!(answer.first().is_none_or(|b| *b == 0x15), "{answer:?}");
}
