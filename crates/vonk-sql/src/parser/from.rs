//! FROM: relations, joins, lateral views, samples.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{
    AsOf, Expr, ExprKind, Join, JoinConstraint, JoinKind, LateralView, Plan, SampleAmount, TableRef,
};

impl Parser<'_> {
    /// FROM is taken: `relation, relation … LATERAL VIEW … PIVOT … UNPIVOT`.
    pub(super) fn relations(&mut self) -> Result<Plan> {
        let start = self.start();
        let mut plan = self.relation()?;
        for links in 1.. {
            if !self.eat(Kind::Comma) {
                break;
            }
            self.check_chain(links)?;
            let lateral = self.at_lateral_relation();
            let right = self.relation()?;
            plan = Plan::Join(Box::new(Join {
                left: plan,
                right,
                kind: JoinKind::Cross,
                constraint: JoinConstraint::None,
                lateral,
                span: self.span_from(start),
            }));
        }
        while self.at_lateral_view() {
            plan = self.lateral_view(plan)?;
        }
        if self.at_pivot() {
            plan = self.pivot(plan)?;
        }
        if self.at_unpivot() {
            plan = self.unpivot(plan)?;
        }
        Ok(plan)
    }

    fn at_lateral_relation(&self) -> bool {
        let next = self.ahead(1);
        self.at_kw(Kw::Lateral)
            && next.kw != Kw::View
            && (self.is_identifier(next) || next.kind == Kind::LParen)
    }

    /// A relation and everything joined to it.
    fn relation(&mut self) -> Result<Plan> {
        let start = self.start();
        if self.at_lateral_relation() {
            self.pos += 1;
        }
        let mut plan = self.relation_primary()?;
        for links in 0.. {
            self.check_chain(links)?;
            if self.at_pivot() {
                plan = self.pivot(plan)?;
            } else if self.at_unpivot() {
                plan = self.unpivot(plan)?;
            } else if let Some((kind, natural)) = self.join_type()? {
                plan = self.join(plan, kind, natural, start)?;
            } else {
                break;
            }
        }
        Ok(plan)
    }

    /// The words up to and with JOIN, if a join comes.
    pub(super) fn join_type(&mut self) -> Result<Option<(JoinKind, bool)>> {
        let natural = self.at_kw(Kw::Natural);
        let n = usize::from(natural);
        let (first, second) = (self.ahead(n).kw, self.ahead(n + 1).kw);
        let (kind, words) = match (first, second) {
            (Kw::Join, _) => (JoinKind::Inner, 0),
            (Kw::Inner, _) => (JoinKind::Inner, 1),
            (Kw::Cross, _) => (JoinKind::Cross, 1),
            (Kw::Left, Kw::Semi) => (JoinKind::LeftSemi, 2),
            (Kw::Left, Kw::Anti) => (JoinKind::LeftAnti, 2),
            (Kw::Left, Kw::Outer) => (JoinKind::Left, 2),
            (Kw::Left, _) => (JoinKind::Left, 1),
            (Kw::Right, Kw::Outer) => (JoinKind::Right, 2),
            (Kw::Right, _) => (JoinKind::Right, 1),
            (Kw::Full, Kw::Outer) => (JoinKind::Full, 2),
            (Kw::Full, _) => (JoinKind::Full, 1),
            (Kw::Semi, _) => (JoinKind::LeftSemi, 1),
            (Kw::Anti, _) => (JoinKind::LeftAnti, 1),
            _ if natural => (JoinKind::Inner, 0),
            _ => return Ok(None),
        };
        self.pos += n + words;
        // Words that promise a join and nothing else: its absence can be named.
        if natural || matches!(kind, JoinKind::Cross) {
            self.require_kw(Kw::Join, false)?;
        } else {
            self.expect_kw(Kw::Join)?;
        }
        Ok(Some((kind, natural)))
    }

    /// JOIN is taken: the right side and the condition.
    pub(super) fn join(&mut self, left: Plan, kind: JoinKind, natural: bool, start: u32) -> Result<Plan> {
        let lateral = self.at_lateral_relation();
        if lateral {
            self.pos += 1;
        }
        let right = self.relation_primary()?;
        let constraint = if natural {
            if kind == JoinKind::Cross {
                return Err(Error::new("INCOMPATIBLE_JOIN_TYPES")
                    .with("joinType1", "NATURAL")
                    .with("joinType2", "CROSS")
                    .at(self.span_from(start)));
            }
            JoinConstraint::Natural
        } else if self.at_kw(Kw::On) && self.begins_expression(1) {
            self.pos += 1;
            JoinConstraint::On(self.expression()?)
        } else if self.at_kw(Kw::On) {
            self.pos += 1;
            return Err(self.unexpected());
        } else if self.eat_kw(Kw::Using) {
            let at = self.start();
            self.require(Kind::LParen, "'('")?;
            let names = self.comma_list(Self::plain_identifier)?;
            self.require(Kind::RParen, "')'")?;
            let span = self.span_from(at);
            let name = |n: String| vonk_plan::unresolved::Name { parts: vec![n], span };
            JoinConstraint::Using(names.into_iter().map(name).collect())
        } else {
            JoinConstraint::None
        };
        let span = self.span_from(start);
        Ok(Plan::Join(Box::new(Join { left, right, kind, constraint, lateral, span })))
    }

    /// A table, a query or a relation in parentheses, VALUES, a table function; with its alias.
    pub(super) fn relation_primary(&mut self) -> Result<Plan> {
        let start = self.start();
        if self.at(Kind::LParen) {
            let open = self.pos;
            let plan = if self.paren_is_query(open) {
                Plan::Subquery(Box::new(self.nested(Self::parenthesized_query)?))
            } else {
                self.nested(|p| {
                    p.pos += 1;
                    let plan = p.relation()?;
                    p.require(Kind::RParen, "')'")?;
                    Ok(plan)
                })?
            };
            let plan = self.sampled(plan)?;
            return self.table_alias(plan, start);
        }
        if self.at_kw(Kw::Values) && self.begins_query(0) {
            return self.inline_table();
        }
        if self.at_kw(Kw::Stream) && self.is_identifier(self.ahead(1)) && !self.at_alias_of_next() {
            return Err(Error::unsupported("STREAM").at(self.span_of(self.token())));
        }
        let name = self.object_name()?;
        if self.at(Kind::LParen) {
            let args = self.table_function_arguments()?;
            let span = self.span_from(start);
            return self.table_alias(Plan::TableFunction { name, args, span }, start);
        }
        let mut table = TableRef::plain(name);
        table.as_of = self.as_of()?;
        if self.at_kw(Kw::With) && self.ahead(1).kind == Kind::LParen {
            self.pos += 1;
            table.options = self.property_list()?;
        }
        let plan = self.sampled(Plan::Table(table))?;
        self.table_alias(plan, start)
    }

    /// `stream t` where `stream` is a table and `t` its alias cannot be told from `STREAM t`, which Spark reads as a stream.
    fn at_alias_of_next(&self) -> bool {
        self.ahead(1).kw == Kw::As || self.ahead(1).kw.is_strict() || {
            matches!(self.ahead(1).kw, Kw::Where | Kw::Group | Kw::Order | Kw::Limit | Kw::Having)
        }
    }

    /// `VERSION AS OF 1`, `FOR SYSTEM_TIME AS OF timestamp`
    fn as_of(&mut self) -> Result<Option<AsOf>> {
        let n = usize::from(self.at_kw(Kw::For));
        let kw = self.ahead(n).kw;
        if !(self.ahead(n + 1).kw == Kw::As && self.ahead(n + 2).kw == Kw::Of) {
            return Ok(None);
        }
        match kw {
            Kw::Version | Kw::SystemVersion => {
                self.pos += n + 3;
                if self.at(Kind::Integer) {
                    let t = self.advance();
                    return Ok(Some(AsOf::Version(self.text_of(t).to_string())));
                }
                Ok(Some(AsOf::Version(self.string()?)))
            }
            Kw::Timestamp | Kw::SystemTime => {
                self.pos += n + 3;
                let e = self.value()?;
                if let ExprKind::Name(_) = e.kind {
                    let reason = "timestamp expression cannot refer to any columns";
                    return Err(Error::new("_LEGACY_ERROR_TEMP_0056").with("reason", reason).at(e.span));
                }
                Ok(Some(AsOf::Timestamp(e)))
            }
            _ => Ok(None),
        }
    }

    fn table_function_arguments(&mut self) -> Result<Vec<Expr>> {
        self.expect(Kind::LParen)?;
        let args = if self.at(Kind::RParen) {
            Vec::new()
        } else {
            self.nested(|p| {
                p.comma_list(|p| if p.at_table_argument() { p.table_argument() } else { p.argument() })
            })?
        };
        self.expect(Kind::RParen)?;
        Ok(args)
    }

    pub(super) fn at_table_argument(&self) -> bool {
        self.at_kw(Kw::Table) && (self.is_identifier(self.ahead(1)) || self.ahead(1).kind == Kind::LParen)
    }

    /// `TABLE t`, `TABLE (t)`, `TABLE (query)`
    pub(super) fn table_argument(&mut self) -> Result<Expr> {
        let start = self.start();
        self.pos += 1;
        let plan = if !self.at(Kind::LParen) {
            let name = self.object_name()?;
            let condition =
                "INVALID_SQL_SYNTAX.INVALID_TABLE_FUNCTION_IDENTIFIER_ARGUMENT_MISSING_PARENTHESES";
            let quoted: Vec<String> =
                name.parts.iter().map(|p| vonk_types::data_type::quote_identifier(p)).collect();
            return Err(Error::new(condition).with("argumentName", quoted.join(".")).at(name.span));
        } else if self.paren_is_query(self.pos) {
            self.parenthesized_query()?
        } else {
            self.pos += 1;
            let name = self.object_name()?;
            self.expect(Kind::RParen)?;
            Plan::Table(TableRef::plain(name))
        };
        if self.at_any(&[Kw::Partition, Kw::Distribute, Kw::With, Kw::Order, Kw::Sort]) {
            return Err(Error::unsupported("PARTITION BY of a table argument").at(self.span_from(start)));
        }
        Ok(Expr::new(ExprKind::TableArgument(Box::new(plan)), self.span_from(start)))
    }

    /// `[AS] alias [(columns)]`
    pub(super) fn table_alias(&mut self, plan: Plan, start: u32) -> Result<Plan> {
        if self.at_kw(Kw::As) {
            // `AS` that no name follows is the alias.
            if self.is_strict_identifier(self.ahead(1)) {
                self.pos += 1;
            }
        } else if !self.is_strict_identifier(self.token()) || self.at_relation_clause() {
            return Ok(plan);
        }
        let alias = self.identifier()?;
        let columns = if self.at(Kind::LParen) { self.identifier_list()? } else { Vec::new() };
        Ok(Plan::Aliased { input: Box::new(plan), alias, columns, span: self.span_from(start) })
    }

    /// `VALUES row, row … [alias]`
    pub(super) fn inline_table(&mut self) -> Result<Plan> {
        let start = self.start();
        self.pos += 1;
        let rows = self.nested(|p| {
            let mut rows = vec![p.expression()?];
            while p.at(Kind::Comma) {
                if p.ahead(1).kind == Kind::Eof {
                    return Err(p.extra());
                }
                p.pos += 1;
                rows.push(p.expression()?);
            }
            Ok(rows)
        })?;
        let rows = rows
            .into_iter()
            .map(|e| match e.kind {
                ExprKind::Row(items) => items.into_iter().map(without_alias).collect(),
                _ => vec![e],
            })
            .collect();
        let span = self.span_from(start);
        self.table_alias(Plan::Values { rows, span }, start)
    }

    // ---- lateral views ----

    pub(super) fn at_lateral_view(&self) -> bool {
        self.at_kws(&[Kw::Lateral, Kw::View])
    }

    pub(super) fn lateral_view(&mut self, input: Plan) -> Result<Plan> {
        let start = self.start();
        self.pos += 2;
        let outer =
            self.at_kw(Kw::Outer) && self.ahead(1).kind != Kind::LParen && self.ahead(1).kind != Kind::Dot;
        if outer {
            self.pos += 1;
        }
        let generator = self.name()?;
        self.expect(Kind::LParen)?;
        let mut args = Vec::new();
        if !self.at(Kind::RParen) {
            args = self.nested(|p| p.comma_list(Self::expression))?;
        }
        self.expect(Kind::RParen)?;
        let alias = self.identifier()?;
        let mut columns = Vec::new();
        if self.eat_kw(Kw::As) || self.at_identifier() && !self.at_relation_clause() && !self.kw().is_strict()
        {
            columns = self.comma_list(Self::identifier)?;
        }
        let span = self.span_from(start);
        Ok(Plan::LateralView(Box::new(LateralView { input, outer, generator, args, alias, columns, span })))
    }

    // ---- samples ----

    fn sampled(&mut self, plan: Plan) -> Result<Plan> {
        if self.at_kw(Kw::Tablesample) && self.ahead(1).kind == Kind::LParen {
            self.sample(plan)
        } else {
            Ok(plan)
        }
    }

    /// `TABLESAMPLE (…) [REPEATABLE (seed)]`
    pub(super) fn sample(&mut self, input: Plan) -> Result<Plan> {
        let start = self.start();
        self.expect_kw(Kw::Tablesample)?;
        self.expect(Kind::LParen)?;
        if self.at(Kind::RParen) {
            return Err(Error::new("_LEGACY_ERROR_TEMP_0014").at(self.span_from(start)));
        }
        let amount = self.sample_amount(start)?;
        self.expect(Kind::RParen)?;
        let mut seed = None;
        if self.at_kw(Kw::Repeatable) && self.ahead(1).kind == Kind::LParen {
            self.pos += 2;
            seed = Some(self.number()?);
            self.expect(Kind::RParen)?;
        }
        Ok(Plan::Sample { input: Box::new(input), amount, seed })
    }

    fn sample_amount(&mut self, start: u32) -> Result<SampleAmount> {
        let refused = |p: &Self, what: &str| {
            Error::new("_LEGACY_ERROR_TEMP_0015").with("msg", what).at(p.span_from(start))
        };
        if self.at_kw(Kw::Bucket) && self.ahead(1).kind == Kind::Integer {
            self.pos += 1;
            let part = self.number()?;
            self.expect_kws(&[Kw::Out, Kw::Of])?;
            let whole = self.number()?;
            if self.eat_kw(Kw::On) {
                let name = self.name()?;
                let function = name.parts.len() > 1 || self.at(Kind::LParen);
                let what =
                    if function { "BUCKET x OUT OF y ON function" } else { "BUCKET x OUT OF y ON colname" };
                return Err(refused(self, what));
            }
            return Ok(SampleAmount::Bucket(part, whole));
        }
        let minus = usize::from(self.at(Kind::Minus));
        let number = self.ahead(minus);
        if matches!(number.kind, Kind::Integer | Kind::Decimal) && self.ahead(minus + 1).kw == Kw::Percent {
            self.pos += minus + 2;
            let percent: f64 = self.text_of(number).parse().map_err(|_| self.unexpected())?;
            let fraction = if minus == 1 { -percent / 100.0 } else { percent / 100.0 };
            if !(0.0..=1.0).contains(&fraction) {
                return Err(Error::new("INVALID_TABLESAMPLE_FRACTION")
                    .with("fraction", vonk_types::number::format_f64(fraction))
                    .at(self.span_from(start)));
            }
            return Ok(SampleAmount::Fraction(fraction));
        }
        let e = self.expression()?;
        if self.eat_kw(Kw::Rows) {
            return Ok(SampleAmount::Rows(e));
        }
        Err(refused(self, "byteLengthLiteral"))
    }
}

/// Names inside of a row of VALUES say nothing.
fn without_alias(e: Expr) -> Expr {
    match e.kind {
        ExprKind::Alias { expr, .. } => *expr,
        _ => e,
    }
}
