//! The values that a subquery's columns have for an outer row that matches nothing.
//!
//! `SELECT count(*) FROM t WHERE t.a = outer.a` gives 0 where no row matches, but after unnesting there is no group for such an
//! outer row (the "count bug", Ganski and Wong 1987). This keeps, per column above a global aggregate, its value over nothing
//! as a constant expression.

use std::collections::HashMap;
use vonk_error::Result;
use vonk_functions::Registry;
use vonk_plan::logical::{AggregateExpr, Column, ColumnId, Expr, Named};
use vonk_types::Literal;

/// Values of columns over no rows. Columns that are not in it are null.
#[derive(Debug, Clone, Default)]
pub(super) struct Defaults {
    values: HashMap<ColumnId, Expr>,
}

impl Defaults {
    /// Of the outputs of a global aggregate.
    pub fn of_aggregates(aggregates: &[Named<AggregateExpr>], registry: &Registry) -> Result<Defaults> {
        let mut values = HashMap::new();
        for a in aggregates {
            let value = match registry.aggregate(&a.expr.function)?.on_empty {
                Some(f) => f(),
                None => Literal::null(a.expr.data_type.clone()),
            };
            values.insert(a.column.id, Expr::Literal(value));
        }
        Ok(Defaults { values })
    }

    /// Seen through a projection.
    pub fn through(&self, exprs: &[Named<Expr>]) -> Result<Defaults> {
        let mut values = HashMap::new();
        for n in exprs {
            values.insert(n.column.id, self.value(&n.expr)?);
        }
        Ok(Defaults { values })
    }

    /// Seen through a filter: if the predicate does not hold for the values over nothing, there is no row at all.
    pub fn filtered(&self, predicate: &Expr) -> Result<Defaults> {
        let condition = self.value(predicate)?;
        let mut values = HashMap::new();
        for (id, value) in &self.values {
            let data_type = value.data_type();
            let case =
                Expr::Case { branches: vec![(condition.clone(), value.clone())], otherwise: None, data_type };
            values.insert(*id, case);
        }
        Ok(Defaults { values })
    }

    fn value(&self, e: &Expr) -> Result<Expr> {
        e.clone().replace_columns(&|c: &Column| {
            let known = self.values.get(&c.id).cloned();
            Some(known.unwrap_or_else(|| Expr::Literal(Literal::null(c.data_type.clone()))))
        })
    }

    /// The value of a column where it is not simply null.
    pub fn of(&self, id: ColumnId) -> Option<Expr> {
        match self.values.get(&id) {
            Some(Expr::Literal(l)) if l.is_null() => None,
            Some(e) => Some(e.clone()),
            None => None,
        }
    }
}
