//! Blocks over Arrow Flight: the server that hands out map outputs, and the words that it and its readers use.
//!
//! A reader asks for one reduce partition of many map outputs (DoGet). The answer is one stream, in the order asked, that ends after
//! about as many bytes as the reader has room for, with the place to go on from. So every open stream is read to its end: none waits
//! for its reader in the middle, holding the window of a connection that others share.

mod cursor;
pub(crate) mod protocol;
mod server;

pub use server::{BlockServer, ServerOptions};
