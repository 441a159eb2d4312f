//! Logical plans and expressions, unresolved and resolved; tree walking; the traits `Rule`, `Catalog` and `TableSource`.
//!
//! Must not know: SQL text, how functions compute, how plans run.
