//! Statements: a query, or a command around queries and names.

use super::alter::{Alter, RowChange};
use super::expr::{Expr, Name, TypeRef};
use super::plan::Plan;
use vonk_error::Span;

/// `OPTIONS (k v)`, `TBLPROPERTIES`: keys as written, values as text, in order.
pub type Options = Vec<(String, String)>;

/// A statement.
#[derive(Clone, PartialEq, Debug)]
pub enum Statement {
    /// A query.
    Query(Plan),
    /// `EXPLAIN [mode] statement`.
    Explain {
        /// Mode.
        mode: ExplainMode,
        /// What is explained.
        statement: Box<Statement>,
    },
    /// `CREATE VIEW`.
    CreateView(Box<CreateView>),
    /// `ALTER VIEW name AS query`.
    AlterViewAs {
        /// Name.
        name: Name,
        /// Query.
        query: Box<Plan>,
        /// Its text.
        query_span: Span,
    },
    /// `CREATE TABLE`, `REPLACE TABLE`.
    CreateTable(Box<CreateTable>),
    /// `INSERT`.
    Insert(Box<Insert>),
    /// `DROP TABLE|VIEW|FUNCTION`.
    Drop {
        /// What kind of thing.
        kind: DropKind,
        /// `IF EXISTS`.
        if_exists: bool,
        /// Name.
        name: Name,
        /// `PURGE`.
        purge: bool,
    },
    /// `CREATE DATABASE|SCHEMA|NAMESPACE`.
    CreateDatabase {
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// Name.
        name: Name,
        /// `COMMENT`.
        comment: Option<String>,
        /// `LOCATION`.
        location: Option<String>,
        /// `WITH DBPROPERTIES`.
        properties: Options,
    },
    /// `DROP DATABASE|SCHEMA|NAMESPACE`.
    DropDatabase {
        /// `IF EXISTS`.
        if_exists: bool,
        /// Name.
        name: Name,
        /// `CASCADE`; else `RESTRICT`.
        cascade: bool,
    },
    /// `ALTER TABLE|VIEW|DATABASE` in its other forms, `COMMENT ON`, `MSCK REPAIR TABLE`.
    Alter(Box<Alter>),
    /// `DELETE`, `UPDATE`, `MERGE`.
    RowChange(Box<RowChange>),
    /// `ALTER TABLE|VIEW name RENAME TO new`.
    Rename {
        /// A view.
        view: bool,
        /// Old name.
        from: Name,
        /// New name.
        to: Name,
    },
    /// `SHOW …`.
    Show(Show),
    /// `DESCRIBE …`.
    Describe(Describe),
    /// `SET`, `SET -v`, `SET key`, `SET key=value`.
    Set(SetCommand),
    /// `RESET`, `RESET key`.
    Reset(Option<String>),
    /// `SET TIME ZONE …`.
    SetTimeZone(TimeZoneValue),
    /// `USE db`, `USE cat.db`, `USE DATABASE db`.
    Use(Name),
    /// `SET CATALOG name`.
    SetCatalog(String),
    /// `CACHE [LAZY] TABLE`.
    Cache {
        /// `LAZY`.
        lazy: bool,
        /// Name.
        name: Name,
        /// `OPTIONS`.
        options: Options,
        /// `AS query`.
        query: Option<Box<Plan>>,
    },
    /// `UNCACHE TABLE`.
    Uncache {
        /// `IF EXISTS`.
        if_exists: bool,
        /// Name.
        name: Name,
    },
    /// `CLEAR CACHE`.
    ClearCache,
    /// `REFRESH [TABLE] name`.
    RefreshTable(Name),
    /// `REFRESH path`.
    RefreshPath(String),
    /// `TRUNCATE TABLE`.
    Truncate {
        /// Name.
        name: Name,
        /// `PARTITION (…)`.
        partition: Vec<PartitionValue>,
    },
    /// `ANALYZE TABLE … COMPUTE STATISTICS`.
    Analyze {
        /// Name.
        name: Name,
        /// `NOSCAN`.
        no_scan: bool,
        /// `FOR COLUMNS a, b`; `None` if not said.
        columns: Option<Vec<String>>,
        /// `FOR ALL COLUMNS`.
        all_columns: bool,
    },
    /// `DECLARE [OR REPLACE] [VARIABLE] name [type] [DEFAULT expr]`.
    DeclareVariable {
        /// `OR REPLACE`.
        replace: bool,
        /// Name.
        name: Name,
        /// Type, where given.
        data_type: Option<TypeRef>,
        /// Initial value.
        default: Option<Expr>,
    },
    /// `DROP TEMPORARY VARIABLE`.
    DropVariable {
        /// `IF EXISTS`.
        if_exists: bool,
        /// Name.
        name: Name,
    },
    /// `SET VARIABLE a = 1, b = 2`, `SET VAR (a, b) = (SELECT …)`.
    SetVariable {
        /// Targets.
        names: Vec<Name>,
        /// One value each.
        values: Vec<Expr>,
        /// A query of one row instead of values.
        query: Option<Box<Plan>>,
    },
    /// `CREATE FUNCTION` with a body in SQL.
    CreateFunction(Box<CreateFunction>),
    /// `EXECUTE IMMEDIATE text [INTO variables] [USING arguments]`.
    ExecuteImmediate {
        /// The text of a statement: a constant.
        text: Expr,
        /// Variables that take the one row of the query.
        into: Vec<Name>,
        /// Values of its parameter markers; those with an alias by name.
        using: Vec<Expr>,
    },
    /// A statement Spark has and this tree has no room for yet; `what` says which.
    Unsupported {
        /// Its name, such as `CREATE FUNCTION`.
        what: String,
        /// The place.
        span: Span,
    },
}

/// What EXPLAIN shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExplainMode {
    /// The physical plan.
    Simple,
    /// `EXTENDED`: all plans.
    Extended,
    /// `CODEGEN`.
    Codegen,
    /// `COST`: the optimized plan with statistics.
    Cost,
    /// `FORMATTED`: an outline and details.
    Formatted,
    /// `ANALYZE` (Vonk's): runs it and shows rows, bytes and time per operator.
    Analyze,
}

/// `CREATE VIEW`.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateView {
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `GLOBAL TEMPORARY`.
    pub global: bool,
    /// `OR REPLACE`.
    pub replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Name.
    pub name: Name,
    /// Column names and comments.
    pub columns: Vec<(String, Option<String>)>,
    /// What it shows.
    pub source: ViewSource,
    /// `COMMENT`.
    pub comment: Option<String>,
    /// `TBLPROPERTIES`.
    pub properties: Options,
}

/// What a view shows.
#[derive(Clone, PartialEq, Debug)]
pub enum ViewSource {
    /// `AS query`.
    Query {
        /// The query.
        query: Box<Plan>,
        /// Where its text stands; a persistent view stores the text.
        span: Span,
    },
    /// `USING parquet OPTIONS (path '…')`.
    DataSource {
        /// Format.
        provider: String,
        /// Schema in front, or empty.
        schema: Vec<ColumnDef>,
        /// Options.
        options: Options,
    },
}

/// `CREATE FUNCTION name (parameters) RETURNS … RETURN body`.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateFunction {
    /// `OR REPLACE`.
    pub replace: bool,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Name.
    pub name: Name,
    /// Parameters.
    pub params: Vec<ColumnDef>,
    /// `RETURNS …`.
    pub returns: FunctionReturns,
    /// `COMMENT`.
    pub comment: Option<String>,
    /// The body: a table function's query, or one expression (a query as a scalar subquery).
    pub body: FunctionBody,
    /// Its text.
    pub body_span: Span,
}

/// What a function in SQL returns.
#[derive(Clone, PartialEq, Debug)]
pub enum FunctionReturns {
    /// A value, of this type or the body's.
    Value(Option<TypeRef>),
    /// Rows with these columns, or the body's.
    Table(Vec<ColumnDef>),
}

/// The body of a function in SQL.
#[derive(Clone, PartialEq, Debug)]
pub enum FunctionBody {
    /// An expression over the parameters.
    Expr(Expr),
    /// A query, correlated to the parameters.
    Query(Plan),
}

/// A column of CREATE TABLE or of a table schema.
#[derive(Clone, PartialEq, Debug)]
pub struct ColumnDef {
    /// Name.
    pub name: String,
    /// Type.
    pub data_type: TypeRef,
    /// Not `NOT NULL`.
    pub nullable: bool,
    /// `DEFAULT expr`.
    pub default: Option<Expr>,
    /// `GENERATED ALWAYS AS (expr)`.
    pub generated: Option<Expr>,
    /// `COMMENT`.
    pub comment: Option<String>,
    /// The place.
    pub span: Span,
}

/// `CREATE TABLE`.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateTable {
    /// `OR REPLACE`, `REPLACE TABLE`.
    pub replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `EXTERNAL`.
    pub external: bool,
    /// Name.
    pub name: Name,
    /// Columns.
    pub columns: Vec<ColumnDef>,
    /// `USING` or `STORED AS`.
    pub provider: Option<String>,
    /// `OPTIONS`.
    pub options: Options,
    /// `TBLPROPERTIES`.
    pub properties: Options,
    /// `PARTITIONED BY`: names of columns, or transforms as calls.
    pub partitioned_by: Vec<Expr>,
    /// Columns declared in PARTITIONED BY with a type (Hive).
    pub partition_columns: Vec<ColumnDef>,
    /// `CLUSTERED BY (…) [SORTED BY (…)] INTO n BUCKETS`.
    pub buckets: Option<Buckets>,
    /// `LOCATION`.
    pub location: Option<String>,
    /// `COMMENT`.
    pub comment: Option<String>,
    /// `AS query`.
    pub query: Option<Box<Plan>>,
    /// `LIKE table`.
    pub like: Option<Name>,
}

/// Bucketing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Buckets {
    /// Columns hashed.
    pub columns: Vec<String>,
    /// Sort columns, with `DESC`.
    pub sorted_by: Vec<(String, bool)>,
    /// How many.
    pub count: u32,
}

/// `INSERT`.
#[derive(Clone, PartialEq, Debug)]
pub struct Insert {
    /// `OVERWRITE`.
    pub overwrite: bool,
    /// Where to.
    pub target: InsertTarget,
    /// Column list, or empty.
    pub columns: Vec<String>,
    /// `BY NAME`.
    pub by_name: bool,
    /// `PARTITION (a = 1, b)`.
    pub partition: Vec<PartitionValue>,
    /// `IF NOT EXISTS` after the partition.
    pub if_not_exists: bool,
    /// `REPLACE WHERE condition`.
    pub replace_where: Option<Expr>,
    /// The rows.
    pub source: Plan,
}

/// Where INSERT writes to.
#[derive(Clone, PartialEq, Debug)]
pub enum InsertTarget {
    /// A table.
    Table(Name),
    /// `INSERT OVERWRITE DIRECTORY 'path' USING format OPTIONS (…)`.
    Directory {
        /// Path.
        path: Option<String>,
        /// Format.
        provider: String,
        /// Options.
        options: Options,
    },
}

/// A column of a partition specification.
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionValue {
    /// Column.
    pub column: String,
    /// Value; `None` is dynamic.
    pub value: Option<Expr>,
}

/// What DROP drops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DropKind {
    /// `TABLE`
    Table,
    /// `VIEW`
    View,
    /// `FUNCTION`
    Function,
    /// `TEMPORARY FUNCTION`
    TemporaryFunction,
}

/// `SHOW …`. Patterns are Spark's: `*` any characters, `|` alternatives.
#[derive(Clone, PartialEq, Debug)]
pub enum Show {
    /// `SHOW TABLES [FROM db] [LIKE pattern]`.
    Tables {
        /// Database.
        from: Option<Name>,
        /// Pattern.
        like: Option<String>,
    },
    /// `SHOW TABLE EXTENDED [FROM db] LIKE pattern`.
    TableExtended {
        /// Database.
        from: Option<Name>,
        /// Pattern.
        like: String,
    },
    /// `SHOW VIEWS`.
    Views {
        /// Database.
        from: Option<Name>,
        /// Pattern.
        like: Option<String>,
    },
    /// `SHOW COLUMNS FROM table [FROM db]`.
    Columns {
        /// Table.
        table: Name,
        /// Database, where given apart.
        from: Option<Name>,
    },
    /// `SHOW [USER|SYSTEM|ALL] FUNCTIONS`.
    Functions {
        /// Which.
        scope: FunctionScope,
        /// Database.
        from: Option<Name>,
        /// Pattern or name.
        like: Option<String>,
    },
    /// `SHOW DATABASES|SCHEMAS|NAMESPACES`.
    Databases {
        /// Catalog.
        from: Option<Name>,
        /// Pattern.
        like: Option<String>,
    },
    /// `SHOW CATALOGS`.
    Catalogs {
        /// Pattern.
        like: Option<String>,
    },
    /// `SHOW CREATE TABLE`.
    CreateTable(Name),
    /// `SHOW TBLPROPERTIES table [(key)]`.
    Properties {
        /// Table.
        table: Name,
        /// One key.
        key: Option<String>,
    },
    /// `SHOW PARTITIONS table [PARTITION (…)]`.
    Partitions {
        /// Table.
        table: Name,
        /// Only these.
        partition: Vec<PartitionValue>,
    },
    /// `SHOW CURRENT DATABASE|NAMESPACE`.
    CurrentDatabase,
}

/// Which functions SHOW FUNCTIONS lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FunctionScope {
    /// `USER`
    User,
    /// `SYSTEM`
    System,
    /// `ALL`, and when nothing is said.
    All,
}

/// `DESCRIBE …`.
#[derive(Clone, PartialEq, Debug)]
pub enum Describe {
    /// `DESCRIBE [TABLE] [EXTENDED] name [PARTITION (…)] [column]`.
    Table {
        /// Table.
        name: Name,
        /// `EXTENDED`, `FORMATTED`.
        extended: bool,
        /// One column.
        column: Option<Name>,
        /// Partition.
        partition: Vec<PartitionValue>,
        /// `AS JSON`.
        as_json: bool,
    },
    /// `DESCRIBE QUERY query`.
    Query(Box<Plan>),
    /// `DESCRIBE FUNCTION [EXTENDED] name`.
    Function {
        /// Name; operators (`+`) and keywords are names, too.
        name: Name,
        /// `EXTENDED`.
        extended: bool,
    },
    /// `DESCRIBE DATABASE [EXTENDED] name`.
    Database {
        /// Name.
        name: Name,
        /// `EXTENDED`.
        extended: bool,
    },
}

/// `SET`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SetCommand {
    /// `SET`: all that was changed.
    All,
    /// `SET -v`: all with documentation.
    Verbose,
    /// `SET key`
    Get(String),
    /// `SET key = value`
    Put(String, String),
}

/// What SET TIME ZONE takes.
#[derive(Clone, PartialEq, Debug)]
pub enum TimeZoneValue {
    /// `LOCAL`
    Local,
    /// A zone name or offset.
    Text(String),
    /// An interval literal between -18 and +18 hours.
    Interval(Expr),
}
