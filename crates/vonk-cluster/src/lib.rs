//! Drivers, executors and cluster managers; the in-process backend of local mode.
//!
//! Must not know: SQL text, logical plans.
