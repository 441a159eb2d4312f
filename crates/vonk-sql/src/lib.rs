//! SQL text to unresolved plans and commands.
//!
//! Spark's grammar is read in two layers. The lower one, `lex`, turns text into tokens: a scanner cuts at quotes and comments,
//! `sqlparser`'s tokenizer with our [`SparkDialect`] takes the text between, and a pass over its tokens adds what the tokenizer cannot say. The upper one,
//! `parser`, is a recursive-descent parser of our own over these tokens that builds [`vonk_plan::unresolved`] directly.
//!
//! Why not `sqlparser`'s parser and its syntax tree: Spark's grammar has no reserved words, so that any keyword may be a name where it cannot be a
//! keyword; its errors name the offending token the way users of Spark know it; every expression of our tree carries its exact place, in
//! bytes; and half of the statements (pipes, LATERAL VIEW, session variables, SHOW and DESCRIBE in their many forms) would need a second parser beside
//! the first anyway. One parser over one list of tokens is smaller than a translation between two trees, and says all of it in one place.
//!
//! Must not know: catalogs, types of columns, execution.
//!
//! ```
//! use vonk_sql::{ParseOptions, parse_statement};
//! let statement = parse_statement("SELECT a, count(*) FROM t GROUP BY a", &ParseOptions::default())?;
//! assert!(matches!(statement, vonk_plan::unresolved::Statement::Query(_)));
//! # Ok::<(), vonk_error::Error>(())
//! ```

mod lex;
mod literal;
mod options;
mod parser;

pub use lex::{ClassifiedToken, SparkDialect, TokenClass, classify, is_complete, keywords, split_statements};
pub use options::ParseOptions;

use parser::Parser;
use vonk_error::Result;
use vonk_plan::unresolved::{ColumnDef, Expr, Name, Plan, Statement, TypeRef};

/// One statement, with or without semicolons behind it.
pub fn parse_statement(sql: &str, options: &ParseOptions) -> Result<Statement> {
    Parser::new(sql, options)?.single_statement()
}

/// Which parameter markers a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Markers {
    /// `?`
    pub positional: bool,
    /// `:name`
    pub named: bool,
}

/// One statement, and which parameter markers it has.
pub fn parse_with_markers(sql: &str, options: &ParseOptions) -> Result<(Statement, Markers)> {
    let mut parser = Parser::new(sql, options)?;
    let statement = parser.single_statement()?;
    Ok((statement, parser.markers()))
}

/// One query: what a view's text holds.
pub fn parse_plan(sql: &str, options: &ParseOptions) -> Result<Plan> {
    Parser::new(sql, options)?.single_plan()
}

/// One expression, with or without an alias: `expr("a + 1 AS b")`.
pub fn parse_expression(text: &str, options: &ParseOptions) -> Result<Expr> {
    Parser::new(text, options)?.single_expression()
}

/// One type: `array<int>`.
pub fn parse_type(text: &str) -> Result<TypeRef> {
    Parser::new(text, &ParseOptions::default())?.single_type()
}

/// A qualified name: `` cat.db.`my table` ``.
pub fn parse_name(text: &str, options: &ParseOptions) -> Result<Name> {
    Parser::new(text, options)?.single_name()
}

/// Columns as in CREATE TABLE, without parentheses: `a INT, b STRING NOT NULL`.
pub fn parse_columns(text: &str) -> Result<Vec<ColumnDef>> {
    Parser::new(text, &ParseOptions::default())?.single_columns()
}
