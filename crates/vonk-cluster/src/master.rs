//! Master URLs: where queries run.

use std::str::FromStr;
use vonk_error::{Error, Result};

/// A master URL (`spark.master`, `--master`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Master {
    /// Threads of this process: `local` (one), `local[N]`, `local[*]` (as many as there are cores).
    Local {
        /// Tasks at once.
        slots: u32,
    },
}

impl FromStr for Master {
    type Err = Error;

    fn from_str(url: &str) -> Result<Master> {
        let invalid = || Error::new("_INVALID_MASTER").with("master", format!("'{url}'"));
        let text = url.trim();
        if text == "local" {
            return Ok(Master::Local { slots: 1 });
        }
        if text.starts_with("local-cluster[") || text.starts_with("vonk://") {
            return Err(Error::unsupported(format!(
                "master {text}; this version runs in one process (local[N])"
            )));
        }
        let inner = text.strip_prefix("local[").and_then(|t| t.strip_suffix(']')).ok_or_else(invalid)?;
        if inner == "*" {
            let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
            return Ok(Master::Local { slots: u32::try_from(cores).unwrap_or(1) });
        }
        match inner.parse::<u32>() {
            Ok(slots @ 1..=4096) => Ok(Master::Local { slots }),
            _ => Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        assert_eq!("local[3]".parse::<Master>().unwrap(), Master::Local { slots: 3 });
        assert_eq!("local".parse::<Master>().unwrap(), Master::Local { slots: 1 });
        assert!("local[*]".parse::<Master>().is_ok());
        for bad in ["", "local[]", "local[0]", "local[-1]", "yarn", "local[2"] {
            assert_eq!(bad.parse::<Master>().unwrap_err().condition(), "_INVALID_MASTER", "{bad}");
        }
    }
}
