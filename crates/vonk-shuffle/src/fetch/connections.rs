//! One connection per address, shared by all readers of a process.
//!
//! Readers that wait for the same address wait for the same attempt to connect, and share its failure: a dead executor costs a
//! hundred tasks one time-out, not a hundred. Addresses that nobody has asked for in a while are forgotten: their executors may be gone.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use vonk_error::{Error, Result};
use vonk_rpc::{Connection, Security, connect};

/// Connections by address.
pub struct Connections {
    security: Security,
    timeout: Duration,
    /// A failure counts for those who come within this time after it.
    memory: Duration,
    slots: Mutex<Slots>,
    /// Counts connections.
    generations: AtomicU64,
}

/// An address that was not asked for in so long is forgotten.
const KEPT: Duration = Duration::from_secs(600);
/// How often it is looked for such addresses.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Slots {
    /// With the time when it was asked for last.
    by_address: HashMap<String, (Arc<Slot>, Instant)>,
    swept: Option<Instant>,
}

impl Slots {
    fn forget_idle(&mut self, now: Instant, kept: Duration) {
        // What a request waits for stays.
        self.by_address
            .retain(|_, (slot, asked)| now.duration_since(*asked) < kept || Arc::strong_count(slot) > 1);
    }

    fn get(&mut self, address: &str, now: Instant) -> Arc<Slot> {
        if self.swept.is_none_or(|at| now.duration_since(at) >= SWEEP_EVERY) {
            self.swept = Some(now);
            self.forget_idle(now, KEPT);
        }
        let (slot, asked) =
            self.by_address.entry(address.to_string()).or_insert_with(|| (Arc::default(), now));
        *asked = now;
        slot.clone()
    }
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
        Arc::new(Connections {
            security,
            timeout,
            memory: retry_wait / 2,
            slots: Mutex::default(),
            generations: AtomicU64::new(0),
        })
    }

    /// The connection to an address; made if there is none.
    pub(crate) async fn get(&self, address: &str) -> Result<Pooled> {
        let came = Instant::now();
        let slot = self.slots.lock().get(address, came);
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
                    state.generation = 1 + self.generations.fetch_add(1, Ordering::Relaxed);
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

    /// Forgets the addresses that nobody has asked for in so long; done now and then anyway.
    pub fn forget_idle(&self, kept: Duration) {
        self.slots.lock().forget_idle(Instant::now(), kept);
    }

    /// A connection turned out to be broken: the next one to ask makes another.
    pub(crate) async fn broken(&self, pooled: &Pooled) {
        let slot = self.slots.lock().by_address.get(&pooled.address).map(|(slot, _)| slot.clone());
        if let Some(slot) = slot {
            let mut state = slot.0.lock().await;
            if state.generation == pooled.generation {
                state.open = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_nobody_asks_for_are_forgotten() {
        let (mut slots, start) = (Slots::default(), Instant::now());
        let held = slots.get("held", start);
        for n in 0..1000 {
            slots.get(&n.to_string(), start);
        }
        let used = Arc::downgrade(&slots.get("used", start + KEPT / 2));
        assert_eq!(slots.by_address.len(), 1002);
        slots.get("new", start + KEPT);
        assert_eq!(slots.by_address.len(), 3);
        assert!(used.upgrade().is_some());
        drop(held);
        slots.get("new", start + KEPT * 3);
        assert_eq!(slots.by_address.keys().collect::<Vec<_>>(), ["new"]);
    }
}
