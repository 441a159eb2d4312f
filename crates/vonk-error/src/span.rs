//! Places in SQL text.
//!
//! A [`Span`] is small and travels with every expression to the executors; the text itself stays with the driver, which turns
//! a span into a [`QueryContext`] when an error comes back.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Which text a span points into: 0 is the statement itself, others are the texts of views and SQL functions, or what
/// [`SourceId::of_fragment`] and [`Span::of_call`] name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceId(pub u32);

/// A half-open range of byte offsets in a SQL text. The empty default span means "nowhere" (an expression we made ourselves).
///
/// Spans never take part in comparisons: two expressions that differ only in where they were written are equal.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub struct Span {
    /// The text pointed into.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span that points nowhere.
    pub const NONE: Span = Span { source: SourceId(0), start: 0, end: 0 };

    /// A span of the statement's own text.
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { source: SourceId(0), start: clamp(start), end: clamp(end) }
    }

    /// True if this span points nowhere.
    pub fn is_none(&self) -> bool {
        self.start == self.end
    }

    /// The smallest span that covers both. A span that points nowhere does not count.
    pub fn union(self, other: Span) -> Span {
        if self.is_none() {
            return other;
        }
        if other.is_none() || other.source != self.source || self.is_call() {
            return self;
        }
        Span { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Span) -> bool {
        true
    }
}
impl Eq for Span {}
impl std::hash::Hash for Span {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}
impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() { f.write_str("-") } else { write!(f, "{}..{}", self.start, self.end) }
    }
}

/// A value with the place it was written at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

/// A place, resolved for people: what Spark calls the query context of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueryContext {
    /// In SQL text.
    Sql(SqlContext),
    /// In a program that builds DataFrames.
    Call(CallContext),
}

/// A place in SQL text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlContext {
    /// `""` for the statement itself, `VIEW` or `FUNCTION` for text that came from the catalog.
    pub object_type: String,
    /// The name of that view or function.
    pub object_name: String,
    /// The text pointed at.
    pub fragment: String,
    /// Line of its first character, from 1.
    pub line: usize,
    /// Column of its first character within the line, from 1, in characters.
    pub column: usize,
    /// The whole line the fragment begins in.
    pub line_text: String,
}

/// A call in a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallContext {
    /// What was called.
    pub name: String,
    /// The file of the caller's source.
    pub file: String,
    /// The line there, from 1.
    pub line: u32,
    /// The column there, from 1.
    pub column: u32,
}

impl QueryContext {
    /// Looks a span up in the text it points into. `None` where the span points nowhere or outside of the text.
    pub fn resolve(span: Span, text: &str) -> Option<QueryContext> {
        SqlContext::resolve(span, text).map(QueryContext::Sql)
    }

    /// The text pointed at, or the name of what was called.
    pub fn fragment(&self) -> &str {
        match self {
            QueryContext::Sql(c) => &c.fragment,
            QueryContext::Call(c) => &c.name,
        }
    }

    /// The place in short: `line:column`, or `file:line:column` of a program.
    pub fn place(&self) -> String {
        match self {
            QueryContext::Sql(c) => format!("{}:{}", c.line, c.column),
            QueryContext::Call(c) => format!("{}:{}:{}", c.file, c.line, c.column),
        }
    }
}

impl SqlContext {
    /// Looks a span up in the text it points into. `None` where the span points nowhere or outside of the text.
    pub fn resolve(span: Span, text: &str) -> Option<SqlContext> {
        let (start, end) = (span.start as usize, (span.end as usize).min(text.len()));
        if span.is_none() || start > end || !text.is_char_boundary(start) || !text.is_char_boundary(end) {
            return None;
        }
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
        Some(SqlContext {
            object_type: String::new(),
            object_name: String::new(),
            fragment: text[start..end].to_string(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            line_text: text[line_start..line_end].to_string(),
        })
    }
}

impl fmt::Display for QueryContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueryContext::Sql(c) => c.fmt(f),
            QueryContext::Call(c) => c.fmt(f),
        }
    }
}

impl fmt::Display for SqlContext {
    /// Spark's form: a header with line and column, the line's text, carets under the fragment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "== SQL")?;
        if !self.object_type.is_empty() {
            write!(f, " of {} {}", self.object_type, self.object_name)?;
        }
        writeln!(f, " (line {}, position {}) ==", self.line, self.column)?;
        writeln!(f, "{}", self.line_text)?;
        let rest = self.line_text.chars().count().saturating_sub(self.column - 1);
        let first_line = self.fragment.lines().next().unwrap_or("");
        let carets = first_line.chars().count().clamp(1, rest.max(1));
        write!(f, "{}{}", " ".repeat(self.column - 1), "^".repeat(carets))
    }
}

impl fmt::Display for CallContext {
    /// Spark's form: a header, the name of what was called, and the caller's place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "== DataFrame ==")?;
        writeln!(f, "\"{}\" was called from", self.name)?;
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_line_and_column() {
        let text = "select 1,\n  1/0";
        let c = SqlContext::resolve(Span::new(12, 15), text).unwrap();
        assert_eq!((c.line, c.column, c.fragment.as_str()), (2, 3, "1/0"));
        assert_eq!(c.to_string(), "== SQL (line 2, position 3) ==\n  1/0\n  ^^^");
    }

    #[test]
    fn union_ignores_nowhere() {
        let s = Span::new(3, 5).union(Span::NONE);
        assert_eq!((s.start, s.end), (3, 5));
        let s = Span::new(3, 5).union(Span::new(8, 9));
        assert_eq!((s.start, s.end), (3, 9));
    }
}
