//! Who may talk to whom: the shared secret and TLS.
//!
//! Invariant: a secret is never printed, and never compared in a time that depends on where it differs.
//!
//! Must not know: services.

use crate::{PROTOCOL, PROTOCOL_KEY, SECRET_KEY, VERSION, VERSION_KEY};
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};
use tonic::{Request, Status};
use vonk_conf::{self as conf, Conf};
use vonk_error::{Error, Result};

/// The environment variable that hands the secret from a process to those it starts: command lines can be read by everyone.
pub const SECRET_VARIABLE: &str = "VONK_AUTHENTICATE_SECRET";

/// Visible characters of ASCII, since it travels in a header.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// A secret; refused if it is empty or has characters that a header cannot carry.
    pub fn new(text: &str) -> Result<Secret> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::new("_INVALID_SECRET"));
        }
        Ok(Secret(text.into()))
    }

    /// The text, for the environment of a process that is started.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A certificate with those that vouch for it, and its key, in PEM.
#[derive(Clone)]
pub struct Pem {
    /// The certificates, the own one first.
    pub chain: Vec<u8>,
    /// The key.
    pub key: Vec<u8>,
}

impl Pem {
    fn identity(&self) -> Identity {
        Identity::from_pem(&self.chain, &self.key)
    }
}

/// How connections are encrypted.
#[derive(Clone)]
pub struct Tls {
    /// What this process shows.
    pub identity: Option<Pem>,
    /// Whose certificates are believed, in PEM.
    pub authority: Vec<u8>,
    /// Clients must show a certificate, too.
    pub mutual: bool,
}

/// How this process talks to others. Cheap to clone.
#[derive(Clone, Default)]
pub struct Security {
    secret: Option<Secret>,
    tls: Option<Arc<Tls>>,
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secret, tls) = (self.secret.is_some(), self.tls.is_some());
        f.debug_struct("Security").field("secret", &secret).field("tls", &tls).finish()
    }
}

impl Security {
    /// No secret, no TLS: for loopback.
    pub fn none() -> Security {
        Security::default()
    }

    /// With these.
    pub fn new(secret: Option<Secret>, tls: Option<Tls>) -> Security {
        Security { secret, tls: tls.map(Arc::new) }
    }

    /// A secret of this process's own, for the processes it starts.
    pub fn or_random_secret(mut self) -> Result<Security> {
        if self.secret.is_none() {
            self.secret = Some(Secret(crate::random_hex(32)?.into()));
        }
        Ok(self)
    }

    /// What the settings say; the secret may come from the environment ([`SECRET_VARIABLE`]) or a file, too.
    pub fn from_conf(conf: &Conf) -> Result<Security> {
        let secret = match conf.get(&conf::AUTHENTICATE_SECRET) {
            text if !text.is_empty() => Some(text),
            _ => match conf.get(&conf::AUTHENTICATE_SECRET_FILE) {
                file if !file.is_empty() => {
                    let text = std::fs::read_to_string(&file)
                        .map_err(|e| Error::io(format!("cannot read the secret in {file}"), e))?;
                    Some(text.trim().to_string())
                }
                _ => std::env::var(SECRET_VARIABLE).ok().filter(|s| !s.is_empty()),
            },
        };
        Security::with_secret(secret, conf)
    }

    /// For a process that another one has started, which hands the secret on by the environment: settings that name a file speak of the
    /// other one's machine.
    pub fn of_child(conf: &Conf) -> Result<Security> {
        Security::with_secret(std::env::var(SECRET_VARIABLE).ok().filter(|s| !s.is_empty()), conf)
    }

    fn with_secret(secret: Option<String>, conf: &Conf) -> Result<Security> {
        let secret = secret.map(|s| Secret::new(&s)).transpose()?;
        let tls = conf.get(&conf::SSL_ENABLED).then(|| tls(conf)).transpose()?;
        Ok(Security::new(secret, tls))
    }

    /// The settings and environment with which another process gets the same: settings may be seen by others, the environment may not.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.secret.iter().map(|s| (SECRET_VARIABLE, s.expose().to_string())).collect()
    }

    /// Whether there is a secret.
    pub fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Whether connections are encrypted.
    pub fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// An error unless a server may listen at `address`: without a secret only on the loopback interface.
    pub fn may_bind(&self, address: IpAddr) -> Result<()> {
        if self.secret.is_none() && !address.is_loopback() {
            return Err(Error::new("_INSECURE_ADDRESS").with("address", address.to_string()));
        }
        Ok(())
    }

    /// What a client puts into the metadata of its calls.
    pub fn credentials(&self) -> Credentials {
        let secret = self.secret.as_ref().and_then(|s| {
            let mut value: MetadataValue<Ascii> = format!("Bearer {}", s.expose()).parse().ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        Credentials { secret }
    }

    /// Whether the value of an `authorization` header shows the secret; without a secret anything does.
    pub fn admits(&self, authorization: Option<&[u8]>) -> bool {
        let Some(secret) = &self.secret else { return true };
        let given = authorization.and_then(|v| v.strip_prefix(b"Bearer ")).unwrap_or_default();
        bool::from(given.ct_eq(secret.expose().as_bytes()))
    }

    /// Whether a call may go on; its messages have not been decoded yet.
    pub(crate) fn check(&self, request: &Request<()>) -> std::result::Result<(), Status> {
        let text = |key| request.metadata().get(key).and_then(|v| v.to_str().ok());
        if !self.admits(text(SECRET_KEY).map(str::as_bytes)) {
            return Err(crate::to_status(&Error::new("_UNAUTHENTICATED")));
        }
        match text(PROTOCOL_KEY).and_then(|v| v.parse::<u32>().ok()) {
            Some(PROTOCOL) => Ok(()),
            Some(_) => Err(crate::to_status(
                &Error::new("_VERSION_MISMATCH")
                    .with("theirs", text(VERSION_KEY).unwrap_or("unknown"))
                    .with("ours", VERSION),
            )),
            None => Err(Status::failed_precondition("this port speaks Vonk's own protocol only")),
        }
    }

    pub(crate) fn server_tls(&self) -> Result<Option<ServerTlsConfig>> {
        let Some(tls) = &self.tls else { return Ok(None) };
        let config = ServerTlsConfig::new().identity(tls.server_identity()?.identity());
        let authority = || Certificate::from_pem(&tls.authority);
        Ok(Some(if tls.mutual { config.client_ca_root(authority()) } else { config }))
    }

    /// The same for other protocols than gRPC.
    pub(crate) fn acceptor(&self) -> Result<Option<TlsAcceptor>> {
        let Some(tls) = &self.tls else { return Ok(None) };
        let identity = tls.server_identity()?;
        let invalid = |e: &dyn fmt::Display| Error::new("_INVALID_TLS").with("cause", e.to_string());
        let certificates = |pem: &[u8]| {
            let all = CertificateDer::pem_slice_iter(pem).collect::<std::result::Result<Vec<_>, _>>();
            all.map_err(|e| invalid(&e))
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| invalid(&e))?;
        let builder = match tls.mutual {
            false => builder.with_no_client_auth(),
            true => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add_parsable_certificates(certificates(&tls.authority)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|e| invalid(&e))?)
            }
        };
        let key = PrivateKeyDer::from_pem_slice(&identity.key).map_err(|e| invalid(&e))?;
        let config = builder.with_single_cert(certificates(&identity.chain)?, key);
        Ok(Some(TlsAcceptor::from(Arc::new(config.map_err(|e| invalid(&e))?))))
    }

    pub(crate) fn client_tls(&self) -> Option<ClientTlsConfig> {
        let tls = self.tls.as_ref()?;
        let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&tls.authority));
        Some(match (&tls.identity, tls.mutual) {
            (Some(identity), true) => config.identity(identity.identity()),
            _ => config,
        })
    }
}

impl Tls {
    fn server_identity(&self) -> Result<&Pem> {
        self.identity.as_ref().ok_or_else(|| {
            Error::new("_INVALID_TLS")
                .with("cause", "a server needs spark.ssl.certChain and spark.ssl.privateKey")
        })
    }
}

fn tls(conf: &Conf) -> Result<Tls> {
    let read = |file: &str| {
        std::fs::read(Path::new(file))
            .map_err(|e| Error::io(format!("cannot read the certificate or key in {file}"), e))
    };
    let (chain, key) = (conf.get(&conf::SSL_CERT_CHAIN), conf.get(&conf::SSL_PRIVATE_KEY));
    let identity = match (chain.is_empty(), key.is_empty()) {
        (false, false) => Some(Pem { chain: read(&chain)?, key: read(&key)? }),
        (true, true) => None,
        _ => {
            let cause = "spark.ssl.certChain and spark.ssl.privateKey go together";
            return Err(Error::new("_INVALID_TLS").with("cause", cause));
        }
    };
    let authority = conf.get(&conf::SSL_TRUST_STORE);
    if authority.is_empty() {
        let cause = "spark.ssl.trustStore must name the certificates that are believed";
        return Err(Error::new("_INVALID_TLS").with("cause", cause));
    }
    let authority = read(&authority)?;
    Ok(Tls { identity, authority, mutual: conf.get(&conf::SSL_NEED_CLIENT_AUTH) })
}

/// Adds protocol, version and secret to the metadata of calls.
#[derive(Clone, Default)]
pub struct Credentials {
    secret: Option<MetadataValue<Ascii>>,
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        let metadata = request.metadata_mut();
        metadata.insert(PROTOCOL_KEY, MetadataValue::from(PROTOCOL));
        metadata.insert(VERSION_KEY, MetadataValue::from_static(VERSION));
        if let Some(secret) = &self.secret {
            metadata.insert(SECRET_KEY, secret.clone());
        }
        Ok(request)
    }
}
