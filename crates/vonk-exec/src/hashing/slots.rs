//! Open addressing: where keys are found by their hash.

use super::NONE;

/// Rows that are looked up together: their places are fetched before the first is looked at.
pub(super) const CHUNK: usize = 64;
/// Tables of fewer slots lie in the cache anyway.
const WORTH_FETCHING: usize = 1 << 15;

/// Asks the processor for the cache line of an element that will be needed soon.
#[inline(always)]
pub(super) fn prefetch<T>(values: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(value) = values.get(at) {
        // SAFETY: prefetching has no effect but on time; every x86-64 processor has SSE.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, at);
}

/// Slots that a table of so many places should have when it must grow: `expected` is how many keys there may come to be.
pub(super) fn grown(slots: usize, expected: usize) -> usize {
    let next = match slots {
        0 => 64,
        n if n < 1 << 16 => n * 4,
        n => n * 2,
    };
    next.max((expected.saturating_mul(8) / 5 + 1).next_power_of_two())
}

/// Keys expected of `rows` rows if so many were found in the first `done`.
#[inline]
pub(super) fn expected(keys: usize, done: usize, rows: usize) -> usize {
    // Too few rows say nothing.
    if done < 4 * 1024 { 0 } else { (keys as f64 * (rows as f64 / done as f64)) as usize }
}

/// A hash above, a number plus one below: an empty slot is 0, so that the system hands out empty tables at no cost.
type Slot = u64;

#[inline(always)]
fn slot(hash: u32, id: u32) -> Slot {
    u64::from(hash) << 32 | (u64::from(id) + 1)
}

#[inline(always)]
fn hash_of(slot: Slot) -> u32 {
    (slot >> 32) as u32
}

/// The number in a slot; [`NONE`] of an empty one.
#[inline(always)]
fn id_of(slot: Slot) -> u32 {
    (slot as u32).wrapping_sub(1)
}

/// Numbers of keys by the hash of the keys, which lie elsewhere.
#[derive(Default)]
pub(super) struct Slots {
    slots: Vec<Slot>,
}

impl Slots {
    pub fn size(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }

    /// Whether the slots are so many that fetching them early pays.
    pub fn is_large(&self) -> bool {
        self.slots.len() >= WORTH_FETCHING
    }

    /// Makes room for one more than `count` keys.
    #[inline(always)]
    pub fn reserve(&mut self, count: usize, expected: impl FnOnce() -> usize) {
        if count * 8 >= self.slots.len() * 5 {
            self.grow(expected());
        }
    }

    #[cold]
    fn grow(&mut self, expected: usize) {
        let wanted = grown(self.slots.len(), expected);
        let old = std::mem::replace(&mut self.slots, vec![0; wanted]);
        let mask = wanted - 1;
        for slot in old.into_iter().filter(|s| *s != 0) {
            let mut at = hash_of(slot) as usize & mask;
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
    }

    /// Fetches the place of a hash.
    #[inline(always)]
    pub fn prefetch(&self, hash: u32) {
        prefetch(&self.slots, hash as usize & (self.slots.len().wrapping_sub(1)));
    }

    /// The key that is probably meant by a hash.
    #[inline(always)]
    pub fn probable(&self, hash: u32) -> Option<usize> {
        let slot = *self.slots.get(hash as usize & (self.slots.len().wrapping_sub(1)))?;
        (hash_of(slot) == hash && slot != 0).then_some(id_of(slot) as usize)
    }

    /// The key with this hash for which `is_equal` holds, or [`NONE`].
    #[inline(always)]
    pub fn find(&self, hash: u32, is_equal: impl Fn(u32) -> bool) -> u32 {
        if self.slots.is_empty() {
            return NONE;
        }
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 || (hash_of(slot) == hash && is_equal(id_of(slot))) {
                return id_of(slot);
            }
            at = (at + 1) & mask;
        }
    }

    /// As [`find`](Self::find); where there is no such key, `new` takes its place and the answer is [`NONE`]. There must be room.
    #[inline(always)]
    pub fn find_or_place(&mut self, hash: u32, new: u32, is_equal: impl Fn(u32) -> bool) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let found = self.slots[at];
            if found == 0 {
                self.slots[at] = slot(hash, new);
                return NONE;
            }
            if hash_of(found) == hash && is_equal(id_of(found)) {
                return id_of(found);
            }
            at = (at + 1) & mask;
        }
    }
}
