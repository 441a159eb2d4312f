//! The other commands: DROP, CACHE, REFRESH, TRUNCATE, ANALYZE, DECLARE.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{DropKind, Statement};

impl Parser<'_> {
    pub(super) fn drop(&mut self) -> Result<Statement> {
        self.pos += 1;
        let temporary = self.eat_any(&[Kw::Temp, Kw::Temporary]).is_some();
        let kw = self.kw();
        let kind = match (kw, temporary) {
            (Kw::Table, false) => DropKind::Table,
            (Kw::View, false) => DropKind::View,
            (Kw::Function, false) => DropKind::Function,
            (Kw::Function, true) => DropKind::TemporaryFunction,
            (Kw::Variable | Kw::Var, true) => {
                self.pos += 1;
                let if_exists = self.if_exists();
                return Ok(Statement::DropVariable { if_exists, name: self.object_name()? });
            }
            (Kw::Database | Kw::Schema | Kw::Namespace, false) => {
                self.pos += 1;
                let if_exists = self.if_exists();
                let name = self.object_name()?;
                let cascade = self.eat_any(&[Kw::Cascade, Kw::Restrict]) == Some(Kw::Cascade);
                return Ok(Statement::DropDatabase { if_exists, name, cascade });
            }
            (Kw::Role, false) => return self.invalid("DROP ROLE"),
            (Kw::Index, false) => return self.unsupported("DROP INDEX"),
            _ => return Err(self.unexpected()),
        };
        self.pos += 1;
        let if_exists = self.if_exists();
        let name = self.object_name()?;
        let purge = kind == DropKind::Table && self.eat_kw(Kw::Purge);
        Ok(Statement::Drop { kind, if_exists, name, purge })
    }

    pub(super) fn cache(&mut self) -> Result<Statement> {
        self.pos += 1;
        let lazy = self.eat_kw(Kw::Lazy);
        self.expect_kw(Kw::Table)?;
        let name = self.object_name()?;
        let options = if self.at_kw(Kw::Options) && self.ahead(1).kind == Kind::LParen {
            self.pos += 1;
            self.property_list()?
        } else {
            Vec::new()
        };
        let as_query = self.eat_kw(Kw::As);
        let query = if as_query || self.begins_query(0) || self.at(Kind::LParen) {
            Some(Box::new(self.query()?))
        } else {
            None
        };
        if query.is_some() && name.parts.len() > 1 {
            let mut qualifier = name.clone();
            qualifier.parts.pop();
            return Err(Error::new("_LEGACY_ERROR_TEMP_0037")
                .with("quoted", qualifier.to_string())
                .at(name.span));
        }
        Ok(Statement::Cache { lazy, name, options, query })
    }

    pub(super) fn uncache(&mut self) -> Result<Statement> {
        self.pos += 1;
        self.require_kw(Kw::Table, false)?;
        let if_exists = self.if_exists();
        Ok(Statement::Uncache { if_exists, name: self.object_name()? })
    }

    /// `REFRESH TABLE t`, `REFRESH FUNCTION f`, `REFRESH path`
    pub(super) fn refresh(&mut self) -> Result<Statement> {
        let start = self.start();
        let from = self.token().end as usize;
        self.pos += 1;
        let ends = |t: crate::lex::Token| matches!(t.kind, Kind::Eof | Kind::Semicolon);
        if self.at_kw(Kw::Table) && !ends(self.ahead(1)) {
            self.pos += 1;
            return Ok(Statement::RefreshTable(self.object_name()?));
        }
        if self.at_kw(Kw::Function) && !ends(self.ahead(1)) {
            return self.unsupported("REFRESH FUNCTION");
        }
        if self.at_string() && ends(self.ahead(1)) {
            return Ok(Statement::RefreshPath(self.string()?));
        }
        while !matches!(self.kind(), Kind::Eof | Kind::Semicolon) {
            self.pos += 1;
        }
        let path = self.text[from..self.start() as usize].trim();
        let forbidden = path.contains([' ', '\n', '\r', '\t']);
        if forbidden {
            return Err(
                Error::new("INVALID_SQL_SYNTAX.INVALID_REFRESH_RESOURCE_PATH").at(self.span_from(start))
            );
        }
        if path.is_empty() {
            return Err(
                Error::new("INVALID_SQL_SYNTAX.EMPTY_REFRESH_RESOURCE_PATH").at(self.span_from(start))
            );
        }
        Ok(Statement::RefreshPath(path.to_string()))
    }

    pub(super) fn truncate(&mut self) -> Result<Statement> {
        self.pos += 1;
        self.require_kw(Kw::Table, false)?;
        let name = self.object_name()?;
        let partition = if self.at_kw(Kw::Partition) { self.full_partition_spec()? } else { Vec::new() };
        Ok(Statement::Truncate { name, partition })
    }

    pub(super) fn analyze(&mut self) -> Result<Statement> {
        let start = self.start();
        self.pos += 1;
        if self.at_kw(Kw::Tables) {
            return self.unsupported("ANALYZE TABLES");
        }
        self.expect_kw(Kw::Table)?;
        let name = self.object_name()?;
        if self.at_kw(Kw::Partition) {
            return self.unsupported("ANALYZE TABLE … PARTITION");
        }
        self.expect_kws(&[Kw::Compute, Kw::Statistics])?;
        let (mut no_scan, mut columns, mut all_columns) = (false, None, false);
        if self.at_kws(&[Kw::For, Kw::All, Kw::Columns]) {
            self.pos += 3;
            all_columns = true;
        } else if self.at_kws(&[Kw::For, Kw::Columns]) {
            self.pos += 2;
            columns = Some(self.comma_list(Self::plain_identifier)?);
        } else if self.at_identifier() {
            let option = self.identifier()?;
            if !option.eq_ignore_ascii_case("noscan") {
                return Err(Error::new("INVALID_SQL_SYNTAX.ANALYZE_TABLE_UNEXPECTED_NOSCAN")
                    .with("ctx", option)
                    .at(self.span_from(start)));
            }
            no_scan = true;
        }
        Ok(Statement::Analyze { name, no_scan, columns, all_columns })
    }

    /// `DECLARE [OR REPLACE] [VARIABLE] name [type] [DEFAULT|= expression]`
    pub(super) fn declare(&mut self) -> Result<Statement> {
        let start = self.start();
        self.pos += 1;
        let replace = self.eat_kws(&[Kw::Or, Kw::Replace]);
        if self.at_any(&[Kw::Variable, Kw::Var]) && self.is_identifier(self.ahead(1)) {
            self.pos += 1;
        }
        let name = self.object_name()?;
        if self.at(Kind::Comma) {
            return self.unsupported("DECLARE of several variables");
        }
        let begins_default = |p: &Self| p.at_kw(Kw::Default) || p.at(Kind::Eq);
        let data_type =
            if self.at_identifier() && !begins_default(self) { Some(self.data_type()?) } else { None };
        let default = if begins_default(self) {
            self.pos += 1;
            Some(self.expression()?)
        } else {
            None
        };
        if data_type.is_none() && default.is_none() {
            let at = self.span_from(start);
            return Err(Error::new("INVALID_SQL_SYNTAX.VARIABLE_TYPE_OR_DEFAULT_REQUIRED").at(at));
        }
        Ok(Statement::DeclareVariable { replace, name, data_type, default })
    }
}
