//! Unnesting in general: the outer columns' distinct values (the domain) go into the subquery.

use super::defaults::Defaults;
use super::{has_outer, outer_references};
use crate::optimizer::RuleContext;
use crate::rules::filter;
use std::collections::HashSet;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_plan::logical::{
    Column, ColumnId, Expr, Generate, Join, JoinKind, LogicalPlan, Named, SortExpr, Window, WindowExpr,
};
use vonk_types::{CompareOp, DataType, Literal};

/// A plan whose output has, beside its own columns, one column per outer column.
struct Extended {
    plan: Arc<LogicalPlan>,
    /// In the order of `Pusher::references`.
    domain: Vec<Column>,
}

struct Pusher<'a> {
    outer: HashSet<ColumnId>,
    references: &'a [Column],
    /// Source of the domain.
    left: Arc<LogicalPlan>,
    cx: &'a RuleContext<'a>,
}

/// Makes a plain join of a dependent one.
pub(super) fn unnest(j: Join, references: &[Column], cx: &RuleContext<'_>) -> Result<LogicalPlan> {
    let outer = references.iter().map(|c| c.id).collect();
    let pusher = Pusher { outer, references, left: j.left.clone(), cx };
    let right = pusher.visit(&j.right)?;
    // The domain holds every combination that the left side has, so each left row finds its own rows and no others.
    let mut conjuncts: Vec<Expr> = j.condition.clone().map(Expr::conjuncts).unwrap_or_default();
    conjuncts.extend(same(references, &right.domain));
    Ok(LogicalPlan::Join(Join {
        right: right.plan,
        condition: Expr::and_all(conjuncts),
        lateral: false,
        ..j
    }))
}

/// `a <=> b` for all pairs.
fn same<'c>(a: &'c [Column], b: &'c [Column]) -> impl Iterator<Item = Expr> + 'c {
    a.iter().zip(b).map(|(x, y)| Expr::Compare {
        op: CompareOp::EqNullSafe,
        left: Box::new(Expr::column(x)),
        right: Box::new(Expr::column(y)),
    })
}

impl Pusher<'_> {
    /// The distinct combinations of the outer columns, under new names.
    fn domain(&self) -> Extended {
        let columns: Vec<Column> = self
            .references
            .iter()
            .map(|c| self.cx.ids.column(c.name.clone(), c.data_type.clone(), c.nullable))
            .collect();
        let exprs = self
            .references
            .iter()
            .zip(&columns)
            .map(|(from, to)| Named { expr: Expr::column(from), column: to.clone() })
            .collect();
        let project = LogicalPlan::Project { exprs, input: self.left.clone() };
        Extended { plan: Arc::new(LogicalPlan::Distinct { input: Arc::new(project) }), domain: columns }
    }

    fn is_free(&self, plan: &LogicalPlan) -> bool {
        outer_references(plan, &self.outer).is_empty()
    }

    /// Outer columns by the domain's.
    fn replace(&self, e: Expr, domain: &[Column]) -> Result<Expr> {
        e.transform_up(&mut |e| {
            Ok(match &e {
                Expr::OuterColumn(c) => match self.references.iter().position(|r| r.id == c.id) {
                    Some(i) => Expr::column(&domain[i]),
                    None => e,
                },
                _ => e,
            })
        })
    }

    fn visit(&self, plan: &Arc<LogicalPlan>) -> Result<Extended> {
        vonk_error::check_cancelled()?;
        if self.is_free(plan) {
            let domain = self.domain();
            let cross = Join {
                left: domain.plan,
                right: plan.clone(),
                kind: JoinKind::Inner,
                condition: None,
                mark: None,
                null_aware: false,
                lateral: false,
            };
            return Ok(Extended { plan: Arc::new(LogicalPlan::Join(cross)), domain: domain.domain });
        }
        match plan.as_ref() {
            LogicalPlan::Filter { predicate, input } => {
                let below = self.visit(input)?;
                let predicate = self.replace(predicate.clone(), &below.domain)?;
                Ok(Extended { plan: filter(vec![predicate], below.plan), ..below })
            }
            LogicalPlan::Project { exprs, input } => {
                let below = self.visit(input)?;
                let mut list = exprs
                    .iter()
                    .map(|n| {
                        Ok(Named {
                            expr: self.replace(n.expr.clone(), &below.domain)?,
                            column: n.column.clone(),
                        })
                    })
                    .collect::<Result<Vec<_>>>()?;
                list.extend(below.domain.iter().map(Named::pass));
                Ok(Extended {
                    plan: Arc::new(LogicalPlan::Project { exprs: list, input: below.plan }),
                    ..below
                })
            }
            LogicalPlan::Aggregate { groups, aggregates, input } => {
                let below = self.visit(input)?;
                let global = groups.is_empty();
                let node = LogicalPlan::Aggregate {
                    groups: groups.clone(),
                    aggregates: aggregates.clone(),
                    input: below.plan.clone(),
                };
                let node = node.map_exprs(&mut |e| self.replace(e, &below.domain))?;
                let LogicalPlan::Aggregate { mut groups, aggregates, input } = node else {
                    return self.refuse(plan);
                };
                groups.extend(below.domain.iter().map(Named::pass));
                let grouped = LogicalPlan::Aggregate { groups, aggregates: aggregates.clone(), input };
                let extended = Extended { plan: Arc::new(grouped), domain: below.domain };
                if global { self.with_empty_groups(extended, &aggregates) } else { Ok(extended) }
            }
            LogicalPlan::Distinct { input } => {
                let below = self.visit(input)?;
                Ok(Extended { plan: Arc::new(LogicalPlan::Distinct { input: below.plan }), ..below })
            }
            LogicalPlan::Sort { input, .. } => self.visit(input),
            LogicalPlan::Limit { skip, fetch, input } => self.limit(*skip, *fetch, input),
            LogicalPlan::Window(w) => {
                let below = self.visit(&w.input)?;
                let node = LogicalPlan::Window(Window { input: below.plan.clone(), ..w.clone() });
                let LogicalPlan::Window(mut w) = node.map_exprs(&mut |e| self.replace(e, &below.domain))?
                else {
                    return self.refuse(plan);
                };
                w.partition_by.extend(below.domain.iter().map(Expr::column));
                Ok(Extended { plan: Arc::new(LogicalPlan::Window(w)), ..below })
            }
            LogicalPlan::Generate(g) => {
                let below = self.visit(&g.input)?;
                let args =
                    g.args.iter().map(|a| self.replace(a.clone(), &below.domain)).collect::<Result<_>>()?;
                let node = Generate { args, input: below.plan, ..g.clone() };
                Ok(Extended { plan: Arc::new(LogicalPlan::Generate(node)), domain: below.domain })
            }
            LogicalPlan::Join(j) if !j.lateral => self.join(j, plan),
            LogicalPlan::Union { columns, inputs } => self.union(columns, inputs),
            LogicalPlan::Expand { projections, columns, input } => {
                let below = self.visit(input)?;
                let mut lists = Vec::with_capacity(projections.len());
                for p in projections {
                    let mut list = p
                        .iter()
                        .map(|e| self.replace(e.clone(), &below.domain))
                        .collect::<Result<Vec<_>>>()?;
                    list.extend(below.domain.iter().map(Expr::column));
                    lists.push(list);
                }
                let domain: Vec<Column> = below.domain.iter().map(|c| self.fresh(c)).collect();
                let columns = columns.iter().chain(&domain).cloned().collect();
                let node = LogicalPlan::Expand { projections: lists, columns, input: below.plan };
                Ok(Extended { plan: Arc::new(node), domain })
            }
            _ => self.refuse(plan),
        }
    }

    fn fresh(&self, c: &Column) -> Column {
        self.cx.ids.column(c.name.clone(), c.data_type.clone(), c.nullable)
    }

    fn refuse(&self, plan: &LogicalPlan) -> Result<Extended> {
        let headline = plan.headline();
        let name = headline.split_whitespace().next().unwrap_or("operator");
        Err(Error::unsupported(format!("a correlated reference inside of {name}")))
    }

    /// Combinations without rows have a row of a global aggregate all the same.
    fn with_empty_groups(
        &self,
        grouped: Extended,
        aggregates: &[Named<vonk_plan::logical::AggregateExpr>],
    ) -> Result<Extended> {
        let defaults = Defaults::of_aggregates(aggregates, &self.cx.env.registry)?;
        let all = self.domain();
        // The aggregates' columns keep their names above; below they are hidden ones, null where there was no group.
        let found = self.cx.ids.column("found", DataType::Boolean, false);
        let mut exprs: Vec<Named<Expr>> = grouped.domain.iter().map(Named::pass).collect();
        let mut hidden = Vec::new();
        for a in aggregates {
            let h = self.cx.ids.column(a.column.name.clone(), a.column.data_type.clone(), true);
            exprs.push(Named { expr: Expr::column(&a.column), column: h.clone() });
            hidden.push(h);
        }
        exprs.push(Named { expr: Expr::Literal(Literal::boolean(true)), column: found.clone() });
        let right = Arc::new(LogicalPlan::Project { exprs, input: grouped.plan });
        let join = Join {
            left: all.plan,
            right,
            kind: JoinKind::Left,
            condition: Expr::and_all(same(&all.domain, &grouped.domain).collect()),
            mark: None,
            null_aware: false,
            lateral: false,
        };
        let missing = Expr::IsNull(Box::new(Expr::Column(Column { nullable: true, ..found })));
        let mut out: Vec<Named<Expr>> = all.domain.iter().map(Named::pass).collect();
        for (a, h) in aggregates.iter().zip(&hidden) {
            let expr = match defaults.of(a.column.id) {
                None => Expr::column(h),
                Some(default) => Expr::Case {
                    branches: vec![(missing.clone(), default)],
                    otherwise: Some(Box::new(Expr::column(h))),
                    data_type: h.data_type.clone(),
                },
            };
            out.push(Named { expr, column: Column { nullable: true, ..a.column.clone() } });
        }
        let plan = LogicalPlan::Project { exprs: out, input: Arc::new(LogicalPlan::Join(join)) };
        Ok(Extended { plan: Arc::new(plan), domain: all.domain })
    }

    /// A limit per combination: rows are numbered within each.
    fn limit(&self, skip: u64, fetch: Option<u64>, input: &Arc<LogicalPlan>) -> Result<Extended> {
        if let LogicalPlan::Project { exprs, input: below } = input.as_ref() {
            // It keeps rows and their order. The sort below may be by columns that it leaves out.
            let limit = LogicalPlan::Limit { skip, fetch, input: below.clone() };
            let project = LogicalPlan::Project { exprs: exprs.clone(), input: Arc::new(limit) };
            return self.visit(&Arc::new(project));
        }
        let (order_by, input) = match input.as_ref() {
            LogicalPlan::Sort { keys, global: true, input } => (keys.clone(), input),
            _ => (vec![], input),
        };
        let below = self.visit(input)?;
        let order_by = order_by
            .into_iter()
            .map(|k| Ok(SortExpr { expr: self.replace(k.expr, &below.domain)?, ..k }))
            .collect::<Result<Vec<_>>>()?;
        let number = self.cx.ids.column("row_number", DataType::Int, false);
        let call = WindowExpr::Function {
            function: "row_number".into(),
            called_as: "row_number".into(),
            args: vec![],
            frame: None,
            ignore_nulls: false,
            data_type: DataType::Int,
            nullable: false,
            span: vonk_error::Span::NONE,
        };
        let kept = below.plan.output();
        let window = LogicalPlan::Window(Window {
            functions: vec![Named { expr: call, column: number.clone() }],
            partition_by: below.domain.iter().map(Expr::column).collect(),
            order_by,
            input: below.plan,
        });
        let compare = |op, n: u64| Expr::Compare {
            op,
            left: Box::new(Expr::column(&number)),
            right: Box::new(Expr::Literal(Literal::int(i32::try_from(n).unwrap_or(i32::MAX)))),
        };
        let mut conjuncts = Vec::new();
        if skip > 0 {
            conjuncts.push(compare(CompareOp::Gt, skip));
        }
        if let Some(n) = fetch {
            conjuncts.push(compare(CompareOp::LtEq, n.saturating_add(skip)));
        }
        let plan = crate::rules::project_to(filter(conjuncts, Arc::new(window)), &kept);
        Ok(Extended { plan, domain: below.domain })
    }

    fn join(&self, j: &Join, plan: &Arc<LogicalPlan>) -> Result<Extended> {
        let (left_free, right_free) = (self.is_free(&j.left), self.is_free(&j.right));
        let condition_bound = j.condition.as_ref().is_some_and(|c| has_outer(c, &self.outer));
        let one_sided_left = matches!(
            j.kind,
            JoinKind::Inner
                | JoinKind::Left
                | JoinKind::LeftSemi
                | JoinKind::LeftAnti
                | JoinKind::NullAwareAnti
                | JoinKind::Mark
                | JoinKind::LeftSingle
        );
        let mut join = j.clone();
        // The domain on the side that all output rows come from is enough, if the other side needs none of it.
        if right_free && one_sided_left {
            let left = self.visit(&j.left)?;
            join.left = left.plan;
            join.condition = j.condition.clone().map(|c| self.replace(c, &left.domain)).transpose()?;
            return Ok(Extended { plan: Arc::new(LogicalPlan::Join(join)), domain: left.domain });
        }
        if left_free && matches!(j.kind, JoinKind::Inner | JoinKind::Right) {
            let right = self.visit(&j.right)?;
            join.right = right.plan;
            join.condition = j.condition.clone().map(|c| self.replace(c, &right.domain)).transpose()?;
            return Ok(Extended { plan: Arc::new(LogicalPlan::Join(join)), domain: right.domain });
        }
        if matches!(j.kind, JoinKind::Full) || (condition_bound && j.kind == JoinKind::Right) {
            return self.refuse(plan);
        }
        let (left, right) = (self.visit(&j.left)?, self.visit(&j.right)?);
        let mut conjuncts: Vec<Expr> = match j.condition.clone() {
            Some(c) => self.replace(c, &left.domain)?.conjuncts(),
            None => vec![],
        };
        conjuncts.extend(same(&left.domain, &right.domain));
        join.left = left.plan;
        join.right = right.plan;
        join.condition = Expr::and_all(conjuncts);
        let domain = if j.kind == JoinKind::Right { right.domain } else { left.domain };
        Ok(Extended { plan: Arc::new(LogicalPlan::Join(join)), domain })
    }

    fn union(&self, columns: &[Column], inputs: &[Arc<LogicalPlan>]) -> Result<Extended> {
        let mut out = Vec::with_capacity(inputs.len());
        let mut domain = Vec::new();
        for input in inputs {
            let below = self.visit(input)?;
            let wanted: Vec<Column> =
                input.output().into_iter().chain(below.domain.iter().cloned()).collect();
            if domain.is_empty() {
                domain = below.domain.iter().map(|c| self.fresh(c)).collect();
            }
            out.push(crate::rules::project_to(below.plan, &wanted));
        }
        let columns = columns.iter().chain(&domain).cloned().collect();
        Ok(Extended { plan: Arc::new(LogicalPlan::Union { columns, inputs: out }), domain })
    }
}
