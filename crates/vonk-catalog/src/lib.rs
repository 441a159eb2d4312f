//! Catalogs, databases, tables, views and session variables; the embedded warehouse.
//!
//! Must not know: SQL text, file formats, execution.
