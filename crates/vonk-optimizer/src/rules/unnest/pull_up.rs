//! Moves correlated predicates out of a subquery.
//!
//! Each operator either lets predicates pass (making sure that the inner columns they need come out above it) or refuses, and
//! the general way is taken.

use super::defaults::Defaults;
use super::{has_outer, outer_references};
use crate::optimizer::RuleContext;
use crate::rules::{filter, output_ids};
use std::collections::HashSet;
use std::sync::Arc;
use vonk_error::Result;
use vonk_plan::logical::{Column, ColumnId, Expr, Join, JoinKind, LogicalPlan, Named, Window};
use vonk_types::CompareOp;

/// A subquery without outer references.
pub(super) struct Pulled {
    pub plan: Arc<LogicalPlan>,
    /// Over its output and the outer columns (as [`Expr::OuterColumn`]).
    pub predicates: Vec<Expr>,
    /// Below is a global aggregate: an outer row without a match still has a row, of these values.
    pub defaults: Option<Defaults>,
}

struct Puller<'a> {
    outer: &'a HashSet<ColumnId>,
    cx: &'a RuleContext<'a>,
    kind: JoinKind,
}

/// Pulls all correlated predicates out of the right side of a join, if that can be done.
pub(super) fn pull_up(j: &Join, outer: &HashSet<ColumnId>, cx: &RuleContext<'_>) -> Result<Option<Pulled>> {
    let puller = Puller { outer, cx, kind: j.kind };
    let pulled = puller.visit(&j.right)?;
    // Rows without a match count as rows of the aggregate for EXISTS and IN too: those take the general way, unless the
    // aggregate's row can have no effect.
    Ok(pulled.filter(|p| p.defaults.is_none() || j.kind.outputs_right()))
}

impl Puller<'_> {
    fn is_free(&self, plan: &LogicalPlan) -> bool {
        outer_references(plan, self.outer).is_empty()
    }

    /// Duplicates do not matter to the join.
    fn only_existence(&self) -> bool {
        matches!(
            self.kind,
            JoinKind::LeftSemi | JoinKind::LeftAnti | JoinKind::NullAwareAnti | JoinKind::Mark
        )
    }

    fn visit(&self, plan: &Arc<LogicalPlan>) -> Result<Option<Pulled>> {
        vonk_error::check_cancelled()?;
        if self.is_free(plan) {
            let global = matches!(plan.as_ref(), LogicalPlan::Aggregate { groups, .. } if groups.is_empty());
            // A free global aggregate always has its row; no default is needed as long as no predicate is attached below.
            let _ = global;
            return Ok(Some(Pulled { plan: plan.clone(), predicates: vec![], defaults: None }));
        }
        match plan.as_ref() {
            LogicalPlan::Filter { predicate, input } => self.filter(predicate, input),
            LogicalPlan::Project { exprs, input } => self.project(exprs, input),
            LogicalPlan::Aggregate { .. } => self.aggregate(plan),
            LogicalPlan::Distinct { input } => {
                let Some(p) = self.visit(input)? else { return Ok(None) };
                if p.defaults.is_some() || !(self.only_existence() || self.all_equalities(&p.predicates)) {
                    return Ok(None);
                }
                Ok(Some(Pulled { plan: Arc::new(LogicalPlan::Distinct { input: p.plan }), ..p }))
            }
            // Without a limit above, the order of a subquery's rows means nothing.
            LogicalPlan::Sort { input, global: true, .. } => self.visit(input),
            LogicalPlan::Limit { skip: 0, fetch: Some(n), input } if *n > 0 && self.kind_ignores_limit() => {
                self.visit(input)
            }
            LogicalPlan::Join(j) if !j.lateral => self.join(j),
            LogicalPlan::Window(w) => self.window(w),
            _ => Ok(None),
        }
    }

    fn kind_ignores_limit(&self) -> bool {
        matches!(self.kind, JoinKind::LeftSemi | JoinKind::LeftAnti) || matches!(self.kind, JoinKind::Mark)
    }

    fn filter(&self, predicate: &Expr, input: &Arc<LogicalPlan>) -> Result<Option<Pulled>> {
        let Some(mut p) = self.visit(input)? else { return Ok(None) };
        let (correlated, plain): (Vec<_>, Vec<_>) =
            predicate.clone().conjuncts().into_iter().partition(|c| has_outer(c, self.outer));
        if let Some(d) = p.defaults.take() {
            // HAVING over an aggregate whose row may be missing: only on inner columns.
            if !correlated.is_empty() {
                return Ok(None);
            }
            p.defaults = Some(d.filtered(predicate)?);
        }
        if correlated.iter().any(Expr::has_subquery) {
            return Ok(None);
        }
        p.plan = filter(plain, p.plan);
        p.predicates.extend(correlated);
        Ok(Some(p))
    }

    fn project(&self, exprs: &[Named<Expr>], input: &Arc<LogicalPlan>) -> Result<Option<Pulled>> {
        if exprs.iter().any(|n| has_outer(&n.expr, self.outer)) {
            return Ok(None);
        }
        let Some(mut p) = self.visit(input)? else { return Ok(None) };
        if let Some(d) = p.defaults.take() {
            p.defaults = Some(d.through(exprs)?);
        }
        let mut exprs = exprs.to_vec();
        self.pass_on(&mut exprs, &p);
        p.plan = Arc::new(LogicalPlan::Project { exprs, input: p.plan });
        Ok(Some(p))
    }

    /// Adds the inner columns that predicates need and that do not come out yet.
    fn pass_on(&self, exprs: &mut Vec<Named<Expr>>, p: &Pulled) {
        let available = p.plan.output();
        let mut needed = HashSet::new();
        p.predicates.iter().for_each(|e| e.collect_columns(&mut needed));
        for c in available {
            if needed.contains(&c.id) && !exprs.iter().any(|n| n.column.id == c.id) {
                exprs.push(Named::pass(&c));
            }
        }
    }

    /// `inner expression = outer expression`, as (inner, outer).
    fn equality(&self, p: &Expr) -> Option<(Expr, Expr)> {
        let Expr::Compare { op: CompareOp::Eq | CompareOp::EqNullSafe, left, right } = p else { return None };
        let inner = |e: &Expr| !has_outer(e, self.outer);
        let outer_only = |e: &Expr| e.columns().is_empty() && has_outer(e, self.outer);
        if inner(left) && outer_only(right) {
            Some(((**left).clone(), (**right).clone()))
        } else if inner(right) && outer_only(left) {
            Some(((**right).clone(), (**left).clone()))
        } else {
            None
        }
    }

    fn all_equalities(&self, predicates: &[Expr]) -> bool {
        predicates.iter().all(|p| self.equality(p).is_some())
    }

    /// Correlated equalities become further group keys.
    fn aggregate(&self, plan: &Arc<LogicalPlan>) -> Result<Option<Pulled>> {
        let LogicalPlan::Aggregate { groups, aggregates, input } = plan.as_ref() else { return Ok(None) };
        let own = plan.exprs();
        if own.iter().any(|e| has_outer(e, self.outer)) {
            return Ok(None);
        }
        let Some(p) = self.visit(input)? else { return Ok(None) };
        // A global aggregate over a global aggregate always has a row; too rare to be worth its own case.
        if p.defaults.is_some() || !self.all_equalities(&p.predicates) {
            return Ok(None);
        }
        let defaults = if groups.is_empty() {
            Some(Defaults::of_aggregates(aggregates, &self.cx.env.registry)?)
        } else {
            None
        };
        let mut groups = groups.clone();
        let mut predicates = Vec::with_capacity(p.predicates.len());
        for e in &p.predicates {
            let (Some((inner, outer)), Expr::Compare { op, .. }) = (self.equality(e), e) else {
                return Ok(None);
            };
            let key = self.group_key(&mut groups, inner);
            predicates.push(Expr::Compare {
                op: *op,
                left: Box::new(Expr::column(&key)),
                right: Box::new(outer),
            });
        }
        let plan = LogicalPlan::Aggregate { groups, aggregates: aggregates.clone(), input: p.plan };
        Ok(Some(Pulled { plan: Arc::new(plan), predicates, defaults }))
    }

    fn group_key(&self, groups: &mut Vec<Named<Expr>>, inner: Expr) -> Column {
        if let Some(g) = groups.iter().find(|g| g.expr == inner) {
            return g.column.clone();
        }
        let column = match &inner {
            Expr::Column(c) => c.clone(),
            e => self.cx.ids.column("key", e.data_type(), e.nullable()),
        };
        groups.push(Named { expr: inner, column: column.clone() });
        column
    }

    fn join(&self, j: &Join) -> Result<Option<Pulled>> {
        let mut join = j.clone();
        let (left_free, right_free) = (self.is_free(&j.left), self.is_free(&j.right));
        let may_left = matches!(
            j.kind,
            JoinKind::Inner
                | JoinKind::Left
                | JoinKind::LeftSemi
                | JoinKind::LeftAnti
                | JoinKind::NullAwareAnti
                | JoinKind::Mark
                | JoinKind::LeftSingle
        );
        let may_right = matches!(j.kind, JoinKind::Inner | JoinKind::Right);
        if (!left_free && !may_left) || (!right_free && !may_right) {
            return Ok(None);
        }
        let (Some(l), Some(r)) = (self.visit(&j.left)?, self.visit(&j.right)?) else { return Ok(None) };
        if l.defaults.is_some() || r.defaults.is_some() {
            return Ok(None);
        }
        let mut predicates = l.predicates;
        predicates.extend(r.predicates);
        join.left = l.plan;
        join.right = r.plan;
        if let Some(c) = join.condition.take() {
            let (correlated, plain): (Vec<_>, Vec<_>) =
                c.conjuncts().into_iter().partition(|c| has_outer(c, self.outer));
            if !correlated.is_empty() && j.kind != JoinKind::Inner {
                // A correlated condition of a semi or anti join: it may stay below only as a condition on the join above,
                // which is another join.
                return Ok(None);
            }
            predicates.extend(correlated);
            join.condition = Expr::and_all(plain);
        }
        Ok(Some(Pulled { plan: Arc::new(LogicalPlan::Join(join)), predicates, defaults: None }))
    }

    fn window(&self, w: &Window) -> Result<Option<Pulled>> {
        let own = LogicalPlan::Window(w.clone());
        if own.exprs().iter().any(|e| has_outer(e, self.outer)) {
            return Ok(None);
        }
        let Some(p) = self.visit(&w.input)? else { return Ok(None) };
        if p.defaults.is_some() || !self.all_equalities(&p.predicates) {
            return Ok(None);
        }
        let mut window = w.clone();
        let keys = p.predicates.iter().filter_map(|e| self.equality(e)).map(|(inner, _)| inner);
        window.partition_by.extend(keys);
        window.input = p.plan.clone();
        debug_assert!(output_ids(&p.plan).len() >= output_ids(&w.input).len());
        Ok(Some(Pulled { plan: Arc::new(LogicalPlan::Window(window)), ..p }))
    }
}
