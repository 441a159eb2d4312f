//! Master URLs: where queries run.

use crate::standalone::MasterAddress;
use std::str::FromStr;
use vonk_conf::{Bytes, Value};
use vonk_error::{Error, Result};

/// A master URL (`spark.master`, `--master`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Master {
    /// Threads of this process: `local` (one), `local[N]`, `local[*]` (as many as there are cores).
    Local {
        /// Tasks at once.
        slots: u32,
    },
    /// Processes of this machine: `local-cluster[E,C,M]`.
    LocalCluster {
        /// How many.
        executors: u32,
        /// Tasks at once in each.
        slots: u32,
        /// Bytes of each; in the URL with a unit (`1g`), or in mebibytes without, as Spark has it.
        memory: u64,
    },
    /// A standalone cluster: `vonk://host:port`.
    Standalone(MasterAddress),
}

/// More than any machine has; so that a typing error does not start a million threads.
const MOST_SLOTS: u32 = 4096;
const MOST_EXECUTORS: u32 = 1024;

impl FromStr for Master {
    type Err = Error;

    fn from_str(url: &str) -> Result<Master> {
        let invalid = || Error::new("_INVALID_MASTER").with("master", format!("'{url}'"));
        let text = url.trim();
        if text == "local" {
            return Ok(Master::Local { slots: 1 });
        }
        let within = |prefix: &str| text.strip_prefix(prefix)?.strip_suffix(']');
        if let Some(inner) = within("local-cluster[") {
            return local_cluster(inner).ok_or_else(invalid);
        }
        if text.starts_with("vonk://") {
            return text.parse().map(Master::Standalone);
        }
        let inner = within("local[").ok_or_else(invalid)?;
        if inner == "*" {
            let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
            return Ok(Master::Local { slots: u32::try_from(cores).unwrap_or(1) });
        }
        number(inner, MOST_SLOTS).map(|slots| Master::Local { slots }).ok_or_else(invalid)
    }
}

fn number(text: &str, most: u32) -> Option<u32> {
    text.trim().parse::<u32>().ok().filter(|n| (1..=most).contains(n))
}

fn local_cluster(inner: &str) -> Option<Master> {
    let parts: Vec<&str> = inner.split(',').collect();
    let [executors, slots, memory] = parts[..] else { return None };
    let memory = memory.trim();
    let bytes = match memory.parse::<i64>() {
        Ok(mebibytes) => mebibytes.checked_mul(1 << 20)?,
        Err(_) => Bytes::parse(memory).ok()?.0,
    };
    Some(Master::LocalCluster {
        executors: number(executors, MOST_EXECUTORS)?,
        slots: number(slots, MOST_SLOTS)?,
        memory: u64::try_from(bytes).ok().filter(|b| *b > 0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let parsed = |text: &str| text.parse::<Master>().unwrap();
        assert_eq!(parsed("local[3]"), Master::Local { slots: 3 });
        assert_eq!(parsed("local"), Master::Local { slots: 1 });
        assert!("local[*]".parse::<Master>().is_ok());
        let cluster = |memory| Master::LocalCluster { executors: 2, slots: 3, memory };
        assert_eq!(parsed("local-cluster[2,3,1024]"), cluster(1 << 30));
        assert_eq!(parsed("local-cluster[2, 3, 512m]"), cluster(512 << 20));
        let bad = [
            "",
            "local[]",
            "local[0]",
            "local[-1]",
            "yarn",
            "local[2",
            "local-cluster[]",
            "local-cluster[2,1]",
        ];
        let worse = [
            "local-cluster[0,1,1g]",
            "local-cluster[1,0,1g]",
            "local-cluster[1,1,0]",
            "local-cluster[1,1,x]",
        ];
        for bad in bad.into_iter().chain(worse) {
            assert_eq!(bad.parse::<Master>().unwrap_err().condition(), "_INVALID_MASTER", "{bad}");
        }
    }
}
