//! Names of what a master knows. They travel, are printed and name folders, so they are text; a clone is a counter.
//!
//! Must not know: how names are made up (their owners do, so that the machines stay deterministic).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::ExecutorId;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub Arc<str>);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                $name(name.into())
            }
        }
    };
}

name!(/// A worker process, `worker-…`: a restarted worker takes a new name.
    WorkerId);
name!(/// An application, `app-…`; never used twice.
    ApplicationId);
name!(/// A driver that the cluster runs, `driver-…`; never used twice.
    DriverId);
name!(/// Made up at random by whoever submits, once a submission: the same nonce again is the same submission.
    Nonce);

/// A connection of a worker or an application to the master, as the master's endpoint counts them. What comes from a connection
/// that another has replaced is thereby known to be late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// A process that a worker runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Process {
    /// An executor of an application.
    Executor {
        /// The application.
        application: ApplicationId,
        /// Which of its executors: unique within the application, never used twice.
        executor: ExecutorId,
    },
    /// A driver.
    Driver {
        /// The driver.
        driver: DriverId,
        /// The how-manieth start of it, from 0.
        attempt: u32,
    },
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Process::Executor { application, executor } => write!(f, "executor {executor} of {application}"),
            Process::Driver { driver, attempt } => write!(f, "attempt {attempt} of {driver}"),
        }
    }
}
