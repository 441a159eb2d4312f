//! The partitions of a result that are still to come: a bit each, and their number.
//!
//! Must not know: why they are missing.

pub(crate) struct Missing {
    bits: Vec<u64>,
    left: u32,
    all: u32,
}

impl Missing {
    /// All of so many.
    pub fn all(n: u32) -> Missing {
        Missing { bits: vec![u64::MAX; n.div_ceil(64) as usize], left: n, all: n }
    }

    /// Whether it was missing.
    pub fn remove(&mut self, i: u32) -> bool {
        let Some(word) = self.bits.get_mut((i / 64) as usize).filter(|_| i < self.all) else { return false };
        let bit = 1 << (i % 64);
        let was = *word & bit != 0;
        *word &= !bit;
        self.left -= u32::from(was);
        was
    }

    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Whether none has come.
    pub fn is_full(&self) -> bool {
        self.left == self.all
    }

    pub fn list(&self) -> Vec<u32> {
        (0..self.all).filter(|i| self.bits[(i / 64) as usize] & (1 << (i % 64)) != 0).collect()
    }
}
