//! Forms with keywords inside: CASE, CAST, EXTRACT, TRIM, INTERVAL and their like. Most are calls in disguise.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Expr, ExprKind, FunctionCall, Name};
use vonk_types::{DataType, Literal};

impl Parser<'_> {
    /// The form that begins with this keyword; `None` where the word is just a name here.
    pub(super) fn special_form(&mut self) -> Result<Option<Expr>> {
        let kw = self.kw();
        if kw == Kw::Other {
            return Ok(None);
        }
        let start = self.start();
        let paren = self.ahead(1).kind == Kind::LParen;
        let form = match kw {
            Kw::Null if !self.is_name_here() => Some(self.constant(Literal::null(DataType::Null))),
            Kw::True if !self.is_name_here() => Some(self.constant(Literal::boolean(true))),
            Kw::False if !self.is_name_here() => Some(self.constant(Literal::boolean(false))),
            Kw::Case if self.at_case() => Some(self.case()?),
            Kw::Interval => self.interval()?,
            Kw::Cast | Kw::TryCast if paren => Some(self.cast()?),
            Kw::Extract if paren && self.ahead(3).kw == Kw::From && self.is_identifier(self.ahead(2)) => {
                Some(self.extract()?)
            }
            Kw::Position if paren => self.position()?,
            Kw::Substr | Kw::Substring if paren => Some(self.substring()?),
            Kw::Trim if paren => self.trim()?,
            Kw::Overlay if paren => Some(self.overlay()?),
            Kw::Struct if paren => Some(self.struct_call()?),
            Kw::First | Kw::Last | Kw::AnyValue if paren => Some(self.first_last()?),
            Kw::Timestampadd | Kw::Dateadd | Kw::DateAdd if paren => self.unit_call("timestampadd")?,
            Kw::Timestampdiff | Kw::Datediff | Kw::DateDiff | Kw::Timediff if paren => {
                self.unit_call("timestampdiff")?
            }
            Kw::Default => self.default_value(),
            _ => None,
        };
        Ok(form.map(|mut e| {
            e.span = self.span_from(start);
            e
        }))
    }

    /// A word that is followed by what makes it a name: a parenthesis, an arrow.
    fn is_name_here(&self) -> bool {
        matches!(self.ahead(1).kind, Kind::LParen | Kind::Arrow)
    }

    fn constant(&mut self, value: Literal) -> Expr {
        self.pos += 1;
        Expr::literal(value, vonk_error::Span::NONE)
    }

    /// `DEFAULT` alone, as in `VALUES (DEFAULT)` and `SET x = DEFAULT`.
    fn default_value(&mut self) -> Option<Expr> {
        let alone = matches!(
            self.ahead(1).kind,
            Kind::Comma | Kind::RParen | Kind::Eof | Kind::Semicolon | Kind::Word
        );
        if !alone {
            return None;
        }
        self.pos += 1;
        Some(Expr::made(ExprKind::Default))
    }

    /// A call whose place is filled in by the caller.
    fn made_call(&self, name: &str, at: u32, args: Vec<Expr>) -> Expr {
        let name = Name { parts: vec![name.to_string()], span: self.span_from(at) };
        Expr::made(ExprKind::Function(Box::new(FunctionCall::plain(name, args))))
    }

    /// Whether CASE begins a CASE here: WHEN follows, or an operand.
    fn at_case(&self) -> bool {
        let next = self.ahead(1);
        if next.kw == Kw::When {
            return true;
        }
        let is_name = matches!(next.kind, Kind::Star | Kind::Minus | Kind::Plus)
            || matches!(next.kw, Kw::From | Kw::As | Kw::End)
            || next.kind == Kind::LParen && self.ahead(2).kind == Kind::RParen;
        self.begins_expression(1) && !is_name
    }

    fn case(&mut self) -> Result<Expr> {
        self.pos += 1;
        if !self.at_kw(Kw::When) {
            return self.case_body();
        }
        let condition = self.pos + 1;
        self.case_body().map_err(|e| {
            if e.condition() != "PARSE_SYNTAX_ERROR" {
                return e;
            }
            // Without its END, `CASE` is a name and WHEN its alias: Spark stumbles over what follows them.
            self.pos = condition.min(self.tokens.len() - 1);
            self.unexpected()
        })
    }

    fn case_body(&mut self) -> Result<Expr> {
        self.nested(|p| {
            let operand = if p.at_kw(Kw::When) { None } else { Some(Box::new(p.expression()?)) };
            let mut branches = Vec::new();
            while p.eat_kw(Kw::When) {
                let when = p.expression()?;
                p.expect_kw(Kw::Then)?;
                branches.push((when, p.expression()?));
            }
            if branches.is_empty() {
                return Err(p.unexpected());
            }
            let otherwise = if p.eat_kw(Kw::Else) { Some(Box::new(p.expression()?)) } else { None };
            p.expect_kw(Kw::End)?;
            Ok(Expr::made(ExprKind::Case { operand, branches, otherwise }))
        })
    }

    fn cast(&mut self) -> Result<Expr> {
        let try_cast = self.at_kw(Kw::TryCast);
        self.pos += 2;
        let expr = Box::new(self.nested(Self::expression)?);
        self.expect_kw(Kw::As)?;
        let data_type = self.data_type()?;
        if self.at(Kind::Eof) {
            return Err(self.unexpected());
        }
        self.require(Kind::RParen, "')'")?;
        Ok(Expr::made(ExprKind::Cast { expr, data_type, try_cast }))
    }

    /// `EXTRACT(field FROM source)`
    fn extract(&mut self) -> Result<Expr> {
        let at = self.start();
        self.pos += 2;
        let t = self.token();
        let field = self.identifier()?;
        let field = Expr::literal(Literal::string(field), self.span_of(t));
        self.expect_kw(Kw::From)?;
        let source = self.nested(Self::value)?;
        self.expect(Kind::RParen)?;
        Ok(self.made_call("extract", at, vec![field, source]))
    }

    /// `POSITION(a IN b)`; with a comma it is a plain call.
    fn position(&mut self) -> Result<Option<Expr>> {
        let at = self.pos;
        if !self.paren_holds(at + 1, &[Kw::In]) {
            return Ok(None);
        }
        let start = self.start();
        self.pos += 2;
        let part = self.nested(Self::value)?;
        self.expect_kw(Kw::In)?;
        let whole = self.nested(Self::value)?;
        self.require(Kind::RParen, "')'")?;
        Ok(Some(self.made_call("locate", start, vec![part, whole])))
    }

    /// `SUBSTRING(s FROM a FOR n)`, or with commas, which is a plain call.
    fn substring(&mut self) -> Result<Expr> {
        let at = self.pos;
        let start = self.start();
        if !self.paren_holds(at + 1, &[Kw::From, Kw::For]) {
            let t = self.advance();
            let name = Name { parts: vec![self.text_of(t).to_string()], span: self.span_of(t) };
            return self.call(name, start);
        }
        self.pos += 2;
        let mut args = vec![self.nested(Self::value)?];
        if !self.eat(Kind::Comma) {
            self.expect_kw(Kw::From)?;
        }
        args.push(self.nested(Self::value)?);
        if self.eat_kw(Kw::For) || self.eat(Kind::Comma) {
            args.push(self.nested(Self::value)?);
        }
        self.expect(Kind::RParen)?;
        Ok(self.made_call("substring", start, args))
    }

    /// `TRIM([BOTH|LEADING|TRAILING] [chars] FROM s)`; without FROM it is a plain call.
    fn trim(&mut self) -> Result<Option<Expr>> {
        let at = self.pos;
        let from_is_name = self.ahead(2).kw == Kw::From && self.ahead(4).kind == Kind::RParen;
        if from_is_name || !self.paren_holds(at + 1, &[Kw::From]) {
            return Ok(None);
        }
        let start = self.start();
        self.pos += 2;
        let name = match self.eat_any(&[Kw::Both, Kw::Leading, Kw::Trailing]) {
            Some(Kw::Leading) => "ltrim",
            Some(Kw::Trailing) => "rtrim",
            _ => "trim",
        };
        let mut args = Vec::new();
        if !self.at_kw(Kw::From) {
            args.push(self.nested(Self::value)?);
        }
        self.expect_kw(Kw::From)?;
        args.push(self.nested(Self::value)?);
        self.expect(Kind::RParen)?;
        Ok(Some(self.made_call(name, start, args)))
    }

    /// `OVERLAY(s PLACING r FROM a FOR n)`, or with commas, which is a plain call.
    fn overlay(&mut self) -> Result<Expr> {
        let at = self.pos;
        let start = self.start();
        if !self.paren_holds(at + 1, &[Kw::Placing]) {
            let t = self.advance();
            let name = Name { parts: vec![self.text_of(t).to_string()], span: self.span_of(t) };
            return self.call(name, start);
        }
        self.pos += 2;
        let mut args = vec![self.nested(Self::value)?];
        self.expect_kw(Kw::Placing)?;
        args.push(self.nested(Self::value)?);
        self.expect_kw(Kw::From)?;
        args.push(self.nested(Self::value)?);
        if self.eat_kw(Kw::For) {
            args.push(self.nested(Self::value)?);
        }
        self.expect(Kind::RParen)?;
        Ok(self.made_call("overlay", start, args))
    }

    /// `STRUCT(a, b AS c)`: arguments may have names.
    fn struct_call(&mut self) -> Result<Expr> {
        let start = self.start();
        let t = self.advance();
        let name = Name { parts: vec![self.text_of(t).to_string()], span: self.span_of(t) };
        self.pos += 1;
        let args = if self.at(Kind::RParen) {
            Vec::new()
        } else {
            self.nested(|p| p.comma_list(Self::named_expression))?
        };
        self.expect(Kind::RParen)?;
        let mut call = FunctionCall::plain(name, args);
        self.call_tail(&mut call)?;
        Ok(Expr::new(ExprKind::Function(Box::new(call)), self.span_from(start)))
    }

    /// `FIRST(x IGNORE NULLS)`: as if it stood behind the parenthesis.
    fn first_last(&mut self) -> Result<Expr> {
        let start = self.start();
        let t = self.advance();
        let name = Name { parts: vec![self.text_of(t).to_string()], span: self.span_of(t) };
        self.pos += 1;
        let mut call = FunctionCall::plain(name, Vec::new());
        if !self.at(Kind::RParen) {
            if self.at_any(&[Kw::Distinct, Kw::All]) && self.begins_expression(1) {
                call.distinct = self.advance().kw == Kw::Distinct;
            }
            call.args = self.nested(|p| p.comma_list(Self::argument))?;
            if call.args.len() == 1 && self.eat_kws(&[Kw::Ignore, Kw::Nulls]) {
                call.ignore_nulls = Some(true);
                if !self.at(Kind::RParen) {
                    return Err(self.missing("')'"));
                }
            }
        }
        self.expect(Kind::RParen)?;
        self.call_tail(&mut call)?;
        Ok(Expr::new(ExprKind::Function(Box::new(call)), self.span_from(start)))
    }

    /// `DATEADD(unit, n, t)`: a call of `name` with the unit as a string. Other first arguments make it a plain call.
    fn unit_call(&mut self, name: &str) -> Result<Option<Expr>> {
        let unit = self.ahead(2);
        if self.ahead(3).kind != Kind::Comma {
            return Ok(None);
        }
        let known = matches!(
            unit.kw,
            Kw::Year
                | Kw::Quarter
                | Kw::Month
                | Kw::Week
                | Kw::Day
                | Kw::Dayofyear
                | Kw::Hour
                | Kw::Minute
                | Kw::Second
                | Kw::Millisecond
                | Kw::Microsecond
        );
        let start = self.start();
        let commas = self.top_level_commas(self.pos + 1);
        if commas != 2 || !(known || self.is_string(unit)) {
            return Ok(None);
        }
        if !known {
            let written = self.text_of(self.token()).to_ascii_lowercase();
            return Err(Error::new("INVALID_PARAMETER_VALUE.DATETIME_UNIT")
                .with("functionName", format!("`{written}`"))
                .with("parameter", "`unit`")
                .with("invalidValue", self.text_of(unit))
                .at(self.span_of(unit)));
        }
        self.pos += 4;
        let unit = Expr::literal(Literal::string(self.text_of(unit)), self.span_of(unit));
        let mut args = vec![unit, self.nested(Self::value)?];
        self.expect(Kind::Comma)?;
        args.push(self.nested(Self::value)?);
        self.expect(Kind::RParen)?;
        Ok(Some(self.made_call(name, start, args)))
    }

    /// Whether one of the keywords stands between the parenthesis at `open` and its partner, not deeper.
    fn paren_holds(&mut self, open: usize, kws: &[Kw]) -> bool {
        let close = self.closer(open);
        let mut i = open + 1;
        while i < close {
            let t = self.tokens[i];
            if t.kind == Kind::LParen {
                i = self.closer(i);
            } else if t.kw != Kw::Other && kws.contains(&t.kw) {
                return true;
            }
            i += 1;
        }
        false
    }

    fn top_level_commas(&mut self, open: usize) -> usize {
        let close = self.closer(open);
        let mut commas = 0;
        let mut i = open + 1;
        while i < close {
            match self.tokens[i].kind {
                Kind::LParen => i = self.closer(i),
                Kind::Comma => commas += 1,
                _ => {}
            }
            i += 1;
        }
        commas
    }
}
