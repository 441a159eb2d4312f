//! CREATE FUNCTION with a body in SQL.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{CreateFunction, FunctionBody, FunctionReturns, Statement};

impl Parser<'_> {
    /// `FUNCTION [IF NOT EXISTS] name (parameters) [RETURNS …] [characteristics] RETURN body`
    pub(super) fn create_function(
        &mut self,
        start: u32,
        replace: bool,
        temporary: bool,
    ) -> Result<Statement> {
        let begun = self.pos;
        self.pos += 1;
        let if_not_exists = self.if_not_exists()?;
        let name = self.object_name()?;
        if !self.at(Kind::LParen) {
            // `AS 'class'`: code that is not SQL.
            self.pos = begun;
            return self.unsupported("CREATE FUNCTION of a class");
        }
        let refused = match (replace, temporary, if_not_exists) {
            (true, _, true) => Some("INVALID_SQL_SYNTAX.CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE"),
            (_, true, true) => Some("INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS"),
            _ => None,
        };
        let params = if self.ahead(1).kind == Kind::RParen {
            self.pos += 2;
            Vec::new()
        } else {
            self.paren_list(Self::column_def)?
        };
        let mut returns = FunctionReturns::Value(None);
        if self.eat_word("RETURNS") {
            returns = if self.eat_kw(Kw::Table) {
                let columns =
                    if self.at(Kind::LParen) { self.paren_list(Self::column_def)? } else { Vec::new() };
                FunctionReturns::Table(columns)
            } else {
                FunctionReturns::Value(Some(self.data_type()?))
            };
        }
        let comment = self.characteristics()?;
        if !self.eat_word("RETURN") {
            return Err(self.unexpected());
        }
        let at = self.start();
        let body = if self.begins_query(0) {
            FunctionBody::Query(self.nested(Self::query)?)
        } else {
            FunctionBody::Expr(self.nested(Self::expression)?)
        };
        let body_span = self.span_from(at);
        if let Some(condition) = refused {
            return Err(Error::new(condition).at(self.span_from(start)));
        }
        Ok(Statement::CreateFunction(Box::new(CreateFunction {
            replace,
            temporary,
            if_not_exists,
            name,
            params,
            returns,
            comment,
            body,
            body_span,
        })))
    }

    /// `LANGUAGE SQL`, `[NOT] DETERMINISTIC`, `COMMENT '…'`, `CONTAINS SQL`, `READS SQL DATA`, `SQL SECURITY DEFINER`, in any order; the
    /// comment.
    fn characteristics(&mut self) -> Result<Option<String>> {
        let mut comment = None;
        loop {
            if self.at_kw(Kw::Comment) {
                comment = Some(self.clause_text()?);
            } else if self.eat_word("LANGUAGE") {
                self.identifier()?;
            } else if self.at_kw(Kw::Not) {
                self.pos += 1;
                self.identifier()?;
            } else if self.eat_word("CONTAINS") {
                self.identifier()?;
            } else if self.eat_word("READS") || self.eat_word("SQL") {
                self.identifier()?;
                self.identifier()?;
            } else if !self.eat_word("DETERMINISTIC") {
                return Ok(comment);
            }
        }
    }

    /// A word that is no keyword of ours.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let t = self.token();
        let found = t.kind == Kind::Word && self.text_of(t).eq_ignore_ascii_case(word);
        if found {
            self.pos += 1;
        }
        found
    }
}
