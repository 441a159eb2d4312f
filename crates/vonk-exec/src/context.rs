//! What tasks are given.

use crate::memory::MemoryManager;
use crate::metrics::TaskMetrics;
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use vonk_error::{Error, Result};
use vonk_eval::EvalEnv;
use vonk_shuffle::{ShuffleBlocks, ShuffleInputs};
use vonk_sources::Formats;

/// What all tasks of an executor process share.
pub struct ExecutorEnv {
    /// Readers and writers.
    pub formats: Formats,
    /// Memory of the process.
    pub memory: Arc<MemoryManager>,
    /// Shuffle blocks within reach.
    pub shuffle: Arc<dyn ShuffleBlocks>,
    /// Folder of spill files; made when first needed.
    pub spill_dir: PathBuf,
}

/// Tells tasks to stop. Cheap to ask. A child follows its parent, but not the other way round.
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

/// What the tasks of one job share on an executor. Dropped with the job: so are its join tables and filters.
pub struct QueryContext {
    /// The query's number within its driver, for logs: a query may be several jobs.
    pub number: u64,
    /// Settings, functions, values of scalar subqueries.
    pub env: EvalEnv,
    /// Rows of a batch aimed at.
    pub batch_rows: usize,
    /// Set when the job ends or is cancelled.
    pub cancel: CancelFlag,
    /// Join tables of broadcasts and runtime filters, made by whichever task comes first.
    pub shared: crate::shared::Shared,
}

impl QueryContext {
    /// For a job, of query 0.
    pub fn new(env: EvalEnv, batch_rows: usize, cancel: CancelFlag) -> Self {
        QueryContext { number: 0, env, batch_rows: batch_rows.max(1), cancel, shared: Default::default() }
    }

    /// The same of a query.
    #[must_use]
    pub fn of_query(self, number: u64) -> Self {
        QueryContext { number, ..self }
    }
}

/// What one task attempt is given. Cheap to clone: operators keep it.
#[derive(Clone)]
pub struct TaskContext {
    /// The process.
    pub exec: Arc<ExecutorEnv>,
    /// The job.
    pub query: Arc<QueryContext>,
    /// Partition of the fragment.
    pub partition: u32,
    /// Number of the attempt, unique within the job: names files.
    pub attempt: u32,
    /// Of what its stage reads: another once that was rolled back. What tasks share they share within it.
    pub generation: u32,
    /// Where the map outputs are that it reads; empty in local mode.
    pub inputs: Arc<ShuffleInputs>,
    /// Set when this attempt is not wanted any more; follows the job's.
    pub cancel: CancelFlag,
    /// Counters.
    pub metrics: TaskMetrics,
}

impl TaskContext {
    /// An error if the task should stop.
    pub fn check_cancelled(&self) -> Result<()> {
        self.cancel.check()
    }
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
