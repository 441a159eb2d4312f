//! Joins of a DataFrame with itself, or with one made of it: columns of both sides that were one column.
//!
//! As in Spark: the right side's columns become new ones. A condition that compares a column with itself means the two sides'
//! (`spark.sql.selfJoinAutoResolveAmbiguity`); any other reference to such a column is refused, because it does not say which side it
//! means (`spark.sql.analyzer.failAmbiguousSelfJoin`); [`alias`](super::DataFrame::alias) tells them apart.

use super::DataFrame;
use crate::pipeline::Pipeline;
use crate::session::Control;
use std::collections::HashMap;
use vonk_analyzer::Resolved;
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{BinaryOp, ColumnRef, Expr, ExprKind, JoinConstraint};

/// The right side with columns that the left does not have, and the condition over both.
pub(super) fn told_apart(
    left: &DataFrame,
    right: &DataFrame,
    constraint: JoinConstraint,
) -> Result<(Resolved, JoinConstraint)> {
    let lefts: Vec<_> = left.resolved.columns().iter().map(|c| c.id).collect();
    let columns = right.resolved.columns();
    if !columns.iter().any(|c| lefts.contains(&c.id)) {
        return Ok((right.resolved.clone(), constraint));
    }
    let control = Control::default();
    let cx = Pipeline::new(&left.session, "", &control)?;
    let renewed = cx.with_analyzer(|a| a.renewed(&right.resolved));
    let new: HashMap<u64, ColumnRef> = columns
        .iter()
        .zip(renewed.columns())
        .filter(|(old, _)| lefts.contains(&old.id))
        .map(|(old, new)| (old.id.0, ColumnRef { id: new.id.0, name: new.name.to_string(), seen_in: None }))
        .collect();
    let rights: HashMap<u64, u64> =
        columns.iter().zip(renewed.columns()).map(|(o, n)| (o.id.0, n.id.0)).collect();
    let constraint = match constraint {
        JoinConstraint::On(mut e) => {
            compared(&mut e, &new, &rights)?;
            JoinConstraint::On(e)
        }
        other => other,
    };
    Ok((renewed, constraint))
}

/// Gives references of a condition their sides. `new` are columns of both sides, `rights` all of the right side.
fn compared(e: &mut Expr, new: &HashMap<u64, ColumnRef>, rights: &HashMap<u64, u64>) -> Result<()> {
    match &mut e.kind {
        ExprKind::Binary { op: BinaryOp::Eq | BinaryOp::NullSafeEq, left, right } => {
            if let (ExprKind::Column(l), ExprKind::Column(r)) = (&mut left.kind, &mut right.kind)
                && l.id == r.id
                && let Some(c) = new.get(&r.id)
            {
                *r = c.clone();
                l.seen_in = None;
                return Ok(());
            }
            compared(left, new, rights)?;
            compared(right, new, rights)
        }
        ExprKind::Column(c) => match (new.get(&c.id), rights.get(&c.id)) {
            (Some(_), _) => Err(ambiguous(c)),
            (None, Some(id)) => {
                *c = ColumnRef { id: *id, ..c.clone() };
                Ok(())
            }
            _ => Ok(()),
        },
        _ => {
            let mut result = Ok(());
            e.for_each_part(&mut |part| {
                if result.is_ok() {
                    result = compared(part, new, rights);
                }
            });
            result
        }
    }
}

fn ambiguous(c: &ColumnRef) -> Error {
    vonk_analyzer::ambiguous_reference(c)
}
