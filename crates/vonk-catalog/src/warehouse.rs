//! The embedded warehouse: databases and tables as JSON files beside the data.
//!
//! Layout: `<root>/.vonk/<database>/_database.json` and `<root>/.vonk/<database>/<table>.json`; data of managed tables in
//! `<root>/<table>` for the default database and `<root>/<database>.db/<table>` for others, as Spark lays them out. Nothing is
//! made on disk before something is created.
//!
//! Definitions are read anew at each question, so that sessions of several processes see each other's tables. A definition is
//! written under another name and renamed: readers see it whole or not at all.

use crate::definition::{DatabaseDefinition, TableDefinition};
use crate::{DEFAULT_DATABASE, SPARK_CATALOG, removal};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use vonk_error::{Error, Result};

/// A warehouse folder.
#[derive(Debug)]
pub struct Warehouse {
    root: PathBuf,
}

fn io(what: &str, path: &Path, e: impl std::fmt::Display) -> Error {
    Error::io(format!("cannot {what} {}", path.display()), e)
}

/// Names become file names: anything that could leave the folder is refused.
fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.starts_with(['.', '_']) && name.len() == 1 || name.contains(['/', '\\', '\0'])
    {
        return Err(Error::new("INVALID_SCHEMA_OR_RELATION_NAME").with("name", format!("`{name}`")));
    }
    Ok(())
}

impl Warehouse {
    /// A warehouse in a folder, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Warehouse { root: std::path::absolute(&root).unwrap_or(root) }
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn meta(&self, database: &str) -> PathBuf {
        self.root.join(".vonk").join(database.to_lowercase())
    }

    fn table_file(&self, database: &str, table: &str) -> PathBuf {
        self.meta(database).join(format!("{}.json", table.to_lowercase()))
    }

    /// Folder of a database's tables.
    fn database_folder(&self, database: &str) -> PathBuf {
        if database == DEFAULT_DATABASE {
            self.root.clone()
        } else {
            self.root.join(format!("{database}.db"))
        }
    }

    /// All databases, sorted by name.
    pub fn databases(&self) -> Result<Vec<String>> {
        let mut names = vec![DEFAULT_DATABASE.to_string()];
        let folder = self.root.join(".vonk");
        if let Ok(entries) = std::fs::read_dir(&folder) {
            for entry in entries.flatten() {
                if entry.path().join("_database.json").exists() {
                    names.push(entry.file_name().to_string_lossy().into_owned());
                }
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// A database's definition.
    pub fn database(&self, name: &str) -> Result<Option<DatabaseDefinition>> {
        let name = name.to_lowercase();
        let file = self.meta(&name).join("_database.json");
        if let Some(found) = read::<DatabaseDefinition>(&file)? {
            return Ok(Some(found));
        }
        Ok((name == DEFAULT_DATABASE).then(|| DatabaseDefinition {
            location: self.root.to_string_lossy().into_owned(),
            name,
            comment: Some("default database".to_string()),
            properties: vec![],
        }))
    }

    /// Creates a database. `location` defaults to a folder of the warehouse.
    pub fn create_database(
        &self,
        name: &str,
        comment: Option<String>,
        location: Option<String>,
        properties: Vec<(String, String)>,
    ) -> Result<()> {
        check_name(name)?;
        let name = name.to_lowercase();
        if self.database(&name)?.is_some() {
            return Err(Error::new("SCHEMA_ALREADY_EXISTS").with("schemaName", format!("`{name}`")));
        }
        let location = location.unwrap_or_else(|| self.database_folder(&name).to_string_lossy().into_owned());
        self.put_database(&DatabaseDefinition { name, comment, location, properties })
    }

    /// Remembers a database as it is now.
    pub fn put_database(&self, database: &DatabaseDefinition) -> Result<()> {
        check_name(&database.name)?;
        write(&self.meta(&database.name).join("_database.json"), database)
    }

    /// Drops a database; with tables in it only if `cascade`.
    pub fn drop_database(&self, name: &str, cascade: bool) -> Result<()> {
        let name = name.to_lowercase();
        if name == DEFAULT_DATABASE {
            return Err(Error::new("UNSUPPORTED_FEATURE.DROP_DATABASE")
                .with("database", format!("`{SPARK_CATALOG}`.`default`")));
        }
        let tables = self.tables(&name)?;
        if !tables.is_empty() && !cascade {
            return Err(Error::new("SCHEMA_NOT_EMPTY").with("schemaName", format!("`{name}`")));
        }
        for table in tables {
            self.drop_table(&name, &table)?;
        }
        let folder = self.meta(&name);
        std::fs::remove_dir_all(&folder).map_err(|e| io("remove", &folder, e))?;
        // The folder of its data is empty now, if it was ever made; others' files in it stay.
        let _ = std::fs::remove_dir(self.database_folder(&name));
        Ok(())
    }

    /// Tables and views of a database, sorted by name.
    pub fn tables(&self, database: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        if let Ok(entries) = std::fs::read_dir(self.meta(database)) {
            for entry in entries.flatten() {
                let file = entry.file_name().to_string_lossy().into_owned();
                match file.strip_suffix(".json") {
                    Some(name) if name != "_database" && !name.starts_with('.') => {
                        names.push(name.to_string())
                    }
                    _ => {}
                }
            }
        }
        names.sort();
        Ok(names)
    }

    /// A table's or view's definition.
    pub fn table(&self, database: &str, table: &str) -> Result<Option<TableDefinition>> {
        if check_name(table).is_err() {
            return Ok(None);
        }
        read(&self.table_file(database, table))
    }

    /// Where the data of a managed table of this name goes.
    pub fn table_location(&self, database: &str, table: &str) -> Result<String> {
        let base = match self.database(database)? {
            Some(d) => PathBuf::from(d.location),
            None => self.database_folder(database),
        };
        Ok(base.join(table.to_lowercase()).to_string_lossy().into_owned())
    }

    /// Remembers a table or view, in the place of an older one.
    pub fn put_table(&self, database: &str, table: &TableDefinition) -> Result<()> {
        check_name(&table.name)?;
        write(&self.table_file(database, &table.name), table)
    }

    /// Forgets a table or view, and removes the data of a managed table. `false` if there is none.
    pub fn drop_table(&self, database: &str, table: &str) -> Result<bool> {
        let Some(definition) = self.table(database, table)? else { return Ok(false) };
        let file = self.table_file(database, table);
        std::fs::remove_file(&file).map_err(|e| io("remove", &file, e))?;
        if definition.kind == crate::TableKind::Managed {
            removal::remove_folder(Path::new(&definition.location))?;
        }
        Ok(true)
    }

    /// Gives a table another name, moving the data of a managed one.
    pub fn rename_table(&self, database: &str, from: &str, to: &str) -> Result<()> {
        let Some(mut definition) = self.table(database, from)? else {
            return vonk_error::internal_err!("no table {from} to rename");
        };
        check_name(to)?;
        if definition.kind == crate::TableKind::Managed {
            let location = self.table_location(database, to)?;
            if Path::new(&definition.location).exists() {
                std::fs::rename(&definition.location, &location)
                    .map_err(|e| io("rename", Path::new(&definition.location), e))?;
            }
            definition.location = location;
        }
        definition.name = to.to_lowercase();
        self.put_table(database, &definition)?;
        let old = self.table_file(database, from);
        std::fs::remove_file(&old).map_err(|e| io("remove", &old, e))
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| io("read the definition", path, e)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(io("read", path, e)),
    }
}

fn write<T: serde::Serialize>(path: &Path, value: &T) -> Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|e| io("make the folder", folder, e))?;
    let bytes = serde_json::to_vec_pretty(value).map_err(|e| Error::internal(e.to_string()))?;
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let partial = folder.join(format!(".partial-{}-{n}", std::process::id()));
    std::fs::write(&partial, bytes).map_err(|e| io("write", &partial, e))?;
    std::fs::rename(&partial, path).map_err(|e| io("write", path, e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColumnDefinition, TableKind};
    use vonk_types::DataType;

    fn table(name: &str, location: String) -> TableDefinition {
        TableDefinition {
            name: name.to_string(),
            kind: TableKind::Managed,
            columns: vec![ColumnDefinition::new("A", DataType::array(DataType::Decimal(10, 2), true))],
            partition_columns: 0,
            provider: "parquet".to_string(),
            location,
            options: vec![],
            properties: vec![],
            comment: None,
            created: 0,
            owner: "me".to_string(),
        }
    }

    #[test]
    fn tables_come_and_go() {
        let dir = tempfile::tempdir().unwrap();
        let w = Warehouse::new(dir.path().join("w"));
        assert_eq!(w.databases().unwrap(), ["default"]);
        w.create_database("Shop", None, None, vec![]).unwrap();
        assert_eq!(
            w.create_database("shop", None, None, vec![]).unwrap_err().condition(),
            "SCHEMA_ALREADY_EXISTS"
        );
        let t = table("items", w.table_location("shop", "items").unwrap());
        w.put_table("shop", &t).unwrap();
        assert_eq!(w.table("SHOP", "Items").unwrap().as_ref(), Some(&t));
        std::fs::create_dir_all(&t.location).unwrap();
        w.rename_table("shop", "items", "things").unwrap();
        assert_eq!(w.tables("shop").unwrap(), ["things"]);
        assert!(w.root().join("shop.db/things").exists());
        assert_eq!(w.drop_database("shop", false).unwrap_err().condition(), "SCHEMA_NOT_EMPTY");
        w.drop_database("shop", true).unwrap();
        assert_eq!(w.databases().unwrap(), ["default"]);
        assert!(!w.root().join("shop.db").exists());
    }

    #[test]
    fn names_stay_inside_of_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let w = Warehouse::new(dir.path());
        assert!(w.create_database("../x", None, None, vec![]).is_err());
        assert!(w.put_table("default", &table("a/b", String::new())).is_err());
        assert_eq!(w.table("default", "../secret").unwrap(), None);
    }
}
