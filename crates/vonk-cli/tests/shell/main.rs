//! The shell as a person meets it: in a pseudo-terminal, its screen read as a terminal would show it.
//!
//! Nothing here waits for a time to pass: each step waits for what it must see, for as long as a loaded machine may need.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

mod cancelling;
mod editing;
mod output;
mod scripts;
mod signals;
mod terminal;
