//! SHOW and DESCRIBE.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Describe, FunctionScope, Name, Show, Statement};

impl Parser<'_> {
    pub(super) fn show(&mut self) -> Result<Statement> {
        let start = self.pos;
        self.pos += 1;
        let show = match (self.kw(), self.ahead(1).kw) {
            (Kw::Tables, _) => {
                self.pos += 1;
                Show::Tables { from: self.show_from()?, like: self.show_like()? }
            }
            (Kw::Table, Kw::Extended) => {
                self.pos += 2;
                let from = self.show_from()?;
                self.expect_kw(Kw::Like)?;
                let like = self.string()?;
                if self.at_kw(Kw::Partition) {
                    return self.unsupported("SHOW TABLE EXTENDED … PARTITION");
                }
                Show::TableExtended { from, like }
            }
            (Kw::Views, _) => {
                self.pos += 1;
                Show::Views { from: self.show_from()?, like: self.show_like()? }
            }
            (Kw::Databases | Kw::Schemas | Kw::Namespaces, _) => {
                self.pos += 1;
                Show::Databases { from: self.show_from()?, like: self.show_like()? }
            }
            (Kw::Catalogs, _) => {
                self.pos += 1;
                Show::Catalogs { like: self.show_like()? }
            }
            (Kw::Columns, _) => self.show_columns()?,
            (Kw::Tblproperties, _) => self.show_properties()?,
            (Kw::Partitions, _) => {
                self.pos += 1;
                let table = self.object_name()?;
                let partition =
                    if self.at_kw(Kw::Partition) { self.full_partition_spec()? } else { Vec::new() };
                Show::Partitions { table, partition }
            }
            (Kw::Create, Kw::Table) if matches!(self.ahead(2).kind, Kind::Eof | Kind::Semicolon) => {
                return self.invalid("SHOW CREATE TABLE");
            }
            (Kw::Create, Kw::Table) => {
                self.pos += 2;
                let name = self.object_name()?;
                if self.at_kws(&[Kw::As, Kw::Serde]) {
                    return self.unsupported("SHOW CREATE TABLE … AS SERDE");
                }
                Show::CreateTable(name)
            }
            (Kw::Current, Kw::Database | Kw::Schema | Kw::Namespace) => {
                self.pos += 2;
                Show::CurrentDatabase
            }
            (Kw::Functions, _) => self.show_functions(FunctionScope::All)?,
            (_, Kw::Functions) if self.at_identifier() => {
                let t = self.advance();
                let scope = match self.identifier_text(t)?.to_ascii_lowercase().as_str() {
                    "user" => FunctionScope::User,
                    "system" => FunctionScope::System,
                    "all" => FunctionScope::All,
                    other => {
                        return Err(Error::new("INVALID_SQL_SYNTAX.SHOW_FUNCTIONS_INVALID_SCOPE")
                            .with("scope", vonk_types::data_type::quote_identifier(other))
                            .at(self.span_from(self.tokens[start].start)));
                    }
                };
                self.show_functions(scope)?
            }
            (Kw::Role, Kw::Grant) => return self.invalid("SHOW ROLE GRANT"),
            (Kw::Role, _) => return self.invalid("SHOW ROLE"),
            (Kw::Grant, _) => return self.invalid("SHOW GRANT"),
            _ => return self.show_other(),
        };
        Ok(Statement::Show(show))
    }

    /// Statements named by words that are no keywords of ours.
    fn show_other(&mut self) -> Result<Statement> {
        let word = self.text_of(self.token()).to_ascii_lowercase();
        match word.as_str() {
            "procedures" => self.unsupported("SHOW PROCEDURES"),
            "roles" | "principals" | "compactions" | "transactions" | "indexes" | "locks" => {
                self.invalid(&format!("SHOW {}", word.to_uppercase()))
            }
            // What Spark makes of any other word: a scope of functions.
            _ if self.at_identifier() => {
                self.pos += 1;
                Err(self.missing("'FUNCTIONS'"))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn at_from_or_in(&self) -> bool {
        self.at_any(&[Kw::From, Kw::In])
    }

    fn show_from(&mut self) -> Result<Option<Name>> {
        if !self.at_from_or_in() {
            return Ok(None);
        }
        self.pos += 1;
        Ok(Some(self.object_name()?))
    }

    fn show_like(&mut self) -> Result<Option<String>> {
        if self.eat_kw(Kw::Like) || self.at_string() {
            return Ok(Some(self.string()?));
        }
        Ok(None)
    }

    fn show_columns(&mut self) -> Result<Show> {
        self.pos += 1;
        if !self.at_from_or_in() {
            return Err(self.unexpected());
        }
        self.pos += 1;
        let table = self.object_name()?;
        let from = if self.at_from_or_in() {
            self.pos += 1;
            Some(self.name()?)
        } else {
            None
        };
        Ok(Show::Columns { table, from })
    }

    fn show_properties(&mut self) -> Result<Show> {
        self.pos += 1;
        let table = self.object_name()?;
        let mut key = None;
        if self.eat(Kind::LParen) {
            key = Some(self.property_key()?);
            self.expect(Kind::RParen)?;
        }
        Ok(Show::Properties { table, key })
    }

    fn show_functions(&mut self, scope: FunctionScope) -> Result<Show> {
        self.pos += 1;
        let from = self.show_from()?;
        let liked = self.eat_kw(Kw::Like);
        let like = if self.at_string() {
            Some(self.string()?)
        } else if liked || self.at_identifier() {
            Some(self.name()?.parts.join("."))
        } else {
            None
        };
        Ok(Show::Functions { scope, from, like })
    }

    // ---- DESCRIBE ----

    pub(super) fn describe(&mut self) -> Result<Statement> {
        self.pos += 1;
        let describe = match self.kw() {
            Kw::Function if !self.ends_name(1) => self.describe_function()?,
            Kw::Database | Kw::Schema | Kw::Namespace if !self.ends_name(1) => {
                self.pos += 1;
                let extended = self.at_kw(Kw::Extended) && !self.ends_name(1);
                if extended {
                    self.pos += 1;
                }
                Describe::Database { name: self.object_name()?, extended }
            }
            Kw::Procedure if !self.ends_name(1) => return self.unsupported("DESCRIBE PROCEDURE"),
            Kw::Query if !self.ends_name(1) => {
                self.pos += 1;
                Describe::Query(Box::new(self.query()?))
            }
            _ if self.begins_query(0) && !(self.at_kw(Kw::Table) && self.at_described_table())
                || self.at(Kind::LParen) =>
            {
                Describe::Query(Box::new(self.query()?))
            }
            _ => self.describe_table()?,
        };
        Ok(Statement::Describe(describe))
    }

    /// Whether the token `n` further on ends a name, so that the word before it is the name itself.
    fn ends_name(&self, n: usize) -> bool {
        matches!(self.ahead(n).kind, Kind::Eof | Kind::Semicolon | Kind::Dot)
    }

    /// `DESCRIBE TABLE t` describes the table; nothing makes it the query `TABLE t`.
    fn at_described_table(&self) -> bool {
        self.is_identifier(self.ahead(1))
    }

    fn describe_function(&mut self) -> Result<Describe> {
        self.pos += 1;
        let extended = self.at_kw(Kw::Extended) && !self.ends_name(1);
        if extended {
            self.pos += 1;
        }
        let start = self.start();
        if self.at_identifier() {
            return Ok(Describe::Function { name: self.object_name()?, extended });
        }
        if self.at_string() {
            let parts = vec![self.string()?];
            return Ok(Describe::Function { name: Name { parts, span: self.span_from(start) }, extended });
        }
        let operator = matches!(
            self.kind(),
            Kind::Eq
                | Kind::NotEq
                | Kind::Lt
                | Kind::LtEq
                | Kind::Gt
                | Kind::GtEq
                | Kind::NullSafeEq
                | Kind::Plus
                | Kind::Minus
                | Kind::Star
                | Kind::Slash
                | Kind::Percent
                | Kind::Tilde
                | Kind::Ampersand
                | Kind::Pipe
                | Kind::Concat
                | Kind::Caret
                | Kind::Bang
                | Kind::ShiftLeft
        );
        if !operator {
            return Err(self.unexpected());
        }
        let gt = self.at(Kind::Gt);
        self.pos += 1;
        while gt && self.at(Kind::Gt) {
            self.pos += 1;
        }
        let span = self.span_from(start);
        Ok(Describe::Function { name: Name { parts: vec![self.slice(span).to_string()], span }, extended })
    }

    fn describe_table(&mut self) -> Result<Describe> {
        if self.at_kw(Kw::Table) && !self.ends_name(1) {
            self.pos += 1;
        }
        let extended = self.at_any(&[Kw::Extended, Kw::Formatted]) && !self.ends_name(1);
        if extended {
            self.pos += 1;
        }
        let name = self.object_name()?;
        let partition = if self.at_kw(Kw::Partition) && self.ahead(1).kind == Kind::LParen {
            self.full_partition_spec()?
        } else {
            Vec::new()
        };
        let mut column = None;
        if self.at_identifier() && !self.at_kws(&[Kw::As, Kw::Json]) {
            column = Some(self.name()?);
        }
        let as_json = self.eat_kws(&[Kw::As, Kw::Json]);
        if as_json && !extended {
            return Err(Error::new("DESCRIBE_JSON_NOT_EXTENDED")
                .with("tableName", name.to_string())
                .at(name.span));
        }
        Ok(Describe::Table { name, extended, column, partition, as_json })
    }
}
