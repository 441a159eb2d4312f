//! SHOW.

use super::{not_found, quoted};
use crate::answer::Answer;
use crate::pipeline::Pipeline;
use vonk_catalog::{Found, SPARK_CATALOG, TableKind, matches_pattern};
use vonk_error::{Error, Result};
use vonk_plan::Catalog;
use vonk_plan::unresolved::{FunctionScope, Name, Show};
use vonk_types::data_type::quote_if_needed;

type Row = Vec<Option<String>>;

fn row(cells: &[&str]) -> Row {
    cells.iter().map(|c| Some((*c).to_string())).collect()
}

fn text(cx: &Pipeline<'_>, columns: &[&str], rows: &[Row]) -> Result<Answer> {
    Answer::text_rows(columns, rows, cx.env.ctx.clone())
}

fn like(name: &str, pattern: Option<&String>) -> bool {
    pattern.is_none_or(|p| matches_pattern(name, p))
}

/// Catalog and database of `FROM db`, or those in use.
fn database(cx: &Pipeline<'_>, from: Option<&Name>) -> Result<(String, String)> {
    cx.session.catalog().database_of(from.map_or(&[][..], |n| &n.parts[..]))
}

/// `SHOW` in its forms.
pub(super) fn show(cx: &Pipeline<'_>, what: &Show) -> Result<Answer> {
    match what {
        Show::Tables { from, like } => relations(cx, from.as_ref(), like.as_ref(), false),
        Show::Views { from, like } => relations(cx, from.as_ref(), like.as_ref(), true),
        Show::TableExtended { from, like } => table_extended(cx, from.as_ref(), like),
        Show::Columns { table, from } => columns(cx, table, from.as_ref()),
        Show::Functions { scope, like, .. } => functions(cx, *scope, like.as_ref()),
        Show::Databases { from, like: pattern } => {
            let catalog = match from {
                Some(n) => n.last().to_string(),
                None => cx.session.catalog().current().0,
            };
            let names = cx.session.catalog().databases(&catalog)?;
            let rows: Vec<Row> = names
                .iter()
                .filter(|n| like(n, pattern.as_ref()))
                .map(|n| row(&[&quote_if_needed(n)]))
                .collect();
            text(cx, &["namespace"], &rows)
        }
        Show::Catalogs { like: pattern } => {
            let names = cx.session.catalog().catalogs();
            let rows: Vec<Row> =
                names.iter().filter(|n| like(n, pattern.as_ref())).map(|n| row(&[n])).collect();
            text(cx, &["catalog"], &rows)
        }
        Show::CurrentDatabase => {
            let (catalog, database) = cx.session.catalog().current();
            text(cx, &["catalog", "namespace"], &[row(&[&catalog, &database])])
        }
        Show::CreateTable(name) => create_table(cx, name),
        Show::Properties { table, key } => properties(cx, table, key.as_deref()),
        Show::Partitions { table, .. } => partitions(cx, table),
    }
}

fn relations(
    cx: &Pipeline<'_>,
    from: Option<&Name>,
    pattern: Option<&String>,
    views: bool,
) -> Result<Answer> {
    use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringViewArray};
    use std::sync::Arc;
    use vonk_types::{DataType, StructField, StructType};
    let (catalog, database) = database(cx, from)?;
    let mut found: Vec<(String, String, bool)> = Vec::new();
    for name in cx.session.catalog().tables(&catalog, &database)? {
        if !like(&name, pattern) {
            continue;
        }
        let is_view = || -> Result<bool> {
            let definition = cx.session.catalog().warehouse().table(&database, &name)?;
            Ok(definition.is_some_and(|d| d.is_view()))
        };
        if !views || (catalog == SPARK_CATALOG && is_view()?) {
            found.push((database.clone(), name, false));
        }
    }
    let temporary = cx.session.catalog().temporary_views();
    found.extend(temporary.into_iter().filter(|n| like(n, pattern)).map(|n| (String::new(), n, true)));
    let fields = [
        ("namespace", DataType::String),
        (if views { "viewName" } else { "tableName" }, DataType::String),
        ("isTemporary", DataType::Boolean),
    ];
    let schema =
        StructType::new(fields.into_iter().map(|(n, t)| StructField::new(n, t, false)).collect::<Vec<_>>());
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from_iter_values(found.iter().map(|f| &f.0))),
        Arc::new(StringViewArray::from_iter_values(found.iter().map(|f| &f.1))),
        Arc::new(BooleanArray::from_iter(found.iter().map(|f| Some(f.2)))),
    ];
    let batch = RecordBatch::try_new(schema.to_arrow_schema(), arrays)?;
    // Hive's answer to SHOW TABLES is the names alone, and so is spark-sql's.
    let shown = found.into_iter().map(|f| f.1).collect();
    Ok(Answer::of(schema, vec![batch], cx.env.ctx.clone()).shown_as(shown))
}

fn table_extended(cx: &Pipeline<'_>, from: Option<&Name>, pattern: &str) -> Result<Answer> {
    let (catalog, database) = database(cx, from)?;
    let mut rows = Vec::new();
    for name in cx.session.catalog().tables(&catalog, &database)? {
        if !matches_pattern(&name, pattern) {
            continue;
        }
        if let Some(definition) = cx.session.catalog().warehouse().table(&database, &name)? {
            let lines = super::describe::details(cx, &database, &definition);
            let information: String = lines.iter().map(|(k, v)| format!("{k}: {v}\n")).collect();
            rows.push(row(&[&database, &name, "false", &information]));
        }
    }
    text(cx, &["namespace", "tableName", "isTemporary", "information"], &rows)
}

fn columns(cx: &Pipeline<'_>, table: &Name, from: Option<&Name>) -> Result<Answer> {
    let mut name = table.clone();
    if let (Some(from), 1) = (from, table.parts.len()) {
        name.parts = from.parts.iter().chain(&table.parts).cloned().collect();
    }
    let schema = super::describe::schema_of(cx, &name)?;
    let rows: Vec<Row> = schema.iter().map(|c| row(&[&c.name])).collect();
    text(cx, &["col_name"], &rows)
}

fn functions(cx: &Pipeline<'_>, scope: FunctionScope, pattern: Option<&String>) -> Result<Answer> {
    let user = cx.session.catalog().functions();
    let user = user.iter().filter(|f| like(f.name.table(), pattern)).map(|f| f.name.to_string());
    let registry = cx.session.registry();
    let builtin = || {
        registry.iter().filter(|(n, _)| !n.starts_with('_') && like(n, pattern)).map(|(n, _)| n.to_string())
    };
    let mut names: Vec<String> = match scope {
        FunctionScope::User => user.collect(),
        FunctionScope::System => builtin().collect(),
        FunctionScope::All => builtin().chain(user).collect(),
    };
    names.sort();
    let rows: Vec<Row> = names.iter().map(|n| row(&[n])).collect();
    text(cx, &["function"], &rows)
}

/// A table of the warehouse.
fn definition(cx: &Pipeline<'_>, name: &Name) -> Result<(String, vonk_catalog::TableDefinition)> {
    match cx.session.catalog().find(&name.parts)? {
        Some(Found::Table(id, definition)) => Ok((id.database, definition)),
        Some(_) => Err(Error::unsupported(format!("this command for {}", quoted(&name.parts))).at(name.span)),
        None => Err(not_found(cx, name)),
    }
}

fn create_table(cx: &Pipeline<'_>, name: &Name) -> Result<Answer> {
    let (database, d) = definition(cx, name)?;
    let column = |c: &vonk_catalog::ColumnDefinition| {
        let mut t = match c.length {
            Some(_) => c.declared_type().to_uppercase(),
            None => c.data_type.sql(),
        };
        if c.data_type == vonk_types::DataType::String {
            t.push_str(" COLLATE UTF8_BINARY");
        }
        let null = if c.nullable { "" } else { " NOT NULL" };
        let comment =
            c.comment.as_ref().map_or(String::new(), |c| format!(" COMMENT '{}'", c.replace('\'', "\\'")));
        let default = c.default.as_ref().map_or(String::new(), |d| format!(" DEFAULT {d}"));
        format!("  {} {t}{null}{default}{comment}", quote_if_needed(&c.name))
    };
    let full = format!("{SPARK_CATALOG}.{}.{}", quote_if_needed(&database), quote_if_needed(&d.name));
    let mut sql = if let TableKind::View { text, .. } = &d.kind {
        let names: Vec<String> =
            d.columns.iter().map(|c| format!("  {}", quote_if_needed(&c.name))).collect();
        format!("CREATE VIEW {database}.{} (\n{})\nAS {text}\n", d.name, names.join(",\n"))
    } else {
        let columns: Vec<String> = d.columns.iter().map(column).collect();
        format!("CREATE TABLE {full} (\n{})\nUSING {}\n", columns.join(",\n"), d.provider)
    };
    let partition: Vec<String> = d.partition_names().map(quote_if_needed).collect();
    if !partition.is_empty() {
        sql += &format!("PARTITIONED BY ({})\n", partition.join(", "));
    }
    if let Some(comment) = &d.comment {
        sql += &format!("COMMENT '{}'\n", comment.replace('\'', "\\'"));
    }
    if d.kind == TableKind::External {
        sql += &format!("LOCATION 'file:{}'\n", d.location);
    }
    text(cx, &["createtab_stmt"], &[row(&[&sql])])
}

fn properties(cx: &Pipeline<'_>, table: &Name, key: Option<&str>) -> Result<Answer> {
    let (database, d) = definition(cx, table)?;
    let mut pairs = d.properties.clone();
    pairs.sort();
    let rows: Vec<Row> = match key {
        None => pairs.iter().map(|(k, v)| row(&[k, v])).collect(),
        Some(key) => {
            let missing =
                format!("Table {SPARK_CATALOG}.{database}.{} does not have property: {key}", d.name);
            let value = pairs.iter().find(|(k, _)| k == key).map_or(missing, |(_, v)| v.clone());
            vec![row(&[key, &value])]
        }
    };
    text(cx, &["key", "value"], &rows)
}

fn partitions(cx: &Pipeline<'_>, table: &Name) -> Result<Answer> {
    let (database, d) = definition(cx, table)?;
    if d.partition_columns == 0 {
        return Err(Error::new("INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY")
            .with("name", format!("`{SPARK_CATALOG}`.`{database}`.`{}`", d.name))
            .at(table.span));
    }
    let found = super::alter::partition_folders(&d)?;
    let rows: Vec<Row> = found.iter().map(|p| row(&[p])).collect();
    text(cx, &["partition"], &rows)
}
