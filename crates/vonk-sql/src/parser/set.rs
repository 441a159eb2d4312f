//! SET, RESET, USE: what changes the session.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Name, SetCommand, Statement, TimeZoneValue};

impl Parser<'_> {
    pub(super) fn set(&mut self) -> Result<Statement> {
        let start = self.pos;
        self.pos += 1;
        match (self.kw(), self.ahead(1).kw) {
            (Kw::Catalog, _) if self.is_string(self.ahead(1)) || self.is_identifier(self.ahead(1)) => {
                self.pos += 1;
                let name = if self.at_string() { self.string()? } else { self.plain_identifier()? };
                return Ok(Statement::SetCatalog(name));
            }
            (Kw::Time, Kw::Zone) => return self.set_time_zone(start),
            (Kw::Role, _) => {
                let at = self.span_from(self.tokens[start].start);
                return Err(Error::new("INVALID_STATEMENT_OR_CLAUSE").with("operation", "SET ROLE").at(at));
            }
            (Kw::Variable | Kw::Var, _)
                if self.ahead(1).kind == Kind::LParen || self.is_identifier(self.ahead(1)) =>
            {
                // What is no assignment is taken for a configuration key, and is none.
                let set = self.set_variable();
                let is_syntax = |e: &Error| e.condition() == "PARSE_SYNTAX_ERROR";
                if set.as_ref().is_ok_and(|_| self.ends_at(0)) || set.as_ref().is_err_and(|e| !is_syntax(e)) {
                    return set;
                }
                self.skip_statement();
                return Err(Error::new("INVALID_SET_SYNTAX").at(self.span_from(self.tokens[start].start)));
            }
            _ => {}
        }
        self.set_configuration(start)
    }

    fn set_time_zone(&mut self, start: usize) -> Result<Statement> {
        self.pos += 2;
        let refused = |p: &mut Self| {
            p.skip_statement();
            Error::new("_LEGACY_ERROR_TEMP_0045").at(p.span_from(p.tokens[start].start))
        };
        if self.at_kw(Kw::Local) && self.ends_at(1) {
            self.pos += 1;
            return Ok(Statement::SetTimeZone(TimeZoneValue::Local));
        }
        if self.at_string() {
            let zone = self.string()?;
            if !self.ends_at(0) {
                return Err(refused(self));
            }
            return Ok(Statement::SetTimeZone(TimeZoneValue::Text(zone)));
        }
        if self.at_kw(Kw::Interval)
            && let Some(e) = self.interval()?
        {
            return Ok(Statement::SetTimeZone(TimeZoneValue::Interval(e)));
        }
        Err(refused(self))
    }

    fn ends_at(&self, n: usize) -> bool {
        matches!(self.ahead(n).kind, Kind::Eof | Kind::Semicolon)
    }

    fn skip_statement(&mut self) {
        while !self.at(Kind::Eof) {
            self.pos += 1;
        }
    }

    fn set_variable(&mut self) -> Result<Statement> {
        self.pos += 1;
        if self.at(Kind::LParen) {
            let names = self.paren_list(Self::name)?;
            self.expect(Kind::Eq)?;
            let query = Some(Box::new(self.parenthesized_query()?));
            return Ok(Statement::SetVariable { names, values: Vec::new(), query });
        }
        let pairs = self.comma_list(|p| {
            let name: Name = p.name()?;
            p.expect(Kind::Eq)?;
            Ok((name, p.expression()?))
        })?;
        let (names, values) = pairs.into_iter().unzip();
        Ok(Statement::SetVariable { names, values, query: None })
    }

    /// `SET`, `SET -v`, `SET key`, `SET key = value`: the value is the text as it stands, up to a semicolon.
    fn set_configuration(&mut self, start: usize) -> Result<Statement> {
        let from = self.tokens[start].end as usize;
        let span_start = self.tokens[start].start;
        self.skip_statement();
        let span = self.span_from(span_start);
        let rest = self.text[from..].trim().trim_end_matches(';').trim();
        let invalid = || Error::new("INVALID_SET_SYNTAX").at(span);
        if rest.is_empty() {
            return Ok(Statement::Set(SetCommand::All));
        }
        if rest == "-v" {
            return Ok(Statement::Set(SetCommand::Verbose));
        }
        let Some((key, value)) = split_assignment(rest) else {
            let key = configuration_key(rest).ok_or_else(invalid)?;
            return Ok(Statement::Set(SetCommand::Get(key)));
        };
        let key = configuration_key(key).ok_or_else(invalid)?;
        let value = value.trim();
        let quoted = value.len() >= 2 && value.starts_with('`') && value.ends_with('`');
        if quoted {
            return Ok(Statement::Set(SetCommand::Put(key, crate::literal::text::unquote_name(value))));
        }
        if value.contains(';') {
            return Err(invalid());
        }
        Ok(Statement::Set(SetCommand::Put(key, value.to_string())))
    }

    pub(super) fn reset(&mut self) -> Result<Statement> {
        let start = self.start();
        let from = self.token().end as usize;
        self.skip_statement();
        let rest = self.text[from..].trim().trim_end_matches(';').trim();
        if rest.is_empty() {
            return Ok(Statement::Reset(None));
        }
        match configuration_key(rest) {
            Some(key) => Ok(Statement::Reset(Some(key))),
            None => Err(Error::new("INVALID_RESET_COMMAND_FORMAT").at(self.span_from(start))),
        }
    }

    /// `USE db`, `USE cat.db`, `USE DATABASE db`
    pub(super) fn use_database(&mut self) -> Result<Statement> {
        self.pos += 1;
        if self.at_any(&[Kw::Database, Kw::Schema, Kw::Namespace]) && self.is_identifier(self.ahead(1)) {
            self.pos += 1;
        }
        Ok(Statement::Use(self.object_name()?))
    }
}

/// Cuts at the `=` that is not in backticks.
fn split_assignment(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (i, c) in text.char_indices() {
        match c {
            '`' => quoted = !quoted,
            '=' if !quoted => return Some((&text[..i], &text[i + 1..])),
            _ => {}
        }
    }
    None
}

/// A key of letters, digits, underscores, dots and colons, or anything in backticks.
fn configuration_key(text: &str) -> Option<String> {
    let key = text.trim();
    if key.len() > 2 && key.starts_with('`') && key.ends_with('`') && !key[1..key.len() - 1].contains('`') {
        return Some(key[1..key.len() - 1].to_string());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '\\');
    (!key.is_empty() && key.chars().all(plain)).then(|| key.to_string())
}
