//! CREATE VIEW, ALTER VIEW, DROP VIEW.

use super::{done, not_found, not_in_catalog, quoted};
use crate::answer::Answer;
use crate::pipeline::Pipeline;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use vonk_catalog::{ColumnDefinition, Found, TableDefinition, TableKind, TemporaryView};
use vonk_error::{Error, Result, Span};
use vonk_plan::Catalog;
use vonk_plan::unresolved::{CreateView, Name, Plan, ViewSource};
use vonk_types::StructType;

/// The columns of a view: its query's, renamed as the statement says. Spark's errors if their number differs or names repeat.
fn columns(
    name: &str,
    query: &StructType,
    given: &[(String, Option<String>)],
) -> Result<Vec<ColumnDefinition>> {
    if !given.is_empty() && given.len() != query.fields.len() {
        let condition = if given.len() > query.fields.len() {
            "CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"
        } else {
            "CREATE_VIEW_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
        };
        let list = |names: Vec<&str>| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        return Err(Error::new(condition)
            .with("viewName", name)
            .with("viewColumns", list(given.iter().map(|(n, _)| n.as_str()).collect()))
            .with("dataColumns", list(query.fields.iter().map(|f| f.name.as_ref()).collect())));
    }
    let mut columns: Vec<ColumnDefinition> = Vec::with_capacity(query.fields.len());
    for (i, f) in query.fields.iter().enumerate() {
        let (name, comment) = match given.get(i) {
            Some((name, comment)) => (name.clone(), comment.clone()),
            None => (f.name.to_string(), None),
        };
        if columns.iter().any(|c| c.name.eq_ignore_ascii_case(&name)) {
            return Err(
                Error::new("COLUMN_ALREADY_EXISTS").with("columnName", format!("`{}`", name.to_lowercase()))
            );
        }
        let nullable = f.nullable;
        columns.push(ColumnDefinition {
            nullable,
            comment,
            ..ColumnDefinition::new(name, f.data_type.clone())
        });
    }
    Ok(columns)
}

/// `CREATE VIEW` in its forms.
pub(super) fn create(cx: &Pipeline<'_>, create: &CreateView) -> Result<Answer> {
    if create.temporary || create.global {
        return create_temporary(cx, create);
    }
    let ViewSource::Query { query, span } = &create.source else {
        return Err(Error::unsupported("persistent views over files").at(create.name.span));
    };
    let catalog = cx.session.catalog();
    let id = catalog.table_id(&create.name.parts);
    catalog.database_of(&[id.catalog.clone(), id.database.clone()]).map_err(|e| e.at(create.name.span))?;
    let existing = catalog.warehouse().table(&id.database, &id.table)?;
    match &existing {
        Some(_) if create.if_not_exists => return done(cx),
        Some(_) if !create.replace => {
            return Err(Error::new("TABLE_OR_VIEW_ALREADY_EXISTS")
                .with("relationName", id.name().quoted())
                .at(create.name.span));
        }
        Some(old) if !old.is_view() => {
            return Err(Error::new("EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE")
                .with("tableName", id.name().quoted())
                .with("operation", "CREATE OR REPLACE VIEW")
                .at(create.name.span));
        }
        _ => {}
    }
    let (plan, _) = cx.analyze(query)?;
    let columns = columns(&id.name().quoted(), &plan.schema(), &create.columns)?;
    let names = (!create.columns.is_empty()).then(|| create.columns.iter().map(|(n, _)| n.clone()).collect());
    let definition = TableDefinition {
        name: id.table.clone(),
        kind: TableKind::View {
            text: slice(&cx.text, *span),
            database: catalog.current().1,
            column_names: names,
        },
        columns,
        partition_columns: 0,
        provider: String::new(),
        location: String::new(),
        options: vec![],
        properties: create.properties.clone(),
        comment: create.comment.clone(),
        created: now_millis(),
        owner: cx.session.user().to_string(),
    };
    catalog.warehouse().put_table(&id.database, &definition)?;
    done(cx)
}

fn create_temporary(cx: &Pipeline<'_>, create: &CreateView) -> Result<Answer> {
    let catalog = cx.session.catalog();
    if create.name.parts.len() > 1 {
        return Err(Error::new("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS")
            .with("actualName", quoted(&create.name.parts))
            .at(create.name.span));
    }
    let name = create.name.last();
    let replace = create.replace;
    let view = match &create.source {
        ViewSource::Query { query, span } => {
            let (plan, _) = cx.analyze(query)?;
            columns(&quoted(&create.name.parts), &plan.schema(), &create.columns)?;
            TemporaryView::Query {
                plan: Arc::new((**query).clone()),
                text: cx.text.clone(),
                query_text: slice(&cx.text, *span).into(),
                column_names: (!create.columns.is_empty())
                    .then(|| create.columns.iter().map(|(n, _)| n.clone()).collect()),
                comments: create.columns.iter().map(|(_, comment)| comment.clone()).collect(),
                database: catalog.current().1,
            }
        }
        ViewSource::DataSource { provider, options, .. } => {
            let path = options.iter().find(|(k, _)| k.eq_ignore_ascii_case("path")).map(|(_, v)| v.as_str());
            let path =
                path.ok_or_else(|| Error::new("UNABLE_TO_INFER_SCHEMA").with("format", provider.as_str()))?;
            let source = catalog.opener().files(provider, path)?;
            TemporaryView::Source(source.ok_or_else(|| unknown_format(provider).at(create.name.span))?)
        }
    };
    catalog.put_view(name, view, create.global, replace).map_err(|e| e.at(create.name.span))?;
    done(cx)
}

/// `ALTER VIEW name AS query`.
pub(super) fn alter(cx: &Pipeline<'_>, name: &Name, query: &Plan, span: Span) -> Result<Answer> {
    let temporary = match cx.session.catalog().find(&name.parts)? {
        None => return Err(not_found(cx, name)),
        Some(found) => matches!(found, Found::Temporary(_)),
    };
    let create_view = CreateView {
        temporary,
        global: false,
        replace: true,
        if_not_exists: false,
        name: name.clone(),
        columns: vec![],
        source: ViewSource::Query { query: Box::new(query.clone()), span },
        comment: None,
        properties: vec![],
    };
    create(cx, &create_view)
}

/// `DROP VIEW`.
pub(super) fn drop(cx: &Pipeline<'_>, name: &Name, if_exists: bool) -> Result<Answer> {
    let catalog = cx.session.catalog();
    if catalog.drop_view(&name.parts) {
        return done(cx);
    }
    if cx.control.read_only {
        // Meant was a temporary view, which has gone meanwhile.
        return Err(super::read_only());
    }
    match catalog.find(&name.parts)? {
        Some(Found::Table(id, definition)) if definition.is_view() => {
            catalog.warehouse().drop_table(&id.database, &id.table)?;
            done(cx)
        }
        Some(Found::Table(id, definition)) => Err(Error::new("WRONG_COMMAND_FOR_OBJECT_TYPE")
            .with("operation", "DROP VIEW")
            .with("requiredType", "VIEW or METRIC_VIEW")
            .with("objectName", id.name().to_string())
            .with("foundType", super::tables::kind_name(&definition))
            .with("alternative", "DROP TABLE")),
        _ if if_exists => done(cx),
        _ => Err(not_in_catalog(cx, name)),
    }
}

/// Spark's error for a format nobody knows.
pub(super) fn unknown_format(provider: &str) -> Error {
    Error::new("DATA_SOURCE_NOT_FOUND").with("provider", provider)
}

/// Part of a text.
fn slice(text: &str, span: Span) -> String {
    text.get(span.start as usize..span.end as usize).unwrap_or(text).to_string()
}

pub(super) fn now_millis() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}
