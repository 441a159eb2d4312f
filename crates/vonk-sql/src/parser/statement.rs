//! Which statement it is.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result, Span};
use vonk_plan::unresolved::{ExplainMode, Plan, Statement};

impl Parser<'_> {
    /// One statement and nothing behind it but semicolons.
    pub(crate) fn single_statement(&mut self) -> Result<Statement> {
        if self.text.trim().is_empty() {
            return Err(Error::new("PARSE_EMPTY_STATEMENT"));
        }
        let statement = self.statement()?;
        self.finish()?;
        self.checked(statement)
    }

    pub(super) fn statement(&mut self) -> Result<Statement> {
        match self.kw() {
            Kw::Select | Kw::Values | Kw::Table | Kw::Map | Kw::Reduce => self.query_statement(),
            Kw::From => self.statement_from_first(),
            Kw::With if self.at_with() => self.with_statement(),
            Kw::With => {
                self.pos += 1;
                Err(self.unexpected())
            }
            Kw::Explain => self.explain(),
            Kw::Create | Kw::Replace => self.create(),
            Kw::Insert => Ok(Statement::Insert(Box::new(self.insert(None)?))),
            Kw::Drop => self.drop(),
            Kw::Alter => self.alter(),
            Kw::Show => self.show(),
            Kw::Desc | Kw::Describe => self.describe(),
            Kw::Set => self.set(),
            Kw::Reset => self.reset(),
            Kw::Use => self.use_database(),
            Kw::Cache => self.cache(),
            Kw::Uncache => self.uncache(),
            Kw::Clear => {
                self.pos += 1;
                self.require_kw(Kw::Cache, true)?;
                Ok(Statement::ClearCache)
            }
            Kw::Refresh => self.refresh(),
            Kw::Truncate => self.truncate(),
            Kw::Analyze => self.analyze(),
            Kw::Declare => self.declare(),
            Kw::Execute if self.ahead(1).kw == Kw::Immediate => self.execute_immediate(),
            Kw::Comment if self.ahead(1).kw == Kw::On => self.comment_on(),
            Kw::Msck | Kw::Repair if matches!(self.ahead(1).kw, Kw::Repair | Kw::Table) => self.repair(),
            Kw::Delete if self.ahead(1).kw == Kw::From => self.delete(),
            Kw::Update => self.update(),
            Kw::Merge if matches!(self.ahead(1).kw, Kw::Into | Kw::With) => self.merge(),
            Kw::Delete => {
                self.pos += 1;
                Err(self.require_kw(Kw::From, false).err().unwrap_or_else(|| self.unexpected()))
            }
            Kw::Merge => {
                self.pos += 1;
                Err(self.unexpected())
            }
            _ if self.at(Kind::LParen) => self.query_statement(),
            kw => {
                if let Some(what) = invalid_statement(kw, self.ahead(1).kw) {
                    return self.invalid(what);
                }
                match unsupported_statement(kw, self.ahead(1).kw) {
                    Some(what) => self.unsupported(what),
                    None => Err(self.unexpected()),
                }
            }
        }
    }

    /// `EXECUTE IMMEDIATE text [INTO a, b] [USING x, y AS z]`
    fn execute_immediate(&mut self) -> Result<Statement> {
        self.pos += 2;
        let text = self.nested(Self::expression)?;
        let into = if self.eat_kw(Kw::Into) { self.comma_list(Self::name)? } else { Vec::new() };
        let mut using = Vec::new();
        if self.eat_kw(Kw::Using) {
            let start = self.pos;
            // A list in parentheses, if they enclose all of it.
            let list = if self.at(Kind::LParen) {
                self.nested(|p| p.paren_list(Self::named_expression)).ok()
            } else {
                None
            };
            using = match list {
                Some(list) if matches!(self.kind(), Kind::Eof | Kind::Semicolon) => list,
                _ => {
                    self.pos = start;
                    self.nested(|p| p.comma_list(Self::named_expression))?
                }
            };
        }
        Ok(Statement::ExecuteImmediate { text, into, using })
    }

    fn query_statement(&mut self) -> Result<Statement> {
        Ok(Statement::Query(self.query()?))
    }

    /// FROM first: a query, or an INSERT (of which Spark allows several).
    fn statement_from_first(&mut self) -> Result<Statement> {
        let plan = self.query()?;
        if self.at_kw(Kw::Insert) {
            return self.unsupported("FROM … INSERT");
        }
        Ok(Statement::Query(plan))
    }

    /// `WITH … query`, `WITH … INSERT`.
    fn with_statement(&mut self) -> Result<Statement> {
        let (recursive, ctes) = self.nested(Self::with_clause)?;
        match self.kw() {
            Kw::Insert => Ok(Statement::Insert(Box::new(self.insert(Some((recursive, ctes)))?))),
            Kw::Delete | Kw::Update | Kw::Merge => self.unsupported("WITH … DELETE, UPDATE, MERGE"),
            _ => {
                let body = Box::new(self.nested(Self::query_body)?);
                Ok(Statement::Query(Plan::With { recursive, ctes, body }))
            }
        }
    }

    fn explain(&mut self) -> Result<Statement> {
        self.pos += 1;
        let mode = match self.kw() {
            Kw::Extended => Some(ExplainMode::Extended),
            Kw::Formatted => Some(ExplainMode::Formatted),
            Kw::Codegen => Some(ExplainMode::Codegen),
            Kw::Cost => Some(ExplainMode::Cost),
            Kw::Logical => return Err(self.unexpected()),
            Kw::Analyze if self.ahead(1).kw != Kw::Table && self.ahead(1).kw != Kw::Tables => {
                Some(ExplainMode::Analyze)
            }
            _ => None,
        };
        if mode.is_some() {
            self.pos += 1;
        }
        let statement = Box::new(self.nested(Self::statement)?);
        Ok(Statement::Explain { mode: mode.unwrap_or(ExplainMode::Simple), statement })
    }

    /// A statement that is Spark's, and has no place in our tree: the rest of the text is skipped, so that the error names the
    /// statement rather than a word of it.
    pub(super) fn unsupported(&mut self, what: &str) -> Result<Statement> {
        let start = self.start();
        while !matches!(self.kind(), Kind::Eof | Kind::Semicolon) {
            self.pos += 1;
        }
        Ok(Statement::Unsupported { what: what.to_string(), span: self.span_from(start) })
    }

    /// A statement of Hive's that Spark knows by name and refuses.
    pub(super) fn invalid(&mut self, operation: &str) -> Result<Statement> {
        let start = self.start();
        self.unsupported(operation)?;
        Err(Error::new("INVALID_STATEMENT_OR_CLAUSE").with("operation", operation).at(self.span_from(start)))
    }

    /// A query, and the place of its text.
    pub(super) fn query_with_place(&mut self) -> Result<(Plan, Span)> {
        let start = self.start();
        let plan = self.query()?;
        Ok((plan, self.span_from(start)))
    }

    /// `IF NOT EXISTS`
    pub(super) fn if_not_exists(&mut self) -> Result<bool> {
        let not = self.ahead(1).kw == Kw::Not || self.ahead(1).kind == Kind::Bang;
        if self.at_kw(Kw::If) && not {
            self.pos += 2;
            self.expect_kw(Kw::Exists)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// `IF EXISTS`
    pub(super) fn if_exists(&mut self) -> bool {
        self.eat_kws(&[Kw::If, Kw::Exists])
    }
}

/// The statements that are named rather than read.
fn unsupported_statement(first: Kw, second: Kw) -> Option<&'static str> {
    Some(match (first, second) {
        (Kw::Load, Kw::Data) => "LOAD DATA",
        (Kw::Add, _) => "ADD resource",
        (Kw::List, _) => "LIST resource",
        (Kw::Call, _) => "CALL",
        (Kw::Begin, _) => "SQL scripts",
        _ => return None,
    })
}

/// The statements that Spark's grammar names only to refuse them.
fn invalid_statement(first: Kw, second: Kw) -> Option<&'static str> {
    Some(match (first, second) {
        (Kw::Grant, Kw::Role) => "GRANT ROLE",
        (Kw::Grant, _) => "GRANT",
        (Kw::Revoke, Kw::Role) => "REVOKE ROLE",
        (Kw::Revoke, _) => "REVOKE",
        (Kw::Export, Kw::Table) => "EXPORT TABLE",
        (Kw::Import, Kw::Table) => "IMPORT TABLE",
        (Kw::Lock, Kw::Table) => "LOCK TABLE",
        (Kw::Lock, Kw::Database) => "LOCK DATABASE",
        (Kw::Unlock, Kw::Table) => "UNLOCK TABLE",
        (Kw::Unlock, Kw::Database) => "UNLOCK DATABASE",
        (Kw::Start, Kw::Transaction) => "START TRANSACTION",
        (Kw::Commit, _) => "COMMIT",
        (Kw::Rollback, _) => "ROLLBACK",
        (Kw::Dfs, _) => "DFS",
        _ => return None,
    })
}

/// What stands alone, and nothing behind it.
impl Parser<'_> {
    /// The parameter markers seen so far.
    pub(crate) fn markers(&self) -> crate::Markers {
        crate::Markers { positional: self.parameters > 0, named: self.named_parameters }
    }

    pub(crate) fn single_plan(&mut self) -> Result<Plan> {
        let plan = self.query()?;
        self.finish()?;
        self.checked(plan)
    }

    pub(crate) fn single_expression(&mut self) -> Result<vonk_plan::unresolved::Expr> {
        let e = self.named_expression()?;
        self.end_of_text()?;
        self.checked(e)
    }

    pub(crate) fn single_type(&mut self) -> Result<vonk_plan::unresolved::TypeRef> {
        let t = self.data_type()?;
        self.end_of_text()?;
        self.checked(t)
    }

    pub(crate) fn single_name(&mut self) -> Result<vonk_plan::unresolved::Name> {
        let name = self.name()?;
        self.end_of_text()?;
        self.checked(name)
    }

    pub(crate) fn single_columns(&mut self) -> Result<Vec<vonk_plan::unresolved::ColumnDef>> {
        let columns = self.comma_list(Self::column_def)?;
        self.end_of_text()?;
        self.checked(columns)
    }

    fn end_of_text(&self) -> Result<()> {
        if self.at(Kind::Eof) {
            return Ok(());
        }
        Err(if self.ahead(1).kind == Kind::Eof { self.extra() } else { self.unexpected() })
    }
}
