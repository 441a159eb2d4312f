//! Statements other than queries, one family a file.

mod alter;
mod caching;
mod databases;
pub(crate) mod describe;
pub(crate) mod execute;
pub(crate) mod explain;
mod functions;
pub(crate) mod insert;
mod settings;
mod show;
mod tables;
mod variables;
mod views;

use crate::answer::Answer;
use crate::pipeline::Pipeline;
use crate::prepared::{StatementKind, kind};
use crate::session::{Control, Session};
use vonk_catalog::{Found, TableDefinition, TableId};
use vonk_error::{Error, Result, undisturbed};
use vonk_plan::unresolved::{AlterTarget, DropKind, InsertTarget, Name, Statement};
use vonk_types::data_type::quote_identifier;

/// Runs a statement.
pub(crate) fn execute(
    session: &Session,
    statement: &Statement,
    text: &str,
    control: &Control,
) -> Result<Answer> {
    execute_in(&Pipeline::new(session, text, control)?, statement)
}

/// Runs a statement in its surroundings.
fn execute_in(cx: &Pipeline<'_>, statement: &Statement) -> Result<Answer> {
    // What EXECUTE IMMEDIATE runs comes by here, too.
    if cx.control.read_only && kind(cx.session, statement) == Some(StatementKind::Write) {
        return Err(read_only());
    }
    let answer = carry_out(cx, statement)?;
    if let Some(name) = changes(statement) {
        // It has changed: whoever is asked to stop now must not leave old rows behind.
        undisturbed(|| caching::changed(cx, name));
    }
    Ok(answer)
}

/// The error of a statement that is not to change what others see.
fn read_only() -> Error {
    Error::new("_READ_ONLY")
}

/// The table or view whose rows a statement changes.
fn changes(statement: &Statement) -> Option<&Name> {
    match statement {
        Statement::CreateView(create) if !create.temporary && !create.global => Some(&create.name),
        Statement::AlterViewAs { name, .. }
        | Statement::Drop { kind: DropKind::Table | DropKind::View, name, .. }
        | Statement::Rename { from: name, .. }
        | Statement::Truncate { name, .. }
        | Statement::RefreshTable(name) => Some(name),
        Statement::Alter(alter) if alter.target == AlterTarget::Table => Some(&alter.name),
        Statement::CreateTable(create) => Some(&create.name),
        Statement::Insert(insert) => match &insert.target {
            InsertTarget::Table(name) => Some(name),
            InsertTarget::Directory { .. } => None,
        },
        _ => None,
    }
}

fn carry_out(cx: &Pipeline<'_>, statement: &Statement) -> Result<Answer> {
    match statement {
        Statement::Query(plan) => cx.answer(plan),
        Statement::Explain { mode, statement } => explain::explain(cx, *mode, statement),
        Statement::CreateView(create) => views::create(cx, create),
        Statement::AlterViewAs { name, query, query_span } => views::alter(cx, name, query, *query_span),
        Statement::CreateTable(create) => tables::create(cx, create),
        Statement::Insert(insert) => insert::insert(cx, insert),
        Statement::Drop { kind: DropKind::Table, if_exists, name, .. } => tables::drop(cx, name, *if_exists),
        Statement::Drop { kind: DropKind::View, if_exists, name, .. } => views::drop(cx, name, *if_exists),
        Statement::Rename { view, from, to } => tables::rename(cx, *view, from, to),
        Statement::Alter(alter) => alter::alter(cx, alter),
        Statement::RowChange(change) => alter::change_rows(cx, change),
        Statement::Truncate { name, partition } => tables::truncate(cx, name, partition),
        Statement::CreateDatabase { .. } | Statement::DropDatabase { .. } => databases::change(cx, statement),
        Statement::Use(name) => databases::use_database(cx, name),
        Statement::SetCatalog(name) => databases::use_catalog(cx, name),
        Statement::Show(what) => show::show(cx, what),
        Statement::Describe(what) => describe::describe(cx, what),
        Statement::Set(command) => settings::set(cx, command),
        Statement::Reset(key) => settings::reset(cx, key.as_deref()),
        Statement::SetTimeZone(value) => settings::set_time_zone(cx, value),
        Statement::DeclareVariable { .. }
        | Statement::DropVariable { .. }
        | Statement::SetVariable { .. } => variables::change(cx, statement),
        Statement::CreateFunction(create) => functions::create(cx, create),
        Statement::ExecuteImmediate { text, into, using } => execute::immediate(cx, text, into, using),
        Statement::Cache { name, query, lazy, .. } => caching::cache(cx, name, query.as_deref(), *lazy),
        Statement::Uncache { if_exists, name } => caching::uncache(cx, name, *if_exists),
        Statement::RefreshTable(name) | Statement::Analyze { name, .. } => caching::known(cx, name, false),
        Statement::ClearCache => caching::clear(cx),
        Statement::RefreshPath(_) => done(cx),
        Statement::Drop { kind, if_exists, name, .. } => {
            functions::drop(cx, name, *kind == DropKind::TemporaryFunction, *if_exists)
        }
        Statement::Unsupported { what, span } => Err(Error::unsupported(what.as_str()).at(*span)),
    }
}

/// What a command answers that has nothing to say.
pub(crate) fn done(cx: &Pipeline<'_>) -> Result<Answer> {
    Ok(Answer::empty(cx.env.ctx.clone()))
}

/// Spark's error for a relation that is not there, with the places it was looked for.
pub(crate) fn not_found(cx: &Pipeline<'_>, name: &Name) -> Error {
    use vonk_plan::Catalog;
    let (catalog, database) = cx.session.catalog().current();
    let path =
        format!("[`system`.`session`, {}.{}]", quote_identifier(&catalog), quote_identifier(&database));
    Error::new("TABLE_OR_VIEW_NOT_FOUND")
        .with("relationName", quoted(&name.parts))
        .with("searchPath", path)
        .at(name.span)
}

/// As [`not_found`] for statements that analyze a relation: the path has the built-in functions, too.
pub(crate) fn not_on_path(cx: &Pipeline<'_>, name: &Name) -> Error {
    use vonk_plan::Catalog;
    let (catalog, database) = cx.session.catalog().current();
    let current = format!("{}.{}", quote_identifier(&catalog), quote_identifier(&database));
    Error::new("TABLE_OR_VIEW_NOT_FOUND")
        .with("relationName", quoted(&name.parts))
        .with("searchPath", format!("[`system`.`builtin`, `system`.`session`, {current}]"))
        .at(name.span)
}

/// As [`not_found`] for commands that look in the catalog alone: the full name, and the current database as search path.
pub(crate) fn not_in_catalog(cx: &Pipeline<'_>, name: &Name) -> Error {
    use vonk_plan::Catalog;
    let (catalog, database) = cx.session.catalog().current();
    Error::new("TABLE_OR_VIEW_NOT_FOUND")
        .with("relationName", cx.session.catalog().table_id(&name.parts).name().quoted())
        .with("searchPath", format!("[{}.{}]", quote_identifier(&catalog), quote_identifier(&database)))
        .at(name.span)
}

/// Parts of a name in backticks.
pub(crate) fn quoted(parts: &[String]) -> String {
    parts.iter().map(|p| quote_identifier(p)).collect::<Vec<_>>().join(".")
}

/// A table of the warehouse that a command changes; views and samples are refused.
pub(crate) fn writable(
    cx: &Pipeline<'_>,
    name: &Name,
    operation: &str,
) -> Result<(TableId, TableDefinition)> {
    let view = |shown: String| {
        Error::new("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE")
            .with("viewName", shown)
            .with("operation", operation)
            .at(name.span)
    };
    match cx.session.catalog().find(&name.parts)? {
        None => Err(not_on_path(cx, name)),
        Some(Found::Temporary(_) | Found::Global(_)) => Err(view(quoted(&name.parts))),
        Some(Found::Table(id, definition)) if definition.is_view() => Err(view(id.name().quoted())),
        Some(Found::Table(id, definition)) => Ok((id, definition)),
        Some(Found::Static(id, _)) => {
            Err(Error::unsupported(format!("changing {}, which is read-only", id.name())).at(name.span))
        }
    }
}
