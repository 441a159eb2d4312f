//! How far a query is, for progress bars and reports.
//!
//! What tasks of this process have read is looked up in their own counters, at the moment somebody asks; other processes tell when a task has
//! ended.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use vonk_exec::{NodeCounts, TaskMetrics};
use vonk_physical::PlanNode;
use vonk_scheduler::{StageId, TaskId};

/// One stage, as seen from outside.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StageProgress {
    /// Its number within the driver.
    pub stage: u64,
    /// Tasks in all.
    pub tasks: u32,
    /// Tasks done.
    pub done: u32,
    /// What the running tasks have done, in tasks: 1.5, if one has done half and two have done all of it but for the end. Only of tasks in this
    /// process.
    pub running: f64,
    /// Rows its tasks have read, from tables, files and other stages.
    pub rows: u64,
    /// Bytes of these rows, as they are in memory.
    pub bytes: u64,
}

/// The stages of a query, those of its subqueries included, in the order they began.
#[derive(Debug, Default)]
pub struct Progress {
    stages: Mutex<Stages>,
    /// Stages of jobs that have begun, whether submitted yet or not.
    planned: Mutex<u32>,
    /// There is no executor that could run a task.
    without_executors: AtomicBool,
}

#[derive(Debug, Default)]
struct Stages {
    /// As of the tasks that are done.
    known: Vec<StageProgress>,
    /// Tasks that run in this process.
    running: HashMap<TaskId, Running>,
}

/// A task that runs in this process.
#[derive(Debug)]
struct Running {
    stage: StageId,
    /// The nodes of its fragment that read.
    leaves: Arc<[u32]>,
    metrics: TaskMetrics,
}

impl Stages {
    fn find(&mut self, stage: StageId) -> Option<&mut StageProgress> {
        self.known.iter_mut().find(|s| s.stage == stage.0)
    }
}

impl Progress {
    /// The stages begun so far.
    pub fn stages(&self) -> Vec<StageProgress> {
        let stages = self.stages.lock();
        let mut out = stages.known.clone();
        for task in stages.running.values() {
            if let Some(stage) = out.iter_mut().find(|s| s.stage == task.stage.0) {
                stage.running += task.metrics.share();
                stage.read(&task.leaves, &task.metrics.counts());
            }
        }
        out
    }

    /// How many stages there will be, as far as known.
    pub fn planned(&self) -> u32 {
        *self.planned.lock()
    }

    /// Tasks done and tasks known.
    pub fn tasks(&self) -> (u32, u32) {
        let stages = self.stages.lock();
        (stages.known.iter().map(|s| s.done).sum(), stages.known.iter().map(|s| s.tasks).sum())
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

    pub(crate) fn begin(&self, stage: StageId, tasks: u32) {
        let mut stages = self.stages.lock();
        match stages.find(stage) {
            // Submitted again, for the partitions that were lost.
            Some(s) => s.done = s.tasks.saturating_sub(tasks),
            None => {
                stages.known.push(StageProgress { stage: stage.0, tasks, ..StageProgress::default() });
            }
        }
    }

    /// A task runs in this process, and counts there.
    pub(crate) fn runs(&self, stage: StageId, task: TaskId, leaves: &Arc<[u32]>, metrics: &TaskMetrics) {
        let running = Running { stage, leaves: leaves.clone(), metrics: metrics.clone() };
        self.stages.lock().running.insert(task, running);
    }

    /// A task has ended, with these counts if all went well.
    pub(crate) fn ended(&self, stage: StageId, task: TaskId, leaves: &[u32], counts: Option<&[NodeCounts]>) {
        let mut stages = self.stages.lock();
        stages.running.remove(&task);
        if let (Some(counts), Some(s)) = (counts, stages.find(stage)) {
            s.done = (s.done + 1).min(s.tasks);
            s.read(leaves, counts);
        }
    }
}

impl StageProgress {
    fn read(&mut self, leaves: &[u32], counts: &[NodeCounts]) {
        for node in counts.iter().filter(|n| leaves.contains(&n.node)) {
            self.rows += node.rows;
            self.bytes += node.bytes;
        }
    }
}

/// The nodes of a fragment that read what it works on.
pub(crate) fn leaves(fragment: &PlanNode) -> Arc<[u32]> {
    let mut leaves = Vec::new();
    fragment.visit(&mut |node| {
        if node.plan.inputs().is_empty() {
            leaves.push(node.id.0);
        }
    });
    leaves.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(node: u32, rows: u64) -> NodeCounts {
        NodeCounts { node, rows, bytes: 8 * rows, ..NodeCounts::default() }
    }

    #[test]
    fn tasks_that_run_count_by_what_they_have_read() {
        let (progress, stage, leaves) = (Progress::default(), StageId(7), Arc::from([3, 4]));
        progress.begin(stage, 4);
        progress.ended(stage, TaskId(0), &leaves, Some(&[counts(1, 1), counts(3, 100), counts(4, 10)]));
        let metrics = TaskMetrics::default();
        progress.runs(stage, TaskId(1), &leaves, &metrics);
        let read = metrics.reading(200);
        read.pass(50);
        vonk_exec::NodeMetrics::add(&metrics.node(vonk_physical::NodeId(3)).rows, 20);
        let expected = StageProgress { stage: 7, tasks: 4, done: 1, running: 0.25, rows: 130, bytes: 880 };
        assert_eq!(progress.stages(), std::slice::from_ref(&expected));
        // One that has failed has read nothing.
        progress.ended(stage, TaskId(1), &leaves, None);
        assert_eq!(progress.stages(), [StageProgress { running: 0.0, rows: 110, ..expected }]);
        assert_eq!(progress.tasks(), (1, 4));
    }
}
