//! The innermost expressions, and what is attached to them: `.field`, `[index]`, `::type`, `COLLATE`.

use super::Parser;
use crate::lex::{Kind, Kw};
use crate::literal::{number, text};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Expr, ExprKind, Name, Parameter, Star};
use vonk_types::{DataType, Literal, ScalarValue};

/// Most fields, subscripts and casts behind one expression: each makes the tree one level deeper.
const MAX_POSTFIX: usize = 400;

impl Parser<'_> {
    /// A primary expression and all that follows it tightly.
    pub(super) fn postfix(&mut self) -> Result<Expr> {
        let start = self.start();
        let mut e = self.primary()?;
        for links in 0.. {
            if links > MAX_POSTFIX {
                return Err(Error::new("_STATEMENT_TOO_COMPLEX")
                    .with("what", "its nesting")
                    .with("limit", format!("{MAX_POSTFIX} levels"))
                    .at(self.span_from(start)));
            }
            let kind = match self.kind() {
                Kind::LBracket => {
                    self.pos += 1;
                    let index = Box::new(self.nested(Self::value)?);
                    self.require(Kind::RBracket, "']'")?;
                    ExprKind::Subscript { expr: Box::new(e), index }
                }
                Kind::Dot if self.is_identifier(self.ahead(1)) => {
                    self.pos += 1;
                    let field = self.identifier()?;
                    match e.kind {
                        // `(a).b` is `a.b`.
                        ExprKind::Name(mut name) => {
                            name.parts.push(field);
                            name.span = self.span_from(start);
                            ExprKind::Name(name)
                        }
                        _ => ExprKind::Field { expr: Box::new(e), field },
                    }
                }
                Kind::DoubleColon => {
                    self.pos += 1;
                    let data_type = self.data_type()?;
                    ExprKind::Cast { expr: Box::new(e), data_type, try_cast: false }
                }
                Kind::Colon => {
                    let at = self.span_of(self.token());
                    return Err(Error::unsupported("the operator `:` on variants").at(at));
                }
                Kind::Word if self.at_kw(Kw::Collate) && self.is_identifier(self.ahead(1)) => {
                    self.pos += 1;
                    let collation = self.name()?;
                    ExprKind::Collate { expr: Box::new(e), collation }
                }
                _ => break,
            };
            e = Expr::new(kind, self.span_from(start));
        }
        Ok(e)
    }

    fn primary(&mut self) -> Result<Expr> {
        let start = self.start();
        let t = self.token();
        match t.kind {
            Kind::Minus => {
                self.pos += 1;
                self.numeric(true, start)
            }
            _ if self.is_number(0) => self.numeric(false, start),
            _ if self.is_string(t) => {
                let s = self.string()?;
                Ok(Expr::literal(Literal::string(s), self.span_from(start)))
            }
            Kind::LParen => self.parenthesized(),
            Kind::Star => {
                self.pos += 1;
                self.star(None, start)
            }
            Kind::Question => {
                self.pos += 1;
                let position = self.parameters;
                self.parameters += 1;
                Ok(Expr::new(ExprKind::Parameter(Parameter::Position(position)), self.span_from(start)))
            }
            Kind::Colon => {
                self.pos += 1;
                if !self.at(Kind::Word) {
                    return Err(self.unexpected());
                }
                let t = self.advance();
                let name = self.text_of(t).to_string();
                self.named_parameters = true;
                Ok(Expr::new(ExprKind::Parameter(Parameter::Named(name)), self.span_from(start)))
            }
            Kind::Word => match self.special_form()? {
                Some(e) => Ok(e),
                None => self.named(),
            },
            Kind::Backquoted | Kind::DoubleQuoted => self.named(),
            _ => Err(self.unexpected()),
        }
    }

    fn numeric(&mut self, negative: bool, start: u32) -> Result<Expr> {
        let t = self.advance();
        let kind = match t.kind {
            Kind::Exponent if self.options.exponent_literal_as_decimal => Kind::Decimal,
            kind => kind,
        };
        let span = self.span_from(start);
        let value = number::literal(kind, self.text_of(t), negative).map_err(|e| e.at(span));
        let value = self.or_defer(value, Literal::null(DataType::Null))?;
        Ok(Expr::literal(value, span))
    }

    /// `*` is taken; what may follow it.
    fn star(&mut self, qualifier: Option<Name>, start: u32) -> Result<Expr> {
        let mut except = Vec::new();
        if self.at_kw(Kw::Except) && self.ahead(1).kind == Kind::LParen && !self.paren_is_query(self.pos + 1)
        {
            self.pos += 1;
            except = self.paren_list(Self::name)?;
        }
        Ok(Expr::new(ExprKind::Star(Star { qualifier, except, regex: None }), self.span_from(start)))
    }

    /// What begins with a name: a column, a star, a function call, a lambda, a typed literal.
    fn named(&mut self) -> Result<Expr> {
        let start = self.start();
        if !self.at_identifier() && !self.is_function_keyword() {
            return Err(self.unexpected());
        }
        if self.ahead(1).kind == Kind::Arrow {
            let param = self.identifier()?;
            return self.lambda(vec![param], start);
        }
        if self.at_kw(Kw::Identifier) && self.ahead(1).kind == Kind::LParen {
            return self.identifier_expression(start);
        }
        let first = self.advance();
        let mut parts = Vec::with_capacity(2);
        parts.push(self.identifier_text(first)?);
        let mut last = first;
        while self.at(Kind::Dot) {
            if self.ahead(1).kind == Kind::Star {
                self.pos += 2;
                let span = self.span_of(first);
                let name = Name { parts, span };
                return self.star(Some(name), start);
            }
            if !self.is_identifier(self.ahead(1)) {
                self.pos += 1;
                return Err(self.unexpected());
            }
            self.pos += 1;
            last = self.advance();
            parts.push(self.identifier_text(last)?);
        }
        if self.in_item
            && self.options.quoted_regex_columns
            && last.kind == Kind::Backquoted
            && parts.len() <= 2
            && !self.at(Kind::LParen)
        {
            let regex = parts.pop();
            let qualifier = (!parts.is_empty()).then(|| Name { parts, span: self.span_of(first) });
            let star = Star { qualifier, except: Vec::new(), regex };
            return Ok(Expr::new(ExprKind::Star(star), self.span_from(start)));
        }
        let name = Name { parts, span: self.span_from(start) };
        if self.at(Kind::LParen) {
            return self.call(name, start);
        }
        if name.parts.len() == 1 && first.kind == Kind::Word && self.at_string() {
            let literal = self.typed_literal(&name.parts[0], start);
            let span = self.span_from(start);
            return self.or_defer(literal, Expr::literal(Literal::null(DataType::Null), span));
        }
        Ok(Expr::new(ExprKind::Name(name), self.span_from(start)))
    }

    /// Reserved words that name functions even where reserved words are enforced.
    fn is_function_keyword(&self) -> bool {
        self.at_any(&[
            Kw::Filter,
            Kw::Left,
            Kw::Right,
            Kw::CurrentDate,
            Kw::CurrentTimestamp,
            Kw::CurrentUser,
            Kw::User,
            Kw::SessionUser,
            Kw::CurrentTime,
        ]) && (self.ahead(1).kind == Kind::LParen || !self.at_any(&[Kw::Filter, Kw::Left, Kw::Right]))
    }

    /// `IDENTIFIER('a.b')`, `IDENTIFIER(expression)`, as a column or as the name of a function.
    fn identifier_expression(&mut self, start: u32) -> Result<Expr> {
        if self.is_string(self.ahead(2)) && self.ahead(3).kind == Kind::RParen {
            let literal = self.ahead(2);
            let parsed = self.identifier_clause();
            let Ok(mut parts) = parsed else {
                // The text is no name: found out when the expression is looked at.
                let text = Expr::literal(Literal::string(self.string_text(literal)), self.span_of(literal));
                return Ok(Expr::new(ExprKind::IdentifierClause(Box::new(text)), self.span_from(start)));
            };
            while self.at(Kind::Dot) && self.is_identifier(self.ahead(1)) {
                self.pos += 1;
                parts.push(self.identifier()?);
            }
            let name = Name { parts, span: self.span_from(start) };
            if self.at(Kind::LParen) {
                return self.call(name, start);
            }
            return Ok(Expr::new(ExprKind::Name(name), self.span_from(start)));
        }
        self.pos += 2;
        let inner = self.nested(Self::expression)?;
        self.expect(Kind::RParen)?;
        Ok(Expr::new(ExprKind::IdentifierClause(Box::new(inner)), self.span_from(start)))
    }

    /// `type 'text'`: the name is taken.
    fn typed_literal(&mut self, type_name: &str, start: u32) -> Result<Expr> {
        let t = self.advance();
        let text = self.string_text(t);
        let span = self.span_from(start);
        let lower = type_name.to_ascii_lowercase();
        let invalid = |text: &str| {
            Error::new("INVALID_TYPED_LITERAL")
                .with("valueType", format!("\"{}\"", type_name.to_uppercase()))
                .with("value", format!("'{text}'"))
                .at(span)
        };
        match lower.as_str() {
            "date" | "timestamp" | "timestamp_ltz" | "timestamp_ntz" => {
                Ok(Expr::new(ExprKind::TypedLiteral { type_name: lower, text }, span))
            }
            "x" => {
                let bytes = text::hex_bytes(&text).ok_or_else(|| invalid(&text))?;
                Ok(Expr::literal(Literal::new(ScalarValue::BinaryView(Some(bytes)), DataType::Binary), span))
            }
            "interval" => match crate::literal::interval::from_text(&text, self.slice(span)) {
                Some(value) => Ok(Expr::literal(value.map_err(|e| e.at(span))?, span)),
                None => Err(invalid(&text)),
            },
            "time" => Err(Error::new("UNSUPPORTED_TIME_TYPE").at(span)),
            _ => Err(Error::new("UNSUPPORTED_TYPED_LITERAL")
                .with("unsupportedType", format!("\"{}\"", type_name.to_uppercase()))
                .with(
                    "supportedTypes",
                    "\"DATE\", \"TIMESTAMP_NTZ\", \"TIMESTAMP_LTZ\", \"TIMESTAMP\", \"INTERVAL\", \"X\", \"TIME\"",
                )
                .at(span)),
        }
    }

    /// The parameters are taken, the arrow comes.
    pub(super) fn lambda(&mut self, params: Vec<String>, start: u32) -> Result<Expr> {
        self.expect(Kind::Arrow)?;
        let body = Box::new(self.nested(Self::expression)?);
        Ok(Expr::new(ExprKind::Lambda { params, body }, self.span_from(start)))
    }

    /// `( … )`: a query, the parameters of a lambda, a row, or just an expression.
    fn parenthesized(&mut self) -> Result<Expr> {
        let start = self.start();
        let open = self.pos;
        if self.paren_is_query(open) {
            let query = self.nested(Self::parenthesized_query)?;
            return Ok(Expr::new(ExprKind::ScalarSubquery(Box::new(query)), self.span_from(start)));
        }
        if self.is_identifier(self.ahead(1)) && matches!(self.ahead(2).kind, Kind::Comma) {
            let close = self.closer(open);
            if self.tokens.get(close + 1).is_some_and(|t| t.kind == Kind::Arrow) {
                self.pos += 1;
                let params = self.comma_list(Self::identifier)?;
                self.expect(Kind::RParen)?;
                return self.lambda(params, start);
            }
        }
        self.pos += 1;
        let mut items = self.nested(|p| p.comma_list(Self::named_expression))?;
        let is_row = items.len() > 1;
        if !is_row && matches!(items[0].kind, ExprKind::Alias { .. }) {
            return Err(self.unexpected());
        }
        self.expect(Kind::RParen)?;
        if is_row {
            return Ok(Expr::new(ExprKind::Row(items), self.span_from(start)));
        }
        // The list has one item; its place stays without the parentheses.
        Ok(items.swap_remove(0))
    }
}
