//! Scans and writers of files: Parquet first; object stores; partition discovery; sample tables.
//!
//! Must not know: SQL text, operators other than scans and writes.
