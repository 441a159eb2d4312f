//! The upper levels of expressions: OR, AND, NOT, predicates.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::{BinaryOp, Expr, ExprKind, IsTest, LikeKind};

impl Parser<'_> {
    /// Any expression.
    pub(super) fn expression(&mut self) -> Result<Expr> {
        self.logical_chain(Kw::Or, BinaryOp::Or, |p| p.logical_chain(Kw::And, BinaryOp::And, Self::negation))
    }

    /// Terms joined by one operator, in a loop.
    fn logical_chain(
        &mut self,
        kw: Kw,
        op: BinaryOp,
        mut term: impl FnMut(&mut Self) -> Result<Expr>,
    ) -> Result<Expr> {
        let start = self.start();
        let first = term(self)?;
        if !self.at_operator_kw(kw) {
            return Ok(first);
        }
        let mut terms = vec![(first, self.span_from(start))];
        while self.at_operator_kw(kw) {
            self.pos += 1;
            let start = self.start();
            let next = term(self)?;
            terms.push((next, self.span_from(start)));
        }
        Ok(balanced(op, terms))
    }

    /// A keyword that is an operator here, not the alias of what stands before it.
    fn at_operator_kw(&self, kw: Kw) -> bool {
        self.at_kw(kw) && self.begins_expression(1)
    }

    fn negation(&mut self) -> Result<Expr> {
        let bang = self.at(Kind::Bang);
        if bang || (self.at_kw(Kw::Not) && self.begins_operand(1)) {
            let start = self.start();
            self.pos += 1;
            let inner = self.nested(Self::negation)?;
            return Ok(Expr::new(ExprKind::Not(Box::new(inner)), self.span_from(start)));
        }
        if self.at_kw(Kw::Exists) && self.ahead(1).kind == Kind::LParen && self.paren_is_query(self.pos + 1) {
            let start = self.start();
            self.pos += 1;
            let query = self.nested(Self::parenthesized_query)?;
            return Ok(Expr::new(ExprKind::Exists(Box::new(query)), self.span_from(start)));
        }
        let start = self.start();
        let value = self.value()?;
        self.predicate(value, start)
    }

    /// What may follow a value once: BETWEEN, IN, LIKE, IS.
    fn predicate(&mut self, value: Expr, start: u32) -> Result<Expr> {
        let not = (self.at_kw(Kw::Not) || self.at(Kind::Bang))
            && matches!(
                self.ahead(1).kw,
                Kw::Between | Kw::In | Kw::Like | Kw::Ilike | Kw::Rlike | Kw::Regexp
            );
        if not && self.at(Kind::Bang) {
            return Err(Error::new("SYNTAX_DISCONTINUED.BANG_EQUALS_NOT")
                .with("clause", "!")
                .at(self.span_of(self.token())));
        }
        let n = usize::from(not);
        let kw = self.ahead(n).kw;
        let kind = match kw {
            Kw::Between if self.begins_expression(n + 1) => {
                self.pos += n + 1;
                self.between(value)?
            }
            Kw::In if self.ahead(n + 1).kind == Kind::LParen => {
                self.pos += n + 1;
                self.in_predicate(value)?
            }
            Kw::Like | Kw::Ilike if self.begins_expression(n + 1) => {
                self.pos += n + 1;
                let like = if kw == Kw::Like { LikeKind::Like } else { LikeKind::ILike };
                if self.at_any(&[Kw::Any, Kw::Some, Kw::All]) && self.ahead(1).kind == Kind::LParen {
                    let quantified = self.like_quantified(like, value, not)?;
                    return Ok(Expr::new(quantified, self.span_from(start)));
                }
                self.like(like, value)?
            }
            Kw::Rlike | Kw::Regexp if self.begins_expression(n + 1) => {
                self.pos += n + 1;
                let pattern = Box::new(self.value()?);
                ExprKind::Like { kind: LikeKind::RLike, expr: Box::new(value), pattern, escape: None }
            }
            Kw::Is if !not => return self.is_predicate(value, start),
            _ if not => {
                self.pos += 2;
                return Err(self.unexpected());
            }
            _ => return Ok(value),
        };
        let span = self.span_from(start);
        let e = Expr::new(kind, span);
        Ok(if not { Expr::new(ExprKind::Not(Box::new(e)), span) } else { e })
    }

    fn between(&mut self, value: Expr) -> Result<ExprKind> {
        let low = Box::new(self.value()?);
        self.require_kw(Kw::And, false)?;
        let high = Box::new(self.value()?);
        Ok(ExprKind::Between { expr: Box::new(value), low, high })
    }

    fn in_predicate(&mut self, value: Expr) -> Result<ExprKind> {
        if self.ahead(1).kind == Kind::RParen {
            let at = self.span_of(self.token());
            return Err(Error::new("INVALID_SQL_SYNTAX.EMPTY_IN_PREDICATE").at(at));
        }
        if self.paren_is_query(self.pos) {
            let query = self.nested(Self::parenthesized_query)?;
            return Ok(ExprKind::InSubquery { expr: Box::new(value), query: Box::new(query) });
        }
        let list = self.nested(|p| p.paren_list(Self::expression))?;
        Ok(ExprKind::InList { expr: Box::new(value), list })
    }

    fn like(&mut self, kind: LikeKind, value: Expr) -> Result<ExprKind> {
        let pattern = Box::new(self.value()?);
        let mut escape = None;
        if self.at_kw(Kw::Escape) && self.is_string(self.ahead(1)) {
            self.pos += 1;
            let start = self.start();
            let text = self.string()?;
            let mut chars = text.chars();
            escape = chars.next();
            if escape.is_none() || chars.next().is_some() {
                return Err(Error::new("INVALID_ESC")
                    .with("invalidEscape", format!("'{text}'"))
                    .at(self.span_from(start)));
            }
        }
        Ok(ExprKind::Like { kind, expr: Box::new(value), pattern, escape })
    }

    fn like_quantified(&mut self, kind: LikeKind, value: Expr, negated: bool) -> Result<ExprKind> {
        let all = self.advance().kw == Kw::All;
        if self.ahead(1).kind == Kind::RParen {
            let at = self.span_of(self.token());
            return Err(Error::new("INVALID_SQL_SYNTAX.EMPTY_QUANTIFIED_PATTERN").at(at));
        }
        let patterns = self.nested(|p| p.paren_list(Self::expression))?;
        Ok(ExprKind::LikeQuantified { kind, all, negated, expr: Box::new(value), patterns })
    }

    fn is_predicate(&mut self, value: Expr, start: u32) -> Result<Expr> {
        let negated = self.ahead(1).kw == Kw::Not || self.ahead(1).kind == Kind::Bang;
        let n = 1 + usize::from(negated);
        let test = match self.ahead(n).kw {
            Kw::Null => IsTest::Null,
            Kw::True => IsTest::True,
            Kw::False => IsTest::False,
            Kw::Unknown => IsTest::Unknown,
            Kw::Distinct if negated || self.begins_expression(n + 1) || self.ahead(n + 1).kw == Kw::From => {
                self.pos += n + 1;
                self.require_kw(Kw::From, false)?;
                let right = Box::new(self.value()?);
                let kind = ExprKind::IsDistinctFrom { left: Box::new(value), right, negated };
                return Ok(Expr::new(kind, self.span_from(start)));
            }
            _ if negated => {
                self.pos += n;
                return Err(self.unexpected());
            }
            // An alias.
            _ => return Ok(value),
        };
        self.pos += n + 1;
        let kind = ExprKind::Is { expr: Box::new(value), test, negated };
        Ok(Expr::new(kind, self.span_from(start)))
    }

    /// Whether the token `n` further on can begin an expression.
    pub(super) fn begins_expression(&self, n: usize) -> bool {
        let t = self.ahead(n);
        match t.kind {
            Kind::Word => !matches!(t.kw, Kw::From | Kw::As) || self.is_bare_name(n),
            Kind::Backquoted
            | Kind::Text
            | Kind::DoubleQuoted
            | Kind::RawText
            | Kind::LParen
            | Kind::Minus
            | Kind::Plus
            | Kind::Star
            | Kind::Tilde
            | Kind::Bang
            | Kind::Question
            | Kind::Colon => true,
            other => other.is_number(),
        }
    }

    /// Whether a keyword stands where only a name makes sense: nothing follows that it could govern.
    pub(super) fn is_bare_name(&self, n: usize) -> bool {
        matches!(
            self.ahead(n + 1).kind,
            Kind::Eof | Kind::Comma | Kind::RParen | Kind::Semicolon | Kind::Dot | Kind::Eq | Kind::RBracket
        )
    }

    /// Like [`Parser::begins_expression`] for the operand of a prefix operator that may be a name itself.
    fn begins_operand(&self, n: usize) -> bool {
        self.begins_expression(n)
            && !matches!(self.ahead(n).kind, Kind::Star)
            && !matches!(
                self.ahead(n).kw,
                Kw::Between | Kw::In | Kw::Like | Kw::Ilike | Kw::Rlike | Kw::Regexp | Kw::Is
            )
            || matches!(self.ahead(n).kw, Kw::In | Kw::Like | Kw::Is) && self.is_bare_name(n)
    }
}

/// Joins terms, each with its place, into a tree of the least depth, in order, cut in the middle as Spark cuts it.
fn balanced(op: BinaryOp, terms: Vec<(Expr, Span)>) -> Expr {
    fn build(op: BinaryOp, terms: &mut std::vec::IntoIter<(Expr, Span)>, n: usize) -> Option<(Expr, Span)> {
        if n == 1 {
            return terms.next();
        }
        let left_count = (n - 1) / 2 + 1;
        let (left, left_span) = build(op, terms, left_count)?;
        let (right, right_span) = build(op, terms, n - left_count)?;
        let span = left_span.union(right_span);
        let kind = ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) };
        Some((Expr::new(kind, span), span))
    }
    let n = terms.len();
    let mut terms = terms.into_iter();
    // There are as many terms as `n` says.
    build(op, &mut terms, n).map_or(Expr::made(ExprKind::Default), |(e, _)| e)
}
