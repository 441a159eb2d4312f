//! DESCRIBE.

use super::{not_found, quoted};
use crate::answer::Answer;
use crate::pipeline::Pipeline;
use vonk_catalog::{ColumnDefinition, Found, SPARK_CATALOG, TableDefinition, TableKind, TemporaryView};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Describe, Name, Plan};
use vonk_types::StructType;

/// Three cells, and how spark-sql prints them: each padded to 20 characters.
#[derive(Default)]
struct Lines(Vec<(String, String, Option<String>)>);

impl Lines {
    fn add(&mut self, name: impl Into<String>, value: impl Into<String>, comment: Option<String>) {
        self.0.push((name.into(), value.into(), comment));
    }

    fn columns(&mut self, columns: &[ColumnDefinition]) {
        for c in columns {
            self.add(c.name.as_str(), c.declared_type(), c.comment.clone());
        }
    }

    fn answer(self, cx: &Pipeline<'_>) -> Result<Answer> {
        let shown = self
            .0
            .iter()
            .map(|(n, v, c)| format!("{n:<20}\t{v:<20}\t{:<20}", c.as_deref().unwrap_or("")))
            .collect();
        let rows: Vec<_> = self.0.into_iter().map(|(n, v, c)| vec![Some(n), Some(v), c]).collect();
        let names = ["col_name", "data_type", "comment"];
        Ok(Answer::text_rows(&names, &rows, cx.env.ctx.clone())?.shown_as(shown))
    }
}

/// `DESCRIBE` in its forms.
pub(super) fn describe(cx: &Pipeline<'_>, what: &Describe) -> Result<Answer> {
    match what {
        Describe::Table { name, extended, column: None, .. } => table(cx, name, *extended),
        Describe::Table { name, extended, column: Some(c), .. } => column(cx, name, c, *extended),
        Describe::Query(plan) => {
            let mut lines = Lines::default();
            lines.columns(&plain_columns(&query_schema(cx, plan)?));
            lines.answer(cx)
        }
        Describe::Function { name, extended } => function(cx, name, *extended),
        Describe::Database { name, extended } => database(cx, name, *extended),
    }
}

fn query_schema(cx: &Pipeline<'_>, plan: &Plan) -> Result<StructType> {
    Ok(cx.analyze(plan)?.0.schema())
}

fn plain_columns(schema: &StructType) -> Vec<ColumnDefinition> {
    let column = |f: &vonk_types::StructField| ColumnDefinition {
        nullable: f.nullable,
        ..ColumnDefinition::new(f.name.as_ref(), f.data_type.clone())
    };
    schema.fields.iter().map(column).collect()
}

/// Columns of any relation.
pub(crate) fn schema_of(cx: &Pipeline<'_>, name: &Name) -> Result<Vec<ColumnDefinition>> {
    match cx.session.catalog().find(&name.parts)? {
        None => Err(not_found(cx, name)),
        Some(Found::Table(_, d)) => Ok(d.columns),
        Some(Found::Static(_, source)) => Ok(plain_columns(source.schema())),
        Some(Found::Temporary(TemporaryView::Source(s)) | Found::Global(TemporaryView::Source(s))) => {
            Ok(plain_columns(s.schema()))
        }
        Some(
            Found::Temporary(TemporaryView::Query { comments, .. })
            | Found::Global(TemporaryView::Query { comments, .. }),
        ) => {
            let plan = Plan::Table(vonk_plan::unresolved::TableRef::plain(name.clone()));
            let mut columns = plain_columns(&query_schema(cx, &plan)?);
            columns.iter_mut().zip(comments).for_each(|(c, comment)| c.comment = comment);
            Ok(columns)
        }
    }
}

fn table(cx: &Pipeline<'_>, name: &Name, extended: bool) -> Result<Answer> {
    let mut lines = Lines::default();
    let columns = schema_of(cx, name)?;
    lines.columns(&columns);
    if let Some(Found::Table(id, d)) = cx.session.catalog().find(&name.parts)? {
        if d.partition_columns > 0 {
            lines.add("# Partition Information", "", Some(String::new()));
            lines.add("# col_name", "data_type", Some("comment".to_string()));
            lines.columns(&columns[columns.len() - d.partition_columns..]);
        }
        let defaults: Vec<_> = columns.iter().filter_map(|c| Some((c, c.default.clone()?))).collect();
        if !defaults.is_empty() && !extended {
            lines.add("", "", Some(String::new()));
            lines.add("# Column Default Values", "", Some(String::new()));
            for (c, default) in defaults {
                lines.add(c.name.as_str(), c.declared_type(), Some(default));
            }
        }
        if extended {
            lines.add("", "", Some(String::new()));
            lines.add("# Detailed Table Information", "", Some(String::new()));
            for (key, value) in details(cx, &id.database, &d) {
                lines.add(key, value, Some(String::new()));
            }
        }
    }
    lines.answer(cx)
}

/// What DESCRIBE EXTENDED tells of a table beside its columns.
pub(super) fn details(cx: &Pipeline<'_>, database: &str, d: &TableDefinition) -> Vec<(&'static str, String)> {
    let zone = &cx.env.ctx.time_zone;
    let mut out = vec![
        ("Catalog", SPARK_CATALOG.to_string()),
        ("Database", database.to_string()),
        ("Table", d.name.clone()),
        ("Owner", d.owner.clone()),
        ("Created Time", vonk_types::datetime::format_timestamp(d.created.saturating_mul(1000), zone)),
        ("Last Access", "UNKNOWN".to_string()),
        ("Created By", format!("Vonk {}", env!("CARGO_PKG_VERSION"))),
        ("Type", super::tables::kind_name(d).to_string()),
    ];
    match &d.kind {
        TableKind::View { text, database, .. } => {
            out.push(("View Text", text.clone()));
            out.push(("View Catalog and Namespace", format!("{SPARK_CATALOG}.{database}")));
        }
        _ => out.push(("Provider", d.provider.clone())),
    }
    if let Some(comment) = &d.comment {
        out.push(("Comment", comment.clone()));
    }
    if !d.location.is_empty() {
        out.push(("Location", format!("file:{}", d.location)));
    }
    out
}

fn column(cx: &Pipeline<'_>, table: &Name, column: &Name, extended: bool) -> Result<Answer> {
    let columns = schema_of(cx, table)?;
    let found = columns.iter().find(|c| c.name.eq_ignore_ascii_case(column.last()));
    let found = found.ok_or_else(|| {
        Error::new("COLUMN_NOT_FOUND")
            .with("colName", quoted(&column.parts))
            .with("caseSensitiveConfig", "\"spark.sql.caseSensitive\"")
            .at(column.span)
    })?;
    let row = |k: &str, v: Option<String>| vec![Some(k.to_string()), v];
    let mut rows = vec![
        row("col_name", Some(found.name.clone())),
        row("data_type", Some(found.data_type.catalog_string())),
        row("comment", Some(found.comment.clone().unwrap_or_else(|| "NULL".to_string()))),
    ];
    if extended {
        let statistics =
            ["min", "max", "num_nulls", "distinct_count", "avg_col_len", "max_col_len", "histogram"];
        rows.extend(statistics.iter().map(|s| row(s, Some("NULL".to_string()))));
    }
    Answer::text_rows(&["info_name", "info_value"], &rows, cx.env.ctx.clone())
}

fn function(cx: &Pipeline<'_>, name: &Name, extended: bool) -> Result<Answer> {
    let registry = cx.session.registry();
    let Some(function) = registry.get(name.last()) else {
        use vonk_plan::Catalog;
        if let Some(f) = cx.session.catalog().function(&name.parts)? {
            let rows: Vec<_> =
                super::functions::description(cx, &f, extended).into_iter().map(|r| vec![Some(r)]).collect();
            return Answer::text_rows(&["function_desc"], &rows, cx.env.ctx.clone());
        }
        let (catalog, database) = cx.session.catalog().current();
        return Err(Error::new("UNRESOLVED_ROUTINE")
            .with("routineName", quoted(&name.parts))
            .with("searchPath", format!("[`system`.`builtin`, `system`.`session`, `{catalog}`.`{database}`]"))
            .at(name.span));
    };
    let docs = function.docs();
    let mut rows = vec![
        format!("Function: {}", name.last().to_lowercase()),
        format!("Usage: {} - {}", docs.usage, docs.summary),
    ];
    if extended {
        let mut text = String::from("Extended Usage:");
        if !docs.examples.is_empty() {
            text += "\n    Examples:";
            for example in docs.examples {
                text += &format!("\n      > {};", example.sql);
                for line in example.rows.lines() {
                    text += &format!("\n       {line}");
                }
            }
        }
        text += &format!("\n\n    Since: {}\n", docs.since);
        rows.push(text);
    }
    let rows: Vec<_> = rows.into_iter().map(|r| vec![Some(r)]).collect();
    Answer::text_rows(&["function_desc"], &rows, cx.env.ctx.clone())
}

fn database(cx: &Pipeline<'_>, name: &Name, extended: bool) -> Result<Answer> {
    let (catalog, database) = cx.session.catalog().database_of(&name.parts)?;
    let definition = match catalog == SPARK_CATALOG {
        true => cx.session.catalog().warehouse().database(&database)?,
        false => None,
    };
    let row = |k: &str, v: String| vec![Some(k.to_string()), Some(v)];
    let mut rows = vec![row("Catalog Name", catalog), row("Namespace Name", database)];
    if let Some(d) = definition {
        rows.extend(d.comment.map(|c| row("Comment", c)));
        rows.push(row("Location", format!("file:{}", d.location)));
        rows.push(row("Owner", cx.session.user().to_string()));
        if extended {
            let mut pairs: Vec<String> = d.properties.iter().map(|(k, v)| format!("({k},{v})")).collect();
            pairs.sort();
            rows.push(row("Properties", format!("({})", pairs.join(", "))));
        }
    }
    Answer::text_rows(&["info_name", "info_value"], &rows, cx.env.ctx.clone())
}
