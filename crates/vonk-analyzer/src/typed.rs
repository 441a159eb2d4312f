//! A resolved expression with its text and place: what the walk over unresolved expressions hands around.

use vonk_error::{Error, Span};
use vonk_plan::logical::{Column, Expr};
use vonk_types::DataType;

/// A resolved expression.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    /// The expression.
    pub expr: Expr,
    /// Spark's pretty text: the generated column name, and what messages quote.
    pub sql: String,
    /// Where it was written.
    pub span: Span,
}

impl Typed {
    /// From its parts.
    pub fn new(expr: Expr, sql: impl Into<String>, span: Span) -> Typed {
        Typed { expr, sql: sql.into(), span }
    }

    /// A reference to a column, named as it is.
    pub fn column(c: &Column, span: Span) -> Typed {
        Typed::new(Expr::Column(c.clone()), c.name.as_ref(), span)
    }

    /// Its type.
    pub fn data_type(&self) -> DataType {
        self.expr.data_type()
    }

    /// Whether it can be null.
    pub fn nullable(&self) -> bool {
        self.expr.nullable()
    }

    /// The same expression with another text.
    pub fn named(self, sql: impl Into<String>) -> Typed {
        Typed { sql: sql.into(), ..self }
    }

    /// The text as messages quote it.
    pub fn quoted(&self) -> String {
        quoted(&self.sql)
    }
}

/// A text as messages quote expressions and types: `"a + b"`.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A type as messages quote it: `"INT"`.
pub(crate) fn quoted_type(t: &DataType) -> String {
    quoted(&t.sql())
}

/// A `DATATYPE_MISMATCH` condition about an expression of this text.
pub(crate) fn mismatch(condition: &'static str, sql: &str, span: Span) -> Error {
    Error::new(condition).with("sqlExpr", quoted(sql)).at(span)
}

/// Completes an error that a function's `resolve` gave with the text of the whole call.
pub(crate) fn complete(e: Error, sql: impl FnOnce() -> String, span: Span) -> Error {
    let e = e.at(span);
    let lacks_text =
        e.condition().starts_with("DATATYPE_MISMATCH.") && !e.params().any(|(k, _)| k == "sqlExpr");
    if lacks_text { e.with("sqlExpr", quoted(&sql())) } else { e }
}
