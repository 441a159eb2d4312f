//! RDD lineage, stage cutting, and the DAG and task schedulers as state machines without I/O.
//!
//! Must not know: SQL, Arrow, threads, clocks, sockets. A fragment is bytes.
//!
//! [`Scheduler`] is both state machines together, as a driver feeds it: events in, actions out. [`DagScheduler`] cuts jobs into
//! stages and recovers lost map outputs by lineage; [`TaskScheduler`] places tasks on executors and tries them again. A seeded
//! simulation (`tests/simulation`) runs them through random faults and holds the invariants.

pub mod allocation;
mod dag;
mod event;
mod ids;
mod lifecycle;
mod map_outputs;
pub mod master;
mod options;
mod preferences;
mod rdd;
mod scheduler;
mod stage;
mod tasks;
mod time;

pub use dag::*;
pub use event::*;
pub use ids::*;
pub use lifecycle::*;
pub use map_outputs::*;
pub use options::*;
pub use rdd::*;
pub use scheduler::*;
pub use stage::*;
pub use tasks::*;
pub use time::*;
