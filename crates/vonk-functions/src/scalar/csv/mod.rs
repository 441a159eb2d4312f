//! Functions over a line of CSV: `from_csv`, `to_csv`, `schema_of_csv`.

mod line;
mod read;
mod schema;
mod write;

use super::ScalarFunction;
use crate::describe::{Docs, Example, Group};

/// All of them.
pub(super) fn rows() -> Vec<ScalarFunction> {
    let mut rows = Vec::new();
    rows.extend(read::rows());
    rows.extend(schema::rows());
    rows.extend(write::rows());
    rows
}

/// Documentation of a CSV function.
const fn docs(
    usage: &'static str,
    summary: &'static str,
    since: &'static str,
    examples: &'static [Example],
) -> Docs {
    Docs::new(Group::Csv, usage, summary, since, examples)
}

/// Calls show their first argument only: schemas and options are not expressions to Spark.
fn first_only(called_as: &str, args: &[String]) -> String {
    format!("{called_as}({})", args.first().map_or("", String::as_str))
}
