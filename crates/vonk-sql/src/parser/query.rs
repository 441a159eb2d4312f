//! Queries: WITH, set operations, ORDER BY and LIMIT, parentheses.

use super::Parser;
use super::window::ascending;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Cte, ExprKind, Plan, SetOpKind, SortKey, SortKeys, TableRef};

/// Binding powers of what joins query terms: pipes bind weakest.
const PIPE: u8 = 0;
const UNION: u8 = 1;
const INTERSECT: u8 = 2;

impl Parser<'_> {
    /// A query with everything: `WITH … term ORDER BY … LIMIT …`.
    pub(super) fn query(&mut self) -> Result<Plan> {
        self.nested(|p| {
            if !p.at_with() {
                return p.query_body();
            }
            let (recursive, ctes) = p.with_clause()?;
            let body = Box::new(p.query_body()?);
            Ok(Plan::With { recursive, ctes, body })
        })
    }

    /// A query without WITH.
    pub(super) fn query_body(&mut self) -> Result<Plan> {
        let term = self.query_term(PIPE)?;
        self.organization(term)
    }

    pub(super) fn at_with(&self) -> bool {
        self.at_kw(Kw::With) && self.is_identifier(self.ahead(1))
    }

    pub(super) fn with_clause(&mut self) -> Result<(bool, Vec<Cte>)> {
        self.pos += 1;
        let recursive =
            self.at_kw(Kw::Recursive) && self.is_identifier(self.ahead(1)) && self.ahead(1).kw != Kw::As;
        if recursive {
            self.pos += 1;
        }
        let start = self.start();
        let ctes = self.comma_list(Self::cte)?;
        let mut names: Vec<String> = Vec::with_capacity(ctes.len());
        let mut duplicates = Vec::new();
        for cte in &ctes {
            let name = cte.name.to_lowercase();
            if names.contains(&name) {
                duplicates.push(vonk_types::data_type::quote_identifier(&name));
            }
            names.push(name);
        }
        if !duplicates.is_empty() {
            duplicates.dedup();
            return Err(Error::new("DUPLICATED_CTE_NAMES")
                .with("duplicateNames", duplicates.join(", "))
                .at(self.span_from(start)));
        }
        Ok((recursive, ctes))
    }

    /// `name (columns) MAX RECURSION LEVEL n AS (query)`
    fn cte(&mut self) -> Result<Cte> {
        let start = self.start();
        let name = self.plain_identifier()?;
        let span = self.span_from(start);
        let mut columns = Vec::new();
        if self.at(Kind::LParen) && !self.paren_is_query(self.pos) {
            columns = self.identifier_list()?;
        }
        let mut max_recursion = None;
        if self.eat_kws(&[Kw::Max, Kw::Recursion]) {
            self.expect_kw(Kw::Level)?;
            max_recursion = Some(self.number()?);
        }
        self.eat_kw(Kw::As);
        let plan = self.parenthesized_query()?;
        Ok(Cte { name, columns, plan, max_recursion, span })
    }

    /// `(query)`
    pub(super) fn parenthesized_query(&mut self) -> Result<Plan> {
        self.expect(Kind::LParen)?;
        let plan = self.query()?;
        self.require(Kind::RParen, "')'")?;
        Ok(plan)
    }

    // ---- set operations ----

    fn query_term(&mut self, power: u8) -> Result<Plan> {
        let start = self.start();
        let mut left = self.query_primary()?;
        for links in 0.. {
            self.check_chain(links)?;
            if self.at(Kind::PipeOp) && power == PIPE {
                self.pos += 1;
                left = self.pipe(left)?;
                continue;
            }
            let Some((kind, op_power)) = self.set_operator() else { break };
            if op_power < power {
                break;
            }
            self.pos += 1;
            let all = self.set_quantifier();
            let right = Box::new(self.query_term(op_power + 1)?);
            let span = self.span_from(start);
            left = Plan::SetOp { kind, all, by_name: false, left: Box::new(left), right, span };
        }
        Ok(left)
    }

    /// `ALL` is true, `DISTINCT` and nothing are false.
    pub(super) fn set_quantifier(&mut self) -> bool {
        self.eat_any(&[Kw::All, Kw::Distinct]) == Some(Kw::All)
    }

    /// The set operator at the current token, if a query follows it.
    pub(super) fn set_operator(&self) -> Option<(SetOpKind, u8)> {
        let (kind, power) = match self.kw() {
            Kw::Union => (SetOpKind::Union, UNION),
            Kw::Except | Kw::Minus => (SetOpKind::Except, UNION),
            Kw::Intersect => (SetOpKind::Intersect, INTERSECT),
            _ => return None,
        };
        let power = if self.options.legacy_setops_precedence { UNION } else { power };
        let quantified = matches!(self.ahead(1).kw, Kw::All | Kw::Distinct);
        // That a query follows is checked when it is read.
        (quantified || self.begins_query(1) || self.ahead(1).kind == Kind::LParen).then_some((kind, power))
    }

    /// Whether a query's first word stands `n` tokens further on.
    pub(super) fn begins_query(&self, n: usize) -> bool {
        let next = self.ahead(n + 1);
        match self.ahead(n).kw {
            Kw::Select => {
                self.begins_expression(n + 1) || next.kind == Kind::HintStart || next.kw == Kw::From
            }
            Kw::From => self.is_identifier(next) || next.kind == Kind::LParen,
            Kw::Values => {
                self.begins_expression(n + 1) && !matches!(next.kind, Kind::Star | Kind::Minus | Kind::Plus)
            }
            Kw::Table => self.is_identifier(next),
            Kw::With => self.is_identifier(next),
            Kw::Map | Kw::Reduce => {
                self.begins_expression(n + 1)
                    && matches!(next.kind, Kind::Word | Kind::Backquoted)
                    && !matches!(next.kw, Kw::As | Kw::From | Kw::Where)
            }
            _ => false,
        }
    }

    fn query_primary(&mut self) -> Result<Plan> {
        let start = self.start();
        match self.kw() {
            Kw::Select => self.select(None),
            Kw::From => self.query_from_first(),
            Kw::Values => self.inline_table(),
            Kw::Table => {
                self.pos += 1;
                Ok(Plan::Table(TableRef::plain(self.object_name()?)))
            }
            Kw::Map | Kw::Reduce => {
                Err(Error::unsupported("MAP, REDUCE and TRANSFORM with scripts").at(self.span_from(start)))
            }
            _ if self.at(Kind::LParen) => self.nested(|p| {
                p.pos += 1;
                let plan = p.query()?;
                p.require(Kind::RParen, "')'")?;
                Ok(plan)
            }),
            _ => Err(self.unexpected()),
        }
    }

    /// The right side of a set operation behind a pipe: one query without anything around it.
    pub(super) fn pipe_operand(&mut self) -> Result<Plan> {
        self.query_primary()
    }

    /// Whether the parenthesis at `open` holds a query rather than an expression or a relation: its first word begins one, and what
    /// follows parentheses inside of it continues a query.
    pub(super) fn paren_is_query(&mut self, open: usize) -> bool {
        let mut inner = open;
        while self.tokens[inner].kind == Kind::LParen && self.tokens[inner + 1].kind == Kind::LParen {
            inner += 1;
        }
        if self.tokens[inner].kind != Kind::LParen {
            return false;
        }
        let first = inner + 1;
        let here = std::mem::replace(&mut self.pos, first);
        let begins = self.begins_query(0);
        self.pos = here;
        if !begins {
            return false;
        }
        for level in (open + 1..=inner).rev() {
            let after = self.closer(level) + 1;
            if after >= self.tokens.len() {
                return true;
            }
            let here = std::mem::replace(&mut self.pos, after);
            let continues = self.at(Kind::RParen) || self.continues_query();
            self.pos = here;
            if !continues {
                return false;
            }
        }
        true
    }

    /// Whether the current token continues a query term.
    fn continues_query(&self) -> bool {
        self.at(Kind::PipeOp)
            || self.set_operator().is_some()
            || matches!(self.kw(), Kw::Order | Kw::Sort | Kw::Cluster | Kw::Distribute)
                && self.ahead(1).kw == Kw::By
            || matches!(self.kw(), Kw::Limit | Kw::Offset) && self.begins_expression(1)
    }

    // ---- ORDER BY and below ----

    pub(super) fn at_by(&self, kw: Kw) -> bool {
        self.at_kw(kw) && self.ahead(1).kw == Kw::By
    }

    /// `ORDER BY … | DISTRIBUTE BY … SORT BY … | CLUSTER BY …`, WINDOW, LIMIT, OFFSET.
    pub(super) fn organization(&mut self, input: Plan) -> Result<Plan> {
        let start = self.start();
        let mut order = None;
        let (mut cluster, mut distribute, mut sort) = (Vec::new(), Vec::new(), None);
        if self.at_by(Kw::Order) {
            self.pos += 2;
            order = Some(self.sort_keys()?);
        }
        if self.at_by(Kw::Cluster) {
            self.pos += 2;
            cluster = self.comma_list(Self::expression)?;
        }
        if self.at_by(Kw::Distribute) {
            self.pos += 2;
            distribute = self.comma_list(Self::expression)?;
        }
        if self.at_by(Kw::Sort) {
            self.pos += 2;
            sort = Some(self.sort_keys()?);
        }
        let span = self.span_from(start);
        let mut plan = input;
        match (order, sort, cluster.is_empty(), distribute.is_empty()) {
            (None, None, true, true) => {}
            (Some(keys), None, true, true) => plan = sorted(plan, keys, true),
            (None, Some(keys), true, true) => plan = sorted(plan, keys, false),
            (None, sort, true, false) => {
                plan = Plan::Distribute { input: Box::new(plan), by: distribute };
                if let Some(keys) = sort {
                    plan = sorted(plan, keys, false);
                }
            }
            (None, None, false, true) => {
                let keys: Vec<SortKey> = cluster.iter().cloned().map(ascending).collect();
                plan = Plan::Distribute { input: Box::new(plan), by: cluster };
                plan = sorted(plan, SortKeys::Keys(keys), false);
            }
            _ => return Err(Error::new("UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES").at(span)),
        }
        if self.at_window_clause() {
            let at = self.span_of(self.token());
            let windows = self.window_clause()?;
            plan = with_windows(plan, windows)
                .ok_or_else(|| Error::unsupported("WINDOW behind this query").at(at))?;
        }
        if self.at_kw(Kw::Limit) {
            self.pos += 1;
            if self.at_kw(Kw::All) {
                self.pos += 1;
            } else {
                let count = self.expression()?;
                return self.limited(plan, Some(count));
            }
        }
        self.limited(plan, None)
    }

    /// OFFSET takes effect before LIMIT, though it is written behind.
    fn limited(&mut self, mut plan: Plan, limit: Option<vonk_plan::unresolved::Expr>) -> Result<Plan> {
        if self.at_kw(Kw::Offset) && self.begins_expression(1) {
            self.pos += 1;
            let count = self.expression()?;
            plan = Plan::Offset { input: Box::new(plan), count };
        }
        Ok(match limit {
            Some(count) => Plan::Limit { input: Box::new(plan), count },
            None => plan,
        })
    }

    pub(super) fn at_window_clause(&self) -> bool {
        self.at_kw(Kw::Window) && self.is_identifier(self.ahead(1)) && self.ahead(2).kw == Kw::As
    }

    fn sort_keys(&mut self) -> Result<SortKeys> {
        let mut keys = self.comma_list(Self::sort_key)?;
        if let [SortKey { expr, descending, nulls_first }] = &keys[..]
            && let ExprKind::Name(name) = &expr.kind
            && name.parts.len() == 1
            && name.parts[0].eq_ignore_ascii_case("all")
        {
            return Ok(SortKeys::All { descending: *descending, nulls_first: *nulls_first });
        }
        keys.shrink_to_fit();
        Ok(SortKeys::Keys(keys))
    }
}

fn sorted(input: Plan, keys: SortKeys, global: bool) -> Plan {
    Plan::Sort { input: Box::new(input), keys, global }
}

/// Adds definitions to the SELECT below ORDER BY.
fn with_windows(plan: Plan, windows: Vec<(String, vonk_plan::unresolved::Over)>) -> Option<Plan> {
    match plan {
        Plan::Select(mut select) if select.windows.is_empty() => {
            select.windows = windows;
            Some(Plan::Select(select))
        }
        Plan::Sort { input, keys, global } => Some(sorted(with_windows(*input, windows)?, keys, global)),
        Plan::Distribute { input, by } => {
            Some(Plan::Distribute { input: Box::new(with_windows(*input, windows)?), by })
        }
        _ => None,
    }
}
