//! How far a partition is read.
//!
//! Must not know: who looks.

use std::sync::atomic::{AtomicU64, Ordering};

/// Rows of a partition that are behind its reader, whether they were put out, filtered or left out unread, and all that there are. Told by the
/// reader, asked by others at any time.
#[derive(Debug, Default)]
pub struct ReadProgress {
    expected: AtomicU64,
    passed: AtomicU64,
}

impl ReadProgress {
    /// Of so many rows, as far as is known before the first is read.
    pub fn of(rows: u64) -> Self {
        ReadProgress { expected: AtomicU64::new(rows), passed: AtomicU64::new(0) }
    }

    /// There are so many rows to read, it turns out.
    pub fn expect(&self, rows: u64) {
        self.expected.store(rows, Ordering::Relaxed);
    }

    /// So many more are behind.
    pub fn pass(&self, rows: usize) {
        self.passed.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// All are behind, however many they were.
    pub fn finish(&self) {
        self.passed.store(u64::MAX / 2, Ordering::Relaxed);
    }

    /// Rows behind, and all rows.
    pub fn so_far(&self) -> (u64, u64) {
        let expected = self.expected.load(Ordering::Relaxed);
        (self.passed.load(Ordering::Relaxed).min(expected), expected)
    }
}
