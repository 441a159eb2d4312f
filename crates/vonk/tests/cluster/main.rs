//! Executors as processes: what goes wrong, and what is seen from outside.
//!
//! The executors are this test program, started again ([`executor_process`]): it must stay where its name is not in a module.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

mod cancel;
mod common;
mod executors;
mod kept;
mod pools;
mod queries;
mod rollback;
mod security;
mod status;
mod store;
mod tasks;

use vonk_cluster::executor::{ExecutorOptions, run};

/// Not a test but a process; without being told to be an executor it does nothing.
#[test]
fn executor_process() {
    if let Some(options) = ExecutorOptions::from_environment().expect("options that are understood") {
        run(&options, tasks::formats(), &|_| {}).expect("a driver that says when to stop");
    }
}
