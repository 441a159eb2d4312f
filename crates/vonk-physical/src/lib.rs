//! Physical plan nodes as serialisable data; EXPLAIN; the wire format.
//!
//! Must not know: runtime state of operators.
