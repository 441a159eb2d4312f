//! What a worker's processes have left, and what is kept of it for a while: for how long, and of how many.
//!
//! Must not know: what is kept.

use std::collections::VecDeque;
use vonk_scheduler::Time;

/// Things in the order in which they became old.
pub(crate) struct Kept<T> {
    /// Milliseconds that each is kept; `None` for ever.
    keep: Option<u64>,
    most: usize,
    all: VecDeque<(Time, T)>,
}

impl<T> Kept<T> {
    /// Keeps each for so many milliseconds, and so many at most.
    pub fn new(keep: Option<u64>, most: usize) -> Kept<T> {
        Kept { keep, most, all: VecDeque::new() }
    }

    /// One more, from now on.
    pub fn add(&mut self, now: Time, one: T) {
        self.all.push_back((now, one));
    }

    /// Forgets those of which this is so: someone else has removed them.
    pub fn forget(&mut self, gone: impl Fn(&T) -> bool) {
        self.all.retain(|(_, one)| !gone(one));
    }

    /// The next one that is not kept any longer.
    pub fn pop(&mut self, now: Time) -> Option<T> {
        let (since, _) = self.all.front()?;
        let old = self.keep.is_some_and(|keep| since.after(keep) <= now);
        if old || self.all.len() > self.most { self.all.pop_front().map(|(_, one)| one) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_or_too_much_goes_the_oldest_first() {
        let mut kept = Kept::new(Some(100), 2);
        (0..4).for_each(|n| kept.add(Time(n), n));
        kept.forget(|n| *n == 1);
        assert_eq!(kept.pop(Time(4)), Some(0), "too many");
        assert_eq!(kept.pop(Time(101)), None);
        assert_eq!(kept.pop(Time(102)), Some(2), "too old");
        assert_eq!((kept.pop(Time(103)), kept.pop(Time(200))), (Some(3), None));
        let mut kept = Kept::new(None, usize::MAX);
        kept.add(Time(0), 0);
        assert_eq!(kept.pop(Time(u64::MAX)), None, "for ever");
    }
}
