//! Functions written in Rust, for one session: called from SQL and DataFrames by their name.
//!
//! A scalar function is a closure over values (`|a: i64, b: i64| a + b`, see [`UdfRegistration::register`]) or over Arrow arrays
//! ([`UdfRegistration::register_vectorized`]). An aggregate is an [`Aggregator`], or closures
//! ([`UdfRegistration::register_aggregate`]). They run where the session runs them: in this process. Executors of other processes do not
//! have them, so a session with such executors refuses them.
//!
//! Must not know: how calls are planned. They become rows of the session's table of functions, like those that are built in.

mod aggregate;
mod scalar;
mod values;

pub use aggregate::Aggregator;
pub use scalar::ScalarUdf;
pub use values::{UdfArgument, UdfResult, UdfValue};

use crate::dataframe::{Column, IntoColumns, called, misuse};
use crate::session::Session;
use arrow::array::{Array, ArrayRef};
use std::sync::Arc;
use vonk_error::{Error, Result};
use vonk_functions::describe::Group;
use vonk_functions::{
    Arity, CallSite, Docs, Function, KernelCall, Resolution, ScalarFunction, ScalarKernel, Volatility,
};
use vonk_plan::unresolved::Name;
use vonk_types::DataType;

/// A function that was registered.
#[derive(Debug, Clone)]
pub struct UserDefinedFunction {
    name: Arc<str>,
}

impl UserDefinedFunction {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A call of it.
    #[track_caller]
    pub fn call(&self, args: impl IntoColumns) -> Column {
        Column::call_at(Name::of(&*self.name), args.into_columns(), called("call"))
    }
}

/// Registers functions: what [`Session::udf`] gives.
pub struct UdfRegistration<'a> {
    session: &'a Session,
}

impl Session {
    /// What registers functions written in Rust.
    ///
    /// ```
    /// use vonk::functions::col;
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// let shout = session.udf().register("shout", |text: String| format!("{}!", text.to_uppercase()))?;
    /// let df = session.sql("SELECT shout('hey') AS a, shout(NULL) AS b")?;
    /// assert_eq!(df.collect_text()?, ["HEY!\tNULL"]);
    /// assert_eq!(df.select(shout.call("a"))?.collect_text()?, ["HEY!!"]);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn udf(&self) -> UdfRegistration<'_> {
        UdfRegistration { session: self }
    }
}

/// How an array function is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Determinism {
    /// Equal arguments give equal results: calls may be folded, shared and moved.
    #[default]
    Deterministic,
    /// Every call may give another result (Spark: `asNondeterministic`).
    Nondeterministic,
}

impl UdfRegistration<'_> {
    /// A function of values. Arguments are the closure's: integers, floats, `bool`, `String`, `Vec<u8>`, `chrono`'s dates and times, or
    /// `Option`s of them. If one that is no `Option` is null, so is the result. The result may be an `Option` (null), or a `Result` (an
    /// error fails the query).
    pub fn register<F, A>(&self, name: &str, function: F) -> Result<UserDefinedFunction>
    where
        F: ScalarUdf<A>,
    {
        let declared = scalar::declared(function);
        self.add_scalar(name, declared, Determinism::Deterministic)
    }

    /// As [`register`](Self::register), for a function that may give another result each time.
    pub fn register_nondeterministic<F, A>(&self, name: &str, function: F) -> Result<UserDefinedFunction>
    where
        F: ScalarUdf<A>,
    {
        let declared = scalar::declared(function);
        self.add_scalar(name, declared, Determinism::Nondeterministic)
    }

    /// A function of Arrow arrays: of equal length, in the engine's types for these (`vonk::DataType::to_arrow`). It must give an array of
    /// that length in the type of `result`.
    ///
    /// ```
    /// use arrow::array::{AsArray, Int64Array};
    /// use arrow::datatypes::Int64Type;
    /// use std::sync::Arc;
    /// use vonk::DataType;
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// session.udf().register_vectorized("twice", &[DataType::Long], DataType::Long, Default::default(), |args| {
    ///     let numbers = args[0].as_primitive::<Int64Type>();
    ///     Ok(Arc::new(numbers.unary::<_, Int64Type>(|n| n.wrapping_mul(2))))
    /// })?;
    /// assert_eq!(session.sql("SELECT twice(id) FROM range(3)")?.collect_text()?, ["0", "2", "4"]);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn register_vectorized<F>(
        &self,
        name: &str,
        arguments: &[DataType],
        result: DataType,
        determinism: Determinism,
        function: F,
    ) -> Result<UserDefinedFunction>
    where
        F: Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync + 'static,
    {
        let (wanted, shown) = (result.clone(), name.to_string());
        let kernel = move |call: &KernelCall<'_>| {
            let args = call.args.iter().map(|a| a.to_array(call.rows)).collect::<Result<Vec<_>>>()?;
            let array = function(&args)?;
            checked(&shown, array, call.rows, &wanted)
        };
        let declared =
            Declared { arguments: arguments.to_vec(), result, nullable: true, kernel: Arc::new(kernel) };
        self.add_scalar(name, declared, determinism)
    }

    fn add_scalar(
        &self,
        name: &str,
        declared: Declared,
        determinism: Determinism,
    ) -> Result<UserDefinedFunction> {
        let canonical = self.checked_name(name)?;
        let Declared { arguments, result, nullable, kernel } = declared;
        let arity = Arity::exactly(arguments.len());
        let template = ScalarFunction::new(
            canonical,
            docs(canonical),
            arity,
            |_| Err(Error::internal("replaced")),
            |_| Err(Error::internal("replaced")),
        );
        self.add(Function::Scalar(Arc::new(ScalarFunction {
            resolve: Arc::new(move |site: &CallSite<'_>| resolved(site, &arguments, &result, nullable)),
            kernel: ScalarKernel::Closure(kernel),
            volatility: match determinism {
                Determinism::Deterministic => Volatility::Immutable,
                Determinism::Nondeterministic => Volatility::Volatile,
            },
            null_propagating: false,
            ..template
        })))
    }

    /// An aggregate function.
    pub fn register_aggregator<A: Aggregator>(
        &self,
        name: &str,
        aggregator: A,
    ) -> Result<UserDefinedFunction> {
        let canonical = self.checked_name(name)?;
        self.add(Function::Aggregate(Arc::new(aggregate::function(canonical, docs(canonical), aggregator))))
    }

    /// An aggregate of closures: the state of a group without rows, a state with another row, two states together, and the result of a
    /// state. For a function over several columns, `I` is a tuple.
    ///
    /// ```
    /// # let session = vonk::Session::builder().config("spark.master", "local[1]").build()?;
    /// session.udf().register_aggregate(
    ///     "geometric_mean",
    ///     || (0.0f64, 0u64),
    ///     |(logs, n), x: f64| (logs + x.ln(), n + 1),
    ///     |(a, n), (b, m)| (a + b, n + m),
    ///     |(logs, n)| (n > 0).then(|| (logs / n as f64).exp()),
    /// )?;
    /// let mean = session.sql("SELECT round(geometric_mean(x), 6) FROM VALUES (1D), (10D), (100D), (NULL) AS t(x)")?;
    /// assert_eq!(mean.collect_text()?, ["10.0"]);
    /// # Ok::<(), vonk::Error>(())
    /// ```
    pub fn register_aggregate<I, S, O>(
        &self,
        name: &str,
        zero: impl Fn() -> S + Send + Sync + 'static,
        reduce: impl Fn(S, I) -> S + Send + Sync + 'static,
        merge: impl Fn(S, S) -> S + Send + Sync + 'static,
        finish: impl Fn(S) -> O + Send + Sync + 'static,
    ) -> Result<UserDefinedFunction>
    where
        I: values::UdfArguments,
        S: serde::Serialize + serde::de::DeserializeOwned + Send + 'static,
        O: UdfResult + 'static,
    {
        let closures = aggregate::Closures { zero, reduce, merge, finish, types: std::marker::PhantomData };
        self.register_aggregator(name, closures)
    }

    /// A name that plans can carry: as SQL would write it without quotes, in lower case. Names live as long as the process, as they do for
    /// functions that are built in.
    fn checked_name(&self, name: &str) -> Result<&'static str> {
        let word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !word {
            return Err(misuse(&format!("{name} is no name of a function: letters, digits and _ make one.")));
        }
        if !self.session.runs_here() {
            return Err(Error::unsupported("functions in Rust on executors of other processes"));
        }
        Ok(interned(&name.to_lowercase()))
    }

    fn add(&self, function: Function) -> Result<UserDefinedFunction> {
        let name = Arc::from(function.name());
        self.session.add_function(function);
        Ok(UserDefinedFunction { name })
    }
}

/// The one copy of a name that lives as long as the process.
fn interned(name: &str) -> &'static str {
    static NAMES: parking_lot::Mutex<std::collections::BTreeSet<&'static str>> =
        parking_lot::Mutex::new(std::collections::BTreeSet::new());
    let mut names = NAMES.lock();
    match names.get(name) {
        Some(known) => known,
        None => {
            let kept: &'static str = Box::leak(name.into());
            names.insert(kept);
            kept
        }
    }
}

fn docs(name: &'static str) -> Docs {
    Docs {
        group: Group::Misc,
        usage: name,
        summary: "A function of this session, written in Rust.",
        since: "",
        examples: &[],
    }
}

/// A scalar function before it has a name.
pub(crate) struct Declared {
    arguments: Vec<DataType>,
    result: DataType,
    nullable: bool,
    kernel: vonk_functions::scalar::SharedKernel,
}

/// Arguments are cast as an assignment would be, which refuses what cannot be.
pub(crate) fn resolved(
    site: &CallSite<'_>,
    arguments: &[DataType],
    result: &DataType,
    nullable: bool,
) -> Result<Resolution> {
    for (i, wanted) in arguments.iter().enumerate() {
        if !accepts(wanted, site.arg_type(i)) {
            return Err(site.unexpected_type(i, &format!("\"{}\"", wanted.sql())));
        }
    }
    Ok(Resolution { arg_types: arguments.to_vec(), return_type: result.clone(), nullable })
}

/// Types that a parameter takes: its own, null, numbers where it is one that is as wide, and whatever casts to a string.
fn accepts(wanted: &DataType, given: &DataType) -> bool {
    fn width(t: &DataType) -> Option<u8> {
        Some(match t {
            DataType::Byte => 1,
            DataType::Short => 2,
            DataType::Int => 3,
            DataType::Long => 4,
            DataType::Decimal(..) => 5,
            DataType::Float => 6,
            DataType::Double => 7,
            _ => return None,
        })
    }
    match (wanted, given) {
        (_, DataType::Null) => true,
        (w, g) if w.same_type(g, false) => true,
        (DataType::String, g) => g.is_atomic() && *g != DataType::Binary,
        (DataType::Timestamp | DataType::TimestampNtz, DataType::Date) => true,
        (w, g) => matches!((width(w), width(g)), (Some(w), Some(g)) if g <= w),
    }
}

/// What a closure gave, if it is what was declared.
fn checked(name: &str, array: ArrayRef, rows: usize, wanted: &DataType) -> Result<ArrayRef> {
    let arrow = wanted.to_arrow();
    if array.len() != rows {
        return Err(failed(name, format!("it gave {} values for {rows} rows", array.len())));
    }
    if *array.data_type() == arrow {
        return Ok(array);
    }
    vonk_sources::conform::conform(&array, wanted)
        .map_err(|_| failed(name, format!("it gave {} where {arrow} was declared", array.data_type())))
}

/// Spark's error for a function of the user's that fails.
fn failed(name: &str, reason: impl Into<String>) -> Error {
    Error::new("FAILED_EXECUTE_UDF")
        .with("functionName", format!("`{name}`"))
        .with("signature", "")
        .with("result", "")
        .with("reason", reason.into())
}
