//! Subqueries as expressions.

use super::{Clause, Walk};
use crate::coerce;
use crate::env::Frame;
use crate::relation::Relation;
use crate::typed::{Typed, quoted};
use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_plan::logical::{Column, Expr, LogicalPlan, Named, Subquery, SubqueryKind};
use vonk_plan::unresolved::{self, ExprKind, Plan};

impl Walk<'_> {
    /// A subquery as an expression.
    pub(super) fn subquery_expr(&mut self, e: &unresolved::Expr, span: Span) -> Result<Typed> {
        if let Some(known) = self.known_subqueries
            && let Some((_, t)) = known.borrow().iter().find(|(k, _)| k == e)
        {
            return Ok(t.clone());
        }
        let made = match &e.kind {
            ExprKind::InSubquery { expr, query } => self.in_subquery(expr, query, span),
            ExprKind::Exists(query) => self.exists(query, span),
            ExprKind::ScalarSubquery(query) => self.scalar_subquery(query, span),
            _ => vonk_error::internal_err!("not a subquery"),
        }?;
        if let (Clause::Select, Some(calls)) = (self.clause, self.calls)
            && calls.remember.get()
        {
            calls.subqueries.borrow_mut().push((e.clone(), made.clone()));
        }
        Ok(made)
    }

    /// Resolves the query of a subquery; names that it does not know are looked up here and further out.
    fn subquery(&mut self, query: &Plan, span: Span) -> Result<(Relation, Vec<Column>)> {
        if self.clause == Clause::Values {
            return Err(
                Error::new("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.SCALAR_SUBQUERY_IN_VALUES").at(span)
            );
        }
        if !self.lambdas.is_empty() {
            return Err(Error::new("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.HIGHER_ORDER_FUNCTION").at(span));
        }
        // Below a sort only what the query shows is in sight.
        let scopes =
            if self.clause == Clause::Sort { &self.scopes[..self.scopes.len().min(1)] } else { self.scopes };
        let mut frame = Frame::new(scopes, self.env.outer);
        if self.clause == Clause::Having {
            frame.calls = self.calls;
        }
        let env = self.env.within(&frame);
        let relation = self.b.relation(query, &env)?.exact();
        let outer = frame.used.into_inner();
        Ok((relation, outer))
    }

    /// `(SELECT …)` as a value.
    fn scalar_subquery(&mut self, query: &Plan, span: Span) -> Result<Typed> {
        let (relation, outer) = self.subquery(query, span)?;
        let n = relation.scope.fields.len();
        if n != 1 {
            return Err(Error::new(
                "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
            )
            .with("number", n.to_string())
            .at(span));
        }
        let allowed = matches!(
            self.clause,
            Clause::Select
                | Clause::Where
                | Clause::Having
                | Clause::GroupBy
                | Clause::Join
                | Clause::Qualify
        );
        if !outer.is_empty() && !allowed {
            return Err(Error::new(
                "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY",
            )
            .with("treeNode", self.clause.operator())
            .at(span));
        }
        let sql = format!("scalarsubquery({})", self.names(&outer));
        Ok(made(SubqueryKind::Scalar, relation.plan, outer, sql, span))
    }

    /// `EXISTS (SELECT …)`.
    fn exists(&mut self, query: &Plan, span: Span) -> Result<Typed> {
        let (relation, outer) = self.subquery(query, span)?;
        self.allows_predicates(span)?;
        let sql = format!("exists({})", self.names(&outer));
        Ok(made(SubqueryKind::Exists { negated: false }, relation.plan, outer, sql, span))
    }

    /// `x IN (SELECT …)`.
    fn in_subquery(&mut self, tested: &unresolved::Expr, query: &Plan, span: Span) -> Result<Typed> {
        let (left, text) = self.tested(tested)?;
        let (relation, outer) = self.subquery(query, span)?;
        self.allows_predicates(span)?;
        let sql = format!("({text} IN (listquery({})))", self.names(&outer));
        let right = relation.columns();
        if left.len() != right.len() {
            let list = |names: Vec<String>| names.iter().map(|n| quoted(n)).collect::<Vec<_>>().join(", ");
            return Err(crate::typed::mismatch("DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", &sql, span)
                .with("leftLength", left.len().to_string())
                .with("leftColumns", list(left.iter().map(|t| t.sql.clone()).collect()))
                .with("rightLength", right.len().to_string())
                .with("rightColumns", list(right.iter().map(|c| c.name.to_string()).collect())));
        }
        let s = self.s();
        let mut exprs = Vec::with_capacity(left.len());
        let mut shaped = Vec::with_capacity(left.len());
        let mut mismatched = Vec::new();
        for (l, r) in left.into_iter().zip(&right) {
            let (lt, rt) = (l.data_type(), r.data_type.clone());
            match coerce::comparison_type(s, &lt, &rt) {
                Some(t) => {
                    let value = coerce::implicit_cast(s, Typed::column(r, span), &t);
                    shaped.push((value.expr, r.clone()));
                    exprs.push(coerce::implicit_cast(s, l, &t).expr);
                }
                None => mismatched.push((l, r.clone())),
            }
        }
        if !mismatched.is_empty() {
            return Err(self.types_differ(&mismatched, tested, &sql, span));
        }
        let plan = self.cast_output(relation.plan, shaped);
        Ok(made(SubqueryKind::In { exprs, negated: false }, plan, outer, sql, span))
    }

    /// EXISTS and IN stand nearly everywhere, but not in ORDER BY.
    fn allows_predicates(&self, span: Span) -> Result<()> {
        if self.clause != Clause::Sort {
            return Ok(());
        }
        let condition = "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY";
        Err(Error::new(condition).with("treeNode", self.clause.operator()).at(span))
    }

    /// The left sides of IN, and their text.
    fn tested(&mut self, tested: &unresolved::Expr) -> Result<(Vec<Typed>, String)> {
        let ExprKind::Row(parts) = &tested.kind else {
            let t = self.expr(tested)?;
            let text = t.sql.clone();
            return Ok((vec![t], text));
        };
        let parts = self.arguments(parts)?;
        let named = parts.iter().enumerate().map(|(i, (t, name))| {
            let name = name.clone().unwrap_or_else(|| format!("col{}", i + 1));
            format!("'{name}', {}", t.sql)
        });
        let text = format!("named_struct({})", named.collect::<Vec<_>>().join(", "));
        Ok((parts.into_iter().map(|(t, _)| t).collect(), text))
    }

    fn types_differ(
        &mut self,
        pairs: &[(Typed, Column)],
        tested: &unresolved::Expr,
        sql: &str,
        span: Span,
    ) -> Error {
        let was = std::mem::replace(&mut self.qualified, true);
        let left = self.expr(tested).map(|t| t.sql);
        self.qualified = was;
        let one = |t: &Typed, c: &Column| {
            let l = match (&left, pairs.len()) {
                (Ok(text), 1) => text.clone(),
                _ => t.sql.clone(),
            };
            let name = vonk_types::data_type::quote_if_needed(&c.name);
            format!("({l}:{}, {name}:{})", t.data_type().catalog_string(), c.data_type.catalog_string())
        };
        let types = |list: Vec<String>| list.join(", ");
        crate::typed::mismatch("DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH", sql, span)
            .with("mismatchedColumns", types(pairs.iter().map(|(t, c)| one(t, c)).collect()))
            .with(
                "leftType",
                types(pairs.iter().map(|(t, _)| crate::typed::quoted_type(&t.data_type())).collect()),
            )
            .with(
                "rightType",
                types(pairs.iter().map(|(_, c)| crate::typed::quoted_type(&c.data_type)).collect()),
            )
    }

    fn cast_output(&self, plan: Arc<LogicalPlan>, shaped: Vec<(Expr, Column)>) -> Arc<LogicalPlan> {
        if shaped.iter().all(|(e, c)| matches!(e, Expr::Column(d) if d == c)) {
            return plan;
        }
        let exprs = shaped
            .into_iter()
            .map(|(expr, c)| match expr {
                Expr::Column(_) => Named::pass(&c),
                expr => {
                    let column = self.b.ids.column(c.name.clone(), expr.data_type(), expr.nullable());
                    Named { expr, column }
                }
            })
            .collect();
        Arc::new(LogicalPlan::Project { exprs, input: plan })
    }

    fn names(&self, outer: &[Column]) -> String {
        let known = |c: &Column| match self.scopes.iter().find_map(|s| s.field(c.id)) {
            Some(f) => self.column_text(f, &f.column.name),
            None => c.name.to_string(),
        };
        outer.iter().map(known).collect::<Vec<_>>().join(", ")
    }
}

fn made(kind: SubqueryKind, plan: Arc<LogicalPlan>, outer: Vec<Column>, sql: String, span: Span) -> Typed {
    Typed::new(Expr::Subquery(Box::new(Subquery { kind, plan, outer, span })), sql, span)
}
