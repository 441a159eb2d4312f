//! Operators: all runtime state of a task, the memory manager, spill.
//!
//! Must not know: SQL text, logical plans, schedulers.
