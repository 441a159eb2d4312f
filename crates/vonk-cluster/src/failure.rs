//! Errors on their way to the scheduler and back: it passes them on as bytes, and they stay typed.

use vonk_error::{Error, ErrorKind};
use vonk_scheduler::{ExecutorId, JobFailure, MapId, ShuffleId, TaskEnd};

/// How a task's error looks to the scheduler. `job_cancelled`: the job is not wanted any more, not just this task.
pub(crate) fn task_end(error: &Error, job_cancelled: bool) -> TaskEnd {
    match error.kind() {
        ErrorKind::FetchFailed(f) => TaskEnd::FetchFailed {
            shuffle: ShuffleId(f.shuffle),
            map: MapId(f.map),
            executor: ExecutorId(f.executor),
            unreachable: f.unreachable,
        },
        ErrorKind::Cancelled if !job_cancelled => TaskEnd::Killed,
        kind => {
            let retry = matches!(kind, ErrorKind::Io);
            // An error is plain data; should it not encode, its text is still an error.
            let error = postcard::to_stdvec(error).unwrap_or_else(|_| error.to_string().into_bytes());
            TaskEnd::Failed { retry, error }
        }
    }
}

/// Why a job failed, for whoever asked for it.
pub(crate) fn reason_error(reason: JobFailure) -> Error {
    match reason {
        JobFailure::Cancelled | JobFailure::StageCancelled { .. } => Error::cancelled(),
        JobFailure::InvalidGraph => Error::internal("the job's RDD graph is not one"),
        JobFailure::StageAttempts { stage, attempts, shuffle, map, executor } => {
            let cause = format!("map output {map} of shuffle {shuffle} could not be had from executor {executor}.");
            Error::new("_STAGE_ATTEMPTS_EXCEEDED")
                .with("stage", stage.to_string())
                .with("attempts", attempts.to_string())
                .with("cause", cause)
        }
        JobFailure::ExecutorLosses { attempt, losses } => Error::new("_TASK_KILLED_EXECUTORS").with(
            "message",
            format!(
                "{losses} executors were lost while they ran partition {} of stage {}; it may need more memory than \
                 \"spark.executor.memory\".",
                attempt.partition, attempt.stage
            ),
        ),
        JobFailure::Unschedulable { stage, partition } => Error::new("_TASK_KILLED_EXECUTORS").with(
            "message",
            format!("Partition {partition} of stage {stage} failed on every executor there is, and none came in time."),
        ),
        JobFailure::Indeterminate { stage, shuffle } => Error::new("_RESULT_LOST").with(
            "cause",
            format!("stage {stage} (shuffle {shuffle}) gives other rows when it is computed again."),
        ),
        // Killed again and again without having been asked for: not by a user, so not a cancellation.
        JobFailure::Task { attempt, failures, error } if error.is_empty() => Error::internal(format!(
            "partition {} of stage {} was killed {failures} times",
            attempt.partition, attempt.stage
        )),
        JobFailure::Task { error, .. } => postcard::from_bytes(&error)
            .unwrap_or_else(|_| Error::internal(String::from_utf8_lossy(&error).into_owned())),
    }
}
