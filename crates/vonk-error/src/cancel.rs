//! Being asked to stop.
//!
//! A [`CancelFlag`] is set once, from any thread. Tasks are handed theirs. Planning is not: it is recursion over trees through many crates and
//! traits, down to the listing of files, and none of it has anything else to say about the statement it works for. So a thread is told whom it
//! works for ([`working_for`]), and whatever may take long on it asks in passing ([`check_cancelled`]); on a thread that nobody told anything
//! the answer is to go on.

use crate::{Error, Result};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

/// Tells whoever works for a statement to stop. Cheap to ask. A child follows its parent, but not the other way round.
///
/// Who runs asks now and then; who waits for something else, without a thread that could ask, has himself told ([`watch`](Self::watch)).
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    set: AtomicBool,
    parent: Option<CancelFlag>,
    watchers: Mutex<Vec<Weak<dyn CancelWatcher>>>,
}

/// Somebody who waits, and has to be told that he waits in vain.
pub trait CancelWatcher: Send + Sync {
    /// The flag was set, on this thread: not the place for long work. May be called more than once.
    fn cancelled(&self);
}

impl CancelFlag {
    /// A flag that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A flag that is set when this one is, and can be set on its own.
    pub fn child(&self) -> Self {
        let (set, watchers) = (AtomicBool::new(false), Mutex::default());
        CancelFlag(Arc::new(Flag { set, parent: Some(self.clone()), watchers }))
    }

    /// Asks to stop.
    pub fn cancel(&self) {
        self.0.set.store(true, Ordering::Relaxed);
        let watchers = std::mem::take(&mut *self.0.watchers.lock());
        watchers.iter().filter_map(Weak::upgrade).for_each(|w| w.cancelled());
    }

    /// Has a watcher told when this flag or one above it is set; at once if it is. Flags live longer than most who watch them: those that
    /// are gone are forgotten here.
    pub fn watch(&self, watcher: &Weak<dyn CancelWatcher>) {
        let mut flag = Some(self);
        while let Some(CancelFlag(inner)) = flag {
            let mut watchers = inner.watchers.lock();
            watchers.retain(|w| w.strong_count() > 0);
            watchers.push(watcher.clone());
            flag = inner.parent.as_ref();
        }
        // Set meanwhile: whoever set it may have looked before the watcher was there.
        if self.is_cancelled() {
            watcher.upgrade().into_iter().for_each(|w| w.cancelled());
        }
    }

    /// Whether to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.set.load(Ordering::Relaxed) || self.0.parent.as_ref().is_some_and(CancelFlag::is_cancelled)
    }

    /// An error if asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }
}

thread_local! {
    /// The flag of the statement that this thread works for.
    static WORK: RefCell<Option<CancelFlag>> = const { RefCell::new(None) };
}

/// What a thread worked for before, taken up again when dropped.
struct Before(Option<CancelFlag>);

impl Drop for Before {
    fn drop(&mut self) {
        WORK.set(self.0.take());
    }
}

/// Runs `f`, which stops at its next step when the flag is set.
pub fn working_for<T>(flag: &CancelFlag, f: impl FnOnce() -> T) -> T {
    let _before = Before(WORK.replace(Some(flag.clone())));
    f()
}

/// Runs `f` to its end whoever is asked to stop: what would be worse half done than late.
pub fn undisturbed<T>(f: impl FnOnce() -> T) -> T {
    let _before = Before(WORK.take());
    f()
}

/// An error if the statement that this thread works for is to stop. A few nanoseconds: for every node of a tree, every file of a folder.
pub fn check_cancelled() -> Result<()> {
    WORK.with_borrow(|work| work.as_ref().map_or(Ok(()), CancelFlag::check))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    #[derive(Default)]
    struct Counter(AtomicU32);

    impl CancelWatcher for Counter {
        fn cancelled(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_thread_asks_for_whom_it_works() {
        let (flag, inner) = (CancelFlag::new(), CancelFlag::new());
        flag.cancel();
        assert!(check_cancelled().is_ok());
        working_for(&flag, || {
            assert!(check_cancelled().is_err());
            working_for(&inner, || assert!(check_cancelled().is_ok()));
            undisturbed(|| assert!(check_cancelled().is_ok()));
            assert!(check_cancelled().is_err());
            let elsewhere = std::thread::spawn(|| check_cancelled().is_ok());
            assert_eq!(elsewhere.join().ok(), Some(true));
        });
        assert!(check_cancelled().is_ok());
    }

    #[test]
    fn who_watches_a_flag_is_told_of_those_above_it_and_at_once_if_it_is_too_late() {
        let told = |by: &dyn Fn(&CancelFlag, &CancelFlag)| {
            let query = CancelFlag::new();
            let (job, counter) = (query.child(), Arc::new(Counter::default()));
            let watcher: Weak<dyn CancelWatcher> =
                Arc::downgrade(&(counter.clone() as Arc<dyn CancelWatcher>));
            job.watch(&watcher);
            by(&query, &job);
            counter.0.load(Ordering::Relaxed)
        };
        assert_eq!(told(&|_, _| {}), 0);
        assert_eq!(told(&|query, _| query.cancel()), 1);
        assert_eq!(told(&|_, job| job.cancel()), 1);
        assert_eq!(told(&|_, job| job.child().cancel()), 0);
        let (late, counter) = (CancelFlag::new(), Arc::new(Counter::default()));
        late.cancel();
        let watcher: Weak<dyn CancelWatcher> = Arc::downgrade(&(counter.clone() as Arc<dyn CancelWatcher>));
        late.watch(&watcher);
        assert_eq!(counter.0.load(Ordering::Relaxed), 1);
        // Those that are gone are not kept.
        let flag = CancelFlag::new();
        for _ in 0..10 {
            let gone: Weak<dyn CancelWatcher> =
                Arc::downgrade(&(Arc::new(Counter::default()) as Arc<dyn CancelWatcher>));
            flag.watch(&gone);
        }
        assert!(flag.0.watchers.lock().len() <= 1);
    }
}
