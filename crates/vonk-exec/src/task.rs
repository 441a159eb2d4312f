//! Runs one task to its end, in one go or step by step.

use crate::CancelFlag;
use crate::build;
use crate::context::{ExecutorEnv, QueryContext, TaskContext};
use crate::metrics::TaskMetrics;
use crate::operator::BoxedOperator;
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
    let mut task = Task::new(exec, query, task);
    while let Some(batch) = task.next()? {
        sink(batch)?;
    }
    Ok(task.finish())
}

/// A task that is run step by step: between two batches it may rest, and go on on another thread.
pub struct Task {
    cx: TaskContext,
    state: TaskState,
}

enum TaskState {
    Begins(Arc<PlanNode>),
    /// A result task that has operators.
    Runs(BoxedOperator),
    Ended(Option<MapOutputSizes>),
}

impl Task {
    /// One that has not begun.
    pub fn new(exec: &Arc<ExecutorEnv>, query: &Arc<QueryContext>, task: &TaskSpec) -> Task {
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
        Task { cx, state: TaskState::Begins(task.fragment.clone()) }
    }

    /// What it counts, while it does.
    pub fn metrics(&self) -> &TaskMetrics {
        &self.cx.metrics
    }

    /// The next batch of a result task; `None` at its end. A shuffle-map task runs to its end and gives `None`. Not to be called again after
    /// an error. A panic becomes an internal error.
    pub fn next(&mut self) -> Result<Option<RecordBatch>> {
        match catch_unwind(AssertUnwindSafe(|| self.step())) {
            Ok(result) => result,
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                Err(Error::internal(format!("a task panicked: {}", text.unwrap_or_default())))
            }
        }
    }

    fn step(&mut self) -> Result<Option<RecordBatch>> {
        self.cx.check_cancelled()?;
        if let TaskState::Begins(fragment) = &self.state {
            let fragment = fragment.clone();
            self.state = match &fragment.plan {
                PhysicalPlan::ShuffleWrite(write) => {
                    TaskState::Ended(Some(build::shuffle_write(&self.cx, &fragment, write)?))
                }
                _ => TaskState::Runs(build::operator(&self.cx, &fragment)?),
            };
        }
        let TaskState::Runs(root) = &mut self.state else { return Ok(None) };
        let batch = root.next()?;
        match &batch {
            Some(_) => self.cx.check_cancelled()?,
            // What it holds can go before its end is told.
            None => self.state = TaskState::Ended(None),
        }
        Ok(batch)
    }

    /// What it leaves, once [`next`](Self::next) gave `None`.
    pub fn finish(self) -> TaskOutput {
        let map_output = match self.state {
            TaskState::Ended(map_output) => map_output,
            TaskState::Begins(_) | TaskState::Runs(_) => None,
        };
        TaskOutput { map_output, metrics: self.cx.metrics }
    }
}
