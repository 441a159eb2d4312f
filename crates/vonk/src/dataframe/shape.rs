//! Rows in the shape of a schema (Spark: `Dataset.to`).

use super::{Column, DataFrame, Names, nested, reference};
use vonk_error::{Error, Result};
use vonk_types::cast::can_store_assign;
use vonk_types::data_type::quote_identifier;
use vonk_types::{DataType, Literal, StructField, StructType};

/// See [`DataFrame::to`].
pub(super) fn shaped(df: &DataFrame, schema: &StructType) -> Result<DataFrame> {
    let (columns, names) = (df.resolved.columns(), df.names());
    let mut list = Vec::with_capacity(schema.fields.len());
    for f in schema.fields.iter() {
        let value = match columns.iter().find(|c| names.same(&c.name, &f.name)) {
            Some(c) => {
                let from = StructField::new(c.name.as_ref(), c.data_type.clone(), c.nullable);
                assignable(&[f.name.as_ref()], &from, f, names)?;
                nested::fitted(Column::of(reference(c)), &from, &f.data_type, names, &|value, from, to| {
                    if from == to { value } else { value.cast(to.clone()) }
                })
            }
            None if f.nullable => Column::literal(Literal::null(f.data_type.clone())),
            // The analyzer knows what to suggest.
            None => df.col(&quote_identifier(&f.name))?,
        };
        list.push(value.alias(f.name.to_string()).expr);
    }
    df.project(list)
}

/// Whether values of one type can be assigned to another, as an INSERT checks it.
fn assignable(path: &[&str], from: &StructField, to: &StructField, names: Names) -> Result<()> {
    let name = || path.iter().map(|p| quote_identifier(p)).collect::<Vec<_>>().join(".");
    if from.nullable && !to.nullable {
        return Err(Error::new("NULLABLE_COLUMN_OR_FIELD").with("name", name()));
    }
    let element = |t: &DataType, nullable: bool| StructField::new("element", t.clone(), nullable);
    match (&from.data_type, &to.data_type) {
        (DataType::Struct(old), DataType::Struct(new)) => new.fields.iter().try_for_each(|f| {
            match old.fields.iter().find(|o| names.same(&o.name, &f.name)) {
                Some(o) => assignable(&[path, &[f.name.as_ref()]].concat(), o, f, names),
                None => Ok(()),
            }
        }),
        (DataType::Array(old, a), DataType::Array(new, b)) => {
            assignable(&[path, &["element"]].concat(), &element(old, *a), &element(new, *b), names)
        }
        (DataType::Map(_, old, a), DataType::Map(_, new, b)) => {
            assignable(&[path, &["value"]].concat(), &element(old, *a), &element(new, *b), names)
        }
        (old, new) if old == new || can_store_assign(old, new) => Ok(()),
        (old, new) => Err(Error::new("INVALID_COLUMN_OR_FIELD_DATA_TYPE")
            .with("name", name())
            .with("type", format!("\"{}\"", old.sql()))
            .with("expectedType", format!("\"{}\"", new.sql()))),
    }
}
