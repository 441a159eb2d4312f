//! What the tasks of one job share on an executor: things built once, and runtime filters.

use hashbrown::HashMap;
use parking_lot::{Condvar, Mutex, RwLock};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use vonk_error::{Error, ErrorKind, Result};
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
    /// Whoever was building was cancelled or panicked: one of those who wait has to build.
    GivenUp,
}

/// How often waiting asks whether to go on.
const LOOK: Duration = Duration::from_millis(20);

impl Shared {
    /// What was built under `key` (a plan node's number and the generation). The first task to ask builds it; the others wait, as long as
    /// `go_on` lets them. If building fails, all who wait get the error, and the next to ask builds again: a task that is retried must
    /// not meet the old failure. What befell the builder alone is not theirs: if it was cancelled (the loser of two speculative
    /// attempts) or panicked, one of them builds.
    pub fn get_or_build<T: Send + Sync + 'static>(
        &self,
        key: (u32, u32),
        go_on: &dyn Fn() -> Result<()>,
        build: impl FnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        let slot = loop {
            let (slot, mine) = self.slot(key);
            if mine {
                break slot;
            }
            if let Some(built) = slot.wait(go_on)? {
                return Ok(built);
            }
        };
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

    /// The slot of a key, and whether it is the caller's to fill.
    fn slot(&self, key: Key) -> (Arc<Slot>, bool) {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.get(&key) {
            return (slot.clone(), false);
        }
        let slot = Arc::<Slot>::default();
        slots.retain(|(node, generation), _| *node != key.0 || *generation > key.1);
        slots.insert(key, slot.clone());
        (slot, true)
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
    /// What was built; `None` if its builder gave up.
    fn wait<T: Send + Sync + 'static>(&self, go_on: &dyn Fn() -> Result<()>) -> Result<Option<Arc<T>>> {
        let mut state = self.state.lock();
        loop {
            match &*state {
                State::Building => {
                    self.done.wait_for(&mut state, LOOK);
                    go_on()?;
                }
                State::Failed(e) => return Err(e.clone()),
                State::GivenUp => return Ok(None),
                State::Built(any) => {
                    let mixed_up = |_| Error::internal("two kinds of things under one node");
                    return any.clone().downcast::<T>().map(Some).map_err(mixed_up);
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
        let state = match self.outcome.take() {
            Some(Ok(built)) => State::Built(built),
            Some(Err(e)) if *e.kind() != ErrorKind::Cancelled => State::Failed(e),
            Some(Err(_)) | None => State::GivenUp,
        };
        if !matches!(state, State::Built(_)) {
            // The slot may be another's by now, of one who built again after a rollback.
            let mut slots = self.shared.slots.lock();
            if slots.get(&self.key).is_some_and(|s| std::ptr::eq(&**s, self.slot)) {
                slots.remove(&self.key);
            }
        }
        *self.slot.state.lock() = state;
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
                    let got = shared.get_or_build((7, 0), &|| Ok(()), || {
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
    fn a_failure_reaches_those_who_wait_but_not_the_next() {
        let shared = Shared::default();
        let (began, begin) = std::sync::mpsc::channel();
        std::thread::scope(|s| {
            let failing = s.spawn(|| {
                shared.get_or_build::<u8>((1, 0), &|| Ok(()), || {
                    let _ = began.send(());
                    std::thread::sleep(Duration::from_millis(50));
                    Err(Error::internal("on purpose"))
                })
            });
            begin.recv().unwrap();
            assert!(shared.get_or_build((1, 0), &|| Ok(()), || Ok(1u8)).is_err());
            assert!(failing.join().unwrap().is_err());
        });
        assert_eq!(*shared.get_or_build((1, 0), &|| Ok(()), || Ok(2u8)).unwrap(), 2);
    }

    #[test]
    fn when_the_builder_is_killed_another_builds() {
        for panics in [false, true] {
            let shared = Shared::default();
            let (began, begin) = std::sync::mpsc::channel();
            std::thread::scope(|s| {
                let killed = s.spawn(|| {
                    shared.get_or_build::<u8>((1, 0), &|| Ok(()), || {
                        let _ = began.send(());
                        std::thread::sleep(Duration::from_millis(50));
                        assert!(!panics, "on purpose");
                        Err(Error::cancelled())
                    })
                });
                begin.recv().unwrap();
                let waiting: Vec<_> = (1..4u8)
                    .map(|n| {
                        s.spawn({
                            let shared = &shared;
                            move || shared.get_or_build((1, 0), &|| Ok(()), || Ok(n))
                        })
                    })
                    .collect();
                assert!(!matches!(killed.join(), Ok(Ok(_))));
                let got: Vec<u8> = waiting.into_iter().map(|w| *w.join().unwrap().unwrap()).collect();
                assert!(got[0] == got[1] && got[1] == got[2], "{got:?}");
            });
        }
    }

    #[test]
    fn who_waits_can_be_cancelled() {
        let shared = Shared::default();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let (began, begin) = std::sync::mpsc::channel();
        std::thread::scope(|s| {
            let shared = &shared;
            s.spawn(move || {
                shared.get_or_build((1, 0), &|| Ok(()), || {
                    let _ = began.send(());
                    let _ = ended.recv();
                    Ok(1u8)
                })
            });
            begin.recv().unwrap();
            let cancelled = shared.get_or_build((1, 0), &|| Err(Error::cancelled()), || Ok(2u8));
            assert_eq!(*cancelled.unwrap_err().kind(), ErrorKind::Cancelled);
            drop(end);
        });
    }

    #[test]
    fn what_was_built_before_a_rollback_is_not_found_after_it() {
        let shared = Shared::default();
        let get = |generation: u32, value: u8| {
            *shared.get_or_build((1, generation), &|| Ok(()), || Ok(value)).unwrap()
        };
        assert_eq!(get(0, 10), 10);
        assert_eq!((get(3, 13), get(3, 99)), (13, 13));
        // A task of before that is late builds for itself.
        assert_eq!((get(0, 20), get(3, 99)), (20, 13));
        assert_eq!(*shared.get_or_build((2, 0), &|| Ok(()), || Ok(7u8)).unwrap(), 7);
    }
}
