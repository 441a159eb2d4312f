//! Forms: calls that the analyzer expresses by other expressions instead of a kernel.
//!
//! `coalesce`, `if`, `struct`, `=`, `and`, `bigint(x)` and their kin are functions to the user (they are listed, described and
//! called by name) but nodes of their own to the engine, because they are lazy, shape types or have an operator. A row says
//! which [`Form`] a name stands for; the analyzer builds the expression and never looks at the name.

mod rows;

use crate::describe::Docs;
use crate::resolve::Arity;
use vonk_types::{CompareOp, DataType};

pub use rows::rows;

/// What a call is turned into. `a`, `b`, `c` are its arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// First argument that is not null (`coalesce`, `nvl`, `ifnull`).
    Coalesce,
    /// `CASE WHEN a THEN b ELSE c END` (`if`).
    If,
    /// `CASE WHEN a IS NOT NULL THEN b ELSE c END` (`nvl2`).
    Nvl2,
    /// `CASE WHEN a = b THEN null ELSE a END` (`nullif`).
    NullIf,
    /// `CASE WHEN a = 0 THEN null ELSE a END` (`nullifzero`).
    NullIfZero,
    /// `coalesce(a, 0)` (`zeroifnull`).
    ZeroIfNull,
    /// Alternating conditions and values, with a last value for the rest (`when`, `case`).
    When,
    /// A struct of the arguments, named as they are or `col1`, `col2`, … (`struct`).
    Struct,
    /// A struct of alternating literal names and values (`named_struct`).
    NamedStruct,
    /// A comparison (`=`, `==`, `<=>`, `equal_null`, …).
    Compare(CompareOp),
    /// `NOT (a = b)` (`!=`, `<>`).
    NotEqual,
    /// `a AND b`.
    And,
    /// `a OR b`.
    Or,
    /// `NOT a`.
    Not,
    /// `a IS NULL` (`isnull`).
    IsNull,
    /// `a IS NOT NULL` (`isnotnull`).
    IsNotNull,
    /// `a IN (b, c, …)`.
    In,
    /// `a BETWEEN b AND c`.
    Between,
    /// A cast to a type by its name (`int`, `string`, `date`, …).
    Cast(DataType),
    /// `grouping(a)`: whether a grouping set leaves the column out.
    Grouping,
    /// `grouping_id(…)`: the bits of `grouping` of the arguments, or of all grouping columns.
    GroupingId,
    /// `window(time, duration[, slide[, start]])`: a column of windows, which rows are grouped by.
    TimeWindow,
    /// `current_catalog()`.
    CurrentCatalog,
    /// `current_database()`, `current_schema()`.
    CurrentDatabase,
}

/// One row of the table of forms.
#[derive(Clone)]
pub struct FormFunction {
    /// Canonical name, lower case.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Documentation.
    pub docs: Docs,
    /// Number of arguments.
    pub arity: Arity,
    /// What it is turned into.
    pub form: Form,
}
