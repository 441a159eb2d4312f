//! Identifiers: small numbers with a type each, so that a stage is never taken for a shuffle.
//!
//! Must not know: how the numbers are handed out (their owners count).

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(/// A job: one action on one final RDD.
    JobId(u64));
id!(/// A stage: the tasks between two shuffles.
    StageId(u64));
id!(/// An RDD within its [`crate::RddGraph`].
    RddId(u32));
id!(/// The output of one shuffle-map stage, as its readers name it.
    ShuffleId(u64));
id!(/// A place that runs tasks; a restarted executor takes a new number.
    ExecutorId(u64));
id!(/// One launch of one task, never used twice.
    TaskId(u64));
id!(/// The index of a map partition of a shuffle.
    MapId(u32));
id!(/// The index of a partition of an RDD.
    PartitionIndex(u32));
id!(/// A handle of a plan fragment; what it stands for only the driver knows.
    Fragment(u32));

/// Which try of which task: the scheduler ignores what an outdated attempt reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskAttempt {
    /// The stage of the task.
    pub stage: StageId,
    /// The how-manieth submission of the stage, from 0.
    pub stage_attempt: u32,
    /// The partition that the task computes.
    pub partition: u32,
    /// The how-manieth launch of this task in this stage attempt, from 0.
    pub attempt: u32,
}

impl fmt::Display for TaskAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}/{}.{}", self.stage, self.stage_attempt, self.partition, self.attempt)
    }
}
