//! What happened, as the event log has it.

use serde::Serialize;

/// One event. Serialised with its name under `event`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event")]
#[allow(missing_docs)] // the fields' names are what they are
pub(crate) enum Note<'a> {
    ApplicationStart {
        id: &'a str,
        name: &'a str,
        user: &'a str,
        master: &'a str,
    },
    ApplicationEnd,
    ExecutorAdded {
        executor: u64,
        host: &'a str,
        slots: u32,
    },
    ExecutorLost {
        executor: u64,
        blocks_lost: bool,
    },
    /// It had nothing left to do, and was told to go.
    ExecutorLeft {
        executor: u64,
    },
    ExecutorsRequested {
        total: u32,
    },
    ExecutorDraining {
        executor: u64,
    },
    ExecutorExcluded {
        executor: u64,
        stage: Option<u64>,
    },
    JobStart {
        job: u64,
        query: u64,
        description: &'a str,
        pool: &'a str,
    },
    JobEnd {
        job: u64,
        error: Option<String>,
    },
    StageSubmitted {
        job: u64,
        stage: u64,
        stage_attempt: u32,
        tasks: u32,
        name: &'a str,
    },
    StageCompleted {
        stage: u64,
    },
    TaskStart {
        task: u64,
        stage: u64,
        stage_attempt: u32,
        partition: u32,
        task_attempt: u32,
        executor: u64,
        speculative: bool,
    },
    /// It waits for its reader, without a slot.
    TaskParked {
        task: u64,
    },
    /// Its reader has come back.
    TaskResumed {
        task: u64,
    },
    TaskKill {
        task: u64,
        executor: u64,
    },
    TaskEnd {
        task: u64,
        #[serde(flatten)]
        outcome: TaskOutcomeNote,
    },
    ResultAccepted {
        job: u64,
        task: u64,
        partition: u32,
    },
    OutputsRolledBack {
        shuffle: u64,
    },
    ShuffleReleased {
        shuffle: u64,
    },
}

impl Note<'_> {
    /// Whether it belongs into the event log: that a task waits for its reader is worth knowing while it does, and a reader that is slow
    /// enough would fill the log with it.
    pub fn is_for_the_log(&self) -> bool {
        !matches!(self, Note::TaskParked { .. } | Note::TaskResumed { .. })
    }
}

/// How a task ended, and what it did.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub(crate) enum TaskOutcomeNote {
    Success {
        rows: u64,
        bytes: u64,
        spilled: u64,
    },
    FetchFailed {
        error: String,
    },
    Failed {
        error: String,
    },
    Killed,
    /// Its executor was lost.
    Lost,
}
