//! Unions by name.

use super::{Column, DataFrame, Names, nested, reference};
use vonk_error::{Error, Result};
use vonk_plan::logical::Column as Attribute;
use vonk_plan::unresolved::Expr;
use vonk_types::data_type::quote_identifier;
use vonk_types::{DataType, Literal, StructField};

/// The rows of both, the right side's columns in the order of the left's; fields of structs alike.
pub(super) fn union_by_name(left: &DataFrame, right: &DataFrame, allow_missing: bool) -> Result<DataFrame> {
    let (lefts, rights, names) = (left.resolved.columns(), right.resolved.columns(), left.names());
    for side in [&lefts, &rights] {
        for (i, c) in side.iter().enumerate() {
            if side[..i].iter().any(|d| names.same(&c.name, &d.name)) {
                let name = format!("`{}`", c.name.to_lowercase());
                return Err(Error::new("COLUMN_ALREADY_EXISTS").with("columnName", name));
            }
        }
    }
    let (mut left_list, mut right_list) = (Vec::new(), Vec::new());
    for l in &lefts {
        match rights.iter().find(|r| names.same(&l.name, &r.name)) {
            Some(r) => {
                let target = nested::widened(&l.data_type, &r.data_type, names);
                if !allow_missing {
                    all_there(&target, &l.data_type, &r.data_type, names)?;
                }
                // Without leave to put fields in, the left side stays as it is, and the union says what does not fit.
                left_list.push(if allow_missing { fitted(l, &target, names) } else { reference(l) });
                right_list.push(fitted(r, &target, names));
            }
            None if allow_missing => {
                left_list.push(reference(l));
                right_list.push(null(l));
            }
            None => {
                let all: Vec<&str> = rights.iter().map(|r| r.name.as_ref()).collect();
                return Err(Error::new("UNRESOLVED_COLUMN_AMONG_FIELD_NAMES")
                    .with("colName", l.name.to_string())
                    .with("fieldNames", all.join(", ")));
            }
        }
    }
    let extra = rights.iter().filter(|r| !lefts.iter().any(|l| names.same(&l.name, &r.name)));
    for c in extra {
        if allow_missing {
            left_list.push(null(c));
        }
        right_list.push(reference(c));
    }
    left.project(left_list)?.union(&right.project(right_list)?)
}

/// That the right side has each field of the left: it gets none that it lacks.
fn all_there(target: &DataType, left: &DataType, right: &DataType, names: Names) -> Result<()> {
    match (target, left, right) {
        (DataType::Struct(t), DataType::Struct(l), DataType::Struct(r)) => {
            for f in l.fields.iter() {
                let (Some(t), Some(r)) = (
                    t.fields.iter().find(|o| names.same(&o.name, &f.name)),
                    r.fields.iter().find(|o| names.same(&o.name, &f.name)),
                ) else {
                    let fields: Vec<String> = r.fields.iter().map(|f| quote_identifier(&f.name)).collect();
                    return Err(Error::new("FIELD_NOT_FOUND")
                        .with("fieldName", quote_identifier(&f.name))
                        .with("fields", fields.join(", ")));
                };
                all_there(&t.data_type, &f.data_type, &r.data_type, names)?;
            }
            Ok(())
        }
        (DataType::Array(t, _), DataType::Array(l, _), DataType::Array(r, _)) => all_there(t, l, r, names),
        _ => Ok(()),
    }
}

fn fitted(c: &Attribute, to: &DataType, names: Names) -> Expr {
    let from = StructField::new(c.name.as_ref(), c.data_type.clone(), c.nullable);
    let old = reference(c);
    let new = nested::fitted(Column::of(old.clone()), &from, to, names, &|value, _, _| value).expr;
    if new == old { old } else { Column::of(new).alias(c.name.to_string()).expr }
}

fn null(c: &Attribute) -> Expr {
    Column::literal(Literal::null(c.data_type.clone())).alias(c.name.to_string()).expr
}
