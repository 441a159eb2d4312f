//! Generators: several rows per row (`explode`, `inline`, `stack`).

mod explode;
mod inline;
mod json_tuple;
mod stack;
#[cfg(test)]
mod tests;

use crate::describe::{Docs, Example, Group};
use crate::kernel::KernelCall;
use crate::resolve::{Arity, CallSite};
use arrow::array::{ArrayRef, UInt32Array};
use vonk_error::Result;
use vonk_types::{DataType, StructType};

/// What a generator made of a batch.
#[derive(Debug)]
pub struct Generated {
    /// For each row made, the row of the batch it comes from; ascending.
    pub rows: UInt32Array,
    /// The generated columns.
    pub columns: Vec<ArrayRef>,
}

/// One row of the generator table.
#[derive(Clone)]
pub struct GeneratorFunction {
    /// Canonical name, lower case.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Documentation.
    pub docs: Docs,
    /// Number of arguments.
    pub arity: Arity,
    /// Types the arguments are cast to, and the columns made (with Spark's default names).
    pub resolve: GeneratorResolve,
    /// Computation. The operator adds the all-null row of `_outer` forms.
    pub kernel: fn(&KernelCall<'_>) -> Result<Generated>,
    /// Whether a row that makes nothing still gives one row of nulls (`explode_outer`).
    pub outer: bool,
}

/// See [`GeneratorFunction::resolve`].
pub type GeneratorResolve = fn(&CallSite<'_>) -> Result<(Vec<DataType>, StructType)>;

/// All generators.
pub fn rows() -> Vec<GeneratorFunction> {
    let mut rows = explode::rows();
    rows.extend(inline::rows());
    rows.extend(json_tuple::rows());
    rows.extend(stack::rows());
    rows
}

/// Documentation of a generator.
const fn docs(
    usage: &'static str,
    summary: &'static str,
    since: &'static str,
    examples: &'static [Example],
) -> Docs {
    Docs::new(Group::Generator, usage, summary, since, examples)
}
