//! The TPC-H tables, generated on the fly: `samples.tpch.*` and `vonk generate tpch`.
//!
//! A partition is a part of a table as the generator splits it; generation is deterministic, so a lost partition can be made
//! again on any executor.

mod comments;
mod generate;
mod source;
mod tables;
mod text;

pub use generate::generate;
pub use source::{TpchReader, TpchSource};
pub use tables::{TABLES, Table};
