//! From unresolved to resolved plans: names, stars, functions, types and coercion, with Spark's checks.
//!
//! Must not know: SQL text, files, execution.

mod build;
mod call;
mod coerce;
mod fold;
mod naming;
mod session;
mod typed;
