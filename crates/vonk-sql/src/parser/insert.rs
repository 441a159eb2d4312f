//! INSERT.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{Cte, Insert, InsertTarget, PartitionValue, Plan};

impl Parser<'_> {
    /// `INSERT INTO|OVERWRITE …`, with the tables of a WITH in front of it.
    pub(super) fn insert(&mut self, with: Option<(bool, Vec<Cte>)>) -> Result<Insert> {
        self.pos += 1;
        let overwrite = match self.eat_any(&[Kw::Into, Kw::Overwrite]) {
            Some(kw) => kw == Kw::Overwrite,
            None => return Err(self.unexpected()),
        };
        let mut insert = Insert {
            overwrite,
            target: InsertTarget::Table(vonk_plan::unresolved::Name::of("")),
            columns: Vec::new(),
            by_name: false,
            partition: Vec::new(),
            if_not_exists: false,
            replace_where: None,
            source: Plan::OneRow,
        };
        let local = usize::from(self.at_kw(Kw::Local));
        if overwrite && self.ahead(local).kw == Kw::Directory {
            self.pos += 1 + local;
            insert.target = self.directory()?;
        } else {
            self.insert_table(&mut insert)?;
        }
        let source = self.query()?;
        insert.source = match with {
            Some((recursive, ctes)) => Plan::With { recursive, ctes, body: Box::new(source) },
            None => source,
        };
        Ok(insert)
    }

    fn insert_table(&mut self, insert: &mut Insert) -> Result<()> {
        if self.at_kw(Kw::Table) && self.is_identifier(self.ahead(1)) {
            self.pos += 1;
        }
        insert.target = InsertTarget::Table(self.object_name()?);
        if self.at_kw(Kw::With) && self.ahead(1).kind == Kind::LParen {
            return Err(Error::unsupported("INSERT … WITH options").at(self.span_of(self.token())));
        }
        if self.at_kws(&[Kw::Replace, Kw::Where]) && !insert.overwrite {
            self.pos += 2;
            insert.replace_where = Some(self.expression()?);
            return Ok(());
        }
        if self.at_kw(Kw::Partition) {
            insert.partition = self.partition_spec()?;
        }
        let start = self.start();
        if self.if_not_exists()? {
            if !insert.overwrite {
                return Err(Error::new("INVALID_STATEMENT_OR_CLAUSE")
                    .with("operation", "INSERT INTO ... IF NOT EXISTS")
                    .at(self.span_from(start)));
            }
            insert.if_not_exists = true;
        }
        if self.eat_kw(Kw::By) {
            self.expect_kw(Kw::Name)?;
            insert.by_name = true;
        } else if self.at(Kind::LParen) && !self.paren_is_query(self.pos) {
            insert.columns = self.identifier_list()?;
        }
        Ok(())
    }

    /// `[path] USING format [OPTIONS (…)]`, or a Hive format.
    fn directory(&mut self) -> Result<InsertTarget> {
        let start = self.start();
        let path = if self.at_string() { Some(self.string()?) } else { None };
        let hive = path.is_some() && (self.begins_query(0) || self.at(Kind::LParen));
        if hive || self.at_kws(&[Kw::Stored, Kw::As]) || self.at_kws(&[Kw::Row, Kw::Format]) {
            let cmd = "INSERT OVERWRITE DIRECTORY with the Hive format";
            return Err(Error::new("NOT_SUPPORTED_COMMAND_WITHOUT_HIVE_SUPPORT")
                .with("cmd", cmd)
                .at(self.span_from(start)));
        }
        self.expect_kw(Kw::Using)?;
        let provider = self.name()?.to_string();
        let options = if self.eat_kw(Kw::Options) { self.property_list()? } else { Vec::new() };
        let has_path = |k: &str| k.eq_ignore_ascii_case("path");
        let both = path.is_some() == options.iter().any(|(k, _)| has_path(k));
        if both {
            let message = "Directory path and 'path' in OPTIONS should be specified one, but not both";
            return Err(Error::new("_LEGACY_ERROR_TEMP_0049")
                .with("message", message)
                .at(self.span_from(start)));
        }
        Ok(InsertTarget::Directory { path, provider, options })
    }

    /// `PARTITION (a = 1, b = 2)`: every column has a value.
    pub(super) fn full_partition_spec(&mut self) -> Result<Vec<PartitionValue>> {
        let start = self.start();
        let values = self.partition_spec()?;
        match values.iter().find(|v| v.value.is_none()) {
            Some(v) => Err(Error::new("INVALID_SQL_SYNTAX.EMPTY_PARTITION_VALUE")
                .with("partKey", vonk_types::data_type::quote_identifier(&v.column))
                .at(self.span_from(start))),
            None => Ok(values),
        }
    }

    /// `PARTITION (a = 1, b)`
    pub(super) fn partition_spec(&mut self) -> Result<Vec<PartitionValue>> {
        self.expect_kw(Kw::Partition)?;
        let start = self.start();
        let values = self.paren_list(|p| {
            let column = p.identifier()?;
            let value = if p.eat(Kind::Eq) { Some(p.postfix()?) } else { None };
            Ok(PartitionValue { column, value })
        })?;
        for (i, v) in values.iter().enumerate() {
            if values[..i].iter().any(|w| w.column == v.column) {
                return Err(Error::new("DUPLICATE_KEY")
                    .with("keyColumn", vonk_types::data_type::quote_identifier(&v.column))
                    .at(self.span_from(start)));
            }
        }
        Ok(values)
    }
}
