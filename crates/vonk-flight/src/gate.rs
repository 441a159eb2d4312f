//! So many statements at once, so many that wait, and none for ever.
//!
//! Must not know: what statements do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use vonk_error::{Error, Result};

/// Gives places to statements.
pub struct Gate {
    places: Arc<Semaphore>,
    most: usize,
    waiting: AtomicUsize,
    most_waiting: usize,
    patience: Duration,
}

/// A place; free again when it is dropped.
pub type Place = OwnedSemaphorePermit;

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Gate {
    /// With so many places, and so many that wait so long.
    pub fn new(places: usize, most_waiting: usize, patience: Duration) -> Gate {
        let most = places.clamp(1, Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(most));
        Gate { places, most, waiting: AtomicUsize::new(0), most_waiting, patience }
    }

    /// Whether all places are free.
    pub fn is_idle(&self) -> bool {
        self.places.available_permits() == self.most
    }

    /// A place, once there is one. Who gives up waiting (by dropping this) waits no more.
    pub async fn enter(&self) -> Result<Place> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let busy = |what: String| Error::new("_SERVER_BUSY").with("what", what);
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.most_waiting {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(busy(format!("{} statements wait already", self.most_waiting)));
        }
        let _waiting = Waiting(&self.waiting);
        match tokio::time::timeout(self.patience, self.places.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(busy(format!("no statement has ended within {} ms", self.patience.as_millis()))),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;

    #[tokio::test]
    async fn places_are_given_in_turn_and_waiting_ends() {
        let gate = Arc::new(Gate::new(1, 1, Duration::from_millis(200)));
        let first = gate.enter().await.unwrap();
        let second = tokio::spawn({
            let gate = gate.clone();
            async move { gate.enter().await.map(drop) }
        });
        while gate.waiting.load(Ordering::Acquire) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.enter().await.unwrap_err().condition(), "_SERVER_BUSY", "one waits already");
        drop(first);
        second.await.unwrap().unwrap();
        let _again = gate.enter().await.unwrap();
        let late = gate.enter().await.unwrap_err();
        assert!(late.to_string().contains("within 200 ms"), "{late}");
        assert_eq!(gate.waiting.load(Ordering::Acquire), 0);
    }
}
