//! The states of workers, applications, processes and drivers, and which may follow which.
//!
//! The tables are what the machine's debug assertions hold every change against, and what the diagrams in `docs/master.md` are
//! compared with by a test: a picture that lies fails.
//!
//! Must not know: why a state changes.

use serde::{Deserialize, Serialize};

/// States with a table of transitions.
pub trait States: Copy + PartialEq + std::fmt::Debug + 'static {
    /// What the table is about.
    const NAME: &'static str;
    /// From, to, and when. `None` stands for before the beginning and after the end.
    const TABLE: &'static [(Option<Self>, Option<Self>, &'static str)];
}

/// Moves to another state; to the same one is no move.
pub(crate) fn step<S: States>(state: &mut S, to: S) {
    if *state != to {
        assert_allowed(Some(*state), Some(to));
        *state = to;
    }
}

/// Holds a transition against the table, in debug builds.
pub(crate) fn assert_allowed<S: States>(from: Option<S>, to: Option<S>) {
    debug_assert!(
        S::TABLE.iter().any(|(f, t, _)| *f == from && *t == to),
        "a {} went from {from:?} to {to:?}",
        S::NAME
    );
}

/// How a worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WorkerState {
    /// It reports, and gets work.
    Alive,
    /// It reports, and gets no more work.
    Draining,
    /// It has no connection: it keeps what it has until its time is up.
    Unknown,
}

impl States for WorkerState {
    const NAME: &'static str = "worker";
    const TABLE: &'static [(Option<Self>, Option<Self>, &'static str)] = &[
        (None, Some(WorkerState::Alive), "registers"),
        (None, Some(WorkerState::Unknown), "was known before the master's restart"),
        (Some(WorkerState::Alive), Some(WorkerState::Draining), "is asked to leave"),
        (Some(WorkerState::Alive), Some(WorkerState::Unknown), "loses its connection"),
        (Some(WorkerState::Draining), Some(WorkerState::Unknown), "loses its connection"),
        (Some(WorkerState::Unknown), Some(WorkerState::Alive), "registers again"),
        (Some(WorkerState::Unknown), Some(WorkerState::Draining), "registers again, or is asked to leave"),
        (Some(WorkerState::Alive), None, "leaves, times out or is replaced"),
        (Some(WorkerState::Draining), None, "leaves, times out or is replaced"),
        (Some(WorkerState::Unknown), None, "times out or is replaced"),
    ];
}

/// How an application is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ApplicationState {
    /// None of its executors runs.
    Waiting,
    /// It has a running executor.
    Running,
    /// It has no connection: it keeps its executors until its time is up.
    Unknown,
    /// Over, as it should be.
    Finished,
    /// Over, and not as it should be.
    Failed,
    /// Over, since somebody wanted it so.
    Killed,
}

impl ApplicationState {
    /// Whether it is over.
    pub fn is_over(self) -> bool {
        matches!(self, ApplicationState::Finished | ApplicationState::Failed | ApplicationState::Killed)
    }
}

impl States for ApplicationState {
    const NAME: &'static str = "application";
    const TABLE: &'static [(Option<Self>, Option<Self>, &'static str)] = &[
        (None, Some(ApplicationState::Waiting), "registers"),
        (None, Some(ApplicationState::Unknown), "was known before the master's restart"),
        (Some(ApplicationState::Waiting), Some(ApplicationState::Running), "its first executor runs"),
        (Some(ApplicationState::Running), Some(ApplicationState::Waiting), "its last executor is gone"),
        (Some(ApplicationState::Waiting), Some(ApplicationState::Unknown), "loses its connection"),
        (Some(ApplicationState::Running), Some(ApplicationState::Unknown), "loses its connection"),
        (Some(ApplicationState::Unknown), Some(ApplicationState::Waiting), "registers again"),
        (Some(ApplicationState::Unknown), Some(ApplicationState::Running), "registers again"),
        (Some(ApplicationState::Waiting), Some(ApplicationState::Finished), "ends"),
        (Some(ApplicationState::Running), Some(ApplicationState::Finished), "ends"),
        (
            Some(ApplicationState::Waiting),
            Some(ApplicationState::Failed),
            "ends badly, or its executors do not start",
        ),
        (Some(ApplicationState::Running), Some(ApplicationState::Failed), "ends badly"),
        (Some(ApplicationState::Unknown), Some(ApplicationState::Failed), "does not come back in time"),
        (Some(ApplicationState::Waiting), Some(ApplicationState::Killed), "is killed"),
        (Some(ApplicationState::Running), Some(ApplicationState::Killed), "is killed"),
        (Some(ApplicationState::Unknown), Some(ApplicationState::Killed), "is killed"),
        (Some(ApplicationState::Finished), None, "is forgotten"),
        (Some(ApplicationState::Failed), None, "is forgotten"),
        (Some(ApplicationState::Killed), None, "is forgotten"),
    ];
}

/// How a process (an executor, or an attempt of a driver) is, as the master knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProcessState {
    /// Known from before the master's restart; its worker has not reported yet.
    Unknown,
    /// Its worker has been asked to start it.
    Launching,
    /// Its worker says it runs.
    Running,
    /// Its worker has been asked to end it. It takes its resources until it has ended.
    Killing,
    /// It is no more.
    Ended,
}

impl States for ProcessState {
    const NAME: &'static str = "process";
    const TABLE: &'static [(Option<Self>, Option<Self>, &'static str)] = &[
        (None, Some(ProcessState::Launching), "is placed on a worker"),
        (None, Some(ProcessState::Unknown), "was known before the master's restart"),
        (None, Some(ProcessState::Killing), "is reported, but nobody wants it"),
        (Some(ProcessState::Unknown), Some(ProcessState::Launching), "is reported as starting"),
        (Some(ProcessState::Unknown), Some(ProcessState::Running), "is reported as running"),
        (Some(ProcessState::Unknown), Some(ProcessState::Killing), "is not wanted any more"),
        (Some(ProcessState::Launching), Some(ProcessState::Running), "is reported as running"),
        (Some(ProcessState::Launching), Some(ProcessState::Killing), "is not wanted any more"),
        (Some(ProcessState::Running), Some(ProcessState::Killing), "is not wanted any more"),
        (Some(ProcessState::Unknown), Some(ProcessState::Ended), "is reported as ended, or lost"),
        (Some(ProcessState::Launching), Some(ProcessState::Ended), "is reported as ended, or lost"),
        (Some(ProcessState::Running), Some(ProcessState::Ended), "is reported as ended, or lost"),
        (Some(ProcessState::Killing), Some(ProcessState::Ended), "is reported as ended, or lost"),
    ];
}

/// How a driver is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DriverState {
    /// It waits for a worker.
    Submitted,
    /// A worker has been asked to start it.
    Launching,
    /// It runs.
    Running,
    /// Its worker has been asked to end it.
    Killing,
    /// It ended with code 0.
    Finished,
    /// It ended otherwise, or its worker is gone, and nobody starts it again.
    Failed,
    /// Somebody wanted it dead.
    Killed,
}

impl DriverState {
    /// Whether it is over.
    pub fn is_over(self) -> bool {
        matches!(self, DriverState::Finished | DriverState::Failed | DriverState::Killed)
    }
}

impl States for DriverState {
    const NAME: &'static str = "driver";
    const TABLE: &'static [(Option<Self>, Option<Self>, &'static str)] = &[
        (None, Some(DriverState::Submitted), "is submitted, or waited before the master's restart"),
        (None, Some(DriverState::Launching), "had a worker before the master's restart"),
        (None, Some(DriverState::Killing), "was being killed before the master's restart"),
        (Some(DriverState::Submitted), Some(DriverState::Launching), "is placed on a worker"),
        (Some(DriverState::Launching), Some(DriverState::Running), "is reported as running"),
        (
            Some(DriverState::Launching),
            Some(DriverState::Submitted),
            "failed, or its worker is gone, and it is supervised",
        ),
        (
            Some(DriverState::Running),
            Some(DriverState::Submitted),
            "failed, or its worker is gone, and it is supervised",
        ),
        (Some(DriverState::Submitted), Some(DriverState::Killed), "is killed"),
        (Some(DriverState::Launching), Some(DriverState::Killing), "is killed"),
        (Some(DriverState::Running), Some(DriverState::Killing), "is killed"),
        (Some(DriverState::Killing), Some(DriverState::Killed), "has ended"),
        (Some(DriverState::Launching), Some(DriverState::Finished), "ended with code 0"),
        (Some(DriverState::Running), Some(DriverState::Finished), "ended with code 0"),
        (Some(DriverState::Launching), Some(DriverState::Failed), "failed, or its worker is gone"),
        (Some(DriverState::Running), Some(DriverState::Failed), "failed, or its worker is gone"),
        (Some(DriverState::Finished), None, "is forgotten"),
        (Some(DriverState::Failed), None, "is forgotten"),
        (Some(DriverState::Killed), None, "is forgotten"),
    ];
}

/// The table as a diagram, in the text form of mermaid.
pub fn diagram<S: States>() -> String {
    let name = |s: &Option<S>| s.map_or("[*]".to_string(), |s| format!("{s:?}"));
    let mut out = "stateDiagram-v2\n".to_string();
    for (from, to, when) in S::TABLE {
        out.push_str(&format!("    {} --> {}: {when}\n", name(from), name(to)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/master.md` holds exactly these diagrams.
    fn is_drawn<S: States>() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/master.md");
        let text = std::fs::read_to_string(path).unwrap();
        let block = format!("```mermaid\n{}```\n", diagram::<S>());
        assert!(text.contains(&block), "docs/master.md does not hold the diagram of a {}:\n{block}", S::NAME);
    }

    #[test]
    fn diagrams_are_true() {
        is_drawn::<WorkerState>();
        is_drawn::<ApplicationState>();
        is_drawn::<ProcessState>();
        is_drawn::<DriverState>();
    }
}
