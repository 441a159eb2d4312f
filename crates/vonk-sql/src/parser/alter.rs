//! ALTER TABLE, ALTER VIEW, ALTER DATABASE, COMMENT ON, REPAIR TABLE; DELETE, UPDATE and MERGE as far as their names go.

use super::Parser;
use super::create::not_allowed;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{
    Alter, AlterAction, AlterTarget, ColumnChange, Expr, Join, JoinConstraint, JoinKind, Name, NewColumn,
    Options, Plan, RowChange, Select, Statement, TableRef,
};
use vonk_types::Literal;

impl Parser<'_> {
    pub(super) fn alter(&mut self) -> Result<Statement> {
        let start = self.start();
        self.pos += 1;
        let target = match self.kw() {
            Kw::Table => AlterTarget::Table,
            Kw::View => AlterTarget::View,
            Kw::Database | Kw::Schema | Kw::Namespace => AlterTarget::Database,
            Kw::Index => return self.invalid("ALTER INDEX"),
            _ => return Err(self.unexpected()),
        };
        self.pos += 1;
        let name = self.object_name()?;
        let view = target == AlterTarget::View;
        if target != AlterTarget::Database && self.at_kws(&[Kw::Rename, Kw::To]) {
            self.pos += 2;
            return Ok(Statement::Rename { view, from: name, to: self.name()? });
        }
        // `WITH SCHEMA` begins no query, `WITH` does.
        let schema = view && self.at_kws(&[Kw::With, Kw::Schema]) && self.ahead(2).kw != Kw::As;
        if view && !schema && (self.at_kw(Kw::As) || self.begins_query(0) || self.at(Kind::LParen)) {
            self.eat_kw(Kw::As);
            let (query, query_span) = self.query_with_place()?;
            return Ok(Statement::AlterViewAs { name, query: Box::new(query), query_span });
        }
        let (operation, action) = match target {
            AlterTarget::Database => self.alter_database()?,
            AlterTarget::View => self.alter_view()?,
            AlterTarget::Table => match self.alter_table(start)? {
                Some(found) => found,
                None => return self.other_alteration(start),
            },
        };
        Ok(Statement::Alter(Box::new(Alter { target, name, operation, action })))
    }

    /// What Spark refuses by name, or Vonk does.
    fn other_alteration(&mut self, start: u32) -> Result<Statement> {
        let word = self.text_of(self.token()).to_ascii_lowercase();
        let next = self.text_of(self.ahead(1)).to_ascii_lowercase();
        if word == "set" && next == "fileformat" {
            self.unsupported("")?;
            let operation = "ALTER TABLE SET FILEFORMAT";
            return Err(Error::new("INVALID_STATEMENT_OR_CLAUSE")
                .with("operation", operation)
                .at(self.span_from(start)));
        }
        let hive = ["exchange", "archive", "unarchive", "touch", "compact", "concatenate"];
        let known = [Kw::Add, Kw::Drop, Kw::Not, Kw::Skewed, Kw::Clustered, Kw::Set, Kw::Unset];
        if hive.contains(&word.as_str()) || self.at_any(&known) {
            return self.unsupported(&format!("ALTER TABLE … {}", word.to_ascii_uppercase()));
        }
        Err(self.unexpected())
    }

    fn alter_database(&mut self) -> Result<(&'static str, AlterAction)> {
        const OPERATION: &str = "ALTER DATABASE";
        if self.eat_kws(&[Kw::Set, Kw::Location]) {
            let location = self.string()?;
            return Ok((OPERATION, AlterAction::SetLocation { partition: vec![], location }));
        }
        let set = self.at_kw(Kw::Set);
        if !set && !self.at_kw(Kw::Unset) {
            return Err(self.unexpected());
        }
        self.pos += 1;
        if self.eat_any(&[Kw::Dbproperties, Kw::Properties]).is_none() {
            return Err(self.unexpected());
        }
        Ok((OPERATION, if set { self.new_properties()? } else { self.old_properties()? }))
    }

    fn alter_view(&mut self) -> Result<(&'static str, AlterAction)> {
        if self.eat_kws(&[Kw::Set, Kw::Tblproperties]) {
            return Ok(("ALTER VIEW ... SET TBLPROPERTIES", self.new_properties()?));
        }
        if self.eat_kws(&[Kw::Unset, Kw::Tblproperties]) {
            return Ok(("ALTER VIEW ... UNSET TBLPROPERTIES", self.old_properties()?));
        }
        if self.eat_kws(&[Kw::With, Kw::Schema]) {
            let word = self.text_of(self.token()).to_ascii_lowercase();
            if !["binding", "compensation", "evolution"].contains(&word.as_str())
                && !self.at_kws(&[Kw::Type, Kw::Evolution])
            {
                return Err(self.unexpected());
            }
            self.pos += if self.at_kw(Kw::Type) { 2 } else { 1 };
            return Ok(("ALTER VIEW ... WITH SCHEMA", AlterAction::Hint));
        }
        Err(self.unexpected())
    }

    fn alter_table(&mut self, start: u32) -> Result<Option<(&'static str, AlterAction)>> {
        let next = self.ahead(1).kw;
        Ok(Some(match (self.kw(), next) {
            (Kw::Add, Kw::Column | Kw::Columns) => {
                self.pos += 2;
                let columns = self.new_columns()?;
                let operation = match next {
                    Kw::Column => "ALTER TABLE ... ADD COLUMN",
                    _ => "ALTER TABLE ... ADD COLUMNS",
                };
                (operation, AlterAction::AddColumns(columns))
            }
            (Kw::Add, Kw::If | Kw::Partition) => {
                self.pos += 1;
                let if_not_exists = self.if_not_exists()?;
                let mut partitions = Vec::new();
                while partitions.is_empty() || self.at_kw(Kw::Partition) {
                    let values = self.full_partition_spec()?;
                    let location = if self.at_kw(Kw::Location) { Some(self.clause_text()?) } else { None };
                    partitions.push((values, location));
                }
                let action = AlterAction::AddPartitions { if_not_exists, partitions };
                ("ALTER TABLE ... ADD PARTITION ...", action)
            }
            (Kw::Alter | Kw::Change, _) => return self.changed_columns(start).map(Some),
            (Kw::Drop, Kw::Column | Kw::Columns) => {
                self.pos += 2;
                let if_exists = self.if_exists();
                let columns = match self.at(Kind::LParen) {
                    true => self.paren_list(Self::name)?,
                    false => self.comma_list(Self::name)?,
                };
                ("ALTER TABLE ... DROP COLUMNS", AlterAction::DropColumns { if_exists, columns })
            }
            (Kw::Drop, Kw::If | Kw::Partition) => {
                self.pos += 1;
                let if_exists = self.if_exists();
                let partitions = self.comma_list(Self::full_partition_spec)?;
                self.eat_kw(Kw::Purge);
                ("ALTER TABLE ... DROP PARTITION ...", AlterAction::DropPartitions { if_exists, partitions })
            }
            (Kw::Partition, _) => return self.altered_partition(),
            (Kw::Rename, Kw::Column) => {
                self.pos += 2;
                let column = self.name()?;
                self.expect_kw(Kw::To)?;
                let to = self.identifier()?;
                ("ALTER TABLE ... RENAME COLUMN", AlterAction::RenameColumn { column, to })
            }
            (Kw::Rename, _) => {
                self.pos += 1;
                return Err(self.unexpected());
            }
            (Kw::Replace, Kw::Columns) => {
                self.pos += 2;
                self.new_columns()?;
                ("ALTER TABLE ... REPLACE COLUMNS", AlterAction::ReplaceColumns)
            }
            (Kw::Set, Kw::Tblproperties) => {
                self.pos += 2;
                ("ALTER TABLE ... SET TBLPROPERTIES", self.new_properties()?)
            }
            (Kw::Unset, Kw::Tblproperties) => {
                self.pos += 2;
                ("ALTER TABLE ... UNSET TBLPROPERTIES", self.old_properties()?)
            }
            (Kw::Set, Kw::Location) => {
                self.pos += 1;
                let location = self.clause_text()?;
                ("ALTER TABLE ... SET LOCATION ...", AlterAction::SetLocation { partition: vec![], location })
            }
            (Kw::Set, Kw::Serde | Kw::Serdeproperties) => {
                self.pos += 1;
                let action = if self.at_kw(Kw::Serde) {
                    self.clause_text()?;
                    if self.eat_kws(&[Kw::With, Kw::Serdeproperties]) {
                        self.valued_properties()?;
                    }
                    AlterAction::SetSerde
                } else {
                    self.pos += 1;
                    AlterAction::SetSerdeProperties(self.valued_properties()?)
                };
                ("ALTER TABLE ... SET [SERDE|SERDEPROPERTIES]", action)
            }
            (Kw::Cluster, Kw::By) => {
                self.pos += 2;
                if !self.eat_word("none") {
                    self.paren_list(Self::name)?;
                }
                ("ALTER TABLE ... CLUSTER BY", AlterAction::Hint)
            }
            _ if self.at_word("recover") && next == Kw::Partitions => {
                self.pos += 2;
                ("ALTER TABLE ... RECOVER PARTITIONS", AlterAction::RecoverPartitions)
            }
            _ => return Ok(None),
        }))
    }

    /// `PARTITION (…) RENAME TO PARTITION (…)`, `PARTITION (…) SET LOCATION '…'`
    fn altered_partition(&mut self) -> Result<Option<(&'static str, AlterAction)>> {
        let from = self.full_partition_spec()?;
        if self.eat_kws(&[Kw::Rename, Kw::To]) {
            let to = self.full_partition_spec()?;
            let action = AlterAction::RenamePartition { from, to };
            return Ok(Some(("ALTER TABLE ... RENAME TO PARTITION", action)));
        }
        if self.at_kws(&[Kw::Set, Kw::Location]) {
            self.pos += 1;
            let location = self.clause_text()?;
            let action = AlterAction::SetLocation { partition: from, location };
            return Ok(Some(("ALTER TABLE ... SET LOCATION ...", action)));
        }
        Ok(None)
    }

    /// Columns with or without parentheses around them.
    fn new_columns(&mut self) -> Result<Vec<NewColumn>> {
        if self.at(Kind::LParen) {
            self.paren_list(Self::new_column)
        } else {
            self.comma_list(Self::new_column)
        }
    }

    /// `a.b type [NOT NULL] [DEFAULT e] [COMMENT '…'] [FIRST | AFTER c]`
    fn new_column(&mut self) -> Result<NewColumn> {
        let at = self.pos;
        let path = self.name()?;
        // The definition begins with the last part of the name.
        let last = self.pos - 1;
        self.pos = if path.parts.len() > 1 { last } else { at };
        let definition = self.column_def()?;
        self.column_position()?;
        Ok(NewColumn { path, definition })
    }

    /// `FIRST`, `AFTER c`: whether there is one.
    fn column_position(&mut self) -> Result<bool> {
        if self.eat_kw(Kw::First) {
            return Ok(true);
        }
        if self.eat_kw(Kw::After) {
            self.identifier()?;
            return Ok(true);
        }
        Ok(false)
    }

    /// `ALTER COLUMN a change, b change`, `CHANGE COLUMN a b type [COMMENT '…']`
    fn changed_columns(&mut self, start: u32) -> Result<(&'static str, AlterAction)> {
        let hive = self.at_kw(Kw::Change);
        self.pos += 1;
        self.eat_kw(Kw::Column);
        let mut changes = Vec::new();
        loop {
            let column = self.name()?;
            let change = match self.column_change()? {
                Some(change) => change,
                None if hive && self.is_identifier(self.token()) => {
                    let change = self.hive_change(start, &column)?;
                    return Ok((
                        "ALTER TABLE ... CHANGE COLUMN",
                        AlterAction::ChangeColumns(vec![(column, change)]),
                    ));
                }
                None if matches!(self.kind(), Kind::Eof | Kind::Semicolon | Kind::Comma) => {
                    self.unsupported("")?;
                    let message = "ALTER TABLE table ALTER COLUMN requires a TYPE, a SET/DROP, a COMMENT, or a FIRST/AFTER";
                    return Err(not_allowed(message, self.span_from(start)));
                }
                None => return Err(self.unexpected()),
            };
            changes.push((column, change));
            if !self.eat(Kind::Comma) {
                break;
            }
        }
        Ok(("ALTER TABLE ... ALTER COLUMN", AlterAction::ChangeColumns(changes)))
    }

    fn column_change(&mut self) -> Result<Option<ColumnChange>> {
        if self.eat_kw(Kw::Type) {
            return Ok(Some(ColumnChange::Type(self.data_type()?, None)));
        }
        if self.at_kw(Kw::Comment) && self.is_string(self.ahead(1)) {
            return Ok(Some(ColumnChange::Comment(self.clause_text()?)));
        }
        if self.eat_kws(&[Kw::Set, Kw::Not, Kw::Null]) || self.eat_kws(&[Kw::Drop, Kw::Not, Kw::Null]) {
            return Ok(Some(ColumnChange::Nullability));
        }
        if self.eat_kws(&[Kw::Set, Kw::Default]) {
            return Ok(Some(ColumnChange::Default(Some(self.expression()?))));
        }
        if self.eat_kws(&[Kw::Drop, Kw::Default]) {
            return Ok(Some(ColumnChange::Default(None)));
        }
        Ok(self.column_position()?.then_some(ColumnChange::Position))
    }

    /// `CHANGE [COLUMN] a a type [COMMENT '…'] [FIRST | AFTER c]`, behind the first name.
    fn hive_change(&mut self, start: u32, column: &Name) -> Result<ColumnChange> {
        let definition = self.column_def()?;
        self.column_position()?;
        let refused = |what: &str, instead: &str| {
            Error::new("_LEGACY_ERROR_TEMP_0034")
                .with("operation", what)
                .with("command", "ALTER COLUMN")
                .with("msg", instead)
        };
        if !definition.name.eq_ignore_ascii_case(column.last()) {
            let e = refused("Renaming column", ", please run RENAME COLUMN instead");
            return Err(e.at(self.span_from(start)));
        }
        if !definition.nullable {
            let e = refused("NOT NULL", ", please run ALTER COLUMN ... SET/DROP NOT NULL instead");
            return Err(e.at(self.span_from(start)));
        }
        Ok(ColumnChange::Type(definition.data_type, definition.comment))
    }

    fn new_properties(&mut self) -> Result<AlterAction> {
        let start = self.start();
        let properties = self.valued_properties()?;
        self.check_reserved(&properties, start)?;
        Ok(AlterAction::SetProperties(properties))
    }

    /// Properties that have clauses of their own.
    fn check_reserved(&self, properties: &Options, start: u32) -> Result<()> {
        let reserved = [
            ("provider", "please use the USING clause to specify it"),
            ("location", "please use the LOCATION clause to specify it"),
            ("owner", "it will be set to the current user"),
            ("external", "please use CREATE EXTERNAL TABLE"),
        ];
        let found = reserved.iter().find(|(key, _)| properties.iter().any(|(k, _)| k == key));
        match found {
            Some((key, instead)) => Err(Error::new("UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY")
                .with("property", *key)
                .with("msg", *instead)
                .at(self.span_from(start))),
            None => Ok(()),
        }
    }

    /// `[IF EXISTS] (a, b)`. It is no error to unset what is not set.
    fn old_properties(&mut self) -> Result<AlterAction> {
        self.if_exists();
        let start = self.start();
        let properties = self.properties()?;
        self.refuse_keys(&properties, "Values should not be specified", Option::is_some, start)?;
        Ok(AlterAction::UnsetProperties(properties.into_iter().map(|(k, _)| k).collect()))
    }

    /// `COMMENT ON TABLE|DATABASE|COLUMN name IS '…'|NULL`
    pub(super) fn comment_on(&mut self) -> Result<Statement> {
        self.pos += 2;
        let kw = self.kw();
        let (target, operation) = match kw {
            Kw::Table => (AlterTarget::Table, "COMMENT ON TABLE"),
            Kw::Column => (AlterTarget::Table, "ALTER TABLE ... ALTER COLUMN"),
            Kw::Database | Kw::Schema | Kw::Namespace => (AlterTarget::Database, "COMMENT ON DATABASE"),
            _ => return Err(self.unexpected()),
        };
        self.pos += 1;
        let mut name = self.object_name()?;
        self.expect_kw(Kw::Is)?;
        let text = if self.eat_kw(Kw::Null) { None } else { Some(self.string()?) };
        let action = if kw == Kw::Column {
            let column = name.parts.pop().filter(|_| !name.parts.is_empty());
            let Some(column) = column else { return self.unsupported("COMMENT ON COLUMN without a table") };
            let column = Name { parts: vec![column], span: name.span };
            AlterAction::ChangeColumns(vec![(column, ColumnChange::Comment(text.unwrap_or_default()))])
        } else {
            AlterAction::Comment(text)
        };
        Ok(Statement::Alter(Box::new(Alter { target, name, operation, action })))
    }

    /// `[MSCK] REPAIR TABLE name [ADD | DROP | SYNC PARTITIONS]`
    pub(super) fn repair(&mut self) -> Result<Statement> {
        self.eat_kw(Kw::Msck);
        self.expect_kws(&[Kw::Repair, Kw::Table])?;
        let name = self.object_name()?;
        if self.ahead(1).kw == Kw::Partitions {
            if !self.at_any(&[Kw::Add, Kw::Drop]) && !self.at_word("sync") {
                return Err(self.unexpected());
            }
            self.pos += 2;
        }
        let (target, action) = (AlterTarget::Table, AlterAction::RecoverPartitions);
        Ok(Statement::Alter(Box::new(Alter { target, name, operation: "MSCK REPAIR TABLE", action })))
    }

    // ---- rows ----

    /// `DELETE FROM t [AS a] [WHERE e]`
    pub(super) fn delete(&mut self) -> Result<Statement> {
        let start = self.start();
        self.pos += 2;
        let (table, from) = self.changed_table()?;
        let filter = if self.eat_kw(Kw::Where) { Some(self.expression()?) } else { None };
        let mut select = Select::plain(vec![one()], from, self.span_from(start));
        select.filter = filter;
        Ok(row_change("DELETE", table, select))
    }

    /// `UPDATE t [AS a] SET c = e, … [WHERE e]`
    pub(super) fn update(&mut self) -> Result<Statement> {
        let start = self.start();
        self.pos += 1;
        let (table, from) = self.changed_table()?;
        self.expect_kw(Kw::Set)?;
        let assigned = self.comma_list(|p| {
            let column = p.name()?;
            p.expect(Kind::Eq)?;
            let span = column.span;
            let value = if p.eat_kw(Kw::Default) { one() } else { p.expression()? };
            Ok([Expr::new(vonk_plan::unresolved::ExprKind::Name(column), span), value])
        })?;
        let mut select = Select::plain(assigned.into_iter().flatten().collect(), from, self.span_from(start));
        select.filter = if self.eat_kw(Kw::Where) { Some(self.expression()?) } else { None };
        Ok(row_change("UPDATE TABLE", table, select))
    }

    /// `MERGE [WITH SCHEMA EVOLUTION] INTO t [AS a] USING source ON e WHEN …`
    pub(super) fn merge(&mut self) -> Result<Statement> {
        let start = self.start();
        self.pos += 1;
        self.eat_kws(&[Kw::With, Kw::Schema, Kw::Evolution]);
        self.expect_kw(Kw::Into)?;
        let (table, left) = self.changed_table()?;
        self.expect_kw(Kw::Using)?;
        let right = self.relation_primary()?;
        self.expect_kw(Kw::On)?;
        let on = self.expression()?;
        if !self.at_kw(Kw::When) {
            return Err(self.unexpected());
        }
        self.unsupported("")?;
        let span = self.span_from(start);
        let constraint = JoinConstraint::On(on);
        let join = Join { left, right, kind: JoinKind::Inner, constraint, lateral: false, span };
        let select = Select::plain(vec![one()], Plan::Join(Box::new(join)), span);
        Ok(row_change("MERGE INTO TABLE", table, select))
    }

    /// The table whose rows change, as a name and as a relation.
    fn changed_table(&mut self) -> Result<(Name, Plan)> {
        let start = self.start();
        let name = self.object_name()?;
        let plan = self.table_alias(Plan::Table(TableRef::plain(name.clone())), start)?;
        Ok((name, plan))
    }

    fn at_word(&self, word: &str) -> bool {
        self.text_of(self.token()).eq_ignore_ascii_case(word)
    }
}

fn one() -> Expr {
    Expr::literal(Literal::int(1), vonk_error::Span::default())
}

fn row_change(operation: &'static str, table: Name, select: Select) -> Statement {
    let names = Plan::Select(Box::new(select));
    Statement::RowChange(Box::new(RowChange { operation, table, names }))
}
