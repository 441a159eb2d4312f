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

/// Certificates in PEM.
#[derive(Clone)]
pub struct Tls {
    /// This process's certificate chain and key.
    pub identity: Option<Identity>,
    /// Whose certificates are believed.
    pub authority: Certificate,
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
    pub fn or_random_secret(mut self) -> Security {
        use std::hash::{BuildHasher, RandomState};
        // Seeded from the system's randomness, once for each.
        let word = || RandomState::new().hash_one(std::process::id());
        self.secret.get_or_insert_with(|| {
            Secret(format!("{:016x}{:016x}{:016x}{:016x}", word(), word(), word(), word()).into())
        });
        self
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
        let identity = tls.identity.clone().ok_or_else(|| {
            Error::new("_INVALID_TLS")
                .with("cause", "a server needs spark.ssl.certChain and spark.ssl.privateKey")
        })?;
        let config = ServerTlsConfig::new().identity(identity);
        Ok(Some(if tls.mutual { config.client_ca_root(tls.authority.clone()) } else { config }))
    }

    pub(crate) fn client_tls(&self) -> Option<ClientTlsConfig> {
        let tls = self.tls.as_ref()?;
        let config = ClientTlsConfig::new().ca_certificate(tls.authority.clone());
        Some(match (&tls.identity, tls.mutual) {
            (Some(identity), true) => config.identity(identity.clone()),
            _ => config,
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
        (false, false) => Some(Identity::from_pem(read(&chain)?, read(&key)?)),
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
    let authority = Certificate::from_pem(read(&authority)?);
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
