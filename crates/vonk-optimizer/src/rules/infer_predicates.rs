//! Predicates that follow from equalities: where `a = b` and `a < 5`, also `b < 5`.
//!
//! Within a tree of inner joins, columns that are equal form a class; a predicate on one column with constants holds for every
//! other member of its class. The new predicates are pushed down to other scans. An outer join, or an anti join, carries what holds for
//! the side whose rows it keeps to the other one: rows there that do not satisfy it match nothing.

use crate::optimizer::{Rule, RuleContext};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use vonk_error::{Result, check_cancelled};
use vonk_plan::logical::{Column, ColumnId, Expr, Join, JoinKind, LogicalPlan, Named};
use vonk_types::CompareOp;

/// See the module.
pub struct InferPredicates;

impl Rule for InferPredicates {
    fn name(&self) -> &'static str {
        "InferPredicates"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, _: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        walk(plan)
    }
}

fn walk(plan: Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>> {
    let node = Arc::unwrap_or_clone(plan).map_inputs(&mut walk)?;
    check_cancelled()?;
    let LogicalPlan::Join(j) = &node else { return Ok(Arc::new(node)) };
    if j.lateral {
        return Ok(Arc::new(node));
    }
    let new = inferred(j);
    if new.is_empty() {
        return Ok(Arc::new(node));
    }
    let LogicalPlan::Join(mut j) = node else { return Ok(Arc::new(node)) };
    let mut conjuncts = j.condition.take().map(Expr::conjuncts).unwrap_or_default();
    conjuncts.extend(new);
    j.condition = Expr::and_all(conjuncts);
    Ok(Arc::new(LogicalPlan::Join(j)))
}

/// Predicates of a side that the join's equalities carry to the other one.
fn inferred(j: &Join) -> Vec<Expr> {
    let Some(condition) = &j.condition else { return vec![] };
    let (from_left, from_right) = match j.kind {
        JoinKind::Inner | JoinKind::LeftSemi => (true, true),
        JoinKind::Left | JoinKind::LeftAnti => (true, false),
        JoinKind::Right => (false, true),
        _ => return vec![],
    };
    let mut partners: HashMap<ColumnId, Vec<Column>> = HashMap::new();
    for c in condition.clone().conjuncts() {
        if let Expr::Compare { op: CompareOp::Eq, left, right } = &c {
            if let (Expr::Column(a), Expr::Column(b)) = (left.as_ref(), right.as_ref()) {
                if a.data_type == b.data_type {
                    partners.entry(a.id).or_default().push(b.clone());
                    partners.entry(b.id).or_default().push(a.clone());
                }
            }
        }
    }
    if partners.is_empty() {
        return vec![];
    }
    let mut known = Vec::new();
    constraints(&j.left, &mut known);
    let of_left = known.len();
    constraints(&j.right, &mut known);
    let carried = match (from_left, from_right) {
        (true, true) => &known[..],
        (true, false) => &known[..of_left],
        _ => &known[of_left..],
    };
    let mut out: Vec<Expr> = Vec::new();
    for p in carried {
        let columns = p.columns();
        let Some(id) = columns.iter().next().filter(|_| columns.len() == 1) else { continue };
        for partner in partners.get(id).into_iter().flatten() {
            let Ok(moved) = p.clone().replace_columns(&|_| Some(Expr::column(partner))) else { continue };
            if !known.contains(&moved) && !out.contains(&moved) {
                out.push(moved);
            }
        }
    }
    out
}

/// Simple single-column predicates that hold for a plan's output.
fn constraints(plan: &LogicalPlan, out: &mut Vec<Expr>) {
    let visible: HashSet<ColumnId> = plan.output().iter().map(|c| c.id).collect();
    let mut add = |list: &[Expr]| {
        for p in list {
            for c in p.clone().conjuncts() {
                let simple = match &c {
                    Expr::Compare { op, left, right } => {
                        *op != CompareOp::EqNullSafe
                            && matches!((left.as_ref(), right.as_ref()), (Expr::Column(_), Expr::Literal(_)))
                    }
                    Expr::InList { expr, list, negated: false } => {
                        matches!(expr.as_ref(), Expr::Column(_))
                            && list.iter().all(|e| matches!(e, Expr::Literal(_)))
                    }
                    _ => false,
                };
                if simple && c.columns().is_subset(&visible) {
                    out.push(c);
                }
            }
        }
    };
    match plan {
        LogicalPlan::Scan(s) => add(&s.filters),
        LogicalPlan::Filter { predicate, input } => {
            add(std::slice::from_ref(predicate));
            constraints(input, out);
        }
        LogicalPlan::Join(j) if matches!(j.kind, JoinKind::Inner) => {
            constraints(&j.left, out);
            constraints(&j.right, out);
        }
        LogicalPlan::Join(j)
            if matches!(j.kind, JoinKind::LeftSemi | JoinKind::LeftAnti | JoinKind::Left) =>
        {
            constraints(&j.left, out);
        }
        LogicalPlan::Join(j) if j.kind == JoinKind::Right => constraints(&j.right, out),
        LogicalPlan::Project { input, exprs } => renamed(input, exprs, out),
        LogicalPlan::Aggregate { groups, input, .. } => renamed(input, groups, out),
        _ => {}
    }
}

/// The constraints of an input on columns that go on, perhaps under other names.
fn renamed(input: &LogicalPlan, exprs: &[Named<Expr>], out: &mut Vec<Expr>) {
    let passed: Vec<(ColumnId, &Column)> = exprs
        .iter()
        .filter_map(|n| match &n.expr {
            Expr::Column(c) => Some((c.id, &n.column)),
            _ => None,
        })
        .collect();
    if passed.is_empty() {
        return;
    }
    let mut below = Vec::new();
    constraints(input, &mut below);
    for p in below {
        let Some(id) = p.columns().into_iter().next() else { continue };
        for (_, column) in passed.iter().filter(|(from, _)| *from == id) {
            out.extend(p.clone().replace_columns(&|_| Some(Expr::column(column))));
        }
    }
}
