//! PIVOT and UNPIVOT.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::Result;
use vonk_plan::unresolved::{Expr, ExprKind, Name, Pivot, Plan, Unpivot};

impl Parser<'_> {
    pub(super) fn at_pivot(&self) -> bool {
        self.at_kw(Kw::Pivot) && self.ahead(1).kind == Kind::LParen
    }

    pub(super) fn at_unpivot(&self) -> bool {
        self.at_kw(Kw::Unpivot)
            && (self.ahead(1).kind == Kind::LParen || matches!(self.ahead(1).kw, Kw::Include | Kw::Exclude))
    }

    /// `PIVOT (aggregates FOR columns IN (values))`
    pub(super) fn pivot(&mut self, input: Plan) -> Result<Plan> {
        let start = self.start();
        self.pos += 1;
        self.expect(Kind::LParen)?;
        let aggregates = self.nested(|p| p.comma_list(Self::named_expression))?;
        self.require_kw(Kw::For, false)?;
        let columns =
            if self.at(Kind::LParen) { self.paren_list(Self::column)? } else { vec![self.column()?] };
        self.expect_kw(Kw::In)?;
        let values = self.nested(|p| p.paren_list(Self::pivot_value))?;
        self.expect(Kind::RParen)?;
        let span = self.span_from(start);
        self.pivot_alias(
            Plan::Pivot(Box::new(Pivot { input, aggregates, columns, values, groups: None, span })),
            start,
        )
    }

    fn column(&mut self) -> Result<Expr> {
        let start = self.start();
        let parts = vec![self.plain_identifier()?];
        let span = self.span_from(start);
        Ok(Expr::new(ExprKind::Name(Name { parts, span }), span))
    }

    /// `expression [AS] name`
    fn pivot_value(&mut self) -> Result<Expr> {
        let start = self.start();
        let e = self.expression()?;
        if !self.eat_kw(Kw::As) && !self.at_identifier() {
            return Ok(e);
        }
        let names = vec![self.plain_identifier()?];
        Ok(Expr::new(ExprKind::Alias { expr: Box::new(e), names }, self.span_from(start)))
    }

    /// `UNPIVOT [INCLUDE|EXCLUDE NULLS] (values FOR name IN (columns)) [alias]`
    pub(super) fn unpivot(&mut self, input: Plan) -> Result<Plan> {
        let start = self.start();
        self.pos += 1;
        let mut include_nulls = false;
        if self.at_any(&[Kw::Include, Kw::Exclude]) {
            include_nulls = self.advance().kw == Kw::Include;
            self.expect_kw(Kw::Nulls)?;
        }
        self.expect(Kind::LParen)?;
        let several = self.at(Kind::LParen);
        let values = if several { self.paren_list(Self::identifier)? } else { vec![self.identifier()?] };
        self.expect_kw(Kw::For)?;
        let name = self.identifier()?;
        self.expect_kw(Kw::In)?;
        let columns = self.nested(|p| {
            p.paren_list(|p| {
                let group =
                    if several { p.paren_list(Self::qualified_column)? } else { vec![p.qualified_column()?] };
                let label =
                    if p.eat_kw(Kw::As) || p.at_identifier() { Some(p.plain_identifier()?) } else { None };
                Ok((group, label))
            })
        })?;
        self.expect(Kind::RParen)?;
        let span = self.span_from(start);
        let plan = Plan::Unpivot(Box::new(Unpivot { input, include_nulls, values, name, columns, span }));
        self.pivot_alias(plan, start)
    }

    /// `[AS] alias`
    fn pivot_alias(&mut self, plan: Plan, start: u32) -> Result<Plan> {
        if self.eat_kw(Kw::As) || self.is_strict_identifier(self.token()) && !self.at_relation_clause() {
            let alias = self.plain_identifier()?;
            let span = self.span_from(start);
            return Ok(Plan::Aliased { input: Box::new(plan), alias, columns: Vec::new(), span });
        }
        Ok(plan)
    }

    fn qualified_column(&mut self) -> Result<Expr> {
        let name = self.name()?;
        let span = name.span;
        Ok(Expr::new(ExprKind::Name(name), span))
    }
}
