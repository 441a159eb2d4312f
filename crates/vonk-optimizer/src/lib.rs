//! Logical rewrite rules, unnesting, join order and statistics.
//!
//! Must not know: SQL text, physical operators.
