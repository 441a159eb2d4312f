//! Clients and their sessions.
//!
//! A client is known by what it shows with each call: the bearer token of its handshake, else the cookie `arrow_flight_session_id` that it
//! was given (JDBC, and ADBC when told to), else its connection. A session ends when it is closed, when it has done nothing or lasted for
//! too long, or when the connection that it is known by alone is gone. Where there are too many, those go first whose connections are all
//! gone.
//!
//! Tokens and cookies are kept as hashes: what can be looked up cannot be guessed by timing.
//!
//! Must not know: what calls do.

use crate::options::Compression;
use crate::results::Results;
use crate::service::PreparedStatement;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use vonk::Session;
use vonk_error::{Error, Result};

/// How a client is known.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// By a token or a cookie: its hash.
    Secret([u8; 32]),
    /// By its connection and the user it names with every call.
    Connection(u64, Arc<str>),
}

impl Key {
    /// Of a token or cookie.
    pub fn secret(text: &str) -> Key {
        Key::Secret(Sha256::digest(text.as_bytes()).into())
    }
}

/// One client's session.
pub struct ClientSession {
    /// Its name in logs.
    pub id: String,
    /// Who it belongs to; empty where nobody must say who he is.
    pub user: Arc<str>,
    /// Settings, views, variables.
    pub engine: Session,
    /// Prepared statements by handle.
    pub prepared: Mutex<HashMap<String, Arc<PreparedStatement>>>,
    /// What was executed and not yet fetched.
    pub results: Results,
    /// Compression of results, where the client has chosen one.
    pub compression: Mutex<Option<Compression>>,
    /// Files of temporary tables that were loaded.
    pub files: Mutex<Vec<PathBuf>>,
    born: Instant,
    used: Mutex<Used>,
    closed: AtomicBool,
}

struct Used {
    last: Instant,
    /// Calls that run now.
    calls: usize,
    /// Connections that have used it and are still there.
    connections: HashSet<u64>,
    keys: Vec<Key>,
    /// A token, or a cookie that came back: it is not lost with its connection.
    shown: bool,
}

/// A call that runs in a session, which is not idle until this is dropped.
pub struct Call {
    session: Arc<ClientSession>,
}

impl std::ops::Deref for Call {
    type Target = Arc<ClientSession>;

    fn deref(&self) -> &Arc<ClientSession> {
        &self.session
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut used = self.session.used.lock();
        used.calls -= 1;
        used.last = Instant::now();
    }
}

impl ClientSession {
    /// Ends all that it does and forgets all that it holds.
    fn end(&self, why: &str) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        self.results.cancel_all();
        self.prepared.lock().clear();
        for file in self.files.lock().drain(..) {
            let _ = std::fs::remove_dir_all(file);
        }
        tracing::info!(session = %self.id, user = %self.user, why, "session ended");
    }

    /// Whether it is over.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl Drop for ClientSession {
    fn drop(&mut self) {
        self.end("dropped");
    }
}

/// When sessions end.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// After so long without a call.
    pub idle: Duration,
    /// After so long altogether.
    pub life: Duration,
    /// Rows that nobody fetches are given up after so long.
    pub result: Duration,
}

/// How long rows wait for a client whose connections are all gone.
const GONE_PATIENCE: Duration = Duration::from_secs(10);

/// All sessions.
pub struct Sessions {
    root: Session,
    most: usize,
    lifetimes: Lifetimes,
    by_key: Mutex<HashMap<Key, Arc<ClientSession>>>,
}

impl Sessions {
    /// None yet.
    pub fn new(root: Session, most: usize, lifetimes: Lifetimes) -> Sessions {
        Sessions { root, most, lifetimes, by_key: Mutex::default() }
    }

    /// A call in the session that is known by `key`; `None` if there is none, or not any more.
    pub fn call(&self, key: &Key, connection: u64) -> Option<Call> {
        let session = self.by_key.lock().get(key).cloned()?;
        if session.is_closed() || self.is_over(&session, Instant::now()) {
            self.forget(&session, "expired");
            return None;
        }
        let mut used = session.used.lock();
        used.calls += 1;
        used.last = Instant::now();
        used.shown |= matches!(key, Key::Secret(_));
        used.connections.insert(connection);
        drop(used);
        Some(Call { session })
    }

    /// A new session, known by `keys`.
    pub fn open(&self, keys: Vec<Key>, user: Arc<str>, connection: u64) -> Result<Call> {
        self.make_room()?;
        let engine = match user.is_empty() {
            true => self.root.new_session(),
            false => self.root.new_session_of(&user),
        };
        let session = Arc::new(ClientSession {
            id: vonk_rpc::random_hex(6)?,
            user,
            engine,
            prepared: Mutex::default(),
            results: Results::default(),
            compression: Mutex::default(),
            files: Mutex::default(),
            born: Instant::now(),
            used: Mutex::new(Used {
                last: Instant::now(),
                calls: 1,
                connections: HashSet::from([connection]),
                keys: keys.clone(),
                shown: false,
            }),
            closed: AtomicBool::new(false),
        });
        let mut by_key = self.by_key.lock();
        for key in keys {
            by_key.insert(key, session.clone());
        }
        drop(by_key);
        tracing::info!(session = %session.id, user = %session.user, "session opened");
        Ok(Call { session })
    }

    /// All of them. The lock is not held when this returns.
    fn all(&self) -> Vec<Arc<ClientSession>> {
        let mut seen = HashSet::new();
        self.by_key.lock().values().filter(|s| seen.insert(Arc::as_ptr(s))).cloned().collect()
    }

    fn make_room(&self) -> Result<()> {
        let sessions = self.all();
        if sessions.len() < self.most {
            return Ok(());
        }
        let deserted = sessions.iter().filter_map(|s| {
            let used = s.used.lock();
            (used.calls == 0 && used.connections.is_empty()).then_some((used.last, s))
        });
        match deserted.min_by_key(|(last, _)| *last) {
            Some((_, session)) => {
                self.forget(session, "another one needs its place");
                Ok(())
            }
            None => {
                let what = format!("it has {} sessions, and may have no more", sessions.len());
                Err(Error::new("_SERVER_BUSY").with("what", what))
            }
        }
    }

    fn is_over(&self, session: &ClientSession, now: Instant) -> bool {
        let used = session.used.lock();
        let idle = used.calls == 0 && session.results.is_idle();
        now - session.born > self.lifetimes.life || (idle && now - used.last > self.lifetimes.idle)
    }

    /// Ends a session.
    pub fn forget(&self, session: &Arc<ClientSession>, why: &str) {
        let keys = std::mem::take(&mut session.used.lock().keys);
        let mut by_key = self.by_key.lock();
        for key in keys {
            by_key.remove(&key);
        }
        drop(by_key);
        session.end(why);
    }

    /// A connection is gone. Sessions that are known by it alone end with the next [`sweep`](Self::sweep).
    pub fn connection_gone(&self, connection: u64) {
        for session in self.all() {
            session.used.lock().connections.remove(&connection);
        }
    }

    /// Ends what is over. To be called now and then.
    pub fn sweep(&self) {
        let now = Instant::now();
        for session in self.all() {
            let used = session.used.lock();
            let deserted = used.connections.is_empty();
            let (lost, calls) = (deserted && !used.shown, used.calls);
            drop(used);
            if self.is_over(&session, now) {
                self.forget(&session, "expired");
            } else if lost && calls == 0 {
                self.forget(&session, "its connection is gone");
            } else {
                let patience = if deserted { GONE_PATIENCE } else { self.lifetimes.result };
                session.results.sweep(now, patience.min(self.lifetimes.result));
            }
        }
    }

    /// Ends all.
    pub fn end_all(&self, why: &str) {
        for session in self.all() {
            self.forget(&session, why);
        }
    }
}
