//! Where tasks run: the trait that local mode and cluster mode implement differently, and what a driver hands to it.
//!
//! Three things are counted as attempts. A **stage attempt** is a submission of a stage: its tasks read the same inputs. A **task attempt** is
//! a try of one of its tasks. An **output attempt** names what a try leaves, its map output or its rows, over all stages and attempts of them
//! ([`output_attempt`]): of two outputs of a map partition the later one counts.
//!
//! Must not know: how a driver decides.

use crate::driver::Mailbox;
use crate::progress::Progress;
use crate::results::Results;
use std::sync::Arc;
use vonk_error::Result;
use vonk_exec::{NodeCounts, QueryContext};
use vonk_physical::{PhysicalPlan, PlanNode};
use vonk_scheduler::{ExecutorId, JobId, MapId, ShuffleId, StageId, TaskId};
use vonk_shuffle::{MapOutputSizes, Place, ShuffleInputs};

/// What all tasks of a stage attempt have in common.
pub struct StageLaunch {
    /// The job it belongs to.
    pub job: JobId,
    /// The stage.
    pub stage: StageId,
    /// The how-manieth submission of it.
    pub stage_attempt: u32,
    /// See [`vonk_exec::TaskContext::generation`].
    pub generation: u32,
    /// What is run.
    pub fragment: Arc<PlanNode>,
    /// What the job's tasks share.
    pub query: Arc<QueryContext>,
    /// Where the map outputs are that it reads, as of its submission; empty where all blocks are in this process.
    pub inputs: Arc<ShuffleInputs>,
    /// Where result rows go.
    pub(crate) results: Arc<Results>,
    /// Told how far its tasks are, if they run in this process.
    pub(crate) progress: Arc<Progress>,
    /// The nodes that read.
    pub(crate) leaves: Arc<[u32]>,
}

impl StageLaunch {
    /// Whether its tasks give result rows, not map outputs.
    pub fn is_result(&self) -> bool {
        !matches!(self.fragment.plan, PhysicalPlan::ShuffleWrite(_))
    }
}

/// A task to be run.
pub struct TaskLaunch {
    /// Its identity.
    pub task: TaskId,
    /// Which partition.
    pub partition: u32,
    /// Where.
    pub executor: ExecutorId,
    /// What its stage's tasks have in common.
    pub stage: Arc<StageLaunch>,
}

impl TaskLaunch {
    /// Names what it leaves.
    pub fn output_attempt(&self) -> u32 {
        output_attempt(self.task)
    }
}

/// What names the output of a try of a task: unique within the driver, later tries have larger ones.
pub(crate) fn output_attempt(task: TaskId) -> u32 {
    // Wraps after four thousand million tasks, by when the files of the first have long been committed.
    task.0 as u32
}

/// What a task that succeeded leaves.
#[derive(Debug, Default)]
pub struct TaskReport {
    /// Sizes of its shuffle output, for shuffle-map tasks.
    pub map_output: Option<MapOutputSizes>,
    /// What its plan nodes counted.
    pub nodes: Vec<NodeCounts>,
}

/// How a task ended.
pub type TaskResult = Result<TaskReport>;

/// Executors within reach of a driver. Called by the driver's thread alone, and never blocks; what happens is told to the mailbox.
pub trait Backend: Send {
    /// The driver runs: executors are wanted, and told to the mailbox as they come, with their ends and those of tasks.
    fn start(&mut self, mailbox: Mailbox) -> Result<()>;
    /// Begins tasks. The mailbox is told of the end of each, whatever happens, unless it is told that the executor is lost.
    fn launch(&mut self, tasks: Vec<TaskLaunch>);
    /// Asks a task to end.
    fn kill(&mut self, task: TaskId, executor: ExecutorId);
    /// The job is over: what executors hold for it can go.
    fn job_ended(&mut self, job: JobId);
    /// Asks for so many executors in all, if it is able to start and end them.
    fn request_executors(&mut self, total: u32);
    /// Asks an executor to run what it has to its end; [`Mailbox::drained`] tells when that is so.
    fn drain(&mut self, executor: ExecutorId);
    /// Has an executor that stays take map outputs over from one that leaves; `None` if there is none. [`Mailbox::took_over`] tells
    /// when it has.
    fn hand_over(&mut self, from: ExecutorId, outputs: Vec<(ShuffleId, MapId)>) -> Option<ExecutorId>;
    /// Ends an executor that has nothing left to do.
    fn dismiss(&mut self, executor: ExecutorId);
    /// The driver has taken note that an executor is gone, and perhaps its blocks. It may be told twice, of the blocks later.
    fn executor_lost(&mut self, executor: ExecutorId, blocks_lost: bool);
    /// Outputs of the shuffle by attempts before this number count no more: nobody may read them beside those that are made anew.
    fn forget_outputs(&mut self, shuffle: ShuffleId, before: u32);
    /// Nobody reads the shuffle any more.
    fn release(&mut self, shuffle: ShuffleId);
    /// Where the blocks of an executor are; `None` in this process.
    fn place(&self, executor: ExecutorId) -> Option<Place>;
    /// Ends the executors.
    fn stop(&mut self);
}

/// Whose words a task's log lines are.
pub(crate) struct TaskPlace {
    pub executor: ExecutorId,
    pub query: u64,
    pub job: JobId,
    pub stage: StageId,
    pub stage_attempt: u32,
    pub task: TaskId,
    pub partition: u32,
}

/// What is logged within it says where.
pub(crate) fn task_span(place: TaskPlace) -> tracing::Span {
    let TaskPlace { executor, query, job, stage, stage_attempt, task, partition } = place;
    tracing::info_span!("task", %executor, query, %job, %stage, stage_attempt, %task, partition)
}
