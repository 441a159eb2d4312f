//! Leaving out row groups (and pages) whose statistics exclude a predicate.
//!
//! Interval logic with three outcomes, as in "small materialized aggregates" (Moerkotte 1998): a predicate is *never*, *perhaps*
//! or *always* true of a set of rows known by minimum, maximum and null count. Only never matters; always is there for NOT.

use std::cmp::Ordering;
use vonk_eval::BoundExpr;
use vonk_types::{CompareOp, DataType, Literal, ScalarValue};

/// What is known of a column's values in a set of rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    pub min: Option<ScalarValue>,
    pub max: Option<ScalarValue>,
    pub nulls: Option<u64>,
    pub rows: u64,
}

/// Where a predicate can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outcome {
    can_be_true: bool,
    can_be_false: bool,
}

const PERHAPS: Outcome = Outcome { can_be_true: true, can_be_false: true };

/// Whether some row of a set may satisfy the predicate. `summary` gives what is known of a column.
pub(crate) fn may_match(predicate: &BoundExpr, summary: &dyn Fn(usize) -> Option<Summary>) -> bool {
    outcome(predicate, summary).can_be_true
}

fn outcome(e: &BoundExpr, summary: &dyn Fn(usize) -> Option<Summary>) -> Outcome {
    match e {
        BoundExpr::Literal(l) => match l.as_bool() {
            Some(b) => Outcome { can_be_true: b, can_be_false: !b },
            None => Outcome { can_be_true: false, can_be_false: false },
        },
        BoundExpr::And(list) => list.iter().map(|x| outcome(x, summary)).fold(
            Outcome { can_be_true: true, can_be_false: false },
            |a, b| Outcome {
                can_be_true: a.can_be_true && b.can_be_true,
                can_be_false: a.can_be_false || b.can_be_false,
            },
        ),
        BoundExpr::Or(list) => list.iter().map(|x| outcome(x, summary)).fold(
            Outcome { can_be_true: false, can_be_false: true },
            |a, b| Outcome {
                can_be_true: a.can_be_true || b.can_be_true,
                can_be_false: a.can_be_false && b.can_be_false,
            },
        ),
        BoundExpr::Not(x) => {
            let o = outcome(x, summary);
            Outcome { can_be_true: o.can_be_false, can_be_false: o.can_be_true }
        }
        BoundExpr::IsNull(x) => nullness(x, summary, true),
        BoundExpr::IsNotNull(x) => nullness(x, summary, false),
        BoundExpr::Compare { op, left, right } => match (left.as_ref(), right.as_ref()) {
            (BoundExpr::Column { index, .. }, BoundExpr::Literal(l)) => compare(*op, summary(*index), l),
            (BoundExpr::Literal(l), BoundExpr::Column { index, .. }) => {
                compare(op.swap(), summary(*index), l)
            }
            _ => PERHAPS,
        },
        BoundExpr::InList { expr, list, negated: false } => match expr.as_ref() {
            BoundExpr::Column { index, .. } => {
                let known = summary(*index);
                let any = list.iter().any(|m| match m {
                    BoundExpr::Literal(l) => compare(CompareOp::Eq, known.clone(), l).can_be_true,
                    _ => true,
                });
                Outcome { can_be_true: any, can_be_false: true }
            }
            _ => PERHAPS,
        },
        _ => PERHAPS,
    }
}

fn nullness(e: &BoundExpr, summary: &dyn Fn(usize) -> Option<Summary>, is_null: bool) -> Outcome {
    let BoundExpr::Column { index, .. } = e else { return PERHAPS };
    let Some(Summary { nulls: Some(nulls), rows, .. }) = summary(*index) else { return PERHAPS };
    let (some_null, some_value) = (nulls > 0, nulls < rows);
    if is_null {
        Outcome { can_be_true: some_null, can_be_false: some_value }
    } else {
        Outcome { can_be_true: some_value, can_be_false: some_null }
    }
}

fn compare(op: CompareOp, known: Option<Summary>, value: &Literal) -> Outcome {
    let Some(known) = known else { return PERHAPS };
    // Spark orders NaN above all and takes -0.0 for 0.0; writers' statistics do neither reliably.
    if matches!(value.data_type, DataType::Float | DataType::Double) || value.is_null() {
        return PERHAPS;
    }
    if op == CompareOp::EqNullSafe || known.rows == 0 {
        return PERHAPS;
    }
    if known.nulls == Some(known.rows) {
        return Outcome { can_be_true: false, can_be_false: false };
    }
    let low = known.min.as_ref().and_then(|m| m.partial_cmp(&value.value));
    let high = known.max.as_ref().and_then(|m| m.partial_cmp(&value.value));
    let (Some(low), Some(high)) = (low, high) else { return PERHAPS };
    use Ordering::{Equal, Greater, Less};
    let single = low == Equal && high == Equal;
    let (t, f) = match op {
        CompareOp::Eq => (low != Greater && high != Less, !single),
        CompareOp::NotEq => (!single, low != Greater && high != Less),
        CompareOp::Lt => (low == Less, high != Less),
        CompareOp::LtEq => (low != Greater, high == Greater),
        CompareOp::Gt => (high == Greater, low != Greater),
        CompareOp::GtEq => (high != Less, low == Less),
        CompareOp::EqNullSafe => (true, true),
    };
    Outcome { can_be_true: t, can_be_false: f }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(op: CompareOp, value: i32, min: i32, max: i32) -> bool {
        let e = BoundExpr::Compare {
            op,
            left: Box::new(BoundExpr::column(0, DataType::Int)),
            right: Box::new(BoundExpr::Literal(Literal::int(value))),
        };
        let known = Summary {
            min: Some(ScalarValue::Int32(Some(min))),
            max: Some(ScalarValue::Int32(Some(max))),
            nulls: Some(0),
            rows: 10,
        };
        may_match(&e, &|_| Some(known.clone()))
    }

    #[test]
    fn agrees_with_enumeration() {
        use CompareOp::*;
        for op in [Eq, NotEq, Lt, LtEq, Gt, GtEq] {
            for value in 0..6 {
                for min in 0..6 {
                    for max in min..6 {
                        let holds = |x: i32| match op {
                            Eq => x == value,
                            NotEq => x != value,
                            Lt => x < value,
                            LtEq => x <= value,
                            Gt => x > value,
                            _ => x >= value,
                        };
                        let expected = (min..=max).any(holds);
                        assert_eq!(test(op, value, min, max), expected, "{op:?} {value} in {min}..{max}");
                    }
                }
            }
        }
    }
}
