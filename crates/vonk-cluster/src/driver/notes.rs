//! What is counted and told of the driver's tasks.
//!
//! Must not know: who looks.

use super::JobMetrics;
use super::run::Loop;
use crate::backend::{TaskReport, TaskResult};
use crate::status::{Note, TaskOutcomeNote};
use parking_lot::Mutex;
use vonk_error::ErrorKind;
use vonk_physical::{PhysicalPlan, PlanNode};

impl Loop {
    /// For those who look, if any do.
    pub(super) fn note(&self, note: &Note<'_>) {
        if let Some(observer) = &self.observer {
            observer.note(note);
        }
    }
}

/// How a task ended, for those who look.
pub(super) fn outcome_note(result: &TaskResult, root: &PlanNode) -> TaskOutcomeNote {
    match result {
        Ok(report) => {
            let output = output_of(root);
            let own = report.nodes.iter().find(|n| n.node == output.id.0);
            let spilled = report.nodes.iter().map(|n| n.spilled).sum();
            TaskOutcomeNote::Success {
                rows: own.map_or(0, |n| n.rows),
                bytes: own.map_or(0, |n| n.bytes),
                spilled,
            }
        }
        Err(error) => match error.kind() {
            ErrorKind::FetchFailed(_) => TaskOutcomeNote::FetchFailed { error: error.to_string() },
            ErrorKind::Cancelled => TaskOutcomeNote::Killed,
            _ => TaskOutcomeNote::Failed { error: error.to_string() },
        },
    }
}

/// The node whose rows a fragment puts out.
fn output_of(root: &PlanNode) -> &PlanNode {
    match &root.plan {
        PhysicalPlan::ShuffleWrite(w) => &w.input,
        _ => root,
    }
}

/// Adds a task's counters to the job's.
pub(super) fn count(job: &Mutex<JobMetrics>, task: &TaskReport) {
    let mut job = job.lock();
    job.tasks += 1;
    for n in &task.nodes {
        let sum = job.nodes.nodes.entry(n.node).or_default();
        sum.0 += n.rows;
        sum.1 += n.bytes;
        sum.2 += n.nanos;
    }
}
