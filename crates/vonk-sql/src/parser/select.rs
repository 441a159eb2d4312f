//! SELECT and its clauses.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::{Expr, Hint, Plan, Select, SetOpKind};

/// The head of a SELECT: hints, DISTINCT, what is selected.
pub(super) struct SelectHead {
    pub hints: Vec<Hint>,
    pub distinct: bool,
    pub projection: Vec<Expr>,
}

impl Parser<'_> {
    /// `SELECT …` with its own FROM, or over one that stood in front.
    pub(super) fn select(&mut self, from: Option<Plan>) -> Result<Plan> {
        let start = self.start();
        let head = self.select_head()?;
        let from_first = from.is_some();
        let mut plan = match from {
            Some(plan) => plan,
            None if self.eat_kw(Kw::From) => self.relations()?,
            None => Plan::OneRow,
        };
        while self.at_lateral_view() {
            plan = self.lateral_view(plan)?;
        }
        let mut select = Select::plain(head.projection, plan, Span::NONE);
        select.distinct = head.distinct;
        if self.eat_kw(Kw::Where) {
            select.filter = Some(self.expression()?);
        }
        if self.eat_kw(Kw::Group) {
            self.expect_kw(Kw::By)?;
            select.group_by = Some(self.group_by()?);
        }
        if self.eat_kw(Kw::Having) {
            select.having = Some(self.expression()?);
        }
        if self.at_kw(Kw::Qualify) && self.begins_expression(1) {
            self.pos += 1;
            select.qualify = Some(self.expression()?);
        }
        if self.at_window_clause() {
            select.windows = self.window_clause()?;
        }
        if select.qualify.is_none() && self.at_kw(Kw::Qualify) && self.begins_expression(1) {
            self.pos += 1;
            select.qualify = Some(self.expression()?);
        }
        select.span = self.span_from(start);
        let mut plan = Plan::Select(Box::new(select));
        if !head.hints.is_empty() {
            plan = Plan::Hint { input: Box::new(plan), hints: head.hints };
        }
        if from_first { self.organization(plan) } else { Ok(plan) }
    }

    pub(super) fn select_head(&mut self) -> Result<SelectHead> {
        self.expect_kw(Kw::Select)?;
        if self.at_kw(Kw::Transform) && self.ahead(1).kind == Kind::LParen {
            let close = self.closer(self.pos + 1);
            if matches!(
                self.tokens[close + 1..].first().map(|t| t.kw),
                Some(Kw::Using | Kw::Row | Kw::Recordwriter)
            ) {
                let at = self.span_of(self.token());
                return Err(Error::unsupported("SELECT TRANSFORM with scripts").at(at));
            }
        }
        let mut hints = Vec::new();
        while self.at(Kind::HintStart) {
            self.hints(&mut hints)?;
        }
        let mut distinct = false;
        if self.at_any(&[Kw::Distinct, Kw::All]) && self.begins_expression(1) {
            distinct = self.advance().kw == Kw::Distinct;
        }
        let mut projection = vec![self.named_expression()?];
        while self.at(Kind::Comma) {
            if self.ahead(1).kw == Kw::From
                && self.is_identifier(self.ahead(2))
                && self.ahead(3).kind != Kind::Dot
                && self.ahead(3).kind != Kind::Comma
            {
                let e = Error::new("TRAILING_COMMA_IN_SELECT").at(self.span_of(self.token()));
                self.or_defer(Err(e), ())?;
            }
            self.pos += 1;
            projection.push(self.named_expression()?);
        }
        Ok(SelectHead { hints, distinct, projection })
    }

    /// `/*+ NAME(args), NAME */`
    fn hints(&mut self, hints: &mut Vec<Hint>) -> Result<()> {
        self.pos += 1;
        loop {
            let name = self.identifier()?;
            let mut args = Vec::new();
            if self.at(Kind::LParen) {
                args = self.nested(|p| p.paren_list(Self::postfix))?;
            }
            hints.push(Hint { name, args });
            self.eat(Kind::Comma);
            if self.eat(Kind::HintEnd) {
                return Ok(());
            }
        }
    }

    /// `FROM relations [SELECT …]…`
    pub(super) fn query_from_first(&mut self) -> Result<Plan> {
        let start = self.start();
        self.pos += 1;
        let from = self.relations()?;
        if !self.at_kw(Kw::Select) {
            return Ok(from);
        }
        let mut plan = self.select(Some(from.clone()))?;
        while self.at_kw(Kw::Select) {
            let right = Box::new(self.select(Some(from.clone()))?);
            let span = self.span_from(start);
            plan = Plan::SetOp {
                kind: SetOpKind::Union,
                all: true,
                by_name: false,
                left: Box::new(plan),
                right,
                span,
            };
        }
        Ok(plan)
    }

    /// Whether the word `n` tokens further on begins WHERE or the like, whatever stands before it.
    fn clause_word(&self, n: usize) -> bool {
        match self.ahead(n).kw {
            Kw::Where | Kw::Having => self.begins_expression(n + 1),
            Kw::Limit => self.ahead(n + 1).kind == Kind::Integer,
            Kw::Group | Kw::Order => self.ahead(n + 1).kw == Kw::By,
            _ => false,
        }
    }

    /// Whether the current word begins a clause, so that it is not the alias of what stands before it.
    pub(super) fn at_clause(&self) -> bool {
        let next = self.ahead(1);
        match self.kw() {
            Kw::Other => false,
            // `SELECT a FROM WHERE b`: FROM is the alias of a column, as there is no relation.
            Kw::From => (self.is_identifier(next) || next.kind == Kind::LParen) && !self.clause_word(1),
            Kw::Where | Kw::Having | Kw::Qualify | Kw::Limit | Kw::Offset => {
                self.begins_expression(1) && !self.clause_word(1)
            }
            Kw::Group | Kw::Order | Kw::Cluster | Kw::Distribute | Kw::Sort => {
                next.kw == Kw::By && self.begins_expression(2)
            }
            Kw::Window => self.at_window_clause(),
            Kw::Union | Kw::Except | Kw::Minus | Kw::Intersect => self.set_operator().is_some(),
            Kw::Lateral => next.kw == Kw::View,
            Kw::Select => self.begins_query(0) && next.kw != Kw::From,
            Kw::Insert => matches!(next.kw, Kw::Into | Kw::Overwrite),
            Kw::For => next.kind == Kind::LParen || self.is_identifier(next) && self.ahead(2).kw == Kw::In,
            _ => false,
        }
    }

    /// Whether the current word begins something that follows a relation.
    pub(super) fn at_relation_clause(&self) -> bool {
        let next = self.ahead(1);
        match self.kw() {
            Kw::Pivot | Kw::Tablesample => next.kind == Kind::LParen,
            Kw::Unpivot => next.kind == Kind::LParen || matches!(next.kw, Kw::Include | Kw::Exclude),
            Kw::Set => self.is_identifier(next),
            Kw::When => matches!(next.kw, Kw::Matched | Kw::Not),
            Kw::Version | Kw::Timestamp | Kw::SystemTime | Kw::SystemVersion => {
                next.kw == Kw::As && self.ahead(2).kw == Kw::Of
            }
            _ => self.at_clause(),
        }
    }
}
