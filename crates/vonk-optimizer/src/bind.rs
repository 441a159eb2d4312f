//! Logical expressions to bound ones: columns by position.

use std::collections::HashMap;
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_eval::BoundExpr;
use vonk_plan::logical::{Column, ColumnId, Expr, LogicalPlan, SubqueryKind};

/// Numbers the uncorrelated scalar subqueries that binding meets; whoever runs the plan computes them first.
pub trait SubqueryIds {
    /// The number of a subquery's plan; equal plans may share one.
    fn id(&mut self, plan: &Arc<LogicalPlan>) -> u32;
}

/// Binds expressions to the positions of an input's columns.
pub struct Binder<'a> {
    positions: HashMap<ColumnId, usize>,
    subqueries: Option<&'a mut dyn SubqueryIds>,
}

impl<'a> Binder<'a> {
    /// For an input with these columns. Scalar subqueries are refused.
    pub fn new(columns: &[Column]) -> Self {
        let positions = columns.iter().enumerate().map(|(i, c)| (c.id, i)).collect();
        Binder { positions, subqueries: None }
    }

    /// For an input with these columns, numbering scalar subqueries.
    pub fn with_subqueries(columns: &[Column], subqueries: &'a mut dyn SubqueryIds) -> Self {
        Binder { subqueries: Some(subqueries), ..Binder::new(columns) }
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
            Expr::Subquery(s) => match (&s.kind, &mut self.subqueries) {
                (SubqueryKind::Scalar, Some(ids)) if s.outer.is_empty() => {
                    BoundExpr::ScalarSubquery { id: ids.id(&s.plan), data_type: e.data_type() }
                }
                _ => return vonk_error::internal_err!("a subquery was not rewritten to a join: {e}"),
            },
        })
    }

    /// Binds several.
    pub fn bind_all(&mut self, list: &[Expr]) -> Result<Vec<BoundExpr>> {
        list.iter().map(|e| self.bind(e)).collect()
    }
}
