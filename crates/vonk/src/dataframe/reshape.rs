//! Columns turned into rows.

use super::{Column, DataFrame, reference};
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::{Expr, ExprKind, Plan, Unpivot};

/// `UNPIVOT INCLUDE NULLS`, after a projection to the columns that are named.
pub(super) fn unpivot(
    df: &DataFrame,
    ids: Vec<Expr>,
    values: Vec<Expr>,
    variable: &str,
    value: &str,
) -> Result<DataFrame> {
    let kept = df.project(ids)?;
    let kept: Vec<_> = kept.resolved.columns().iter().map(|c| c.id).collect();
    let values = match values.is_empty() {
        true => df.resolved.columns().iter().filter(|c| !kept.contains(&c.id)).map(reference).collect(),
        false => values,
    };
    if values.is_empty() {
        return Err(Error::new("UNPIVOT_REQUIRES_VALUE_COLUMNS"));
    }
    let values = df.project(values)?.resolved.columns();
    let columns = df.resolved.columns();
    let wanted = columns
        .iter()
        .filter(|c| kept.contains(&c.id))
        .chain(values.iter().filter(|c| !kept.contains(&c.id)));
    let narrow = df.project(wanted.map(reference).collect())?;
    narrow.step(&Plan::Unpivot(Box::new(Unpivot {
        input: narrow.input(),
        include_nulls: true,
        values: vec![value.to_string()],
        name: variable.to_string(),
        columns: values.iter().map(|c| (vec![name_of(c)], None)).collect(),
        span: Span::NONE,
    })))
}

/// A column by its name: what SQL's UNPIVOT takes.
fn name_of(c: &vonk_plan::logical::Column) -> Expr {
    Column::new(ExprKind::Name(vonk_plan::unresolved::Name::of(c.name.to_string()))).expr
}
