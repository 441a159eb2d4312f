//! SQL text to unresolved plans and commands.
//!
//! Must not know: catalogs, types of columns, execution.
