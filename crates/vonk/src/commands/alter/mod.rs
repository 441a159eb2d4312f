//! ALTER TABLE, ALTER VIEW, ALTER DATABASE, COMMENT ON, REPAIR TABLE; and what DELETE, UPDATE and MERGE are told.
//!
//! Tables of files are what Spark calls v1 tables: columns can be added and described, not renamed or dropped, and rows cannot be changed in place.

mod columns;
mod partitions;

pub(super) use partitions::{partition_folders, truncate_partitions};

use super::tables::folder;
use super::{done, not_found, not_on_path, quoted};
use crate::answer::Answer;
use crate::pipeline::Pipeline;
use vonk_catalog::{Found, SPARK_CATALOG, TableDefinition, TableId, TableKind};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Alter, AlterAction, AlterTarget, RowChange};
use vonk_types::data_type::quote_identifier;

/// A table or view that is altered.
struct Altered {
    id: TableId,
    definition: TableDefinition,
}

impl Altered {
    fn quoted(&self) -> String {
        self.id.name().quoted()
    }

    /// As Spark's session catalog calls it.
    fn in_database(&self) -> String {
        format!("{}.{}", quote_identifier(&self.id.database), quote_identifier(&self.id.table))
    }

    fn cannot(&self, operation: &str) -> Error {
        cannot(&self.quoted(), operation)
    }
}

fn cannot(table: &str, operation: &str) -> Error {
    Error::new("UNSUPPORTED_FEATURE.TABLE_OPERATION").with("tableName", table).with("operation", operation)
}

/// Carries it out.
pub(super) fn alter(cx: &Pipeline<'_>, alter: &Alter) -> Result<Answer> {
    if alter.target == AlterTarget::Database {
        return database(cx, alter);
    }
    let mut altered = find(cx, alter)?;
    match &alter.action {
        AlterAction::AddColumns(new) => columns::add(cx, &mut altered, new)?,
        AlterAction::ChangeColumns(changes) => columns::change(cx, &mut altered, changes)?,
        AlterAction::RenameColumn { column, .. } => {
            columns::check(&altered, column)?;
            return Err(altered.cannot("RENAME COLUMN"));
        }
        AlterAction::DropColumns { if_exists, columns } => {
            if !if_exists {
                columns.iter().try_for_each(|c| columns::check(&altered, c))?;
            }
            return Err(altered.cannot("DROP COLUMN"));
        }
        AlterAction::ReplaceColumns => return Err(altered.cannot("REPLACE COLUMNS")),
        AlterAction::SetProperties(properties) => {
            if let Some((_, text)) = properties.iter().find(|(k, _)| k == "comment") {
                altered.definition.comment = Some(text.clone());
            }
            set(&mut altered.definition.properties, properties);
        }
        AlterAction::UnsetProperties(keys) => {
            altered.definition.properties.retain(|(k, _)| !keys.contains(k));
            if keys.iter().any(|k| k == "comment") {
                altered.definition.comment = None;
            }
        }
        AlterAction::SetSerdeProperties(options) => set(&mut altered.definition.options, options),
        AlterAction::SetSerde => {
            return Err(Error::new("UNSUPPORTED_FEATURE.ALTER_TABLE_SERDE_FOR_DATASOURCE_TABLE")
                .with("tableName", altered.quoted()));
        }
        AlterAction::SetLocation { partition, location } => {
            if !partition.is_empty() {
                return Err(Error::unsupported("a location of one partition").at(alter.name.span));
            }
            altered.definition.location = folder(location)?;
            // What lies there was not made by this table, and stays when it is dropped.
            altered.definition.kind = TableKind::External;
        }
        AlterAction::Comment(text) => altered.definition.comment = Some(text.clone().unwrap_or_default()),
        // The folders say it all: the definition stays as it is.
        AlterAction::AddPartitions { if_not_exists, partitions } => {
            return partitions::add(cx, &altered, alter, partitions, *if_not_exists).and_then(|()| done(cx));
        }
        AlterAction::DropPartitions { if_exists, partitions } => {
            return partitions::drop(cx, &altered, alter, partitions, *if_exists).and_then(|()| done(cx));
        }
        AlterAction::RenamePartition { from, to } => {
            return partitions::rename(cx, &altered, alter, from, to).and_then(|()| done(cx));
        }
        AlterAction::RecoverPartitions => {
            return partitions::recover(&altered, alter).and_then(|()| done(cx));
        }
        AlterAction::Hint => return done(cx),
    }
    cx.session.catalog().warehouse().put_table(&altered.id.database, &altered.definition)?;
    done(cx)
}

/// Sets properties, each in the place that it has.
fn set(properties: &mut Vec<(String, String)>, new: &[(String, String)]) {
    for (key, value) in new {
        match properties.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => value.clone_into(old),
            None => properties.push((key.clone(), value.clone())),
        }
    }
}

/// The table or view of the warehouse, which must be what the statement says it is.
fn find(cx: &Pipeline<'_>, alter: &Alter) -> Result<Altered> {
    let name = &alter.name;
    let of_views = matches!(
        alter.action,
        AlterAction::SetProperties(_)
            | AlterAction::UnsetProperties(_)
            | AlterAction::SetSerde
            | AlterAction::SetSerdeProperties(_)
    );
    let not_a_table = |view: String| {
        let condition = match of_views {
            true => "EXPECT_TABLE_NOT_VIEW.USE_ALTER_VIEW",
            false => "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE",
        };
        Error::new(condition).with("viewName", view).with("operation", alter.operation).at(name.span)
    };
    let wants_view = alter.target == AlterTarget::View;
    match cx.session.catalog().find(&name.parts)? {
        None => Err(not_found(cx, name)),
        Some(Found::Temporary(_) | Found::Global(_)) if wants_view => {
            Err(Error::new("EXPECT_PERMANENT_VIEW_NOT_TEMP")
                .with("viewName", quoted(&name.parts))
                .with("operation", alter.operation)
                .at(name.span))
        }
        Some(Found::Temporary(_) | Found::Global(_)) => Err(not_a_table(quoted(&name.parts))),
        Some(Found::Table(id, definition)) if definition.is_view() != wants_view => {
            if !wants_view {
                return Err(not_a_table(id.name().quoted()));
            }
            Err(Error::new("EXPECT_VIEW_NOT_TABLE.USE_ALTER_TABLE")
                .with("tableName", id.name().quoted())
                .with("operation", alter.operation)
                .at(name.span))
        }
        Some(Found::Table(id, definition)) => Ok(Altered { id, definition }),
        Some(Found::Static(id, _)) => {
            Err(Error::unsupported(format!("changing {}, which is read-only", id.name())).at(name.span))
        }
    }
}

fn database(cx: &Pipeline<'_>, alter: &Alter) -> Result<Answer> {
    let name = &alter.name;
    let warehouse = cx.session.catalog().warehouse();
    let database = super::databases::warehouse_name(name)?;
    let Some(mut definition) = warehouse.database(database)? else {
        let full = format!("{}.{}", quote_identifier(SPARK_CATALOG), quote_identifier(database));
        return Err(Error::new("SCHEMA_NOT_FOUND").with("schemaName", full).at(name.span));
    };
    match &alter.action {
        AlterAction::SetProperties(properties) => set(&mut definition.properties, properties),
        AlterAction::UnsetProperties(keys) => definition.properties.retain(|(k, _)| !keys.contains(k)),
        AlterAction::SetLocation { location, .. } => definition.location = folder(location)?,
        AlterAction::Comment(text) => definition.comment = Some(text.clone().unwrap_or_default()),
        other => return Err(Error::internal(format!("ALTER DATABASE with {other:?}"))),
    }
    warehouse.put_database(&definition)?;
    done(cx)
}

/// DELETE, UPDATE, MERGE: their names are checked, then the table is found to be of a kind that cannot do it.
pub(super) fn change_rows(cx: &Pipeline<'_>, change: &RowChange) -> Result<Answer> {
    let Some(found) = cx.session.catalog().find(&change.table.parts)? else {
        return Err(not_on_path(cx, &change.table));
    };
    cx.analyze(&change.names)?;
    let table = match found {
        Found::Table(id, _) | Found::Static(id, _) => id.name().quoted(),
        Found::Temporary(_) | Found::Global(_) => quoted(&change.table.parts),
    };
    Err(cannot(&table, change.operation))
}
