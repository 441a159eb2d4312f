//! How far a query is, for progress bars and reports.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// One stage, as seen from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StageProgress {
    /// Its number within the driver.
    pub stage: u64,
    /// Tasks in all.
    pub tasks: u32,
    /// Tasks done.
    pub done: u32,
    /// Rows its tasks put out.
    pub rows: u64,
    /// Bytes of these rows, as they are in memory.
    pub bytes: u64,
}

/// The stages of a query, those of its subqueries included, in the order they began.
#[derive(Debug, Default)]
pub struct Progress {
    stages: Mutex<Vec<StageProgress>>,
    /// Stages of jobs that have begun, whether submitted yet or not.
    planned: Mutex<u32>,
    /// There is no executor that could run a task.
    without_executors: AtomicBool,
}

impl Progress {
    /// The stages begun so far.
    pub fn stages(&self) -> Vec<StageProgress> {
        self.stages.lock().clone()
    }

    /// How many stages there will be, as far as known.
    pub fn planned(&self) -> u32 {
        *self.planned.lock()
    }

    /// Tasks done and tasks known.
    pub fn tasks(&self) -> (u32, u32) {
        let stages = self.stages.lock();
        (stages.iter().map(|s| s.done).sum(), stages.iter().map(|s| s.tasks).sum())
    }

    /// Whether it waits since there is no executor: none has come yet, or all are gone.
    pub fn is_without_executors(&self) -> bool {
        self.without_executors.load(Ordering::Relaxed)
    }

    pub(crate) fn set_without_executors(&self, so: bool) {
        self.without_executors.store(so, Ordering::Relaxed);
    }

    pub(crate) fn plan(&self, stages: u32) {
        *self.planned.lock() += stages;
    }

    pub(crate) fn begin(&self, stage: u64, tasks: u32) {
        let mut stages = self.stages.lock();
        match stages.iter_mut().find(|s| s.stage == stage) {
            // Submitted again, for the partitions that were lost.
            Some(s) => s.done = s.tasks.saturating_sub(tasks),
            None => stages.push(StageProgress { stage, tasks, ..StageProgress::default() }),
        }
    }

    pub(crate) fn done(&self, stage: u64, rows: u64, bytes: u64) {
        if let Some(s) = self.stages.lock().iter_mut().find(|s| s.stage == stage) {
            s.done = (s.done + 1).min(s.tasks);
            s.rows += rows;
            s.bytes += bytes;
        }
    }
}
