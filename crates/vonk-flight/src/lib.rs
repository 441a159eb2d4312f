//! Vonk as a Flight SQL server: what `vonk server` runs, and what any program may run over a [`vonk::Session`].
//!
//! ```no_run
//! # async fn run() -> vonk::Result<()> {
//! let session = vonk::Session::builder().build()?;
//! let server = vonk_flight::Server::bind(session, vonk_flight::Options::default()).await?;
//! println!("listening on {}", server.address());
//! server.serve(std::future::pending()).await
//! # }
//! ```
//!
//! The rooms: [`server`](mod@server) listens; `service` answers the calls of the protocol, one family a file; `sessions` knows clients,
//! `auth` who they are; `results` holds what was executed and not yet fetched; `wire` brings batches and values into types that clients
//! read, and back; `status` makes errors travel.
//!
//! Must not know: how a query is planned or run. It hands text and values to sessions and batches to clients.

mod auth;
mod gate;
mod messages;
mod options;
mod parameters;
mod reflection;
mod results;
mod server;
mod service;
mod sessions;
mod sql_info;
mod status;
mod wire;
mod xdbc;

pub use auth::{Users, hash_password};
pub use options::{Compression, Options, TlsFiles};
pub use server::Server;
