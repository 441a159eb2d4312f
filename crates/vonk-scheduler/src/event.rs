//! The scheduler's language: what happens, what is to be done, and why a job failed.
//!
//! Must not know: how events arrive and who carries out actions.

use crate::ids::{ExecutorId, Fragment, JobId, MapId, RddId, ShuffleId, StageId, TaskAttempt, TaskId};
use crate::map_outputs::MapStatus;
use crate::rdd::RddGraph;
use crate::time::Time;

/// What happens.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum Event {
    /// An action on `last`. Of the shuffles in the graph, those in `keep` are still there when the job has ended, for the next job
    /// that names them: a job that does not keep them, or [`ReleaseShuffles`](Self::ReleaseShuffles), ends that.
    SubmitJob {
        job: JobId,
        graph: RddGraph,
        last: RddId,
        keep: Vec<ShuffleId>,
        /// `spark.scheduler.pool`; empty is the default pool.
        pool: String,
    },
    /// No job to come reads these.
    ReleaseShuffles { shuffles: Vec<ShuffleId> },
    /// The job is not wanted any more.
    CancelJob { job: JobId },
    /// The jobs that need this stage are not wanted any more.
    CancelStage { stage: StageId },
    /// An executor registered. A number is used once.
    ExecutorAdded { executor: ExecutorId, host: String, slots: u32 },
    /// An executor is about to leave: it gets no new tasks; those that run there and its blocks stay.
    ExecutorDraining { executor: ExecutorId },
    /// An executor is gone, perhaps with the blocks it served.
    ExecutorLost { executor: ExecutorId, blocks_lost: bool },
    /// An executor's blocks were copied to another, which serves them from now on.
    OutputsMoved { from: ExecutorId, to: ExecutorId, outputs: Vec<(ShuffleId, MapId)> },
    /// The results of a stage are read in so many parts, partition `p` with part `p % parts`: its tasks are to serve all of them.
    ResultsDealt { stage: StageId, parts: u32 },
    /// A launch waits for who reads its rows, and gives its slot back for so long.
    TaskParked { task: TaskId },
    /// A launch that was parked goes on, at once.
    TaskResumed { task: TaskId },
    /// A launch ended.
    TaskEnded { task: TaskId, end: TaskEnd },
    /// Time has passed: to be fed when [`crate::Scheduler::next_timer`] has come.
    Tick,
}

/// How one launch of a task ended, as its executor reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum TaskEnd {
    /// Done; with a map status if it is a shuffle-map task.
    Success { map_status: Option<MapStatus> },
    /// A block it had to read is gone, or cannot be had from `executor`: `unreachable` if nothing can be had from there.
    FetchFailed { shuffle: ShuffleId, map: MapId, executor: ExecutorId, unreachable: bool },
    /// It failed; `retry` if another try may help. The error is opaque.
    Failed { retry: bool, error: Vec<u8> },
    /// It was killed, as asked.
    Killed,
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields' names are their types' names
pub enum Action {
    /// Run partition `attempt.partition` of a fragment of a job.
    Launch {
        job: JobId,
        task: TaskId,
        attempt: TaskAttempt,
        fragment: Fragment,
        executor: ExecutorId,
        /// A copy of a slow task that still runs elsewhere.
        speculative: bool,
    },
    /// Its end is not wanted; to be reported all the same (as [`TaskEnd::Killed`] or as what it came to), for its slot.
    Kill {
        task: TaskId,
        executor: ExecutorId,
    },
    /// A stage begins (again), with so many tasks. The outputs it reads are where they are now ([`crate::Scheduler::outputs`]).
    StageSubmitted {
        job: JobId,
        stage: StageId,
        stage_attempt: u32,
        fragment: Fragment,
        tasks: u32,
        /// Grows whenever what the stage reads was rolled back: what its tasks built of the rows before is of no use to those of
        /// this attempt.
        generation: u32,
    },
    StageCompleted {
        stage: StageId,
    },
    /// The result of exactly this task counts for its partition: of all attempts, speculative ones too, one is accepted, once.
    ResultAccepted {
        job: JobId,
        task: TaskId,
        attempt: TaskAttempt,
    },
    /// Outputs of this shuffle by tasks launched before `before` count no more, and will be made anew: who holds some forgets them, and
    /// takes none that come late, so that nobody reads rows of both.
    ForgetOutputs {
        shuffle: ShuffleId,
        before: TaskId,
    },
    ReleaseShuffle {
        shuffle: ShuffleId,
    },
    JobSucceeded {
        job: JobId,
    },
    JobFailed {
        job: JobId,
        reason: JobFailure,
    },
    /// Tasks fail on this executor: it gets no more of the stage's, or of any if no stage is named. For the record.
    ExecutorExcluded {
        executor: ExecutorId,
        stage: Option<StageId>,
        until: Time,
    },
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobFailure {
    /// It was cancelled.
    Cancelled,
    /// A stage that it needs was cancelled.
    StageCancelled {
        /// Which.
        stage: StageId,
    },
    /// The graph names an RDD that is not in it, or a shuffle in two ways.
    InvalidGraph,
    /// A task failed for good.
    Task {
        /// The last attempt.
        attempt: TaskAttempt,
        /// How often it failed: less than the limit if its error cannot pass.
        failures: u32,
        /// The last error, as the executor reported it; empty if it ended by being killed unasked.
        error: Vec<u8>,
    },
    /// So many executors were lost while they ran this task that it is taken for the cause.
    ExecutorLosses {
        /// The last attempt.
        attempt: TaskAttempt,
        /// How many.
        losses: u32,
    },
    /// A stage lost its input again and again.
    StageAttempts {
        /// Which.
        stage: StageId,
        /// Attempts in a row.
        attempts: u32,
        /// The block that was missing last.
        shuffle: ShuffleId,
        /// Its map partition.
        map: MapId,
        /// Who should have had it.
        executor: ExecutorId,
    },
    /// The task failed on, or is excluded from, every executor there is, and none came in time.
    Unschedulable {
        /// The stage.
        stage: StageId,
        /// The partition.
        partition: u32,
    },
    /// An input that does not come out the same when computed again was lost after rows that were computed from it had been
    /// given away.
    Indeterminate {
        /// The stage that was lost.
        stage: StageId,
        /// Its shuffle.
        shuffle: ShuffleId,
    },
}
