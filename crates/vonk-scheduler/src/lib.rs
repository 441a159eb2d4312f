//! RDD lineage, stage cutting, and the DAG and task schedulers as state machines without I/O.
//!
//! Must not know: SQL, Arrow, threads, clocks, sockets. A fragment is bytes.
