//! What the tasks of one job share on an executor: things built once, and runtime filters.

use hashbrown::HashMap;
use parking_lot::{Condvar, Mutex, RwLock};
use std::any::Any;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_sources::ScanFilter;

/// Slots by plan node and generation, and runtime filters by their number and generation. Dropped with the job.
///
/// The generation is that of the stage ([`TaskContext::generation`](crate::TaskContext::generation)): once what it reads was rolled back,
/// a table built of the rows before must not meet tasks that read the new ones. What is of an earlier generation goes when one
/// of a later one comes; tasks of it that still run keep what they have.
#[derive(Default)]
pub struct Shared {
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
    /// By filter and key of the join.
    filters: RwLock<HashMap<(Key, usize), Arc<dyn ScanFilter>>>,
}

/// Number (of a plan node, of a filter) and generation.
type Key = (u32, u32);

/// Something that one task builds while others wait.
#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Default)]
enum State {
    #[default]
    Building,
    Built(Arc<dyn Any + Send + Sync>),
    Failed(Error),
}

impl Shared {
    /// What was built under `key` (a plan node's number and the generation). The first task to ask builds it; the others wait. If building fails,
    /// all who wait get the error, and the next to ask builds again: a task that is retried must not meet the old failure.
    pub fn get_or_build<T: Send + Sync + 'static>(
        &self,
        key: (u32, u32),
        build: impl FnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        let (slot, mine) = {
            let mut slots = self.slots.lock();
            match slots.get(&key) {
                Some(slot) => (slot.clone(), false),
                None => {
                    let slot = Arc::<Slot>::default();
                    slots.retain(|(node, generation), _| *node != key.0 || *generation > key.1);
                    slots.insert(key, slot.clone());
                    (slot, true)
                }
            }
        };
        if !mine {
            return slot.wait();
        }
        // Should the build panic, the guard tells those who wait.
        let mut guard = Building { shared: self, key, slot: &slot, outcome: None };
        match build() {
            Ok(built) => {
                let built = Arc::new(built);
                guard.outcome = Some(Ok(built.clone()));
                Ok(built)
            }
            Err(e) => {
                guard.outcome = Some(Err(e.clone()));
                Err(e)
            }
        }
    }

    /// Makes a runtime filter known: `filter` is its number with the generation, `key` which key of the join.
    pub fn set_filter(&self, filter: (u32, u32), key: usize, values: Arc<dyn ScanFilter>) {
        let mut filters = self.filters.write();
        filters.retain(|((number, generation), _), _| *number != filter.0 || *generation >= filter.1);
        filters.insert((filter, key), values);
    }

    /// A runtime filter, if it is known yet.
    pub fn filter(&self, filter: (u32, u32), key: usize) -> Option<Arc<dyn ScanFilter>> {
        self.filters.read().get(&(filter, key)).cloned()
    }
}

impl Slot {
    fn wait<T: Send + Sync + 'static>(&self) -> Result<Arc<T>> {
        let mut state = self.state.lock();
        loop {
            match &*state {
                State::Building => self.done.wait(&mut state),
                State::Failed(e) => return Err(e.clone()),
                State::Built(any) => {
                    let mixed_up = |_| Error::internal("two kinds of things under one node");
                    return any.clone().downcast::<T>().map_err(mixed_up);
                }
            }
        }
    }
}

/// A build in progress; dropping it publishes the outcome.
struct Building<'a> {
    shared: &'a Shared,
    key: Key,
    slot: &'a Slot,
    outcome: Option<Result<Arc<dyn Any + Send + Sync>>>,
}

impl Drop for Building<'_> {
    fn drop(&mut self) {
        let outcome = self.outcome.take();
        let outcome = outcome.unwrap_or_else(|| Err(Error::internal("the task that was building panicked")));
        if outcome.is_err() {
            self.shared.slots.lock().remove(&self.key);
        }
        *self.slot.state.lock() = match outcome {
            Ok(built) => State::Built(built),
            Err(e) => State::Failed(e),
        };
        self.slot.done.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn one_builds_and_all_get_it() {
        let (shared, builds) = (Shared::default(), AtomicUsize::new(0));
        std::thread::scope(|s| {
            for _ in 0..8 {
                s.spawn(|| {
                    let got = shared.get_or_build((7, 0), || {
                        builds.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(20));
                        Ok("table".to_string())
                    });
                    assert_eq!(*got.unwrap(), "table");
                });
            }
        });
        assert_eq!(builds.into_inner(), 1);
    }

    #[test]
    fn a_failure_or_panic_reaches_those_who_wait_but_not_the_next() {
        let shared = Shared::default();
        std::thread::scope(|s| {
            let failing = s.spawn(|| {
                shared.get_or_build::<u8>((1, 0), || {
                    std::thread::sleep(Duration::from_millis(50));
                    panic!("on purpose")
                })
            });
            std::thread::sleep(Duration::from_millis(10));
            let waiting = s.spawn(|| shared.get_or_build((1, 0), || Ok(1u8)));
            assert!(failing.join().is_err());
            assert!(waiting.join().unwrap().is_err());
        });
        assert!(shared.get_or_build::<u8>((1, 0), || Err(Error::cancelled())).is_err());
        assert_eq!(*shared.get_or_build((1, 0), || Ok(2u8)).unwrap(), 2);
    }

    #[test]
    fn what_was_built_before_a_rollback_is_not_found_after_it() {
        let shared = Shared::default();
        let get = |generation: u32, value: u8| *shared.get_or_build((1, generation), || Ok(value)).unwrap();
        assert_eq!(get(0, 10), 10);
        assert_eq!((get(3, 13), get(3, 99)), (13, 13));
        // A task of before that is late builds for itself.
        assert_eq!((get(0, 20), get(3, 99)), (20, 13));
        assert_eq!(*shared.get_or_build((2, 0), || Ok(7u8)).unwrap(), 7);
    }
}
