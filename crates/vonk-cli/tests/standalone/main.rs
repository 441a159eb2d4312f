//! `vonk master`, `vonk worker`, `vonk submit` and drivers as whole processes: what a user types, and what becomes of it when others end,
//! stop or talk nonsense.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

mod common;
mod disks;
mod drivers;
mod garbage;
mod logs;
mod outages;
mod ports;
mod security;
mod server;
mod submit;
mod vanishing;
mod versions;
