//! A server in this process, and clients of `arrow_flight` and of `tonic`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

mod bad_input;
mod encryption;
mod limits;
mod load;
mod metadata;
mod prepared;
mod running;
mod sessions;
mod statements;
