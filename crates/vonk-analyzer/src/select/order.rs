//! ORDER BY, SORT BY and DISTRIBUTE BY. Directly above a SELECT they may name what it does not select.

use super::aggregate::Grouped;
use super::calls::Calls;
use super::{Context, Output};
use crate::analyzer::Binder;
use crate::env::Env;
use crate::expr::{Clause, Walk, sort_expr};
use crate::relation::Relation;
use crate::scope::Scope;
use crate::typed::Typed;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::ColumnId;
use vonk_plan::logical::{Column, Distribution, Expr, LogicalPlan, Named, SortExpr};
use vonk_plan::unresolved::{self, ExprKind, Hint, Name, SortKey, SortKeys};

/// An operator above a SELECT that may look below its projection.
pub(crate) enum Tail<'p> {
    /// ORDER BY, SORT BY.
    Sort {
        /// Keys.
        keys: &'p SortKeys,
        /// ORDER BY.
        global: bool,
    },
    /// DISTRIBUTE BY.
    Distribute(&'p [unresolved::Expr]),
    /// Hints, of which some move rows.
    Hints(&'p [Hint]),
}

/// A resolved [`Tail`].
pub(super) struct Step {
    keys: Vec<SortExpr>,
    kind: StepKind,
    named: HashMap<ColumnId, Name>,
    shown: Scope,
}

enum StepKind {
    Sort {
        global: bool,
    },
    Distribute,
    /// As a hint says; its columns are those of the select list.
    Hinted(Vec<Distribution>),
}

impl Step {
    fn exprs(&self) -> Vec<&Expr> {
        let mut out: Vec<&Expr> = self.keys.iter().map(|k| &k.expr).collect();
        if let StepKind::Hinted(wanted) = &self.kind {
            for d in wanted {
                match d {
                    Distribution::Hash(by, _) => out.extend(by),
                    Distribution::Range(keys, _) => out.extend(keys.iter().map(|k| &k.expr)),
                    Distribution::RoundRobin(_) | Distribution::Coalesce(_) => {}
                }
            }
        }
        out
    }

    /// Over the output of an aggregate.
    pub fn rewrite(&mut self, g: &Grouped) -> Result<()> {
        for k in &mut self.keys {
            let e = std::mem::replace(&mut k.expr, Expr::boolean(true));
            k.expr = g.rewrite_hidden(e, &self.named, &self.shown, Span::NONE)?;
        }
        Ok(())
    }
}

impl Context<'_> {
    /// Resolves what stands above the SELECT.
    pub(super) fn tail(
        &self,
        tail: &[Tail<'_>],
        shown: &Scope,
        both: &[&Scope; 2],
        grouped: bool,
        outputs: &[Output],
    ) -> Result<Vec<Step>> {
        let scopes: &[&Scope] = if self.sel.distinct { &both[..1] } else { &both[..] };
        let columns: Vec<Column> = outputs.iter().map(|o| o.field.column.clone()).collect();
        let mut steps = Vec::with_capacity(tail.len());
        for t in tail {
            let refused = Calls::default();
            let calls = if grouped && !self.sel.distinct { self.calls } else { &refused };
            let windows = calls.windows.borrow().len();
            let mut walk = Walk::new(self.b, self.env, scopes, Clause::Sort).collecting(calls);
            walk.windows = Some(self.windows);
            let mut step = match t {
                Tail::Hints(hints) => {
                    hinted(self.b, hints, if grouped { &both[..1] } else { scopes }, self.env)?
                }
                t => resolve(self.b, &mut walk, t, &columns)?,
            };
            refused.refuse("Sort", Span::NONE)?;
            if let Some(w) = calls.windows.borrow().get(windows) {
                return Err(window_refused(w));
            }
            step.shown = shown.clone();
            steps.push(step);
        }
        Ok(steps)
    }
}

fn hinted(b: &Binder<'_>, hints: &[Hint], scopes: &[&Scope], env: &Env<'_>) -> Result<Step> {
    let mut wanted = Vec::new();
    for h in hints {
        wanted.extend(crate::relations::hints::distribution(b, h, scopes, env)?);
    }
    let kind = StepKind::Hinted(wanted);
    Ok(Step { keys: Vec::new(), kind, named: HashMap::new(), shown: Scope::default() })
}

fn window_refused(w: &super::WindowCall) -> Error {
    let texts = std::iter::once(w.column.name.to_string()).chain(w.inner.clone());
    let texts: Vec<String> = texts.map(|t| crate::typed::quoted(&t)).collect();
    Error::new("UNSUPPORTED_EXPR_FOR_OPERATOR")
        .with("operator", "Sort")
        .with("invalidExprSqls", texts.join(", "))
}

/// Sorts or distributes a relation that is no SELECT.
pub(crate) fn sort_relation(
    b: &Binder<'_>,
    input: Relation,
    t: &Tail<'_>,
    env: &Env<'_>,
) -> Result<Relation> {
    let calls = Calls::default();
    let scopes = [&input.scope];
    let mut walk = Walk::new(b, env, &scopes, Clause::Sort).collecting(&calls);
    let columns = input.columns();
    let step = resolve(b, &mut walk, t, &columns)?;
    calls.refuse("Sort", Span::NONE)?;
    let plan = apply(input.plan.clone(), vec![step], &columns, false);
    Ok(Relation { plan, scope: input.scope })
}

fn resolve(b: &Binder<'_>, walk: &mut Walk<'_>, t: &Tail<'_>, columns: &[Column]) -> Result<Step> {
    let (keys, kind) = match t {
        Tail::Sort { keys: SortKeys::All { descending, nulls_first }, global } => {
            let mut out = Vec::with_capacity(columns.len());
            for c in columns {
                let key = SortKey {
                    expr: unresolved::Expr::made(ExprKind::Default),
                    descending: *descending,
                    nulls_first: *nulls_first,
                };
                out.push(sort_expr(Typed::column(c, Span::NONE), &key)?.1);
            }
            (out, StepKind::Sort { global: *global })
        }
        Tail::Sort { keys: SortKeys::Keys(keys), global } => {
            let ordinals = b.session.conf.get(&vonk_conf::ORDER_BY_ORDINAL);
            let mut out = Vec::with_capacity(keys.len());
            for k in keys {
                let key = match ordinal(&k.expr) {
                    Some(i) if ordinals => by_position(i, columns, walk.env.span(k.expr.span))?,
                    _ => walk.expr(&k.expr)?,
                };
                out.push(sort_expr(key, k)?.1);
            }
            (out, StepKind::Sort { global: *global })
        }
        Tail::Distribute(by) => {
            let ordinals = b.session.conf.get(&vonk_conf::ORDER_BY_ORDINAL);
            let mut out = Vec::with_capacity(by.len());
            for e in *by {
                let key = match ordinal(e) {
                    Some(i) if ordinals => by_position(i, columns, walk.env.span(e.span))?,
                    _ => walk.expr(e)?,
                };
                out.push(SortExpr { expr: key.expr, descending: false, nulls_first: true });
            }
            (out, StepKind::Distribute)
        }
        Tail::Hints(_) => (Vec::new(), StepKind::Hinted(Vec::new())),
    };
    Ok(Step { keys, kind, named: std::mem::take(&mut walk.named), shown: Scope::default() })
}

fn by_position(index: i64, columns: &[Column], span: Span) -> Result<Typed> {
    let found = usize::try_from(index).ok().and_then(|i| i.checked_sub(1)).and_then(|i| columns.get(i));
    match found {
        Some(c) => Ok(Typed::column(c, span)),
        None => Err(Error::new("ORDER_BY_POS_OUT_OF_RANGE")
            .with("index", index.to_string())
            .with("size", columns.len().to_string())
            .at(span)),
    }
}

/// The number, if an expression is an int literal and nothing else.
pub(super) fn ordinal(e: &unresolved::Expr) -> Option<i64> {
    match &e.kind {
        ExprKind::Literal(l) => match l.value {
            datafusion_common::ScalarValue::Int32(Some(i)) => Some(i64::from(i)),
            _ => None,
        },
        _ => None,
    }
}

/// Columns that the steps read and the SELECT does not show.
pub(super) fn extra_columns(steps: &[Step], shown: &[Column]) -> Vec<Column> {
    let mut seen: HashSet<ColumnId> = shown.iter().map(|c| c.id).collect();
    let mut extra = Vec::new();
    for e in steps.iter().flat_map(Step::exprs) {
        e.visit(&mut |e| {
            if let Expr::Column(c) = e
                && seen.insert(c.id)
            {
                extra.push(c.clone());
            }
        });
    }
    extra
}

/// Puts the steps on top, and drops columns that only they wanted.
pub(super) fn apply(
    mut plan: Arc<LogicalPlan>,
    steps: Vec<Step>,
    shown: &[Column],
    drop_extra: bool,
) -> Arc<LogicalPlan> {
    for s in steps {
        let moved = |distribution, input| Arc::new(LogicalPlan::Repartition { distribution, input });
        plan = match s.kind {
            StepKind::Sort { global } => Arc::new(LogicalPlan::Sort { keys: s.keys, global, input: plan }),
            StepKind::Distribute => {
                let by = s.keys.into_iter().map(|k| k.expr).collect();
                moved(Distribution::Hash(by, None), plan)
            }
            StepKind::Hinted(wanted) => wanted.into_iter().fold(plan, |p, d| moved(d, p)),
        };
    }
    if drop_extra {
        let exprs = shown.iter().map(Named::pass).collect();
        plan = Arc::new(LogicalPlan::Project { exprs, input: plan });
    }
    plan
}
