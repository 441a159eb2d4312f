//! Drivers, executors and cluster managers; the in-process backend of local mode.
//!
//! A [`Cluster`] runs physical queries. Its driver is one thread that feeds the scheduler's state machines with events
//! and carries out their actions; where a task runs is behind [`TaskRunner`], where a shuffle block lives behind
//! [`vonk_shuffle::ShuffleBlocks`]. In local mode these are a pool of threads and the memory of this process.
//!
//! Must not know: SQL text, logical plans.

mod bounds;
mod driver;
mod local;
mod loops;
mod master;
mod progress;
mod query;
mod results;

pub use driver::{Driver, JobSpec, TaskLaunch, TaskRunner};
pub use local::LocalOptions;
pub use master::Master;
pub use progress::{Progress, StageProgress};
pub use query::{Cluster, QueryHandle, QueryReport, QuerySettings};
