//! RDD lineage, stage cutting, and the DAG and task schedulers as state machines without I/O.
//!
//! Must not know: SQL, Arrow, threads, clocks, sockets. A fragment is bytes.
//!
//! Here so far: identifiers and the RDD graph. The schedulers themselves are not written yet.

mod ids;
mod rdd;

pub use ids::*;
pub use rdd::*;
