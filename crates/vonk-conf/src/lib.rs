//! One table of typed `spark.*` configuration keys.
//!
//! A [`Key`] says a setting's name, type, default and meaning once; [`KEYS`] lists all of them, for `SET -v` and the
//! reference page. A [`Conf`] holds what was set. Unknown `spark.*` keys are kept as text, as Spark does.
//!
//! Must not know: who reads a key.

mod key;
mod keys;

pub use key::{Bytes, Entry, Key, Millis, Value};
pub use keys::*;

use std::collections::BTreeMap;
use std::sync::Arc;
use vonk_error::{Error, Result};

/// Settings of a session. Cheap to clone: what was set is shared until one of the clones is changed.
#[derive(Debug, Clone, Default)]
pub struct Conf {
    set: Arc<BTreeMap<String, String>>,
}

impl Conf {
    /// Nothing set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key. A value that a known key cannot take is refused and changes nothing.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        if let Some(entry) = find(name) {
            (entry.check)(value).map_err(|expected| {
                Error::new("INVALID_CONF_VALUE.TYPE_MISMATCH")
                    .with("confName", name)
                    .with("confValue", value)
                    .with("confType", expected)
            })?;
        }
        Arc::make_mut(&mut self.set).insert(name.to_string(), value.to_string());
        Ok(())
    }

    /// Forgets a key, so that its default holds.
    pub fn unset(&mut self, name: &str) {
        Arc::make_mut(&mut self.set).remove(name);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.set = Arc::default();
    }

    /// The value of a known key.
    pub fn get<T: Value>(&self, key: &Key<T>) -> T {
        // `set` let only values pass that parse.
        self.set.get(key.name).and_then(|v| T::parse(v).ok()).unwrap_or_else(|| (key.default)())
    }

    /// The text of any key: as set, or the default of a known one.
    pub fn text(&self, name: &str) -> Option<String> {
        self.set.get(name).cloned().or_else(|| find(name).map(|e| (e.default_text)()))
    }

    /// Whether a key was set.
    pub fn is_set(&self, name: &str) -> bool {
        self.set.contains_key(name)
    }

    /// What was set, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }
}

/// Whether the value of a key is not to be shown (`spark.redaction.regex` of Spark).
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let hidden = [
        "secret",
        "password",
        "passphrase",
        "token",
        "credential",
        "accesskey",
        "access.key",
        "account.key",
        "accountkey",
        "saskey",
        "sas.key",
    ];
    hidden.iter().any(|word| name.contains(word)) && name != AUTHENTICATE_SECRET_FILE.name
}

/// The table's entry for a name.
pub fn find(name: &str) -> Option<&'static Entry> {
    KEYS.iter().find(|e| e.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_shown() {
        let hidden = [
            "spark.authenticate.secret",
            "spark.hadoop.fs.azure.account.key.x.blob.core.windows.net",
            "fs.s3a.Access.Key",
            "spark.my.Credentials",
            "spark.ssl.keyPassphrase",
        ];
        assert!(hidden.iter().all(|name| is_secret(name)));
        // Files, and names of things.
        let shown = [AUTHENTICATE_SECRET_FILE.name, "spark.ssl.privateKey", "spark.app.name"];
        assert!(!shown.iter().any(|name| is_secret(name)));
    }

    #[test]
    fn typed_and_checked() {
        let mut c = Conf::new();
        assert!(c.get(&ANSI_ENABLED));
        c.set("spark.sql.ansi.enabled", "false").unwrap();
        assert!(!c.get(&ANSI_ENABLED));
        let e = c.set("spark.sql.ansi.enabled", "perhaps").unwrap_err();
        assert_eq!(e.condition(), "INVALID_CONF_VALUE.TYPE_MISMATCH");
        assert!(!c.get(&ANSI_ENABLED));
        c.set("spark.memory.limit", "x").unwrap();
        assert_eq!(c.text("spark.memory.limit").as_deref(), Some("x"));
        c.set("spark.vonk.memory.limit", "2g").unwrap();
        assert_eq!(c.get(&MEMORY_LIMIT).0, 2 << 30);
    }
}
