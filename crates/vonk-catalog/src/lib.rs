//! Catalogs, databases, tables, views and session variables; the embedded warehouse.
//!
//! The [`Warehouse`] keeps databases and tables as JSON beside their data, shared by sessions; a [`StaticCatalog`] is a read-only
//! catalog of tables that are always there (samples). A [`SessionCatalog`] is one session's view of them: the database in use,
//! temporary views, [variables](Variables). It implements the analyzer's [`vonk_plan::Catalog`].
//!
//! How a definition becomes data is behind [`Opener`].
//!
//! Must not know: SQL text, file formats, execution.

mod definition;
mod pattern;
pub mod removal;
mod session;
mod variables;
mod warehouse;

pub use definition::{
    ColumnDefinition, DatabaseDefinition, TableDefinition, TableKind, TemporaryView, TextLength,
};
pub use pattern::matches_pattern;
pub use session::{Found, KeptName, Opener, SessionCatalog, StaticCatalog, TableId};
pub use variables::Variables;
pub use warehouse::Warehouse;

/// Name of the catalog that the warehouse is.
pub const SPARK_CATALOG: &str = "spark_catalog";
/// The database that is always there.
pub const DEFAULT_DATABASE: &str = "default";
/// The database of global temporary views.
pub const GLOBAL_TEMP: &str = "global_temp";
