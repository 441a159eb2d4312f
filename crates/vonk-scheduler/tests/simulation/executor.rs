//! Executor processes: slots, a block store, tasks that read blocks, compute and commit.

use std::collections::BTreeMap;
use std::rc::Rc;
use vonk_scheduler::*;

use crate::model::Value;

/// Where the outputs that a stage attempt reads are, as the driver knew when it began.
pub type Places = BTreeMap<ShuffleId, Vec<Option<ExecutorId>>>;

pub struct Block {
    /// The launch that made it. A later one's replaces an earlier one's, never the other way round.
    pub by: TaskId,
    pub value: Value,
    pub damaged: bool,
}

/// The blocks of one executor; with a shuffle service they outlive it.
#[derive(Default)]
pub struct Store {
    pub blocks: BTreeMap<(ShuffleId, u32), Block>,
}

impl Store {
    pub fn put(&mut self, shuffle: ShuffleId, map: u32, by: TaskId, value: Value) {
        let key = (shuffle, map);
        if self.blocks.get(&key).is_none_or(|old| old.by < by) {
            self.blocks.insert(key, Block { by, value, damaged: false });
        }
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
    /// What came of it, once it has read its input.
    pub end: Option<(TaskEnd, Option<Value>)>,
}

pub struct Process {
    pub slots: u32,
    pub running: BTreeMap<TaskId, Run>,
    /// Percent of the usual time.
    pub slowness: u64,
    pub paused_until: u64,
    pub draining: bool,
    pub alive: bool,
    /// Messages arrive in order.
    pub last_in: u64,
    pub last_out: u64,
}
