//! What drivers ask of the catalog and of the server: CommandGet… of all kinds.
//!
//! Names are compared without regard to case, as Spark does. Patterns are those of LIKE, with `\` to escape.

use super::{Answered, Service, blocking, streams};
use crate::sessions::Call;
use crate::status::unsupported;
use crate::{sql_info, wire, xdbc};
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use arrow_flight::FlightData;
use arrow_flight::error::FlightError;
use arrow_flight::sql::metadata::{GetCatalogsBuilder, GetDbSchemasBuilder, GetTablesBuilder};
use arrow_flight::sql::{
    Command, CommandGetCatalogs, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables,
};
use futures::stream::BoxStream;
use std::sync::Arc;
use vonk::{Session, TableEntry, TableKind};
use vonk_error::{Error, Result};

const GLOBAL_TEMP: &str = "global_temp";

/// How kinds of tables are called.
fn table_type(kind: TableKind) -> &'static str {
    match kind {
        TableKind::Table => "TABLE",
        TableKind::View => "VIEW",
        TableKind::TemporaryView => "TEMPORARY VIEW",
    }
}

/// The columns of the answer to a question about metadata; `None` if it is none.
pub(super) fn schema(command: &Command) -> Option<SchemaRef> {
    Some(match command {
        Command::CommandGetCatalogs(_) => CommandGetCatalogs {}.into_builder().schema(),
        Command::CommandGetDbSchemas(c) => c.clone().into_builder().schema(),
        Command::CommandGetTables(c) => c.clone().into_builder().schema(),
        Command::CommandGetTableTypes(_) => CommandGetTableTypes {}.into_builder().schema(),
        Command::CommandGetSqlInfo(_) => sql_info::data().ok()?.schema(),
        Command::CommandGetXdbcTypeInfo(_) => xdbc::data().ok()?.schema(),
        Command::CommandGetPrimaryKeys(_) => primary_keys(),
        Command::CommandGetExportedKeys(_)
        | Command::CommandGetImportedKeys(_)
        | Command::CommandGetCrossReference(_) => foreign_keys(),
        _ => return None,
    })
}

impl Service {
    /// DoGet of a question about metadata.
    pub(super) async fn metadata(
        &self,
        call: &Call,
        command: Command,
    ) -> Answered<BoxStream<'static, Answered<FlightData>>> {
        let engine = call.engine.clone();
        let read_only = self.options().read_only;
        let Some(schema) = schema(&command) else { return Err(unsupported(command.type_url())) };
        let batch = blocking(move || match command {
            Command::CommandGetCatalogs(_) => catalogs(&engine),
            Command::CommandGetDbSchemas(c) => schemas(&engine, c),
            Command::CommandGetTables(c) => tables(&engine, c),
            Command::CommandGetTableTypes(_) => table_types(),
            Command::CommandGetSqlInfo(c) => {
                c.into_builder(sql_info::of_server(read_only)?).build().map_err(failed)
            }
            Command::CommandGetXdbcTypeInfo(c) => c.into_builder(xdbc::data()?).build().map_err(failed),
            // There are no keys.
            _ => Ok(RecordBatch::new_empty(schema)),
        });
        streams::of_batch(batch.await?)
    }
}

/// Builders fail on what cannot happen.
pub(crate) fn failed(e: FlightError) -> Error {
    Error::internal(e.to_string())
}

fn catalogs(engine: &Session) -> Result<RecordBatch> {
    let mut builder = GetCatalogsBuilder::new();
    engine.catalogs().into_iter().for_each(|c| builder.append(c));
    builder.build().map_err(failed)
}

/// Catalogs that a filter lets through: a name, or none for all.
fn catalogs_of(engine: &Session, filter: Option<&str>) -> Vec<String> {
    let wanted = |c: &String| filter.is_none_or(|f| f.eq_ignore_ascii_case(c));
    engine.catalogs().into_iter().filter(wanted).collect()
}

fn schemas(engine: &Session, c: CommandGetDbSchemas) -> Result<RecordBatch> {
    let mut builder = GetDbSchemasBuilder::new(None::<String>, None::<String>);
    let pattern = c.db_schema_filter_pattern.as_deref();
    for catalog in catalogs_of(engine, c.catalog.as_deref()) {
        for database in engine.databases(&catalog)?.iter().filter(|d| matches(pattern, d)) {
            builder.append(&catalog, database);
        }
    }
    builder.build().map_err(failed)
}

fn table_types() -> Result<RecordBatch> {
    let mut builder = CommandGetTableTypes {}.into_builder();
    for kind in [TableKind::Table, TableKind::View, TableKind::TemporaryView] {
        builder.append(table_type(kind));
    }
    builder.build().map_err(failed)
}

fn tables(engine: &Session, c: CommandGetTables) -> Result<RecordBatch> {
    let none = None::<String>;
    let mut builder =
        GetTablesBuilder::new(none.clone(), none.clone(), none, Vec::<String>::new(), c.include_schema);
    let (database, table) = (c.db_schema_filter_pattern.as_deref(), c.table_name_filter_pattern.as_deref());
    let wanted = |e: &TableEntry| {
        let kind = table_type(e.kind);
        matches(table, &e.name) && (c.table_types.is_empty() || c.table_types.iter().any(|t| t == kind))
    };
    let mut entries = Vec::new();
    for catalog in catalogs_of(engine, c.catalog.as_deref()) {
        for name in engine.databases(&catalog)?.iter().filter(|d| matches(database, d)) {
            match engine.tables(&catalog, name) {
                Ok(tables) => entries.extend(tables),
                // Dropped meanwhile.
                Err(e) if e.condition() == "SCHEMA_NOT_FOUND" => {}
                Err(e) => return Err(e),
            }
        }
    }
    // Temporary views have no catalog, and no database either unless they are global.
    if c.catalog.as_deref().is_none_or(str::is_empty) {
        let of_database = |e: &TableEntry| matches(database, &e.database);
        entries.extend(engine.temporary_views().into_iter().filter(of_database));
    }
    for entry in entries.iter().filter(|e| wanted(e)) {
        let columns = match c.include_schema {
            true => columns(engine, entry),
            false => Schema::empty(),
        };
        let kind = table_type(entry.kind);
        builder.append(&entry.catalog, &entry.database, &entry.name, kind, &columns).map_err(failed)?;
    }
    builder.build().map_err(failed)
}

/// The columns of a table; none of a view that is broken, which is listed all the same.
fn columns(engine: &Session, entry: &TableEntry) -> Schema {
    let name: Vec<&str> = match (entry.kind, entry.database.as_str()) {
        (TableKind::TemporaryView, GLOBAL_TEMP) => vec![GLOBAL_TEMP, &entry.name],
        (TableKind::TemporaryView, _) => vec![&entry.name],
        _ => vec![&entry.catalog, &entry.database, &entry.name],
    };
    match engine.table_schema(&name) {
        Ok(columns) => {
            let field = |f: &vonk::StructField| wire::column_field(f).with_nullable(f.nullable);
            Schema::new(columns.fields.iter().map(field).collect::<Vec<_>>())
        }
        Err(_) => Schema::empty(),
    }
}

/// Whether a name is like a pattern. `%` is any text, `_` any character, `\` takes the next one as it is.
fn matches(pattern: Option<&str>, name: &str) -> bool {
    let Some(pattern) = pattern else { return true };
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    // Where to go on when a letter does not fit: after the last `%`, one character further.
    let (mut p, mut n, mut back) = (0, 0, None);
    while n < name.len() {
        let (escaped, c) = match pattern.get(p) {
            Some('\\') if p + 1 < pattern.len() => (true, pattern.get(p + 1)),
            c => (false, c),
        };
        match c {
            Some('%') if !escaped => {
                back = Some((p + 1, n));
                p += 1;
            }
            Some(c) if (*c == '_' && !escaped) || *c == name[n] => {
                p += 1 + usize::from(escaped);
                n += 1;
            }
            _ => match back {
                Some((after, from)) => {
                    p = after;
                    n = from + 1;
                    back = Some((after, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '%')
}

fn text(name: &str, nullable: bool) -> Field {
    Field::new(name, ArrowType::Utf8, nullable)
}

fn primary_keys() -> SchemaRef {
    Arc::new(Schema::new(vec![
        text("catalog_name", true),
        text("db_schema_name", true),
        text("table_name", false),
        text("column_name", false),
        Field::new("key_sequence", ArrowType::Int32, false),
        text("key_name", true),
    ]))
}

fn foreign_keys() -> SchemaRef {
    Arc::new(Schema::new(vec![
        text("pk_catalog_name", true),
        text("pk_db_schema_name", true),
        text("pk_table_name", false),
        text("pk_column_name", false),
        text("fk_catalog_name", true),
        text("fk_db_schema_name", true),
        text("fk_table_name", false),
        text("fk_column_name", false),
        Field::new("key_sequence", ArrowType::Int32, false),
        text("fk_key_name", true),
        text("pk_key_name", true),
        Field::new("update_rule", ArrowType::UInt8, false),
        Field::new("delete_rule", ArrowType::UInt8, false),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("%", "", true),
            ("", "", true),
            ("a%", "ABC", true),
            ("%b%", "abc", true),
            ("a_c", "abc", true),
            ("a_c", "ac", false),
            ("a\\_c", "abc", false),
            ("a\\_c", "a_c", true),
            ("%aab", "aaaab", true),
            ("x%", "abc", false),
            ("abc", "abcd", false),
            ("tpch%item", "tpch_lineitem", true),
        ] {
            assert_eq!(matches(Some(pattern), name), fits, "{pattern} {name}");
        }
        assert!(matches(None, "x"));
    }
}
