//! One connection per address, shared by all readers of a process.
//!
//! Readers that wait for the same address wait for the same attempt to connect, and share its failure: a dead executor costs a
//! hundred tasks one time-out, not a hundred.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vonk_error::{Error, Result};
use vonk_rpc::{Connection, Security, connect};

/// Connections by address.
pub struct Connections {
    security: Security,
    timeout: Duration,
    /// A failure counts for those who come within this time after it.
    memory: Duration,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

#[derive(Default)]
struct Slot(tokio::sync::Mutex<State>);

#[derive(Default)]
struct State {
    open: Option<Connection>,
    /// Of the connection that is open or was last: a report of a broken one must not close its successor.
    generation: u64,
    failed: Option<(Instant, Error)>,
}

/// A connection of the pool.
pub(crate) struct Pooled {
    pub connection: Connection,
    address: String,
    generation: u64,
}

impl Connections {
    /// With the credentials of this process.
    pub fn new(security: Security, timeout: Duration, retry_wait: Duration) -> Arc<Self> {
        Arc::new(Connections { security, timeout, memory: retry_wait / 2, slots: Mutex::default() })
    }

    /// The connection to an address; made if there is none.
    pub(crate) async fn get(&self, address: &str) -> Result<Pooled> {
        let came = Instant::now();
        let slot = self.slots.lock().entry(address.to_string()).or_default().clone();
        let mut state = slot.0.lock().await;
        if state.open.is_none() {
            if let Some((at, error)) = &state.failed {
                // It failed while this one waited, or just before it came.
                if *at + self.memory >= came {
                    return Err(error.clone());
                }
            }
            match connect(address, &self.security, self.timeout).await {
                Ok(connection) => {
                    state.open = Some(connection);
                    state.failed = None;
                    state.generation += 1;
                }
                Err(e) => {
                    state.failed = Some((Instant::now(), e.clone()));
                    return Err(e);
                }
            }
        }
        let connection = state.open.clone().ok_or_else(|| Error::internal("no connection"))?;
        Ok(Pooled { connection, address: address.to_string(), generation: state.generation })
    }

    /// A connection turned out to be broken: the next one to ask makes another.
    pub(crate) async fn broken(&self, pooled: &Pooled) {
        let slot = self.slots.lock().get(&pooled.address).cloned();
        if let Some(slot) = slot {
            let mut state = slot.0.lock().await;
            if state.generation == pooled.generation {
                state.open = None;
            }
        }
    }

    /// Forgets the connection to an address that will not be needed again (its executor is gone).
    pub fn forget(&self, address: &str) {
        self.slots.lock().remove(address);
    }
}
