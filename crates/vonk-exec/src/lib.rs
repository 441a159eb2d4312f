//! Operators: all runtime state of a task, the memory manager, spill.
//!
//! A task is a fragment and a partition number. [`run_task`] makes [`Operator`]s of the fragment's nodes ([`build`]) and pulls
//! batches through them on the calling CPU thread until the end. What tasks of one query share on an executor (join tables of
//! broadcasts, runtime filters, values of scalar subqueries) is in [`QueryContext`]; what all queries share in [`ExecutorEnv`].
//! Operators with state reserve memory from the [`MemoryManager`] and spill when it refuses.
//!
//! Must not know: SQL text, logical plans, schedulers.

pub mod batch;
pub mod build;
pub mod context;
mod expand;
mod filter;
mod gather;
mod generate;
mod hash_aggregate;
mod hash_join;
mod hashing;
mod inputs;
mod limit;
pub mod memory;
mod merge_join;
mod meter;
pub mod metrics;
mod nested_loop_join;
pub mod operator;
mod project;
mod range;
mod sample;
mod scan;
pub mod shared;
mod shuffle;
mod sort;
pub mod spill;
pub mod task;
#[cfg(test)]
mod testing;
mod values;
mod window;
mod write;

pub use context::{ExecutorEnv, QueryContext, TaskContext};
pub use memory::{MemoryManager, Reservation};
pub use metrics::{NodeCounts, NodeMetrics, TaskMetrics};
pub use operator::{BoxedOperator, Operator};
pub use shared::Shared;
pub use spill::{SpillFile, SpillQueue, SpillReader, SpillWriter};
pub use task::{Task, TaskOutput, TaskSpec, run_task};
pub use vonk_error::{CancelFlag, CancelWatcher};
