//! Who clients are: users with passwords, kept as argon2 hashes in a file.
//!
//! A line of the file is `name:hash`, the hash as `vonk server hash-password` prints it; empty lines and those that begin with `#` say
//! nothing. Checking a password is slow on purpose, so it happens off the async threads, a few at a time, and a password that was right is
//! remembered (as a keyed hash, for clients that send it with every call) for a while.
//!
//! Invariants: no comparison takes a time that depends on where a secret differs; a name that is unknown takes as long to refuse as a
//! password that is wrong; neither is ever logged.
//!
//! Must not know: sessions, the protocol.

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use vonk_error::{Error, Result};

/// How long a password that was right is remembered.
const REMEMBERED: Duration = Duration::from_secs(300);
/// Passwords that are remembered at once.
const MOST_REMEMBERED: usize = 1024;
/// Hashes that are computed at once: each takes 19 MB and a core.
const AT_ONCE: usize = 4;

/// What a line of the file is.
const LINE: &str = "NAME:HASH, the hash as vonk server hash-password prints it";

/// A name and a password.
pub(crate) struct Login {
    pub name: String,
    pub password: String,
}

impl Login {
    /// Of a header `Basic …`.
    pub fn from_basic(encoded: &str) -> Option<Login> {
        let encoded = encoded.trim().trim_end_matches('=');
        let bytes = STANDARD_NO_PAD.decode(encoded).or_else(|_| STANDARD.decode(encoded)).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(Login { name: name.to_string(), password: password.to_string() })
    }
}

/// Those who may come in. Clones are the same.
#[derive(Clone)]
pub struct Users(Arc<Known>);

struct Known {
    hashes: BTreeMap<String, String>,
    /// Checked in place of a user that is not there.
    nobody: String,
    /// Under which passwords are remembered.
    key: [u8; 32],
    remembered: Mutex<HashMap<String, ([u8; 32], Instant)>>,
    computing: Arc<Semaphore>,
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users({})", self.0.hashes.len())
    }
}

impl Users {
    /// Reads a file of users.
    pub fn read(path: &Path) -> Result<Users> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Error::io(format!("cannot read the users in {}", path.display()), e))?;
        let hashes = hashes(&text).map_err(|(line, expected)| {
            Error::new("_INVALID_ARGUMENT")
                .with("argument", format!("{}, line {line}", path.display()))
                .with("expected", expected)
        })?;
        if hashes.is_empty() {
            return Err(Error::new("_INVALID_ARGUMENT")
                .with("argument", format!("{}, in which there is nobody", path.display()))
                .with("expected", format!("a line of {LINE} for each who may come in")));
        }
        Users::new(hashes)
    }

    fn new(hashes: BTreeMap<String, String>) -> Result<Users> {
        let nobody = hash_password("")?;
        let mut key = [0; 32];
        key.copy_from_slice(&Sha256::digest(vonk_rpc::random_hex(32)?.as_bytes()));
        let computing = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Users(Arc::new(Known { hashes, nobody, key, remembered: Mutex::default(), computing })))
    }

    /// Lets a user in, or says that the name or the password is wrong.
    pub(crate) async fn check(&self, login: Login) -> Result<Arc<str>> {
        let digest = self.digest(&login);
        let known = self.0.remembered.lock().get(&login.name).copied();
        if let Some((remembered, until)) = known
            && until > Instant::now()
            && bool::from(remembered.ct_eq(&digest))
        {
            return Ok(login.name.into());
        }
        let refused = || Error::new("_LOGIN_FAILED");
        let Ok(_turn) = self.0.computing.clone().acquire_owned().await else { return Err(refused()) };
        let (users, name) = (self.0.clone(), login.name.clone());
        let right = tokio::task::spawn_blocking(move || {
            let hash = users.hashes.get(&login.name);
            let matches = PasswordHash::new(hash.unwrap_or(&users.nobody))
                .is_ok_and(|h| Argon2::default().verify_password(login.password.as_bytes(), &h).is_ok());
            matches & hash.is_some()
        });
        if !right.await.unwrap_or(false) {
            return Err(refused());
        }
        let mut remembered = self.0.remembered.lock();
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, (_, until)| *until > Instant::now());
        }
        if remembered.len() < MOST_REMEMBERED {
            remembered.insert(name.clone(), (digest, Instant::now() + REMEMBERED));
        }
        Ok(name.into())
    }

    fn digest(&self, login: &Login) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.0.key);
        hasher.update((login.name.len() as u64).to_le_bytes());
        hasher.update(login.name.as_bytes());
        hasher.update(login.password.as_bytes());
        hasher.finalize().into()
    }
}

/// Names and hashes in the text of a file; else the number of the first line that is not right, and what is expected there.
fn hashes(text: &str) -> std::result::Result<BTreeMap<String, String>, (usize, &'static str)> {
    let mut hashes = BTreeMap::new();
    for (i, line) in text.lines().enumerate() {
        let (number, line) = (i + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, hash) = line.split_once(':').ok_or((number, LINE))?;
        let (name, hash) = (name.trim(), hash.trim());
        let known = PasswordHash::new(hash).is_ok_and(|h| h.algorithm.as_str().starts_with("argon2"));
        if name.is_empty() || !known {
            return Err((number, LINE));
        }
        if hashes.insert(name.to_string(), hash.to_string()).is_some() {
            return Err((number, "a name that no line before it has"));
        }
    }
    Ok(hashes)
}

/// The hash of a password for the file of users.
pub fn hash_password(password: &str) -> Result<String> {
    let failed =
        |e: argon2::password_hash::Error| Error::internal(format!("a password cannot be hashed: {e}"));
    let salt = vonk_rpc::random_hex(16)?;
    let salt = SaltString::encode_b64(salt.as_bytes()).map_err(failed)?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;

    fn login(name: &str, password: &str) -> Login {
        Login { name: name.into(), password: password.into() }
    }

    #[tokio::test]
    async fn the_right_password_and_no_other() {
        let hash = hash_password("s3cret:with colon").unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        let users = Users::new(hashes(&format!("# who\n\nann:{hash}\n")).unwrap()).unwrap();
        for _ in 0..2 {
            let user = users.check(login("ann", "s3cret:with colon")).await.unwrap();
            assert_eq!(&*user, "ann");
            for wrong in [login("ann", "s3cret"), login("bob", "s3cret:with colon"), login("", "")] {
                assert_eq!(users.check(wrong).await.unwrap_err().condition(), "_LOGIN_FAILED");
            }
        }
        assert_eq!(users.0.remembered.lock().len(), 1);
    }

    #[test]
    fn a_file_that_is_not_right_says_where() {
        let hash = hash_password("x").unwrap();
        for (text, line) in [
            ("ann", 1),
            ("#\nann:plain", 2),
            (&format!("ann:{hash}\nann:{hash}"), 2),
            (&format!(":{hash}"), 1),
        ] {
            assert_eq!(hashes(text).unwrap_err().0, line, "{text}");
        }
    }

    #[test]
    fn basic_headers_are_read() {
        let read = Login::from_basic("YW5uOmE6Yg==").unwrap();
        assert_eq!((read.name.as_str(), read.password.as_str()), ("ann", "a:b"));
        assert!(Login::from_basic("%%%").is_none() && Login::from_basic("YW5u").is_none());
    }
}
