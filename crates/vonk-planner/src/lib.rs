//! From logical to physical plans: operator choice, exchanges, lowering to RDDs.
//!
//! Must not know: runtime state of operators, SQL text.
