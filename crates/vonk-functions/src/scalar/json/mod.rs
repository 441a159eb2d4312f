//! Functions over JSON text.
//!
//! A text is read into a [`tree::Json`] that borrows from it; values are written as Spark's JSON library writes them (a number with a
//! fraction as Java prints a double).

mod keys;
pub(crate) mod options;
mod path;
mod read;
mod schema;
pub(crate) mod tree;
pub(crate) mod write;

pub(super) use schema::constant_text;

use super::ScalarFunction;
use crate::describe::{Docs, Example, Group};

/// All of them.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = Vec::new();
    rows.extend(keys::rows());
    rows.extend(path::rows());
    rows.extend(read::rows());
    rows.extend(schema::rows());
    rows.extend(write::rows());
    rows
}

/// Documentation of a JSON function.
const fn docs(
    usage: &'static str,
    summary: &'static str,
    since: &'static str,
    examples: &'static [Example],
) -> Docs {
    Docs::new(Group::Json, usage, summary, since, examples)
}

/// Calls show their first argument only: schemas and options are not expressions to Spark.
fn first_only(called_as: &str, args: &[String]) -> String {
    format!("{called_as}({})", args.first().map_or("", String::as_str))
}
