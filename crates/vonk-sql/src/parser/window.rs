//! OVER and WINDOW.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{FrameBound, Over, SortKey, WindowFrame, WindowSpec};

impl Parser<'_> {
    /// What follows OVER: a name, a name in parentheses, a specification.
    pub(super) fn over(&mut self) -> Result<Over> {
        if !self.at(Kind::LParen) {
            return Ok(Over::Named(self.plain_identifier()?));
        }
        if self.is_identifier(self.ahead(1)) && self.ahead(2).kind == Kind::RParen {
            self.pos += 1;
            let name = self.plain_identifier()?;
            self.pos += 1;
            return Ok(Over::Named(name));
        }
        Ok(Over::Window(self.window_spec()?))
    }

    fn window_spec(&mut self) -> Result<WindowSpec> {
        let start = self.start();
        let known = match self.ahead(1).kw {
            Kw::Partition | Kw::Distribute | Kw::Cluster | Kw::Order | Kw::Sort => self.ahead(2).kw == Kw::By,
            kw => matches!(kw, Kw::Rows | Kw::Range) || self.ahead(1).kind == Kind::RParen,
        };
        if self.at(Kind::LParen) && !known {
            return Err(if self.ahead(1).kind == Kind::Eof { self.extra() } else { self.unexpected() });
        }
        self.expect(Kind::LParen)?;
        let mut spec = WindowSpec::default();
        if self.at_any(&[Kw::Partition, Kw::Distribute, Kw::Cluster]) && self.ahead(1).kw == Kw::By {
            let cluster = self.at_kw(Kw::Cluster);
            self.pos += 2;
            spec.partition_by = self.comma_list(Self::expression)?;
            if cluster {
                spec.order_by = spec.partition_by.iter().cloned().map(ascending).collect();
            }
        }
        if self.at_any(&[Kw::Order, Kw::Sort]) && self.ahead(1).kw == Kw::By && spec.order_by.is_empty() {
            self.pos += 2;
            spec.order_by = self.comma_list(Self::sort_key)?;
        }
        if self.at_any(&[Kw::Rows, Kw::Range]) {
            spec.frame = Some(self.window_frame()?);
        }
        self.expect(Kind::RParen)?;
        spec.span = self.span_from(start);
        Ok(spec)
    }

    fn window_frame(&mut self) -> Result<WindowFrame> {
        let rows = self.advance().kw == Kw::Rows;
        if self.at_kw(Kw::Between) {
            self.pos += 1;
            let start = self.frame_bound()?;
            self.expect_kw(Kw::And)?;
            let end = self.frame_bound()?;
            return Ok(WindowFrame { rows, start, end });
        }
        Ok(WindowFrame { rows, start: self.frame_bound()?, end: FrameBound::CurrentRow })
    }

    fn frame_bound(&mut self) -> Result<FrameBound> {
        if self.at_kws(&[Kw::Current, Kw::Row]) {
            self.pos += 2;
            return Ok(FrameBound::CurrentRow);
        }
        if self.at_kw(Kw::Unbounded) && matches!(self.ahead(1).kw, Kw::Preceding | Kw::Following) {
            self.pos += 1;
            return Ok(match self.advance().kw {
                Kw::Preceding => FrameBound::UnboundedPreceding,
                _ => FrameBound::UnboundedFollowing,
            });
        }
        let value = self.value()?;
        match self.eat_any(&[Kw::Preceding, Kw::Following]) {
            Some(Kw::Preceding) => Ok(FrameBound::Preceding(value)),
            Some(_) => Ok(FrameBound::Following(value)),
            None => Err(self.missing("{'FOLLOWING', 'PRECEDING'}")),
        }
    }

    /// `WINDOW w AS (…), x AS w`
    pub(super) fn window_clause(&mut self) -> Result<Vec<(String, Over)>> {
        let mut windows: Vec<(String, Over)> = Vec::new();
        self.pos += 1;
        loop {
            let start = self.start();
            let name = self.plain_identifier()?;
            if windows.iter().any(|(n, _)| *n == name) {
                let e = Error::new("INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION")
                    .with("windowName", vonk_types::data_type::quote_identifier(&name))
                    .at(self.span_from(start));
                self.or_defer(Err(e), ())?;
            }
            self.expect_kw(Kw::As)?;
            windows.push((name, self.nested(Self::over)?));
            if !self.eat(Kind::Comma) {
                return Ok(windows);
            }
        }
    }

    /// `expression [ASC|DESC] [NULLS FIRST|LAST]`
    pub(super) fn sort_key(&mut self) -> Result<SortKey> {
        let expr = self.expression()?;
        let (descending, nulls_first) = self.direction();
        Ok(SortKey { expr, descending, nulls_first })
    }

    pub(super) fn direction(&mut self) -> (bool, Option<bool>) {
        let descending = self.eat_any(&[Kw::Asc, Kw::Desc]) == Some(Kw::Desc);
        let mut nulls_first = None;
        if self.at_kw(Kw::Nulls) && matches!(self.ahead(1).kw, Kw::First | Kw::Last) {
            self.pos += 1;
            nulls_first = Some(self.advance().kw == Kw::First);
        }
        (descending, nulls_first)
    }
}

/// A key in ascending order.
pub(super) fn ascending(expr: vonk_plan::unresolved::Expr) -> SortKey {
    SortKey { expr, descending: false, nulls_first: None }
}
