//! RDD lineage, stage cutting, and the DAG and task schedulers as state machines without I/O.
//!
//! Must not know: SQL, Arrow, threads, clocks, sockets. A fragment is bytes.
//!
//! Here so far: identifiers, the RDD graph, stage cutting, the map output tracker and a first DAG scheduler
//! (hardly tested as yet). The task scheduler is not written yet.

mod dag;
mod ids;
mod map_outputs;
mod rdd;
mod stage;

pub use dag::*;
pub use ids::*;
pub use map_outputs::*;
pub use rdd::*;
pub use stage::*;
