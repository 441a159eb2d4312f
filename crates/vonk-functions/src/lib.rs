//! Every built-in function: one file each in its family's folder, one table row each.
//!
//! A function is data: a [`ScalarFunction`], [`AggregateFunction`], [`WindowFunction`], [`GeneratorFunction`] or [`FormFunction`] row with its
//! names, its documentation, its examples, how it resolves argument types and the kernel that computes it. The
//! [`Registry`] collects the rows; nothing outside of this crate matches on a function's name. The examples are tests, and
//! are what `DESCRIBE FUNCTION EXTENDED` prints.
//!
//! To add a function: write its file in its family's folder with one `pub fn rows()` or static row, and add one line to the
//! family's list.
//!
//! Must not know: plans, SQL text, who calls a kernel.

pub mod aggregate;
pub mod coerce;
pub mod describe;
pub mod form;
pub mod generator;
pub mod kernel;
pub mod normalize;
mod parameters;
pub mod registry;
pub mod resolve;
pub mod scalar;
pub mod selectivity;
pub mod window;

pub use aggregate::{
    AggregateCall, AggregateFunction, EmitTo, GroupsAccumulator, MakeAccumulator, WithinGroup,
};
pub use describe::{Docs, Example, Group};
pub use form::{Form, FormFunction};
pub use generator::{Generated, GeneratorFunction};
pub use kernel::{Datum, KernelCall, LambdaKernel, RowPosition, ScalarInstance};
pub use parameters::{Parameter, ParameterDefault, parameters};
pub use registry::{Function, Registry};
pub use resolve::{Arg, Arity, CallSite, Resolution, Resolve};
pub use scalar::{Display, ScalarFunction, ScalarKernel, Volatility};
/// The function that checks the length of what is written into `varchar(n)`.
pub const LENGTH_CHECK: &str = "__length_check";
/// The function that finds the windows of `window(…)`.
pub const WINDOW_AT: &str = "__window_at";
pub use window::{WindowCall, WindowFunction};
