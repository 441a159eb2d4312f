//! Spark's keywords, as far as the grammar asks for them.

macro_rules! keywords {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// A keyword; words that are none have [`Kw::Other`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u16)]
        #[allow(missing_docs)]
        pub(crate) enum Kw {
            /// Not a keyword.
            Other,
            $($variant),*
        }

        /// All keywords in the order of their texts.
        const KEYWORDS: &[(&str, Kw)] = &[$(($text, Kw::$variant)),*];
    };
}

#[rustfmt::skip]
keywords! {
    Add = "ADD", After = "AFTER", Aggregate = "AGGREGATE", All = "ALL", Alter = "ALTER", Always = "ALWAYS",
    Analyze = "ANALYZE", And = "AND", Anti = "ANTI", Any = "ANY", AnyValue = "ANY_VALUE", Archive = "ARCHIVE",
    Array = "ARRAY", As = "AS", Asc = "ASC", At = "AT", Atomic = "ATOMIC", Authorization = "AUTHORIZATION",
    Begin = "BEGIN", Between = "BETWEEN", Bigint = "BIGINT", Binary = "BINARY", Binding = "BINDING",
    Boolean = "BOOLEAN", Both = "BOTH", Bucket = "BUCKET", Buckets = "BUCKETS", By = "BY", Byte = "BYTE",
    Cache = "CACHE", Call = "CALL", Cascade = "CASCADE", Case = "CASE", Cast = "CAST", Catalog = "CATALOG",
    Catalogs = "CATALOGS", Change = "CHANGE", Char = "CHAR", Character = "CHARACTER", Check = "CHECK",
    Clear = "CLEAR", Cluster = "CLUSTER", Clustered = "CLUSTERED", Codegen = "CODEGEN", Collate = "COLLATE",
    Collation = "COLLATION", Column = "COLUMN", Columns = "COLUMNS", Comment = "COMMENT", Commit = "COMMIT",
    Compensation = "COMPENSATION", Compute = "COMPUTE", Constraint = "CONSTRAINT", Cost = "COST", Create = "CREATE",
    Cross = "CROSS", Cube = "CUBE", Current = "CURRENT", CurrentDate = "CURRENT_DATE", CurrentTime = "CURRENT_TIME",
    CurrentTimestamp = "CURRENT_TIMESTAMP", CurrentUser = "CURRENT_USER", Data = "DATA", Database = "DATABASE",
    Databases = "DATABASES", Date = "DATE", Dateadd = "DATEADD", Datediff = "DATEDIFF", DateAdd = "DATE_ADD",
    DateDiff = "DATE_DIFF", Day = "DAY", Dayofyear = "DAYOFYEAR", Days = "DAYS", Dbproperties = "DBPROPERTIES",
    Dec = "DEC", Decimal = "DECIMAL", Declare = "DECLARE", Default = "DEFAULT", Delete = "DELETE", Desc = "DESC",
    Describe = "DESCRIBE", Dfs = "DFS", Directory = "DIRECTORY", Distinct = "DISTINCT", Distribute = "DISTRIBUTE",
    Div = "DIV", Double = "DOUBLE", Drop = "DROP", Else = "ELSE", End = "END", Enforced = "ENFORCED",
    Escape = "ESCAPE", Evolution = "EVOLUTION", Except = "EXCEPT", Exclude = "EXCLUDE", Execute = "EXECUTE",
    Exists = "EXISTS", Explain = "EXPLAIN", Export = "EXPORT", Extend = "EXTEND", Extended = "EXTENDED",
    External = "EXTERNAL", Extract = "EXTRACT", False = "FALSE", Fetch = "FETCH", Filter = "FILTER", First = "FIRST",
    Float = "FLOAT", Following = "FOLLOWING", For = "FOR", Foreign = "FOREIGN", Format = "FORMAT",
    Formatted = "FORMATTED", From = "FROM", Full = "FULL", Function = "FUNCTION", Functions = "FUNCTIONS",
    Generated = "GENERATED", Geography = "GEOGRAPHY", Geometry = "GEOMETRY", Global = "GLOBAL", Grant = "GRANT",
    Group = "GROUP", Grouping = "GROUPING", Having = "HAVING", Hour = "HOUR", Hours = "HOURS",
    Identifier = "IDENTIFIER", Identity = "IDENTITY", If = "IF", Ignore = "IGNORE", Ilike = "ILIKE",
    Immediate = "IMMEDIATE", Import = "IMPORT", In = "IN", Include = "INCLUDE", Index = "INDEX", Inner = "INNER",
    Inputformat = "INPUTFORMAT", Insert = "INSERT", Int = "INT", Integer = "INTEGER", Intersect = "INTERSECT",
    Interval = "INTERVAL", Into = "INTO", Is = "IS", Join = "JOIN", Json = "JSON", Key = "KEY", Last = "LAST",
    Lateral = "LATERAL", Lazy = "LAZY", Leading = "LEADING", Left = "LEFT", Level = "LEVEL", Like = "LIKE",
    Limit = "LIMIT", List = "LIST", Load = "LOAD", Local = "LOCAL", Location = "LOCATION", Lock = "LOCK",
    Logical = "LOGICAL", Long = "LONG", Map = "MAP", Matched = "MATCHED", Materialized = "MATERIALIZED", Max = "MAX",
    Merge = "MERGE", Microsecond = "MICROSECOND", Microseconds = "MICROSECONDS", Millisecond = "MILLISECOND",
    Milliseconds = "MILLISECONDS", Minus = "MINUS", Minute = "MINUTE", Minutes = "MINUTES", Month = "MONTH",
    Months = "MONTHS", Msck = "MSCK", Name = "NAME", Namespace = "NAMESPACE", Namespaces = "NAMESPACES",
    Nanosecond = "NANOSECOND", Nanoseconds = "NANOSECONDS", Natural = "NATURAL", None = "NONE", Norely = "NORELY",
    Not = "NOT", Null = "NULL", Nulls = "NULLS", Numeric = "NUMERIC", Of = "OF", Offset = "OFFSET", On = "ON",
    Only = "ONLY", Options = "OPTIONS", Or = "OR", Order = "ORDER", Out = "OUT", Outer = "OUTER",
    Outputformat = "OUTPUTFORMAT", Over = "OVER", Overlaps = "OVERLAPS", Overlay = "OVERLAY", Overwrite = "OVERWRITE",
    Partition = "PARTITION", Partitioned = "PARTITIONED", Partitions = "PARTITIONS", Percent = "PERCENT",
    Pivot = "PIVOT", Placing = "PLACING", Position = "POSITION", Preceding = "PRECEDING", Primary = "PRIMARY",
    Procedure = "PROCEDURE", Properties = "PROPERTIES", Purge = "PURGE", Qualify = "QUALIFY", Quarter = "QUARTER",
    Query = "QUERY", Range = "RANGE", Real = "REAL", Recordreader = "RECORDREADER", Recordwriter = "RECORDWRITER",
    Recursion = "RECURSION", Recursive = "RECURSIVE", Reduce = "REDUCE", References = "REFERENCES",
    Refresh = "REFRESH", Regexp = "REGEXP", Rely = "RELY", Rename = "RENAME", Repair = "REPAIR",
    Repeatable = "REPEATABLE", Replace = "REPLACE", Reset = "RESET", Respect = "RESPECT", Restrict = "RESTRICT",
    Revoke = "REVOKE", Right = "RIGHT", Rlike = "RLIKE", Role = "ROLE", Rollback = "ROLLBACK", Rollup = "ROLLUP",
    Row = "ROW", Rows = "ROWS", Schema = "SCHEMA", Schemas = "SCHEMAS", Second = "SECOND", Seconds = "SECONDS",
    Select = "SELECT", Semi = "SEMI", Serde = "SERDE", Serdeproperties = "SERDEPROPERTIES",
    SessionUser = "SESSION_USER", Set = "SET", Sets = "SETS", Short = "SHORT", Show = "SHOW", Single = "SINGLE",
    Skewed = "SKEWED", Smallint = "SMALLINT", Some = "SOME", Sort = "SORT", Sorted = "SORTED", Source = "SOURCE",
    Sql = "SQL", Start = "START", Statistics = "STATISTICS", Stored = "STORED", Stream = "STREAM",
    Streaming = "STREAMING", String = "STRING", Struct = "STRUCT", Substr = "SUBSTR", Substring = "SUBSTRING",
    SystemTime = "SYSTEM_TIME", SystemVersion = "SYSTEM_VERSION", Table = "TABLE", Tables = "TABLES",
    Tablesample = "TABLESAMPLE", Target = "TARGET", Tblproperties = "TBLPROPERTIES", Temp = "TEMP",
    Temporary = "TEMPORARY", Then = "THEN", Time = "TIME", Timediff = "TIMEDIFF", Timestamp = "TIMESTAMP",
    Timestampadd = "TIMESTAMPADD", Timestampdiff = "TIMESTAMPDIFF", TimestampLtz = "TIMESTAMP_LTZ",
    TimestampNtz = "TIMESTAMP_NTZ", Tinyint = "TINYINT", To = "TO", Trailing = "TRAILING",
    Transaction = "TRANSACTION", Transform = "TRANSFORM", Trim = "TRIM", True = "TRUE", Truncate = "TRUNCATE",
    TryCast = "TRY_CAST", Type = "TYPE", Unbounded = "UNBOUNDED", Uncache = "UNCACHE", Union = "UNION",
    Unique = "UNIQUE", Unknown = "UNKNOWN", Unlock = "UNLOCK", Unpivot = "UNPIVOT", Unset = "UNSET",
    Update = "UPDATE", Use = "USE", User = "USER", Using = "USING", Value = "VALUE", Values = "VALUES", Var = "VAR",
    Varchar = "VARCHAR", Variable = "VARIABLE", Variant = "VARIANT", Version = "VERSION", View = "VIEW",
    Views = "VIEWS", Void = "VOID", Watermark = "WATERMARK", Week = "WEEK", Weeks = "WEEKS", When = "WHEN",
    Where = "WHERE", Window = "WINDOW", With = "WITH", Within = "WITHIN", Without = "WITHOUT", X = "X", Year = "YEAR",
    Years = "YEARS", Zone = "ZONE",
}

/// Length of the longest keyword.
const LONGEST: usize = 17;

/// All keywords of the grammar in upper case, sorted: for completion and suggestions.
pub fn keywords() -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().map(|(text, _)| *text)
}

impl Kw {
    /// The keyword a word spells in any case, or [`Kw::Other`].
    pub(crate) fn of(word: &str) -> Kw {
        if word.len() > LONGEST {
            return Kw::Other;
        }
        let mut upper = [0u8; LONGEST];
        for (to, from) in upper.iter_mut().zip(word.bytes()) {
            *to = from.to_ascii_uppercase();
        }
        let upper = &upper[..word.len()];
        match KEYWORDS.binary_search_by(|(text, _)| text.as_bytes().cmp(upper)) {
            Ok(i) => KEYWORDS[i].1,
            Err(_) => Kw::Other,
        }
    }

    /// Its text in upper case.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Kw::Other => "",
            kw => KEYWORDS[kw as usize - 1].0,
        }
    }

    /// Cannot be the alias of a relation without backticks, as Spark always has it.
    #[rustfmt::skip]
    pub(crate) fn is_strict(self) -> bool {
        matches!(self, Kw::Anti | Kw::Cross | Kw::Except | Kw::Full | Kw::Inner | Kw::Intersect | Kw::Join | Kw::Lateral | Kw::Left | Kw::Natural | Kw::On | Kw::Right | Kw::Semi | Kw::Minus | Kw::Union | Kw::Using)
    }

    /// Reserved where `spark.sql.ansi.enforceReservedKeywords` is on.
    #[rustfmt::skip]
    pub(crate) fn is_ansi_reserved(self) -> bool {
        matches!(self, Kw::All | Kw::And | Kw::Any | Kw::As | Kw::Authorization | Kw::Both | Kw::Call | Kw::Case | Kw::Cast | Kw::Check | Kw::Collate | Kw::Collation | Kw::Column | Kw::Constraint | Kw::Create | Kw::Cross | Kw::CurrentDate | Kw::CurrentTime | Kw::CurrentTimestamp | Kw::CurrentUser | Kw::Distinct | Kw::Else | Kw::End | Kw::Escape | Kw::Except | Kw::Execute | Kw::False | Kw::Fetch | Kw::Filter | Kw::For | Kw::Foreign | Kw::From | Kw::Full | Kw::Grant | Kw::Group | Kw::Having | Kw::In | Kw::Inner | Kw::Intersect | Kw::Into | Kw::Is | Kw::Join | Kw::Lateral | Kw::Leading | Kw::Left | Kw::Natural | Kw::Not | Kw::Null | Kw::Offset | Kw::On | Kw::Only | Kw::Or | Kw::Order | Kw::Outer | Kw::Overlaps | Kw::Primary | Kw::Recursive | Kw::References | Kw::Right | Kw::Select | Kw::SessionUser | Kw::Some | Kw::Sql | Kw::Table | Kw::Then | Kw::Time | Kw::To | Kw::Trailing | Kw::Union | Kw::Unique | Kw::Unknown | Kw::User | Kw::Using | Kw::When | Kw::Where | Kw::With | Kw::Within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_found() {
        assert!(KEYWORDS.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(KEYWORDS.iter().all(|(t, _)| t.len() <= LONGEST));
        assert!(KEYWORDS.iter().all(|(t, k)| Kw::of(&t.to_lowercase()) == *k && k.text() == *t));
        assert_eq!(Kw::of("lineitem"), Kw::Other);
    }
}
