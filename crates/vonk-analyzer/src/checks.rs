//! What must hold of every resolved plan. Checked in debug builds, so that a mistake here does not surface as a riddle in the
//! optimizer.

use crate::resolved::Finished;
use std::collections::HashSet;
use std::sync::Arc;
use vonk_error::{Error, Result, check_cancelled};
use vonk_plan::logical::{Column, ColumnId, Expr, JoinKind, LogicalPlan};

/// That all columns come from somewhere, and none from two sides. Finished plans were checked when they were made.
pub(crate) fn verify(plan: &Arc<LogicalPlan>, finished: &Finished) -> Result<()> {
    Check { finished }.node(plan, &HashSet::new())
}

fn ids(columns: &[Column]) -> HashSet<ColumnId> {
    columns.iter().map(|c| c.id).collect()
}

struct Check<'a> {
    finished: &'a Finished,
}

impl Check<'_> {
    fn node(&self, plan: &Arc<LogicalPlan>, outer: &HashSet<ColumnId>) -> Result<()> {
        if self.finished.has(plan) {
            return Ok(());
        }
        check_cancelled()?;
        let mut input: HashSet<ColumnId> = HashSet::new();
        for i in plan.inputs() {
            input.extend(ids(&i.output()));
        }
        for e in plan.exprs() {
            self.expr(e, &input, outer, plan)?;
        }
        match plan.as_ref() {
            LogicalPlan::Join(j) => {
                let left = ids(&j.left.output());
                if j.kind != JoinKind::LeftSemi && !left.is_disjoint(&ids(&j.right.output())) {
                    return Err(wrong("both sides of a join have the same column", plan));
                }
                self.node(&j.left, outer)?;
                if j.lateral {
                    self.node(&j.right, &outer.union(&left).copied().collect())
                } else {
                    self.node(&j.right, outer)
                }
            }
            LogicalPlan::Union { columns, inputs } => {
                for i in inputs {
                    let types = i.output();
                    let fits = types.len() == columns.len()
                        && types.iter().zip(columns).all(|(a, b)| a.data_type.same_type(&b.data_type, false));
                    if !fits {
                        return Err(wrong("inputs of a union differ in type", plan));
                    }
                }
                inputs.iter().try_for_each(|i| self.node(i, outer))
            }
            _ => plan.inputs().into_iter().try_for_each(|i| self.node(i, outer)),
        }
    }

    fn expr(
        &self,
        e: &Expr,
        input: &HashSet<ColumnId>,
        outer: &HashSet<ColumnId>,
        plan: &LogicalPlan,
    ) -> Result<()> {
        let mut result = Ok(());
        e.visit(&mut |e| {
            if result.is_err() {
                return;
            }
            match e {
                Expr::Column(c) if !input.contains(&c.id) => {
                    result = Err(wrong(&format!("no column {}#{} in the input", c.name, c.id.0), plan));
                }
                Expr::OuterColumn(c) if !outer.contains(&c.id) => {
                    result = Err(wrong(&format!("no outer column {}#{}", c.name, c.id.0), plan));
                }
                Expr::Subquery(s) => {
                    let around: HashSet<ColumnId> = outer.union(input).copied().collect();
                    if let Some(c) = s.outer.iter().find(|c| !around.contains(&c.id)) {
                        result = Err(wrong(&format!("a subquery wants {}#{}", c.name, c.id.0), plan));
                        return;
                    }
                    result = self
                        .node(&s.plan, &around)
                        .and_then(|()| noted(&s.plan, &ids(&s.outer), &around, plan));
                }
                _ => {}
            }
        });
        result
    }
}

/// Every outer column of a subquery's plan is in the subquery's list.
fn noted(
    plan: &LogicalPlan,
    listed: &HashSet<ColumnId>,
    around: &HashSet<ColumnId>,
    whole: &LogicalPlan,
) -> Result<()> {
    let mut result = Ok(());
    plan.visit(&mut |n| {
        for e in n.exprs() {
            e.visit(&mut |e| match e {
                Expr::OuterColumn(c) if around.contains(&c.id) && !listed.contains(&c.id) => {
                    result =
                        Err(wrong(&format!("{}#{} is not listed as outer column", c.name, c.id.0), whole));
                }
                _ => {}
            });
        }
    });
    result
}

fn wrong(what: &str, plan: &LogicalPlan) -> Error {
    Error::internal(format!("{what}:\n{plan}"))
}
