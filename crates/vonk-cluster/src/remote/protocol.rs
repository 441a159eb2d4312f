//! What executors and their driver say to each other. Serde types, in postcard: whoever changes one raises [`vonk_rpc::PROTOCOL`].
//!
//! Invariants: a stage is described before tasks of it are ordered, a job before its stages; a task is ordered once; the rows of a result
//! task are with the driver before its end is reported.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vonk_error::Error;
use vonk_exec::NodeCounts;
use vonk_shuffle::{MapOutputSizes, ShuffleInputs, Source};
use vonk_types::{EvalContext, Literal};

/// From an executor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromExecutor {
    /// The first words.
    Register(Registration),
    /// It lives.
    Heartbeat(Heartbeat),
    /// A task ended.
    Ended {
        /// Which.
        task: u64,
        /// How.
        outcome: Outcome,
    },
    /// It was told from outside to leave (SIGTERM).
    Leaving,
    /// Asked to leave, it runs nothing any more; it still has these map outputs.
    Drained {
        /// Shuffle and map.
        outputs: Vec<(u64, u32)>,
    },
    /// It has taken map outputs over from another.
    TookOver {
        /// From whom.
        from: u64,
        /// Those that could be had.
        outputs: Vec<(u64, u32)>,
    },
}

/// Who an executor is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Registration {
    /// The application it was started for: one that attaches to a driver on a port used before is not let in.
    pub application: String,
    /// Its number.
    pub executor: u64,
    /// Its machine, as locations of data name it.
    pub host: String,
    /// Where others find its blocks.
    pub blocks: Source,
    /// Tasks at once.
    pub slots: u32,
}

/// How an executor is.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Heartbeat {
    /// Bytes that operators and blocks hold.
    pub memory_used: u64,
    /// The most they ever held.
    pub memory_peak: u64,
    /// Tasks that run.
    pub running: u32,
}

/// How a task ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// A map task: its output is in the block store.
    Map { sizes: MapOutputSizes, nodes: Vec<NodeCounts> },
    /// A result task: its rows, unless they were sent ahead.
    Rows { inline: Option<Vec<Frame>>, nodes: Vec<NodeCounts> },
    /// It failed, or was killed.
    Failed(Error),
}

/// A batch as an Arrow IPC stream.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Frame(#[serde(with = "serde_bytes")] pub Vec<u8>);

/// A part of the rows of a result task that has many.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ResultFrame {
    /// The task; all frames of a call are of one.
    pub task: u64,
    /// Rows.
    pub frame: Frame,
}

/// The driver has all rows of a call.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Taken;

/// To an executor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum ToExecutor {
    /// It is known now.
    Registered {
        /// How often to tell that it lives, in milliseconds.
        heartbeat: u64,
    },
    /// What the tasks of a job share.
    Job(Arc<JobDescription>),
    /// What the tasks of a stage attempt share.
    Stage(Arc<StageDescription>),
    /// Run these.
    Run(Vec<Order>),
    /// End this one.
    Kill {
        /// Which.
        task: u64,
    },
    /// The job is over: its tasks end, what it shares goes.
    Forget {
        /// Which.
        job: u64,
    },
    /// Map outputs of this shuffle by attempts before this number count no more, those on their way neither.
    RollBack {
        /// Which.
        shuffle: u64,
        /// The first attempt that counts.
        before: u32,
    },
    /// Nobody reads this shuffle any more.
    Release {
        /// Which.
        shuffle: u64,
    },
    /// Run what you have to its end, then say so.
    Drain,
    /// Take these map outputs over from an executor that is about to leave.
    TakeOver {
        /// From whom.
        from: u64,
        /// `host:port` of its block server.
        address: String,
        /// Shuffle and map.
        outputs: Vec<(u64, u32)>,
    },
    /// Leave.
    Stop,
}

/// What the tasks of a job share.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct JobDescription {
    pub job: u64,
    /// The query that it is part of.
    pub query: u64,
    pub context: EvalContext,
    pub scalar_subqueries: Vec<(u32, Literal)>,
    pub batch_rows: u64,
}

/// What the tasks of a stage attempt share: sent once to each executor that runs any.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StageDescription {
    pub job: u64,
    pub key: StageKey,
    /// See [`vonk_exec::TaskContext::generation`].
    pub generation: u32,
    /// See [`vonk_physical::encode`].
    #[serde(with = "serde_bytes")]
    pub fragment: Vec<u8>,
    pub inputs: ShuffleInputs,
}

/// A stage attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct StageKey {
    pub stage: u64,
    pub stage_attempt: u32,
}

/// A task to run.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Order {
    pub task: u64,
    pub stage: StageKey,
    pub partition: u32,
}
