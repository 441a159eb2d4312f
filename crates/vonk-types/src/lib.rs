//! Spark's types over Arrow: names, casts, decimals, calendars, time zones and the text form of values.
//!
//! [`DataType`] is Spark's type; [`arrow_types`] is the one table that maps it to Arrow. Everything a cast or a kernel needs
//! to know about the session (ANSI or not, time zone) comes in an [`EvalContext`], never as a positional flag.
//!
//! Must not know: expressions, plans, SQL.

pub mod arrow_types;
pub mod cast;
pub mod context;
pub mod data_type;
pub mod datetime;
pub mod decimal;
pub mod interval;
pub mod literal;
pub mod number;
pub mod operator;
pub mod parse;
pub mod sql_literal;
pub mod text;

pub use cast::CastMode;
pub use context::EvalContext;
pub use data_type::{DataType, DayTimeField, StructField, StructType, YearMonthField};
pub use literal::Literal;
pub use operator::CompareOp;

/// A single value: datafusion-common's, always in the Arrow type that [`arrow_types`] gives for the Spark type.
pub use datafusion_common::ScalarValue;
