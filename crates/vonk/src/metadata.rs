//! What programs ask of the catalog without SQL: names for completion, the shell's `\d`, the metadata calls of drivers.
//!
//! Nothing here runs a query; the schema of a view is that of its query, analyzed anew.
//!
//! Must not know: terminals, network protocols.

use crate::commands::describe;
use crate::pipeline::Pipeline;
use crate::session::{Control, Session};
use vonk_catalog::SPARK_CATALOG;
use vonk_error::{Result, Span};
use vonk_plan::Catalog;
use vonk_plan::unresolved::Name;
use vonk_types::data_type::quote_identifier;
use vonk_types::{StructField, StructType};

/// What an entry of the catalog is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableKind {
    /// A table, managed or external, or one of a read-only catalog.
    Table,
    /// A persistent view.
    View,
    /// A view of this session (or, in the database `global_temp`, of this process).
    TemporaryView,
}

/// An entry of the catalog. Names are as the catalog holds them: lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableEntry {
    /// Catalog; empty for a temporary view.
    pub catalog: String,
    /// Database; empty for a temporary view, `global_temp` for a global one.
    pub database: String,
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
}

impl Session {
    /// The catalog in use.
    pub fn current_catalog(&self) -> String {
        self.catalog().current().0
    }

    /// The database in use.
    pub fn current_database(&self) -> String {
        self.catalog().current().1
    }

    /// All catalogs, sorted.
    pub fn catalogs(&self) -> Vec<String> {
        self.catalog().catalogs()
    }

    /// Databases of a catalog, sorted; `CATALOG_NOT_FOUND` if there is no such catalog.
    pub fn databases(&self, catalog: &str) -> Result<Vec<String>> {
        self.catalog().databases(catalog)
    }

    /// Tables and persistent views of a database, sorted; `SCHEMA_NOT_FOUND` if there is no such database.
    pub fn tables(&self, catalog: &str, database: &str) -> Result<Vec<TableEntry>> {
        let warehouse = self.catalog().warehouse();
        let of_warehouse = catalog.eq_ignore_ascii_case(SPARK_CATALOG);
        let entry = |name: String| {
            let definition = if of_warehouse { warehouse.table(database, &name) } else { Ok(None) };
            // A definition that cannot be read is a table whose use will say so; the others are listed all the same.
            let view = definition.ok().flatten().is_some_and(|d| d.is_view());
            TableEntry {
                catalog: catalog.to_lowercase(),
                database: database.to_lowercase(),
                name,
                kind: if view { TableKind::View } else { TableKind::Table },
            }
        };
        Ok(self.catalog().tables(catalog, database)?.into_iter().map(entry).collect())
    }

    /// The session's temporary views, then the global ones of the process; each sorted.
    pub fn temporary_views(&self) -> Vec<TableEntry> {
        let entry = |database: &str, name: String| TableEntry {
            catalog: String::new(),
            database: database.to_string(),
            name,
            kind: TableKind::TemporaryView,
        };
        let own = self.catalog().temporary_views().into_iter().map(|n| entry("", n));
        let global = self.catalog().global_temporary_views().into_iter();
        own.chain(global.map(|n| entry(vonk_catalog::GLOBAL_TEMP, n))).collect()
    }

    /// The columns of a table or view, found as a query would find it; `TABLE_OR_VIEW_NOT_FOUND` if there is none.
    pub fn table_schema<S: AsRef<str>>(&self, name: &[S]) -> Result<StructType> {
        let parts: Vec<String> = name.iter().map(|p| p.as_ref().to_string()).collect();
        let text = parts.iter().map(|p| quote_identifier(p)).collect::<Vec<_>>().join(".");
        let control = Control::default();
        let columns = self.on_planning_stack(|| {
            let cx = Pipeline::new(self, &text, &control)?;
            describe::schema_of(&cx, &Name { parts, span: Span::default() })
        })?;
        let field = |c: vonk_catalog::ColumnDefinition| StructField::new(c.name, c.data_type, c.nullable);
        Ok(StructType::new(columns.into_iter().map(field).collect::<Vec<_>>()))
    }

    /// Whether a text is a statement, as far as that can be told without a catalog; the error otherwise says where it is not.
    pub fn check_syntax(&self, text: &str) -> Result<()> {
        let options = crate::settings::parse_options(&self.conf());
        self.on_planning_stack(|| vonk_sql::parse_statement(text, &options)).map(|_| ())
    }

    /// Names of the built-in functions and of those that were created, sorted; of the latter in full, unless they
    /// are temporary.
    pub fn function_names(&self) -> Vec<String> {
        let registry = self.registry();
        let builtin = registry.iter().map(|(n, _)| n.to_string()).filter(|n| !n.starts_with('_'));
        let mut names: Vec<String> = builtin.collect();
        names.extend(self.catalog().functions().iter().map(|f| f.name.to_string()));
        names.sort();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test fails by panicking.

    use super::*;

    #[test]
    fn the_catalog_is_told_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let warehouse = dir.path().to_string_lossy().into_owned();
        let session = Session::builder()
            .config("spark.master", "local[1]")
            .config("spark.sql.warehouse.dir", &warehouse)
            .build()
            .unwrap();
        for sql in [
            "CREATE DATABASE shop",
            "CREATE TABLE shop.items (ID INT NOT NULL, price DECIMAL(10,2)) USING parquet",
            "CREATE VIEW shop.cheap AS SELECT id FROM shop.items WHERE price < 1",
            "CREATE TEMPORARY VIEW mine AS SELECT array(1, 2) AS xs",
            "CREATE GLOBAL TEMPORARY VIEW ours AS SELECT 1 AS one",
            "CREATE FUNCTION shop.twice(x INT) RETURNS INT RETURN x * 2",
            "USE shop",
        ] {
            session.sql(sql).unwrap();
        }
        assert_eq!(
            (session.current_catalog(), session.current_database()),
            ("spark_catalog".into(), "shop".into())
        );
        assert_eq!(session.catalogs(), ["samples", "spark_catalog"]);
        assert_eq!(session.databases("spark_catalog").unwrap(), ["default", "shop"]);
        assert_eq!(session.databases("nope").unwrap_err().condition(), "CATALOG_NOT_FOUND");
        let tables = session.tables("SPARK_catalog", "Shop").unwrap();
        let told: Vec<_> = tables.iter().map(|t| (t.database.as_str(), t.name.as_str(), t.kind)).collect();
        assert_eq!(told, [("shop", "cheap", TableKind::View), ("shop", "items", TableKind::Table)]);
        assert_eq!(session.tables("spark_catalog", "nope").unwrap_err().condition(), "SCHEMA_NOT_FOUND");
        assert_eq!(session.tables("samples", "tpch").unwrap().len(), 8);
        let views: Vec<_> = session.temporary_views().into_iter().map(|t| (t.database, t.name)).collect();
        assert_eq!(views, [(String::new(), "mine".into()), ("global_temp".to_string(), "ours".into())]);
        let schema = |name: &[&str]| session.table_schema(name).unwrap().catalog_string();
        assert_eq!(schema(&["items"]), "struct<ID:int,price:decimal(10,2)>");
        assert_eq!(schema(&["shop", "CHEAP"]), "struct<id:int>");
        assert_eq!(schema(&["mine"]), "struct<xs:array<int>>");
        assert_eq!(schema(&["global_temp", "ours"]), "struct<one:int>");
        assert!(schema(&["samples", "tpch", "nation"]).starts_with("struct<n_nationkey:"));
        assert_eq!(session.table_schema(&["nope"]).unwrap_err().condition(), "TABLE_OR_VIEW_NOT_FOUND");
        let functions = session.function_names();
        assert!(
            functions.iter().any(|f| f == "sum") && functions.iter().any(|f| f == "spark_catalog.shop.twice")
        );
    }
}
