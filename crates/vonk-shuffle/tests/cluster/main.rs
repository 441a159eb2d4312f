//! Block stores of several executors with real servers on loopback: what goes in on one comes out on the others, in order, or the loss
//! is told with its type; and everything is given back.
#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

mod failures;
mod fetching;
mod files;
mod service;
mod store;
mod support;
mod types;
