//! What a server may be told.

use crate::auth::Users;
use std::path::PathBuf;
use std::time::Duration;
use vonk_conf::{self as conf, Conf};
use vonk_error::{Error, Result};

/// Files for TLS, in PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The server's certificate and those that vouch for it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Whose certificates clients must show; `None` asks for none.
    pub client_authority: Option<PathBuf>,
}

/// Compression of batches on their way to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None.
    None,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// By its name.
    pub fn parse(name: &str) -> Option<Compression> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "none" | "uncompressed" => Some(Compression::None),
            "lz4" => Some(Compression::Lz4),
            "zstd" => Some(Compression::Zstd),
            _ => None,
        }
    }
}

/// How a server listens, whom it lets in, and how much it takes on.
#[derive(Debug, Clone)]
pub struct Options {
    /// Interface.
    pub host: String,
    /// Port; 0 takes a free one.
    pub port: u16,
    /// Statements that change what others see are refused.
    pub read_only: bool,
    /// Who may come in. Without, anyone may, from this machine only.
    pub users: Option<Users>,
    /// Encryption.
    pub tls: Option<TlsFiles>,
    /// Sessions at once.
    pub sessions: usize,
    /// Statements that run at once; more wait.
    pub queries: usize,
    /// Statements that may wait.
    pub queued: usize,
    /// How long one may wait.
    pub queue_patience: Duration,
    /// Bytes of a message that a client may send.
    pub message_bytes: usize,
    /// Connections at once.
    pub connections: usize,
    /// How long a connection may stay that has not shown that it may be here.
    pub patience: Duration,
    /// How long a session may do nothing.
    pub session_idle: Duration,
    /// How long a session may last.
    pub session_life: Duration,
    /// How long a result waits to be fetched.
    pub result_patience: Duration,
    /// How long running statements may go on when the server is to stop.
    pub grace: Duration,
    /// Compression of results, unless the session says otherwise.
    pub compression: Compression,
    /// Streams in which a large result is handed out, at most.
    pub endpoints: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options::from_conf(&Conf::new()).unwrap_or_else(|_| unreachable!("defaults are right"))
    }
}

impl Options {
    /// What the settings say.
    pub fn from_conf(conf: &Conf) -> Result<Options> {
        let count = |key: &conf::Key<i32>| usize::try_from(conf.get(key)).unwrap_or(0).max(1);
        let time = |key: &conf::Key<conf::Millis>| Duration::from_millis(conf.get(key).0);
        let compression = conf.get(&conf::SERVER_COMPRESSION);
        Ok(Options {
            host: "127.0.0.1".to_string(),
            port: 32010,
            read_only: false,
            users: None,
            tls: None,
            sessions: count(&conf::SERVER_MAX_SESSIONS),
            queries: count(&conf::SERVER_MAX_QUERIES),
            queued: usize::try_from(conf.get(&conf::SERVER_MAX_QUEUED)).unwrap_or(0),
            queue_patience: time(&conf::SERVER_QUEUE_TIMEOUT),
            message_bytes: usize::try_from(conf.get(&conf::SERVER_MAX_MESSAGE).0).unwrap_or(0).max(1 << 16),
            connections: count(&conf::SERVER_MAX_CONNECTIONS),
            patience: Duration::from_secs(30),
            session_idle: time(&conf::SERVER_SESSION_IDLE),
            session_life: time(&conf::SERVER_SESSION_LIFE),
            result_patience: time(&conf::SERVER_RESULT_TIMEOUT),
            grace: time(&conf::SERVER_GRACE),
            compression: Compression::parse(&compression).ok_or_else(|| {
                Error::new("_INVALID_ARGUMENT")
                    .with("argument", format!("{}={compression}", conf::SERVER_COMPRESSION.name))
                    .with("expected", "none, lz4 or zstd")
            })?,
            endpoints: count(&conf::SERVER_ENDPOINTS),
        })
    }
}
