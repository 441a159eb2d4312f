//! Runs one task to its end.

use crate::build;
use crate::context::{CancelFlag, ExecutorEnv, QueryContext, TaskContext};
use crate::metrics::TaskMetrics;
use arrow::array::RecordBatch;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_physical::{PhysicalPlan, PlanNode};
use vonk_shuffle::{MapOutputSizes, ShuffleInputs};

/// A task attempt.
pub struct TaskSpec {
    /// What to run.
    pub fragment: Arc<PlanNode>,
    /// Which partition of it.
    pub partition: u32,
    /// Number of the attempt, unique within the job.
    pub attempt: u32,
    /// See [`TaskContext::generation`].
    pub generation: u32,
    /// Where the map outputs are that it reads; empty in local mode.
    pub inputs: Arc<ShuffleInputs>,
    /// Set when this attempt alone is to end; a child of the job's flag. Without one, only the job's flag ends it.
    pub cancel: Option<CancelFlag>,
}

/// What a task leaves.
#[derive(Debug)]
pub struct TaskOutput {
    /// Sizes of its shuffle output, for shuffle-map tasks.
    pub map_output: Option<MapOutputSizes>,
    /// Counters.
    pub metrics: TaskMetrics,
}

/// Runs a task on this thread. Batches of a result task go to `sink`, in order; a shuffle-map task writes to the block store.
/// A panic becomes an internal error: it ends the task, not the executor.
pub fn run_task(
    exec: &Arc<ExecutorEnv>,
    query: &Arc<QueryContext>,
    task: &TaskSpec,
    sink: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<TaskOutput> {
    let cx = TaskContext {
        exec: exec.clone(),
        query: query.clone(),
        partition: task.partition,
        attempt: task.attempt,
        generation: task.generation,
        inputs: task.inputs.clone(),
        cancel: task.cancel.clone().unwrap_or_else(|| query.cancel.clone()),
        metrics: TaskMetrics::default(),
    };
    let run = AssertUnwindSafe(|| run(&cx, &task.fragment, sink));
    match catch_unwind(run) {
        Ok(result) => result,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(Error::internal(format!("a task panicked: {}", text.unwrap_or_default())))
        }
    }
}

fn run(
    cx: &TaskContext,
    fragment: &PlanNode,
    sink: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<TaskOutput> {
    cx.check_cancelled()?;
    let map_output = match &fragment.plan {
        PhysicalPlan::ShuffleWrite(write) => Some(build::shuffle_write(cx, fragment, write)?),
        _ => {
            let mut root = build::operator(cx, fragment)?;
            while let Some(batch) = root.next()? {
                cx.check_cancelled()?;
                sink(batch)?;
            }
            None
        }
    };
    Ok(TaskOutput { map_output, metrics: cx.metrics.clone() })
}
