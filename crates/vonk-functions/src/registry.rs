//! The table of all functions, by name.

use crate::aggregate::{self, AggregateFunction};
use crate::form::{self, FormFunction};
use crate::generator::{self, GeneratorFunction};
use crate::scalar::{self, ScalarFunction};
use crate::window::{self, WindowFunction};
use crate::{Arity, Docs};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use vonk_error::{Error, Result};

/// A function of any kind.
#[derive(Clone)]
pub enum Function {
    /// A value per row.
    Scalar(Arc<ScalarFunction>),
    /// A value per group.
    Aggregate(Arc<AggregateFunction>),
    /// Only with OVER.
    Window(Arc<WindowFunction>),
    /// Rows per row.
    Generator(Arc<GeneratorFunction>),
    /// Expressed by other expressions.
    Form(Arc<FormFunction>),
}

impl Function {
    /// Canonical name.
    pub fn name(&self) -> &'static str {
        match self {
            Function::Scalar(f) => f.name,
            Function::Aggregate(f) => f.name,
            Function::Window(f) => f.name,
            Function::Generator(f) => f.name,
            Function::Form(f) => f.name,
        }
    }

    /// Documentation.
    pub fn docs(&self) -> &Docs {
        match self {
            Function::Scalar(f) => &f.docs,
            Function::Aggregate(f) => &f.docs,
            Function::Window(f) => &f.docs,
            Function::Generator(f) => &f.docs,
            Function::Form(f) => &f.docs,
        }
    }

    /// Number of arguments.
    pub fn arity(&self) -> Arity {
        match self {
            Function::Scalar(f) => f.arity,
            Function::Aggregate(f) => f.arity,
            Function::Window(f) => f.arity,
            Function::Generator(f) => f.arity,
            Function::Form(f) => f.arity,
        }
    }
}

/// Functions by lower-case name; a name may stand for a scalar, aggregate, window or generator function, one of them.
/// (`first_value` and the like, which are aggregates and window functions, are aggregates here.)
#[derive(Clone, Default)]
pub struct Registry {
    functions: BTreeMap<String, Function>,
}

impl Registry {
    /// All built-in functions, made once per process.
    pub fn builtin() -> &'static Arc<Registry> {
        static BUILTIN: OnceLock<Arc<Registry>> = OnceLock::new();
        BUILTIN.get_or_init(|| {
            let mut r = Registry::default();
            for f in scalar::rows() {
                r.add(f.aliases, Function::Scalar(Arc::new(f)));
            }
            for f in aggregate::rows() {
                r.add(f.aliases, Function::Aggregate(Arc::new(f)));
            }
            for f in window::rows() {
                r.add(f.aliases, Function::Window(Arc::new(f)));
            }
            for f in generator::rows() {
                r.add(f.aliases, Function::Generator(Arc::new(f)));
            }
            for f in form::rows() {
                r.add(f.aliases, Function::Form(Arc::new(f)));
            }
            Arc::new(r)
        })
    }

    /// Adds a function under its name and other names. A later one replaces an earlier one (user-defined functions).
    pub fn add(&mut self, aliases: &[&str], function: Function) {
        for name in aliases.iter().copied().chain([function.name()]) {
            self.functions.insert(name.to_lowercase(), function.clone());
        }
    }

    /// Looks a name up; case does not matter.
    pub fn get(&self, name: &str) -> Option<&Function> {
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            self.functions.get(&name.to_lowercase())
        } else {
            self.functions.get(name)
        }
    }

    /// The scalar function a resolved plan names; its absence is a bug (or another version of Vonk on an executor).
    pub fn scalar(&self, name: &str) -> Result<&Arc<ScalarFunction>> {
        match self.get(name) {
            Some(Function::Scalar(f)) => Ok(f),
            _ => Err(Error::internal(format!("no scalar function {name}"))),
        }
    }

    /// The aggregate function a resolved plan names.
    pub fn aggregate(&self, name: &str) -> Result<&Arc<AggregateFunction>> {
        match self.get(name) {
            Some(Function::Aggregate(f)) => Ok(f),
            _ => Err(Error::internal(format!("no aggregate function {name}"))),
        }
    }

    /// The window function a resolved plan names.
    pub fn window(&self, name: &str) -> Result<&Arc<WindowFunction>> {
        match self.get(name) {
            Some(Function::Window(f)) => Ok(f),
            _ => Err(Error::internal(format!("no window function {name}"))),
        }
    }

    /// The generator a resolved plan names.
    pub fn generator(&self, name: &str) -> Result<&Arc<GeneratorFunction>> {
        match self.get(name) {
            Some(Function::Generator(f)) => Ok(f),
            _ => Err(Error::internal(format!("no generator {name}"))),
        }
    }

    /// All names with their functions, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Function)> {
        self.functions.iter().map(|(n, f)| (n.as_str(), f))
    }
}
