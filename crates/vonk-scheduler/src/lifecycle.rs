//! The states of stages, tasks, executors and jobs, and what leads from one to the next.
//!
//! Each machine is one table: the schedulers change a state by asking it, and `docs/schedulers.md` is drawn from it (a test
//! compares). What a table does not have cannot happen: a debug build stops there.
//!
//! Must not know: what the schedulers do beside changing a state.

/// A state machine as a table, for whoever draws it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    /// What has these states.
    pub name: &'static str,
    /// Where it begins.
    pub initial: &'static str,
    /// From, cause, to.
    pub transitions: Vec<(&'static str, &'static str, &'static str)>,
}

impl Diagram {
    /// As a Mermaid state diagram.
    pub fn mermaid(&self) -> String {
        let mut text = format!("stateDiagram-v2\n    [*] --> {}\n", self.initial);
        for (from, cause, to) in &self.transitions {
            text.push_str(&format!("    {from} --> {to}: {cause}\n"));
        }
        let mut ends: Vec<&str> = self.transitions.iter().map(|t| t.2).collect();
        ends.retain(|state| self.transitions.iter().all(|t| t.0 != *state));
        ends.sort_unstable();
        ends.dedup();
        ends.iter().for_each(|state| text.push_str(&format!("    {state} --> [*]\n")));
        text
    }
}

macro_rules! machine {
    (
        $(#[$doc:meta])* $state:ident { $($(#[$state_doc:meta])* $s:ident,)+ }
        $(#[$cause_doc:meta])* $cause:ident { $($(#[$one_doc:meta])* $c:ident,)+ }
        $name:literal: $($from:ident: { $($by:ident => $to:ident),+ $(,)? })+
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $state { $($(#[$state_doc])* $s,)+ }

        $(#[$cause_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $cause { $($(#[$one_doc])* $c,)+ }

        impl $state {
            /// The table.
            pub const TRANSITIONS: &[($state, $cause, $state)] =
                &[$($(($state::$from, $cause::$by, $state::$to),)+)+];

            /// Where `cause` leads from here; `None` if it cannot happen here.
            pub fn next(self, cause: $cause) -> Option<$state> {
                match (self, cause) {
                    $($(($state::$from, $cause::$by) => Some($state::$to),)+)+
                    #[allow(unreachable_patterns)] // A table may be full.
                    _ => None,
                }
            }

            /// Goes where `cause` leads.
            pub(crate) fn step(&mut self, cause: $cause) {
                let next = self.next(cause);
                debug_assert!(next.is_some(), "{self:?} cannot be followed by {cause:?}");
                *self = next.unwrap_or(*self);
            }

            /// The table, to be drawn.
            pub fn diagram() -> Diagram {
                let states = [$(stringify!($s),)+];
                Diagram {
                    name: $name,
                    initial: states[0],
                    transitions: vec![$($((stringify!($from), stringify!($by), stringify!($to)),)+)+],
                }
            }
        }
    };
}

machine! {
    /// A stage of a job.
    StageState {
        /// Not submitted: a parent is not complete, or nobody needs it yet.
        Waiting,
        /// Its tasks are launched as slots become free.
        Running,
        /// Something it reads is lost: what runs goes on, nothing is launched until the input is there again.
        Stalled,
        /// All it leaves behind is there.
        Complete,
        /// Its job has ended.
        Ended,
    }
    /// What happens to a stage.
    StageCause {
        /// Parents are complete, its tasks are handed to the task scheduler.
        Submitted,
        /// What it makes is there, by an earlier job or by another's stage for the same shuffle.
        OutputsFound,
        /// A map output that it reads was lost, or could not be fetched.
        InputLost,
        /// What it reads is complete again: a new attempt.
        InputsBack,
        /// Map outputs that it reads were moved: a new attempt, which knows where.
        InputsMoved,
        /// The last partition is done.
        AllDone,
        /// A map output that it made was lost.
        OutputLost,
        /// It read from an indeterminate stage that has to run again.
        RolledBack,
        /// Its job has ended.
        JobEnded,
    }
    "Stage":
    Waiting: { Submitted => Running, OutputsFound => Complete, JobEnded => Ended }
    Running: { InputLost => Stalled, InputsMoved => Running, AllDone => Complete, RolledBack => Waiting, JobEnded => Ended }
    Stalled: { InputsBack => Running, AllDone => Complete, RolledBack => Waiting, JobEnded => Ended }
    Complete: { OutputLost => Waiting, RolledBack => Waiting, JobEnded => Ended }
}

machine! {
    /// A task: one partition of a stage.
    TaskState {
        /// Not to be computed.
        Absent,
        /// For a slot.
        Waiting,
        /// At least one copy runs.
        Running,
        /// Its output counts.
        Done,
    }
    /// What happens to a task.
    TaskCause {
        /// The stage wants it.
        Wanted,
        /// It is given to an executor.
        Launched,
        /// It is slow: a copy is given to another executor.
        CopyLaunched,
        /// A copy ended without success; another runs.
        CopyEnded,
        /// The last copy failed, was killed, missed a block, or was lost with its executor; it will be tried again.
        Failed,
        /// The first copy succeeded; others are killed.
        Succeeded,
        /// The output it left was lost before its stage was complete.
        OutputLost,
    }
    "Task":
    Absent: { Wanted => Waiting }
    Waiting: { Launched => Running, Succeeded => Done }
    Running: { CopyLaunched => Running, CopyEnded => Running, Failed => Waiting, Succeeded => Done }
    Done: { OutputLost => Waiting }
}

machine! {
    /// A launch: one copy of a task on an executor.
    LaunchState {
        /// Has a slot.
        Running,
        /// Waits for who reads its rows, without a slot.
        Parked,
        /// Reported to have ended, or lost with its executor.
        Ended,
    }
    /// What happens to a launch.
    LaunchCause {
        /// It gives its slot back for now.
        Parked,
        /// It goes on, whether a slot is free or not.
        Resumed,
        /// It succeeded, failed, was killed or lost.
        Ended,
    }
    "Launch":
    Running: { Parked => Parked, Ended => Ended }
    Parked: { Resumed => Running, Ended => Ended }
}

machine! {
    /// An executor.
    ExecutorState {
        /// Gets tasks.
        Active,
        /// Tasks failed there: it gets none until the exclusion is over.
        Excluded,
        /// Will leave: it gets no more tasks, those that run end, its blocks are moved.
        Draining,
        /// Gone, and never back under this number.
        Lost,
    }
    /// What happens to an executor.
    ExecutorCause {
        /// Too many tasks failed there, or on its machine.
        Exclude,
        /// The exclusion is over.
        Include,
        /// It is to leave.
        Drain,
        /// Its connection broke or its heartbeats stopped.
        Lose,
    }
    "Executor":
    Active: { Exclude => Excluded, Drain => Draining, Lose => Lost }
    Excluded: { Include => Active, Drain => Draining, Lose => Lost }
    Draining: { Lose => Lost }
}

machine! {
    /// A job.
    JobState {
        /// Some of its results are missing.
        Running,
        /// All its results were accepted.
        Succeeded,
        /// It ended for a stated reason.
        Failed,
    }
    /// What happens to a job.
    JobCause {
        /// The last result was accepted.
        AllResults,
        /// It was cancelled, or a stage that it needs.
        Cancelled,
        /// A task failed too often, or with an error that does not pass.
        TaskFailed,
        /// A task lost too many executors.
        ExecutorsLost,
        /// A stage lost its input in too many attempts in a row.
        StageAttemptsUsed,
        /// A task is excluded from every executor.
        Unschedulable,
        /// An indeterminate input was lost after results had been accepted.
        Indeterminate,
        /// The graph is not one.
        InvalidGraph,
    }
    "Job":
    Running: {
        AllResults => Succeeded,
        Cancelled => Failed,
        TaskFailed => Failed,
        ExecutorsLost => Failed,
        StageAttemptsUsed => Failed,
        Unschedulable => Failed,
        Indeterminate => Failed,
        InvalidGraph => Failed,
    }
}
