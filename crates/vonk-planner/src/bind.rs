//! Logical expressions to bound ones: columns by position.

use crate::planner::Subplans;
use std::collections::HashMap;
use vonk_error::{Error, Result};
use vonk_eval::BoundExpr;
use vonk_physical::{AggregateSpec, SortKey};
use vonk_plan::logical::{AggregateExpr, Column, ColumnId, Expr, SortExpr, SubqueryKind};

/// Binds expressions to the positions of an input's columns.
pub struct Binder<'a> {
    positions: HashMap<ColumnId, usize>,
    subplans: Option<&'a mut Subplans>,
}

impl<'a> Binder<'a> {
    /// For an input with these columns. Scalar subqueries are refused.
    pub fn new(columns: &[Column]) -> Self {
        let positions = columns.iter().enumerate().map(|(i, c)| (c.id, i)).collect();
        Binder { positions, subplans: None }
    }

    /// Collects scalar subqueries in `subplans`.
    pub(crate) fn with_subplans(columns: &[Column], subplans: &'a mut Subplans) -> Self {
        Binder { subplans: Some(subplans), ..Binder::new(columns) }
    }

    /// Position of a column.
    pub fn position(&self, c: &Column) -> Result<usize> {
        let found = self.positions.get(&c.id).copied();
        found.ok_or_else(|| Error::internal(format!("column {}#{} is not in the input", c.name, c.id.0)))
    }

    /// Binds an expression.
    pub fn bind(&mut self, e: &Expr) -> Result<BoundExpr> {
        Ok(match e {
            Expr::Column(c) => BoundExpr::Column { index: self.position(c)?, data_type: c.data_type.clone() },
            Expr::OuterColumn(c) => {
                return vonk_error::internal_err!("outer column {}#{} was not decorrelated", c.name, c.id.0);
            }
            Expr::Literal(l) => BoundExpr::Literal(l.clone()),
            Expr::Call { function, args, data_type, span, .. } => BoundExpr::Call {
                function: function.clone(),
                args: self.bind_all(args)?,
                data_type: data_type.clone(),
                span: *span,
            },
            Expr::Cast { expr, to, mode, span, .. } => {
                let bound = self.bind(expr)?;
                // Types that differ in nullability alone have the same arrays.
                if bound.data_type() == *to {
                    return Ok(bound);
                }
                BoundExpr::Cast { expr: Box::new(bound), to: to.clone(), mode: *mode, span: *span }
            }
            Expr::Compare { op, left, right } => BoundExpr::Compare {
                op: *op,
                left: Box::new(self.bind(left)?),
                right: Box::new(self.bind(right)?),
            },
            Expr::And(list) => BoundExpr::And(self.bind_all(list)?),
            Expr::Or(list) => BoundExpr::Or(self.bind_all(list)?),
            Expr::Not(e) => BoundExpr::Not(Box::new(self.bind(e)?)),
            Expr::IsNull(e) => BoundExpr::IsNull(Box::new(self.bind(e)?)),
            Expr::IsNotNull(e) => BoundExpr::IsNotNull(Box::new(self.bind(e)?)),
            Expr::Case { branches, otherwise, data_type } => BoundExpr::Case {
                branches: branches
                    .iter()
                    .map(|(c, v)| Ok((self.bind(c)?, self.bind(v)?)))
                    .collect::<Result<_>>()?,
                otherwise: otherwise.as_ref().map(|o| self.bind(o).map(Box::new)).transpose()?,
                data_type: data_type.clone(),
            },
            Expr::Coalesce { args, data_type } => {
                BoundExpr::Coalesce { args: self.bind_all(args)?, data_type: data_type.clone() }
            }
            Expr::InList { expr, list, negated } => BoundExpr::InList {
                expr: Box::new(self.bind(expr)?),
                list: self.bind_all(list)?,
                negated: *negated,
            },
            Expr::Field { expr, ordinal, data_type, .. } => BoundExpr::Field {
                expr: Box::new(self.bind(expr)?),
                ordinal: *ordinal,
                data_type: data_type.clone(),
            },
            Expr::MakeStruct { args, data_type } => {
                BoundExpr::MakeStruct { args: self.bind_all(args)?, data_type: data_type.clone() }
            }
            Expr::Lambda { params, body } => BoundExpr::Lambda {
                params: params.iter().map(|p| p.id.0).collect(),
                param_types: params.iter().map(|p| p.data_type.clone()).collect(),
                body: Box::new(self.bind(body)?),
            },
            Expr::LambdaParam(c) => BoundExpr::LambdaParam { id: c.id.0, data_type: c.data_type.clone() },
            Expr::Subquery(s) => match (&s.kind, &mut self.subplans) {
                (SubqueryKind::Scalar, Some(subplans)) if s.outer.is_empty() => {
                    BoundExpr::ScalarSubquery { id: subplans.add(&s.plan), data_type: e.data_type() }
                }
                _ => return vonk_error::internal_err!("a subquery was not rewritten to a join: {e}"),
            },
        })
    }

    /// Binds several.
    pub fn bind_all(&mut self, list: &[Expr]) -> Result<Vec<BoundExpr>> {
        list.iter().map(|e| self.bind(e)).collect()
    }

    /// Binds sort keys.
    pub fn bind_keys(&mut self, keys: &[SortExpr]) -> Result<Vec<SortKey>> {
        keys.iter()
            .map(|k| {
                Ok(SortKey {
                    expr: self.bind(&k.expr)?,
                    descending: k.descending,
                    nulls_first: k.nulls_first,
                })
            })
            .collect()
    }

    /// Binds an aggregate call; the state's types are filled in by the caller.
    pub fn bind_aggregate(&mut self, a: &AggregateExpr) -> Result<AggregateSpec> {
        Ok(AggregateSpec {
            function: a.function.clone(),
            args: self.bind_all(&a.args)?,
            filter: a.filter.as_ref().map(|f| self.bind(f)).transpose()?,
            distinct: a.distinct,
            order_by: self.bind_keys(&a.order_by)?,
            data_type: a.data_type.clone(),
            state_types: vec![],
            span: a.span,
        })
    }
}
