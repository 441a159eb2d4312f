//! What happens to a master, and what it wants done.
//!
//! Must not know: sockets, files.

use std::sync::Arc;

use super::ids::{ApplicationId, DriverId, Nonce, SessionId, WorkerId};
use super::message::{ApplicationSpec, DriverSpec, Report, ToApplication, ToWorker, Wish, WorkerSpec};
use super::record::Record;

/// What happens.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum Event {
    /// A worker is there, first of its connection.
    WorkerRegisters { session: SessionId, spec: WorkerSpec, report: Report },
    /// A worker says what it runs.
    WorkerReports { session: SessionId, report: Report },
    /// A worker wants to leave.
    WorkerDrains { session: SessionId },
    /// A worker leaves; nothing of it runs any more.
    WorkerLeaves { session: SessionId },
    /// Somebody wants a worker to leave.
    DrainWorker { worker: WorkerId },
    /// An application is there, first of its connection. `fresh` is its name if it is a new one.
    ApplicationRegisters {
        session: SessionId,
        fresh: ApplicationId,
        nonce: Nonce,
        spec: Arc<ApplicationSpec>,
        wish: Wish,
    },
    /// An application wants something else.
    ApplicationWishes { session: SessionId, wish: Wish },
    /// An application is over.
    ApplicationEnds { session: SessionId, succeeded: bool },
    /// Somebody wants an application to end.
    KillApplication { application: ApplicationId },
    /// Somebody wants a driver to be run. `fresh` is its name if it is a new one.
    SubmitDriver { fresh: DriverId, nonce: Nonce, spec: Arc<DriverSpec> },
    /// Somebody wants a driver to end.
    KillDriver { driver: DriverId },
    /// A connection is gone.
    Disconnected { session: SessionId },
    /// Time has passed.
    Tick,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum Action {
    /// To be on the disk before any action after it is carried out.
    Persist(Record),
    /// Say this to a worker. `seq` goes with it, and comes back as [`Report::heard`].
    ToWorker { session: SessionId, seq: u64, message: ToWorker },
    /// Say this to an application.
    ToApplication { session: SessionId, message: ToApplication },
    /// Close a connection, once what was to be said on it has been sent.
    Close { session: SessionId },
}
