//! Walking and rewriting trees.
//!
//! `children`/`map_children` know every variant once; all other walks are made of them.

use crate::logical::expr::{
    AggregateExpr, Column, ColumnId, Expr, SortExpr, Subquery, SubqueryKind, WindowExpr,
};
use crate::logical::plan::{Distribution, LogicalPlan, Named};
use std::collections::HashSet;
use std::sync::Arc;
use vonk_error::{Result, check_cancelled};

impl Expr {
    /// Calls `f` on each direct part; subqueries' left sides count, their plans do not.
    pub fn for_each_child<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        match self {
            Expr::Column(_) | Expr::OuterColumn(_) | Expr::Literal(_) | Expr::LambdaParam(_) => {}
            Expr::Call { args, .. } | Expr::Coalesce { args, .. } | Expr::MakeStruct { args, .. } => {
                args.iter().for_each(f);
            }
            Expr::And(list) | Expr::Or(list) => list.iter().for_each(f),
            Expr::Cast { expr, .. } | Expr::Field { expr, .. } => f(expr),
            Expr::Not(e) | Expr::IsNull(e) | Expr::IsNotNull(e) => f(e),
            Expr::Compare { left, right, .. } => {
                f(left);
                f(right);
            }
            Expr::Case { branches, otherwise, .. } => {
                for (c, v) in branches {
                    f(c);
                    f(v);
                }
                if let Some(o) = otherwise {
                    f(o);
                }
            }
            Expr::InList { expr, list, .. } => {
                f(expr);
                list.iter().for_each(f);
            }
            Expr::Lambda { body, .. } => f(body),
            Expr::Subquery(s) => {
                if let SubqueryKind::In { exprs, .. } = &s.kind {
                    exprs.iter().for_each(f);
                }
            }
        }
    }

    /// The same expression with each direct part replaced, unless the statement was cancelled: all rewriting comes by here.
    pub fn map_children(self, f: &mut dyn FnMut(Expr) -> Result<Expr>) -> Result<Expr> {
        check_cancelled()?;
        let all = |list: Vec<Expr>, f: &mut dyn FnMut(Expr) -> Result<Expr>| {
            list.into_iter().map(f).collect::<Result<Vec<_>>>()
        };
        let one = |e: Box<Expr>, f: &mut dyn FnMut(Expr) -> Result<Expr>| {
            Ok::<_, vonk_error::Error>(Box::new(f(*e)?))
        };
        Ok(match self {
            e @ (Expr::Column(_) | Expr::OuterColumn(_) | Expr::Literal(_) | Expr::LambdaParam(_)) => e,
            Expr::Call { function, called_as, args, data_type, nullable, deterministic, span } => {
                Expr::Call {
                    function,
                    called_as,
                    args: all(args, f)?,
                    data_type,
                    nullable,
                    deterministic,
                    span,
                }
            }
            Expr::Cast { expr, to, mode, implicit, span } => {
                Expr::Cast { expr: one(expr, f)?, to, mode, implicit, span }
            }
            Expr::Compare { op, left, right } => {
                Expr::Compare { op, left: one(left, f)?, right: one(right, f)? }
            }
            Expr::And(list) => Expr::And(all(list, f)?),
            Expr::Or(list) => Expr::Or(all(list, f)?),
            Expr::Not(e) => Expr::Not(one(e, f)?),
            Expr::IsNull(e) => Expr::IsNull(one(e, f)?),
            Expr::IsNotNull(e) => Expr::IsNotNull(one(e, f)?),
            Expr::Case { branches, otherwise, data_type } => Expr::Case {
                branches: branches.into_iter().map(|(c, v)| Ok((f(c)?, f(v)?))).collect::<Result<_>>()?,
                otherwise: otherwise.map(|o| one(o, f)).transpose()?,
                data_type,
            },
            Expr::Coalesce { args, data_type } => Expr::Coalesce { args: all(args, f)?, data_type },
            Expr::InList { expr, list, negated } => {
                Expr::InList { expr: one(expr, f)?, list: all(list, f)?, negated }
            }
            Expr::Field { expr, ordinal, name, data_type, nullable } => {
                Expr::Field { expr: one(expr, f)?, ordinal, name, data_type, nullable }
            }
            Expr::MakeStruct { args, data_type } => Expr::MakeStruct { args: all(args, f)?, data_type },
            Expr::Lambda { params, body } => Expr::Lambda { params, body: one(body, f)? },
            Expr::Subquery(s) => {
                let Subquery { kind, plan, outer, span } = *s;
                let kind = match kind {
                    SubqueryKind::In { exprs, negated } => {
                        SubqueryKind::In { exprs: all(exprs, f)?, negated }
                    }
                    other => other,
                };
                Expr::Subquery(Box::new(Subquery { kind, plan, outer, span }))
            }
        })
    }

    /// Rewrites bottom-up.
    pub fn transform_up(self, f: &mut dyn FnMut(Expr) -> Result<Expr>) -> Result<Expr> {
        let e = self.map_children(&mut |c| c.transform_up(f))?;
        f(e)
    }

    /// Rewrites top-down; parts of what `f` returns are rewritten too.
    pub fn transform_down(self, f: &mut dyn FnMut(Expr) -> Result<Expr>) -> Result<Expr> {
        let e = f(self)?;
        e.map_children(&mut |c| c.transform_down(f))
    }

    /// Calls `f` on this and all parts, parents first.
    pub fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        f(self);
        self.for_each_child(&mut |c| c.visit(f));
    }

    /// Whether `f` holds for this or any part.
    pub fn any(&self, f: &dyn Fn(&Expr) -> bool) -> bool {
        let mut found = false;
        self.visit(&mut |e| found |= f(e));
        found
    }

    /// Adds the columns of the input that are read, including outer columns of subqueries at this level.
    pub fn collect_columns(&self, into: &mut HashSet<ColumnId>) {
        self.visit(&mut |e| match e {
            Expr::Column(c) => {
                into.insert(c.id);
            }
            Expr::Subquery(s) => into.extend(s.outer.iter().map(|c| c.id)),
            _ => {}
        });
    }

    /// The columns of the input that are read.
    pub fn columns(&self) -> HashSet<ColumnId> {
        let mut set = HashSet::new();
        self.collect_columns(&mut set);
        set
    }

    /// Whether a subquery is in it.
    pub fn has_subquery(&self) -> bool {
        self.any(&|e| matches!(e, Expr::Subquery(_)))
    }

    /// Whether it is constant: no columns, parameters or subqueries, only deterministic calls.
    pub fn is_foldable(&self) -> bool {
        !self.any(&|e| {
            matches!(
                e,
                Expr::Column(_)
                    | Expr::OuterColumn(_)
                    | Expr::Subquery(_)
                    | Expr::Call { deterministic: false, .. }
            )
        })
    }

    /// Whether equal inputs give equal results.
    pub fn is_deterministic(&self) -> bool {
        !self.any(&|e| matches!(e, Expr::Call { deterministic: false, .. }))
    }

    /// Replaces columns by expressions.
    pub fn replace_columns(self, replacement: &dyn Fn(&Column) -> Option<Expr>) -> Result<Expr> {
        self.transform_up(&mut |e| {
            Ok(match &e {
                Expr::Column(c) => replacement(c).unwrap_or(e),
                _ => e,
            })
        })
    }
}

impl AggregateExpr {
    /// All expressions of the call.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.args.iter().chain(&self.filter).chain(self.order_by.iter().map(|s| &s.expr))
    }

    /// The call with every expression replaced.
    pub fn map_exprs(self, f: &mut dyn FnMut(Expr) -> Result<Expr>) -> Result<AggregateExpr> {
        Ok(AggregateExpr {
            args: self.args.into_iter().map(&mut *f).collect::<Result<_>>()?,
            filter: self.filter.map(&mut *f).transpose()?,
            order_by: map_sort(self.order_by, f)?,
            ..self
        })
    }
}

fn map_sort(keys: Vec<SortExpr>, f: &mut dyn FnMut(Expr) -> Result<Expr>) -> Result<Vec<SortExpr>> {
    keys.into_iter().map(|k| Ok(SortExpr { expr: f(k.expr)?, ..k })).collect()
}

fn map_named(list: Vec<Named<Expr>>, f: &mut dyn FnMut(Expr) -> Result<Expr>) -> Result<Vec<Named<Expr>>> {
    list.into_iter().map(|n| Ok(Named { expr: f(n.expr)?, column: n.column })).collect()
}

impl WindowExpr {
    /// All expressions of the call.
    pub fn exprs(&self) -> Vec<&Expr> {
        match self {
            WindowExpr::Aggregate { call, .. } => call.exprs().collect(),
            WindowExpr::Function { args, .. } => args.iter().collect(),
        }
    }

    /// The call with every expression replaced.
    pub fn map_exprs(self, f: &mut dyn FnMut(Expr) -> Result<Expr>) -> Result<WindowExpr> {
        Ok(match self {
            WindowExpr::Aggregate { call, frame } => {
                WindowExpr::Aggregate { call: call.map_exprs(f)?, frame }
            }
            WindowExpr::Function {
                function,
                called_as,
                args,
                frame,
                ignore_nulls,
                data_type,
                nullable,
                span,
            } => {
                let args = args.into_iter().map(f).collect::<Result<_>>()?;
                WindowExpr::Function {
                    function,
                    called_as,
                    args,
                    frame,
                    ignore_nulls,
                    data_type,
                    nullable,
                    span,
                }
            }
        })
    }
}

impl LogicalPlan {
    /// Direct inputs.
    pub fn inputs(&self) -> Vec<&Arc<LogicalPlan>> {
        match self {
            LogicalPlan::Scan(_)
            | LogicalPlan::Values { .. }
            | LogicalPlan::Range { .. }
            | LogicalPlan::WorkingTable { .. } => vec![],
            LogicalPlan::Loop(l) => vec![&l.anchor, &l.step],
            LogicalPlan::Project { input, .. }
            | LogicalPlan::Filter { input, .. }
            | LogicalPlan::Aggregate { input, .. }
            | LogicalPlan::Expand { input, .. }
            | LogicalPlan::Sort { input, .. }
            | LogicalPlan::Limit { input, .. }
            | LogicalPlan::Distinct { input }
            | LogicalPlan::Repartition { input, .. }
            | LogicalPlan::Sample { input, .. } => vec![input],
            LogicalPlan::Window(w) => vec![&w.input],
            LogicalPlan::Generate(g) => vec![&g.input],
            LogicalPlan::Write(w) => vec![&w.input],
            LogicalPlan::Join(j) => vec![&j.left, &j.right],
            LogicalPlan::SetOperation { left, right, .. } => vec![left, right],
            LogicalPlan::Union { inputs, .. } => inputs.iter().collect(),
        }
    }

    /// The same operator over other inputs, each given by `f`, unless the statement was cancelled: all rewriting comes by here.
    pub fn map_inputs(
        mut self,
        f: &mut dyn FnMut(Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>>,
    ) -> Result<LogicalPlan> {
        check_cancelled()?;
        match &mut self {
            LogicalPlan::Scan(_)
            | LogicalPlan::Values { .. }
            | LogicalPlan::Range { .. }
            | LogicalPlan::WorkingTable { .. } => {}
            LogicalPlan::Loop(l) => {
                l.anchor = f(l.anchor.clone())?;
                l.step = f(l.step.clone())?;
            }
            LogicalPlan::Project { input, .. }
            | LogicalPlan::Filter { input, .. }
            | LogicalPlan::Aggregate { input, .. }
            | LogicalPlan::Expand { input, .. }
            | LogicalPlan::Sort { input, .. }
            | LogicalPlan::Limit { input, .. }
            | LogicalPlan::Distinct { input }
            | LogicalPlan::Repartition { input, .. }
            | LogicalPlan::Sample { input, .. } => *input = f(input.clone())?,
            LogicalPlan::Window(w) => w.input = f(w.input.clone())?,
            LogicalPlan::Generate(g) => g.input = f(g.input.clone())?,
            LogicalPlan::Write(w) => w.input = f(w.input.clone())?,
            LogicalPlan::Join(j) => {
                j.left = f(j.left.clone())?;
                j.right = f(j.right.clone())?;
            }
            LogicalPlan::SetOperation { left, right, .. } => {
                *left = f(left.clone())?;
                *right = f(right.clone())?;
            }
            LogicalPlan::Union { inputs, .. } => {
                for i in inputs {
                    *i = f(i.clone())?;
                }
            }
        }
        Ok(self)
    }

    /// The expressions of this operator alone.
    pub fn exprs(&self) -> Vec<&Expr> {
        fn keys(list: &[SortExpr]) -> impl Iterator<Item = &Expr> {
            list.iter().map(|k| &k.expr)
        }
        match self {
            LogicalPlan::Scan(s) => s.filters.iter().collect(),
            LogicalPlan::Project { exprs, .. } => exprs.iter().map(|n| &n.expr).collect(),
            LogicalPlan::Filter { predicate, .. } => vec![predicate],
            LogicalPlan::Aggregate { groups, aggregates, .. } => {
                groups.iter().map(|n| &n.expr).chain(aggregates.iter().flat_map(|n| n.expr.exprs())).collect()
            }
            LogicalPlan::Expand { projections, .. } => projections.iter().flatten().collect(),
            LogicalPlan::Window(w) => {
                let calls = w.functions.iter().flat_map(|n| n.expr.exprs());
                calls.chain(&w.partition_by).chain(keys(&w.order_by)).collect()
            }
            LogicalPlan::Generate(g) => g.args.iter().collect(),
            LogicalPlan::Join(j) => j.condition.iter().collect(),
            LogicalPlan::Sort { keys: k, .. } => keys(k).collect(),
            LogicalPlan::Repartition { distribution, .. } => match distribution {
                Distribution::Hash(e, _) => e.iter().collect(),
                Distribution::Range(k, _) => keys(k).collect(),
                Distribution::RoundRobin(_) | Distribution::Coalesce(_) => vec![],
            },
            LogicalPlan::Values { .. }
            | LogicalPlan::Range { .. }
            | LogicalPlan::Limit { .. }
            | LogicalPlan::Distinct { .. }
            | LogicalPlan::Union { .. }
            | LogicalPlan::SetOperation { .. }
            | LogicalPlan::Sample { .. }
            | LogicalPlan::Loop(_)
            | LogicalPlan::WorkingTable { .. }
            | LogicalPlan::Write(_) => vec![],
        }
    }

    /// The same operator with each of its expressions replaced.
    pub fn map_exprs(self, f: &mut dyn FnMut(Expr) -> Result<Expr>) -> Result<LogicalPlan> {
        Ok(match self {
            LogicalPlan::Scan(mut s) => {
                s.filters = s.filters.into_iter().map(f).collect::<Result<_>>()?;
                LogicalPlan::Scan(s)
            }
            LogicalPlan::Project { exprs, input } => {
                LogicalPlan::Project { exprs: map_named(exprs, f)?, input }
            }
            LogicalPlan::Filter { predicate, input } => {
                LogicalPlan::Filter { predicate: f(predicate)?, input }
            }
            LogicalPlan::Aggregate { groups, aggregates, input } => LogicalPlan::Aggregate {
                groups: map_named(groups, f)?,
                aggregates: aggregates
                    .into_iter()
                    .map(|n| Ok(Named { expr: n.expr.map_exprs(f)?, column: n.column }))
                    .collect::<Result<_>>()?,
                input,
            },
            LogicalPlan::Expand { projections, columns, input } => LogicalPlan::Expand {
                projections: projections
                    .into_iter()
                    .map(|p| p.into_iter().map(&mut *f).collect())
                    .collect::<Result<_>>()?,
                columns,
                input,
            },
            LogicalPlan::Window(mut w) => {
                w.functions = w
                    .functions
                    .into_iter()
                    .map(|n| Ok(Named { expr: n.expr.map_exprs(f)?, column: n.column }))
                    .collect::<Result<_>>()?;
                w.partition_by = w.partition_by.into_iter().map(&mut *f).collect::<Result<_>>()?;
                w.order_by = map_sort(w.order_by, f)?;
                LogicalPlan::Window(w)
            }
            LogicalPlan::Generate(mut g) => {
                g.args = g.args.into_iter().map(f).collect::<Result<_>>()?;
                LogicalPlan::Generate(g)
            }
            LogicalPlan::Join(mut j) => {
                j.condition = j.condition.map(f).transpose()?;
                LogicalPlan::Join(j)
            }
            LogicalPlan::Sort { keys, global, input } => {
                LogicalPlan::Sort { keys: map_sort(keys, f)?, global, input }
            }
            LogicalPlan::Repartition { distribution, input } => {
                let distribution = match distribution {
                    Distribution::Hash(e, n) => {
                        Distribution::Hash(e.into_iter().map(f).collect::<Result<_>>()?, n)
                    }
                    Distribution::Range(k, n) => Distribution::Range(map_sort(k, f)?, n),
                    other => other,
                };
                LogicalPlan::Repartition { distribution, input }
            }
            other => other,
        })
    }

    /// Rewrites bottom-up; plans of subqueries are not entered.
    pub fn transform_up(
        self: Arc<LogicalPlan>,
        f: &mut dyn FnMut(LogicalPlan) -> Result<LogicalPlan>,
    ) -> Result<Arc<LogicalPlan>> {
        let plan = Arc::unwrap_or_clone(self).map_inputs(&mut |i| i.transform_up(f))?;
        check_cancelled()?;
        Ok(Arc::new(f(plan)?))
    }

    /// Rewrites top-down; inputs of what `f` returns are rewritten too.
    pub fn transform_down(
        self: Arc<LogicalPlan>,
        f: &mut dyn FnMut(LogicalPlan) -> Result<LogicalPlan>,
    ) -> Result<Arc<LogicalPlan>> {
        let plan = f(Arc::unwrap_or_clone(self))?;
        Ok(Arc::new(plan.map_inputs(&mut |i| i.transform_down(f))?))
    }

    /// Calls `f` on this and all operators below, parents first; plans of subqueries are not entered.
    pub fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a LogicalPlan)) {
        f(self);
        for i in self.inputs() {
            i.visit(f);
        }
    }
}
