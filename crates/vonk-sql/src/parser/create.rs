//! CREATE: tables, views, databases.

use super::Parser;
use crate::lex::{Kind, Kw};
use vonk_error::{Error, Result};
use vonk_plan::unresolved::{
    Buckets, ColumnDef, CreateTable, CreateView, Expr, ExprKind, FunctionCall, Name, Options, Statement,
    ViewSource,
};

/// Sets what a clause says, once.
fn once<T>(slot: &mut Option<T>, value: T, clause: &str, at: vonk_error::Span) -> Result<()> {
    if slot.is_some() {
        return Err(Error::new("DUPLICATE_CLAUSES").with("clauseName", clause).at(at));
    }
    *slot = Some(value);
    Ok(())
}

pub(super) fn not_allowed(message: impl Into<String>, at: vonk_error::Span) -> Error {
    Error::new("_LEGACY_ERROR_TEMP_0035").with("message", message).at(at)
}

impl Parser<'_> {
    pub(super) fn create(&mut self) -> Result<Statement> {
        let start = self.start();
        let mut replace = self.at_kw(Kw::Replace);
        self.pos += 1;
        if !replace && self.eat_kw(Kw::Or) {
            self.expect_kw(Kw::Replace)?;
            replace = true;
        }
        let global = self.at_kw(Kw::Global) && matches!(self.ahead(1).kw, Kw::Temp | Kw::Temporary);
        if global {
            self.pos += 1;
        }
        let temporary = self.eat_any(&[Kw::Temp, Kw::Temporary]).is_some();
        match self.kw() {
            Kw::View => self.create_view(start, replace, temporary, global),
            Kw::Table if !global => self.create_table(start, replace, temporary, false),
            Kw::External if !global && self.ahead(1).kw == Kw::Table => {
                self.pos += 1;
                self.create_table(start, replace, temporary, true)
            }
            Kw::Database | Kw::Schema | Kw::Namespace if !replace && !temporary => self.create_database(),
            Kw::Function if !global => self.create_function(start, replace, temporary),
            Kw::Role if !replace && !temporary => self.invalid("CREATE ROLE"),
            Kw::Index if !replace && !temporary => self.unsupported("CREATE INDEX"),
            Kw::Materialized | Kw::Streaming => {
                self.unsupported("CREATE MATERIALIZED VIEW and CREATE STREAMING TABLE")
            }
            _ => Err(self.unexpected()),
        }
    }

    // ---- databases ----

    fn create_database(&mut self) -> Result<Statement> {
        self.pos += 1;
        let if_not_exists = self.if_not_exists()?;
        let name = self.object_name()?;
        let (mut comment, mut location, mut properties) = (None, None, None);
        loop {
            let at = self.start();
            match self.kw() {
                Kw::Comment => {
                    let value = self.clause_text()?;
                    once(&mut comment, value, "COMMENT", self.span_from(at))?;
                }
                Kw::Location => {
                    let value = self.clause_text()?;
                    once(&mut location, value, "LOCATION", self.span_from(at))?;
                }
                Kw::With if matches!(self.ahead(1).kw, Kw::Dbproperties | Kw::Properties) => {
                    self.pos += 2;
                    let value = self.valued_properties()?;
                    once(&mut properties, value, "WITH DBPROPERTIES", self.span_from(at))?;
                }
                Kw::Default => self.default_collation()?,
                _ => break,
            }
        }
        let properties = properties.unwrap_or_default();
        Ok(Statement::CreateDatabase { if_not_exists, name, comment, location, properties })
    }

    /// A keyword and its string.
    pub(super) fn clause_text(&mut self) -> Result<String> {
        self.pos += 1;
        self.string()
    }

    /// `DEFAULT COLLATION name`
    fn default_collation(&mut self) -> Result<()> {
        let start = self.start();
        self.pos += 1;
        self.expect_kw(Kw::Collation)?;
        let name = self.identifier()?;
        if name.eq_ignore_ascii_case("utf8_binary") {
            return Ok(());
        }
        Err(Error::unsupported(format!("the collation {name}")).at(self.span_from(start)))
    }

    // ---- views ----

    fn create_view(&mut self, start: u32, replace: bool, temporary: bool, global: bool) -> Result<Statement> {
        self.pos += 1;
        let if_not_exists = self.if_not_exists()?;
        let name = self.object_name()?;
        if temporary {
            let using = match self.kind() {
                Kind::LParen => {
                    let close = self.closer(self.pos);
                    self.tokens.get(close + 1).is_some_and(|t| t.kw == Kw::Using)
                }
                _ => self.at_kw(Kw::Using),
            };
            if using {
                return self.view_of_source(name, replace, if_not_exists, global);
            }
        }
        let columns = if self.at(Kind::LParen) {
            self.paren_list(|p| {
                let name = p.identifier()?;
                let comment = if p.at_kw(Kw::Comment) { Some(p.clause_text()?) } else { None };
                Ok((name, comment))
            })?
        } else {
            Vec::new()
        };
        let (mut comment, mut properties) = (None, None);
        loop {
            let at = self.start();
            match self.kw() {
                Kw::Comment => {
                    let value = self.clause_text()?;
                    once(&mut comment, value, "COMMENT", self.span_from(at))?;
                }
                Kw::Tblproperties => {
                    self.pos += 1;
                    let value = self.valued_properties()?;
                    once(&mut properties, value, "TBLPROPERTIES", self.span_from(at))?;
                }
                Kw::With if self.ahead(1).kw == Kw::Schema => {
                    self.pos += 2;
                    if self.eat_kw(Kw::Type) {
                        self.expect_kw(Kw::Evolution)?;
                    } else if self.eat_any(&[Kw::Binding, Kw::Compensation, Kw::Evolution]).is_none() {
                        return Err(self.unexpected());
                    }
                }
                Kw::Default => self.default_collation()?,
                Kw::Partitioned if self.ahead(1).kw == Kw::On => {
                    return Err(
                        Error::unsupported("CREATE VIEW … PARTITIONED ON").at(self.span_of(self.token()))
                    );
                }
                _ => break,
            }
        }
        self.expect_kw(Kw::As)?;
        let (query, span) = self.query_with_place()?;
        let view = CreateView {
            temporary,
            global,
            replace,
            if_not_exists,
            name,
            columns,
            source: ViewSource::Query { query: Box::new(query), span },
            comment,
            properties: properties.clone().unwrap_or_default(),
        };
        self.check_view(&view, properties.is_some(), start)?;
        Ok(Statement::CreateView(Box::new(view)))
    }

    /// What the grammar allows and Spark's parser does not.
    fn check_view(&self, view: &CreateView, has_properties: bool, start: u32) -> Result<()> {
        let at = self.span_from(start);
        if has_properties && view.temporary {
            return Err(not_allowed("TBLPROPERTIES can't coexist with CREATE TEMPORARY VIEW", at));
        }
        if view.if_not_exists && view.temporary {
            return Err(Error::new("_LEGACY_ERROR_TEMP_0053").at(at));
        }
        if view.if_not_exists && view.replace {
            return Err(Error::new("CREATE_VIEW_WITH_IF_NOT_EXISTS_AND_REPLACE")
                .with("viewName", view.name.to_string())
                .at(at));
        }
        if view.temporary && view.name.parts.len() > 1 {
            let (last, qualifier) =
                view.name.parts.split_last().map_or(("", &[][..]), |(l, q)| (l.as_str(), q));
            let quote = vonk_types::data_type::quote_identifier;
            return Err(Error::new("INVALID_TEMP_OBJ_QUALIFIER")
                .with("objectType", "VIEW")
                .with("objectName", quote(last))
                .with("qualifier", qualifier.iter().map(|p| quote(p)).collect::<Vec<_>>().join("."))
                .at(at));
        }
        Ok(())
    }

    /// `CREATE TEMPORARY VIEW name (columns) USING format OPTIONS (…)`
    fn view_of_source(
        &mut self,
        name: Name,
        replace: bool,
        if_not_exists: bool,
        global: bool,
    ) -> Result<Statement> {
        let start = self.start();
        if if_not_exists {
            return Err(Error::new("_LEGACY_ERROR_TEMP_0053").at(self.span_from(start)));
        }
        let schema = if self.at(Kind::LParen) { self.paren_list(Self::column_def)? } else { Vec::new() };
        self.expect_kw(Kw::Using)?;
        let provider = self.name()?.to_string();
        let options = if self.eat_kw(Kw::Options) { self.property_list()? } else { Vec::new() };
        Ok(Statement::CreateView(Box::new(CreateView {
            temporary: true,
            global,
            replace,
            if_not_exists,
            name,
            columns: Vec::new(),
            source: ViewSource::DataSource { provider, schema, options },
            comment: None,
            properties: Vec::new(),
        })))
    }

    // ---- tables ----

    fn create_table(
        &mut self,
        start: u32,
        replace: bool,
        temporary: bool,
        external: bool,
    ) -> Result<Statement> {
        self.pos += 1;
        let if_not_exists = self.if_not_exists()?;
        if if_not_exists && replace {
            return Err(self.unexpected());
        }
        let name = self.object_name()?;
        let mut table = CreateTable {
            replace,
            if_not_exists,
            external,
            name,
            columns: Vec::new(),
            provider: None,
            options: Vec::new(),
            properties: Vec::new(),
            partitioned_by: Vec::new(),
            partition_columns: Vec::new(),
            buckets: None,
            location: None,
            comment: None,
            query: None,
            like: None,
        };
        if self.eat_kw(Kw::Like) {
            table.like = Some(self.object_name()?);
        } else if self.at(Kind::LParen) && !self.paren_is_query(self.pos) {
            table.columns = self.table_elements()?;
        }
        if self.eat_kw(Kw::Using) {
            table.provider = Some(self.name()?.to_string());
        }
        let hive_format = self.table_clauses(&mut table)?;
        if hive_format && table.provider.is_none() {
            table.provider = Some("hive".to_string());
        }
        let as_query = self.eat_kw(Kw::As);
        if as_query || self.begins_query(0) || self.at(Kind::LParen) && self.paren_is_query(self.pos) {
            table.query = Some(Box::new(self.query()?));
        }
        self.check_table(&table, temporary, start)?;
        Ok(Statement::CreateTable(Box::new(table)))
    }

    fn check_table(&self, table: &CreateTable, temporary: bool, start: u32) -> Result<()> {
        let at = self.span_from(start);
        let Some(_) = table.query else {
            if temporary {
                return Err(Error::unsupported("CREATE TEMPORARY TABLE").at(at));
            }
            return Ok(());
        };
        if temporary {
            return Err(not_allowed(
                "CREATE TEMPORARY TABLE ... AS ..., use CREATE TEMPORARY VIEW instead",
                at,
            ));
        }
        if !table.columns.is_empty() {
            return Err(not_allowed(
                "Schema may not be specified in a Create Table As Select (CTAS) statement",
                at,
            ));
        }
        if !table.partition_columns.is_empty() {
            return Err(not_allowed(
                "Partition column types may not be specified in Create Table As Select (CTAS)",
                at,
            ));
        }
        Ok(())
    }

    fn table_elements(&mut self) -> Result<Vec<ColumnDef>> {
        self.paren_list(|p| {
            let constraint = match (p.kw(), p.ahead(1)) {
                (Kw::Constraint, next) => {
                    p.is_identifier(next)
                        && p.ahead(2).kind == Kind::Word
                        && matches!(p.ahead(2).kw, Kw::Check | Kw::Primary | Kw::Unique | Kw::Foreign)
                }
                (Kw::Check | Kw::Unique, next) => next.kind == Kind::LParen,
                (Kw::Primary | Kw::Foreign, next) => next.kw == Kw::Key,
                _ => false,
            };
            if constraint {
                return Err(Error::unsupported("constraints of tables").at(p.span_of(p.token())));
            }
            p.column_def()
        })
    }

    /// `name type [NOT NULL] [DEFAULT e] [GENERATED …] [COMMENT '…']`
    pub(super) fn column_def(&mut self) -> Result<ColumnDef> {
        let start = self.start();
        let name = self.plain_identifier()?;
        let data_type = self.data_type()?;
        let (mut nullable, mut default, mut generated, mut comment) = (true, None, None, None);
        loop {
            let at = self.start();
            if self.at_kw(Kw::Not) && self.ahead(1).kw != Kw::Null {
                self.pos += 1;
                return Err(self.missing("'NULL'"));
            }
            if self.not_null()? {
                if !nullable {
                    return Err(self.twice("NOT NULL", &name, at));
                }
                nullable = false;
                continue;
            }
            match self.kw() {
                Kw::Default => {
                    self.pos += 1;
                    let e = self.expression()?;
                    if default.replace(e).is_some() {
                        return Err(self.twice("DEFAULT", &name, at));
                    }
                }
                Kw::Generated => {
                    let e = self.generation()?;
                    if generated.replace(e).is_some() {
                        return Err(self.twice("GENERATED ALWAYS AS", &name, at));
                    }
                }
                Kw::Comment => {
                    let text = self.clause_text()?;
                    if comment.replace(text).is_some() {
                        return Err(self.twice("COMMENT", &name, at));
                    }
                }
                Kw::Constraint | Kw::Check | Kw::Unique | Kw::References | Kw::Primary => {
                    return Err(Error::unsupported("constraints of columns").at(self.span_of(self.token())));
                }
                Kw::Null => return Err(self.unexpected()),
                _ => break,
            }
        }
        Ok(ColumnDef { name, data_type, nullable, default, generated, comment, span: self.span_from(start) })
    }

    fn twice(&self, option: &str, column: &str, at: u32) -> Error {
        Error::new("CREATE_TABLE_COLUMN_DESCRIPTOR_DUPLICATE")
            .with("columnName", column)
            .with("optionName", option)
            .at(self.span_from(at))
    }

    fn generation(&mut self) -> Result<Expr> {
        let start = self.start();
        self.pos += 1;
        if self.at_kws(&[Kw::Always, Kw::As]) && self.ahead(2).kind == Kind::LParen {
            self.pos += 3;
            let e = self.nested(Self::expression)?;
            self.expect(Kind::RParen)?;
            return Ok(e);
        }
        if self.at_any(&[Kw::Always, Kw::By]) {
            return Err(Error::unsupported("identity columns").at(self.span_from(start)));
        }
        Err(self.unexpected())
    }

    /// Clauses in any order, each once. True where a Hive format was named.
    fn table_clauses(&mut self, table: &mut CreateTable) -> Result<bool> {
        let (mut options, mut properties, mut partitioned) = (None, None, None);
        let mut stored = None;
        let mut hive = false;
        loop {
            let at = self.start();
            match (self.kw(), self.ahead(1).kw) {
                (Kw::Options, _) => {
                    self.pos += 1;
                    let value = self.property_list()?;
                    once(&mut options, value, "OPTIONS", self.span_from(at))?;
                }
                (Kw::Tblproperties, _) => {
                    self.pos += 1;
                    let value = self.valued_properties()?;
                    once(&mut properties, value, "TBLPROPERTIES", self.span_from(at))?;
                }
                (Kw::Partitioned, Kw::By) => {
                    self.pos += 2;
                    let value = self.partition_fields()?;
                    once(&mut partitioned, value, "PARTITIONED BY", self.span_from(at))?;
                }
                (Kw::Clustered, Kw::By) => {
                    let value = self.buckets()?;
                    once(&mut table.buckets, value, "CLUSTERED BY", self.span_from(at))?;
                }
                (Kw::Cluster, Kw::By) => {
                    return Err(Error::unsupported("CLUSTER BY of tables").at(self.span_of(self.token())));
                }
                (Kw::Skewed, Kw::By) => {
                    return Err(Error::unsupported("SKEWED BY").at(self.span_of(self.token())));
                }
                (Kw::Location, _) => {
                    let value = self.clause_text()?;
                    once(&mut table.location, value, "LOCATION", self.span_from(at))?;
                }
                (Kw::Comment, _) => {
                    let value = self.clause_text()?;
                    once(&mut table.comment, value, "COMMENT", self.span_from(at))?;
                }
                (Kw::Stored, Kw::As) => {
                    let value = self.stored_as()?;
                    once(&mut stored, value, "STORED AS/BY", self.span_from(at))?;
                }
                (Kw::Row, Kw::Format) => {
                    self.row_format()?;
                    hive = true;
                }
                (Kw::Default, Kw::Collation) => self.default_collation()?,
                (Kw::Using, _) if table.like.is_some() && table.provider.is_none() => {
                    self.pos += 1;
                    table.provider = Some(self.name()?.to_string());
                }
                _ => break,
            }
        }
        table.options = options.unwrap_or_default();
        table.properties = properties.unwrap_or_default();
        if let Some((fields, columns)) = partitioned {
            table.partitioned_by = fields;
            table.partition_columns = columns;
        }
        if let Some(format) = stored
            && table.provider.is_none()
        {
            table.provider = Some(format);
        }
        Ok(hive)
    }

    fn stored_as(&mut self) -> Result<String> {
        self.pos += 2;
        if self.at_kw(Kw::Inputformat) && self.is_string(self.ahead(1)) {
            return Err(Error::unsupported("STORED AS INPUTFORMAT").at(self.span_of(self.token())));
        }
        Ok(self.identifier()?.to_ascii_lowercase())
    }

    /// Skips `ROW FORMAT …`, which only Hive tables have.
    fn row_format(&mut self) -> Result<()> {
        self.pos += 2;
        if !(self.at_kw(Kw::Serde) || self.kind() == Kind::Word) {
            return Err(self.unexpected());
        }
        self.pos += 1;
        while self.kind() == Kind::Word
            && !self.at_any(&[Kw::As, Kw::Stored, Kw::Location, Kw::Tblproperties, Kw::Comment, Kw::Options])
            || self.at_string()
            || self.at(Kind::LParen)
        {
            self.pos = if self.at(Kind::LParen) { self.closer(self.pos) + 1 } else { self.pos + 1 };
            self.pos = self.pos.min(self.tokens.len() - 1);
        }
        Ok(())
    }

    /// `(a, years(b), c INT)`: columns and transforms, and columns with types.
    fn partition_fields(&mut self) -> Result<(Vec<Expr>, Vec<ColumnDef>)> {
        let mut columns = Vec::new();
        let mut fields = Vec::new();
        let start = self.start();
        self.paren_list(|p| {
            let typed = p.is_identifier(p.ahead(1));
            if typed {
                columns.push(p.column_def()?);
            } else {
                fields.push(p.transform()?);
            }
            Ok(())
        })?;
        if !columns.is_empty() && !fields.is_empty() {
            return Err(not_allowed(
                "PARTITION BY: Cannot mix partition expressions and partition columns",
                self.span_from(start),
            ));
        }
        Ok((fields, columns))
    }

    fn transform(&mut self) -> Result<Expr> {
        let start = self.start();
        let name = self.name()?;
        if !self.at(Kind::LParen) {
            let span = self.span_from(start);
            return Ok(Expr::new(ExprKind::Name(name), span));
        }
        let args = self.paren_list(Self::postfix)?;
        let kind = ExprKind::Function(Box::new(FunctionCall::plain(name, args)));
        Ok(Expr::new(kind, self.span_from(start)))
    }

    /// `CLUSTERED BY (a) SORTED BY (b ASC) INTO n BUCKETS`
    fn buckets(&mut self) -> Result<Buckets> {
        let start = self.start();
        self.pos += 2;
        let columns = self.identifier_list()?;
        let mut sorted_by = Vec::new();
        if self.at_by(Kw::Sorted) {
            self.pos += 2;
            sorted_by = self.paren_list(|p| {
                let name = p.plain_identifier()?;
                let descending = p.eat_any(&[Kw::Asc, Kw::Desc]) == Some(Kw::Desc);
                Ok((name, descending))
            })?;
        }
        self.expect_kw(Kw::Into)?;
        let count = self.number()?;
        self.expect_kw(Kw::Buckets)?;
        if sorted_by.iter().any(|(_, descending)| *descending) {
            return Err(not_allowed("Column ordering must be ASC, was 'DESC'", self.span_from(start)));
        }
        Ok(Buckets { columns, sorted_by, count })
    }

    // ---- properties ----

    /// `(key = value, 'key' value, key)`
    pub(super) fn property_list(&mut self) -> Result<Options> {
        Ok(self.properties()?.into_iter().map(|(k, v)| (k, v.unwrap_or_default())).collect())
    }

    /// Properties that all must have values.
    pub(super) fn valued_properties(&mut self) -> Result<Options> {
        let start = self.start();
        let properties = self.properties()?;
        self.refuse_keys(&properties, "Values must be specified", Option::is_none, start)?;
        Ok(properties.into_iter().map(|(k, v)| (k, v.unwrap_or_default())).collect())
    }

    /// Refuses properties by their values.
    pub(super) fn refuse_keys(
        &self,
        properties: &[(String, Option<String>)],
        message: &str,
        refused: fn(&Option<String>) -> bool,
        start: u32,
    ) -> Result<()> {
        let bad: Vec<&str> = properties.iter().filter(|(_, v)| refused(v)).map(|(k, _)| k.as_str()).collect();
        if bad.is_empty() {
            return Ok(());
        }
        Err(not_allowed(format!("{message} for key(s): [{}]", bad.join(",")), self.span_from(start)))
    }

    pub(super) fn properties(&mut self) -> Result<Vec<(String, Option<String>)>> {
        let start = self.start();
        let properties = self.paren_list(|p| {
            let key = p.property_key()?;
            let has_value = p.eat(Kind::Eq);
            let value = p.property_value(has_value)?;
            Ok((key, value))
        })?;
        let mut seen: Vec<&str> = Vec::with_capacity(properties.len());
        for (key, _) in &properties {
            if seen.contains(&key.as_str()) {
                return Err(Error::new("DUPLICATE_KEY")
                    .with("keyColumn", vonk_types::data_type::quote_identifier(key))
                    .at(self.span_from(start)));
            }
            seen.push(key);
        }
        Ok(properties)
    }

    /// `a.b.c` or a string.
    pub(super) fn property_key(&mut self) -> Result<String> {
        if self.at_string() {
            let t = self.advance();
            return Ok(self.string_text(t));
        }
        Ok(self.name()?.parts.join("."))
    }

    fn property_value(&mut self, required: bool) -> Result<Option<String>> {
        if self.at_string() {
            return Ok(Some(self.string()?));
        }
        let signed = usize::from(self.at(Kind::Minus));
        if self.is_number(signed) {
            let start = self.start();
            self.pos += signed + 1;
            return Ok(Some(self.slice(self.span_from(start)).to_string()));
        }
        if let Some(b) = self.eat_any(&[Kw::True, Kw::False]) {
            return Ok(Some(b.text().to_ascii_lowercase()));
        }
        if required { Err(self.unexpected()) } else { Ok(None) }
    }
}
