//! The memory manager: who holds how much, against one limit.
//!
//! Invariant: the sum of all reservations never exceeds the limit, except for [`Reservation::grow`], which operators use only
//! for what they cannot do without (one batch), and which is counted.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use vonk_shuffle::{BlockMemory, SpillableBlocks};

/// Bytes reserved by all operators and blocks of a process.
#[derive(Default)]
pub struct MemoryManager {
    limit: Option<u64>,
    used: AtomicU64,
    peak: AtomicU64,
    blocks: Mutex<Option<Weak<dyn SpillableBlocks>>>,
}

impl MemoryManager {
    /// With a limit in bytes, or none.
    pub fn new(limit: Option<u64>) -> Arc<Self> {
        Arc::new(MemoryManager { limit, ..Default::default() })
    }

    /// The block store that is asked to spill before an operator is refused.
    pub fn set_blocks(&self, blocks: Weak<dyn SpillableBlocks>) {
        *self.blocks.lock() = Some(blocks);
    }

    /// The limit.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Bytes reserved now.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Most bytes ever reserved.
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// An empty reservation.
    pub fn reservation(self: &Arc<Self>, consumer: &'static str) -> Reservation {
        Reservation { manager: self.clone(), consumer, bytes: 0 }
    }

    fn take(&self, bytes: u64) -> bool {
        let fits = |used: u64| {
            let after = used.checked_add(bytes)?;
            self.limit.is_none_or(|l| after <= l).then_some(after)
        };
        match self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(before) => {
                self.peak.fetch_max(before + bytes, Ordering::Relaxed);
                true
            }
            Err(_) => false,
        }
    }

    fn take_or_spill_blocks(&self, bytes: u64) -> bool {
        if self.take(bytes) {
            return true;
        }
        let blocks = self.blocks.lock().as_ref().and_then(Weak::upgrade);
        // A store that cannot spill (full disk) leaves the refusal to the caller, who spills and reports the disk's error.
        blocks.is_some_and(|b| b.spill(bytes).is_ok()) && self.take(bytes)
    }

    fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl BlockMemory for MemoryManager {
    fn try_grow(&self, bytes: u64) -> bool {
        self.take(bytes)
    }

    fn grow(&self, bytes: u64) {
        let now = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(now, Ordering::Relaxed);
    }

    fn shrink(&self, bytes: u64) {
        self.give_back(bytes);
    }
}

/// Bytes that one consumer holds; given back when dropped.
pub struct Reservation {
    manager: Arc<MemoryManager>,
    consumer: &'static str,
    bytes: u64,
}

impl Reservation {
    /// Bytes held.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Who holds them, for messages.
    pub fn consumer(&self) -> &'static str {
        self.consumer
    }

    /// Whether there is a limit at all: without one, an operator need not be ready to spill.
    pub fn limited(&self) -> bool {
        self.manager.limit.is_some()
    }

    /// Makes the reservation `bytes` large; `false`, changing nothing, if that is too much: the caller spills and tries again.
    #[must_use]
    pub fn try_resize(&mut self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        if bytes <= self.bytes {
            self.manager.give_back(self.bytes - bytes);
        } else if !self.manager.take_or_spill_blocks(bytes - self.bytes) {
            return false;
        }
        self.bytes = bytes;
        true
    }

    /// Makes the reservation larger by what cannot be done without, whatever the limit.
    pub fn grow(&mut self, bytes: usize) {
        BlockMemory::grow(&*self.manager, bytes as u64);
        self.bytes += bytes as u64;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.manager.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_and_drops_give_back() {
        let manager = MemoryManager::new(Some(100));
        let mut a = manager.reservation("a");
        let mut b = manager.reservation("b");
        assert!(a.try_resize(70));
        assert!(!b.try_resize(40));
        assert!(b.try_resize(30));
        assert!(a.try_resize(10));
        drop(b);
        assert_eq!((manager.used(), manager.peak()), (10, 100));
    }
}
