//! Speculation: which running tasks are so much slower than their stage's others that a copy is worth its slot.
//!
//! Spark's `TaskSetManager.checkSpeculatableTasks`: once a quantile of the stage's tasks has succeeded, a task is slow that has run
//! for longer than a multiple of the median of theirs. (Spark's refinement by rows processed is not here: the scheduler does not
//! know rows.)
//!
//! Must not know: executors.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::options::SpeculationOptions;

/// A median of numbers that come one by one.
#[derive(Default)]
pub(crate) struct Median {
    /// The smaller half, as large as the other or one larger.
    low: BinaryHeap<u64>,
    high: BinaryHeap<Reverse<u64>>,
}

impl Median {
    pub fn push(&mut self, value: u64) {
        if self.low.peek().is_none_or(|top| value <= *top) {
            self.low.push(value);
        } else {
            self.high.push(Reverse(value));
        }
        if self.low.len() > self.high.len() + 1 {
            self.high.extend(self.low.pop().map(Reverse));
        } else if self.high.len() > self.low.len() {
            self.low.extend(self.high.pop().map(|r| r.0));
        }
    }

    pub fn len(&self) -> usize {
        self.low.len() + self.high.len()
    }

    /// The lower one of two middles.
    pub fn get(&self) -> Option<u64> {
        self.low.peek().copied()
    }
}

/// How long a task of a stage of so many may run before a copy is launched; `None` while that cannot be said.
pub(crate) fn threshold(options: &SpeculationOptions, tasks: usize, succeeded: &Median) -> Option<u64> {
    // A stage of one task has none to compare with.
    if tasks < 2 {
        return None;
    }
    let needed = ((tasks as f64 * options.quantile).floor() as usize).max(1);
    if succeeded.len() < needed {
        return None;
    }
    let slow = succeeded.get()? as f64 * options.multiplier;
    Some((slow.ceil() as u64).max(options.min_task_runtime))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_lower_middle() {
        let mut median = Median::default();
        let mut all: Vec<u64> = Vec::new();
        for n in [5u64, 1, 9, 9, 2, 0, 7, 3] {
            median.push(n);
            all.push(n);
            all.sort_unstable();
            assert_eq!(median.get(), Some(all[(all.len() - 1) / 2]));
        }
    }

    #[test]
    fn a_quantile_must_have_succeeded_and_short_tasks_are_never_slow() {
        let options = SpeculationOptions { enabled: true, ..SpeculationOptions::default() };
        let mut done = Median::default();
        (0..8).for_each(|_| done.push(10));
        assert_eq!(threshold(&options, 10, &done), None);
        done.push(10);
        assert_eq!(threshold(&options, 10, &done), Some(100), "three times ten is below the least runtime");
        (0..9).for_each(|_| done.push(1000));
        (0..9).for_each(|_| done.push(1000));
        assert_eq!(threshold(&options, 30, &done), Some(3000));
        assert_eq!(threshold(&options, 1, &done), None);
    }
}
