//! What all members of an OR say becomes a conjunct of its own: `(a AND b) OR (a AND c)` is `a AND (b OR c)`. And what an OR says
//! of one relation alone is implied beside it, so that it can be pushed down: `(x = 1 AND y = 2) OR (x = 3 AND y = 4)` implies
//! `x = 1 OR x = 3`.

use crate::optimizer::{Rule, RuleContext};
use crate::rules::output_ids;
use std::collections::HashSet;
use std::sync::Arc;
use vonk_error::Result;
use vonk_plan::logical::{ColumnId, Expr, JoinKind, LogicalPlan};

/// See the module.
pub struct FactorDisjunctions;

impl Rule for FactorDisjunctions {
    fn name(&self) -> &'static str {
        "FactorDisjunctions"
    }

    fn rewrite(&self, plan: Arc<LogicalPlan>, _: &RuleContext<'_>) -> Result<Arc<LogicalPlan>> {
        plan.transform_up(&mut |node| match node {
            LogicalPlan::Filter { predicate, input } => {
                let relations = base_relations(&input);
                Ok(LogicalPlan::Filter { predicate: rewrite(predicate, &relations), input })
            }
            LogicalPlan::Join(mut j) if j.kind == JoinKind::Inner => {
                let mut relations = base_relations(&j.left);
                relations.extend(base_relations(&j.right));
                j.condition = j.condition.map(|c| rewrite(c, &relations));
                Ok(LogicalPlan::Join(j))
            }
            other => Ok(other),
        })
    }
}

/// Column sets of the inputs of a tree of inner joins.
fn base_relations(plan: &LogicalPlan) -> Vec<HashSet<ColumnId>> {
    match plan {
        LogicalPlan::Join(j) if j.kind == JoinKind::Inner => {
            let mut out = base_relations(&j.left);
            out.extend(base_relations(&j.right));
            out
        }
        LogicalPlan::Filter { input, .. } => base_relations(input),
        other => vec![output_ids(other)],
    }
}

fn rewrite(predicate: Expr, relations: &[HashSet<ColumnId>]) -> Expr {
    let mut out = Vec::new();
    for c in predicate.conjuncts() {
        let Expr::Or(members) = c else {
            out.push(c);
            continue;
        };
        let (common, rest) = factor(members);
        out.extend(common);
        if let Some(Expr::Or(members)) = &rest {
            if relations.len() > 1 {
                out.extend(relations.iter().filter_map(|r| implied(members, r)));
            }
        }
        out.extend(rest);
    }
    Expr::and_all(out).unwrap_or_else(|| Expr::boolean(true))
}

/// Common conjuncts, and what is left of the OR.
fn factor(members: Vec<Expr>) -> (Vec<Expr>, Option<Expr>) {
    let lists: Vec<Vec<Expr>> = members.into_iter().map(Expr::conjuncts).collect();
    let Some((first, others)) = lists.split_first() else { return (vec![], None) };
    let common: Vec<Expr> = first
        .iter()
        .filter(|e| e.is_deterministic() && others.iter().all(|l| l.contains(e)))
        .cloned()
        .collect();
    let mut rest = Vec::with_capacity(lists.len());
    for list in lists {
        match Expr::and_all(list.into_iter().filter(|e| !common.contains(e)).collect()) {
            Some(e) => rest.push(e),
            // One member says no more than the common part: the OR adds nothing.
            None => return (common, None),
        }
    }
    (common, if rest.len() == 1 { rest.pop() } else { Some(Expr::Or(rest)) })
}

/// What the OR implies about one relation: the OR of each member's conjuncts over it, if every member has some.
fn implied(members: &[Expr], relation: &HashSet<ColumnId>) -> Option<Expr> {
    let mut parts = Vec::with_capacity(members.len());
    let mut partial = false;
    for m in members {
        let conjuncts = m.clone().conjuncts();
        let all = conjuncts.len();
        let own: Vec<Expr> = conjuncts
            .into_iter()
            .filter(|e| {
                let columns = e.columns();
                !columns.is_empty()
                    && columns.is_subset(relation)
                    && e.is_deterministic()
                    && !e.has_subquery()
            })
            .collect();
        partial |= own.len() < all;
        parts.push(Expr::and_all(own)?);
    }
    // If each member lies within the relation as a whole, the OR itself can be pushed down.
    partial.then(|| Expr::Or(parts))
}
