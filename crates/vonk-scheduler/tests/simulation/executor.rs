//! Executor processes: slots, a block store, tasks that read blocks, compute and commit.

use std::collections::BTreeMap;
use std::rc::Rc;
use vonk_scheduler::*;

use crate::model::Value;

/// Where the outputs that a stage attempt reads are, as the driver knew when it began.
pub type Places = BTreeMap<ShuffleId, Vec<Option<ExecutorId>>>;

pub struct Block {
    /// The launch that made it.
    pub by: TaskId,
    pub value: Value,
    pub damaged: bool,
}

/// The blocks of one executor; with a shuffle service they outlive it. As the real stores do it: of a map output, the first that is
/// committed stays, unless it is damaged, rolled back, or another launch later than its own commits.
#[derive(Default)]
pub struct Store {
    pub blocks: BTreeMap<(ShuffleId, u32), Block>,
    /// Outputs of launches before these are not taken.
    rolled_back: BTreeMap<ShuffleId, TaskId>,
}

impl Store {
    /// Takes an output; `false` if it is of a launch that counts no more.
    pub fn put(&mut self, shuffle: ShuffleId, map: u32, by: TaskId, value: Value) -> bool {
        if self.rolled_back.get(&shuffle).is_some_and(|before| by < *before) {
            return false;
        }
        let key = (shuffle, map);
        if self.blocks.get(&key).is_none_or(|old| old.damaged || old.by < by) {
            self.blocks.insert(key, Block { by, value, damaged: false });
        }
        true
    }

    /// Outputs of launches before `before` count no more.
    pub fn roll_back(&mut self, shuffle: ShuffleId, before: TaskId) {
        let known = self.rolled_back.entry(shuffle).or_insert(before);
        *known = before.max(*known);
        self.blocks.retain(|(s, _), block| *s != shuffle || block.by >= before);
    }

    /// The shuffle is over.
    pub fn release(&mut self, shuffle: ShuffleId) {
        self.rolled_back.remove(&shuffle);
        self.blocks.retain(|(s, _), _| *s != shuffle);
    }
}

/// A launch as it travels.
#[derive(Clone)]
pub struct Launch {
    pub task: TaskId,
    pub job: JobId,
    pub attempt: TaskAttempt,
    pub fragment: Fragment,
    /// The shuffle that it writes.
    pub writes: Option<ShuffleId>,
    pub places: Rc<Places>,
}

pub enum ToExecutor {
    Launch(Launch),
    Kill(TaskId),
    Release(ShuffleId),
    RollBack(ShuffleId, TaskId),
    /// The driver has broken the connection: the process ends.
    Goodbye,
}

#[derive(Clone)]
pub enum ToDriver {
    Ended {
        task: TaskId,
        end: TaskEnd,
        value: Option<Value>,
    },
    Parked(TaskId),
    Resumed(TaskId),
    Moved {
        to: ExecutorId,
        outputs: Vec<(ShuffleId, MapId)>,
    },
    /// The connection is broken, or the process has said that it leaves.
    Gone {
        blocks_lost: bool,
    },
}

/// A running task.
pub struct Run {
    pub launch: Launch,
    pub millis: u64,
    /// How often it still stops to wait for its reader.
    pub parks: u64,
    /// What came of it, once it has read its input.
    pub end: Option<(TaskEnd, Option<Value>)>,
}

pub struct Process {
    pub slots: u32,
    pub running: BTreeMap<TaskId, Run>,
    /// Percent of the usual time.
    pub slowness: u64,
    /// Until then it does not reach the other executors.
    pub cut_until: u64,
    pub paused_until: u64,
    pub draining: bool,
    pub alive: bool,
    /// Messages arrive in order.
    pub last_in: u64,
    pub last_out: u64,
}
