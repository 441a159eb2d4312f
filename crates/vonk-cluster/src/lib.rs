//! Drivers, executors and cluster managers; the in-process backend of local mode.
//!
//! A [`Cluster`] runs physical queries. Its driver is one thread that feeds the scheduler's state machines with events
//! and carries out their actions; where a task runs is behind a backend, where a shuffle block lives behind
//! [`vonk_shuffle::ShuffleBlocks`]. In local mode these are a pool of threads and the memory of this process; in cluster mode
//! executors are processes of their own ([`executor`]), which run the same tasks.
//!
//! Must not know: SQL text, logical plans.

mod allocating;
mod backend;
mod bounds;
mod cluster;
mod driver;
mod failure;
mod files;
mod kept;
mod local;
mod loops;
mod master;
mod metrics;
mod network;
mod pools;
mod process;
mod progress;
mod query;
mod remote;
mod results;
mod settled;
pub mod standalone;
mod status;
mod user;
mod web;

pub use cluster::Cluster;
pub use master::Master;
pub use progress::{Progress, StageProgress};
pub use query::{QueryHandle, QueryReport, QuerySettings};
pub use remote::executor;
pub use user::name as user_name;
