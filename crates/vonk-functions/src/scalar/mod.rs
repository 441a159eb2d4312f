//! Scalar functions: a value per row.

/// Documentation of a function: group, usage, summary, since, and examples as statement and rows.
macro_rules! docs {
    ($group:ident, $usage:expr, $summary:expr, $since:expr, [$($sql:expr => $rows:expr),* $(,)?] $(,)?) => {
        const {
            const EXAMPLES: &[$crate::describe::Example] = &[$($crate::describe::ex($sql, $rows)),*];
            $crate::describe::Docs::new($crate::describe::Group::$group, $usage, $summary, $since, EXAMPLES)
        }
    };
}

pub(crate) mod apply;
mod arithmetic;
pub(crate) mod array;
mod bitwise;
mod csv;
pub(crate) mod datetime;
mod hash;
mod interval;
pub(crate) mod json;
pub(crate) mod lambda;
pub(crate) mod map;
mod math;
mod misc;
pub(crate) mod params;
mod regexp;
mod string;
#[cfg(test)]
pub(crate) mod testing;
mod twister;
mod url;

use crate::describe::Docs;
use crate::kernel::{KernelCall, ScalarInstance};
use crate::resolve::{Arity, CallSite, Resolution, Resolve};
use arrow::array::ArrayRef;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use vonk_error::Result;
use vonk_types::DataType;

/// Whether equal arguments give equal results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Volatility {
    /// Always: may be folded, shared and moved.
    Immutable,
    /// Within one query (`current_date`): folded when the query starts.
    Stable,
    /// Never (`rand`, `uuid`, `monotonically_increasing_id`): evaluated once per row, where written.
    Volatile,
}

/// How a call looks in generated column names and EXPLAIN.
#[derive(Debug, Clone, Copy)]
pub enum Display {
    /// `name(a, b)`.
    Call,
    /// `(a + b)`.
    Infix(&'static str),
    /// `(- a)`, `~a`: the prefix is written as it is, parentheses and all handled by the function.
    Prefix(&'static str),
    /// Anything else, from the texts of the arguments.
    Custom(fn(called_as: &str, args: &[String]) -> String),
    /// As [`Custom`](Self::Custom), for operators whose form depends on the types of the arguments (after coercion):
    /// a date plus an integer is written `date_add(a, b)`.
    Typed(fn(called_as: &str, args: &[String], arg_types: &[DataType]) -> String),
}

impl Display {
    /// The text of a call.
    pub fn text(&self, called_as: &str, args: &[String], arg_types: &[DataType]) -> String {
        match self {
            Display::Call => format!("{called_as}({})", args.join(", ")),
            Display::Infix(symbol) => format!("({})", args.join(&format!(" {symbol} "))),
            Display::Prefix(prefix) => format!("{prefix}{}", args.join(", ")),
            Display::Custom(f) => f(called_as, args),
            Display::Typed(f) => f(called_as, args, arg_types),
        }
    }
}

/// A kernel that is a closure.
pub type SharedKernel = Arc<dyn Fn(&KernelCall<'_>) -> Result<ArrayRef> + Send + Sync>;

/// How a function computes.
#[derive(Clone)]
pub enum ScalarKernel {
    /// A pure function over arrays.
    Plain(fn(&KernelCall<'_>) -> Result<ArrayRef>),
    /// Needs state per task and expression.
    Instance(fn(&KernelCall<'_>) -> Result<Box<dyn ScalarInstance>>),
    /// A closure (user-defined functions).
    Closure(SharedKernel),
}

/// One row of the scalar function table.
#[derive(Clone)]
pub struct ScalarFunction {
    /// Canonical name, lower case: what plans carry.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Documentation.
    pub docs: Docs,
    /// Number of arguments.
    pub arity: Arity,
    /// Types.
    pub resolve: Resolve,
    /// Computation.
    pub kernel: ScalarKernel,
    /// Foldability.
    pub volatility: Volatility,
    /// Whether a null argument makes the result null without looking at the others; lets the optimizer derive `IS NOT NULL`
    /// and turn outer joins into inner ones.
    pub null_propagating: bool,
    /// Whether evaluating it on rows that the query would not have asked for could raise an error. Filters are not moved
    /// below such calls' guards.
    pub can_fail: bool,
    /// Text form.
    pub display: Display,
    /// For functions that take lambdas: per lambda argument, in order, the types and nullability of its parameters, from the
    /// types of the other arguments (those of lambdas are [`DataType::Null`] then). The analyzer asks this first, resolves the
    /// bodies, and then calls `resolve`.
    pub lambda_params: Option<LambdaParams>,
    /// Which argument, the last, is the seed. The analyzer gives one to a call that has none; with a null, every task of some
    /// functions draws another.
    pub seed: Option<usize>,
}

/// See [`ScalarFunction::lambda_params`].
pub type LambdaParams = fn(&CallSite<'_>) -> Result<Vec<Vec<(DataType, bool)>>>;

impl ScalarFunction {
    /// A row with the usual: no other names, immutable, null for a null argument, may fail, written `name(a, b)`.
    pub fn new(
        name: &'static str,
        docs: Docs,
        arity: Arity,
        resolve: fn(&CallSite<'_>) -> Result<Resolution>,
        kernel: fn(&KernelCall<'_>) -> Result<ArrayRef>,
    ) -> Self {
        ScalarFunction {
            name,
            aliases: &[],
            docs,
            arity,
            resolve: Arc::new(resolve),
            kernel: ScalarKernel::Plain(kernel),
            volatility: Volatility::Immutable,
            null_propagating: true,
            can_fail: true,
            seed: None,
            display: Display::Call,
            lambda_params: None,
        }
    }
}

/// All scalar functions: one line per family.
pub fn rows() -> Vec<ScalarFunction> {
    let mut rows = Vec::new();
    rows.extend(arithmetic::rows());
    rows.extend(array::rows());
    rows.extend(bitwise::rows());
    rows.extend(csv::rows());
    rows.extend(url::rows());
    rows.extend(regexp::rows());
    rows.extend(misc::rows());
    rows.extend(hash::rows());
    rows.extend(datetime::rows());
    rows.extend(interval::rows());
    rows.extend(json::rows());
    rows.extend(lambda::rows());
    rows.extend(map::rows());
    rows.extend(math::rows());
    rows.extend(string::rows());
    rows
}
