//! What of the session's configuration the grammar depends on.

use vonk_error::SourceId;

/// Settings that change how text is read. The default is Spark's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParseOptions {
    /// `spark.sql.ansi.doubleQuotedIdentifiers`: `"x"` is a name, not a string.
    pub double_quoted_identifiers: bool,
    /// `spark.sql.ansi.enforceReservedKeywords`: ANSI's reserved words cannot be names.
    pub enforce_reserved_keywords: bool,
    /// `spark.sql.parser.escapedStringLiterals`: backslashes in strings mean themselves.
    pub escaped_string_literals: bool,
    /// `spark.sql.legacy.setopsPrecedence.enabled`: `INTERSECT` binds no tighter than `UNION`.
    pub legacy_setops_precedence: bool,
    /// `spark.sql.parser.quotedRegexColumnNames`: quoted names in select lists are patterns of names.
    pub quoted_regex_columns: bool,
    /// `spark.sql.legacy.exponentLiteralAsDecimal.enabled`: `1e3` is a decimal.
    pub exponent_literal_as_decimal: bool,
    /// How places in the tree name the text: nothing but for pieces of SQL that are no statements.
    pub source: SourceId,
}
