//! Function calls.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::Result;
use vonk_plan::unresolved::{Expr, ExprKind, FunctionCall, Name, Star};

impl Parser<'_> {
    /// The name is taken, the parenthesis comes: arguments and all that may stand around a call.
    pub(super) fn call(&mut self, name: Name, start: u32) -> Result<Expr> {
        self.pos += 1;
        let mut call = FunctionCall::plain(name, Vec::new());
        if !self.at(Kind::RParen) {
            if self.at_any(&[Kw::Distinct, Kw::All]) && self.begins_expression(1) {
                call.distinct = self.advance().kw == Kw::Distinct;
            }
            call.args = self.nested(|p| p.comma_list(Self::argument))?;
        }
        self.expect(Kind::RParen)?;
        self.call_tail(&mut call)?;
        Ok(Expr::new(ExprKind::Function(Box::new(call)), self.span_from(start)))
    }

    /// WITHIN GROUP, FILTER, IGNORE NULLS, OVER.
    pub(super) fn call_tail(&mut self, call: &mut FunctionCall) -> Result<()> {
        if self.at_kws(&[Kw::Within, Kw::Group]) {
            self.pos += 2;
            self.expect(Kind::LParen)?;
            self.expect_kws(&[Kw::Order, Kw::By])?;
            call.within_group = self.nested(|p| p.comma_list(Self::sort_key))?;
            self.expect(Kind::RParen)?;
        }
        if self.at_kw(Kw::Filter) && self.ahead(1).kind == Kind::LParen && self.ahead(2).kw == Kw::Where {
            self.pos += 3;
            call.filter = Some(self.nested(Self::expression)?);
            self.expect(Kind::RParen)?;
        }
        if self.at_any(&[Kw::Ignore, Kw::Respect]) && self.ahead(1).kw == Kw::Nulls {
            call.ignore_nulls = Some(self.at_kw(Kw::Ignore));
            self.pos += 2;
        }
        if self.at_kw(Kw::Over) && (self.ahead(1).kind == Kind::LParen || self.is_identifier(self.ahead(1))) {
            self.pos += 1;
            call.over = Some(self.nested(Self::over)?);
        }
        Ok(())
    }

    /// `expression` or `name => expression`.
    pub(super) fn argument(&mut self) -> Result<Expr> {
        let start = self.start();
        if self.at_identifier() && self.ahead(1).kind == Kind::FatArrow {
            let name = self.identifier()?;
            self.pos += 1;
            let value = if self.at_table_argument() { self.table_argument()? } else { self.expression()? };
            let kind = ExprKind::NamedArgument { name, value: Box::new(value) };
            return Ok(Expr::new(kind, self.span_from(start)));
        }
        self.expression()
    }

    /// `expression`, `expression AS name`, `expression name`, `expression AS (a, b)`.
    pub(super) fn named_expression(&mut self) -> Result<Expr> {
        let start = self.start();
        let was = std::mem::replace(&mut self.in_item, true);
        let e = self.expression();
        self.in_item = was;
        let e = e?;
        // `AS` with nothing behind it is an alias itself.
        let before_from =
            self.ahead(1).kw == Kw::From && self.is_identifier(self.ahead(2)) && self.ahead(2).kw != Kw::From;
        let as_names = self.at_kw(Kw::As)
            && !before_from
            && (self.is_identifier(self.ahead(1)) || !self.is_bare_name(0));
        let names = if as_names {
            self.pos += 1;
            if self.at(Kind::LParen) {
                self.identifier_list()?
            } else {
                if self.is_string(self.token())
                    && self.kind() != Kind::DoubleQuoted
                    && matches!(self.ahead(1).kind, Kind::Eof | Kind::Semicolon)
                {
                    return Err(self.extra());
                }
                vec![self.plain_identifier()?]
            }
        } else if self.at(Kind::LParen) && self.is_identifier(self.ahead(1)) {
            self.identifier_list()?
        } else if self.at_identifier() && !self.at_clause() {
            vec![self.plain_identifier()?]
        } else {
            return Ok(e);
        };
        // A name that is given a name is no pattern.
        let e = match e.kind {
            ExprKind::Star(Star { qualifier, regex: Some(last), .. }) => {
                let parts = qualifier.into_iter().flat_map(|q| q.parts).chain([last]).collect();
                Expr::new(ExprKind::Name(Name { parts, span: e.span }), e.span)
            }
            kind => Expr::new(kind, e.span),
        };
        Ok(Expr::new(ExprKind::Alias { expr: Box::new(e), names }, self.span_from(start)))
    }
}
