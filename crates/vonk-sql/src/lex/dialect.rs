//! Spark's dialect for `sqlparser`.

use sqlparser::dialect::Dialect;

/// Tells `sqlparser`'s tokenizer what Spark's words look like. It only ever sees text between quotes and comments (see
/// [`super::scan`]), so everything about quoting is off.
#[derive(Debug, Clone, Copy, Default)]
pub struct SparkDialect;

impl Dialect for SparkDialect {
    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch.is_ascii_digit() || ch == '_'
    }

    fn is_delimited_identifier_start(&self, _: char) -> bool {
        false
    }

    /// `1a` is a name, as in Hive.
    fn supports_numeric_prefix(&self) -> bool {
        true
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn supports_pipe_operator(&self) -> bool {
        true
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }
}
