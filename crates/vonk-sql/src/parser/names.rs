//! Identifiers, qualified names, strings.

use super::Parser;
use crate::lex::{Kind, Kw, Token};
use crate::literal::text;
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::{BinaryOp, Expr, ExprKind, Name};

impl Parser<'_> {
    /// Whether a token may be an identifier at all.
    pub(super) fn is_identifier(&self, t: Token) -> bool {
        match t.kind {
            Kind::Backquoted => true,
            Kind::DoubleQuoted => self.options.double_quoted_identifiers,
            Kind::Word => !(self.options.enforce_reserved_keywords && t.kw.is_ansi_reserved()),
            _ => false,
        }
    }

    /// Whether a token may be an identifier where a few keywords (`ON`, `LEFT`, …) may not: aliases of relations.
    pub(super) fn is_strict_identifier(&self, t: Token) -> bool {
        self.is_identifier(t) && !t.kw.is_strict()
    }

    pub(super) fn at_identifier(&self) -> bool {
        self.is_identifier(self.token())
    }

    fn at_identifier_clause(&self) -> bool {
        self.at_kw(Kw::Identifier)
            && self.ahead(1).kind == Kind::LParen
            && self.is_string(self.ahead(2))
            && self.ahead(3).kind == Kind::RParen
    }

    /// One identifier as a name's part.
    pub(super) fn identifier(&mut self) -> Result<String> {
        if self.at_identifier_clause() {
            let start = self.start();
            let mut parts = self.identifier_clause()?;
            if parts.len() == 1 {
                return Ok(parts.swap_remove(0));
            }
            return Err(Error::new("IDENTIFIER_TOO_MANY_NAME_PARTS")
                .with("identifier", parts.join("."))
                .with("limit", "1")
                .at(self.span_from(start)));
        }
        if !self.at_identifier() {
            return Err(self.unexpected());
        }
        let t = self.advance();
        self.identifier_text(t)
    }

    /// The text of an identifier token.
    pub(super) fn identifier_text(&mut self, t: Token) -> Result<String> {
        let written = self.text_of(t);
        match t.kind {
            Kind::Word if written.is_ascii() => Ok(written.to_string()),
            Kind::Word => {
                let e = Error::new("INVALID_IDENTIFIER").with("ident", written).at(self.span_of(t));
                self.or_defer(Err(e), written.to_string())
            }
            _ => Ok(text::unquote_name(written)),
        }
    }

    /// An identifier where no expression could stand: `a-b` is then refused as an unquoted name rather than read as a difference.
    pub(super) fn plain_identifier(&mut self) -> Result<String> {
        let start = self.start();
        let name = self.identifier()?;
        let mut dashed = false;
        while self.at(Kind::Minus) && self.is_identifier(self.ahead(1)) {
            self.pos += 2;
            dashed = true;
        }
        if dashed {
            let span = self.span_from(start);
            let e = Error::new("INVALID_IDENTIFIER").with("ident", self.slice(span)).at(span);
            self.or_defer(Err(e), ())?;
        }
        Ok(name)
    }

    /// `a.b.c`, `IDENTIFIER('a.b')`.
    pub(super) fn name(&mut self) -> Result<Name> {
        let start = self.start();
        let mut parts = Vec::with_capacity(1);
        loop {
            if self.at_identifier_clause() {
                parts.append(&mut self.identifier_clause()?);
            } else {
                parts.push(self.plain_identifier()?);
            }
            if !self.eat(Kind::Dot) {
                break;
            }
        }
        Ok(Name { parts, span: self.span_from(start) })
    }

    /// A name of a table or the like; `IDENTIFIER(expression)` of anything but a string is not known before analysis.
    pub(super) fn object_name(&mut self) -> Result<Name> {
        if self.at_kw(Kw::Identifier) && self.ahead(1).kind == Kind::LParen && !self.at_identifier_clause() {
            let start = self.start();
            self.pos += 2;
            let e = self.nested(Self::expression)?;
            self.expect(Kind::RParen)?;
            let Some(text) = constant_text(&e) else {
                return Err(
                    Error::unsupported("IDENTIFIER(…) of an expression as the name of an object").at(e.span)
                );
            };
            let span = self.span_from(start);
            return Ok(Name { parts: self.parse_name_text(&text, span)?, span });
        }
        self.name()
    }

    /// `IDENTIFIER('…')`, checked to be one: the parts of the name in the string.
    pub(super) fn identifier_clause(&mut self) -> Result<Vec<String>> {
        let start = self.start();
        self.pos += 2;
        let t = self.advance();
        self.expect(Kind::RParen)?;
        let text = self.string_text(t);
        self.parse_name_text(&text, self.span_from(start))
    }

    /// The parts of a name that stands in a string.
    fn parse_name_text(&self, text: &str, span: Span) -> Result<Vec<String>> {
        let mut inner = Parser::new(text, self.options)?;
        let parsed = inner.name().and_then(|n| inner.finish().map(|()| n));
        parsed.map(|n| n.parts).map_err(|e| {
            // The place inside of the string means nothing in the statement.
            let mut outer = Error::new("PARSE_SYNTAX_ERROR");
            for (k, v) in e.params() {
                match k {
                    "error" => outer = outer.with("error", v),
                    "hint" => outer = outer.with("hint", v),
                    _ => {}
                }
            }
            outer.at(span)
        })
    }

    // ---- strings ----

    /// Whether a token is a string literal.
    pub(super) fn is_string(&self, t: Token) -> bool {
        match t.kind {
            Kind::Text | Kind::RawText => true,
            Kind::DoubleQuoted => !self.options.double_quoted_identifiers,
            _ => false,
        }
    }

    pub(super) fn at_string(&self) -> bool {
        self.is_string(self.token())
    }

    /// The value of a string token.
    pub(super) fn string_text(&self, t: Token) -> String {
        match t.kind {
            Kind::RawText => text::unquote_raw(self.text_of(t)),
            _ => text::unquote(self.text_of(t), self.options.escaped_string_literals),
        }
    }

    /// One string literal or several in a row, which are one.
    pub(super) fn string(&mut self) -> Result<String> {
        if !self.at_string() {
            return Err(self.unexpected());
        }
        let t = self.advance();
        let mut out = self.string_text(t);
        while self.at_string() {
            let t = self.advance();
            out.push_str(&self.string_text(t));
        }
        Ok(out)
    }

    /// `(a, b)`
    pub(super) fn identifier_list(&mut self) -> Result<Vec<String>> {
        self.require(Kind::LParen, "'('")?;
        let names = self.comma_list(Self::plain_identifier)?;
        self.expect(Kind::RParen)?;
        Ok(names)
    }

    /// Digits that fit.
    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Result<T> {
        if !self.at(Kind::Integer) {
            return Err(self.unexpected());
        }
        let parsed = self.text_of(self.token()).parse().map_err(|_| self.unexpected())?;
        self.pos += 1;
        Ok(parsed)
    }
}

/// The text of a string, or of strings put together.
fn constant_text(e: &Expr) -> Option<String> {
    match &e.kind {
        ExprKind::Literal(l) => Some(l.value.try_as_str().flatten().unwrap_or_default().to_string()),
        ExprKind::Binary { op: BinaryOp::Concat, left, right } => {
            Some(constant_text(left)? + &constant_text(right)?)
        }
        _ => None,
    }
}
