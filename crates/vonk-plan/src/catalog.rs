//! What the analyzer asks a catalog.
//!
//! Must not know: files, sessions, how a catalog stores anything.

use crate::source::TableSource;
use std::fmt;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::data_type::quote_identifier;

/// A full name: catalog, database, table. Temporary views have only a table part.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    /// Parts, outermost first.
    pub parts: Vec<String>,
}

impl TableName {
    /// From parts, outermost first.
    pub fn new(parts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        TableName { parts: parts.into_iter().map(Into::into).collect() }
    }

    /// The last part.
    pub fn table(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    /// All parts in backticks, as error messages show names.
    pub fn quoted(&self) -> String {
        self.parts.iter().map(|p| quote_identifier(p)).collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("."))
    }
}

/// What a name stands for.
#[derive(Debug, Clone)]
pub enum Relation {
    /// A table.
    Table {
        /// Its full name; columns are qualified by it.
        name: TableName,
        /// Its data.
        source: Arc<dyn TableSource>,
    },
    /// A view: an unresolved plan, analyzed anew at each use with the settings it was made under.
    View {
        /// Its full name.
        name: TableName,
        /// Its query.
        plan: Arc<crate::unresolved::Plan>,
        /// The text that spans of `plan` point into.
        text: Arc<str>,
        /// Column names given by `CREATE VIEW v (a, b)`.
        column_names: Option<Vec<String>>,
        /// Current database when it was made: how its own names resolve.
        database: Option<String>,
    },
}

/// A function whose body is SQL.
#[derive(Debug, Clone)]
pub struct UserFunction {
    /// Its full name; a temporary one's has one part.
    pub name: TableName,
    /// Its declaration.
    pub declared: crate::unresolved::CreateFunction,
    /// The text that spans of the declaration point into.
    pub text: Arc<str>,
    /// Current database when it was made: how names in its body resolve.
    pub database: String,
}

/// Looks relations up. Implemented by `vonk-catalog` over sessions.
pub trait Catalog: Send + Sync {
    /// The relation a possibly partial name stands for under the current catalog and database; `None` if there is none.
    fn relation(&self, name: &[String]) -> Result<Option<Relation>>;

    /// A relation of files, as ``parquet.`/path` ``. `None` if `format` is not a file format.
    fn files(&self, format: &str, path: &str) -> Result<Option<Arc<dyn TableSource>>>;

    /// The function in SQL that a name stands for; `None` if there is none.
    fn function(&self, name: &[String]) -> Result<Option<Arc<UserFunction>>> {
        let _ = name;
        Ok(None)
    }

    /// Catalog and database in use, for error messages and `current_database()`.
    fn current(&self) -> (String, String);
}
