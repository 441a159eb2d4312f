//! `arrays_zip`.

use super::lists::{Lists, Picks, Shape};
use super::{array_arg, docs, resolved};
use crate::describe::{Docs, ex};
use crate::kernel::KernelCall;
use crate::resolve::{Arg, Arity, CallSite, Resolution};
use crate::scalar::ScalarFunction;
use arrow::array::{ArrayRef, StructArray};
use arrow::datatypes::DataType as ArrowType;
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::{DataType, StructField, StructType};

const ZIP: Docs = docs(
    "arrays_zip(array1, array2, ...)",
    "An array of structs: the n-th has the n-th elements of all arrays, null where an array is shorter.",
    "2.4.0",
    &[
        ex(
            "SELECT arrays_zip(array(1, 2, 3), array(2, 3))",
            "[{\"0\":1,\"1\":2},{\"0\":2,\"1\":3},{\"0\":3,\"1\":null}]",
        ),
        ex("SELECT arrays_zip(a, b) FROM VALUES (array(1), array(2)) AS t(a, b)", "[{\"a\":1,\"b\":2}]"),
    ],
);

pub(super) fn rows() -> Vec<ScalarFunction> {
    vec![ScalarFunction {
        can_fail: false,
        ..ScalarFunction::new("arrays_zip", ZIP, Arity::at_least(0), resolve, zip)
    }]
}

fn resolve(site: &CallSite<'_>) -> Result<Resolution> {
    let (mut types, mut fields) = (Vec::new(), Vec::new());
    for (i, arg) in site.args.iter().enumerate() {
        let (array, element, _) = array_arg(site, i)?;
        types.push(array);
        let name = column_name(arg).map_or_else(|| i.to_string(), str::to_string);
        fields.push(StructField::new(name, element, true));
    }
    let return_type = DataType::array(DataType::Struct(StructType::new(fields)), false);
    resolved(types, return_type, site.any_nullable())
}

/// The name of a column or of a struct's field; other expressions have none.
fn column_name(arg: &Arg) -> Option<&str> {
    if arg.literal.is_some() {
        return None;
    }
    let part = |s: &str| {
        s.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && s.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    arg.sql.split('.').all(part).then(|| arg.sql.rsplit('.').next()).flatten()
}

fn zip(call: &KernelCall<'_>) -> Result<ArrayRef> {
    let lists: Vec<Lists<'_>> = call.args.iter().map(Lists::of).collect();
    let mut columns: Vec<Picks> =
        lists.iter().map(|l| Picks::of(l.elements().data_type(), &[l.elements()])).collect();
    let mut shape = Shape::new(call.rows);
    let mut total = 0;
    for row in 0..call.rows {
        let ranges: Option<Vec<_>> = lists.iter().map(|l| l.range(row)).collect();
        let Some(ranges) = ranges else {
            shape.push_null();
            continue;
        };
        let longest = ranges.iter().map(|r| r.len()).max().unwrap_or(0);
        for (column, range) in columns.iter_mut().zip(ranges) {
            let missing = longest - range.len();
            column.extend(1, range);
            (0..missing).for_each(|_| column.push_null());
        }
        shape.push(longest)?;
        total += longest;
    }
    let columns = columns.into_iter().map(Picks::finish).collect::<Result<Vec<_>>>()?;
    let DataType::Array(element, _) = call.return_type else {
        return vonk_error::internal_err!("zip of type {}", call.return_type);
    };
    let ArrowType::Struct(fields) = element.to_arrow() else {
        return vonk_error::internal_err!("zip of type {}", call.return_type);
    };
    let structs = StructArray::try_new_with_length(fields, columns, None, total)?;
    shape.list(Arc::new(structs), call.return_type)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    #[test]
    fn zips() {
        let a = int_lists(&[Some(&[Some(1), Some(2)]), Some(&[]), None]);
        let b = int_lists(&[Some(&[Some(7)]), Some(&[None]), Some(&[])]);
        assert_eq!(
            run("arrays_zip", &[a, b]).unwrap(),
            ["[{0: 1, 1: 7}, {0: 2, 1: null}]", "[{0: null, 1: null}]", "null"]
        );
    }
}
