//! CREATE and DROP DATABASE, USE.

use super::done;
use crate::answer::Answer;
use crate::pipeline::Pipeline;
use vonk_catalog::SPARK_CATALOG;
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Name, Statement};

/// A database of the warehouse by its name, which may begin with the catalog's.
pub(super) fn warehouse_name(name: &Name) -> Result<&str> {
    match &name.parts[..] {
        [d] => Ok(d),
        [c, d] if c.eq_ignore_ascii_case(SPARK_CATALOG) => Ok(d),
        _ => Err(Error::unsupported(format!("creating or dropping databases of {name}")).at(name.span)),
    }
}

/// `CREATE DATABASE`, `DROP DATABASE`.
pub(super) fn change(cx: &Pipeline<'_>, statement: &Statement) -> Result<Answer> {
    let catalog = cx.session.catalog();
    let warehouse = catalog.warehouse();
    match statement {
        Statement::CreateDatabase { if_not_exists, name, comment, location, properties } => {
            let database = warehouse_name(name)?;
            if *if_not_exists && warehouse.database(database)?.is_some() {
                return done(cx);
            }
            warehouse
                .create_database(database, comment.clone(), location.clone(), properties.clone())
                .map_err(|e| e.at(name.span))?;
        }
        Statement::DropDatabase { if_exists, name, cascade } => {
            let database = warehouse_name(name)?;
            if warehouse.database(database)?.is_none() {
                if *if_exists {
                    return done(cx);
                }
                return Err(catalog_error(database).at(name.span));
            }
            warehouse.drop_database(database, *cascade).map_err(|e| e.at(name.span))?;
        }
        _ => {}
    }
    done(cx)
}

fn catalog_error(database: &str) -> Error {
    Error::new("SCHEMA_NOT_FOUND").with("schemaName", format!("`{SPARK_CATALOG}`.`{database}`"))
}

/// `USE`.
pub(super) fn use_database(cx: &Pipeline<'_>, name: &Name) -> Result<Answer> {
    cx.session.catalog().use_database(&name.parts)?;
    done(cx)
}

/// `SET CATALOG`.
pub(super) fn use_catalog(cx: &Pipeline<'_>, name: &str) -> Result<Answer> {
    cx.session.catalog().use_catalog(name)?;
    done(cx)
}
