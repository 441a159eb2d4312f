//! ADD COLUMNS, ALTER COLUMN, CHANGE COLUMN.

use super::Altered;
use crate::commands::{insert, tables};
use crate::pipeline::Pipeline;
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{ColumnChange, Name, NewColumn};
use vonk_types::DataType;
use vonk_types::data_type::quote_identifier;

/// `ADD COLUMNS`. Files that were written before have the default in it that the column has now.
pub(super) fn add(cx: &Pipeline<'_>, altered: &mut Altered, new: &[NewColumn]) -> Result<()> {
    for c in new {
        if let [outer, _, ..] = &c.path.parts[..] {
            check(altered, &Name { parts: vec![outer.clone()], span: c.path.span })?;
            return Err(altered.cannot("ADD COLUMN with qualified column"));
        }
        if !c.definition.nullable {
            return Err(Error::new("_LEGACY_ERROR_TEMP_1052").at(c.definition.span));
        }
        let name = &c.definition.name;
        if altered.definition.columns.iter().any(|o| o.name.eq_ignore_ascii_case(name)) {
            return Err(Error::new("COLUMN_ALREADY_EXISTS")
                .with("columnName", quote_identifier(&name.to_lowercase()))
                .at(c.definition.span));
        }
        let mut column = tables::defined(cx, &c.definition, "ALTER TABLE ADD COLUMNS")?;
        column.missing = insert::default_of(cx, &column)?;
        let definition = &mut altered.definition;
        // Partition columns stay the last ones.
        let at = definition.columns.len().saturating_sub(definition.partition_columns);
        definition.columns.insert(at, column);
    }
    Ok(())
}

/// `ALTER COLUMN`, `CHANGE COLUMN`.
pub(super) fn change(
    cx: &Pipeline<'_>,
    altered: &mut Altered,
    changes: &[(Name, ColumnChange)],
) -> Result<()> {
    for (name, _) in changes {
        check(altered, name)?;
    }
    let [(name, change)] = changes else { return Err(altered.cannot("ALTER COLUMN in bulk")) };
    if name.parts.len() > 1 {
        return Err(altered.cannot("ALTER COLUMN with qualified column"));
    }
    match change {
        ColumnChange::Nullability => return Err(altered.cannot("ALTER COLUMN ... SET NOT NULL")),
        ColumnChange::Position => return Err(altered.cannot("ALTER COLUMN ... FIRST | AFTER")),
        _ => {}
    }
    let table = altered.quoted();
    if altered.definition.partition_names().any(|p| p.eq_ignore_ascii_case(name.last())) {
        return Err(Error::new("CANNOT_ALTER_PARTITION_COLUMN")
            .with("tableName", table)
            .with("columnName", quote_identifier(name.last()))
            .at(name.span));
    }
    let found = altered.definition.columns.iter_mut().find(|c| c.name.eq_ignore_ascii_case(name.last()));
    let Some(column) = found else { return Err(Error::internal(format!("no column {name}"))) };
    match change {
        ColumnChange::Comment(text) => column.comment = Some(text.clone()),
        ColumnChange::Type(to, comment) => {
            if to.data_type != column.data_type {
                return Err(Error::new("NOT_SUPPORTED_CHANGE_COLUMN")
                    .with("table", table)
                    .with("originName", quote_identifier(&column.name))
                    .with("originType", insert::quoted_type(&column.data_type))
                    .with("newName", quote_identifier(&column.name))
                    .with("newType", insert::quoted_type(&to.data_type))
                    .at(name.span));
            }
            if comment.is_some() {
                column.comment.clone_from(comment);
            }
        }
        ColumnChange::Default(None) => column.default = None,
        ColumnChange::Default(Some(e)) => {
            let statement = "ALTER TABLE ALTER COLUMN";
            column.default = Some(tables::default_text(cx, e, &column.name, &column.data_type, statement)?);
        }
        ColumnChange::Nullability | ColumnChange::Position => {}
    }
    Ok(())
}

/// Refuses a column, or a field of one, that the table does not have.
pub(super) fn check(altered: &Altered, column: &Name) -> Result<()> {
    let schema = altered.definition.schema();
    let mut fields = Some(&schema);
    for part in &column.parts {
        let found = fields.and_then(|s| s.fields.iter().find(|f| f.name.eq_ignore_ascii_case(part)));
        let Some(found) = found else {
            let all: Vec<String> = schema.fields.iter().map(|f| quote_identifier(&f.name)).collect();
            let shown: Vec<String> = column.parts.iter().map(|p| quote_identifier(p)).collect();
            return Err(Error::new("UNRESOLVED_COLUMN.WITH_SUGGESTION")
                .with("objectName", shown.join("."))
                .with("proposal", all.join(", "))
                .at(column.span));
        };
        fields = match &found.data_type {
            DataType::Struct(inner) => Some(inner),
            _ => None,
        };
    }
    Ok(())
}
