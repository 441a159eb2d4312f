//! What a function says about itself.

/// Documentation of a function: what `DESCRIBE FUNCTION [EXTENDED]` and the reference page print.
#[derive(Debug, Clone, Copy)]
pub struct Docs {
    /// The family it belongs to.
    pub group: Group,
    /// Call forms, as `substring(str, pos[, len])`.
    pub usage: &'static str,
    /// One line: what it returns.
    pub summary: &'static str,
    /// Spark version it appeared in.
    pub since: &'static str,
    /// Each is a test.
    pub examples: &'static [Example],
}

/// A statement and the rows that Spark answers, as the JSON-lines protocol gives them, joined by newlines.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// One statement.
    pub sql: &'static str,
    /// The rows.
    pub rows: &'static str,
}

impl Docs {
    /// Documentation of a function of any family.
    pub(crate) const fn new(
        group: Group,
        usage: &'static str,
        summary: &'static str,
        since: &'static str,
        examples: &'static [Example],
    ) -> Docs {
        Docs { group, usage, summary, since, examples }
    }

    /// Documentation of an aggregate function.
    pub(crate) const fn aggregate(
        usage: &'static str,
        summary: &'static str,
        since: &'static str,
        examples: &'static [Example],
    ) -> Docs {
        Docs { group: Group::Aggregate, usage, summary, since, examples }
    }
}

/// An example.
pub(crate) const fn ex(sql: &'static str, rows: &'static str) -> Example {
    Example { sql, rows }
}

/// Families, as the function reference lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // the names say it
pub enum Group {
    Aggregate,
    Array,
    Bitwise,
    Conditional,
    Conversion,
    Datetime,
    Generator,
    Hash,
    Lambda,
    Map,
    Math,
    Misc,
    Operator,
    Predicate,
    String,
    Struct,
    Url,
    Json,
    Csv,
    Window,
    Table,
}
