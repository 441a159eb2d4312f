//! From unresolved to resolved plans: names, stars, functions, types and coercion, with Spark's checks.
//!
//! [`Analyzer::analyze`] walks the unresolved tree once. A relation becomes a plan and a scope (its columns with the names they
//! can be called by); an expression becomes a typed expression with the text that Spark would give it. Relations and clauses are in
//! `relations` and `select`, the walk over expressions in `expr`; what types an expression (`build`, `call`, `coerce`, `fold`, `naming`)
//! knows nothing of names.
//!
//! Must not know: SQL text, files, execution.

mod analyzer;
mod build;
mod call;
#[cfg(debug_assertions)]
mod checks;
mod coerce;
mod env;
mod expected;
mod expr;
mod fold;
mod insert;
mod naming;
mod relation;
mod relations;
mod resolved;
mod scope;
mod seeds;
mod select;
mod session;
mod typed;

pub use analyzer::{Analyzed, Analyzer, Parameters, Texts, Variables, WriteColumn};
pub use expected::{ExpectedTypes, Marker};
pub use resolved::{Resolved, ambiguous_reference};
