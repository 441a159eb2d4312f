//! The partitions of a table: the folders that its rows lie in. There is no list of them beside the folders themselves.

use super::Altered;
use crate::commands::insert::{io, remove_data};
use crate::commands::variables;
use crate::pipeline::Pipeline;
use arrow::array::{Array, AsArray};
use std::path::{Path, PathBuf};
use vonk_catalog::{ColumnDefinition, TableDefinition, TableId, TableKind};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Alter, PartitionValue};
use vonk_sources::commit;
use vonk_types::cast::cast_array;
use vonk_types::data_type::quote_identifier;
use vonk_types::{CastMode, DataType};

/// What a statement says of the partition columns, in their order.
struct Spec<'a> {
    /// Column and value, as text; null and nothing are one.
    values: Vec<(&'a str, Option<String>)>,
    /// It has all columns.
    whole: bool,
}

impl Spec<'_> {
    /// As Spark shows it.
    fn shown(&self) -> String {
        let value = |v: &Option<String>| v.clone().unwrap_or_else(|| "null".to_string());
        let parts: Vec<String> =
            self.values.iter().map(|(c, v)| format!("{} = {}", quote_identifier(c), value(v))).collect();
        format!("PARTITION ({})", parts.join(", "))
    }

    /// The folder, relative to the table's.
    fn folder(&self) -> String {
        let values: Vec<(&str, Option<&str>)> = self.values.iter().map(|(c, v)| (*c, v.as_deref())).collect();
        commit::folder_of(&values)
    }

    /// Whether a folder is of the partitions that are meant.
    fn matches(&self, folder: &str) -> bool {
        let parts: Vec<(String, Option<String>)> =
            folder.split('/').filter_map(commit::folder_part).collect();
        let same = |(column, value): &(&str, Option<String>)| {
            parts.iter().any(|(c, v)| c.eq_ignore_ascii_case(column) && v == value)
        };
        self.values.iter().all(same)
    }
}

/// The columns that a table is partitioned by.
fn keys(definition: &TableDefinition) -> &[ColumnDefinition] {
    let plain = definition.columns.len().saturating_sub(definition.partition_columns);
    &definition.columns[plain..]
}

fn spec<'a>(
    cx: &Pipeline<'_>,
    table: &str,
    definition: &'a TableDefinition,
    written: &[PartitionValue],
) -> Result<Spec<'a>> {
    let keys = keys(definition);
    for w in written {
        if !keys.iter().any(|k| k.name.eq_ignore_ascii_case(&w.column)) {
            return Err(Error::new("PARTITIONS_NOT_FOUND")
                .with("partitionList", quote_identifier(&w.column))
                .with("tableName", table));
        }
    }
    let mut values = Vec::with_capacity(keys.len());
    for key in keys {
        let found = written.iter().find(|w| w.column.eq_ignore_ascii_case(&key.name));
        if let Some(e) = found.and_then(|w| w.value.as_ref()) {
            let value = cx.with_analyzer(|a| a.analyze_constant(e))?;
            let value = variables::cast(cx, value, &key.data_type).map_err(|e2| e2.at(e.span))?;
            let array = value.to_array(1)?;
            let text = cast_array(&array, &key.data_type, &DataType::String, CastMode::Ansi, &cx.env.ctx)?;
            let text = text.as_string_view();
            let text = text.is_valid(0).then(|| text.value(0).to_string());
            values.push((key.name.as_str(), text));
        }
    }
    Ok(Spec { whole: values.len() == keys.len(), values })
}

/// A specification that has all columns.
fn whole<'a>(cx: &Pipeline<'_>, altered: &'a Altered, written: &[PartitionValue]) -> Result<Spec<'a>> {
    let found = spec(cx, &altered.quoted(), &altered.definition, written)?;
    if found.whole {
        return Ok(found);
    }
    let names: Vec<&str> = altered.definition.partition_names().collect();
    let written: Vec<&str> = written.iter().map(|w| w.column.as_str()).collect();
    Err(Error::new("_LEGACY_ERROR_TEMP_1232")
        .with("specKeys", written.join(", "))
        .with("partitionColumnNames", names.join(", "))
        .with("tableName", altered.quoted()))
}

fn check_partitioned(altered: &Altered, alter: &Alter) -> Result<()> {
    if altered.definition.partition_columns > 0 {
        return Ok(());
    }
    let action = alter.operation.replace("... ", "").replace(" ...", "");
    Err(Error::new("_LEGACY_ERROR_TEMP_1251")
        .with("action", action)
        .with("tableName", altered.definition.name.as_str())
        .at(alter.name.span))
}

fn missing(altered: &Altered, spec: &Spec<'_>) -> Error {
    Error::new("PARTITIONS_NOT_FOUND")
        .with("partitionList", spec.shown())
        .with("tableName", altered.in_database())
}

fn exists_already(altered: &Altered, spec: &Spec<'_>) -> Error {
    Error::new("PARTITIONS_ALREADY_EXIST")
        .with("partitionList", spec.shown())
        .with("tableName", altered.in_database())
}

fn path(altered: &Altered, spec: &Spec<'_>) -> PathBuf {
    Path::new(&altered.definition.location).join(spec.folder())
}

/// The folders of a table's partitions, relative to its own, sorted.
pub(in crate::commands) fn partition_folders(definition: &TableDefinition) -> Result<Vec<String>> {
    let mut found = vec![String::new()];
    for key in definition.partition_names() {
        let mut deeper = Vec::new();
        for parent in &found {
            let folder = Path::new(&definition.location).join(parent);
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                Err(e) => return Err(io("list", &folder, e)),
            };
            for entry in entries {
                let entry = entry.map_err(|e| io("list", &folder, e))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let of_key = commit::folder_part(&name).is_some_and(|(c, _)| c.eq_ignore_ascii_case(key));
                if of_key && entry.path().is_dir() {
                    deeper.push(if parent.is_empty() { name } else { format!("{parent}/{name}") });
                }
            }
        }
        found = deeper;
    }
    found.sort();
    Ok(found)
}

/// `ADD PARTITION`.
pub(super) fn add(
    cx: &Pipeline<'_>,
    altered: &Altered,
    alter: &Alter,
    partitions: &[(Vec<PartitionValue>, Option<String>)],
    if_not_exists: bool,
) -> Result<()> {
    check_partitioned(altered, alter)?;
    let specs: Vec<Spec<'_>> =
        partitions.iter().map(|(written, _)| whole(cx, altered, written)).collect::<Result<_>>()?;
    if partitions.iter().any(|(_, location)| location.is_some()) {
        return Err(Error::unsupported("a location of one partition").at(alter.name.span));
    }
    if let Some(there) = specs.iter().find(|s| !if_not_exists && path(altered, s).is_dir()) {
        return Err(exists_already(altered, there));
    }
    for spec in &specs {
        let folder = path(altered, spec);
        std::fs::create_dir_all(&folder).map_err(|e| io("make the folder", &folder, e))?;
    }
    Ok(())
}

/// `DROP PARTITION`, which removes its rows.
pub(super) fn drop(
    cx: &Pipeline<'_>,
    altered: &Altered,
    alter: &Alter,
    partitions: &[Vec<PartitionValue>],
    if_exists: bool,
) -> Result<()> {
    check_partitioned(altered, alter)?;
    if altered.definition.kind == TableKind::External {
        // Spark forgets the partition and leaves its files; here the files are all that makes a partition.
        return Err(Error::unsupported("dropping partitions of external tables").at(alter.name.span));
    }
    let specs: Vec<Spec<'_>> = partitions
        .iter()
        .map(|written| spec(cx, &altered.quoted(), &altered.definition, written))
        .collect::<Result<_>>()?;
    let there = |s: &&Spec<'_>| s.whole && path(altered, s).is_dir();
    if let Some(gone) = specs.iter().find(|s| !if_exists && !there(s)) {
        return Err(missing(altered, gone));
    }
    for spec in specs.iter().filter(there) {
        let folder = path(altered, spec);
        vonk_catalog::removal::remove_folder(&folder)?;
        // Folders of outer columns go with the last of what they hold.
        let inner = folder.ancestors().skip(1).take(spec.values.len() - 1);
        for outer in inner {
            if std::fs::remove_dir(outer).is_err() {
                break;
            }
        }
    }
    Ok(())
}

/// `PARTITION (…) RENAME TO PARTITION (…)`.
pub(super) fn rename(
    cx: &Pipeline<'_>,
    altered: &Altered,
    alter: &Alter,
    from: &[PartitionValue],
    to: &[PartitionValue],
) -> Result<()> {
    check_partitioned(altered, alter)?;
    let (from, to) = (whole(cx, altered, from)?, whole(cx, altered, to)?);
    let (old, new) = (path(altered, &from), path(altered, &to));
    if !old.is_dir() {
        return Err(missing(altered, &from));
    }
    if new.exists() {
        return Err(exists_already(altered, &to));
    }
    if let Some(parent) = new.parent() {
        std::fs::create_dir_all(parent).map_err(|e| io("make the folder", parent, e))?;
    }
    std::fs::rename(&old, &new).map_err(|e| io("rename", &old, e))?;
    if let Some(outer) = old.parent().filter(|_| from.values.len() > 1) {
        let _ = std::fs::remove_dir(outer);
    }
    Ok(())
}

/// `RECOVER PARTITIONS`, `MSCK REPAIR TABLE`: what lies in the table's folder is always seen.
pub(super) fn recover(altered: &Altered, alter: &Alter) -> Result<()> {
    if altered.definition.partition_columns > 0 {
        return Ok(());
    }
    Err(Error::new("NOT_A_PARTITIONED_TABLE")
        .with("operation", alter.operation.replace("... ", ""))
        .with("tableIdentWithDB", altered.quoted())
        .at(alter.name.span))
}

/// `TRUNCATE TABLE … PARTITION`: the rows of all partitions that have these values.
pub(in crate::commands) fn truncate_partitions(
    cx: &Pipeline<'_>,
    id: &TableId,
    definition: &TableDefinition,
    written: &[PartitionValue],
) -> Result<()> {
    let table = id.name().quoted();
    if definition.partition_columns == 0 {
        return Err(Error::new("_LEGACY_ERROR_TEMP_1267").with("tableIdentWithDB", table));
    }
    let wanted = spec(cx, &table, definition, written)?;
    for folder in partition_folders(definition)?.iter().filter(|f| wanted.matches(f)) {
        remove_data(&Path::new(&definition.location).join(folder))?;
    }
    Ok(())
}
