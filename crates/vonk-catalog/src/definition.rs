//! What a catalog remembers of its databases, tables and views.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vonk_plan::source::TableSource;
use vonk_types::{DataType, Literal, StructField, StructType};

/// A database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseDefinition {
    /// Name, lower case.
    pub name: String,
    /// COMMENT.
    pub comment: Option<String>,
    /// Folder of its tables.
    pub location: String,
    /// WITH DBPROPERTIES.
    pub properties: Vec<(String, String)>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDefinition {
    /// Name as written.
    pub name: String,
    /// Type.
    pub data_type: DataType,
    /// Not NOT NULL.
    pub nullable: bool,
    /// COMMENT.
    pub comment: Option<String>,
    /// Text of DEFAULT.
    #[serde(default)]
    pub default: Option<String>,
    /// What is said beside `string`.
    #[serde(default)]
    pub length: Option<TextLength>,
    /// What files hold that were written before the column was added: its default at that time.
    #[serde(default)]
    pub missing: Option<Literal>,
}

/// `char(n)`, `varchar(n)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextLength {
    /// `char(n)`; not padded.
    Char(u32),
    /// `varchar(n)`.
    Varchar(u32),
}

impl TextLength {
    /// Characters that are written at most.
    pub fn limit(self) -> u32 {
        match self {
            TextLength::Char(n) | TextLength::Varchar(n) => n,
        }
    }
}

impl ColumnDefinition {
    /// A nullable column without anything else.
    pub fn new(name: impl Into<String>, data_type: DataType) -> ColumnDefinition {
        let (name, nullable) = (name.into(), true);
        ColumnDefinition {
            name,
            data_type,
            nullable,
            comment: None,
            default: None,
            length: None,
            missing: None,
        }
    }

    /// The type as it was declared.
    pub fn declared_type(&self) -> String {
        match self.length {
            Some(TextLength::Char(n)) => format!("char({n})"),
            Some(TextLength::Varchar(n)) => format!("varchar({n})"),
            None => self.data_type.catalog_string(),
        }
    }
}

/// What a definition defines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableKind {
    /// A table whose data goes with it when it is dropped.
    Managed,
    /// A table over data that stays.
    External,
    /// A view.
    View {
        /// Text of its query.
        text: String,
        /// Database in use when it was made.
        database: String,
        /// Names given by `CREATE VIEW v (a, b)`.
        column_names: Option<Vec<String>>,
    },
}

/// A table or persistent view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDefinition {
    /// Name, lower case.
    pub name: String,
    /// Table or view.
    pub kind: TableKind,
    /// Columns, partition columns last.
    pub columns: Vec<ColumnDefinition>,
    /// How many of the last columns are partition columns.
    pub partition_columns: usize,
    /// File format.
    pub provider: String,
    /// Folder of the data; empty for views.
    pub location: String,
    /// OPTIONS.
    pub options: Vec<(String, String)>,
    /// TBLPROPERTIES.
    pub properties: Vec<(String, String)>,
    /// COMMENT.
    pub comment: Option<String>,
    /// Milliseconds since the epoch.
    pub created: i64,
    /// Who made it.
    pub owner: String,
}

impl TableDefinition {
    /// Its columns as a schema.
    pub fn schema(&self) -> StructType {
        let field = |c: &ColumnDefinition| StructField::new(c.name.as_str(), c.data_type.clone(), c.nullable);
        StructType::new(self.columns.iter().map(field).collect::<Vec<_>>())
    }

    /// Names of its partition columns.
    pub fn partition_names(&self) -> impl Iterator<Item = &str> {
        let plain = self.columns.len().saturating_sub(self.partition_columns);
        self.columns[plain..].iter().map(|c| c.name.as_str())
    }

    /// Whether it is a view.
    pub fn is_view(&self) -> bool {
        matches!(self.kind, TableKind::View { .. })
    }
}

/// A temporary view.
#[derive(Debug, Clone)]
pub enum TemporaryView {
    /// Over a query.
    Query {
        /// The query.
        plan: Arc<vonk_plan::unresolved::Plan>,
        /// The text its spans point into.
        text: Arc<str>,
        /// Where the query stands in the text.
        query_text: Arc<str>,
        /// Names given by `CREATE VIEW v (a, b)`.
        column_names: Option<Vec<String>>,
        /// Comments of its columns, where given.
        comments: Vec<Option<String>>,
        /// Database in use when it was made.
        database: String,
    },
    /// Over files (`USING parquet OPTIONS (path …)`).
    Source(Arc<dyn TableSource>),
}
