//! Values brought into another shape: fields of structs by name, in another order, with nulls for those that are missing.

use super::{Column, Names, lit};
use crate::functions::{named_struct, transform, transform_values, when};
use vonk_types::{DataType, Literal, StructField, StructType};

/// Where no field is concerned: what becomes of a value of one type that another is wanted in.
pub(super) type Leaf<'a> = &'a dyn Fn(Column, &DataType, &DataType) -> Column;

/// A value of one type in the shape of another: see the module.
pub(super) fn fitted(
    value: Column,
    from: &StructField,
    to: &DataType,
    names: Names,
    leaf: Leaf<'_>,
) -> Column {
    match (&from.data_type, to) {
        (DataType::Struct(old), DataType::Struct(new)) if !same_shape(&from.data_type, to) => {
            let mut parts = Vec::new();
            for f in new.fields.iter() {
                let part = match old.fields.iter().find(|o| names.same(&o.name, &f.name)) {
                    Some(o) => {
                        fitted(value.clone().get_field(o.name.to_string()), o, &f.data_type, names, leaf)
                    }
                    None => Column::literal(Literal::null(f.data_type.clone())),
                };
                parts.extend([lit(f.name.to_string()), part]);
            }
            let made = named_struct(parts);
            if !from.nullable {
                return made;
            }
            when(value.is_null(), Column::literal(Literal::null(DataType::Null))).otherwise(made)
        }
        (DataType::Array(old, nulls), DataType::Array(new, _)) if !same_shape(old, new) => {
            let element = StructField::new("element", (**old).clone(), *nulls);
            transform(value, |x| fitted(x, &element, new, names, leaf))
        }
        (DataType::Map(_, old, nulls), DataType::Map(_, new, _)) if !same_shape(old, new) => {
            let element = StructField::new("value", (**old).clone(), *nulls);
            transform_values(value, |_, x| fitted(x, &element, new, names, leaf))
        }
        (from, to) => leaf(value, from, to),
    }
}

/// Whether no field must be moved, named otherwise or put in.
fn same_shape(a: &DataType, b: &DataType) -> bool {
    match (a, b) {
        (DataType::Struct(a), DataType::Struct(b)) => {
            a.fields.len() == b.fields.len()
                && a.fields
                    .iter()
                    .zip(b.fields.iter())
                    .all(|(a, b)| a.name == b.name && same_shape(&a.data_type, &b.data_type))
        }
        (DataType::Array(a, _), DataType::Array(b, _)) => same_shape(a, b),
        (DataType::Map(_, a, _), DataType::Map(_, b, _)) => same_shape(a, b),
        _ => true,
    }
}

/// The left type, its structs (in arrays, too, but not in maps) with the fields that only the right type has at their ends.
pub(super) fn widened(left: &DataType, right: &DataType, names: Names) -> DataType {
    match (left, right) {
        (DataType::Struct(l), DataType::Struct(r)) => {
            let find = |fields: &StructType, name: &str| {
                fields.fields.iter().find(|f| names.same(&f.name, name)).cloned()
            };
            let mut fields = Vec::new();
            for f in l.fields.iter() {
                let data_type = match find(r, &f.name) {
                    Some(other) => widened(&f.data_type, &other.data_type, names),
                    None => f.data_type.clone(),
                };
                fields.push(StructField { data_type, ..f.clone() });
            }
            fields.extend(r.fields.iter().filter(|f| find(l, &f.name).is_none()).cloned());
            DataType::Struct(StructType::new(fields))
        }
        (DataType::Array(l, nulls), DataType::Array(r, _)) => DataType::array(widened(l, r, names), *nulls),
        _ => left.clone(),
    }
}
