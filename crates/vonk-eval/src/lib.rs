//! Bound expressions and their vectorised evaluation.
//!
//! Must not know: logical plans, operators.
