//! How a call finds its types.
//!
//! The analyzer describes a call as a [`CallSite`]; the function's `resolve` answers with a [`Resolution`]: the types its
//! arguments are to be cast to, the type it returns and whether it can return null. Type errors are Spark's
//! `DATATYPE_MISMATCH.*` conditions; the analyzer adds the parameter `sqlExpr` (the text of the whole call).

use std::sync::Arc;
use vonk_error::{Error, Result, Span};
use vonk_types::{DataType, EvalContext, Literal};

/// An argument as resolution sees it.
#[derive(Debug, Clone)]
pub struct Arg {
    /// Its type before coercion. Lambda arguments have the type of their body once resolved, [`DataType::Null`] before.
    pub data_type: DataType,
    /// Whether it can be null.
    pub nullable: bool,
    /// Its value if it is foldable (constant).
    pub literal: Option<Literal>,
    /// Its SQL text for messages.
    pub sql: String,
    /// Number of parameters if it is a lambda function.
    pub lambda: Option<usize>,
}

/// A call as resolution sees it.
#[derive(Debug)]
pub struct CallSite<'a> {
    /// The name it was called by, lower case.
    pub called_as: &'a str,
    /// Arguments in order.
    pub args: &'a [Arg],
    /// Session settings.
    pub ctx: &'a EvalContext,
    /// Where it was written.
    pub span: Span,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution {
    /// Types the arguments are implicitly cast to, one per argument. Equal types mean no cast.
    pub arg_types: Vec<DataType>,
    /// The call's type.
    pub return_type: DataType,
    /// Whether the call can return null.
    pub nullable: bool,
}

/// How a function answers: a plain function, or a closure over the types that a user-defined one was declared with.
pub type Resolve = Arc<dyn Fn(&CallSite<'_>) -> Result<Resolution> + Send + Sync>;

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arity {
    /// At least.
    pub min: usize,
    /// At most; `usize::MAX` for variadic functions.
    pub max: usize,
}

impl Arity {
    /// Exactly `n`.
    pub const fn exactly(n: usize) -> Self {
        Arity { min: n, max: n }
    }

    /// From `min` to `max`.
    pub const fn between(min: usize, max: usize) -> Self {
        Arity { min, max }
    }

    /// `min` or more.
    pub const fn at_least(min: usize) -> Self {
        Arity { min, max: usize::MAX }
    }

    /// Spark's `WRONG_NUM_ARGS` unless `n` fits.
    pub fn check(&self, name: &str, n: usize) -> Result<()> {
        if (self.min..=self.max).contains(&n) {
            return Ok(());
        }
        let expected = if self.max == usize::MAX {
            format!("> {}", self.min.saturating_sub(1))
        } else if self.min == self.max {
            self.min.to_string()
        } else if self.max == self.min + 1 {
            format!("[{}, {}]", self.min, self.max)
        } else {
            let all: Vec<String> = (self.min..=self.max).map(|i| i.to_string()).collect();
            format!("[{}]", all.join(", "))
        };
        Err(Error::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
            .with("functionName", format!("`{name}`"))
            .with("expectedNum", expected)
            .with("actualNum", n.to_string())
            .with("docroot", "https://spark.apache.org/docs/latest"))
    }
}

impl CallSite<'_> {
    /// Spark's error for an argument of the wrong type. `required` is Spark's text of what is accepted, as `("STRING" or "BINARY")`.
    pub fn unexpected_type(&self, index: usize, required: &str) -> Error {
        const ORDINALS: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "sixth"];
        let arg = &self.args[index];
        Error::new("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
            .with(
                "paramIndex",
                ORDINALS.get(index).map_or_else(|| format!("{}th", index + 1), |s| s.to_string()),
            )
            .with("requiredType", required)
            .with("inputSql", format!("\"{}\"", arg.sql))
            .with("inputType", format!("\"{}\"", arg.data_type.sql()))
            .at(self.span)
    }

    /// Type of argument `i`.
    pub fn arg_type(&self, i: usize) -> &DataType {
        &self.args[i].data_type
    }

    /// Whether any argument can be null.
    pub fn any_nullable(&self) -> bool {
        self.args.iter().any(|a| a.nullable)
    }
}
