//! The `vonk` binary: REPL, one-shot statements, the JSON-lines protocol, data generation.
//!
//! Decides nothing about a query: it builds sessions and prints results.
fn main() {}
