//! The room that the results of all queries of a process have together: memory under the memory manager, and a folder beyond it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use vonk_exec::MemoryManager;
use vonk_shuffle::BlockMemory;

/// Bytes of a result that are held before its tasks wait.
const HELD_BYTES: u64 = 32 << 20;
/// The least that a part of a result may hold.
const LEAST_BYTES: u64 = 1 << 20;
/// All results together hold no more than one part in so many of a limit: the rest is for those who compute.
const SHARE: u64 = 4;

/// Shared by all results of a process.
pub(crate) struct ResultRoom {
    memory: Arc<MemoryManager>,
    held: AtomicU64,
    /// Of rows that neither are read nor fit; made when first needed.
    pub(super) folder: PathBuf,
    /// Tasks of one query that can be alive at once.
    pub(super) slots: usize,
}

impl ResultRoom {
    pub fn new(memory: Arc<MemoryManager>, folder: PathBuf, slots: u32) -> ResultRoom {
        ResultRoom { memory, held: AtomicU64::new(0), folder, slots: slots as usize }
    }

    /// What one of so many parts may hold.
    pub(super) fn bound(&self, parts: usize) -> u64 {
        (HELD_BYTES / parts.max(1) as u64).max(LEAST_BYTES)
    }

    /// Whether so many bytes more would be taken now.
    pub(super) fn fits(&self, bytes: u64) -> bool {
        let Some(limit) = self.memory.limit() else { return true };
        self.held.load(Ordering::Relaxed) + bytes <= limit / SHARE && self.memory.used() + bytes <= limit
    }

    /// Takes bytes if there is room for them.
    pub(super) fn try_take(&self, bytes: u64) -> bool {
        if !self.fits(bytes) || !self.memory.try_grow(bytes) {
            return false;
        }
        self.held.fetch_add(bytes, Ordering::Relaxed);
        true
    }

    /// Takes what cannot be done without.
    pub(super) fn take(&self, bytes: u64) {
        self.memory.grow(bytes);
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, bytes: u64) {
        if bytes > 0 {
            self.memory.shrink(bytes);
            self.held.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}
