//! Delay scheduling: how far from its data a task may run (Zaharia et al., EuroSys 2010).
//!
//! A set of tasks begins at the most local level for which it has tasks and moves on when it has waited for long enough beside
//! free slots; levels without a possible executor are skipped at once. The wait is Spark's since 3.1: it counts from when a slot was
//! last free and not taken, not from the last launch (`spark.locality.wait.legacyResetOnTaskLaunch`, by which short tasks
//! starve idle executors for ever). The level falls back when everything is busy again and a task finds a more local slot, and
//! when an executor is added where waiting tasks would like to run.
//!
//! Must not know: the tasks themselves.

use crate::options::LocalityOptions;
use crate::time::Time;

/// How near to its data a task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// In the executor that has it.
    Process,
    /// On the machine that has it.
    Node,
    /// Wherever.
    Any,
}

impl Level {
    const FIRST: Level = Level::Process;

    fn further(self) -> Level {
        match self {
            Level::Process => Level::Node,
            Level::Node | Level::Any => Level::Any,
        }
    }

    /// Whether tasks with preferences may not yet run everywhere.
    pub fn is_bounded(self) -> bool {
        self < Level::Any
    }

    fn wait(self, options: &LocalityOptions) -> u64 {
        match self {
            Level::Process => options.wait_process,
            Level::Node => options.wait_node,
            Level::Any => 0,
        }
    }
}

/// The level that a set has come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    level: Level,
    since: Time,
}

impl Allowed {
    pub fn new(now: Time) -> Allowed {
        Allowed { level: Level::FIRST, since: now }
    }

    /// The level now. `busy_at` is when all slots were last in use; `has_tasks` tells whether a waiting task could run at a level.
    pub fn level(
        &mut self,
        options: &LocalityOptions,
        now: Time,
        busy_at: Time,
        mut has_tasks: impl FnMut(Level) -> bool,
    ) -> Level {
        while self.level < Level::Any {
            if has_tasks(self.level) {
                let over = self.over(options, busy_at);
                if now < over {
                    break;
                }
                self.since = over;
            } else {
                self.since = now;
            }
            self.level = self.level.further();
        }
        self.level
    }

    /// When the wait at this level is over, if nothing happens until then.
    pub fn over(&self, options: &LocalityOptions, busy_at: Time) -> Time {
        self.since.max(busy_at).after(self.level.wait(options))
    }

    /// Local capacity has come back.
    pub fn fall_back(&mut self, to: Option<Level>, now: Time) {
        let to = to.unwrap_or(Level::FIRST);
        if to < self.level {
            *self = Allowed { level: to, since: now };
        }
    }
}
