//! Unions by name.

use super::{Column, DataFrame, reference};
use vonk_error::{Error, Result};
use vonk_plan::logical::Column as Attribute;
use vonk_plan::unresolved::Expr;
use vonk_types::Literal;

/// The rows of both, the right side's columns in the order of the left's.
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
    let mut projection = Vec::with_capacity(lefts.len());
    for l in &lefts {
        match rights.iter().find(|r| names.same(&l.name, &r.name)) {
            Some(r) => projection.push(reference(r)),
            None if allow_missing => projection.push(null(l)),
            None => {
                let all: Vec<&str> = rights.iter().map(|r| r.name.as_ref()).collect();
                return Err(Error::new("UNRESOLVED_COLUMN_AMONG_FIELD_NAMES")
                    .with("colName", l.name.to_string())
                    .with("fieldNames", all.join(", ")));
            }
        }
    }
    let extra: Vec<&Attribute> =
        rights.iter().filter(|r| !lefts.iter().any(|l| names.same(&l.name, &r.name))).collect();
    if extra.is_empty() || !allow_missing {
        return left.union(&right.project(projection)?);
    }
    projection.extend(extra.iter().map(|c| reference(c)));
    let widened = lefts.iter().map(reference).chain(extra.iter().map(|c| null(c)));
    left.project(widened.collect())?.union(&right.project(projection)?)
}

fn null(c: &Attribute) -> Expr {
    Column::literal(Literal::null(c.data_type.clone())).alias(c.name.to_string()).expr
}
