//! Errors as Spark users know them: one error type, one table of conditions with SQLSTATEs and message templates.
//!
//! Must not know: anything else of Vonk.
