//! Partitioners over Arrow arrays, map outputs and block stores.
//!
//! Must not know: plans, operators, schedulers.
