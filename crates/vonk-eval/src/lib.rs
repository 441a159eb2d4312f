//! Bound expressions and their vectorised evaluation.
//!
//! A [`BoundExpr`] refers to its input by column index and to functions by name: it is data, serialisable, part of physical
//! plans. An [`Evaluator`] is its runtime form: functions looked up, lambdas and function instances prepared, conditional
//! branches evaluated only on the rows that take them (under ANSI, `CASE WHEN b <> 0 THEN a / b END` must not fail).
//!
//! Must not know: logical plans, operators.

pub mod bound;
mod cast;
mod compare;
mod conditional;
mod evaluator;
mod in_list;
mod program;
mod run;
mod scope;
mod select;

pub use bound::BoundExpr;
pub use evaluator::{EvalEnv, Evaluator, EvaluatorSet};
