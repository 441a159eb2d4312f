//! RDD lineage, stage cutting, and the DAG and task schedulers as state machines without I/O.
//!
//! Must not know: SQL, Arrow, threads, clocks, sockets. A fragment is bytes.
//!
//! Here so far: identifiers, the RDD graph, stage cutting and the map output tracker. The DAG and task
//! schedulers themselves are not written yet.

mod ids;
mod map_outputs;
mod rdd;
mod stage;

pub use ids::*;
pub use map_outputs::*;
pub use rdd::*;
pub use stage::*;
